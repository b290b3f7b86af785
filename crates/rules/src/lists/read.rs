//! A file of lists, read over others.

use std::sync::Arc;

use bergfried_event::{Value, nearest};

use super::{Inner, List, Lists, Origin, policy};
use crate::diagnostic::{Diagnostic, Source};
use crate::sigma::file;
use crate::sigma::reader::{At, Wrong};

/// The key that is no list.
const POLICY: &str = "network_policy";
/// The most lists of one file.
const MAX_LISTS: usize = 1_000;
/// The most values of one list, that of rules' items.
const MAX_VALUES: usize = 10_000;
/// The most bytes of a value.
const MAX_VALUE_BYTES: usize = 4_096;

/// Reads the file over other lists; with an error among `diagnostics` there are none.
pub(super) fn lists(
    source: &Source,
    below: &Lists,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Lists> {
    file::read(source, "list", diagnostics, |top, faults| {
        let Inner { mut lists, mut network_policy, .. } = below.0.as_ref().clone();
        let mut policy_at = None;
        let entries = match top.entries() {
            Ok(entries) => entries,
            Err(wrong) => {
                faults.error(wrong);
                return None;
            }
        };
        if entries.len() > MAX_LISTS {
            faults.error(top.wrong(format!("there are over {MAX_LISTS} lists")));
            return None;
        }
        let mut seen: Vec<&str> = Vec::new();
        for (key, at) in entries {
            let (name, adds) = match key.strip_suffix('+') {
                Some(name) => (name, true),
                None => (key, false),
            };
            if seen.contains(&name) {
                faults.error(at.wrong(format!("`{name}` stands here twice: say all of it once")));
                continue;
            }
            seen.push(name);
            let line = faults.line(&at);
            let origin = |count| Origin { file: source.file.clone(), line, count };
            if name == POLICY {
                let count = crate::sigma::keys(at.value).count();
                let read = match adds {
                    true => Err(at.wrong(format!("`{POLICY}` is no list: nothing is added to it"))),
                    false => policy::read(&at, origin(count), &mut network_policy),
                };
                if let Err(wrong) = read {
                    faults.error(wrong);
                }
                policy_at = Some(at);
                continue;
            }
            if let Err(wrong) = named(name, adds, &at, below) {
                faults.error(wrong);
                continue;
            }
            if let Some(doubt) = doubt(name, &at, below) {
                faults.warn(doubt);
            }
            let values =
                match values(&at).and_then(|values| policy::check(name, &at).map(|()| values)) {
                    Ok(values) => values,
                    Err(wrong) => {
                        faults.error(wrong);
                        continue;
                    }
                };
            let list = lists.entry(name.to_owned()).or_default();
            if !adds {
                *list = List::default();
            }
            list.from.push(origin(values.len()));
            for value in values {
                if !list.values.contains(&value) {
                    list.values.push(value);
                }
            }
            if list.values.len() > MAX_VALUES {
                faults.error(at.wrong(format!("`{name}` has over {MAX_VALUES} values")));
            }
        }
        let mut inner = Inner { lists, network_policy, judge: Arc::default() };
        let unjudged = Lists(Arc::new(inner.clone()));
        inner.judge = Arc::new(policy::judge(&unjudged, policy_at.as_ref(), faults));
        Some(Lists(Arc::new(inner)))
    })
}

/// Refuses names that no placeholder can have, and additions to what is not there.
fn named(name: &str, adds: bool, at: &At<'_>, below: &Lists) -> Result<(), Wrong> {
    let sound = |character: char| character.is_alphanumeric() || "_-.".contains(character);
    if name.is_empty() || !name.chars().all(sound) {
        let message = "the name of a list has letters, digits, `_`, `-` and `.` only";
        return Err(at.wrong(message));
    }
    if adds && below.get(name).is_none() {
        let message = format!("there is no list `{name}` to add to{}", hint(name, below));
        return Err(at.wrong(message));
    }
    Ok(())
}

/// A list of one's own that is called almost as a built-in one is.
fn doubt(name: &str, at: &At<'_>, below: &Lists) -> Option<Wrong> {
    let hint = hint(name, below);
    let strange = below.get(name).is_none() && !hint.is_empty();
    strange.then(|| at.wrong(format!("there is no list `{name}` so far{hint}")))
}

fn hint(name: &str, below: &Lists) -> String {
    let near = nearest(name, below.iter().map(|(name, _)| name));
    near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default()
}

/// A text, a number, or a list of these that may be empty.
fn values(at: &At<'_>) -> Result<Vec<Value<'static>>, Wrong> {
    let items = match at.value {
        yaml_serde::Value::Sequence(_) => at.list()?,
        _ => vec![at.clone()],
    };
    items.iter().map(value).collect()
}

fn value(at: &At<'_>) -> Result<Value<'static>, Wrong> {
    match at.value {
        yaml_serde::Value::String(text) if text.is_empty() => {
            Err(at.wrong("a value is empty, which would meet nothing or everything"))
        }
        yaml_serde::Value::String(text) if text.len() > MAX_VALUE_BYTES => {
            Err(at.wrong(format!("a value has over {MAX_VALUE_BYTES} bytes")))
        }
        yaml_serde::Value::String(text) => Ok(Value::from(text.clone())),
        yaml_serde::Value::Number(number) if number.is_i64() => {
            Ok(Value::Int(number.as_i64().unwrap_or_default()))
        }
        _ => Err(at.wrong("expected a text, a whole number or a list of these")),
    }
}
