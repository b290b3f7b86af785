//! Events seen, by which gates are chosen.

use bergfried_event::{Event, FieldName, Value};

use crate::labels::Labels;

/// A bounded sample of events with their labels, from which a matcher learns which of its gates are
/// rare.
///
/// Whatever is in it, a matcher finds the same; only its speed depends on it.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    samples: Vec<(Event<'static>, Labels)>,
    bytes: usize,
}

impl Statistics {
    /// The most events in one sample.
    pub const MAX_EVENTS: usize = 2_048;
    /// About the most bytes in one sample.
    pub const MAX_BYTES: usize = 4 << 20;

    /// Adds an event; false where there is no more room.
    pub fn add(&mut self, event: Event<'static>, labels: Labels) -> bool {
        let bytes = self.bytes + size(&event);
        if self.samples.len() >= Self::MAX_EVENTS || bytes > Self::MAX_BYTES {
            return false;
        }
        self.bytes = bytes;
        self.samples.push((event, labels));
        true
    }

    /// How many events are in it.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether no event is in it.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    pub(crate) fn samples(&self) -> &[(Event<'static>, Labels)] {
        &self.samples
    }
}

fn size(event: &Event<'_>) -> usize {
    let name = |name: &FieldName<'_>| match name {
        FieldName::Known(_) => 0,
        FieldName::Other(text) => text.len(),
    };
    let fields = event.fields().iter();
    let fields = fields.map(|(key, value)| size_of_val(key) + name(key) + value_size(value));
    event.original().len() + fields.sum::<usize>()
}

fn value_size(value: &Value<'_>) -> usize {
    let held = match value {
        Value::Text(text) => text.len(),
        Value::List(values) => values.iter().map(value_size).sum(),
        _ => 0,
    };
    size_of::<Value<'_>>() + held
}
