//! A rule's selections while pipelines change them: the parser's, with what was done to each item.

use std::collections::BTreeSet;

use rsigma_parser::{
    Detection, DetectionItem, FieldSpec, Modifier, SigmaString, SigmaValue, SpecialChar, StringPart,
};

use super::Unfit;
use super::text;

/// The most values of one item.
pub(super) const MAX_VALUES: usize = 10_000;
/// The most items of one selection.
const MAX_ITEMS: usize = 10_000;

/// A field and the values that it is compared with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    /// `None` for keywords.
    pub(super) field: Option<String>,
    pub(super) modifiers: Vec<Modifier>,
    pub(super) values: Vec<SigmaValue>,
    /// Ids of the transformations that changed it.
    pub(super) applied: BTreeSet<String>,
}

/// A selection or a part of one.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Item(Item),
    /// What no transformation looks into; lowering refuses it.
    Other(Detection),
}

impl Item {
    pub(super) fn has(&self, modifier: Modifier) -> bool {
        self.modifiers.contains(&modifier)
    }

    pub(super) fn remove(&mut self, modifier: Modifier) {
        self.modifiers.retain(|present| *present != modifier);
    }

    /// Whether texts among its values are compared as texts, not as expressions, networks or names.
    pub(super) fn is_text(&self) -> bool {
        self.modifiers.iter().all(|modifier| {
            matches!(
                modifier,
                Modifier::Contains
                    | Modifier::StartsWith
                    | Modifier::EndsWith
                    | Modifier::All
                    | Modifier::Base64
                    | Modifier::Base64Offset
                    | Modifier::Wide
                    | Modifier::Utf16be
                    | Modifier::Utf16
                    | Modifier::WindAsh
                    | Modifier::Cased
                    | Modifier::Expand
                    | Modifier::Neq
            )
        })
    }

    /// The item with what `change` makes of its values, `None` leaving one as it is; the flag says
    /// whether any changed.
    ///
    /// # Errors
    /// The first of `change`; or where there are too many values, or the meaning cannot be kept.
    pub(super) fn revalued(
        self,
        change: impl Fn(&SigmaValue) -> Result<Option<Vec<SigmaValue>>, Unfit>,
    ) -> Result<(Node, bool), Unfit> {
        let mut groups = Vec::new();
        let (mut changed, mut count) = (false, 0);
        for value in &self.values {
            let group = change(value)?;
            changed |= group
                .as_ref()
                .is_some_and(|group| !matches!(group.as_slice(), [same] if same == value));
            let group = group.unwrap_or_else(|| vec![value.clone()]);
            count += group.len();
            if count > MAX_VALUES {
                return Err(Unfit::new(format!("an item grows beyond {MAX_VALUES} values")));
            }
            groups.push(group);
        }
        if !changed {
            return Ok((Node::Item(self), false));
        }
        Ok((self.with_groups(groups)?, true))
    }

    /// The same with other values; `groups` holds those that each value became.
    fn with_groups(mut self, groups: Vec<Vec<SigmaValue>>) -> Result<Node, Unfit> {
        let every = self.has(Modifier::All);
        if every && groups.iter().any(|group| group.len() > 1) {
            if self.has(Modifier::Neq) {
                let message = "`all` and `neq` together allow no value that becomes several";
                return Err(Unfit::new(message));
            }
            self.remove(Modifier::All);
            let item = |values| Node::Item(Item { values, ..self.clone() });
            return Ok(Node::All(groups.into_iter().map(item).collect()));
        }
        if every && groups.len() < 2 {
            self.remove(Modifier::All);
        }
        self.values = groups.into_iter().flatten().collect();
        Ok(Node::Item(self))
    }

    /// Writes `contains`, `startswith` and `endswith` as wildcards of the values, as pySigma does
    /// before it transforms a rule. Values that are encoded stay as the rule has them.
    fn spell_out(&mut self) {
        const KEPT: [Modifier; 5] =
            [Modifier::All, Modifier::Cased, Modifier::Neq, Modifier::Expand, Modifier::WindAsh];
        let mut places = self.modifiers.iter().copied().filter(|modifier| !KEPT.contains(modifier));
        let (Some(place), None) = (places.next(), places.next()) else { return };
        let (before, after) = match place {
            Modifier::Contains => (true, true),
            Modifier::StartsWith => (false, true),
            Modifier::EndsWith => (true, false),
            _ => return,
        };
        if self.field.is_none() {
            return;
        }
        self.remove(place);
        for value in &mut self.values {
            let plain = match value {
                SigmaValue::String(text) => text.clone(),
                SigmaValue::Integer(number) => SigmaString::from_raw(&number.to_string()),
                SigmaValue::Float(number) => SigmaString::from_raw(&number.to_string()),
                SigmaValue::Bool(_) | SigmaValue::Null => continue,
            };
            *value = SigmaValue::String(surrounded(plain, before, after));
        }
    }
}

