//! From the pairs that a reader gives to fields of the event.

use std::borrow::Cow;
use std::collections::HashSet;

use bergfried_event::{Event, Field, FieldName, Value};

use crate::name;
use crate::readers::Pairs;
use crate::scene::Scene;

/// Fields whose values are whole numbers, whoever writes them.
const NUMBERS: [Field; 5] = [
    Field::SourcePort,
    Field::DestinationPort,
    Field::ProcessPid,
    Field::ProcessParentPid,
    Field::EventCount,
];

/// Names with what they hold, as a reader gave them.
pub(super) type Read<'e> = Vec<(Cow<'e, str>, Cow<'e, str>)>;

/// What a reader finds in a text: borrowed from the record where the text is. `None` where the
/// reader says that the text is none of its kind.
pub(super) fn read<'e>(
    text: Cow<'e, str>,
    reader: impl for<'t> Fn(&'t str, &mut Pairs<'t>) -> bool,
) -> Option<Read<'e>> {
    match text {
        Cow::Borrowed(text) => {
            let mut pairs = Pairs::new();
            reader(text, &mut pairs).then(|| pairs.into_iter().collect())
        }
        Cow::Owned(text) => {
            let mut pairs = Pairs::new();
            let owned = |part: Cow<'_, str>| Cow::Owned(part.into_owned());
            reader(&text, &mut pairs).then(|| {
                pairs.into_iter().map(|(name, value)| (owned(name), owned(value))).collect()
            })
        }
    }
}

/// Sets a field for each pair; a name that comes more than once becomes a list.
///
/// A field that the event had is replaced. `own` are names that the configuration itself gives; all
/// others come from the text, and cannot set what only the hub and the envelope say.
pub(super) fn take<'e>(
    event: &mut Event<'e>,
    scene: &mut Scene<'_>,
    target: Option<&FieldName<'static>>,
    own: &[FieldName<'static>],
    read: Read<'e>,
) {
    let mut seen: HashSet<FieldName<'static>> = HashSet::with_capacity(read.len());
    for (written, value) in read {
        let name = match target {
            Some(target) => FieldName::new(format!("{}.{written}", target.as_str())),
            None => match name::field(&written) {
                name if own.contains(&name) => name,
                _ => name::found(&written),
            },
        };
        let Some(name) = scene.allowed(name) else { continue };
        let value = match &name {
            FieldName::Known(field) if NUMBERS.contains(field) => {
                value.parse().map_or(Value::Text(value), Value::Int)
            }
            _ => Value::Text(value),
        };
        if seen.contains(&name) {
            scene.append(event, name, value);
        } else {
            seen.insert(name.clone());
            scene.set(event, name, value);
        }
    }
}
