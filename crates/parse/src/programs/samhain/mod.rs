//! Samhain: its log file and what it sends to syslog, `CRIT   :  [STAMP] msg=<…>, path=<…>, …`.
//!
//! Names of files are a stranger's. Samhain puts a backslash before every space in one, so that a
//! bare space behind `>` always ends a value (sh_unix.c, `sh_util_safe_name`).
//!
//! A line of the file is followed by one with its signature, and blocks of signed messages by marks of
//! their own; each is an event that says so, and a block that comes as one record is read as its
//! message.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Value};

use super::{Program, classify, level, push_text};
use crate::Context;
use crate::line::Line;
use crate::text::{is_ip, number};
use crate::{stamp, syslog};

pub(super) const PROGRAM: Program = Program { name: "samhain", tags: &["samhain"], read };

/// Samhain's severities, as syslog has them.
const LEVELS: [(&str, &str); 12] = [
    ("EMERG", "emerg"),
    ("ALERT", "alert"),
    ("CRIT", "crit"),
    ("ERROR", "err"),
    ("ERR", "err"),
    ("WARN", "warning"),
    ("NOTICE", "notice"),
    ("MARK", "info"),
    ("INFO", "info"),
    ("DEBUG", "debug"),
    ("DEBG", "debug"),
    ("PANIC", "emerg"),
];
/// What stands around messages.
const MARKS: [&str; 8] = [
    "[SOF]",
    "[EOF]",
    "-----BEGIN MESSAGE-----",
    "-----BEGIN SIGNATURE-----",
    "-----END MESSAGE-----",
    "-----BEGIN LOGKEY-----",
    "-----END LOGKEY-----",
    "-----END SIGNATURE-----",
];
/// A signature is a hash of 192 bits in hexadecimal digits.
const SIGNATURE: usize = 48;
/// The most values of one message.
const MOST_VALUES: usize = 64;

/// The severity, the time in brackets and the rest of a message.
fn opened(text: &str) -> Option<(&'static str, &str, &str)> {
    let (word, rest) = text.split_once(':')?;
    let word = word.trim_end();
    let (_, level) = LEVELS.iter().find(|(known, _)| *known == word)?;
    let (stamp, rest) = rest.trim_start().strip_prefix('[')?.split_once(']')?;
    Some((level, stamp, rest.trim_start()))
}

/// A line of the log file, or a block of several.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let first = text.as_bytes().first()?;
    if !first.is_ascii_uppercase() && !first.is_ascii_digit() && !matches!(first, b'[' | b'-') {
        return None;
    }
    let created = |stamp: &str| stamp::iso(stamp, context).and_then(|(time, _)| time);
    let mut line = if text.contains('\n') {
        let mut lines = text.lines();
        let (at, message) =
            lines.by_ref().enumerate().take(8).find(|(_, line)| opened(line).is_some())?;
        let (_, stamp, _) = opened(message)?;
        let mut line = Line::bare(message, created(stamp).unwrap_or(context.received));
        // A signed block names the host behind the time, before the message.
        let before = at.checked_sub(1).and_then(|at| text.lines().nth(at));
        let host = before.and_then(|before| before.strip_prefix('[')?.split_once("] "));
        line.host = host
            .map(|(_, host)| host.trim())
            .filter(|host| crate::text::is_host_name(host))
            .map(Into::into);
        line
    } else if let Some((_, stamp, rest)) = opened(text) {
        // What a call of the system said begins with the name of the call.
        if !rest.starts_with("msg=<") && !rest.starts_with("interface=<") {
            return None;
        }
        Line::bare(text, created(stamp).unwrap_or(context.received))
    } else if MARKS.contains(&text.trim_end()) || is_count(text) {
        Line::bare(text, context.received)
    } else {
        let (signature, rest) = text.split_at_checked(SIGNATURE)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'A'..=b'F');
        let stamp = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if !signature.bytes().all(is_hex) || (!rest.is_empty() && stamp.is_none()) {
            return None;
        }
        Line::bare(text, stamp.and_then(created).unwrap_or(context.received))
    };
    line.program = Some("samhain".into());
    Some(line)
}

