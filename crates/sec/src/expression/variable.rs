//! Variables as expressions and texts in double quotes write them.

use crate::template::{Name, Variable};

/// The variable that a text begins with, its sign included, and how many bytes it takes.
pub(super) fn variable(text: &str) -> Option<(Variable, usize)> {
    let sign = text.chars().next()?;
    let rest = text.get(1..)?;
    match sign {
        '$' => {
            if let Some((inner, length)) = braced(rest, ":{", |c| is_name(c) || c == ':') {
                let (entry, name) = inner
                    .split_once(':')
                    .filter(|(entry, name)| !entry.is_empty() && !name.is_empty())?;
                return Some((Variable::Cached(entry.into(), name_of(name)), 1 + length));
            }
            let (name, length) = of_match(rest)?;
            Some((Variable::Match(name), 1 + length))
        }
        '%' => {
            if let Some((name, length)) = of_match(rest) {
                return Some((Variable::First(name), 1 + length));
            }
            if let Some((inner, length)) = braced(rest, "{", |c| is_word(c) || c == '.') {
                return (list_name(inner) == inner.len())
                    .then(|| (Variable::List(inner.into()), 1 + length));
            }
            let length = list_name(rest);
            let name = rest.get(..length).filter(|name| !name.is_empty())?;
            Some((Variable::List(name.into()), 1 + length))
        }
        _ => None,
    }
}

/// `1`, `{1}`, `+{name}`.
fn of_match(rest: &str) -> Option<(Name, usize)> {
    if let Some((inner, length)) = braced(rest, "+{", is_name) {
        return Some((name_of(inner), length));
    }
    if let Some((inner, length)) = braced(rest, "{", |c| c.is_ascii_digit()) {
        return Some((Name::Number(inner.parse().ok()?), length));
    }
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    Some((Name::Number(rest.get(..digits)?.parse().ok()?), digits))
}

fn name_of(text: &str) -> Name {
    match text.parse() {
        Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => Name::Number(number),
        _ => Name::Named(text.into()),
    }
}

fn braced<'t>(rest: &'t str, open: &str, good: impl Fn(char) -> bool) -> Option<(&'t str, usize)> {
    let (inner, _) = rest.strip_prefix(open)?.split_once('}')?;
    (!inner.is_empty() && inner.chars().all(good)).then_some((inner, open.len() + inner.len() + 1))
}

/// A letter and word characters; of built-in ones after a dot.
fn list_name(rest: &str) -> usize {
    let dot = usize::from(rest.starts_with('.'));
    let name = rest.get(dot..).unwrap_or_default();
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return 0;
    }
    dot + name.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Names of fields have dots in them.
fn is_name(c: char) -> bool {
    is_word(c) || matches!(c, '.' | '!' | '-' | '@')
}
