//! What a change was: of two values, what differs, and no secret of either.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::ControlError;

/// The longest text of what was before or after, in bytes.
const MAX_STATE: usize = 16 * 1024;
/// Names of what is never written down, in lower case; a name that ends so counts too.
const SECRETS: [&str; 8] =
    ["password", "secret", "token", "hash", "hint", "authorization", "cookie", "private_key"];
const HIDDEN: &str = "(hidden)";

/// What stood before and after a change, as JSON; of two objects only the fields that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditChange {
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl AuditChange {
    /// Something new.
    ///
    /// # Errors
    /// Where it cannot be written as JSON, as for each of these.
    pub fn created(after: &impl Serialize) -> Result<Self, ControlError> {
        Ok(AuditChange { before: None, after: Some(text(serde_json::to_value(after)?)) })
    }

    /// Something that is gone.
    ///
    /// # Errors
    /// As [`AuditChange::created`].
    pub fn deleted(before: &impl Serialize) -> Result<Self, ControlError> {
        Ok(AuditChange { before: Some(text(serde_json::to_value(before)?)), after: None })
    }

    /// Something that is another way now.
    ///
    /// # Errors
    /// As [`AuditChange::created`].
    pub fn between(before: &impl Serialize, after: &impl Serialize) -> Result<Self, ControlError> {
        let (mut before, mut after) = (serde_json::to_value(before)?, serde_json::to_value(after)?);
        if let (Value::Object(before), Value::Object(after)) = (&mut before, &mut after) {
            let same = |name: &String, before: &Map<String, Value>, after: &Map<String, Value>| {
                before.get(name) == after.get(name)
            };
            let shared: Vec<String> =
                before.keys().filter(|name| same(name, before, after)).cloned().collect();
            for name in shared {
                before.remove(&name);
                after.remove(&name);
            }
        }
        Ok(AuditChange { before: Some(text(before)), after: Some(text(after)) })
    }
}

/// A value as it is written down.
fn text(mut value: Value) -> String {
    hide(&mut value);
    let text = value.to_string();
    if text.len() <= MAX_STATE {
        return text;
    }
    let bytes = text.len();
    serde_json::json!({ "too_long_to_keep": bytes }).to_string()
}

/// Puts a word in the place of every secret that a name gives away.
fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                let name = name.to_lowercase();
                let is_secret = SECRETS.iter().any(|secret| name.ends_with(secret));
                match field {
                    Value::String(_) if is_secret => *field = Value::from(HIDDEN),
                    field => hide(field),
                }
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(hide),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_kept() {
        for (before, after, kept_before, kept_after) in [
            (json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), json!({"b": 2}), json!({"b": 3})),
            (json!({"a": 1}), json!({"a": 1, "b": [2]}), json!({}), json!({"b": [2]})),
            (json!({"a": 1}), json!({}), json!({"a": 1}), json!({})),
            (json!("x"), json!("y"), json!("x"), json!("y")),
        ] {
            let change = AuditChange::between(&before, &after).unwrap();
            let read = |text: Option<String>| -> Value {
                serde_json::from_str(&text.unwrap_or_default()).unwrap()
            };
            assert_eq!(read(change.before), kept_before);
            assert_eq!(read(change.after), kept_after);
        }
    }

    #[test]
    fn no_secret_is_kept_and_nothing_is_too_long() {
        let told = json!({
            "Password": "hunter2", "list": [{"api_token": "hunter2"}], "token": {"name": "web"},
            "secret_hash": "hunter2", "text": "fine",
        });
        let kept = AuditChange::created(&told).unwrap().after.unwrap();
        assert!(!kept.contains("hunter2"), "{kept}");
        assert!(kept.contains("fine") && kept.contains("web"), "{kept}");
        let long = AuditChange::deleted(&"x".repeat(MAX_STATE)).unwrap().before.unwrap();
        assert_eq!(long, json!({"too_long_to_keep": MAX_STATE + 2}).to_string());
    }
}
