//! Instructions and the tables that they use.

use memchr::memmem;
use regex_syntax::hir::ClassUnicode;

use super::first::{Bytes, lead};
use crate::syntax::{Assertion, Kind};

/// An expression as instructions.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(super) instructions: Vec<Instruction>,
    /// The ways of all [`Instruction::Switch`].
    pub(super) targets: Vec<u32>,
    /// For each next byte the list of ways that it may begin; at 256 those for the end of the text.
    pub(super) tables: Vec<[u16; 257]>,
    /// Lists of ways, by their place among a switch's targets.
    pub(super) lists: Vec<Box<[u16]>>,
    pub(super) classes: Vec<CharacterSet>,
    pub(super) runs: Vec<Run>,
    /// How many choices are remembered when a text takes long.
    pub(super) choices: u32,
    pub(super) registers: u32,
    /// What each match contains.
    pub(super) required: Option<memmem::Finder<'static>>,
    /// The bytes that a match may start with; none where it may be empty.
    pub(super) start: Option<Bytes>,
    /// Whether a match can only start where the text does.
    pub(super) anchored: bool,
    pub(super) backreferences: bool,
}

impl Program {
    /// Whether it has backreferences.
    pub(crate) fn refers_back(&self) -> bool {
        self.backreferences
    }
}

/// No choice to remember.
pub(super) const NO_CHOICE: u32 = u32::MAX;

/// One step.
#[derive(Debug)]
pub(super) enum Instruction {
    /// One byte.
    Byte(u8),
    /// These bytes.
    Literal(Box<[u8]>),
    /// One character out of a set.
    Class(u32),
    /// Many characters out of a set.
    Run(u32),
    /// One way of several.
    Switch { targets: u32, table: u32, choice: u32 },
    /// On from somewhere else.
    Jump(u32),
    /// Keeps the place in a slot.
    Save(u32),
    /// Keeps the place where a round of a loop starts.
    Mark(u32),
    /// On at `exit` if the round took nothing.
    ExitIfEmpty { register: u32, exit: u32 },
    /// Goes on if the place is such.
    Assert(Assertion),
    /// Goes on if the next character is in the set, or not.
    Next { class: u32, negative: bool },
    /// Goes on if the last character is in the set, or not.
    Last { class: u32, negative: bool },
    /// What follows up to [`Instruction::Accept`] is matched once; on from `end`.
    Atomic { end: u32 },
    /// What follows up to [`Instruction::Accept`] is ahead, or not; on from `end`.
    Ahead { negative: bool, end: u32 },
    /// What follows up to [`Instruction::Accept`] ends here, or not; on from `end`.
    Behind { negative: bool, min: u32, max: u32, end: u32 },
    /// What one of the groups captured, once more.
    Backreference { groups: Box<[u32]>, ignore_case: bool },
    /// The end of the expression, or of what is matched on its own.
    Accept,
}

/// Many characters out of a set.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) class: u32,
    pub(super) min: u32,
    /// `u32::MAX` is without bound.
    pub(super) max: u32,
    pub(super) kind: Kind,
    pub(super) follow: Follow,
    pub(super) choice: u32,
}

/// What can come after a run.
#[derive(Debug)]
pub(super) enum Follow {
    /// Anything, or the end.
    Any,
    /// This byte.
    One(u8),
    /// One of these bytes.
    Some(Box<Bytes>),
    /// These bytes.
    Literal(Box<memmem::Finder<'static>>),
}

/// A set of characters, by bytes as far as that goes.
#[derive(Debug)]
pub(super) struct CharacterSet {
    /// ASCII characters in the set; of other bytes all or none.
    pub(super) bytes: Bytes,
    /// Whether characters beyond ASCII have to be looked up in `ranges`.
    pub(super) mixed: bool,
    /// Whether every character is in the set.
    pub(super) all: bool,
    pub(super) ranges: Box<[(char, char)]>,
}

impl CharacterSet {
    pub(super) fn new(class: &ClassUnicode) -> CharacterSet {
        let ranges: Box<[(char, char)]> =
            class.iter().map(|range| (range.start(), range.end())).collect();
        let beyond: Vec<(char, char)> = ranges
            .iter()
            .filter(|(_, high)| !high.is_ascii())
            .map(|(low, high)| ((*low).max('\u{80}'), *high))
            .collect();
        let every = beyond == [('\u{80}', '\u{10FFFF}')];
        let mut bytes = Bytes::default();
        for (low, high) in &ranges {
            if low.is_ascii() {
                bytes.insert(lead(*low), lead((*high).min('\u{7f}')));
            }
        }
        if every {
            bytes.insert(0x80, 0xff);
        }
        let all = every && (0..=0x7f).all(|byte| bytes.contains(byte));
        CharacterSet { bytes, mixed: !every && !beyond.is_empty(), all, ranges }
    }

    pub(super) fn contains(&self, character: char) -> bool {
        self.ranges
            .binary_search_by(|(low, high)| match character {
                _ if *high < character => std::cmp::Ordering::Less,
                _ if *low > character => std::cmp::Ordering::Greater,
                _ => std::cmp::Ordering::Equal,
            })
            .is_ok()
    }
}
