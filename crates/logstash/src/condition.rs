//! Conditions as searches.
//!
//! Logstash compares texts with their case, searches without: a comparison becomes an expression
//! (`name:/^Value$/`) where that could matter. Only for `type` and `tags`, whose values are words of
//! the configuration itself, and for `true` and `false` it is the plain word.

use std::fmt::Write as _;

use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_query::{TextRegex, search};

use crate::diagnostic::Told;
use crate::names::Names;
use crate::syntax::{Condition, Operand, OperandKind, Operator, Place};

/// Why a condition has no search, and where it stands.
#[derive(Debug, PartialEq)]
pub(crate) struct Untold {
    pub(crate) place: Place,
    pub(crate) message: String,
}

/// A search, and how tight its outermost joint is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Search {
    text: String,
    joint: Joint,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Joint {
    Or,
    And,
    None,
}

/// The search that holds where the condition does.
pub(crate) fn search(
    condition: &Condition,
    place: Place,
    names: &Names,
    told: &mut Told,
) -> Result<Search, Untold> {
    let found = translate(condition, names, told)?;
    // The search language has bounds of its own.
    match search::parse(&found.text, Timestamp::from_seconds(0)) {
        Ok(_) => Ok(found),
        Err(error) => {
            let message = format!("the condition has no search: {}", error.message);
            Err(Untold { place, message })
        }
    }
}

impl Search {
    /// The search that a field is one of these plain words.
    pub(crate) fn any_word(name: &str, words: &[String]) -> Search {
        let any = words.iter().map(|text| Search::atom(format!("{name}:{}", word(text)))).collect();
        Search::joined(any, Joint::Or)
    }

