//! Sets of characters: `[…]`, `\d` and its like, `\p{…}`.

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, HirKind};

use super::cursor::Cursor;
use super::escape::{Escaped, character};
use crate::error::GrokError;

/// How deep brackets may be nested.
const MAX_DEPTH: usize = 32;

/// Reads a bracket class whose `[` is read already.
pub(super) fn bracket(
    cursor: &mut Cursor<'_>,
    ignore_case: bool,
) -> Result<ClassUnicode, GrokError> {
    inside(cursor, ignore_case, 0)
}

fn inside(
    cursor: &mut Cursor<'_>,
    ignore_case: bool,
    depth: usize,
) -> Result<ClassUnicode, GrokError> {
    if depth > MAX_DEPTH {
        return Err(cursor.error("brackets are nested too deep"));
    }
    let negated = cursor.eat("^");
    // What stood before each `&&`, together.
    let mut common: Option<ClassUnicode> = None;
    let mut class = ClassUnicode::empty();
    let mut first = true;
    loop {
        if !first && cursor.eat("]") {
            break;
        }
        if cursor.eat("&&") {
            common = Some(both(common, &class));
            class = ClassUnicode::empty();
            first = false;
            continue;
        }
        // A ] that comes first stands for itself.
        let read = match first && cursor.eat("]") {
            true => Escaped::Character(']'),
            false => item(cursor, ignore_case, depth)?,
        };
        first = false;
        match read {
            Escaped::Class(more) => class.union(&more),
            Escaped::Character(low) => {
                let start = cursor.at();
                let high = if cursor.eat("-") && !cursor.rest().starts_with(']') {
                    match item(cursor, ignore_case, depth)? {
                        Escaped::Character(high) => Some(high),
                        // In [a-\d] the hyphen stands for itself.
                        Escaped::Class(more) => {
                            class.union(&more);
                            class.push(ClassUnicodeRange::new('-', '-'));
                            None
                        }
                    }
                } else {
                    cursor.back(start);
                    None
                };
                if high.is_some_and(|high| high < low) {
                    return Err(cursor.error("a range of characters is empty"));
                }
                class.push(ClassUnicodeRange::new(low, high.unwrap_or(low)));
            }
        }
    }
    let mut class = match common {
        None => class,
        common => both(common, &class),
    };
    // Before what is not wanted is turned around: [^b] is neither b nor B.
    if ignore_case {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    Ok(class)
}

fn both(common: Option<ClassUnicode>, class: &ClassUnicode) -> ClassUnicode {
    match common {
        None => class.clone(),
        Some(mut common) => {
            common.intersect(class);
            common
        }
    }
}

/// One character, range end, escape or class within brackets.
fn item(cursor: &mut Cursor<'_>, ignore_case: bool, depth: usize) -> Result<Escaped, GrokError> {
    if cursor.rest().starts_with("[:")
        && let Some(class) = posix(cursor)?
    {
        return Ok(Escaped::Class(class));
    }
    match cursor.next() {
        None => Err(cursor.error("a [ without its ]")),
        Some('[') => Ok(Escaped::Class(inside(cursor, ignore_case, depth + 1)?)),
        Some('\\') if cursor.eat("b") => Ok(Escaped::Character('\u{8}')),
        Some('\\') => character(cursor),
        Some(character) => Ok(Escaped::Character(character)),
    }
}

/// Reads `[:name:]`; none where it is not whole.
fn posix(cursor: &mut Cursor<'_>) -> Result<Option<ClassUnicode>, GrokError> {
    let start = cursor.at();
    cursor.eat("[:");
    let negated = cursor.eat("^");
    let name = cursor.take(20, |character| character.is_ascii_alphabetic());
    if !cursor.eat(":]") {
        cursor.back(start);
        return Ok(None);
    }
    let Some(mut class) = posix_class(name) else {
        return Err(cursor.error(format!("no class of characters is named [:{name}:]")));
    };
    if negated {
        class.negate();
    }
    Ok(Some(class))
}

/// The classes of POSIX over all of Unicode, as Oniguruma has them.
fn posix_class(name: &str) -> Option<ClassUnicode> {
    unicode(match name.to_ascii_lowercase().as_str() {
        "alnum" => r"[\p{Alphabetic}\p{Nd}]",
        "alpha" => r"\p{Alphabetic}",
        "ascii" => r"[\x00-\x7F]",
        "blank" => r"[\p{Zs}\t]",
        "cntrl" => r"\p{Cc}",
        "digit" => r"\p{Nd}",
        "graph" => r"[^\p{White_Space}\p{Cc}\p{Cn}\p{Cs}]",
        "lower" => r"\p{Lowercase}",
        "print" => r"[[^\p{White_Space}\p{Cc}\p{Cn}\p{Cs}]\p{Zs}]",
        "punct" => r"[\p{P}$+<=>^`|~]",
        "space" => r"\p{White_Space}",
        "upper" => r"\p{Uppercase}",
        "xdigit" => r"[0-9A-Fa-f]",
        "word" => r"[\p{L}\p{M}\p{Nd}\p{Pc}]",
        _ => return None,
    })
}

/// Reads what follows `\p` or `\P`.
pub(super) fn property(
    cursor: &mut Cursor<'_>,
    mut negated: bool,
) -> Result<ClassUnicode, GrokError> {
    if !cursor.eat("{") {
        return Err(cursor.error("\\p has no {…}"));
    }
    if cursor.eat("^") {
        negated = !negated;
    }
    let name = cursor.until('}').unwrap_or_default();
    let plain = name
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | ' ' | '-'));
    let class = posix_class(name)
        .or_else(|| unicode(&format!(r"\p{{{name}}}")).filter(|_| plain && !name.is_empty()));
    let Some(mut class) = class else {
        return Err(cursor.error(format!("no property of characters is named {name}")));
    };
    if negated {
        class.negate();
    }
    Ok(class)
}

/// `\d`, `\w`, `\s`, `\h` over ASCII alone, and their opposites.
pub(super) fn ascii(letter: char) -> Option<ClassUnicode> {
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        'd' => &[('0', '9')],
        'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        's' => &[('\t', '\r'), (' ', ' ')],
        'h' => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return None,
    };
    let mut class =
        ClassUnicode::new(ranges.iter().map(|(low, high)| ClassUnicodeRange::new(*low, *high)));
    if letter.is_ascii_uppercase() {
        class.negate();
    }
    Some(class)
}

/// A class as the regex crate writes it.
fn unicode(text: &str) -> Option<ClassUnicode> {
    match regex_syntax::parse(text).ok()?.into_kind() {
        HirKind::Class(Class::Unicode(class)) => Some(class),
        _ => None,
    }
}
