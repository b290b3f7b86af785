//! Names of fields as chains write them.

use bergfried_event::{Event, Field, FieldName, Value};

/// Fields that say how a record came, or that the hub itself sets; chains read them at most.
const READ_ONLY: [Field; 11] = [
    Field::AgentId,
    Field::AgentName,
    Field::EventId,
    Field::EventIngested,
    Field::EventOriginal,
    Field::InputName,
    Field::InputType,
    Field::LogFlags,
    Field::LogSourceAddress,
    Field::ObserverIp,
    Field::ObserverName,
];

/// The longest name, in bytes.
pub(crate) const MAX_NAME: usize = 1024;

/// The field of this name: dotted (`source.ip`), an alias of the search language (`src_ip`), or as
/// Logstash writes it (`[source][ip]`).
///
/// Aliases of what only the hub sets (`timestamp`, `time`, `id`, `raw`) and `method`, which the search
/// language takes for that of SSH, are fields of their own here: many a pattern captures one.
pub(crate) fn field(text: &str) -> FieldName<'static> {
    let dotted = match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.replace("][", "."),
        None => text.to_owned(),
    };
    match FieldName::new(dotted.as_str()) {
        name @ FieldName::Known(field) if field.name() != dotted => {
            let own = matches!(field, Field::Timestamp | Field::SshMethod) || is_read_only(&name);
            if own { FieldName::Other(dotted.into()) } else { FieldName::Known(field) }
        }
        name => name.into_owned(),
    }
}

/// Whether only the hub may set this field.
pub(crate) fn is_read_only(name: &FieldName<'_>) -> bool {
    match name {
        FieldName::Known(field) => READ_ONLY.contains(field),
        FieldName::Other(name) => name.starts_with("input.") || name == "host.claimed",
    }
}

/// The name under which a value is kept that the text of an event itself names.
///
/// What only the hub sets, the time, and the host (which a sender may be held to) cannot be
/// overwritten from within a text: they are kept under `original.`.
pub(crate) fn found(text: &str) -> FieldName<'static> {
    let name = field(text);
    let own = matches!(&name, FieldName::Known(Field::Timestamp | Field::HostName | Field::Tags));
    if own || is_read_only(&name) {
        return FieldName::Other(format!("original.{}", name.as_str()).into());
    }
    name
}

/// The value of a field, the time and the raw text included.
pub(crate) fn value<'e>(event: &Event<'e>, name: &FieldName<'_>) -> Option<Value<'e>> {
    match name {
        FieldName::Known(Field::Timestamp) => Some(Value::from(event.created().to_string())),
        FieldName::Known(Field::EventOriginal) => Some(Value::Text(event.original_text().clone())),
        name => event.get_named(name).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_dotted_aliases_or_bracketed() {
        for (text, name) in [
            ("source.ip", "source.ip"),
            ("src_ip", "source.ip"),
            ("[source][ip]", "source.ip"),
            ("[message]", "message"),
            ("a.b", "a.b"),
            ("[a][b][c]", "a.b.c"),
            ("@timestamp", "@timestamp"),
            ("[@timestamp]", "@timestamp"),
            ("timestamp", "timestamp"),
            ("[event][created]", "event.created"),
            ("id", "id"),
            ("raw", "raw"),
            ("method", "method"),
            ("program", "process.name"),
        ] {
            assert_eq!(field(text).as_str(), name, "{text}");
        }
    }

    #[test]
    fn a_text_cannot_name_what_only_the_hub_sets() {
        for (text, name) in [
            ("observer.ip", "original.observer.ip"),
            ("[observer][hostname]", "observer.hostname"),
            ("host", "original.host.name"),
            ("event.id", "original.event.id"),
            ("id", "id"),
            ("@timestamp", "original.@timestamp"),
            ("user", "user.name"),
            ("time", "time"),
        ] {
            assert_eq!(found(text).as_str(), name, "{text}");
        }
    }
}
