//! Sophos Firewall: `device="SFW" … log_type="Firewall" log_subtype="Denied" src_ip="192.0.2.1" …` (Sophos
//! Firewall syslog guide): connections that were let through or denied, and logins to the box and through
//! it.

use bergfried_event::{Event, Field};

use super::pairs::Pairs;
use crate::programs::packets::{Flow, Verdict, address, push_own, push_told};
use crate::programs::{FAILURE, Program, SUCCESS, classify, outcome, peer, push_text};
use crate::text::{number, port};

pub(in crate::programs) const PROGRAM: Program =
    Program { name: "sophos", tags: &["sophos"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    read_log(message, event);
}

/// Reads a line of a box; true where it is one.
pub(super) fn read_log<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let pairs = Pairs::read(message);
    let kind = pairs.get("log_type");
    if kind.is_empty() || pairs.get("log_id").is_empty() {
        return false;
    }
    if kind == "Firewall" {
        connection(&pairs, event);
    } else {
        event.push(Field::EventModule, "sophos");
        event.push(Field::EventKind, "event");
        if kind == "Event" {
            happening(&pairs, event);
        } else {
            flow(&pairs).push(event);
        }
    }
    push_text(event, Field::EventCode, pairs.get("log_id"));
    push_told(event, "sophos.type", kind);
    push_told(event, "sophos.component", pairs.get("log_component"));
    push_told(event, "sophos.subtype", pairs.get("log_subtype"));
    push_told(event, "sophos.device", pairs.get("device_name"));
    true
}

/// The first of these keys that has a value: versions differ.
fn either<'a>(pairs: &Pairs<'a>, keys: [&str; 2]) -> &'a str {
    let values = keys.map(|key| pairs.get(key));
    values.into_iter().find(|value| !value.is_empty()).unwrap_or_default()
}

fn flow<'a>(pairs: &Pairs<'a>) -> Flow<'a> {
    let known = |text| port(text).filter(|port| *port != 0);
    Flow {
        source: address(either(pairs, ["src_ip", "sourceip"])),
        source_port: known(pairs.get("src_port")),
        destination: address(either(pairs, ["dst_ip", "localip"])),
        destination_port: known(pairs.get("dst_port")),
        protocol: pairs.get("protocol"),
        ingress: pairs.get("in_interface"),
        egress: pairs.get("out_interface"),
        direction: None,
        bytes: None,
    }
}

fn connection<'a>(pairs: &Pairs<'a>, event: &mut Event<'a>) {
    let verdict = match pairs.get("log_subtype") {
        "Denied" | "Drop" | "Dropped" | "Blocked" => Verdict::Blocked,
        "Reject" | "Rejected" => Verdict::Rejected,
        "Allowed" => Verdict::Allowed,
        _ => Verdict::Logged,
    };
    verdict.push("sophos", event);
    let id = pairs.get("fw_rule_id");
    if !id.is_empty() {
        push_own(event, "rule.id", id);
    }
    push_text(event, Field::RuleName, pairs.get("fw_rule_name"));
    push_text(event, Field::UserName, pairs.get("user_name"));
    for (keys, name) in [
        (["sent_bytes", "bytes_sent"], "source.bytes"),
        (["recv_bytes", "bytes_received"], "destination.bytes"),
    ] {
        if let Some(bytes) = number(either(pairs, keys).as_bytes()) {
            push_own(event, name, bytes);
        }
    }
    flow(pairs).push(event);
}

/// What happens on the box itself, of which logins are understood: to its consoles, its VPN, its portals.
fn happening<'a>(pairs: &Pairs<'a>, event: &mut Event<'a>) {
    let component = pairs.get("log_component");
    let is_console = matches!(component, "GUI" | "CLI" | "Console");
    let result = match pairs.get("status") {
        "Successful" => Some(SUCCESS),
        "Failed" => Some(FAILURE),
        _ => None,
    };
    let is_login =
        pairs.get("message").contains("logged in") || pairs.get("message").contains("login");
    let is_user = pairs.get("log_subtype") == "Authentication";
    let action = match component {
        _ if is_console && is_login => Some("remote_login"),
        // `SSL VPN Authentication`, `VPN Authentication`; the firewall's own, the web server's and others.
        _ if is_user && component.contains("VPN") => Some("vpn_login"),
        _ if is_user => Some("remote_login"),
        _ => None,
    };
    if let (Some(action), Some(result)) = (action, result) {
        classify(event, "authentication", action);
        outcome(event, result);
        push_text(event, Field::EventReason, pairs.get("reason"));
    }
    push_text(event, Field::UserName, either(pairs, ["user_name", "user"]));
    // The name of a login is a stranger's.
    if pairs.is_sure() {
        peer::push_address(event, pairs.get("src_ip"));
    }
}