/// `000001 1164000000::web1`, below a signature: the number of the message, and when the daemon began.
fn is_count(text: &str) -> bool {
    let number = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let parts =
        text.split_once(' ').and_then(|(count, rest)| Some((count, rest.split_once("::")?)));
    parts.is_some_and(|(count, (start, host))| {
        number(count, 6) && number(start, 10) && crate::text::is_host_name(host.trim_end())
    })
}

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some((name, _, rest)) = opened(message) else {
        event.push(Field::EventModule, "samhain");
        event.push(Field::EventKind, "event");
        let is_mark = MARKS.contains(&message.trim_end());
        event.push(Field::EventAction, if is_mark { "log-mark" } else { "log-signature" });
        return;
    };
    event.push(Field::EventModule, "samhain");
    if let Some(code) = syslog::severity(name) {
        level(event, code);
    }
    let values = values(rest);
    let found = |key: &str| values.iter().find(|(known, _)| *known == key).map(|(_, value)| *value);
    let said = found("msg").unwrap_or_default();
    event.push(Field::EventReason, said);
    match said.strip_prefix("POLICY ") {
        Some(policy) => {
            event.push(Field::EventKind, "alert");
            read_policy(policy, &found, event);
        }
        None => {
            event.push(Field::EventKind, "event");
            read_notice(said, &found, event);
        }
    }
    for (key, value) in &values {
        if *key != "msg" && !value.is_empty() {
            let name = FieldName::Other(format!("samhain.{key}").into());
            // `path` may come twice, for the configuration and the database.
            if event.get_named(&name).is_none() {
                event.push_named(name, plain(value));
            }
        }
    }
}

/// The values of a message: `key=<value>`, with `, ` or a space between them.
fn values(mut text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    while found.len() < MOST_VALUES
        && let Some((key, rest)) = text.split_once("=<")
    {
        let key = key.trim_start_matches([',', ' ']);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if key.is_empty() || key.len() > 32 || !key.bytes().all(plain) {
            break;
        }
        let (value, rest) = ended(rest);
        found.push((key, value));
        text = rest;
    }
    found
}

/// A value up to the `>` that ends it, and what follows.
fn ended(text: &str) -> (&str, &str) {
    for (at, _) in text.match_indices('>') {
        let rest = text.get(at + 1..).unwrap_or_default();
        let next = rest.strip_prefix(',').unwrap_or(rest);
        if next.is_empty() || next.starts_with(' ') {
            return (text.get(..at).unwrap_or(text), rest);
        }
    }
    (text.trim_end(), "")
}

/// A value without the backslashes before spaces, and with what they stand for.
fn plain(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            character => text.push(character),
        }
    }
    Cow::Owned(text)
}

/// What changed, by its place in `C-------TS`.
const CHANGES: [&str; 10] =
    ["checksum", "link", "device", "inode", "hardlinks", "mode", "owner", "group", "times", "size"];

