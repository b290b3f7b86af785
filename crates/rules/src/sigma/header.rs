//! What a document says about itself.

use bergfried_event::Severity;
use yaml_serde::Value;

use super::document::get;

/// Title, id and the like of any Sigma document.
pub(crate) struct Header {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) title: String,
    pub(crate) level: Severity,
    pub(crate) description: String,
    pub(crate) author: String,
    pub(crate) references: Vec<String>,
    pub(crate) falsepositives: Vec<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) fields: Vec<String>,
}

impl Header {
    /// Expects what [`super::check`] found sound.
    pub(crate) fn of(value: &Value) -> Header {
        let text = |key: &str| get(value, key).and_then(Value::as_str).map(str::to_owned);
        let list = |key: &str| match get(value, key) {
            Some(Value::String(text)) => vec![text.clone()],
            Some(Value::Sequence(list)) => {
                list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        let title = text("title").unwrap_or_default();
        let name = text("name");
        let level = text("level").and_then(|level| level.parse().ok());
        Header {
            id: text("id").or_else(|| name.clone()).unwrap_or_else(|| title.clone()),
            name,
            title,
            level: level.unwrap_or(Severity::Medium),
            description: text("description").unwrap_or_default(),
            author: text("author").unwrap_or_default(),
            references: list("references"),
            falsepositives: list("falsepositives"),
            tags: list("tags"),
            fields: list("fields"),
        }
    }
}
