//! What an event says of the way on which its record came, and who may say what.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Origin, SourceKind, Value};

/// The flag of events whose record named a host that its sender may not speak for.
const NOT_ALLOWED: &str = "host_not_allowed";
/// What the record said of the host then.
const CLAIMED: &str = "host.claimed";
/// What tags begin with by which hubs know events that passed them; see the output to other hubs.
const PASSED: &str = "bergfried.via:";

/// Sets the fields that the origin gives; none of them may come from the record itself, but for the
/// path where the origin has none: a document that was shipped says itself which file it is from.
/// What a record says in their place is kept under `original.`. An event of another hub alone is
/// taken at its word: that hub has said it.
///
/// True where the record named a host that its sender may not speak for.
pub fn mark<'e>(event: &mut Event<'e>, origin: &'e Origin) -> bool {
    if origin.kind != SourceKind::Event {
        disown(event, origin);
    }
    let is_claimed = own_host(event, origin);
    if !origin.path.is_empty() {
        event.set(Field::LogFilePath, origin.path.as_str());
        bergfried_parse::name_server(event, &origin.path);
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

/// Puts aside what only the hub says: documents choose the names of their fields.
fn disown(event: &mut Event<'_>, origin: &Origin) {
    let has_peer = origin.peer.is_some();
    let is_foreign = |name: &FieldName<'_>| match name {
        FieldName::Known(Field::InputName) => true,
        FieldName::Known(Field::LogSourceAddress | Field::ObserverIp | Field::ObserverName) => {
            has_peer
        }
        FieldName::Known(_) => false,
        // A well-known name that a parser took for another would be the field itself once stored.
        FieldName::Other(name) => {
            name == CLAIMED || Field::from_name(name).is_some_and(|field| field.name() == name)
        }
    };
    let names = event.fields().iter().map(|(name, _)| name);
    let foreign: Vec<_> = names.filter(|name| is_foreign(name)).cloned().collect();
    for name in foreign {
        if let Some(value) = event.take_named(&name) {
            let kept = FieldName::Other(Cow::Owned(format!("original.{}", name.as_str())));
            event.set_named(kept, value);
        }
    }
    let is_passed = |tag: &Value<'_>| tag.as_str().is_some_and(|tag| tag.starts_with(PASSED));
    match event.get_named_mut(&FieldName::Known(Field::Tags)) {
        Some(Value::List(tags)) => tags.retain(|tag| !is_passed(tag)),
        Some(tag) if is_passed(tag) => *tag = Value::List(Vec::new()),
        _ => {}
    }
}

/// Takes what speaks for a host that is not its sender's as the sender's own.
fn own_host<'e>(event: &mut Event<'e>, origin: &'e Origin) -> bool {
    let Some(allowed) = &origin.speaks_for else { return false };
    let may_say = |host: &Value<'_>| {
        host.as_str().is_some_and(|host| host == origin.host || allowed.has(host))
    };
    // Of several hosts every one must be its own: a rule asks for any.
    let is_own = match event.get(Field::HostName) {
        None => return false,
        Some(Value::List(hosts)) => hosts.iter().all(may_say),
        Some(host) => may_say(host),
    };
    if is_own {
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

    #[test]
    fn no_list_and_no_other_value_gets_around_the_hosts_of_a_sender() {
        let origin = Origin {
            speaks_for: Some(Arc::new(SpeaksFor::new(["web*"]))),
            ..Origin::new(SourceKind::Syslog, "syslog/tcp", "gate")
        };
        for (document, is_claimed) in [
            (r#"{"message":"x","host":{"name":["web1","gate"]}}"#, false),
            (r#"{"message":"x","host":{"name":["db1"]}}"#, true),
            (r#"{"message":"x","host":{"name":["web1","db1"]}}"#, true),
            (r#"{"message":"x","host.name":"web1","host":{"name":"db1"}}"#, true),
            (r#"{"message":"x","host":{"name":7}}"#, true),
            (r#"{"message":"x","host":{"name":[["db1"]]}}"#, true),
        ] {
            let context = context();
            let mut event = bergfried_parse::parse(SourceKind::Syslog, document, &context);
            assert_eq!(mark(&mut event, &origin), is_claimed, "{document}");
            if is_claimed {
                assert_eq!(event.text(Field::HostName), Some("gate"), "{document}");
            }
        }
    }

    #[test]
    fn a_document_cannot_say_what_the_hub_says() {
        let document = r#"{"message":"x","observer":{"name":"gate","ip":"192.0.2.9"},
            "input":{"name":"home","type":"event"},"log":{"source":{"address":"192.0.2.9:1"}},
            "host.claimed":"db1","log.flags":"host_not_allowed",
            "tags":["own","bergfried.via:1","bergfried.via:2"],
            "Event":{"EventData":{"observer.name":"gate","host.name":"db1"}}}"#;
        let peer = Some(Peer { address: None, name: None });
        let origin = Origin { peer, ..Origin::new(SourceKind::Syslog, "syslog/unix", "gate") };
        for text in [document.to_owned(), format!("<13>1 - - - - - - @cee: {document}")] {
            let context = context();
            let mut event = bergfried_parse::parse(SourceKind::Syslog, &text, &context);
            mark(&mut event, &origin);
            for (name, _) in event.fields() {
                let name = name.as_str();
                assert!(!name.starts_with("observer."), "{name} of {text}");
                assert!(
                    !matches!(name, "input.name" | "log.source.address" | "host.claimed"),
                    "{name} of {text}"
                );
            }
            assert_eq!(event.text(Field::InputType), Some("syslog"));
            assert!(!has_word(&event, Field::LogFlags, NOT_ALLOWED));
            assert_eq!(event.get(Field::Tags), Some(&Value::List(vec!["own".into()])));
            let kept = event.get_named(&FieldName::new("original.input.name"));
            assert_eq!(kept.and_then(Value::as_str), Some("home"));
            let hosts = event.fields().iter().filter(|(name, _)| name.as_str() == "host.name");
            assert!(hosts.count() <= 1);
        }
    }

    fn context() -> bergfried_parse::Context<'static> {
        bergfried_parse::Context {
            received: Timestamp::from_seconds(0),
            host: "gate",
            time_zone: jiff::tz::TimeZone::UTC,
            year: None,
        }
    }
}
