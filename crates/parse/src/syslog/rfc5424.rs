//! The IETF syslog form, RFC 5424 section 6.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Timestamp};

use super::rfc3164::from_tag;
use super::{Opened, Priority, tag};
use crate::Context;
use crate::line::Line;
use crate::stamp;
use crate::text::number;

/// Reads `1 STAMP HOST APP PROCID MSGID SD [MSG]` after `<PRI>`, which may be missing.
///
/// `None` where the line is not of this form. Structured data that breaks off is kept as message.
pub(super) fn parse<'a>(
    priority: Option<Priority>,
    text: &'a str,
    context: &Context<'_>,
) -> Option<Opened<'a>> {
    versioned(priority, text.strip_prefix("1 ")?, context)
}

/// What stands behind the version.
pub(super) fn versioned<'a>(
    priority: Option<Priority>,
    text: &'a str,
    context: &Context<'_>,
) -> Option<Opened<'a>> {
    let (stamp, rest) = text.split_once(' ')?;
    let created = match stamp {
        "-" => None,
        stamp => match stamp::iso(stamp, context)? {
            (time, "") => time,
            _ => return None,
        },
    };
    let (host, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(' ')?;
    let (process, rest) = rest.split_once(' ')?;
    let (message_id, rest) = rest.split_once(' ').unwrap_or((rest, "-"));
    let (parameters, message) = structured_data(rest);
    let message = message.strip_prefix(' ').unwrap_or(message);
    let message = message.strip_prefix('\u{feff}').unwrap_or(message).trim_start_matches(' ');

    let created = created.unwrap_or(context.received);
    let mut line = match value(program) {
        Some(program) => {
            let (program, pid) = named(program);
            let mut line = Line::bare(message, created);
            line.program = Some(program.into());
            line.pid = pid;
            line
        }
        // The name may stand before the message, as in the older form.
        None => tagged(message, created),
    };
    line.host = value(host).map(Into::into);
    line.pid = number(process.as_bytes()).or(line.pid);
    line.facility = priority.map(|priority| priority.facility);
    line.severity = priority.map(|priority| priority.severity);
    line.has_priority = priority.is_some();
    Some(Opened { line, message_id: value(message_id), parameters })
}

/// Sets what stands beside the message.
pub(super) fn push<'a>(
    event: &mut Event<'a>,
    message_id: Option<&'a str>,
    parameters: Vec<Parameter<'a>>,
) {
    if let Some(message_id) = message_id {
        event.push(Field::SyslogMsgId, message_id);
    }
    for Parameter { element, name, value } in parameters {
        // A parameter must not pass for a field that a parser sets.
        let mut field = format!("{element}.{name}");
        if Field::from_name(&field).is_some() {
            field.insert_str(0, "structured_data.");
        }
        event.set_named(FieldName::Other(Cow::Owned(field)), value);
    }
}

/// The program and the process id of an APP-NAME such as `sshd[12]`, as senders write it that carry the
/// tag of the older form over.
fn named(program: &str) -> (&str, Option<i64>) {
    let read = || {
        let (name, inside) = program.strip_suffix(']')?.rsplit_once('[')?;
        number(inside.as_bytes()).filter(|_| !name.is_empty()).map(|pid| (name, Some(pid)))
    };
    read().unwrap_or((program, None))
}

/// `sshd[12]: …` where the header names no program; without a process id it may be any text.
fn tagged(message: &str, created: Timestamp) -> Line<'_> {
    match tag::read(message) {
        Some(tag) if tag.pid.is_some() && !tag.program.contains([' ', '<']) => {
            from_tag(tag, created)
        }
        _ => Line::bare(message, created),
    }
}

fn value(text: &str) -> Option<&str> {
    (text != "-" && !text.is_empty()).then_some(text)
}

/// What comes after so many parameters is in the raw text alone.
const PARAMETER_LIMIT: usize = 256;

pub(super) struct Parameter<'a> {
    element: &'a str,
    name: &'a str,
    value: Cow<'a, str>,
}

/// Reads `-` or `[id name="value" …][…]`; gives the parameters and what follows.
fn structured_data(text: &str) -> (Vec<Parameter<'_>>, &str) {
    let mut parameters = Vec::new();
    if let Some(rest) = text.strip_prefix('-')
        && (rest.is_empty() || rest.starts_with(' '))
    {
        return (parameters, rest);
    }
    let mut rest = text;
    while let Some(after) = rest.strip_prefix('[') {
        match element(after, &mut parameters) {
            Some(after) => rest = after,
            None => return (parameters, rest),
        }
    }
    (parameters, rest)
}

/// Reads one element after its `[`; `None` where it is not well formed.
fn element<'a>(text: &'a str, parameters: &mut Vec<Parameter<'a>>) -> Option<&'a str> {
    let end = text.find([' ', ']'])?;
    let (element, mut rest) = text.split_at_checked(end)?;
    if element.is_empty() || element.contains(['=', '"']) {
        return None;
    }
    let before = parameters.len();
    loop {
        if let Some(after) = rest.strip_prefix(']') {
            return Some(after);
        }
        let read = rest
            .trim_start_matches(' ')
            .split_once("=\"")
            .filter(|(name, _)| !name.is_empty() && !name.contains([' ', '"', ']', '=']))
            .and_then(|(name, after)| quoted(after).map(|(value, after)| (name, value, after)));
        let Some((name, value, after)) = read else {
            parameters.truncate(before);
            return None;
        };
        if parameters.len() < PARAMETER_LIMIT {
            parameters.push(Parameter { element, name, value });
        }
        rest = after;
    }
}

/// Reads a value up to its closing quote, undoing `\"`, `\\` and `\]` (section 6.3.3).
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = text.find(['"', '\\'])?;
    let (plain, rest) = text.split_at_checked(end)?;
    if let Some(rest) = rest.strip_prefix('"') {
        return Some((Cow::Borrowed(plain), rest));
    }
    let mut value = plain.to_owned();
    let mut characters = rest.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Cow::Owned(value), rest.get(at + 1..)?)),
            '\\' => match characters.next()?.1 {
                escaped @ ('"' | '\\' | ']') => value.push(escaped),
                other => value.extend(['\\', other]),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_data_is_read_with_its_escapes() {
        let (parameters, rest) =
            structured_data(r#"[a@1 x="1" y="q\"b\\s\]e\n"][empty][b z=""] message"#);
        let read: Vec<_> =
            parameters.iter().map(|p| (p.element, p.name, p.value.as_ref())).collect();
        assert_eq!(read, [("a@1", "x", "1"), ("a@1", "y", "q\"b\\s]e\\n"), ("b", "z", "")]);
        assert_eq!(rest, " message");
    }

    #[test]
    fn broken_structured_data_stays_message() {
        for text in ["[a x=\"1", "[a x=1] m", "[not sd] m", "[] m", "[a x=\"1\\"] {
            let (parameters, rest) = structured_data(text);
            assert!(parameters.is_empty(), "{text}");
            assert_eq!(rest, text);
        }
    }
}
