//! What an observer says: one JSON object of ECS fields, with one plain sentence.

use bergfried_event::{SourceKind, Timestamp};
use serde_json::{Map, Value, json};

use crate::outbox::Observed;

/// A record in the making.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    fields: Map<String, Value>,
    at: Timestamp,
}

impl Record {
    /// Of a module: what kind of thing it is about and what happened (ECS: category and type).
    pub(crate) fn new(
        module: &str,
        (category, kind): (&str, &str),
        action: &str,
        message: String,
        at: Timestamp,
    ) -> Record {
        let mut fields = Map::new();
        fields.insert("@timestamp".to_owned(), at.to_string().into());
        fields.insert("message".to_owned(), message.into());
        fields.insert("event.module".to_owned(), module.into());
        fields.insert("event.kind".to_owned(), "event".into());
        fields.insert("event.category".to_owned(), json!([category]));
        fields.insert("event.type".to_owned(), json!([kind]));
        fields.insert("event.action".to_owned(), action.into());
        Record { fields, at }
    }

    /// With a field more; one without a value is left out.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Record {
        let value = value.into();
        if !value.is_null() {
            self.fields.insert(name.to_owned(), value);
        }
        self
    }

    /// Ready to be handed over in the name of this observer.
    pub(crate) fn observed(self, observer: &'static str) -> Observed {
        let at = self.at;
        Observed { observer: observer.into(), kind: SourceKind::Json, raw: self.into_json(), at }
    }

    /// As it is sent.
    pub(crate) fn into_json(self) -> Vec<u8> {
        Value::Object(self.fields).to_string().into_bytes()
    }

    #[cfg(test)]
    pub(crate) fn get(&self, name: &str) -> &Value {
        self.fields.get(name).unwrap_or(&Value::Null)
    }
}
