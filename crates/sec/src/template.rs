//! Texts of rules with variables in them.
//!
//! SEC puts values into a text in up to three rounds (sec(1), "PATTERNS, PATTERN TYPES AND MATCH
//! VARIABLES"): `%`-variables of a pair's first match, `$`-variables of the match, and, just before an
//! action runs, `%`-variables of action lists. A value put in by one round is masked from the rounds
//! after it. Most texts can be cut into pieces once; where a literal could grow together with a value
//! into another variable, the rounds run over the text itself.

use std::borrow::Cow;

use crate::text::Text;

/// Names a match variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// `$1`, `${1}`, `$+{1}`.
    Number(usize),
    /// `$+{user}`.
    Named(Box<str>),
}

impl Name {
    fn of(text: &str) -> Self {
        match text.parse() {
            Ok(number) if text.bytes().all(|byte| byte.is_ascii_digit()) => Self::Number(number),
            _ => Self::Named(text.into()),
        }
    }
}

/// Names any variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Variable {
    /// Of the match that the text belongs to.
    Match(Name),
    /// Of the first match of a pair.
    First(Name),
    /// Of an entry of the match cache: `$:{entry:name}`.
    Cached(Box<str>, Name),
    /// Of action lists: `%name`, `%.hmsstr`.
    List(Box<str>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Literal(Box<[u8]>),
    Variable(Variable),
}

/// Which rounds a text goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rounds {
    /// `$`: the pattern sets variables.
    pub dollar: bool,
    /// `%1`, `%+{name}`: both patterns of a pair set variables.
    pub first: bool,
    /// `%name`: the text is part of an action.
    pub list: bool,
    /// Names of fields may have dots in them.
    pub fields: bool,
}

/// Where values come from.
pub(crate) trait Values {
    /// Adds the value of a variable to a text; an unset one adds nothing.
    fn push(&self, variable: &Variable, to: &mut Text);
}

/// A text with variables in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pieces: Box<[Piece]>,
    /// The text itself, where pieces would not do.
    whole: Option<(Box<[u8]>, Rounds)>,
}

impl Template {
    /// Cuts a text into pieces.
    pub(crate) fn new(text: &[u8], rounds: Rounds) -> Self {
        let mut grown = false;
        let mut pieces = vec![Piece::Literal(text.into())];
        for round in rounds.in_order() {
            let mut next = Vec::new();
            let last = pieces.len();
            for (at, piece) in pieces.into_iter().enumerate() {
                match piece {
                    Piece::Variable(_) => next.push(piece),
                    Piece::Literal(literal) => {
                        grown |= at + 1 < last && round.could_grow(&literal, rounds.fields);
                        round.cut(&literal, rounds.fields, &mut next);
                    }
                }
            }
            pieces = next;
        }
        let mut joined: Vec<Piece> = Vec::new();
        for piece in pieces {
            match (joined.last_mut(), piece) {
                (_, Piece::Literal(literal)) if literal.is_empty() => {}
                (Some(Piece::Literal(before)), Piece::Literal(literal)) => {
                    *before = [&**before, &*literal].concat().into();
                }
                (_, piece) => joined.push(piece),
            }
        }
        Self { pieces: joined.into(), whole: grown.then(|| (text.into(), rounds)) }
    }

    /// The text, where it has no variables.
    pub(crate) fn constant(&self) -> Option<&[u8]> {
        match (&*self.pieces, &self.whole) {
            ([], None) => Some(b""),
            ([Piece::Literal(text)], None) => Some(text),
            _ => None,
        }
    }

    /// The variables in it.
    pub(crate) fn variables(&self) -> impl Iterator<Item = &Variable> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Variable(variable) => Some(variable),
            Piece::Literal(_) => None,
        })
    }

    /// The parts that are the same for all values.
    pub(crate) fn literals(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Literal(literal) => Some(&**literal),
            Piece::Variable(_) => None,
        })
    }

    /// The text with values in it.
    pub(crate) fn expand(&self, values: &dyn Values) -> Text {
        let mut text = Text::new();
        self.expand_into(values, &mut text);
        text
    }

    /// Adds the text with values in it to another.
    pub(crate) fn expand_into(&self, values: &dyn Values, text: &mut Text) {
        if let Some((whole, rounds)) = &self.whole {
            text.push_text(&in_rounds(whole, *rounds, values));
            return;
        }
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.push_trusted(literal),
                Piece::Variable(variable) => values.push(variable, text),
            }
        }
    }

    /// The text with values in it, each changed by `mask` (as quotemeta does).
    pub(crate) fn expand_masked(&self, values: &dyn Values, mask: fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut text = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => text.extend_from_slice(literal),
                Piece::Variable(variable) => {
                    let mut value = Text::new();
                    values.push(variable, &mut value);
                    text.extend(mask(value.bytes()));
                }
            }
        }
        text
    }
}

