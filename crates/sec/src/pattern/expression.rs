//! Regular expressions of Perl's dialect over bytes: on the linear-time engine where it means the
//! same, on PCRE2 with a limit on its steps otherwise.

use std::borrow::Cow;

use super::dialect::means_the_same;
use super::literals::{has_empty_loop, required};
use super::perl::as_perl_reads;
use crate::variables::Groups;

/// How many steps PCRE2 may take for one text; it takes some ten million a second.
const STEPS: u32 = 1_000_000;
/// How many it may take where the linear-time engine stands behind it.
const QUICK_STEPS: u32 = 10_000;
/// How much memory the tables of a compiled expression may take.
const SIZE: usize = 4 << 20;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Regex {
    engine: Engine,
    /// Named groups and their numbers.
    names: Box<[(Box<str>, usize)]>,
    groups: usize,
    /// One of these is in every text that it matches.
    pub required: Option<Vec<Vec<u8>>>,
}

#[derive(Debug)]
enum Engine {
    Linear {
        regex: regex::bytes::Regex,
        /// The same on PCRE2, which finds groups several times as fast. Where it takes too many steps
        /// for a text, the linear one looks.
        groups: Option<pcre2::bytes::Regex>,
    },
    Backtracking(pcre2::bytes::Regex),
}

/// An expression took too many steps for a text: it counts as not matching.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overrun;

impl Regex {
    /// Compiles an expression that will meet many lines.
    pub(crate) fn new(pattern: &[u8], several_lines: bool) -> Result<Self, String> {
        let pattern = &as_perl_reads(pattern);
        let text = ascii(pattern);
        let hir =
            regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(&text).ok();
        if let Some(hir) = &hir
            && means_the_same(pattern, several_lines)
            && !has_empty_loop(hir)
            && let Ok(regex) =
                regex::bytes::RegexBuilder::new(&text).unicode(false).size_limit(SIZE).build()
        {
            let names = regex
                .capture_names()
                .enumerate()
                .filter_map(|(at, name)| Some((name?.into(), at)))
                .collect();
            let groups = regex.captures_len().saturating_sub(1);
            let quick = (groups > 0).then(|| pcre(&text, QUICK_STEPS, true).ok()).flatten();
            return Ok(Self {
                engine: Engine::Linear { regex, groups: quick },
                names,
                groups,
                required: required(hir),
            });
        }
        Self::backtracking(&text, true)
    }

    /// Compiles an expression that is made for one operation: quickly, as it may be one of very many.
    pub(crate) fn quick(pattern: &[u8], _several_lines: bool) -> Result<Self, String> {
        Self::backtracking(&ascii(&as_perl_reads(pattern)), false)
    }

    fn backtracking(text: &str, quick_to_run: bool) -> Result<Self, String> {
        let regex = pcre(text, STEPS, quick_to_run)?;
        let names = regex
            .capture_names()
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((name.as_deref()?.into(), at)))
            .collect();
        let groups = regex.captures_len().saturating_sub(1);
        Ok(Self { engine: Engine::Backtracking(regex), names, groups, required: None })
    }

    /// Whether it matches.
    pub(crate) fn is_match(&self, text: &[u8]) -> Result<bool, Overrun> {
        match &self.engine {
            Engine::Linear { regex, .. } => Ok(regex.is_match(text)),
            Engine::Backtracking(regex) => regex.is_match(text).map_err(|_| Overrun),
        }
    }

    /// The groups of its first match.
    pub(crate) fn captures(&self, text: &[u8]) -> Result<Option<Groups>, Overrun> {
        if self.groups == 0 {
            return Ok(self.is_match(text)?.then_some(Groups::One));
        }
        match &self.engine {
            Engine::Linear { regex, groups } => {
                if let Some(found) =
                    groups.as_ref().and_then(|regex| self.backtracked(regex, text).ok())
                {
                    return Ok(found);
                }
                let mut room = regex.capture_locations();
                Ok(regex
                    .captures_read(&mut room, text)
                    .map(|_| self.spans(|group| room.get(group))))
            }
            Engine::Backtracking(regex) => self.backtracked(regex, text),
        }
    }

    fn backtracked(
        &self,
        regex: &pcre2::bytes::Regex,
        text: &[u8],
    ) -> Result<Option<Groups>, Overrun> {
        let mut room = regex.capture_locations();
        let found = regex.captures_read(&mut room, text).map_err(|_| Overrun)?;
        Ok(found.map(|_| self.spans(|group| room.get(group))))
    }

    fn spans(&self, at: impl Fn(usize) -> Option<(usize, usize)>) -> Groups {
        let span = |(start, end): (usize, usize)| (start as u32, end as u32);
        Groups::Spans((1..=self.groups).map(|group| at(group).map(span)).collect())
    }

    /// Named groups and their numbers, from 1.
    pub(crate) fn names(&self) -> &[(Box<str>, usize)] {
        &self.names
    }

    /// How many groups it has.
    pub(crate) const fn groups(&self) -> usize {
        self.groups
    }

    /// Whether no text makes it slow.
    pub(crate) const fn is_linear(&self) -> bool {
        matches!(self.engine, Engine::Linear { .. })
    }

    /// Its text, as ASCII.
    pub(crate) fn text(&self) -> &str {
        match &self.engine {
            Engine::Linear { regex, .. } => regex.as_str(),
            Engine::Backtracking(regex) => {
                let text = regex.as_str();
                text.strip_prefix(&limit(STEPS)).unwrap_or(text)
            }
        }
    }
}