    /// The search that holds where both do.
    pub(crate) fn and(self, other: Search) -> Search {
        Search::joined(vec![self, other], Joint::And)
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    fn atom(text: String) -> Search {
        Search { text, joint: Joint::None }
    }

    fn under(self, joint: Joint) -> String {
        if self.joint < joint { format!("({})", self.text) } else { self.text }
    }

    /// The search that holds where this does not.
    pub(crate) fn not(self) -> Search {
        Search::atom(format!("NOT {}", self.under(Joint::None)))
    }

    fn joined(parts: Vec<Search>, joint: Joint) -> Search {
        if parts.len() < 2 {
            return parts.into_iter().next().unwrap_or_else(|| Search::atom(String::new()));
        }
        let word = if joint == Joint::Or { " OR " } else { " AND " };
        let texts: Vec<String> = parts.into_iter().map(|part| part.under(joint)).collect();
        Search { text: texts.join(word), joint }
    }
}

fn translate(condition: &Condition, names: &Names, told: &mut Told) -> Result<Search, Untold> {
    let mut each = |some: &[Condition]| {
        some.iter().map(|one| translate(one, names, told)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match condition {
        Condition::And(all) => Search::joined(each(all)?, Joint::And),
        Condition::Or(any) => Search::joined(each(any)?, Joint::Or),
        Condition::Not(inner) => translate(inner, names, told)?.not(),
        Condition::Xor(left, right) => {
            let left = translate(left, names, told)?.under(Joint::None);
            let right = translate(right, names, told)?.under(Joint::None);
            let text = format!("{left} AND NOT {right} OR NOT {left} AND {right}");
            Search { text, joint: Joint::Or }
        }
        Condition::Truth(operand) => match &operand.kind {
            OperandKind::Field(path) => Search::atom(format!("{}:*", field(&read(path, names)))),
            _ => return Err(untold(operand, "a value alone is no condition here")),
        },
        Condition::Compare(left, operator, right) => compare(left, *operator, right, names, told)?,
    })
}

fn read(path: &[String], names: &Names) -> String {
    names.read(&format!("[{}]", path.join("][")))
}

fn untold(operand: &Operand, message: impl Into<String>) -> Untold {
    Untold { place: operand.place, message: message.into() }
}

fn compare(
    left: &Operand,
    operator: Operator,
    right: &Operand,
    names: &Names,
    told: &mut Told,
) -> Result<Search, Untold> {
    use OperandKind::{Array, Field, Number, Regex, Text};
    let negated = matches!(operator, Operator::NotEqual | Operator::DoesNotMatch | Operator::NotIn);
    let found = match (&left.kind, operator, &right.kind) {
        (Field(path), Operator::Equal | Operator::NotEqual, value @ (Text(_) | Number(_)))
        | (value @ (Text(_) | Number(_)), Operator::Equal | Operator::NotEqual, Field(path)) => {
            equal(&read(path, names), value)
        }
        (Field(path), Operator::Matches | Operator::DoesNotMatch, Regex(expression)) => {
            let expression = rewritten(expression).map_err(|reason| untold(right, reason))?;
            Search::atom(format!("{}:/{expression}/", field(&read(path, names))))
        }
        (Field(path), Operator::In | Operator::NotIn, Array(values)) => {
            let name = read(path, names);
            let mut any = Vec::new();
            for value in values {
                match &value.kind {
                    kind @ (Text(_) | Number(_)) => any.push(equal(&name, kind)),
                    _ => return Err(untold(value, "only texts and numbers can be listed")),
                }
            }
            if any.is_empty() {
                return Err(untold(right, "the list is empty"));
            }
            Search::joined(any, Joint::Or)
        }
        (Text(word), Operator::In | Operator::NotIn, Field(path)) => {
            let name = read(path, names);
            if matches!(
                FieldName::new(name.as_str()),
                FieldName::Known(bergfried_event::Field::Tags)
            ) {
                equal("tags", &Text(word.clone()))
            } else {
                if !matches!(name.as_str(), "message" | "event.original") {
                    let message = format!(
                        "`in` looks for the text within `{name}`; of a list Logstash compares whole \
                         elements"
                    );
                    told.differs(right.place, message);
                }
                Search::atom(format!("{}:/{}/", field(&name), escaped(word)))
            }
        }
        (
            Field(path),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual,
            Number(number) | Text(number),
        ) => {
            if number.parse::<f64>().is_err() {
                return Err(untold(right, "texts cannot be compared by their order"));
            }
            if matches!(right.kind, Text(_)) {
                told.differs(right.place, format!("`{number}` is compared as a number"));
            }
            Search::atom(format!("{}:{operator}{number}", field(&read(path, names))))
        }
        (Field(_), _, Field(_)) => {
            return Err(untold(right, "a field cannot be compared with another field"));
        }
        _ => return Err(untold(left, format!("`{operator}` between such values has no search"))),
    };
    Ok(if negated { found.not() } else { found })
}

/// The search for a field that is this text or number.
fn equal(name: &str, value: &OperandKind) -> Search {
    let shown = field(name);
    Search::atom(match value {
        OperandKind::Number(number) => format!("{shown}:[{number} TO {number}]"),
        OperandKind::Text(text) => {
            let words = matches!(
                FieldName::new(name),
                FieldName::Known(Field::Message | Field::EventOriginal | Field::ProcessCommandLine)
            );
            let of_configuration =
                matches!(name, "type" | "tags") || matches!(text.as_str(), "true" | "false");
            let has_case = text.chars().any(|c| c.is_lowercase() || c.is_uppercase());
            if words || has_case && !of_configuration {
                format!("{shown}:/^{}$/", escaped(text))
            } else {
                format!("{shown}:{}", word(text))
            }
        }
        _ => format!("{shown}:*"),
    })
}

/// A word, in quotation marks where it has anything but letters, digits, `_`, `-` and `.`.
fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// The name of a field as a search takes it.
pub(crate) fn field(name: &str) -> String {
    // The search language takes these for @timestamp; a chain has them as fields of their own.
    let of_time = matches!(name, "time" | "timestamp" | "event.created");
    let plain = format!("{name}:*");
    if !of_time && search::parse(&plain, Timestamp::from_seconds(0)).is_ok() && !name.contains(' ')
    {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// An expression that matches exactly this text, fit to stand between slashes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if r"\.+*?()|[]{}^$#&-~".contains(character) {
            out.push('\\');
        }
        push(&mut out, character);
    }
    out
}

/// A character of an expression; a slash or white space would end it.
fn push(out: &mut String, character: char) {
    if character == '/' || character.is_whitespace() || character.is_control() {
        let _infallible = write!(out, "\\x{{{:x}}}", u32::from(character));
    } else {
        out.push(character);
    }
}

/// An expression of Ruby's in the syntax of ours.
fn rewritten(expression: &str) -> Result<String, String> {
    let mut out = String::with_capacity(expression.len());
    let mut in_class = false;
    let mut by_line = false;
    let mut characters = expression.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('h') => out.push_str(if in_class { "0-9A-Fa-f" } else { "[0-9A-Fa-f]" }),
                Some('H') if !in_class => out.push_str("[^0-9A-Fa-f]"),
                Some('Z') => out.push_str(r"\n?\z"),
                Some('e') => out.push_str(r"\x1b"),
                Some(plain @ ('/' | ' ' | '<' | '>' | '"' | '\'')) => push(&mut out, plain),
                Some(other) => out.extend(['\\', other]),
                None => return Err("the expression ends in a backslash".to_owned()),
            },
            '[' => {
                in_class = true;
                out.push('[');
                if characters.next_if_eq(&'^').is_some() {
                    out.push('^');
                }
                if characters.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '^' | '$' if !in_class => {
                by_line = true;
                out.push(character);
            }
            '(' if !in_class && characters.next_if_eq(&'?').is_some() => {
                out.push_str("(?");
                while let Some(flag) = characters.next_if(|c| matches!(c, 'm' | 'i' | 'x' | '-')) {
                    if flag == 'x' {
                        return Err(
                            "expressions with white space in them (x) are not taken".to_owned()
                        );
                    }
                    // In Ruby m lets the dot match line ends, here that is s.
                    out.push(if flag == 'm' { 's' } else { flag });
                }
            }
            other => push(&mut out, other),
        }
    }
    // In Ruby ^ and $ stand at every line of the text.
    let out = if by_line { format!("(?m){out}") } else { out };
    match TextRegex::new(&out) {
        Ok(_) => Ok(out),
        Err(error) => Err(format!("the expression is not taken: {}", error.reason)),
    }
}

#[cfg(test)]
mod tests;
