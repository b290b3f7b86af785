//! Whether a pattern occurs in a text between word boundaries (see [`crate::tokens`]).

use std::borrow::Cow;

use crate::pattern::{Part, Pattern, fold, glob};
use crate::tokens::is_word;

/// Whether the pattern occurs in `text` with a word boundary at each end that is a word character.
pub(crate) fn has_words(pattern: &Pattern, text: &str) -> bool {
    let folded = if pattern.is_cased() { Cow::Borrowed(text) } else { fold(text) };
    has_words_folded(pattern, &folded)
}

/// As [`has_words`], for text in the case of the pattern.
pub(crate) fn has_words_folded(pattern: &Pattern, folded: &str) -> bool {
    if let Some(literal) = pattern.as_literal() {
        return literal.is_empty() || has_literal_words(literal, folded);
    }
    // Wildcards stop at white space, so each run of other text is looked at on its own.
    folded.split_whitespace().any(|run| has_wildcard_words(pattern.parts(), run))
}

/// Whether the pattern matches some part of `run` that starts and ends at word boundaries.
///
/// A part that is longer at either end still matches wherever the pattern's first and last pieces
/// fit, because a `*` takes what lies between: the longest such part alone is tried, so that a long
/// hostile line costs no more than its length.
fn has_wildcard_words(parts: &[Part], run: &str) -> bool {
    let places: Vec<usize> = boundaries(run).collect();
    let first_star = parts.iter().position(|part| *part == Part::AnyRun);
    let last_star = parts.iter().rposition(|part| *part == Part::AnyRun);
    let (Some(first_star), Some(last_star)) = (first_star, last_star) else {
        let length = characters(parts);
        return places.iter().any(|start| {
            let text = run.get(*start..).unwrap_or_default();
            let end = start + after(text, length).unwrap_or(run.len());
            places.binary_search(&end).is_ok()
                && run.get(*start..end).is_some_and(|part| glob(parts, part))
        });
    };
    let opening = parts.get(..first_star).unwrap_or_default();
    let closing = parts.get(last_star + 1..).unwrap_or_default();
    let opens = |start: &&usize| {
        let text = run.get(**start..).unwrap_or_default();
        let end = after(text, characters(opening));
        end.and_then(|end| text.get(..end)).is_some_and(|text| glob(opening, text))
    };
    let closes = |end: &&usize| {
        let text = run.get(..**end).unwrap_or_default();
        let start = before_end(text, characters(closing));
        start.and_then(|start| text.get(start..)).is_some_and(|text| glob(closing, text))
    };
    let (start, end) = (places.iter().find(opens), places.iter().rfind(closes));
    start
        .zip(end)
        .and_then(|(start, end)| run.get(*start..*end))
        .is_some_and(|part| glob(parts, part))
}

/// How many characters parts without `*` match.
fn characters(parts: &[Part]) -> usize {
    parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.chars().count(),
            Part::AnyOne | Part::AnyDash => 1,
            Part::AnyRun => 0,
        })
        .sum()
}

/// The byte after the first `count` characters, where there are so many.
fn after(text: &str, count: usize) -> Option<usize> {
    let ends = text.char_indices().map(|(at, character)| at + character.len_utf8());
    std::iter::once(0).chain(ends).nth(count)
}

/// The byte at which the last `count` characters begin, where there are so many.
fn before_end(text: &str, count: usize) -> Option<usize> {
    let starts = text.char_indices().rev().map(|(at, _)| at);
    std::iter::once(text.len()).chain(starts).nth(count)
}

/// Where words begin and end, in ascending order, and both ends of the run.
fn boundaries(run: &str) -> impl Iterator<Item = usize> + '_ {
    std::iter::once(0)
        .chain(crate::tokens::ranges(run).flat_map(|(start, end)| [start, end]))
        .chain(std::iter::once(run.len()))
}

fn has_literal_words(literal: &str, text: &str) -> bool {
    let Some(first) = literal.chars().next() else { return true };
    let closes = literal.chars().next_back().is_some_and(is_word);
    let mut from = 0;
    while let Some(rest) = text.get(from..)
        && let Some(found) = memchr::memmem::find(rest.as_bytes(), literal.as_bytes())
    {
        let start = from + found;
        let before = text.get(..start).and_then(|before| before.chars().next_back());
        let after = text.get(start + literal.len()..).and_then(|after| after.chars().next());
        let glued =
            is_word(first) && before.is_some_and(is_word) || closes && after.is_some_and(is_word);
        if !glued {
            return true;
        }
        // The next one may overlap this one: 0.0.1 in 10.0.0.0.1.
        from = start + first.len_utf8();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_overlap_are_found() {
        assert!(has_literal_words("0.0.0", "10.0.0.0"));
        assert!(!has_literal_words("0.0.0", "10.0.01"));
        assert!(has_literal_words("ä-ä", "xä-ä-ä"));
    }

    #[test]
    fn a_long_hostile_line_costs_little() {
        let line = "a.".repeat(500_000);
        for words in ["a*b", "*a*b*", "a.?.a*x", "a?a.c"] {
            assert!(!has_words(&Pattern::with_wildcards(words, false), &line), "{words}");
        }
        assert!(has_words(&Pattern::with_wildcards("a.a*.a", false), &line));
    }

    proptest::proptest! {
        /// The longest part stands for all of them.
        #[test]
        fn wildcard_words_agree_with_every_part(
            pattern in "[ab.*?]{1,6}", run in "[abä.-]{0,10}",
        ) {
            let pattern = Pattern::with_wildcards(&pattern, false);
            proptest::prop_assume!(pattern.has_wildcard());
            let naive = boundaries(&run).any(|start| {
                boundaries(&run).filter(|end| *end >= start).any(|end| {
                    run.get(start..end).is_some_and(|part| pattern.matches_folded(part))
                })
            });
            proptest::prop_assert_eq!(has_wildcard_words(pattern.parts(), &run), naive);
        }
    }
}
