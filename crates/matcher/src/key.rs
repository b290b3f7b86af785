//! Keys: what can be looked up in an event for many predicates at once.

use bergfried_query::{Comparison, Condition, Part, Pattern, TextRegex, fold};

use crate::names::{ANYTHING, ORIGINAL, Slot};

/// Something about one slot of an event that a look-up tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) slot: Slot,
    pub(crate) sign: Sign,
}

/// What is looked up; texts are in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sign {
    /// The field is there.
    Present,
    /// A value is this number, given by its bits.
    Number(u64),
    /// A text is this.
    Exact(Box<str>),
    /// A text starts so.
    Start(Box<str>),
    /// A text ends so.
    Finish(Box<str>),
    /// A text has this in it, which is not empty.
    Inside(Box<str>),
}

impl Sign {
    /// The literal that is looked up in texts.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Sign::Present | Sign::Number(_) => None,
            Sign::Exact(text) | Sign::Start(text) | Sign::Finish(text) | Sign::Inside(text) => {
                Some(text)
            }
        }
    }
}

/// What a condition over one slot can be looked up by.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    /// The condition holds where this does, and nowhere else.
    pub(crate) certain: Option<Sign>,
    /// The condition holds only where of each of these choices one does.
    pub(crate) needed: Vec<Vec<Sign>>,
    /// The condition fails to hold only where this does.
    pub(crate) needed_by_negation: Option<Sign>,
}

/// What a condition over one slot can be looked up by.
pub(crate) fn signs(slot: Slot, condition: &Condition) -> Signs {
    let mut signs = match condition {
        Condition::Text(pattern) => text_signs(pattern),
        Condition::Words(pattern) => Signs::needed(inner_signs(pattern)),
        Condition::Regex(regex) => Signs { needed: regex_signs(regex), ..Signs::default() },
        Condition::Number(Comparison::Equal, number) if !number.is_nan() => {
            Signs::of(Sign::Number(number_bits(*number)))
        }
        Condition::Bool(truth) => {
            let text = if *truth { "true" } else { "false" };
            Signs::needed(vec![Sign::Exact(text.into())])
        }
        _ => Signs::default(),
    };
    if slot != ORIGINAL && slot != ANYTHING {
        match condition {
            Condition::Null => signs.needed_by_negation = Some(Sign::Present),
            _ => signs.needed.push(vec![Sign::Present]),
        }
    }
    signs
}

/// The bits by which a number is looked up: one form of zero.
pub(crate) fn number_bits(number: f64) -> u64 {
    (number + 0.0).to_bits()
}

impl Signs {
    fn of(sign: Sign) -> Signs {
        Signs { certain: Some(sign.clone()), needed: vec![vec![sign]], needed_by_negation: None }
    }

    /// Those that need each of these.
    fn needed(needed: Vec<Sign>) -> Signs {
        let needed = needed.into_iter().map(|sign| vec![sign]).collect();
        Signs { needed, ..Signs::default() }
    }
}

fn text_signs(pattern: &Pattern) -> Signs {
    if pattern.is_cased() {
        return Signs::needed(literal_signs(pattern));
    }
    match pattern.parts() {
        [] => Signs::of(Sign::Exact("".into())),
        [Part::Literal(text)] => Signs::of(Sign::Exact(text.as_str().into())),
        [Part::Literal(text), Part::AnyRun] => Signs::of(Sign::Start(text.as_str().into())),
        [Part::AnyRun, Part::Literal(text)] => Signs::of(Sign::Finish(text.as_str().into())),
        [Part::AnyRun, Part::Literal(text), Part::AnyRun] => {
            Signs::of(Sign::Inside(text.as_str().into()))
        }
        _ => Signs::needed(literal_signs(pattern)),
    }
}

fn regex_signs(regex: &TextRegex) -> Vec<Vec<Sign>> {
    let sign = |literal: String| Sign::Inside(literal.into());
    let choices = regex.needles().into_iter();
    choices.map(|choice| choice.into_iter().map(sign).collect()).collect()
}

/// What the literals of a pattern ask for, each at its place.
fn literal_signs(pattern: &Pattern) -> Vec<Sign> {
    let parts = pattern.parts();
    let last = parts.len().saturating_sub(1);
    let sign = |(index, part): (usize, &Part)| {
        let text = literal(part)?;
        match (index == 0, index == last) {
            (true, true) => Some(Sign::Exact(text)),
            (true, false) => Some(Sign::Start(text)),
            (false, true) => Some(Sign::Finish(text)),
            (false, false) => Some(Sign::Inside(text)),
        }
    };
    parts.iter().enumerate().filter_map(sign).collect()
}

/// What the literals of a pattern ask for, wherever it occurs.
fn inner_signs(pattern: &Pattern) -> Vec<Sign> {
    let texts = pattern.parts().iter().filter_map(literal);
    texts.map(Sign::Inside).collect()
}

/// The literal in lower case; a text that has it has this in lower case, since every character is
/// folded for itself.
fn literal(part: &Part) -> Option<Box<str>> {
    match part {
        Part::Literal(text) => Some(fold(text).as_ref().into()),
        _ => None,
    }
}