fn surrounded(value: SigmaString, before: bool, after: bool) -> SigmaString {
    let any = StringPart::Special(SpecialChar::WildcardMulti);
    let mut parts = value.parts;
    if before && parts.first() != Some(&any) {
        parts.insert(0, any.clone());
    }
    if after && parts.last() != Some(&any) {
        parts.push(any);
    }
    text::of_parts(&parts)
}

impl Node {
    pub(super) fn of(detection: &Detection) -> Node {
        let list = |inner: &[Detection]| inner.iter().map(Node::of).collect();
        match detection {
            Detection::AllOf(items) => Node::All(items.iter().map(Node::of_item).collect()),
            Detection::And(inner) => Node::All(list(inner)),
            Detection::AnyOf(inner) => Node::Any(list(inner)),
            Detection::Keywords(values) => Node::Item(Item {
                field: None,
                modifiers: Vec::new(),
                values: values.clone(),
                applied: BTreeSet::new(),
            }),
            other => Node::Other(other.clone()),
        }
    }

    fn of_item(item: &DetectionItem) -> Node {
        Node::item(&item.field, item.values.clone())
    }

    /// An item as the parser gives it.
    pub(super) fn item(field: &FieldSpec, values: Vec<SigmaValue>) -> Node {
        // The parser escapes brackets of names, which here are characters like any other.
        let name = field.name.as_ref().map(|name| name.replace("\\[", "[").replace("\\]", "]"));
        let modifiers = field.modifiers.clone();
        let mut item = Item { field: name, modifiers, values, applied: BTreeSet::new() };
        item.spell_out();
        Node::Item(item)
    }

    /// The parser's form again.
    pub(super) fn detection(self) -> Detection {
        let list = |inner: Vec<Node>| inner.into_iter().map(Node::detection).collect();
        match self {
            Node::All(inner) => Detection::And(list(inner)),
            Node::Any(inner) => Detection::AnyOf(list(inner)),
            Node::Item(item) if item.field.is_none() && item.modifiers.is_empty() => {
                Detection::Keywords(item.values)
            }
            Node::Item(item) => Detection::AllOf(vec![DetectionItem {
                field: FieldSpec::new(item.field, item.modifiers),
                values: item.values,
            }]),
            Node::Other(detection) => detection,
        }
    }

    /// Replaces every item by what `change` makes of it; `None` where nothing is left.
    ///
    /// # Errors
    /// The first of `change`, or that there are too many items.
    pub(super) fn rewrite(
        self,
        change: &mut dyn FnMut(Item) -> Result<Option<Node>, Unfit>,
    ) -> Result<Option<Node>, Unfit> {
        let mut list = |inner: Vec<Node>| -> Result<Vec<Node>, Unfit> {
            let changed = inner.into_iter().filter_map(|node| node.rewrite(change).transpose());
            changed.collect()
        };
        let node = match self {
            Node::All(inner) => Node::All(list(inner)?),
            Node::Any(inner) => Node::Any(list(inner)?),
            Node::Item(item) => return change(item),
            other @ Node::Other(_) => other,
        };
        if node.items().count() > MAX_ITEMS {
            return Err(Unfit::new(format!("a selection grows beyond {MAX_ITEMS} items")));
        }
        Ok((!matches!(&node, Node::All(inner) | Node::Any(inner) if inner.is_empty()))
            .then_some(node))
    }

    /// All its items.
    pub(super) fn items(&self) -> Box<dyn Iterator<Item = &Item> + '_> {
        match self {
            Node::All(inner) | Node::Any(inner) => Box::new(inner.iter().flat_map(Node::items)),
            Node::Item(item) => Box::new(std::iter::once(item)),
            Node::Other(_) => Box::new(std::iter::empty()),
        }
    }
}
