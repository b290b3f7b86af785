//! Branches, sequences and quantifiers.

use std::collections::HashMap;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::cursor::Cursor;
use super::tree::{Assertion, Group, Kind, Node};
use crate::error::GrokError;
use crate::grok::FieldKind;
use crate::patterns::Patterns;

/// How deep groups and definitions may be nested.
const MAX_DEPTH: usize = 100;
/// How often a part may be asked for with `{n}`; Oniguruma's own limit.
const MAX_REPEAT: u32 = 100_000;

/// What an expression is read with.
pub(crate) struct Settings<'p> {
    pub(crate) patterns: &'p Patterns,
    pub(crate) named_captures_only: bool,
    pub(crate) max_size: usize,
}

/// An expression that was read.
pub(crate) struct Parsed {
    pub(crate) tree: Node,
    pub(crate) groups: Vec<Group>,
}

/// Reads an expression, its patterns put in.
pub(crate) fn parse(expression: &str, settings: &Settings<'_>) -> Result<Parsed, GrokError> {
    let mut parser = Parser {
        settings,
        inline: HashMap::new(),
        open: Vec::new(),
        groups: Vec::new(),
        plain: None,
        size: 0,
        depth: 0,
    };
    // Groups without a name are counted only where no group has one.
    if !expression.contains("%{") && !super::group::names_any(expression) {
        parser.plain = Some(Vec::new());
    }
    let tree = parser.whole(&mut Cursor::new(expression, None), Flags::default())?;
    Ok(Parsed { tree, groups: parser.groups })
}

/// What `(?imx)` switches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    /// `.` matches line ends too, as it does by default where grok is concerned.
    pub(super) dot_all: bool,
    pub(super) extended: bool,
}

impl Default for Flags {
    fn default() -> Flags {
        Flags { ignore_case: false, dot_all: true, extended: false }
    }
}

pub(super) struct Parser<'p> {
    pub(super) settings: &'p Settings<'p>,
    /// Definitions made in the expression itself.
    pub(super) inline: HashMap<String, String>,
    /// The definitions that are being put in, outermost first.
    pub(super) open: Vec<String>,
    pub(super) groups: Vec<Group>,
    /// The groups by number, where groups have numbers.
    pub(super) plain: Option<Vec<usize>>,
    size: usize,
    depth: usize,
}

