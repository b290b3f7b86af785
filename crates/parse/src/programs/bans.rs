//! fail2ban and sshguard: who was banned, and for what; portsentry and scanlogd: who scanned ports.
//!
//! The addresses are those that the program prints itself, at a fixed place of each phrase.

use bergfried_event::{Event, Field, FieldName, Value};

use super::{Program, level, peer, push_text};
use crate::Context;
use crate::line::Line;
use crate::syslog;
use crate::text::{number, port};
use crate::{stamp, text};

pub(super) const FAIL2BAN: Program = Program {
    name: "fail2ban",
    tags: &[
        "fail2ban",
        "fail2ban-server",
        "fail2ban.actions",
        "fail2ban.filter",
        "fail2ban.filtersystemd",
        "fail2ban.filterpyinotify",
        "fail2ban.jail",
        "fail2ban.observer",
        "fail2ban.server",
        "fail2ban.database",
        "fail2ban.utils",
    ],
    read: read_fail2ban,
};
pub(super) const SSHGUARD: Program =
    Program { name: "sshguard", tags: &["sshguard"], read: read_sshguard };
pub(super) const PORTSENTRY: Program =
    Program { name: "portsentry", tags: &["portsentry"], read: read_portsentry };
pub(super) const SCANLOGD: Program =
    Program { name: "scanlogd", tags: &["scanlogd"], read: read_scanlogd };

fn note<'a>(event: &mut Event<'a>, module: &'static str, action: &'static str, address: &'a str) {
    event.push(Field::EventModule, module);
    event.push(Field::EventKind, "event");
    let categories = ["intrusion_detection", "network"].map(Value::from);
    event.push(Field::EventCategory, Value::List(categories.to_vec()));
    event.push(Field::EventAction, action);
    event.push(Field::EventType, if action == "banned" { "denied" } else { "info" });
    let address = address.trim_matches('"');
    peer::push_address(event, address.split_once('/').map_or(address, |(address, _)| address));
}

/// `NOTICE  [sshd] Ban 192.0.2.1`, `INFO [sshd] Found 192.0.2.1 - 2026-11-21 10:00:00`.
fn read_fail2ban<'a>(message: &'a str, event: &mut Event<'a>) {
    let message = without_time(message);
    // Where the daemon is the program, the part of it that speaks stands in the message.
    let message = match message.strip_prefix("fail2ban.").and_then(|rest| rest.split_once(": ")) {
        Some((_, rest)) => rest.trim_start(),
        None => message,
    };
    let (word, rest) = message.split_once(' ').unwrap_or((message, ""));
    let code = syslog::severity(&word.to_ascii_lowercase()).filter(|_| !word.starts_with('['));
    let rest = if code.is_some() { rest.trim_start() } else { message };
    if let Some(code) = code {
        level(event, code);
    }
    let Some((jail, said)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
        return;
    };
    let said = said.trim_start();
    for (verb, action) in [
        ("Ban ", "banned"),
        ("Restore Ban ", "ban-restored"),
        ("Increase Ban ", "ban-increased"),
        ("Unban ", "unbanned"),
        ("Found ", "found"),
        ("Ignore ", "ignored"),
    ] {
        if let Some(rest) = said.strip_prefix(verb) {
            note(event, "fail2ban", action, rest.split(' ').next().unwrap_or_default());
            push_text(event, Field::RuleName, jail);
            return;
        }
    }
    if let Some(address) = said.strip_suffix(" already banned") {
        note(event, "fail2ban", "already-banned", address);
        push_text(event, Field::RuleName, jail);
    }
}

/// Without the time that it writes to its output, which a unit or a container hands on:
/// `2026-11-21 10:00:00,123 fail2ban.actions [9]: …`.
fn without_time(message: &str) -> &str {
    let is_time = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b',' | b' ');
    match message.split_once("fail2ban.") {
        Some((time, _)) if !time.is_empty() && time.bytes().all(is_time) => {
            message.get(time.len()..).unwrap_or(message)
        }
        _ => message,
    }
}