/// What an expression for PCRE2 begins with: the limit of its steps, and that groups may share a name
/// as they do in Perl.
fn limit(steps: u32) -> String {
    format!("(*LIMIT_MATCH={steps})(?J)")
}

/// Compiles an expression on PCRE2.
fn pcre(text: &str, steps: u32, quick_to_run: bool) -> Result<pcre2::bytes::Regex, String> {
    let mut builder = pcre2::bytes::RegexBuilder::new();
    if quick_to_run {
        builder.jit_if_available(true);
    }
    builder.build(&format!("{}{text}", limit(steps))).map_err(|error| {
        let what = error.to_string();
        // It says at which offset, too: of the text that it was given, which is not the rule's.
        let what = what.rsplit("PCRE2: ").next().unwrap_or(&what);
        let reason = what.split_once(" at offset ").and_then(|(_, rest)| rest.split_once(": "));
        format!("cannot compile the expression: {}", reason.map_or(what, |(_, reason)| reason))
    })
}

/// The pattern as ASCII: other bytes as `\xHH`, since both engines match bytes.
fn ascii(pattern: &[u8]) -> Cow<'_, str> {
    if pattern.is_ascii() {
        return String::from_utf8_lossy(pattern);
    }
    let mut text = String::with_capacity(pattern.len() * 2);
    for byte in pattern {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("\\x{byte:02X}"));
        }
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(pattern: &str, text: &str) -> Result<Option<Vec<Option<String>>>, Overrun> {
        let regex = Regex::new(pattern.as_bytes(), false).unwrap();
        Ok(match regex.captures(text.as_bytes())? {
            None => None,
            Some(Groups::Spans(spans)) => {
                let part = |(start, end): (u32, u32)| text[start as usize..end as usize].to_owned();
                Some(spans.iter().map(|span| span.map(part)).collect())
            }
            Some(_) => Some(Vec::new()),
        })
    }

    #[test]
    fn no_text_makes_a_linear_expression_slow_or_wrong() {
        let hostile = format!("{}b", "a".repeat(5_000));
        assert_eq!(groups("^(a|aa)+$", &hostile).unwrap(), None);
        assert_eq!(groups("^(?:a|aa)+(b)$", &hostile).unwrap(), Some(vec![Some("b".to_owned())]));
        assert!(groups(r"^(a|aa)+(?=c)\1$", &hostile).is_err(), "a step limit ends it");
    }

    #[test]
    fn both_engines_find_the_same_groups() {
        for (pattern, text) in [
            (r"user (\S+)(?: from (\S+))?", "for user bob"),
            (r"(a)|(b)", "xb"),
            (r"(\w+)\s+(?<rest>.*)$", "one two three"),
            (r"((\d+)\.)+(\d+)", "10.20.30.40"),
            (r"(x*)(y?)z", "xxz"),
            (r"(?i)(FAILED|failure) for (\S+?)(,|$)", "Failure for eve, mallory"),
        ] {
            let regex = Regex::new(pattern.as_bytes(), false).unwrap();
            let Engine::Linear { regex: linear, groups: Some(_) } = &regex.engine else {
                panic!("{pattern} does not run on both");
            };
            let expected = linear.captures(text.as_bytes()).unwrap();
            let expected: Vec<Option<String>> = (1..expected.len())
                .map(|at| {
                    expected
                        .get(at)
                        .map(|part| String::from_utf8_lossy(part.as_bytes()).into_owned())
                })
                .collect();
            assert_eq!(groups(pattern, text).unwrap(), Some(expected), "{pattern}");
        }
    }
}
