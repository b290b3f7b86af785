//! Where in a file a value of it stands, found by its path of keys and positions.

use crate::sigma::document::{Document, Place};

/// One step from a value into one that it holds.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// A run of lines that hold one value; its first line does from a byte on.
#[derive(Clone, Copy)]
struct Block {
    line: usize,
    column: usize,
    end: usize,
}

/// The place of the value at the end of the path: its key or its dash; where the file is written
/// in flow style (`{a: b}`), that of the deepest part that is not.
pub(crate) fn find(document: &Document<'_>, path: &[Step]) -> Place {
    let lines: Vec<&str> = document.text.lines().collect();
    let Some(mut block) = content(&lines, 0, lines.len()) else { return document.start() };
    let mut found = (block.line, block.column);
    for step in path {
        let next = match step {
            Step::Key(key) => entry_of_mapping(&lines, block, key),
            Step::Index(index) => entry_of_list(&lines, block, *index),
        };
        let Some((place, inner)) = next else { break };
        found = place;
        match inner {
            Some(inner) => block = inner,
            None => break,
        }
    }
    document.place(found.0, found.1)
}

/// The first line that says something, from which its block starts.
fn content(lines: &[&str], from: usize, end: usize) -> Option<Block> {
    let line = (from..end).find(|line| lines.get(*line).is_some_and(|text| says(text)))?;
    let column = indent(lines.get(line)?);
    let inside =
        |index: &usize| lines.get(*index).is_none_or(|text| !says(text) || indent(text) >= column);
    let end = (line..end).take_while(inside).last().map_or(end, |last| last + 1);
    Some(Block { line, column, end })
}

fn says(text: &str) -> bool {
    !text.trim_start().is_empty() && !text.trim_start().starts_with('#')
}

fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

/// Where the key stands, and the block of its value where that starts on a line of its own.
fn entry_of_mapping(
    lines: &[&str],
    block: Block,
    key: &str,
) -> Option<((usize, usize), Option<Block>)> {
    let at = |line: &usize| {
        let text = lines.get(*line).copied().unwrap_or_default();
        let starts = *line == block.line || indent(text) == block.column;
        starts && text.get(block.column..).is_some_and(|rest| is_key(rest, key))
    };
    let line = (block.line..block.end).find(at)?;
    let value = lines.get(line)?.get(block.column..)?.split_once(':').map(|(_, value)| value);
    if value.is_some_and(says) {
        return Some(((line, block.column), None));
    }
    let inner = content(lines, line + 1, block.end).filter(|inner| {
        let dash = lines.get(inner.line).is_some_and(|text| text.trim_start().starts_with('-'));
        inner.column > block.column || inner.column == block.column && dash
    });
    Some(((line, block.column), inner))
}

fn is_key(text: &str, key: &str) -> bool {
    let text = text.trim_start_matches(['\'', '"']);
    let rest = text.strip_prefix(key).map(|rest| rest.trim_start_matches(['\'', '"']).trim_start());
    rest.is_some_and(|rest| rest.starts_with(':'))
}

fn entry_of_list(
    lines: &[&str],
    block: Block,
    index: usize,
) -> Option<((usize, usize), Option<Block>)> {
    let dash = |line: &usize| {
        let text = lines.get(*line).copied().unwrap_or_default();
        let starts = *line == block.line || says(text) && indent(text) == block.column;
        starts && text.get(block.column..).is_some_and(|rest| rest.starts_with('-'))
    };
    let mut dashes = (block.line..block.end).filter(dash);
    let line = dashes.nth(index)?;
    let end = dashes.next().unwrap_or(block.end);
    let after = lines.get(line)?.get(block.column + 1..)?;
    if !says(after) {
        return Some(((line, block.column), content(lines, line + 1, end)));
    }
    let column = block.column + 1 + indent(after);
    Some(((line, column), Some(Block { line, column, end })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sigma::document::split;

    #[test]
    fn values_are_found_by_their_path() {
        let text = "# pipeline\nname: x\ntransformations:\n- id: a\n  type: t\n  mapping:\n    A: b\n\
                    \n- type: u\n  rule_conditions:\n    - type: logsource\n      produkt: x\n    \
                    -\n      type: tag\n  list: [a, b]\n";
        let document = split(text).into_iter().next().unwrap();
        let key = |key: &str| Step::Key(key.to_owned());
        let item = |index: usize| vec![key("transformations"), Step::Index(index)];
        for (rest, index, line, column) in [
            (vec![], 0, 4, 3),
            (vec![key("mapping"), key("A")], 0, 7, 5),
            (vec![], 1, 9, 3),
            (vec![key("type")], 1, 9, 3),
            (vec![key("rule_conditions"), Step::Index(0), key("produkt")], 1, 12, 7),
            (vec![key("rule_conditions"), Step::Index(1), key("type")], 1, 14, 7),
            (vec![key("list"), Step::Index(1)], 1, 15, 3),
            (vec![key("absent")], 0, 4, 3),
        ] {
            let path: Vec<Step> = item(index).into_iter().chain(rest).collect();
            assert_eq!(find(&document, &path), Place { line, column }, "{path:?}");
        }
    }
}
