//! One item of a selection, a field and its values, into the shared predicate tree (Sigma rules
//! specification 2.1, "Detection", and the modifiers appendix).

use std::borrow::Cow;

use bergfried_query::{
    Classes, Comparison, Condition, Part, Pattern, Predicate, Target, TextRegex,
};
use ipnet::IpNet;
use rsigma_parser::{Modifier, SigmaString, SigmaValue, SpecialChar, StringPart};

use super::encode;
use super::lower::{Context, all, any};
use super::modifiers::{Flags, Meaning, Place, Plan};
use super::pcre;

/// The largest whole number up to which a comparison as floating point is exact.
const EXACT: u64 = 1 << 53;

/// As how many conditions a regular expression counts, which takes so much more room.
const REGEX_WEIGHT: usize = 500;

/// Why an item cannot be used, and where in it.
pub(super) struct ItemFault {
    /// The name of the item's field.
    pub(super) key: Option<String>,
    /// A value of the item and the character in it.
    pub(super) within: Option<(String, usize)>,
    pub(super) message: String,
}

impl ItemFault {
    pub(super) fn new(message: impl Into<String>) -> ItemFault {
        ItemFault { key: None, within: None, message: message.into() }
    }

    fn within(value: &str, at: usize, message: String) -> ItemFault {
        ItemFault { key: None, within: Some((value.to_owned(), at)), message }
    }

    pub(super) fn of(self, key: &str) -> ItemFault {
        ItemFault { key: Some(key.to_owned()), ..self }
    }
}

impl From<String> for ItemFault {
    fn from(message: String) -> Self {
        ItemFault::new(message)
    }
}

/// The predicate that holds where a value of any of the targets is as the item asks.
///
/// # Errors
/// Says why the item is of no use, and where.
pub(super) fn lower(
    targets: &[Target],
    modifiers: &[Modifier],
    values: &[SigmaValue],
    context: Context<'_>,
) -> Result<Predicate, ItemFault> {
    let plan = Plan::of(modifiers)?;
    let item = Item { targets, plan, context };
    let values: Result<Vec<Predicate>, ItemFault> =
        values.iter().map(|value| item.value(value)).collect();
    let joined = if item.plan.all { all(values?) } else { any(values?) };
    Ok(if item.plan.negated { Predicate::Not(Box::new(joined)) } else { joined })
}

struct Item<'i> {
    targets: &'i [Target],
    plan: Plan,
    context: Context<'i>,
}

impl Item<'_> {
    fn value(&self, value: &SigmaValue) -> Result<Predicate, ItemFault> {
        let weight = if matches!(self.plan.meaning, Meaning::Regex(_)) { REGEX_WEIGHT } else { 1 };
        self.context.take(weight * self.targets.len())?;
        let condition = match self.plan.meaning {
            Meaning::Plain => return self.plain(value),
            Meaning::Regex(flags) => {
                Condition::Regex(regex(&text_of(value)?, flags, self.plan.place)?)
            }
            Meaning::Network => Condition::Network(network(&text_of(value)?)?),
            _ if self.is_keyword() => {
                let message =
                    "a keyword has no field: only texts, `re` and `cidr` can be looked for";
                return Err(ItemFault::new(message));
            }
            Meaning::Field => return self.other_field(&text_of(value)?),
            Meaning::Number(comparison) => Condition::Number(comparison, number(value)?),
            Meaning::Time(part, comparison) => {
                Condition::TimePart(part, comparison, number(value)?)
            }
            Meaning::Existence => return self.existence(value),
        };
        Ok(self.atom(&condition))
    }

    fn is_keyword(&self) -> bool {
        matches!(self.targets, [Target::Anything])
    }

    fn plain(&self, value: &SigmaValue) -> Result<Predicate, ItemFault> {
        let whole = self.plan.place == Place::Whole && self.plan.encodings.is_empty();
        // As text: among keywords, and where a modifier asks for a part of it or changes it.
        let as_text = self.is_keyword() || !whole;
        let parts = match value {
            SigmaValue::String(text) => parts(text),
            // Not as a part of any other number.
            SigmaValue::Integer(_) | SigmaValue::Float(_) if self.is_keyword() && whole => {
                let pattern = Pattern::literal(value.to_string());
                return Ok(self.atom(&Condition::Words(pattern)));
            }
            SigmaValue::Null if as_text => {
                return Err(ItemFault::new("`null` has no text that could be looked for"));
            }
            SigmaValue::Null => return Ok(self.atom(&Condition::Null)),
            SigmaValue::Bool(truth) if !as_text => return Ok(self.atom(&Condition::Bool(*truth))),
            SigmaValue::Integer(number) if !as_text && number.unsigned_abs() <= EXACT => {
                #[expect(clippy::cast_precision_loss, reason = "exact up to this bound")]
                let number = *number as f64;
                return Ok(self.atom(&Condition::Number(Comparison::Equal, number)));
            }
            SigmaValue::Float(number) if !as_text => {
                return Ok(self.atom(&Condition::Number(Comparison::Equal, *number)));
            }
            other => vec![Part::Literal(other.to_string())],
        };
        let forms = encode::forms(&self.plan.encodings, &parts)?;
        self.context.take((forms.len() - 1) * self.targets.len())?;
        Ok(any(forms.into_iter().map(|form| self.atom(&self.text(form))).collect()))
    }

    /// A keyword is looked for anywhere in a text, unless a modifier says where.
    fn text(&self, parts: Vec<Part>) -> Condition {
        let place = match self.plan.place {
            Place::Whole if self.is_keyword() => Place::Anywhere,
            place => place,
        };
        let before = place.is_open_before().then_some(Part::AnyRun);
        let after = place.is_open_after().then_some(Part::AnyRun);
        let parts = before.into_iter().chain(parts).chain(after);
        Condition::Text(Pattern::new(parts, self.plan.cased))
    }

    fn other_field(&self, name: &str) -> Result<Predicate, ItemFault> {
        if name.is_empty() {
            return Err(ItemFault::new("`fieldref` must name a field"));
        }
        let same = |field| {
            self.atom(&Condition::SameAs {
                field,
                any_before: self.plan.place.is_open_before(),
                any_after: self.plan.place.is_open_after(),
                cased: self.plan.cased,
            })
        };
        Ok(any(self.context.names.fields(name).into_iter().map(same).collect()))
    }

    fn existence(&self, value: &SigmaValue) -> Result<Predicate, ItemFault> {
        let there = self.atom(&Condition::Exists);
        match value {
            SigmaValue::Bool(true) => Ok(there),
            SigmaValue::Bool(false) => Ok(Predicate::Not(Box::new(there))),
            _ => Err(ItemFault::new("`exists` must be true or false")),
        }
    }

    /// A value is null only where none of the targets has another.
    fn atom(&self, condition: &Condition) -> Predicate {
        let join = if matches!(condition, Condition::Null) { all } else { any };
        let atom = |target: &Target| Predicate::Atom(target.clone(), condition.clone());
        join(self.targets.iter().map(atom).collect())
    }
}

