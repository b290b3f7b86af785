//! Apache's error log: `[Sat Nov 21 10:00:00.123456 2026] [core:error] [pid 1:tid 2] [client
//! 192.0.2.1:5] AH00126: MESSAGE, referer: URL`, of version 2.2 `[time] [error] [client 192.0.2.1] …`.
//!
//! The client stands before all that a stranger can write.

use bergfried_event::{Event, Field};

use super::{modsecurity, push_complaint, push_login, put};
use crate::Context;
use crate::line::Line;
use crate::programs::{FAILURE, level, peer, push_text};
use crate::stamp;
use crate::syslog::severity;
use crate::text::number;

/// Codes of the messages that say that somebody may not.
const DENIED: [&str; 6] = ["AH01630", "AH01797", "AH00035", "AH00132", "AH01276", "AH01623"];

/// A line of such a log.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let (time, message) = text.strip_prefix('[')?.split_once("] ")?;
    let (created, rest) = stamp::read(time, context)?;
    if !rest.is_empty() || !time.as_bytes().first()?.is_ascii_alphabetic() {
        return None;
    }
    let head = Head::read(message)?;
    let mut line = Line::bare(message, created.unwrap_or(context.received));
    line.program = Some("apache2".into());
    line.pid = head.pid;
    Some(line)
}

#[derive(Default)]
struct Head<'a> {
    level: u8,
    module: &'a str,
    pid: Option<i64>,
    thread: Option<i64>,
    client: Option<&'a str>,
    said: &'a str,
}

impl<'a> Head<'a> {
    /// `[module:level] [pid N:tid M] (13)Permission denied: [client ADDRESS:PORT] `.
    fn read(text: &'a str) -> Option<Head<'a>> {
        let (inside, mut rest) = text.strip_prefix('[')?.split_once("] ")?;
        let (module, word) = inside.rsplit_once(':').unwrap_or(("", inside));
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        let level = if word == "trace" { severity("debug") } else { severity(word) }?;
        let mut head = Head { level, module, ..Head::default() };
        if let Some((inside, after)) =
            rest.strip_prefix("[pid ").and_then(|rest| rest.split_once("] "))
        {
            let (pid, thread) = inside.split_once(":tid ").unwrap_or((inside, ""));
            (head.pid, head.thread) = (number(pid.as_bytes()), number(thread.as_bytes()));
            rest = after;
        }
        head.said = rest;
        // What the system says of an error comes before the client, and is not a stranger's.
        let start = if rest.starts_with('(') { rest.find(": [") } else { Some(0) };
        let bracket = start.and_then(|at| rest.get(at..)).map(|rest| rest.trim_start_matches(": "));
        let client = bracket.and_then(|rest| {
            rest.strip_prefix("[client ").or_else(|| rest.strip_prefix("[remote "))
        });
        if let Some((client, after)) = client.and_then(|rest| rest.split_once("] ")) {
            head.client = Some(client);
            head.said = after;
        }
        Some(head)
    }
}

/// Reads a message, as syslog has it too.
pub(super) fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some(head) = Head::read(message) else { return };
    event.push(Field::EventModule, "apache");
    event.push(Field::EventDataset, "apache.error");
    event.push(Field::EventKind, "event");
    level(event, head.level);
    if let Some(pid) = head.pid {
        event.set(Field::ProcessPid, pid);
    }
    if let Some(thread) = head.thread {
        put(event, "process.thread.id", thread);
    }
    if !head.module.is_empty() {
        put(event, "apache.error.module", head.module);
    }
    if let Some(client) = head.client {
        client_of(client).push(event);
    }
    let said = head.said;
    let code = said.split_once(": ").filter(|(code, _)| is_code(code));
    let said = code.map_or(said, |(_, said)| said);
    if let Some((code, _)) = code {
        event.set(Field::EventCode, code);
    }
    classify(said, code.map_or("", |(code, _)| code), head.level, event);
}

/// Apache writes IPv6 addresses bare before the port: `2001:db8::1:4711`, and 2.2 no port.
fn client_of(text: &str) -> peer::Peer<'_> {
    match text.matches(':').count() {
        0 => peer::Peer { address: text, port: None },
        1 => peer::with_colon(text),
        // Whole addresses hold seven colons, shortened ones `::` before the port's.
        count if text.starts_with('[') || count == 8 || text.contains("::") => {
            let found = peer::with_colon(text);
            let is_whole = crate::text::is_ip(found.address) && found.port.is_some();
            if is_whole { found } else { peer::Peer { address: text, port: None } }
        }
        _ => peer::Peer { address: text, port: None },
    }
}

/// `AH` and five digits.
fn is_code(text: &str) -> bool {
    text.strip_prefix("AH")
        .is_some_and(|digits| digits.len() == 5 && number(digits.as_bytes()).is_some())
}

fn classify<'a>(said: &'a str, code: &str, level: u8, event: &mut Event<'a>) {
    if modsecurity::read(said, event) {
        return;
    }
    if let Some((user, reason)) = failed_user(said) {
        push_login(event, "web_login", FAILURE);
        push_text(event, Field::UserName, user);
        event.push(Field::EventReason, reason);
        return;
    }
    event.push(Field::EventCategory, "web");
    push_text(event, Field::EventReason, said);
    let is_denied = DENIED.contains(&code) || said.starts_with("client denied by server config");
    push_complaint(event, is_denied, level);
}

/// Who failed to log in, and why. A user of HTTP's own scheme holds no colon: the first one ends it.
fn failed_user(said: &str) -> Option<(&str, &'static str)> {
    let rest = said.strip_prefix("user ")?;
    if let Some((user, _)) = rest.split_once(": authentication failure for \"") {
        return Some((user, "password mismatch"));
    }
    for (end, reason) in [
        (" not found: ", "unknown user"),
        (": password mismatch: ", "password mismatch"),
        (" in realm ", "unknown user"),
    ] {
        if let Some((user, _)) = rest.split_once(end) {
            let user = user.trim_matches(['`', '\'']);
            return Some((user, reason));
        }
    }
    None
}
