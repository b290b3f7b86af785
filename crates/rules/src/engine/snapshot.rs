//! What an engine remembers as bytes that outlive the process, and its move to another rule set.
//!
//! The state of a rule belongs to its id and its definition: a rule that means something else, or
//! stands on rules that do, starts anew; the others go on.

use std::collections::HashMap;
use std::sync::Arc;

use bergfried_event::{Event, Finding};

use super::bytes::{Bytes, Malformed, put_signed, put_text, put_varint};
use super::state::State;
use super::{Engine, Limits};
use crate::rule::{Body, Rule};
use crate::set::RuleSet;

const MAGIC: &[u8; 8] = b"bergrule";
/// Raised with every change of what is written.
const VERSION: u16 = 1;

/// Why a snapshot is refused. The engine can be fed with the history instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// It begins with something else.
    #[error("this is no snapshot of what rules remember")]
    Foreign,
    /// Another version of the program wrote it.
    #[error("the snapshot has format {0}, expected {VERSION}")]
    Version(u16),
    /// It was cut, altered, or written wrongly.
    #[error("the snapshot is damaged")]
    Damaged,
}

impl From<Malformed> for SnapshotError {
    fn from(_: Malformed) -> Self {
        SnapshotError::Damaged
    }
}

/// What became of the states when the rules were replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Rules that remember what they did before.
    pub kept: usize,
    /// Rules that remember something but start anew: new ones, and those that were changed.
    pub anew: usize,
}

/// What a rule and those that it stands on mean.
type Definition = [u8; 32];

impl Engine {
    /// What the engine remembers: windows, episodes, what was seen, and its clocks. Counters are not
    /// part of it.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut body = Vec::new();
        put_varint(&mut body, self.observed);
        put_varint(&mut body, u64::from(self.swept.is_some()));
        put_signed(&mut body, self.swept.unwrap_or(0));
        let definitions = definitions(self.rules.rules(), &self.ranks);
        let mut section = Vec::new();
        for (index, (rule, state)) in self.rules.rules().iter().zip(&self.states).enumerate() {
            let Some(definition) = definitions.get(&index).filter(|_| state.remembers()) else {
                continue;
            };
            section.clear();
            state.write(rule, &mut section);
            put_text(&mut body, &rule.id);
            body.extend_from_slice(definition);
            put_varint(&mut body, section.len() as u64);
            body.extend_from_slice(&section);
        }
        let mut out = Vec::with_capacity(body.len() + 64);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(blake3::hash(&body).as_bytes());
        out.extend_from_slice(&body);
        out
    }

    /// An engine that goes on where the snapshot was taken. Rules that the snapshot does not know by
    /// their id and definition start anew.
    ///
    /// # Errors
    /// Where the bytes are not a whole snapshot of this version.
    pub fn restore(
        rules: Arc<RuleSet>,
        limits: Limits,
        snapshot: &[u8],
    ) -> Result<Engine, SnapshotError> {
        let mut bytes = Bytes(snapshot);
        if bytes.array().ok() != Some(*MAGIC) {
            return Err(SnapshotError::Foreign);
        }
        let version = u16::from_le_bytes(bytes.array()?);
        if version != VERSION {
            return Err(SnapshotError::Version(version));
        }
        let hash: [u8; 32] = bytes.array()?;
        if blake3::hash(bytes.0) != hash {
            return Err(SnapshotError::Damaged);
        }
        let mut engine = Engine::new(rules, limits);
        engine.anew = engine.states.iter().map(State::remembers).collect();
        engine.observed = bytes.varint()?;
        let known = bytes.varint()? != 0;
        let swept = bytes.signed()?;
        engine.swept = known.then_some(swept);
        let rules = Arc::clone(&engine.rules);
        let definitions = definitions(rules.rules(), &engine.ranks);
        let by_id = by_id(&rules);
        while !bytes.0.is_empty() {
            let id = bytes.text()?;
            let definition: Definition = bytes.array()?;
            let length = bytes.length()?;
            let mut section = Bytes(bytes.take(length)?);
            if let Some(index) = by_id.get(id)
                && definitions.get(index) == Some(&definition)
                && let (Some(rule), Some(state)) =
                    (rules.rules().get(*index), engine.states.get_mut(*index))
            {
                *state = State::read(rule, limits, &mut section)?;
                if let Some(anew) = engine.anew.get_mut(*index) {
                    *anew = false;
                }
            }
        }
        engine.bytes = engine.states.iter().map(State::bytes).sum();
        engine.shed(&rules, None);
        Ok(engine)
    }

    /// Takes other rules from now on. What rules of the same id and definition remember moves over,
    /// with their hits; what the others had to say is said first.
    pub fn replace(&mut self, rules: Arc<RuleSet>, findings: &mut Vec<Finding>) -> Replaced {
        self.flush(findings);
        let mut old = std::mem::replace(self, Engine::new(rules, self.limits));
        let before = definitions(old.rules.rules(), &old.ranks);
        let after = definitions(self.rules.rules(), &self.ranks);
        (self.observed, self.swept) = (old.observed, old.swept);
        let by_id = by_id(&old.rules);
        self.anew = self.states.iter().map(State::remembers).collect();
        let mut replaced = Replaced::default();
        for (index, rule) in self.rules.rules().iter().enumerate() {
            let was = by_id.get(rule.id.as_str());
            if let Some(was) = was
                && let (Some(from), Some(to)) = (old.hits.get(*was), self.hits.get_mut(index))
            {
                *to = *from;
            }
            let Some(state) = self.states.get_mut(index).filter(|state| state.remembers()) else {
                continue;
            };
            let same = was
                .filter(|was| before.contains_key(*was) && before.get(*was) == after.get(&index));
            match same.and_then(|was| old.states.get_mut(*was)).zip(self.anew.get_mut(index)) {
                Some((known, anew)) => {
                    std::mem::swap(state, known);
                    *anew = false;
                    replaced.kept += 1;
                }
                None => replaced.anew += 1,
            }
        }
        self.bytes = self.states.iter().map(State::bytes).sum();
        replaced
    }
}

