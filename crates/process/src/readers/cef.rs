//! ArcSight's Common Event Format: `CEF:0|vendor|product|version|class|name|severity|extension`.
//!
//! After the "Implementing ArcSight Common Event Format" guide, revision 25. A syslog header before
//! it is passed over.

use std::borrow::Cow;

use super::Pairs;

/// What the seven fields of the header become.
const HEADER: [&str; 7] = [
    "cef.version",
    "cef.device.vendor",
    "cef.device.product",
    "cef.device.version",
    "cef.device.event_class_id",
    "cef.name",
    "cef.severity",
];

/// Keys of the extension that have a field of their own.
const FIELDS: [(&str, &str); 35] = [
    ("act", "event.action"),
    ("app", "network.protocol"),
    ("cnt", "event.count"),
    ("destinationDnsDomain", "destination.registered_domain"),
    ("dhost", "destination.domain"),
    ("dmac", "destination.mac"),
    ("dpid", "process.pid"),
    ("dpriv", "destination.user.group.name"),
    ("dproc", "process.name"),
    ("dpt", "destination.port"),
    ("dst", "destination.ip"),
    ("duid", "destination.user.id"),
    ("duser", "destination.user.name"),
    ("dvc", "observer.ip"),
    ("dvchost", "observer.hostname"),
    ("externalId", "event.id"),
    ("fileHash", "file.hash"),
    ("filePath", "file.path"),
    ("fname", "file.name"),
    ("fsize", "file.size"),
    ("in", "source.bytes"),
    ("msg", "message"),
    ("out", "destination.bytes"),
    ("outcome", "event.outcome"),
    ("proto", "network.transport"),
    ("reason", "event.reason"),
    ("request", "url.original"),
    ("requestClientApplication", "user_agent.original"),
    ("requestMethod", "http.request.method"),
    ("shost", "source.domain"),
    ("smac", "source.mac"),
    ("spt", "source.port"),
    ("src", "source.ip"),
    ("suid", "source.user.id"),
    ("suser", "source.user.name"),
];

/// How long a key can be, in bytes.
const MAX_KEY: usize = 128;

/// Adds the fields of a text: `cef.*` for the header, the Elastic Common Schema's for well-known keys
/// of the extension, `cef.extensions.*` for others; false where it is no CEF. A custom key such as
/// `cs1` is called by its label where `cs1Label` gives it one.
pub fn read<'t>(text: &'t str, pairs: &mut Pairs<'t>) -> bool {
    let Some(mut rest) = body(text) else { return false };
    let mut header = Vec::with_capacity(HEADER.len());
    for _ in HEADER {
        let Some((value, after)) = bar(rest) else { break };
        header.push(value);
        rest = after;
    }
    // The last bar may be missing where nothing comes after the severity.
    if header.len() + 1 == HEADER.len() {
        header.push(std::mem::take(&mut rest));
    }
    if header.len() < HEADER.len() {
        return false;
    }
    for (name, value) in HEADER.into_iter().zip(header) {
        pairs.push(name, unescaped(value));
    }
    let extension = extension(rest);
    for (key, value) in &extension {
        if is_label(key, &extension) {
            continue;
        }
        let label = extension
            .iter()
            .find(|(label, _)| label.strip_suffix("Label") == Some(key))
            .map(|(_, label)| named(label))
            .filter(|label| !label.is_empty());
        let value = unescaped(value);
        match (label, FIELDS.iter().find(|(known, _)| known == key)) {
            (Some(label), _) => pairs.push(format!("cef.extensions.{label}"), value),
            (None, Some((_, field))) => pairs.push(*field, value),
            (None, None) => pairs.push(format!("cef.extensions.{key}"), value),
        }
    }
    true
}

/// What comes after `CEF:`.
fn body(text: &str) -> Option<&str> {
    let at = text.match_indices("CEF:").find(|(at, _)| {
        let before = text.get(..*at).unwrap_or_default();
        let after = text.get(at + 4..).unwrap_or_default();
        before.chars().next_back().is_none_or(|last| last.is_whitespace() || last == ':')
            && after.starts_with(|character: char| character.is_ascii_digit())
    });
    text.get(at?.0 + 4..)
}

/// A value up to the next bar that is not escaped, and what comes after the bar.
fn bar(text: &str) -> Option<(&str, &str)> {
    let mut escaped = false;
    let end = text.bytes().position(|byte| {
        let ends = byte == b'|' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The pairs of an extension as written. A value ends where the next key starts.
fn extension(text: &str) -> Vec<(&str, &str)> {
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    let mut open: Option<(&str, usize)> = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        let equals = byte == b'=' && !escaped;
        escaped = byte == b'\\' && !escaped;
        if !equals {
            continue;
        }
        let from = open.map_or(0, |(_, value)| value);
        let before = text.get(from..at).unwrap_or_default();
        // No key is longer, so there is no need to look further back.
        let near = before.bytes().rev().take(MAX_KEY + 1).position(|byte| byte == b' ');
        let start = match near {
            Some(back) => before.len() - back,
            None if before.len() <= MAX_KEY => 0,
            None => continue,
        };
        let key = before.get(start..).unwrap_or_default();
        // The first character of a value is never its key's.
        let apart = open.is_none() || start > 0;
        if !apart || !is_key(key) {
            continue;
        }
        if let Some((key, _)) = open {
            pairs.push((key, before.get(..start).unwrap_or_default().trim_end()));
        }
        open = Some((key, at + 1));
        if pairs.len() > super::MAX_PAIRS {
            return pairs;
        }
    }
    if let Some((key, value)) = open {
        pairs.push((key, text.get(value..).unwrap_or_default().trim_end()));
    }
    pairs
}

fn is_key(key: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-[]".contains(&byte);
    !key.is_empty() && key.len() <= MAX_KEY && key.bytes().all(letter)
}

/// Whether a key only names another one.
fn is_label(key: &str, extension: &[(&str, &str)]) -> bool {
    key.strip_suffix("Label")
        .is_some_and(|labelled| extension.iter().any(|(other, _)| *other == labelled))
}

/// A label as the name of a field: `Policy Name` is `policy_name`.
fn named(label: &str) -> String {
    let mut name = String::new();
    for character in unescaped(label).chars() {
        match character {
            'a'..='z' | '0'..='9' => name.push(character),
            'A'..='Z' => name.push(character.to_ascii_lowercase()),
            _ if name.is_empty() || name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name.trim_end_matches('_').to_owned()
}

/// `\|`, `\=`, `\\`, `\n`, `\r`; others stay as they are.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some(escaped @ ('|' | '=' | '\\')) => out.push(escaped),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out.into()
}
