//! What the modifiers behind a field's name ask for together (Sigma modifiers appendix 2.1).

use bergfried_query::{Comparison, TimePart};
use rsigma_parser::Modifier;

/// The modifiers of one item, sorted by what they do; combinations without a meaning are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) meaning: Meaning,
    pub(super) place: Place,
    /// In the order in which they apply.
    pub(super) encodings: Vec<Encoding>,
    /// All values must be met instead of any.
    pub(super) all: bool,
    pub(super) cased: bool,
    /// The item holds where it else would not.
    pub(super) negated: bool,
}

/// What a value is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A text with wildcards, a number, a truth value or null.
    Plain,
    Regex(Flags),
    Network,
    /// The name of another field.
    Field,
    Number(Comparison),
    Time(TimePart, Comparison),
    Existence,
}

/// The sub-modifiers of `re`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    pub(super) insensitive: bool,
    pub(super) multi_line: bool,
    pub(super) single_line: bool,
}

/// Where in the field's text a value must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Whole,
    Start,
    End,
    Anywhere,
}

/// A change of a value before it is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Dashes,
    Utf16Le,
    Utf16Be,
    /// With the mark of the byte order.
    Utf16,
    Base64,
    Base64Offset,
}

impl Place {
    pub(super) fn is_open_before(self) -> bool {
        matches!(self, Place::End | Place::Anywhere)
    }

    pub(super) fn is_open_after(self) -> bool {
        matches!(self, Place::Start | Place::Anywhere)
    }
}

impl Plan {
    /// # Errors
    /// Says which modifiers do not go together.
    pub(super) fn of(modifiers: &[Modifier]) -> Result<Plan, String> {
        let has = |modifier| modifiers.contains(&modifier);
        let plan = Plan {
            meaning: meaning(modifiers)?,
            place: place(modifiers)?,
            encodings: modifiers.iter().filter_map(|modifier| encoding(*modifier)).collect(),
            all: has(Modifier::All),
            cased: has(Modifier::Cased),
            negated: has(Modifier::Neq),
        };
        plan.check().map(|()| plan)
    }

    fn check(&self) -> Result<(), String> {
        let name = match self.meaning {
            Meaning::Plain => return Ok(()),
            Meaning::Regex(_) => "re",
            Meaning::Network => "cidr",
            Meaning::Field => "fieldref",
            Meaning::Number(_) => "a comparison of numbers",
            Meaning::Time(..) => "a part of a time",
            Meaning::Existence => "exists",
        };
        let textual = matches!(self.meaning, Meaning::Regex(_) | Meaning::Field);
        let refused = if !self.encodings.is_empty() {
            "a modifier that changes the value"
        } else if self.place != Place::Whole && !textual {
            "`contains`, `startswith` or `endswith`"
        } else if self.cased && !textual {
            "`cased`"
        } else if self.meaning == Meaning::Existence && (self.all || self.negated) {
            "`all` or `neq`"
        } else if self.cased && matches!(self.meaning, Meaning::Regex(flags) if flags.insensitive) {
            return Err("`cased` and `i` contradict one another".to_owned());
        } else {
            return Ok(());
        };
        Err(match self.meaning {
            Meaning::Number(_) | Meaning::Time(..) => {
                format!("{name} cannot be combined with {refused}")
            }
            _ => format!("`{name}` cannot be combined with {refused}"),
        })
    }
}

