//! nginx's error log: `2026/11/21 10:00:00 [error] 123#456: *7 MESSAGE, client: ADDRESS, server: NAME,
//! request: "…", upstream: "…", host: "…", referrer: "…"`.
//!
//! nginx escapes nothing here. The decoded path in the message, a user, the request and the referrer
//! may each hold a `, client: …` of a stranger's making. Where more than one is there and nothing
//! tells which is nginx's own, the event has no address: the access log has it.

use bergfried_event::{Event, Field, Value};

use super::{modsecurity, push_complaint, push_login, put, request};
use crate::Context;
use crate::line::Line;
use crate::programs::{FAILURE, SUCCESS, level, peer, push_text};
use crate::stamp;
use crate::syslog::severity;
use crate::text::{number, port};

const CLIENT: &str = ", client: ";
/// The most places where a client may be named that are looked at.
const MOST_CLIENTS: usize = 16;

/// A line of such a log.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    if text.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let (created, rest) = stamp::iso(text, context)?;
    let message = rest.strip_prefix(' ')?;
    let head = Head::read(message)?;
    let mut line = Line::bare(message, created.unwrap_or(context.received));
    line.program = Some("nginx".into());
    line.pid = Some(head.pid);
    Some(line)
}

/// `[error] 123#456: *7 ` and what follows it.
struct Head<'a> {
    level: u8,
    pid: i64,
    thread: i64,
    connection: Option<i64>,
    said: &'a str,
}

impl<'a> Head<'a> {
    fn read(text: &'a str) -> Option<Head<'a>> {
        let (word, rest) = text.strip_prefix('[')?.split_once("] ")?;
        let level = severity(word)?;
        let (who, said) = rest.split_once(": ")?;
        let (pid, thread) = who.split_once('#')?;
        let (pid, thread) = (number(pid.as_bytes())?, number(thread.as_bytes())?);
        let numbered = said.strip_prefix('*').and_then(|said| said.split_once(' '));
        let numbered = numbered.and_then(|(count, said)| Some((number(count.as_bytes())?, said)));
        let (connection, said) = match numbered {
            Some((count, said)) => (Some(count), said),
            None => (None, said),
        };
        Some(Head { level, pid, thread, connection, said })
    }
}

/// Reads a message, with or without the time that nginx puts before it in syslog too.
pub(super) fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let after_time = message.get(20..).filter(|_| message.as_bytes().get(4) == Some(&b'/'));
    let Some(head) = Head::read(message).or_else(|| Head::read(after_time?)) else { return };
    event.push(Field::EventModule, "nginx");
    event.push(Field::EventDataset, "nginx.error");
    event.push(Field::EventKind, "event");
    level(event, head.level);
    event.set(Field::ProcessPid, head.pid);
    put(event, "process.thread.id", head.thread);
    if let Some(connection) = head.connection {
        put(event, "nginx.error.connection_id", connection);
    }
    let client = client_of(head.said);
    let end = client.or_else(|| head.said.find(CLIENT));
    let said = end.and_then(|end| head.said.get(..end)).unwrap_or(head.said);
    classify(said, head.level, event);
    if let Some(suffix) = client.and_then(|at| head.said.get(at + CLIENT.len()..)) {
        push_suffix(event, suffix);
    }
}

/// Where the `, client: ` stands that is nginx's own, if that can be told.
fn client_of(said: &str) -> Option<usize> {
    let places: Vec<usize> =
        said.match_indices(CLIENT).map(|(at, _)| at).take(MOST_CLIENTS + 1).collect();
    let (first, last) = (*places.first()?, *places.last()?);
    // Before the first one nothing of a stranger's can stand but between quotation marks, and a user
    // of HTTP's own scheme holds no colon.
    if first == last || !said.get(..first)?.contains('"') || said.starts_with("user \"") {
        return Some(first);
    }
    if places.len() > MOST_CLIENTS {
        return None;
    }
    // What may hold the last one, were the first nginx's own, is behind one of these.
    let between = said.get(first..last)?;
    let held = [", request: \"", ", referrer: \"", ", login: \""];
    (!held.iter().any(|key| between.contains(key))).then_some(last)
}

