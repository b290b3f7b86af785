//! Patterns: what a rule looks for in the last lines (sec(1), "PATTERNS, PATTERN TYPES AND MATCH
//! VARIABLES").

mod dialect;
mod expression;
mod index;
mod literals;
mod perl;

use memchr::memmem;

use crate::expression::Expression;
use crate::port::Code;
use crate::read::Compiler;
use crate::template::{Rounds, Template, Values, Variable};
use crate::text::Text;
use crate::variables::Names;

pub(crate) use expression::Regex;
pub(crate) use index::{Candidates, Index};

/// The most lines that a pattern may look at.
const LINES: usize = 1_000;

/// What a rule looks for.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub test: Test,
    pub negated: bool,
    /// Names for numbered variables; those of a `varmap` before those of the expression.
    pub names: Names,
    /// Names under which the match is cached.
    pub entries: Vec<Box<str>>,
}

#[derive(Debug)]
pub(crate) enum Test {
    Regex { lines: usize, regex: Regex },
    Substring { lines: usize, finder: memmem::Finder<'static> },
    Perl { lines: usize, code: Code },
    Cached(Box<str>),
    Truth(bool),
    Expression(Box<Expression>),
}

/// The second pattern of a pair, which may hold values of the first match.
#[derive(Debug)]
pub(crate) enum Second {
    /// It is the same for all operations.
    Fixed(Box<Pattern>),
    /// It is made anew for each operation.
    Made { template: Template, kind: Type, fields: Varmap },
}

/// The pattern of a group of events.
#[derive(Debug)]
pub(crate) struct GroupPattern {
    pub test: Test,
    pub negated: bool,
}

/// A pattern's type as a rule names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Type {
    pub base: Base,
    pub negated: bool,
    pub lines: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base {
    RegExp,
    SubStr,
    PerlFunc,
    Cached,
    TValue,
    Expr,
}

/// What a `varmap` says: names for numbered variables, names of cache entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Varmap {
    pub map: Vec<(Box<str>, usize)>,
    pub entries: Vec<Box<str>>,
}

impl Type {
    /// Reads a type's name; case does not matter.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let (negated, rest) = match lower.strip_prefix('n') {
            Some(rest) => (true, rest),
            None => (false, lower.as_str()),
        };
        for (name, base) in
            [("regexp", Base::RegExp), ("substr", Base::SubStr), ("perlfunc", Base::PerlFunc)]
        {
            if let Some(count) = rest.strip_prefix(name) {
                let lines = if count.is_empty() { 1 } else { number(count)? };
                return (1..=LINES).contains(&lines).then_some(Self { base, negated, lines });
            }
        }
        match (rest, negated) {
            ("cached", _) => Some(Self { base: Base::Cached, negated, lines: 1 }),
            ("expr", false) => Some(Self { base: Base::Expr, negated, lines: 1 }),
            ("tvalue", false) => Some(Self { base: Base::TValue, negated, lines: 1 }),
            _ => None,
        }
    }

    /// Whether a match sets variables.
    pub(crate) const fn sets_variables(self) -> bool {
        match self.base {
            Base::RegExp | Base::PerlFunc | Base::Expr => true,
            Base::Cached => !self.negated,
            Base::SubStr | Base::TValue => false,
        }
    }

    /// Whether a `varmap` means anything.
    pub(crate) const fn maps(self) -> bool {
        matches!(self.base, Base::RegExp | Base::PerlFunc) && !self.negated
    }
}

impl Varmap {
    /// Reads a `varmap` field.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut map = Self::default();
        // One may end in semicolons, an empty piece before others is a mistake.
        for part in text.trim_end_matches(';').split(';').map(str::trim) {
            let (name, number_) = match part.split_once('=') {
                Some((name, number_)) => (name.trim(), Some(number_.trim())),
                None => (part, None),
            };
            if !name.starts_with(|first: char| first.is_ascii_alphabetic())
                || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            {
                return Err(format!(
                    "`{name}` is no name of a variable: a letter, then letters, digits and `_`"
                ));
            }
            match number_ {
                None => map.entries.push(name.into()),
                Some(text) => {
                    let number = number(text)
                        .ok_or_else(|| format!("`{text}` is no number of a variable"))?;
                    map.map.push((name.into(), number));
                }
            }
        }
        Ok(map)
    }
}