fn parts(text: &SigmaString) -> Vec<Part> {
    let part = |part: &StringPart| match part {
        StringPart::Plain(text) => Part::Literal(text.clone()),
        StringPart::Special(SpecialChar::WildcardMulti) => Part::AnyRun,
        StringPart::Special(SpecialChar::WildcardSingle) => Part::AnyOne,
    };
    text.parts.iter().map(part).collect()
}

fn text_of(value: &SigmaValue) -> Result<Cow<'_, str>, ItemFault> {
    match value {
        SigmaValue::String(text) => Ok(Cow::Borrowed(&text.original)),
        SigmaValue::Integer(_) | SigmaValue::Float(_) => Ok(Cow::Owned(value.to_string())),
        other => Err(ItemFault::new(format!("`{other}` must be a text, put it in quotes"))),
    }
}

fn number(value: &SigmaValue) -> Result<f64, ItemFault> {
    let number = match value {
        #[expect(clippy::cast_precision_loss, reason = "compared as floating point by definition")]
        SigmaValue::Integer(number) => Some(*number as f64),
        SigmaValue::Float(number) => Some(*number),
        SigmaValue::String(text) => text.original.trim().parse().ok(),
        SigmaValue::Bool(_) | SigmaValue::Null => None,
    };
    number.filter(|number: &f64| number.is_finite()).ok_or_else(|| {
        ItemFault::new(format!("`{}` is no number", value.to_string().escape_debug()))
    })
}

fn network(text: &str) -> Result<IpNet, ItemFault> {
    let address = || text.parse::<std::net::IpAddr>().ok().map(IpNet::from);
    text.parse::<IpNet>().ok().or_else(address).map(|network| network.trunc()).ok_or_else(|| {
        let shown = text.escape_debug();
        let message = format!("`{shown}` is no network, expected one such as 10.0.0.0/8");
        ItemFault::within(text, 0, message)
    })
}

/// The expression finds a match anywhere, unless a modifier says where; its classes are those of
/// ASCII, as PCRE's are.
fn regex(pattern: &str, flags: Flags, place: Place) -> Result<TextRegex, ItemFault> {
    let cannot = |at: usize, reason: &str| {
        let message = format!("cannot use regular expression `{pattern}`: {reason}");
        ItemFault::within(pattern, at, message)
    };
    let translated = pcre::translate(pattern).map_err(|refused| {
        let column = refused.at + 1;
        cannot(refused.at, &format!("{} at character {column} is not supported", refused.what))
    })?;
    let set: String = [(flags.insensitive, 'i'), (flags.multi_line, 'm'), (flags.single_line, 's')]
        .into_iter()
        .filter_map(|(set, flag)| set.then_some(flag))
        .collect();
    let (start, end) = match place {
        Place::Whole | Place::Anywhere => ("", ""),
        Place::Start => (r"\A(?:", ")"),
        Place::End => ("(?:", r")\z"),
    };
    let flagged = if set.is_empty() { String::new() } else { format!("(?{set})") };
    TextRegex::with_classes(&format!("{flagged}{start}{translated}{end}"), Classes::Ascii)
        .map_err(|error| cannot(0, &error.reason))
}
