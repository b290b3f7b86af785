//! What an event says of the way on which its record came.

use bergfried_event::{Event, Field, FieldName, Origin, Value};

/// Sets the fields that the origin gives; none of them may come from the record itself, but for the
/// path where the origin has none: a document that was shipped says itself which file it is from.
pub(crate) fn mark<'e>(event: &mut Event<'e>, origin: &'e Origin) {
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
        add_tag(event, tag);
    }
    for (name, value) in &origin.fields {
        let name = FieldName::new(name.as_str());
        if event.get_named(&name).is_none() {
            event.push_named(name, value.as_str());
        }
    }
}

/// Adds a word to `tags`, unless it is there.
fn add_tag<'e>(event: &mut Event<'e>, tag: &'e str) {
    let mut tags = match event.get(Field::Tags) {
        None => Vec::new(),
        Some(Value::List(tags)) => tags.clone(),
        Some(one) => vec![one.clone()],
    };
    if !tags.iter().any(|known| known.as_str() == Some(tag)) {
        tags.push(tag.into());
        event.set(Field::Tags, Value::List(tags));
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Peer, SourceKind, Timestamp};

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
}
