//! Events of another hub: what it made of a record, taken as it is.

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};

/// The event of one flat JSON object that has at least `@timestamp` and `event.original`; `None` for
/// any other text.
///
/// The other hub's number of the event and the time at which it took it are left out: they are its
/// own.
pub(crate) fn parse(text: &str) -> Option<Event<'static>> {
    let mut object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).ok()?;
    let created: Timestamp =
        object.remove(Field::Timestamp.name())?.as_str().and_then(|stamp| stamp.parse().ok())?;
    let serde_json::Value::String(original) = object.remove(Field::EventOriginal.name())? else {
        return None;
    };
    let fields = object.into_iter().filter_map(|(name, value)| {
        let name = FieldName::new(name);
        let own = [Field::EventId, Field::EventIngested, Field::EventOriginal, Field::Timestamp];
        let is_own = own.iter().any(|own| name == FieldName::Known(*own));
        (!is_own).then(|| (name, Value::from(value)))
    });
    Some(Event::with_fields(created, original, fields.collect(), 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_comes_back_as_it_was() {
        let mut event = Event::new(Timestamp::from_micros(1_763_721_000_123_456), "<13>raw \"x\"");
        event.set(Field::HostName, "web1");
        event.set(Field::SourcePort, 22);
        event.set(Field::Tags, Value::List(vec!["a".into(), "b".into()]));
        event.set_named(FieldName::new("snort.score"), Value::Float(0.5));
        let text = serde_json::to_string(&event).unwrap();
        let read = parse(&text).unwrap();
        assert_eq!((read.created(), read.original()), (event.created(), event.original()));
        for (name, value) in event.fields() {
            assert_eq!(read.get_named(name), Some(value), "{name}");
        }
        assert_eq!(read.fields().len(), event.fields().len());
    }

    #[test]
    fn what_belongs_to_the_other_hub_is_left_out_and_other_texts_are_no_event() {
        let text = r#"{"@timestamp":"2025-11-21T10:30:00Z","event.original":"x","event.id":7,
            "event.ingested":"2025-11-21T10:30:01Z","user.name":"root"}"#;
        let read = parse(text).unwrap();
        assert_eq!(read.fields().len(), 1);
        for other in ["", "{}", "[]", r#"{"@timestamp":"x","event.original":"y"}"#] {
            assert!(parse(other).is_none(), "{other}");
        }
    }
}
