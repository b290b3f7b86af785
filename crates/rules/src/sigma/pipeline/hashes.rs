//! `hashes_fields`: Sysmon's one field of all hashes as a field for each.

use rsigma_parser::{Modifier, SigmaString, SigmaValue, SpecialChar, StringPart};

use super::text;
use super::tree::{Item, Node};

/// The field that holds `MD5=…,SHA256=…`.
const FIELD: &str = "Hashes";
/// Algorithms by how many hexadecimal digits their hashes have.
const LENGTHS: &[(&str, usize)] =
    &[("MD5", 32), ("SHA1", 40), ("SHA256", 64), ("SHA512", 128), ("IMPHASH", 32)];

/// Which hashes get fields of their own, and how these are called.
#[derive(Clone, Debug)]
pub(super) struct SplitHashes {
    /// In upper case.
    pub(super) algorithms: Vec<String>,
    pub(super) field_prefix: String,
    pub(super) drop_algorithm: bool,
}

impl SplitHashes {
    /// The item on the fields of its hashes; the flag says whether it has any. A value that is no
    /// hash of a known algorithm stays on the field that it is on.
    pub(super) fn apply(&self, item: Item) -> (Node, bool) {
        if item.field.as_deref() != Some(FIELD) || !item.is_text() {
            return (Node::Item(item), false);
        }
        let negated = item.has(Modifier::Neq);
        let every = item.has(Modifier::All);
        let mut base = item.clone();
        base.modifiers.retain(|modifier| matches!(modifier, Modifier::Neq | Modifier::Cased));
        let mut nodes = Vec::new();
        let mut kept = Vec::new();
        for value in &item.values {
            let hashes = match value {
                SigmaValue::String(text) => self.hashes(text),
                _ => None,
            };
            let Some(hashes) = hashes else {
                kept.push(value.clone());
                continue;
            };
            let on_field = |(field, hash): (String, SigmaString)| {
                let values = vec![SigmaValue::String(hash)];
                Node::Item(Item { field: Some(field), values, ..base.clone() })
            };
            let hashes: Vec<Node> = hashes.into_iter().map(on_field).collect();
            // Not all of them, where the item is negated, is any of them not.
            nodes.push(if negated { Node::Any(hashes) } else { Node::All(hashes) });
        }
        if nodes.is_empty() {
            return (Node::Item(item), false);
        }
        for value in kept {
            nodes.push(Node::Item(Item { values: vec![value], ..base.clone() }));
        }
        (if every != negated { Node::All(nodes) } else { Node::Any(nodes) }, true)
    }

    /// The field and the hash of each that the text lists.
    fn hashes(&self, value: &SigmaString) -> Option<Vec<(String, SigmaString)>> {
        let open = value.parts.last() == Some(&StringPart::Special(SpecialChar::WildcardMulti));
        let shown = text::shown(value);
        let listed: Vec<&str> = shown.trim_matches('*').split([',', '|']).collect();
        let mut hashes = Vec::new();
        for (index, part) in listed.iter().enumerate() {
            let (algorithm, hash) = match part.split_once('=') {
                Some((name, hash)) => (name.to_uppercase(), hash),
                None => {
                    let length = |(_, length): &&(&str, usize)| *length == part.len();
                    (LENGTHS.iter().find(length)?.0.to_owned(), *part)
                }
            };
            let known = self.algorithms.contains(&algorithm);
            if !known || hash.is_empty() || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return None;
            }
            let whole =
                LENGTHS.iter().any(|(name, length)| *name == algorithm && *length <= hash.len());
            let any_after = open && index + 1 == listed.len() && !whole;
            let field = match self.drop_algorithm {
                true => self.field_prefix.clone(),
                false => format!("{}{algorithm}", self.field_prefix),
            };
            let hash = if any_after { format!("{hash}*") } else { hash.to_owned() };
            hashes.push((field, text::read(&hash)));
        }
        Some(hashes)
    }
}
