//! Predicates in words, as a person would say them: `CommandLine contains 'whoami'`.
//!
//! For eyes only; nothing reads this form back.

use std::fmt;

use crate::pattern::{Part, Pattern};
use crate::predicate::{Comparison, Condition, Predicate, Target};
use crate::time::TimePart;

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Predicate::Constant(true) => f.write_str("anything"),
            Predicate::Constant(false) => f.write_str("nothing"),
            Predicate::And(inner) => joined(f, inner, " and ", "anything"),
            Predicate::Or(inner) => joined(f, inner, " or ", "nothing"),
            Predicate::AtLeast(needed, inner) => {
                write!(f, "at least {needed} of (")?;
                joined(f, inner, ", ", "nothing")?;
                f.write_str(")")
            }
            Predicate::Not(inner) => {
                f.write_str("not ")?;
                nested(f, inner)
            }
            Predicate::Atom(target, condition) => write!(f, "{target} {condition}"),
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, inner: &[Predicate], word: &str, empty: &str) -> fmt::Result {
    if inner.is_empty() {
        return f.write_str(empty);
    }
    for (index, predicate) in inner.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        nested(f, predicate)?;
    }
    Ok(())
}

fn nested(f: &mut fmt::Formatter<'_>, predicate: &Predicate) -> fmt::Result {
    match predicate {
        Predicate::And(inner) | Predicate::Or(inner) if inner.len() > 1 => {
            write!(f, "({predicate})")
        }
        predicate => write!(f, "{predicate}"),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Field(name) => f.write_str(&visible(name.as_str(), usize::MAX)),
            Target::Anything => f.write_str("some value"),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Exists => f.write_str("exists"),
            Condition::Null => f.write_str("is absent or null"),
            Condition::Text(pattern) => text(f, pattern),
            Condition::Words(pattern) => {
                write!(f, "has the words {}{}", quoted(&written(pattern.parts())), case(pattern))
            }
            Condition::Regex(regex) => {
                write!(f, "matches /{}/", visible(regex.as_str(), usize::MAX))
            }
            Condition::Network(network) => write!(f, "in {network}"),
            Condition::Number(comparison, right) => write!(f, "{} {right}", sign(*comparison)),
            Condition::TimePart(part, comparison, right) => {
                write!(f, "in the {} {} {right}", part_name(*part), sign(*comparison))
            }
            Condition::Bool(truth) => write!(f, "is {truth}"),
            Condition::SameAs { field, any_before, any_after, cased } => {
                let verb = match (any_before, any_after) {
                    (false, false) => "is",
                    (false, true) => "starts with",
                    (true, false) => "ends with",
                    (true, true) => "contains",
                };
                write!(f, "{verb} the value of {}", visible(field.as_str(), usize::MAX))?;
                f.write_str(if *cased { CASED } else { "" })
            }
        }
    }
}

const CASED: &str = " (in this case)";

fn text(f: &mut fmt::Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    let (verb, inner) = match pattern.parts() {
        [] => return f.write_str("is empty"),
        [Part::AnyRun] => return f.write_str("has any value"),
        [Part::AnyRun, inner @ .., Part::AnyRun] => ("contains", inner),
        [Part::AnyRun, inner @ ..] => ("ends with", inner),
        [inner @ .., Part::AnyRun] => ("starts with", inner),
        inner => ("is", inner),
    };
    let (verb, shown) = match literal(inner) {
        Some(text) => (verb, text),
        None => ("is like", written(pattern.parts())),
    };
    let dashes = pattern.parts().contains(&Part::AnyDash);
    let dashes = if dashes { " (any dash for -)" } else { "" };
    write!(f, "{verb} {}{dashes}{}", quoted(&shown), case(pattern))
}

/// The text of parts without wildcards; any dash is shown as a hyphen.
fn literal(parts: &[Part]) -> Option<String> {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::AnyDash => Some("-"),
            Part::AnyRun | Part::AnyOne => None,
        })
        .collect()
}

fn case(pattern: &Pattern) -> &'static str {
    if pattern.is_cased() { CASED } else { "" }
}

