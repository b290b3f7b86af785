//! What an event says of the way on which its record came, and who may say what.

use bergfried_event::{Event, Field, FieldName, Origin, Value};

/// The flag of events whose record named a host that its sender may not speak for.
const NOT_ALLOWED: &str = "host_not_allowed";
/// What the record said of the host then.
const CLAIMED: &str = "host.claimed";

/// Sets the fields that the origin gives; none of them may come from the record itself, but for the
/// path where the origin has none: a document that was shipped says itself which file it is from.
///
/// True where the record named a host that its sender may not speak for.
pub fn mark<'e>(event: &mut Event<'e>, origin: &'e Origin) -> bool {
    let is_claimed = own_host(event, origin);
    if !origin.path.is_empty() {
        event.set(Field::LogFilePath, origin.path.as_str());
    }
    event.set(Field::InputType, origin.kind.name());
    if let Some(input) = &origin.input {
        event.set(Field::InputName, input.as_str());
    }
    if let Some(peer) = &origin.peer {
        if let Some(address) = peer.address {
            event.set(Field::LogSourceAddress, address.to_string());
            event.set(Field::ObserverIp, address.ip().to_canonical().to_string());
        }
        if let Some(name) = &peer.name {
            event.set(Field::ObserverName, name.as_str());
        }
    }
    for tag in &origin.tags {
        add_word(event, Field::Tags, tag);
    }
    for (name, value) in &origin.fields {
        let name = FieldName::new(name.as_str());
        if event.get_named(&name).is_none() {
            event.push_named(name, value.as_str());
        }
    }
    is_claimed
}

/// Takes what speaks for a host that is not its sender's as the sender's own.
fn own_host<'e>(event: &mut Event<'e>, origin: &'e Origin) -> bool {
    let Some(allowed) = &origin.speaks_for else { return false };
    let Some(host) = event.text(Field::HostName) else { return false };
    if host == origin.host || allowed.has(host) {
        return false;
    }
    if let Some(claim) = event.get(Field::HostName).cloned() {
        event.set_named(FieldName::Other(CLAIMED.into()), claim);
    }
    event.set(Field::HostName, origin.host.as_str());
    add_word(event, Field::LogFlags, NOT_ALLOWED);
    true
}

/// Adds a word to a field that holds words, unless it is there.
pub(crate) fn add_word<'e>(event: &mut Event<'e>, field: Field, word: &'e str) {
    let mut words = match event.get(field) {
        None => Vec::new(),
        Some(Value::List(words)) => words.clone(),
        Some(one) => vec![one.clone()],
    };
    if words.iter().any(|known| known.as_str() == Some(word)) {
        return;
    }
    words.push(word.into());
    let value = match (field, words.pop()) {
        // One flag alone is a text, as readers of it know.
        (Field::LogFlags, Some(only)) if words.is_empty() => only,
        (_, last) => {
            words.extend(last);
            Value::List(words)
        }
    };
    event.set(field, value);
}

/// Whether a field that holds words holds this one.
pub(crate) fn has_word(event: &Event<'_>, field: Field, word: &str) -> bool {
    match event.get(field) {
        Some(Value::List(words)) => words.iter().any(|known| known.as_str() == Some(word)),
        Some(one) => one.as_str() == Some(word),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bergfried_event::{Peer, SourceKind, SpeaksFor, Timestamp};

    use super::*;

    #[test]
    fn the_connection_decides_and_fields_do_not_overwrite() {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set(Field::ObserverName, "claimed");
        event.set_named(FieldName::new("type"), "own");
        let origin = Origin {
            input: Some("home".to_owned()),
            peer: Some(Peer {
                address: Some("[::ffff:192.0.2.7]:514".parse().unwrap()),
                name: Some("gate".to_owned()),
            }),
            tags: vec!["syslog".to_owned(), "syslog".to_owned()],
            fields: vec![("type".to_owned(), "x".to_owned()), ("site".to_owned(), "b".to_owned())],
            ..Origin::new(SourceKind::Syslog, "syslog/tcp", "192.0.2.7")
        };
        mark(&mut event, &origin);
        let text = serde_json::to_string(&event).unwrap();
        for part in [
            r#""observer.name":"gate""#,
            r#""observer.ip":"192.0.2.7""#,
            r#""input.name":"home""#,
            r#""input.type":"syslog""#,
            r#""tags":["syslog"]"#,
            r#""type":"own""#,
            r#""site":"b""#,
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_host_that_is_not_the_senders_is_replaced_and_kept() {
        let origin = Origin {
            speaks_for: Some(Arc::new(SpeaksFor::new(["web*"]))),
            ..Origin::new(SourceKind::Syslog, "syslog/tcp", "gate")
        };
        for (named, expected, claimed) in [
            (Some("web1"), Some("web1"), None),
            (Some("gate"), Some("gate"), None),
            (Some("db1"), Some("gate"), Some("db1")),
            (None, None, None),
        ] {
            let mut event = Event::new(Timestamp::from_seconds(0), "line");
            event.set(Field::LogFlags, "truncated");
            if let Some(named) = named {
                event.set(Field::HostName, named);
            }
            assert_eq!(mark(&mut event, &origin), claimed.is_some());
            assert_eq!(event.text(Field::HostName), expected);
            let claim = event.get_named(&FieldName::new(CLAIMED)).and_then(Value::as_str);
            assert_eq!(claim, claimed);
            assert_eq!(has_word(&event, Field::LogFlags, NOT_ALLOWED), claimed.is_some());
            assert!(has_word(&event, Field::LogFlags, "truncated"));
        }
    }
}