impl Rounds {
    /// A text that no values are put into.
    pub(crate) const NONE: Self = Self { dollar: false, first: false, list: false, fields: false };

    fn in_order(self) -> impl Iterator<Item = Round> {
        let all =
            [(self.first, Round::First), (self.dollar, Round::Dollar), (self.list, Round::List)];
        all.into_iter().filter_map(|(on, round)| on.then_some(round))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    Dollar,
    First,
    List,
}

impl Round {
    const fn sign(self) -> u8 {
        match self {
            Self::Dollar => b'$',
            Self::First | Self::List => b'%',
        }
    }

    /// The variable that a text begins with, after its sign, and how many bytes name it.
    fn variable(self, rest: &[u8], fields: bool) -> Option<(Variable, usize)> {
        let wrap = |name| match self {
            Self::First => Variable::First(name),
            _ => Variable::Match(name),
        };
        match self {
            Self::Dollar | Self::First => {
                if let Some((inner, length)) = braced(rest, b"+{", |byte| name_byte(byte, fields)) {
                    let first = *inner.first()?;
                    return (first.is_ascii_alphanumeric() || first == b'_')
                        .then(|| (wrap(Name::of(&text_of(inner))), length));
                }
                if let Some((inner, length)) = braced(rest, b"{", |byte| byte.is_ascii_digit()) {
                    return Some((wrap(Name::of(&text_of(inner))), length));
                }
                if self == Self::Dollar
                    && let Some((inner, length)) =
                        braced(rest, b":{", |byte| name_byte(byte, fields) || byte == b':')
                {
                    let text = text_of(inner);
                    let (entry, name) = text.split_once(':')?;
                    return Some((Variable::Cached(entry.into(), Name::of(name)), length));
                }
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                (digits > 0).then(|| {
                    (wrap(Name::of(&text_of(rest.get(..digits).unwrap_or_default()))), digits)
                })
            }
            Self::List => {
                if let Some((inner, length)) =
                    braced(rest, b"{", |byte| name_byte(byte, false) || byte == b'.')
                {
                    return (list_name(inner) == inner.len())
                        .then(|| (Variable::List(text_of(inner).into()), length));
                }
                let length = list_name(rest);
                let name = rest.get(..length).unwrap_or_default();
                (length > 0).then(|| (Variable::List(text_of(name).into()), length))
            }
        }
    }

    fn cut(self, text: &[u8], fields: bool, to: &mut Vec<Piece>) {
        let sign = self.sign();
        let mut literal = Vec::new();
        let mut at = 0;
        while let Some(found) = memchr::memchr(sign, text.get(at..).unwrap_or_default()) {
            literal.extend_from_slice(text.get(at..at + found).unwrap_or_default());
            let rest = text.get(at + found + 1..).unwrap_or_default();
            at += found + 1;
            if rest.first() == Some(&sign) {
                literal.push(sign);
                at += 1;
            } else if let Some((variable, length)) = self.variable(rest, fields) {
                to.push(Piece::Literal(std::mem::take(&mut literal).into()));
                to.push(Piece::Variable(variable));
                at += length;
            } else {
                literal.push(sign);
            }
        }
        literal.extend_from_slice(text.get(at..).unwrap_or_default());
        to.push(Piece::Literal(literal.into()));
    }