fn meaning(modifiers: &[Modifier]) -> Result<Meaning, String> {
    let has = |modifier| modifiers.contains(&modifier);
    let flags = Flags {
        insensitive: has(Modifier::IgnoreCase),
        multi_line: has(Modifier::Multiline),
        single_line: has(Modifier::DotAll),
    };
    let mut comparison = None;
    let mut part = None;
    let mut other = None;
    for modifier in modifiers {
        let taken = match modifier {
            Modifier::Gt => comparison.replace(Comparison::Greater).is_some(),
            Modifier::Gte => comparison.replace(Comparison::GreaterOrEqual).is_some(),
            Modifier::Lt => comparison.replace(Comparison::Less).is_some(),
            Modifier::Lte => comparison.replace(Comparison::LessOrEqual).is_some(),
            Modifier::Minute => part.replace(TimePart::Minute).is_some(),
            Modifier::Hour => part.replace(TimePart::Hour).is_some(),
            Modifier::Day => part.replace(TimePart::Day).is_some(),
            Modifier::Week => part.replace(TimePart::Week).is_some(),
            Modifier::Month => part.replace(TimePart::Month).is_some(),
            Modifier::Year => part.replace(TimePart::Year).is_some(),
            Modifier::Re => other.replace(Meaning::Regex(flags)).is_some(),
            Modifier::Cidr => other.replace(Meaning::Network).is_some(),
            Modifier::FieldRef => other.replace(Meaning::Field).is_some(),
            Modifier::Exists => other.replace(Meaning::Existence).is_some(),
            _ => false,
        };
        if taken {
            return Err("two modifiers say what the value is".to_owned());
        }
    }
    let found = match (part, comparison, other) {
        (None, None, other) => other.unwrap_or(Meaning::Plain),
        (None, Some(comparison), None) => Meaning::Number(comparison),
        (Some(part), comparison, None) => {
            Meaning::Time(part, comparison.unwrap_or(Comparison::Equal))
        }
        _ => return Err("two modifiers say what the value is".to_owned()),
    };
    if flags != Flags::default() && !matches!(found, Meaning::Regex(_)) {
        return Err("`i`, `m` and `s` go with `re` alone".to_owned());
    }
    Ok(found)
}

fn place(modifiers: &[Modifier]) -> Result<Place, String> {
    let mut places = modifiers.iter().filter_map(|modifier| match modifier {
        Modifier::Contains => Some(Place::Anywhere),
        Modifier::StartsWith => Some(Place::Start),
        Modifier::EndsWith => Some(Place::End),
        _ => None,
    });
    match (places.next(), places.next()) {
        (place, None) => Ok(place.unwrap_or(Place::Whole)),
        _ => Err("only one of `contains`, `startswith` and `endswith` can be said".to_owned()),
    }
}

fn encoding(modifier: Modifier) -> Option<Encoding> {
    match modifier {
        Modifier::WindAsh => Some(Encoding::Dashes),
        Modifier::Wide => Some(Encoding::Utf16Le),
        Modifier::Utf16be => Some(Encoding::Utf16Be),
        Modifier::Utf16 => Some(Encoding::Utf16),
        Modifier::Base64 => Some(Encoding::Base64),
        Modifier::Base64Offset => Some(Encoding::Base64Offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(modifiers: &str) -> Result<Plan, String> {
        let modifiers: Vec<Modifier> =
            modifiers.split('|').map(|modifier| modifier.parse().unwrap()).collect();
        Plan::of(&modifiers)
    }

    #[test]
    fn modifiers_that_go_together_are_taken() {
        let wide = plan("wide|base64offset|contains").unwrap();
        assert_eq!(wide.encodings, [Encoding::Utf16Le, Encoding::Base64Offset]);
        assert_eq!((wide.meaning, wide.place), (Meaning::Plain, Place::Anywhere));
        let hour = plan("hour|gte").unwrap();
        assert_eq!(hour.meaning, Meaning::Time(TimePart::Hour, Comparison::GreaterOrEqual));
        let field = plan("fieldref|endswith|neq|cased").unwrap();
        assert_eq!((field.meaning, field.place), (Meaning::Field, Place::End));
        assert!(field.negated && field.cased);
        for modifiers in ["re|i|m|s", "cidr|neq", "contains|all|windash|cased", "lt", "week"] {
            assert!(plan(modifiers).is_ok(), "{modifiers}");
        }
    }

    #[test]
    fn modifiers_that_contradict_one_another_are_refused() {
        for modifiers in [
            "re|cidr",
            "gt|lt",
            "hour|minute",
            "exists|contains",
            "exists|neq",
            "contains|startswith",
            "i",
            "contains|m",
            "re|base64",
            "cidr|windash",
            "gte|cased",
            "hour|contains",
            "re|i|cased",
            "fieldref|re",
        ] {
            assert!(plan(modifiers).is_err(), "{modifiers}");
        }
    }
}
