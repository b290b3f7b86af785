//! The last lines of each source (sec(1), "INPUT PROCESSING AND TIMING").

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;

use super::Options;
use crate::rule::{Rule, RuleSet};
use crate::variables::Bytes;

/// A line in a buffer, and the source that it came from; none for synthetic events.
#[derive(Debug, Clone)]
struct Line {
    text: Bytes,
    source: Option<Bytes>,
}

/// The buffers of all sources.
pub(super) struct Buffers {
    size: usize,
    joint: bool,
    sources: usize,
    /// The line that is looked at now, where a buffer has room for one alone.
    single: Vec<u8>,
    single_source: Option<Bytes>,
    shared: Option<Bytes>,
    rings: HashMap<Option<Bytes>, VecDeque<Line>>,
    current: Option<Bytes>,
    /// Lines joined, by how many.
    joined: Vec<(usize, Bytes)>,
    names: HashMap<Box<[u8]>, Bytes>,
    /// How often rules rewrote a buffer.
    pub rewrites: u64,
}

impl Buffers {
    pub(super) fn new(rules: &RuleSet, options: &Options) -> Self {
        let size = size_for(rules, options);
        Self {
            size,
            joint: joint(size, options),
            sources: options.limits.sources,
            single: Vec::new(),
            single_source: None,
            shared: None,
            rings: HashMap::default(),
            current: None,
            joined: Vec::new(),
            names: HashMap::default(),
            rewrites: 0,
        }
    }

    /// Makes room for the patterns of other rules.
    pub(super) fn resize(&mut self, rules: &RuleSet, options: &Options) {
        let size = size_for(rules, options);
        if size != self.size || joint(size, options) != self.joint {
            *self = Self::new(rules, options);
        }
    }

    /// Takes in a line; returns whether another source's buffer had to go.
    pub(super) fn push(&mut self, line: &[u8], source: Option<&[u8]>) -> bool {
        self.shared = None;
        self.joined.clear();
        let mut shed = false;
        let name = source.map(|name| self.name(name));
        if self.size == 1 {
            self.single.clear();
            self.single.extend_from_slice(line);
            self.single_source = name;
            return false;
        }
        let key = if self.joint { None } else { name.clone() };
        if !self.rings.contains_key(&key) && self.rings.len() >= self.sources {
            self.rings.clear();
            shed = true;
        }
        let size = self.size;
        let ring = self.rings.entry(key.clone()).or_insert_with(|| {
            let nothing: Bytes = Arc::from(&b""[..]);
            let empty = Line { text: Arc::clone(&nothing), source: Some(nothing) };
            std::iter::repeat_n(empty, size).collect()
        });
        ring.pop_front();
        ring.push_back(Line { text: Arc::from(line), source: name });
        self.current = key;
        shed
    }

    /// The last line.
    pub(super) fn last(&self) -> &[u8] {
        if self.size == 1 {
            return &self.single;
        }
        self.rings.get(&self.current).and_then(VecDeque::back).map_or(&[], |line| &line.text)
    }

    /// The last line, for keeping.
    pub(super) fn last_shared(&mut self) -> Bytes {
        if self.size == 1 {
            let single = &self.single;
            return Arc::clone(self.shared.get_or_insert_with(|| Arc::from(single.as_slice())));
        }
        self.rings
            .get(&self.current)
            .and_then(VecDeque::back)
            .map_or_else(|| Arc::from(&b""[..]), |line| Arc::clone(&line.text))
    }

    /// The last lines with line feeds between them.
    pub(super) fn lines(&mut self, count: usize) -> Bytes {
        if count <= 1 {
            return self.last_shared();
        }
        if let Some((_, text)) = self.joined.iter().find(|(known, _)| *known == count) {
            return Arc::clone(text);
        }
        let text: Bytes = self.separate(count).join(&b'\n').into();
        self.joined.push((count, Arc::clone(&text)));
        text
    }

    /// The last lines, each for itself.
    pub(super) fn separate(&self, count: usize) -> Vec<Vec<u8>> {
        if self.size == 1 {
            return vec![self.single.clone()];
        }
        let Some(ring) = self.rings.get(&self.current) else { return Vec::new() };
        ring.iter().skip(ring.len().saturating_sub(count)).map(|line| line.text.to_vec()).collect()
    }

    /// The sources of the last lines: one name for a buffer of its own, as many as lines otherwise.
    pub(super) fn sources(&self, count: usize) -> Vec<Option<Bytes>> {
        if self.size == 1 {
            return vec![self.single_source.clone()];
        }
        let Some(ring) = self.rings.get(&self.current) else { return Vec::new() };
        let count = if self.joint { count } else { 1 };
        ring.iter().skip(ring.len().saturating_sub(count)).map(|line| line.source.clone()).collect()
    }

    /// Puts other lines in the place of the last ones (`rewrite`).
    pub(super) fn rewrite(&mut self, count: usize, lines: &[&[u8]]) {
        self.rewrites += 1;
        self.joined.clear();
        self.shared = None;
        let count = if count == 0 { lines.len() } else { count }.min(self.size);
        let padding = count.saturating_sub(lines.len());
        let text = |at: usize| -> &[u8] {
            at.checked_sub(padding).and_then(|at| lines.get(at).copied()).unwrap_or_default()
        };
        if self.size == 1 {
            if count > 0 {
                self.single = text(0).to_vec();
            }
            return;
        }
        let Some(ring) = self.rings.get_mut(&self.current) else { return };
        let start = ring.len().saturating_sub(count);
        for (at, line) in ring.iter_mut().skip(start).enumerate() {
            line.text = Arc::from(text(at));
        }
    }

    /// Drops the buffer of a source.
    pub(super) fn forget(&mut self, source: &[u8]) {
        if let Some(name) = self.names.remove(source) {
            self.rings.remove(&Some(name));
        }
    }

    fn name(&mut self, source: &[u8]) -> Bytes {
        if let Some(name) = self.names.get(source) {
            return Arc::clone(name);
        }
        if self.names.len() >= self.sources {
            self.names.clear();
        }
        let name: Bytes = Arc::from(source);
        self.names.insert(source.into(), Arc::clone(&name));
        name
    }
}

fn size_for(rules: &RuleSet, options: &Options) -> usize {
    let patterns =
        rules.files.iter().flat_map(|file| file.rules.iter()).map(lines_of).max().unwrap_or(1);
    match options.bufsize {
        0 => patterns.max(1),
        size => size,
    }
}

fn lines_of(rule: &Rule) -> usize {
    let second = rule.second().map_or(1, crate::pattern::Second::lines);
    rule.conditions().map(crate::pattern::Pattern::lines).max().unwrap_or(1).max(second)
}

fn joint(size: usize, options: &Options) -> bool {
    size == 1 || options.jointbuf.unwrap_or(false)
}
