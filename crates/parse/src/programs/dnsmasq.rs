//! dnsmasq, also within Pi-hole (`pihole-FTL`), with `log-queries`: what was asked, and what Pi-hole's
//! lists said of it.
//!
//! A name holds no spaces: dnsmasq writes what is no letter of a name as digits.

use bergfried_event::{Event, Field, FieldName, Value};

use super::{Program, classify};
use crate::dns;
use crate::text::{is_ip, port};

pub(super) const PROGRAM: Program =
    Program { name: "dnsmasq", tags: &["dnsmasq", "pihole-ftl", "pihole"], read };

/// What stands in front of a name that was blocked, and what that means in the words of Pi-hole's rows.
const BLOCKED: [(&str, &str); 6] = [
    ("gravity blocked ", "on a blocklist"),
    ("exactly denied ", "on the denylist"),
    ("exactly blacklisted ", "on the denylist"),
    ("regex denied ", "matches a regex of the denylist"),
    ("regex blacklisted ", "matches a regex of the denylist"),
    ("special domain ", "special domain"),
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let (client, message) = client(message);
    if let Some((kind, rest)) =
        message.strip_prefix("query[").and_then(|rest| rest.split_once("] "))
        && let Some((name, address)) = rest.split_once(" from ")
        && is_word(kind)
        && is_word(name)
        && is_ip(address)
    {
        said(event, "dns-query", name);
        let number = kind.strip_prefix("type=").map(|number| format!("TYPE{number}"));
        let kind = number.map_or_else(|| Value::from(kind), Value::from);
        event.push_named(FieldName::new("dns.question.type"), kind);
        event.set(Field::SourceIp, address);
    } else if let Some((why, rest)) =
        BLOCKED.iter().find_map(|(start, why)| Some((*why, message.strip_prefix(start)?)))
        && let Some((name, _)) = rest.split_once(" is ")
        && is_word(name)
    {
        said(event, "dns-blocked", name);
        event.set(Field::EventType, denied());
        event.set(Field::EventReason, why);
    } else if let Some((name, why)) = answered_from_list(message) {
        said(event, "dns-blocked", name);
        event.set(Field::EventType, denied());
        event.set(Field::EventReason, why);
    } else {
        return;
    }
    if let Some((address, port)) = client {
        event.set(Field::SourceIp, address);
        event.set(Field::SourcePort, port);
    }
}

/// `/etc/pihole/gravity.list ads.example is 0.0.0.0`, as Pi-hole wrote it before 5, and
/// `config ads.example is 0.0.0.0`: a list of hosts or of `address=/…/` that gives no address at all.
fn answered_from_list(message: &str) -> Option<(&str, &'static str)> {
    let (list, rest) = message.split_once(' ')?;
    let (name, answer) = rest.split_once(" is ")?;
    let file = list.rsplit_once('/').map(|(_, file)| file);
    let why = match file {
        Some("gravity.list") => "on a blocklist",
        Some("black.list") => "on the denylist",
        _ if matches!(answer, "0.0.0.0" | "::") && (list == "config" || file.is_some()) => {
            "on a blocklist"
        }
        _ => return None,
    };
    is_word(name).then_some((name, why))
}

fn said<'a>(event: &mut Event<'a>, action: &'static str, name: &'a str) {
    classify(event, "network", action);
    event.push_named(FieldName::new("network.protocol"), "dns");
    dns::push_question(event, name.to_owned());
}

fn denied() -> Value<'static> {
    Value::List(vec![Value::from("protocol"), Value::from("denied")])
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains([' ', '\t'])
}

/// With `log-queries=extra` a number and the client stand in front: `45 192.168.1.20/53021 query[A] …`.
fn client(message: &str) -> (Option<(&str, i64)>, &str) {
    let read = || {
        let (number, rest) = message.split_once(' ')?;
        let (client, rest) = rest.split_once(' ')?;
        let (address, number_of_port) = client.rsplit_once('/')?;
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        (is_number && is_ip(address)).then_some(((address, port(number_of_port)?), rest))
    };
    read().map_or((None, message), |(client, rest)| (Some(client), rest))
}