/// What a message is about.
fn classify<'a>(said: &'a str, code: u8, event: &mut Event<'a>) {
    if modsecurity::read(said, event) {
        return;
    }
    let failed_user = user_in(said, "\" was not found in \"", "unknown user")
        .or_else(|| user_in(said, "\": password mismatch", "password mismatch"));
    if let Some((user, reason)) = failed_user {
        push_login(event, "web_login", FAILURE);
        push_text(event, Field::UserName, user);
        event.push(Field::EventReason, reason);
        return;
    }
    if let Some(reason) = said.strip_prefix("client login failed: \"") {
        push_login(event, "mail_login", FAILURE);
        let reason = reason.rsplit_once("\" while ").map_or(reason, |(reason, _)| reason);
        push_text(event, Field::EventReason, reason);
        return;
    }
    if said == "client logged in" {
        return push_login(event, "mail_login", SUCCESS);
    }
    event.push(Field::EventCategory, "web");
    push_text(event, Field::EventReason, said);
    let is_denied = ["access forbidden by rule", "limiting requests", "limiting connections"]
        .iter()
        .any(|start| said.starts_with(start))
        || said.ends_with("\" is forbidden");
    push_complaint(event, is_denied, code);
    // `client 192.0.2.1:4711 connected to 0.0.0.0:25`
    let peer = said.strip_prefix("client ").and_then(|said| said.split_once(" connected to "));
    if let Some((client, _)) = peer
        && !client.contains(' ')
    {
        peer::with_colon(client).push(event);
    }
}

/// The user of `user "NAME" was not found in "FILE"`: the name may hold anything but a colon, the end
/// is the server's.
fn user_in<'a>(said: &'a str, end: &str, reason: &'static str) -> Option<(&'a str, &'static str)> {
    let (user, _) = said.strip_prefix("user \"")?.rsplit_once(end)?;
    Some((user, reason))
}

/// `ADDRESS, server: NAME, request: "…", upstream: "…", host: "…", referrer: "…"`, in this order.
fn push_suffix<'a>(event: &mut Event<'a>, suffix: &'a str) {
    let (client, mut rest) =
        suffix.split_at_checked(suffix.find(',').unwrap_or(suffix.len())).unwrap_or((suffix, ""));
    // Mail says behind the address how the connection was made: `192.0.2.1 using starttls`.
    let client = client.split(' ').next().unwrap_or_default();
    if event.get(Field::SourceIp).is_none() && client != "unix:" {
        peer::push_address(event, client);
    }
    if let Some(after) = rest.strip_prefix(", server: ") {
        let end = after.find(',').unwrap_or(after.len());
        let (name, after) = after.split_at_checked(end).unwrap_or((after, ""));
        if !name.is_empty() {
            put(event, "nginx.error.server", name);
        }
        rest = after;
    }
    let mut keys = KEYS.as_slice();
    if let Some(after) = rest.strip_prefix(", request: \"") {
        let (line, after) = marked(after, keys);
        // ModSecurity names the path alone.
        event.retain(|name| !matches!(name.as_str(), "url.original" | "url.path" | "url.decoded"));
        request::push(event, line);
        rest = after;
    }
    while let Some((key, after, later)) = key_of(rest, keys) {
        let (value, after) = marked(after, later);
        match key {
            "login" if event.get(Field::UserName).is_none() => {
                push_text(event, Field::UserName, value);
            }
            "upstream" => put(event, "nginx.error.upstream", value),
            "host" => push_host(event, value),
            "referrer" => put(event, "http.request.referrer", value),
            _ => {}
        }
        (rest, keys) = (after, later);
    }
}

/// What nginx says behind the request, in this order.
const KEYS: [&str; 5] = ["login", "subrequest", "upstream", "host", "referrer"];

/// `, host: "`: the key, what follows, and the keys that may come after it.
fn key_of<'a, 'k>(text: &'a str, keys: &'k [&'k str]) -> Option<(&'a str, &'a str, &'k [&'k str])> {
    let text = text.strip_prefix(", ")?;
    let place = keys.iter().position(|key| text.starts_with(key))?;
    let (key, rest) = text.split_at_checked(keys.get(place)?.len())?;
    let rest = rest.strip_prefix(": \"")?;
    Some((key, rest, keys.get(place + 1..)?))
}

/// The text up to the mark before one of these keys, or before the end.
fn marked<'a>(text: &'a str, keys: &[&str]) -> (&'a str, &'a str) {
    let next = text.match_indices("\", ").find(|(at, _)| {
        let after = text.get(at + 1..).unwrap_or_default();
        // The upstream of mail is not between marks.
        key_of(after, keys).is_some() || after.starts_with(", upstream: ")
    });
    match next {
        Some((at, _)) => (text.get(..at).unwrap_or(text), text.get(at + 1..).unwrap_or_default()),
        None => (text.strip_suffix('"').unwrap_or(text), ""),
    }
}

fn push_host<'a>(event: &mut Event<'a>, host: &'a str) {
    // ModSecurity may have said it.
    event.retain(|name| !matches!(name.as_str(), "url.domain"));
    match host.rsplit_once(':') {
        Some((name, number)) if port(number).is_some() && !name.ends_with(':') => {
            put(event, "url.domain", name);
            put(event, "url.port", port(number).map_or(Value::Null, Value::Int));
        }
        _ => put(event, "url.domain", host),
    }
}
