//! Docker's daemon and containerd: `time="…" level=… msg="…" key=value …` (logfmt), with the container
//! that a message is about.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName};

use super::{FAILURE, Program, level, outcome};
use crate::Context;
use crate::line::Line;
use crate::stamp;

pub(super) const PROGRAM: Program = Program {
    name: "docker",
    tags: &["dockerd", "docker", "containerd", "docker-containerd", "podman"],
    read,
};

/// The most pairs of one message.
const MOST_PAIRS: usize = 64;
const LEVELS: [(&str, u8); 9] = [
    ("panic", 0),
    ("fatal", 2),
    ("error", 3),
    ("warning", 4),
    ("warn", 4),
    ("info", 6),
    ("debug", 7),
    ("trace", 7),
    ("notice", 5),
];

/// A line of the daemon's own log, told from those of other programs of this form by its fields.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    if !text.starts_with("time=") {
        return None;
    }
    let pairs = pairs(text);
    let find = |key: &str| pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| value);
    let message = find("msg")?;
    let is_docker = ["containerID", "container", "namespace", "module", "topic"]
        .iter()
        .any(|key| find(key).is_some())
        || message.contains("ontainer")
        || message.contains("ocker");
    if !is_docker {
        return None;
    }
    let created =
        find("time").and_then(|time| stamp::iso(time, context)).and_then(|(time, _)| time);
    let mut line = Line::bare(text, created.unwrap_or(context.received));
    line.program = Some("dockerd".into());
    Some(line)
}

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if !message.contains("level=") || !message.contains("msg=") {
        return;
    }
    event.push(Field::EventModule, "docker");
    event.push(Field::EventKind, "event");
    for (key, value) in pairs(message) {
        match key {
            "time" => {}
            // The program's own comes first.
            "level" if event.get(Field::LogLevel).is_some() => {}
            "level" => {
                if let Some((_, code)) = LEVELS.iter().find(|(word, _)| *word == value) {
                    level(event, *code);
                    if *code <= 3 {
                        outcome(event, FAILURE);
                    }
                }
            }
            "msg" => event.set(Field::Message, value),
            "error" | "err" => set(event, "error.message", value),
            "container" | "containerID" | "container_id" | "id" if is_id(&value) => {
                set(event, "container.id", value);
            }
            "image" => set(event, "container.image.name", value),
            "pid" => set(event, "docker.pid", value),
            _ => {
                let name = FieldName::Other(format!("docker.{key}").into());
                if event.get_named(&name).is_none() {
                    event.push_named(name, value);
                }
            }
        }
    }
}

fn set<'a>(event: &mut Event<'a>, name: &'static str, value: Cow<'a, str>) {
    event.set_named(FieldName::Other(name.into()), value);
}

fn is_id(text: &str) -> bool {
    matches!(text.len(), 12 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The pairs of a line; a value in quotation marks has Go's escapes.
fn pairs(text: &str) -> Vec<(&str, Cow<'_, str>)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while found.len() < MOST_PAIRS
        && let Some((key, after)) = rest.split_once('=')
    {
        // Words without a value before the key are no pair.
        let key = key.rsplit(' ').next().unwrap_or(key);
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        if key.is_empty() || key.len() > 64 || !key.bytes().all(plain) {
            break;
        }
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let (value, after) = after.split_once(' ').unwrap_or((after, ""));
                (Cow::Borrowed(value), after)
            }
        };
        found.push((key, value));
        rest = after.trim_start();
    }
    found
}

/// The text up to the quotation mark that ends it, and what follows.
fn unquoted(text: &str) -> (Cow<'_, str>, &str) {
    let mut escaped = false;
    let mut has_escapes = false;
    let mut end = text.len();
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => (escaped, has_escapes) = (true, true),
            b'"' => {
                end = at;
                break;
            }
            _ => {}
        }
    }
    let inside = text.get(..end).unwrap_or(text);
    let rest = text.get(end + 1..).unwrap_or_default();
    if !has_escapes {
        return (Cow::Borrowed(inside), rest);
    }
    let mut plain = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some(other) => plain.push(other),
                None => {}
            },
            character => plain.push(character),
        }
    }
    (Cow::Owned(plain), rest)
}