/// `[ReadOnly] C-------TS`, `ADDED`, `MISSING`, `[ServiceNew] port: …`, `[SuidCheck]  …`.
fn read_policy<'a>(
    policy: &'a str,
    found: &impl Fn(&str) -> Option<&'a str>,
    event: &mut Event<'a>,
) {
    let (class, rest) = match policy.strip_prefix('[').and_then(|policy| policy.split_once(']')) {
        Some((class, rest)) => (class, rest.trim_start()),
        None => ("", policy),
    };
    push_own(event, "samhain.policy", class);
    if let Some(what) = class.strip_prefix("Service") {
        classify(
            event,
            "network",
            match what {
                "New" => "service-opened",
                "Missing" => "service-closed",
                _ => "service-changed",
            },
        );
        read_service(rest, found, event);
        return;
    }
    let changes: Vec<&str> = rest
        .bytes()
        .zip(CHANGES)
        .filter(|(mark, _)| mark.is_ascii_uppercase())
        .map(|(_, change)| change)
        .collect();
    let is_mask = rest.len() >= 10 && rest.bytes().all(|b| b == b'-' || b.is_ascii_uppercase());
    let (action, kind) = match rest {
        "ADDED" => ("created", "creation"),
        "MISSING" => ("deleted", "deletion"),
        _ if is_mask
            && changes.iter().any(|change| matches!(*change, "checksum" | "size" | "link")) =>
        {
            ("updated", "change")
        }
        _ if is_mask => ("attributes_modified", "change"),
        _ if class == "SuidCheck" => ("suid-found", "info"),
        _ => ("policy-violated", "info"),
    };
    classify(event, "file", action);
    event.push(Field::EventType, kind);
    if is_mask && !changes.is_empty() {
        let changes = changes.into_iter().map(|change| Value::from(change.to_owned())).collect();
        event.push_named(FieldName::Other("samhain.changed".into()), Value::List(changes));
    }
    if let Some(path) = found("path") {
        event.push(Field::FilePath, plain(path));
    }
    for (name, key) in [
        ("file.mode", "mode_new"),
        ("file.owner", "owner_new"),
        ("file.uid", "iowner_new"),
        ("file.group", "group_new"),
        ("file.gid", "igroup_new"),
        ("file.inode", "inode_new"),
        ("file.target_path", "link_new"),
    ] {
        push_own(event, name, found(key).unwrap_or_default());
    }
    if let Some(size) = found("size_new").and_then(|size| number(size.as_bytes())) {
        event.push_named(FieldName::Other("file.size".into()), size);
    }
    push_hash(found("chksum_new").unwrap_or_default(), event);
}

/// SHA-1 and MD5 are filled up with zeros to the length of Tiger, which is the default.
fn push_hash(sum: &str, event: &mut Event<'_>) {
    let (body, filled) = (sum.trim_end_matches('0'), sum.len() == SIGNATURE);
    let field = match body.len() {
        1..=32 if filled => (Field::FileHashMd5, 32),
        33..=40 if filled => (Field::FileHashSha1, 40),
        _ => return,
    };
    if let Some(hash) = sum.get(..field.1) {
        event.push(field.0, hash.to_ascii_lowercase());
    }
}

/// `port: 127.0.0.1:22/tcp (ssh)`, and the program that opened it.
fn read_service<'a>(
    text: &'a str,
    found: &impl Fn(&str) -> Option<&'a str>,
    event: &mut Event<'a>,
) {
    let rest = text.strip_prefix("port: ").unwrap_or(text);
    let place = rest.split(' ').next().unwrap_or_default();
    if let Some((place, transport)) = place.split_once('/')
        && let Some((address, port)) = place.rsplit_once(':')
        && is_ip(address)
    {
        push_own(event, "server.ip", address);
        if let Some(port) = crate::text::port(port) {
            event.push_named(FieldName::Other("server.port".into()), port);
        }
        push_text(event, Field::NetworkTransport, transport);
    }
    let known = |key: &str| found(key).filter(|value| *value != "-").unwrap_or_default();
    // The program that listens; the process of the event is Samhain.
    push_text(event, Field::FilePath, known("path"));
    push_text(event, Field::UserName, known("userid"));
}

/// What is no violation of a policy.
fn read_notice<'a>(said: &str, found: &impl Fn(&str) -> Option<&'a str>, event: &mut Event<'a>) {
    match said {
        "START" => classify(event, "host", "started"),
        "EXIT" => classify(event, "host", "stopped"),
        _ if said.starts_with("Login") || said.starts_with("Logout") => {
            let action = if said.starts_with("Login") { "logged-on" } else { "logged-off" };
            classify(event, "session", action);
            push_text(event, Field::UserName, found("name").unwrap_or_default());
            push_text(event, Field::ProcessTty, found("tty").unwrap_or_default());
            let address = found("ip").filter(|address| is_ip(address) && *address != "0.0.0.0");
            push_text(event, Field::SourceIp, address.unwrap_or_default());
        }
        _ => {
            if let Some(path) = found("path") {
                event.push(Field::FilePath, plain(path));
            }
        }
    }
}

fn push_own<'a>(event: &mut Event<'a>, name: &'static str, value: &'a str) {
    if !value.is_empty() {
        event.push_named(FieldName::Other(name.into()), value);
    }
}

#[cfg(test)]
mod tests;
