//! Finds which texts of a column meet a condition: a literal that the condition cannot hold without
//! is searched for in all of them at once, and only the texts that have it are judged one by one.

use std::borrow::Cow;

use bergfried_event::{Event, Timestamp, Value};
use bergfried_query::{Condition, Part, Pattern};
use memchr::memmem::Finder;

use super::columns::from_cell;
use super::pages::TextColumn;

/// Texts are searched so many bytes at a time, which the nearer caches hold.
const WINDOW: usize = if cfg!(test) { 32 } else { 128 << 10 };

/// For each text of the column whether it meets the condition; texts that begin like a list are
/// lists, where the column may hold such.
pub(crate) fn holding(column: &TextColumn, condition: &Condition, lists: bool) -> Vec<bool> {
    let (text, ends) = column.all();
    let judge = Judge { condition, lists, nowhere: Event::new(Timestamp::default(), "") };
    let Some((pattern, needle)) = needle(condition) else {
        return column.distinct().map(|text| judge.holds(text)).collect();
    };
    let search = Search { judge, cased: pattern.is_cased(), finder: Finder::new(needle) };
    let mut truths = Vec::with_capacity(ends.len());
    let mut start = 0;
    let mut left = ends;
    while let Some(first) = left.first() {
        let within = left.partition_point(|end| *end - start <= WINDOW.max(*first - start));
        let (ends, rest) = left.split_at(within);
        let end = ends.last().copied().unwrap_or(start);
        search.window(text.get(start..end).unwrap_or_default(), start, ends, &mut truths);
        (start, left) = (end, rest);
    }
    truths
}

/// The longest literal of a pattern that the condition asks for.
fn needle(condition: &Condition) -> Option<(&Pattern, &str)> {
    let (Condition::Text(pattern) | Condition::Words(pattern)) = condition else { return None };
    let literals = pattern.parts().iter().filter_map(|part| match part {
        Part::Literal(literal) => Some(literal.as_str()),
        _ => None,
    });
    literals.max_by_key(|literal| literal.len()).map(|literal| (pattern, literal))
}

/// Decides texts one by one.
struct Judge<'c> {
    condition: &'c Condition,
    lists: bool,
    nowhere: Event<'static>,
}

impl Judge<'_> {
    fn holds(&self, text: &str) -> bool {
        if !self.is_list(text) {
            return self.condition.holds_field(Some(&Value::from(text)), &self.nowhere);
        }
        let list = from_cell(text);
        list.is_some_and(|list| self.condition.holds_field(Some(&list), &self.nowhere))
    }

    fn is_list(&self, text: &str) -> bool {
        self.lists && text.starts_with('[')
    }
}

/// A search for a needle.
struct Search<'c> {
    judge: Judge<'c>,
    /// Whether the needle stands in the texts as it is; else as their lower case.
    cased: bool,
    finder: Finder<'c>,
}

impl Search<'_> {
    /// Decides the texts that follow each other in `window`, which begins at `start` of all texts,
    /// where these are their ends.
    fn window(&self, window: &str, start: usize, ends: &[usize], truths: &mut Vec<bool>) {
        let before = truths.len();
        truths.resize(before + ends.len(), false);
        let truths = truths.get_mut(before..).unwrap_or_default();
        let text = |number: usize| {
            let begin =
                number.checked_sub(1).and_then(|before| ends.get(before)).map_or(start, |end| *end);
            let end = ends.get(number).map_or(begin, |end| *end);
            begin - start..end - start
        };
        // Lower-casing ASCII moves nothing. Other texts may get longer, and lists are written in
        // their own way: both are judged as they are.
        let is_ascii = self.cased || window.is_ascii();
        let has_lists = self.judge.lists && memchr::memchr(b'[', window.as_bytes()).is_some();
        let is_apart =
            |text: &str| !is_ascii && !text.is_ascii() || has_lists && self.judge.is_list(text);
        if !is_ascii || has_lists {
            for (number, truth) in truths.iter_mut().enumerate() {
                let text = window.get(text(number)).unwrap_or_default();
                *truth = is_apart(text) && self.judge.holds(text);
            }
        }
        let folded = if self.cased {
            Cow::Borrowed(window)
        } else {
            Cow::Owned(window.to_ascii_lowercase())
        };
        let (mut from, mut number) = (0, 0);
        while let Some(found) =
            folded.as_bytes().get(from..).and_then(|rest| self.finder.find(rest))
        {
            let at = from + found;
            let after = ends.get(number..).unwrap_or_default();
            number += after.partition_point(|end| *end - start <= at);
            let place = text(number);
            if at + self.finder.needle().len() > place.end {
                // It begins in one text and ends in the next.
                from = at + 1;
                continue;
            }
            from = place.end;
            let text = window.get(place.clone()).unwrap_or_default();
            if let Some(truth) = truths.get_mut(number)
                && !is_apart(text)
            {
                let folded = folded.get(place).filter(|_| !self.cased);
                let holds = folded.and_then(|folded| self.judge.condition.holds_folded(folded));
                *truth = holds.unwrap_or_else(|| self.judge.holds(text));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_each_text_by_itself_is_judged(
            texts in prop::collection::vec(
                "[abAB ßſK\\[\"*]{0,6}|\\[\"(a|A)b?\",\"b\"\\]|[ab ]{30,40}", 0..40,
            ),
            pattern in "[abAß\\[ *?\"]{0,4}",
            cased: bool,
            words: bool,
            lists: bool,
        ) {
            let pattern = Pattern::with_wildcards(&pattern, cased);
            let condition =
                if words { Condition::Words(pattern) } else { Condition::Text(pattern) };
            let column = TextColumn::of_texts(texts.iter().map(String::as_str));
            let nowhere = Event::new(Timestamp::default(), "");
            let judge = Judge { condition: &condition, lists, nowhere };
            let expected: Vec<bool> = texts.iter().map(|text| judge.holds(text)).collect();
            prop_assert_eq!(holding(&column, &condition, lists), expected);
        }
    }
}
