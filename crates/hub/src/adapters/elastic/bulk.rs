//! Reads the body of `_bulk`: lines of actions, each but `delete` with a document on the next line.
//!
//! One document that is wrong is an item that is wrong; only a body of which the items cannot be told
//! apart is refused whole. Pure, and built alone by the fuzz target of the same name.

use serde::Deserialize;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};

/// The most actions of one body.
pub(crate) const MAX_ITEMS: usize = 100_000;
/// The longest document, in bytes.
pub(crate) const MAX_DOCUMENT: usize = 1 << 20;
/// The longest name of an index (Elasticsearch's own limit) and document id, in bytes.
const MAX_INDEX: usize = 255;
const MAX_ID: usize = 512;

/// What is to be done with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Index,
    Update,
    Delete,
}

impl Operation {
    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Index => "index",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }
}

/// One action of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item<'a> {
    pub(crate) operation: Operation,
    /// The index that it names, else that of the request's path.
    pub(crate) index: Option<String>,
    /// The document's id, where it names one.
    pub(crate) id: Option<String>,
    /// The document as it was sent, or why it cannot be stored.
    pub(crate) document: Result<&'a [u8], Wrong>,
}

/// Why one item cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The document is no JSON object.
    NoObject,
    /// The document is longer than a record may be.
    TooLong,
    /// Updates and deletions: a log is only ever added to.
    OnlyAdding,
    /// No index, neither in the action nor in the path.
    NoIndex,
    /// A name that no index, or no id, may have.
    BadName,
}

/// A body of which the items cannot be told apart: the same bytes fail again.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BulkError {
    #[error("Malformed action/metadata line [{line}], {reason}")]
    Action {
        /// Counted from 1.
        line: usize,
        reason: String,
    },
    #[error("Malformed action/metadata line [{line}], the document that belongs to it is missing")]
    NoDocument { line: usize },
    #[error("request body is required")]
    Empty,
    #[error("a request has at most {MAX_ITEMS} actions, send less at once")]
    TooMany,
    #[error("the path names an index of more than {MAX_INDEX} bytes")]
    BadIndex,
}

/// Reads a body; `index` is what the request's path names.
pub(crate) fn read<'a>(body: &'a [u8], index: Option<&str>) -> Result<Vec<Item<'a>>, BulkError> {
    // It is told with every item.
    if index.is_some_and(|index| index.len() > MAX_INDEX) {
        return Err(BulkError::BadIndex);
    }
    // Some clients on Windows begin with a byte order mark.
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut items = Vec::new();
    let mut lines = body.split(|byte| *byte == b'\n').zip(1..);
    while let Some((action, line)) = lines.next() {
        let action = action.trim_ascii();
        if action.is_empty() {
            continue;
        }
        if items.len() >= MAX_ITEMS {
            return Err(BulkError::TooMany);
        }
        let Action { operation, meta } = serde_json::from_slice(action)
            .map_err(|error| BulkError::Action { line, reason: error.to_string() })?;
        let document = match operation {
            Operation::Delete => None,
            _ => match lines.next() {
                // A body that ends after an action's line end has no line any more.
                Some((document, _)) if !document.is_empty() || lines.clone().next().is_some() => {
                    Some(document.trim_ascii())
                }
                _ => return Err(BulkError::NoDocument { line }),
            },
        };
        let Meta { index: own, id } = meta;
        let index = own.or_else(|| index.map(str::to_owned));
        items.push(item(operation, index, id, document));
    }
    if items.is_empty() { Err(BulkError::Empty) } else { Ok(items) }
}

/// An action on a document, checked.
pub(crate) fn item(
    operation: Operation,
    index: Option<String>,
    id: Option<String>,
    document: Option<&[u8]>,
) -> Item<'_> {
    let document = check(operation, index.as_deref(), id.as_deref(), document);
    Item { operation, index, id, document }
}

fn check<'a>(
    operation: Operation,
    index: Option<&str>,
    id: Option<&str>,
    document: Option<&'a [u8]>,
) -> Result<&'a [u8], Wrong> {
    let document = match (operation, document) {
        (Operation::Create | Operation::Index, Some(document)) => document,
        _ => return Err(Wrong::OnlyAdding),
    };
    let index = index.ok_or(Wrong::NoIndex)?;
    let named = |name: &str, most: usize| !name.is_empty() && name.len() <= most;
    if !named(index, MAX_INDEX) || id.is_some_and(|id| !named(id, MAX_ID)) {
        return Err(Wrong::BadName);
    }
    if document.len() > MAX_DOCUMENT {
        return Err(Wrong::TooLong);
    }
    if !document.starts_with(b"{") || serde_json::from_slice::<IgnoredAny>(document).is_err() {
        return Err(Wrong::NoObject);
    }
    Ok(document)
}

/// `{"create": {"_index": …, "_id": …}}`: one key, which is the operation.
struct Action {
    operation: Operation,
    meta: Meta,
}

/// Keys that are not known (`pipeline`, `routing`, `require_alias`, …) say how Elasticsearch stores
/// a document, not what it is; they are passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(rename = "_index")]
    index: Option<String>,
    #[serde(rename = "_id", deserialize_with = "text_or_number")]
    id: Option<String>,
}

