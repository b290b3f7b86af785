//! Which rules of a file can match a line at all: one pass over the line for the literals of all
//! their patterns. It may only take in too many.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{Pattern, Second, Test};
use crate::rule::{Kind, Rule};

/// How much memory the table may take before a smaller, slower one is used.
const STATES: usize = 20_000;

/// The literals of a file's patterns.
#[derive(Debug, Default)]
pub(crate) struct Index {
    searcher: Option<AhoCorasick>,
    /// Which rules each literal speaks for.
    owners: Vec<Vec<usize>>,
    /// Rules that no literal speaks for, as bits.
    always: Vec<u64>,
}

/// Rules of one file that may match, as bits.
#[derive(Debug, Default, Clone)]
pub(crate) struct Candidates(Vec<u64>);

impl Index {
    /// Gathers the literals of all patterns over one line.
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut literals: Vec<Vec<u8>> = Vec::new();
        let mut owners: Vec<Vec<usize>> = Vec::new();
        let mut always = vec![0_u64; rules.len().div_ceil(64)];
        for (number, rule) in rules.iter().enumerate() {
            match needed(rule) {
                Some(set) => {
                    for literal in set {
                        match literals.iter().position(|known| *known == literal) {
                            Some(at) => owners.get_mut(at).map(|all| all.push(number)),
                            None => {
                                literals.push(literal);
                                owners.push(vec![number]);
                                None
                            }
                        };
                    }
                }
                // Calendar rules see no lines.
                None if matches!(rule.kind, Kind::Calendar { .. }) => {}
                None => set(&mut always, number),
            }
        }
        let total: usize = literals.iter().map(Vec::len).sum();
        let kind =
            if total < STATES { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let searcher = (!literals.is_empty())
            .then(|| AhoCorasick::builder().kind(Some(kind)).build(&literals).ok())
            .flatten();
        if searcher.is_none() && !literals.is_empty() {
            for number in owners.iter().flatten() {
                set(&mut always, *number);
            }
        }
        Self { searcher, owners, always }
    }

    /// The rules that may match a line.
    pub(crate) fn candidates(&self, line: &[u8], to: &mut Candidates) {
        to.0.clone_from(&self.always);
        let Some(searcher) = &self.searcher else { return };
        // A literal may be part of another, so that all matches count.
        for found in searcher.find_overlapping_iter(line) {
            for number in self.owners.get(found.pattern().as_usize()).into_iter().flatten() {
                set(&mut to.0, *number);
            }
        }
    }
}

impl Candidates {
    /// The first rule from a number on.
    pub(crate) fn from(&self, number: usize, count: usize) -> Option<usize> {
        let mut word = number / 64;
        let mut bits = self.0.get(word)? & (u64::MAX << (number % 64));
        loop {
            if bits != 0 {
                let found = word * 64 + bits.trailing_zeros() as usize;
                return (found < count).then_some(found);
            }
            word += 1;
            bits = *self.0.get(word)?;
        }
    }
}

fn set(bits: &mut [u64], number: usize) {
    if let Some(word) = bits.get_mut(number / 64) {
        *word |= 1 << (number % 64);
    }
}

/// One of these is in every line that the rule does something at.
fn needed(rule: &Rule) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    let mut any = false;
    for pattern in rule.conditions() {
        all.extend(literals(pattern)?);
        any = true;
    }
    match rule.second() {
        Some(Second::Fixed(pattern)) => all.extend(literals(pattern)?),
        Some(second @ Second::Made { .. }) => all.extend(second.literals()?),
        None => {}
    }
    any.then_some(all)
}

fn literals(pattern: &Pattern) -> Option<Vec<Vec<u8>>> {
    if pattern.negated || pattern.lines() > 1 {
        return None;
    }
    match &pattern.test {
        Test::Regex { regex, .. } => {
            regex.required.clone().filter(|set| set.iter().all(|one| !one.is_empty()))
        }
        Test::Substring { finder, .. } => {
            (!finder.needle().is_empty()).then(|| vec![finder.needle().to_vec()])
        }
        Test::Cached(_) | Test::Truth(_) | Test::Perl { .. } | Test::Expression(_) => None,
    }
}