pub(crate) fn number(text: &str) -> Option<usize> {
    (text.len() <= 9 && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}

impl Pattern {
    /// Makes a pattern of its type and text.
    pub(crate) fn new(
        kind: Type,
        text: &[u8],
        varmap: Varmap,
        compiler: &mut Compiler<'_, '_>,
    ) -> Result<Self, String> {
        let test = Test::new(kind, text, Some(compiler))?;
        Ok(Self::of(test, kind, varmap))
    }

    fn of(test: Test, kind: Type, varmap: Varmap) -> Self {
        let groups = match &test {
            Test::Regex { regex, .. } if !kind.negated => regex.names(),
            _ => &[],
        };
        let mapped = |name: &str| varmap.map.iter().any(|(known, _)| **known == *name);
        let groups = groups.iter().filter(|(name, _)| !mapped(name));
        let names = varmap.map.iter().chain(groups).cloned().collect();
        Self { test, negated: kind.negated, names, entries: varmap.entries }
    }

    /// How many lines it looks at.
    pub(crate) const fn lines(&self) -> usize {
        self.test.lines()
    }
}

impl Test {
    fn new(
        kind: Type,
        text: &[u8],
        compiler: Option<&mut Compiler<'_, '_>>,
    ) -> Result<Self, String> {
        Ok(match kind.base {
            Base::RegExp => {
                Self::Regex { lines: kind.lines, regex: Regex::new(text, kind.lines > 1)? }
            }
            Base::SubStr => {
                let needle = unescaped(text);
                Self::Substring {
                    lines: kind.lines,
                    finder: memmem::Finder::new(&needle).into_owned(),
                }
            }
            Base::PerlFunc => {
                let compiler = compiler.ok_or("code cannot be made while rules run")?;
                Self::Perl { lines: kind.lines, code: compiler.function(text, text)? }
            }
            Base::Cached => {
                let name = String::from_utf8_lossy(text).into_owned();
                if !name.starts_with(|first: char| first.is_ascii_alphabetic())
                    || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                {
                    return Err(format!(
                        "`{name}` is no name of a cache entry: a letter, then letters, digits and `_`"
                    ));
                }
                Self::Cached(name.into())
            }
            Base::Expr => {
                let compiler = compiler.ok_or("an expression cannot be made while rules run")?;
                Self::Expression(Box::new(compiler.expression(text)?))
            }
            Base::TValue => match text.to_ascii_lowercase().as_slice() {
                b"true" => Self::Truth(true),
                b"false" => Self::Truth(false),
                _ => {
                    return Err(format!(
                        "`{}` is no truth value: TRUE or FALSE",
                        String::from_utf8_lossy(text)
                    ));
                }
            },
        })
    }

    /// How many lines it looks at.
    pub(crate) const fn lines(&self) -> usize {
        match self {
            Self::Regex { lines, .. }
            | Self::Substring { lines, .. }
            | Self::Perl { lines, .. } => *lines,
            Self::Cached(_) | Self::Truth(_) | Self::Expression(_) => 1,
        }
    }
}

impl Second {
    /// Reads the second pattern of a pair; `first_sets` says whether the first one sets variables.
    pub(crate) fn new(
        kind: Type,
        text: &[u8],
        varmap: Varmap,
        first_sets: bool,
        fields: bool,
        compiler: &mut Compiler<'_, '_>,
    ) -> Result<Self, String> {
        if first_sets && matches!(kind.base, Base::RegExp | Base::SubStr) {
            let template = Template::new(text, Rounds { dollar: true, fields, ..Rounds::NONE });
            if template.variables().next().is_some() {
                return Ok(Self::Made { template, kind, fields: varmap });
            }
        }
        Ok(Self::Fixed(Box::new(Pattern::new(kind, text, varmap, compiler)?)))
    }

    /// The pattern of an operation that the first match starts.
    pub(crate) fn made(&self, values: &dyn Values) -> Option<Result<Pattern, String>> {
        match self {
            Self::Fixed(_) => None,
            Self::Made { template, kind, fields } => {
                let text = match kind.base {
                    Base::RegExp => template.expand_masked(values, quoted),
                    _ => template.expand_masked(values, <[u8]>::to_vec),
                };
                let test = match kind.base {
                    Base::RegExp => Regex::quick(&text, kind.lines > 1)
                        .map(|regex| Test::Regex { lines: kind.lines, regex }),
                    _ => Test::new(*kind, &text, None),
                };
                Some(test.map(|test| Pattern::of(test, *kind, fields.clone())))
            }
        }
    }

    /// One of these is in every line that any operation's pattern matches.
    fn literals(&self) -> Option<Vec<Vec<u8>>> {
        let Self::Made { template, kind, .. } = self else { return None };
        if kind.negated || kind.lines > 1 {
            return None;
        }
        match kind.base {
            Base::SubStr => {
                let longest = template.literals().map(unescaped).max_by_key(Vec::len)?;
                (!longest.is_empty()).then(|| vec![longest])
            }
            // Anything may stand where a value stands.
            _ => {
                let hole = |_: &[u8]| b"(?:.*)".to_vec();
                let pattern = template.expand_masked(&Hole, hole);
                Regex::new(&pattern, false).ok()?.required
            }
        }
    }

    /// How many lines it looks at.
    pub(crate) const fn lines(&self) -> usize {
        match self {
            Self::Fixed(pattern) => pattern.lines(),
            Self::Made { kind, .. } => kind.lines,
        }
    }
}

impl GroupPattern {
    /// Reads `egptype` and `egpattern`.
    pub(crate) fn new(
        kind: Type,
        text: &[u8],
        compiler: &mut Compiler<'_, '_>,
    ) -> Result<Self, String> {
        if matches!(kind.base, Base::Cached | Base::TValue | Base::Expr) || kind.lines > 1 {
            return Err("the pattern of a group is of type SubStr, NSubStr, RegExp, NRegExp, PerlFunc or NPerlFunc".to_owned());
        }
        Ok(Self { test: Test::new(kind, text, Some(compiler))?, negated: kind.negated })
    }
}

/// A value that stands for any.
struct Hole;

impl Values for Hole {
    fn push(&self, _: &Variable, to: &mut Text) {
        to.push_data(b"0");
    }
}

/// Masks what means something in an expression, as Perl's quotemeta does.
fn quoted(value: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(value.len() * 2);
    for byte in value {
        if !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte < 0x80 {
            quoted.push(b'\\');
        }
        quoted.push(*byte);
    }
    quoted
}

/// A SubStr pattern with its escapes resolved.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut result = Vec::with_capacity(text.len());
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            result.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b't') => result.push(b'\t'),
            Some(b'n') => result.push(b'\n'),
            Some(b'r') => result.push(b'\r'),
            Some(b's') => result.push(b' '),
            Some(b'0') => {}
            Some(b'\\') => result.push(b'\\'),
            Some(other) => result.extend_from_slice(&[b'\\', other]),
            None => result.push(b'\\'),
        }
    }
    result
}