impl Engine {
    /// How many rules remember something but started anew with the last [`Engine::restore`] or
    /// [`Engine::replace`]: [`Engine::learn`] shows them what was before.
    pub fn anew(&self) -> usize {
        self.anew.iter().filter(|anew| **anew).count()
    }

    /// As [`Engine::warm`], for the rules that started anew alone.
    pub fn learn(&mut self, event: &Event<'_>, event_id: u64) {
        self.learning = true;
        self.warm(event, event_id);
        self.learning = false;
    }

    /// Whether the rule is shown what comes: all are, but for what only the new ones have to learn.
    pub(super) fn attends(&self, rule: usize) -> bool {
        !self.learning || self.anew.get(rule).copied().unwrap_or(false)
    }
}

fn by_id(rules: &RuleSet) -> HashMap<&str, usize> {
    rules.rules().iter().enumerate().map(|(index, rule)| (rule.id.as_str(), index)).collect()
}

/// The definitions of the rules that remember something and of those that they stand on.
fn definitions(rules: &[Rule], ranks: &[usize]) -> HashMap<usize, Definition> {
    let mut definitions = HashMap::new();
    for (index, rule) in rules.iter().enumerate() {
        if !matches!(rule.kind(), crate::rule::RuleKind::Detection) {
            define(rules, ranks, index, &mut definitions);
        }
    }
    definitions
}

/// Correlations never stand on one another in a circle: each step down has a lower rank.
fn define(
    rules: &[Rule],
    ranks: &[usize],
    index: usize,
    definitions: &mut HashMap<usize, Definition>,
) -> Option<Definition> {
    if let Some(known) = definitions.get(&index) {
        return Some(*known);
    }
    let mut hasher = blake3::Hasher::new();
    match &rules.get(index)?.body {
        Body::Detection(detection) => {
            hasher.update(format!("{detection:?}").as_bytes());
        }
        Body::Correlation(body) => {
            let condition = (body.kind, &body.group_names, body.timespan, &body.threshold);
            hasher.update(format!("{condition:?}").as_bytes());
            for step in &body.steps {
                if ranks.get(step.rule)? >= ranks.get(index)? {
                    return None;
                }
                let fields = (&step.group_by, &step.values);
                hasher.update(format!("{fields:?}").as_bytes());
                hasher.update(&define(rules, ranks, step.rule, definitions)?);
            }
        }
    }
    let definition = *hasher.finalize().as_bytes();
    definitions.insert(index, definition);
    Some(definition)
}
