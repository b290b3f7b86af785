//! What one rule remembers between events, in memory and in a snapshot.

use super::Limits;
use super::bytes::{Bytes, Malformed, put_signed, put_text, put_varint};
use super::correlation::CorrelationState;
use super::first_seen::FirstSeenState;
use super::groups::{Groups, Used};
use crate::rule::{Body, Rule};

/// What one rule remembers; nothing for plain detections.
#[derive(Debug)]
pub(super) enum State {
    None,
    FirstSeen(Box<FirstSeenState>),
    Correlation(Box<CorrelationState>),
}

impl State {
    pub(super) fn new(rule: &Rule, limits: Limits) -> State {
        match &rule.body {
            Body::Correlation(_) => State::Correlation(Box::new(CorrelationState::new(limits))),
            Body::Detection(detection) => match &detection.first_seen {
                Some(_) => State::FirstSeen(Box::new(FirstSeenState::new(limits.max_groups))),
                None => State::None,
            },
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            State::None => 0,
            State::FirstSeen(state) => state.bytes(),
            State::Correlation(state) => state.bytes(),
        }
    }

    pub(super) fn evicted(&self) -> u64 {
        match self {
            State::None => 0,
            State::FirstSeen(state) => state.evicted(),
            State::Correlation(state) => state.evicted(),
        }
    }

    pub(super) fn oldest_turn(&self) -> Option<u32> {
        match self {
            State::None => None,
            State::FirstSeen(state) => state.oldest_turn(),
            State::Correlation(state) => state.oldest_turn(),
        }
    }

    /// Whether the rule remembers anything between events.
    pub(super) fn remembers(&self) -> bool {
        !matches!(self, State::None)
    }

    /// How many matches came too late to count.
    pub(super) fn late(&self) -> u64 {
        match self {
            State::Correlation(state) => state.late(),
            State::None | State::FirstSeen(_) => 0,
        }
    }

    /// Writes it for a snapshot.
    pub(super) fn write(&self, rule: &Rule, out: &mut Vec<u8>) {
        match (self, &rule.body) {
            (State::Correlation(state), Body::Correlation(body)) => state.write(body, out),
            (State::FirstSeen(state), _) => {
                write_groups(&state.baselines, out, |_, since, out| put_signed(out, *since));
                write_groups(&state.seen, out, |_, (), _| {});
            }
            _ => {}
        }
    }

    /// Reads what was written for the same rule.
    ///
    /// # Errors
    /// Where it was not written for it.
    pub(super) fn read(
        rule: &Rule,
        limits: Limits,
        bytes: &mut Bytes<'_>,
    ) -> Result<State, Malformed> {
        let mut new = State::new(rule, limits);
        match (&mut new, &rule.body) {
            (State::Correlation(state), Body::Correlation(body)) => {
                state.read(rule, body, bytes)?
            }
            (State::FirstSeen(state), _) => {
                read_groups(&mut state.baselines, bytes, |bytes| bytes.signed())?;
                read_groups(&mut state.seen, bytes, |_| Ok(()))?;
            }
            _ => {}
        }
        if bytes.0.is_empty() { Ok(new) } else { Err(Malformed) }
    }
}

/// Writes the entries, the least recently used first.
pub(super) fn write_groups<V: Default>(
    groups: &Groups<V>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(&str, &V, &mut Vec<u8>),
) {
    put_varint(out, groups.len() as u64);
    for (key, value, used) in groups.iter() {
        put_text(out, key);
        put_varint(out, u64::from(used.turn));
        put_varint(out, u64::from(used.second));
        write(key, value, out);
    }
}

/// The key of an entry and when it was used last.
pub(super) fn read_entry<'b>(bytes: &mut Bytes<'b>) -> Result<(&'b str, Used), Malformed> {
    let key = bytes.text()?;
    let mut number = || u32::try_from(bytes.varint()?).map_err(|_| Malformed);
    Ok((key, Used { turn: number()?, second: number()? }))
}

fn read_groups<V: Default>(
    groups: &mut Groups<V>,
    bytes: &mut Bytes<'_>,
    read: impl Fn(&mut Bytes<'_>) -> Result<V, Malformed>,
) -> Result<(), Malformed> {
    for _ in 0..bytes.length()? {
        let (key, used) = read_entry(bytes)?;
        let value = read(bytes)?;
        if groups.find(key).is_some() {
            return Err(Malformed);
        }
        // The limits may have become tighter.
        if groups.is_full()
            && let Some((oldest, _)) = groups.oldest()
        {
            groups.remove(oldest);
        }
        groups.insert(key, value, used);
    }
    Ok(())
}