/// `Attack from "192.0.2.1" on service SSH with danger 10.`, `Blocking "192.0.2.1/32" for 120 secs (…)`.
fn read_sshguard<'a>(message: &'a str, event: &mut Event<'a>) {
    if let Some(rest) = message.strip_prefix("Attack from ") {
        let (address, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        note(event, "sshguard", "found", address);
        let service = rest.strip_prefix("on service ").and_then(|rest| rest.split_once(" with "));
        push_text(event, Field::ServiceName, service.map_or("", |(service, _)| service));
    } else if let Some(rest) = message.strip_prefix("Blocking ") {
        let address = rest.split(' ').next().unwrap_or_default();
        // Older versions print the kind of address behind it: `192.0.2.1:4`.
        let quoted = address.starts_with('"');
        let bare = if quoted { None } else { address.rsplit_once(':').map(|(bare, _)| bare) };
        note(event, "sshguard", "banned", bare.unwrap_or(address));
    } else if let Some((address, _)) = message.split_once(": unblocking after ") {
        note(event, "sshguard", "unbanned", address);
    }
}

/// `1403884279 - 06/27/2014 17:51:19 Host: name/192.0.2.1 Port: 1 TCP Blocked`, of its own log.
pub(super) fn own<'a>(line: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let (seconds, rest) = line.split_at_checked(10)?;
    number(seconds.as_bytes())?;
    let rest = rest.strip_prefix(" - ")?;
    let (created, rest) = stamp::month_slash(rest, context)?;
    let message = rest.strip_prefix(' ').filter(|rest| rest.starts_with("Host: "))?;
    let mut line = Line::bare(message, created.unwrap_or(context.received));
    line.program = Some("portsentry".into());
    Some(line)
}

/// `Host: name/192.0.2.1 Port: 1 TCP Blocked`, and in syslog
/// `attackalert: Connect from host: name/192.0.2.1 to TCP port: 1`.
fn read_portsentry<'a>(message: &'a str, event: &mut Event<'a>) {
    let after = |key: &str| {
        let (_, rest) = message.rsplit_once(key)?;
        rest.split(' ').next()
    };
    // The name of the host is the one that the sender's own name server gave.
    let Some(host) = after("Host: ").or_else(|| after("host: ")) else { return };
    let address = host.rsplit_once('/').map_or(host, |(_, address)| address);
    let is_block = message.ends_with("Blocked") || message.contains("has been blocked");
    note(event, "portsentry", if is_block { "banned" } else { "found" }, address);
    if let Some(port) = after("Port: ").or_else(|| after("port: ")).and_then(port) {
        event.push(Field::DestinationPort, port);
    }
    let transport = message.split(' ').find(|word| matches!(*word, "TCP" | "UDP"));
    if let Some(transport) = transport {
        event.push(Field::NetworkTransport, transport.to_ascii_lowercase());
    }
}

/// `192.0.2.9 to 192.0.2.1 ports 80, 81, …, f????uxy, TOS 00, TTL 49 @20:44:43`.
fn read_scanlogd<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some((source, rest)) = message.split_once(" to ") else { return };
    let Some((destination, rest)) = rest.split_once(' ') else { return };
    let bare = |text: &'a str| match text.rsplit_once(':') {
        Some((address, number)) if text::is_ip(address) && port(number).is_some() => address,
        _ => text,
    };
    if !text::is_ip(bare(source)) {
        return;
    }
    note(event, "scanlogd", "port-scan", bare(source));
    push_text(event, Field::DestinationIp, bare(destination));
    let ports: Vec<Value<'_>> =
        rest.trim_start_matches("ports ").split(", ").map_while(port).map(Value::Int).collect();
    if !ports.is_empty() {
        event.push_named(FieldName::Other("scanlogd.ports".into()), Value::List(ports));
    }
}