    /// Whether a literal ends in what could be the beginning of a variable, so that a value after it
    /// could become part of the name.
    fn could_grow(self, literal: &[u8], fields: bool) -> bool {
        let Some(at) = memchr::memrchr(self.sign(), literal) else { return false };
        let signs = literal
            .get(..=at)
            .unwrap_or_default()
            .iter()
            .rev()
            .take_while(|byte| **byte == self.sign())
            .count();
        if signs % 2 == 0 {
            return false;
        }
        let rest = literal.get(at + 1..).unwrap_or_default();
        match rest.iter().position(|byte| *byte == b'}') {
            Some(_) => false,
            None => rest.iter().all(|byte| name_byte(*byte, fields) || b"{+:.".contains(byte)),
        }
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name_byte(byte: u8, fields: bool) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'!' || (fields && byte == b'.')
}

/// What stands in braces after `open`, and how long all of it is.
fn braced<'a>(rest: &'a [u8], open: &[u8], good: impl Fn(u8) -> bool) -> Option<(&'a [u8], usize)> {
    let inner = rest.strip_prefix(open)?;
    let length = inner.iter().take_while(|byte| good(**byte)).count();
    (length > 0 && inner.get(length) == Some(&b'}'))
        .then(|| (inner.get(..length).unwrap_or_default(), open.len() + length + 1))
}

/// How many bytes at the beginning name a variable of action lists: a letter and word characters, of
/// built-in ones after a dot.
fn list_name(rest: &[u8]) -> usize {
    let dot = usize::from(rest.first() == Some(&b'.'));
    match rest.get(dot) {
        Some(byte) if byte.is_ascii_alphabetic() => {
            dot + rest
                .iter()
                .skip(dot)
                .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
                .count()
        }
        _ => 0,
    }
}

/// The rounds one after the other over the text itself: the reference of [`Template::expand`].
fn in_rounds(text: &[u8], rounds: Rounds, values: &dyn Values) -> Text {
    let mut current = Text::trusted(text);
    let all: Vec<Round> = rounds.in_order().collect();
    for (at, round) in all.iter().enumerate() {
        let later: Vec<u8> = all.iter().skip(at + 1).map(|round| round.sign()).collect();
        current = one_round(&current, *round, rounds.fields, &later, values);
    }
    current
}

fn one_round(text: &Text, round: Round, fields: bool, later: &[u8], values: &dyn Values) -> Text {
    let sign = round.sign();
    let bytes = text.bytes();
    let mut result = Text::new();
    let mut at = 0;
    while let Some(found) = memchr::memchr(sign, bytes.get(at..).unwrap_or_default()) {
        result.push_part(text, at..at + found);
        let rest = bytes.get(at + found + 1..).unwrap_or_default();
        at += found + 1;
        if rest.first() == Some(&sign) {
            result.push_part(text, at..at + 1);
            at += 1;
        } else if let Some((variable, length)) = round.variable(rest, fields) {
            let mut value = Text::new();
            values.push(&variable, &mut value);
            result.push_text(&masked(&value, later));
            at += length;
        } else {
            result.push_part(text, at - 1..at);
        }
    }
    result.push_part(text, at..bytes.len());
    result
}

/// Doubles the signs of later rounds, so that these leave them alone.
fn masked<'a>(value: &'a Text, signs: &[u8]) -> Cow<'a, Text> {
    let mut seen = signs.to_vec();
    seen.dedup();
    if !value.bytes().iter().any(|byte| seen.contains(byte)) {
        return Cow::Borrowed(value);
    }
    let mut result = Text::new();
    for (at, byte) in value.bytes().iter().enumerate() {
        // A later round of the same sign takes one doubling away each.
        let times = 1 << signs.iter().filter(|sign| *sign == byte).count();
        for _ in 0..times {
            result.push_part(value, at..at + 1);
        }
    }
    Cow::Owned(result)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Values that try to be variables themselves.
    struct Nasty;

    impl Values for Nasty {
        fn push(&self, variable: &Variable, to: &mut Text) {
            match variable {
                Variable::Match(Name::Number(1)) => to.push_data(b"one"),
                Variable::Match(Name::Number(2)) => to.push_data(b"$1 %s %% $$ %1 {.nl}"),
                Variable::First(Name::Number(1)) => to.push_data(b"s%t$1"),
                Variable::Cached(..) => to.push_data(b"%{u}"),
                Variable::List(name) if &**name == "s" => {
                    to.push_text(&Text::trusted(&b"d%s$1"[..]))
                }
                Variable::List(name) if &**name == ".nl" => to.push_trusted(b"\n"),
                Variable::List(name) if &**name == "none" => {}
                Variable::Match(Name::Named(_)) | Variable::First(Name::Named(_)) => {
                    to.push_data(b"named")
                }
                _ => to.push_data(b"x"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn pieces_say_what_the_rounds_say(
            parts in prop::collection::vec(prop::sample::select(vec![
                "$", "$$", "$1", "$2", "${1}", "${", "}", "$+{n}", "$+{", "$:{E:1}", "%", "%%", "%1", "%2", "%{1}", "%+{n}",
                "%s", "%.nl", "%{.nl}", "%{s}", "%none", "a", "1", " ", ".", "text", "{", "+{",
            ]), 0..8),
            dollar: bool, first: bool, list: bool, fields: bool,
        ) {
            let text = parts.concat();
            let rounds = Rounds { dollar, first: first && dollar, list, fields };
            let template = Template::new(text.as_bytes(), rounds);
            let expected = in_rounds(text.as_bytes(), rounds, &Nasty);
            let made = template.expand(&Nasty);
            prop_assert_eq!(made.bytes(), expected.bytes(), "{}", text);
        }
    }

    #[test]
    fn variables_are_read_as_the_manual_has_them() {
        let action = Rounds { dollar: true, first: false, list: true, fields: false };
        let both = Rounds { first: true, ..action };
        for (text, rounds, expected) in [
            ("Received $$1", action, "Received $1"),
            ("Received $$$1", action, "Received $one"),
            ("Received ${1}0", action, "Received one0"),
            ("Received $10!", action, "Received x!"),
            ("s%%t", action, "s%t"),
            ("s%%%t", both, "s%t"),
            ("%1 %+{n} $1", both, "s%t$1 named one"),
            ("%1", action, "%1"),
            ("%none|%{.nl}two", action, "|\ntwo"),
            ("$1", Rounds { dollar: false, ..action }, "$1"),
        ] {
            let made = Template::new(text.as_bytes(), rounds).expand(&Nasty);
            assert_eq!(String::from_utf8_lossy(made.bytes()), expected, "{text}");
        }
    }
}