/// The pattern with its wildcards; a literal `*` or `?` has a `\` before it.
fn written(parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Literal(text) => text.replace('*', "\\*").replace('?', "\\?"),
        Part::AnyRun => "*".to_owned(),
        Part::AnyOne => "?".to_owned(),
        Part::AnyDash => "-".to_owned(),
    };
    parts.iter().map(part).collect()
}

fn part_name(part: TimePart) -> &'static str {
    match part {
        TimePart::Minute => "minute",
        TimePart::Hour => "hour",
        TimePart::Day => "day",
        TimePart::Week => "week",
        TimePart::Month => "month",
        TimePart::Year => "year",
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "=",
        Comparison::NotEqual => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", visible(text, usize::MAX))
}

/// At most `limit` characters of `text`, `…` for the rest; what acts on a screen is escaped.
pub(crate) fn visible(text: &str, limit: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(limit));
    for (index, character) in text.chars().enumerate() {
        if index >= limit {
            shown.push('…');
            break;
        }
        match character {
            // Nothing is read back, so paths and quotes stay as they are written.
            '\'' | '"' | '\\' => shown.push(character),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Field, FieldName};

    use super::*;
    use crate::regex::TextRegex;

    #[test]
    fn atoms_read_as_a_person_writes_them() {
        let text = |text: &str| Condition::Text(Pattern::with_wildcards(text, false));
        let literal = |text: &str| Part::Literal(text.to_owned());
        let dashed = || {
            let parts = [literal(" "), Part::AnyDash, literal("enc")];
            Condition::Text(Pattern::new(parts, false).anywhere())
        };
        let same = |any_before, any_after| Condition::SameAs {
            field: Field::UserEffectiveName.into(),
            any_before,
            any_after,
            cased: true,
        };
        for (condition, expected) in [
            (Condition::Exists, "x exists"),
            (Condition::Null, "x is absent or null"),
            (text("*whoami*"), "x contains 'whoami'"),
            (text(r"*\cmd.exe"), r"x ends with '\cmd.exe'"),
            (text("a*"), "x starts with 'a'"),
            (text("A"), "x is 'a'"),
            (text("a*b?"), "x is like 'a*b?'"),
            (text(r"a\*b*c"), r"x is like 'a\*b*c'"),
            (text("*"), "x has any value"),
            (text(""), "x is empty"),
            (Condition::Text(Pattern::with_wildcards("A", true)), "x is 'A' (in this case)"),
            (text("a\u{1b}[2J\u{202e}"), r"x is 'a\u{1b}[2j\u{202e}'"),
            (Condition::Words(Pattern::literal("failed")), "x has the words 'failed'"),
            (Condition::Regex(TextRegex::new("a.b").unwrap()), "x matches /a.b/"),
            (Condition::Network("10.0.0.0/8".parse().unwrap()), "x in 10.0.0.0/8"),
            (Condition::Number(Comparison::GreaterOrEqual, 1.5), "x >= 1.5"),
            (Condition::Number(Comparison::Equal, 22.0), "x = 22"),
            (Condition::Bool(true), "x is true"),
            (Condition::TimePart(TimePart::Hour, Comparison::Less, 6.0), "x in the hour < 6"),
            (dashed(), "x contains ' -enc' (any dash for -)"),
            (same(false, false), "x is the value of user.effective.name (in this case)"),
            (same(true, true), "x contains the value of user.effective.name (in this case)"),
        ] {
            let predicate = Predicate::field(FieldName::new("x"), condition);
            assert_eq!(predicate.to_string(), expected);
        }
    }

    #[test]
    fn trees_keep_their_brackets() {
        let atom = |name: &'static str| Predicate::field(FieldName::new(name), Condition::Exists);
        let tree = Predicate::And(vec![
            atom("a"),
            Predicate::Or(vec![atom("b"), atom("c")]),
            Predicate::Not(Box::new(Predicate::Or(vec![atom("d"), Predicate::Constant(false)]))),
        ]);
        let expected = "a exists and (b exists or c exists) and not (d exists or nothing)";
        assert_eq!(tree.to_string(), expected);
        let two = Predicate::AtLeast(2, vec![atom("a"), atom("b"), atom("c")]);
        assert_eq!(two.to_string(), "at least 2 of (a exists, b exists, c exists)");
        assert_eq!(Predicate::And(Vec::new()).to_string(), "anything");
    }
}