/// An id is a text; numbers are taken for their digits, as Elasticsearch does.
fn text_or_number<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Id {
        Text(String),
        Number(serde_json::Number),
    }
    Ok(Option::<Id>::deserialize(from)?.map(|id| match id {
        Id::Text(text) => text,
        Id::Number(number) => number.to_string(),
    }))
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct OneKey;
        impl<'de> Visitor<'de> for OneKey {
            type Value = Action;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of one action: create, index, update or delete")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Action, A::Error> {
                let expected = ["create", "index", "update", "delete"];
                let word: String = map
                    .next_key()?
                    .ok_or_else(|| A::Error::custom("expected an action, found an empty object"))?;
                let operation = match word.as_str() {
                    "create" => Operation::Create,
                    "index" => Operation::Index,
                    "update" => Operation::Update,
                    "delete" => Operation::Delete,
                    word => {
                        return Err(A::Error::custom(format!(
                            "expected one of [{}], found [{}]",
                            expected.join(", "),
                            word.chars().take(40).collect::<String>().escape_debug()
                        )));
                    }
                };
                let meta = map.next_value()?;
                if map.next_key::<IgnoredAny>()?.is_some() {
                    return Err(A::Error::custom("expected one action, found several"));
                }
                Ok(Action { operation, meta })
            }
        }
        from.deserialize_map(OneKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Operation, index, id and document of each item.
    fn shown(body: &str) -> Vec<String> {
        let items = read(body.as_bytes(), Some("path")).unwrap();
        items
            .iter()
            .map(|item| {
                format!(
                    "{} {} {} {}",
                    item.operation.name(),
                    item.index.as_deref().unwrap_or("-"),
                    item.id.as_deref().unwrap_or("-"),
                    match item.document {
                        Ok(document) => String::from_utf8_lossy(document).into_owned(),
                        Err(wrong) => format!("{wrong:?}"),
                    }
                )
            })
            .collect()
    }

    #[test]
    fn items_are_told_apart_and_wrong_ones_stand_alone() {
        for (body, items) in [
            ("{\"index\":{}}\n{\"a\":1}\n", vec!["index path - {\"a\":1}"]),
            ("\u{feff}{\"index\":{}}\n{}\n", vec!["index path - {}"]),
            ("{\"create\":{\"_index\":\"own\",\"_id\":\"7\"}}\n{}", vec!["create own 7 {}"]),
            ("{\"index\":{\"_id\":7}}\r\n{\"a\":1}\r\n", vec!["index path 7 {\"a\":1}"]),
            (
                "\n\n{\"index\":{}}\n{}\n\n{\"index\":{}}\n{}\n\n",
                vec!["index path - {}", "index path - {}"],
            ),
            (
                "{\"delete\":{\"_id\":\"1\"}}\n{\"index\":{\"routing\":[1]}}\n{}\n",
                vec!["delete path 1 OnlyAdding", "index path - {}"],
            ),
            ("{\"update\":{\"_id\":\"1\"}}\n{\"doc\":{}}\n", vec!["update path 1 OnlyAdding"]),
            (
                "{\"index\":{}}\n{\"a\":\n{\"index\":{}}\n[1]\n{\"index\":{}}\n\n{\"index\":{}}\n{}",
                vec![
                    "index path - NoObject",
                    "index path - NoObject",
                    "index path - NoObject",
                    "index path - {}",
                ],
            ),
            ("{\"index\":{\"_id\":\"\"}}\n{}\n", vec!["index path  BadName"]),
        ] {
            assert_eq!(shown(body), items, "{body:?}");
        }
        let long = format!("{{\"index\":{{}}}}\n{{\"a\":\"{}\"}}\n", "x".repeat(MAX_DOCUMENT));
        assert_eq!(read(long.as_bytes(), Some("i")).unwrap()[0].document, Err(Wrong::TooLong));
        let nowhere = read(b"{\"index\":{}}\n{}\n", None).unwrap();
        assert_eq!(nowhere[0].document, Err(Wrong::NoIndex));
    }

    #[test]
    fn a_body_that_cannot_be_taken_apart_is_refused_with_its_line() {
        for (body, said) in [
            ("", "required"),
            ("\n \n", "required"),
            ("{\"index\":{}}\n", "line [1]"),
            ("{\"index\":{}}", "line [1]"),
            ("{\"index\":{}}\n{}\nnonsense\n{}", "line [3]"),
            ("{\"index\":{}}\n{}\n{\"drop\":{}}\n{}", "found [drop]"),
            ("{}\n{}", "empty object"),
            ("{\"index\":{},\"create\":{}}\n{}", "several"),
            ("{\"index\":7}\n{}", "line [1]"),
            ("[1]\n{}", "line [1]"),
            ("\u{0}\u{ff}\n", "line [1]"),
        ] {
            let error = read(body.as_bytes(), Some("i")).unwrap_err().to_string();
            assert!(error.contains(said), "{body:?}: {error}");
        }
        let long = "x".repeat(MAX_INDEX + 1);
        assert_eq!(read(b"{\"index\":{}}\n{}\n", Some(&long)).unwrap_err(), BulkError::BadIndex);
        let many = "{\"index\":{}}\n{}\n".repeat(MAX_ITEMS + 1);
        assert_eq!(read(many.as_bytes(), Some("i")).unwrap_err(), BulkError::TooMany);
    }
}