impl Parser<'_> {
    /// Reads a text to its end.
    pub(super) fn whole(
        &mut self,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        let node = self.branches(cursor, flags)?;
        match cursor.peek() {
            None => Ok(node),
            Some(_) => Err(cursor.error("a ) without its (")),
        }
    }

    /// Reads branches up to the end of the text or of the group.
    pub(super) fn branches(
        &mut self,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(GrokError::TooLarge { place: cursor.place() });
        }
        let mut branches = vec![self.sequence(cursor, flags)?];
        while cursor.eat("|") {
            branches.push(self.sequence(cursor, flags)?);
        }
        self.depth -= 1;
        Ok(match branches.len() {
            1 => branches.pop().unwrap_or(Node::Empty),
            _ => Node::Alternate(branches),
        })
    }

    fn sequence(&mut self, cursor: &mut Cursor<'_>, flags: Flags) -> Result<Node, GrokError> {
        let mut nodes = Vec::new();
        while let Some(character) = cursor.peek() {
            if matches!(character, '|' | ')') {
                break;
            }
            if flags.extended && skip_blank(cursor) {
                continue;
            }
            if let Some(changed) = super::group::switch(cursor, flags)? {
                // In Ruby a switch holds up to the end of the group, its further branches included.
                nodes.push(self.branches(cursor, changed)?);
                break;
            }
            let node = self.atom(cursor, flags)?;
            nodes.push(self.quantified(node, cursor, flags)?);
        }
        Ok(sequence_of(nodes))
    }

    fn atom(&mut self, cursor: &mut Cursor<'_>, flags: Flags) -> Result<Node, GrokError> {
        self.count(1, cursor)?;
        if let Some(node) = self.reference(cursor, flags)? {
            return Ok(node);
        }
        let start = cursor.place();
        match cursor.next() {
            Some('(') => self.group(cursor, flags),
            Some('[') => Ok(Node::Class(super::class::bracket(cursor, flags.ignore_case)?)),
            Some('\\') => self.escape(cursor, flags),
            Some('.') => Ok(Node::Class(any(flags.dot_all))),
            Some('^') => Ok(Node::Assert(Assertion::LineStart)),
            Some('$') => Ok(Node::Assert(Assertion::LineEnd)),
            Some(sign @ ('*' | '+' | '?')) => Err(GrokError::Syntax {
                message: format!("{sign} has nothing to repeat"),
                place: start,
            }),
            Some(character) => Ok(literal(character, flags.ignore_case)),
            None => Ok(Node::Empty),
        }
    }

    fn quantified(
        &mut self,
        mut node: Node,
        cursor: &mut Cursor<'_>,
        flags: Flags,
    ) -> Result<Node, GrokError> {
        loop {
            if flags.extended && skip_blank(cursor) {
                continue;
            }
            let (min, max, interval) = match cursor.peek() {
                Some('*') => (0, None, false),
                Some('+') => (1, None, false),
                Some('?') => (0, Some(1), false),
                Some('{') => {
                    let start = cursor.at();
                    cursor.next();
                    match interval(cursor) {
                        Some((min, max)) => {
                            if min > MAX_REPEAT || max.is_some_and(|max| max > MAX_REPEAT) {
                                return Err(cursor.error("a part is repeated too often"));
                            }
                            (min, max, true)
                        }
                        None => {
                            cursor.back(start);
                            return Ok(node);
                        }
                    }
                }
                _ => return Ok(node),
            };
            if !interval {
                cursor.next();
            }
            self.count(1, cursor)?;
            let fixed = interval && max == Some(min);
            let kind = match cursor.peek() {
                // `{n}?` is n times or not at all, `{n,m}+` a repetition of the repetition.
                Some('?') if !fixed => {
                    cursor.next();
                    Kind::Lazy
                }
                Some('+') if !interval => {
                    cursor.next();
                    Kind::Possessive
                }
                _ => Kind::Greedy,
            };
            let (min, max) = match max {
                Some(max) if max < min => (max, Some(min)),
                _ => (min, max),
            };
            node = Node::Repeat { node: Box::new(node), min, max, kind };
        }
    }

    /// Counts what is made, to refuse expressions that grow without end.
    pub(super) fn count(&mut self, nodes: usize, cursor: &Cursor<'_>) -> Result<(), GrokError> {
        self.size += nodes;
        if self.size > self.settings.max_size {
            return Err(GrokError::TooLarge { place: cursor.place() });
        }
        Ok(())
    }

    /// Adds a group that captures and returns its place.
    pub(super) fn capture(&mut self, written: &str, field: Option<(String, FieldKind)>) -> usize {
        self.groups.push(Group { written: written.to_owned(), field });
        self.groups.len() - 1
    }
}

/// Nodes one after the other, neighbouring characters as one text.
fn sequence_of(nodes: Vec<Node>) -> Node {
    let mut merged: Vec<Node> = Vec::with_capacity(nodes.len());
    for node in nodes {
        match (merged.last_mut(), node) {
            (Some(Node::Literal(text)), Node::Literal(more)) => text.push_str(&more),
            (_, Node::Empty) => {}
            (_, Node::Concat(more)) => merged.extend(more),
            (_, node) => merged.push(node),
        }
    }
    match merged.len() {
        0 => Node::Empty,
        1 => merged.pop().unwrap_or(Node::Empty),
        _ => Node::Concat(merged),
    }
}

/// One character, in either case where case does not matter.
pub(super) fn literal(character: char, ignore_case: bool) -> Node {
    if ignore_case {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
        class.case_fold_simple();
        if class.literal().is_none() {
            return Node::Class(class);
        }
    }
    Node::Literal(character.to_string())
}

fn any(line_ends: bool) -> ClassUnicode {
    let mut class = ClassUnicode::empty();
    if !line_ends {
        class.push(ClassUnicodeRange::new('\n', '\n'));
    }
    class.negate();
    class
}

/// Skips a blank or a comment where `x` is on; whether there was one.
fn skip_blank(cursor: &mut Cursor<'_>) -> bool {
    if !cursor.take(usize::MAX, |character| character.is_ascii_whitespace()).is_empty() {
        return true;
    }
    if cursor.peek() == Some('#') {
        cursor.take(usize::MAX, |character| character != '\n');
        return true;
    }
    false
}

/// Reads what follows the `{` of a quantifier; none where it is only a `{`.
fn interval(cursor: &mut Cursor<'_>) -> Option<(u32, Option<u32>)> {
    let number = |text: &str| match text {
        "" => None,
        _ => Some(text.parse().unwrap_or(u32::MAX)),
    };
    let min = number(cursor.take(12, |character| character.is_ascii_digit()));
    let max = if cursor.eat(",") {
        let max = number(cursor.take(12, |character| character.is_ascii_digit()));
        if min.is_none() && max.is_none() {
            return None;
        }
        max
    } else {
        Some(min?)
    };
    cursor.eat("}").then(|| (min.unwrap_or(0), max))
}
