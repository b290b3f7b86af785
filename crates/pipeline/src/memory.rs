//! What judging an event remembers of earlier ones: the windows of the rules, what rules of SEC keep,
//! which pairs of values were seen together, and lines that came over another way. Rebuilt after a
//! start, and where a commit failed, from the file of what the rules remember and from the store.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bergfried_event::{Event, Field, FieldName, Finding, Timestamp};
use bergfried_query::{Condition, Predicate, Target};
use bergfried_rules::sec::Runner;
use bergfried_rules::{Engine, FIRST_SEEN, LEARNT, Limits, Pairs, Replaced, RuleSet, Trained};
use bergfried_store::{BatchId, Committed, Reader, StoreError, Writer};

use crate::now;
use crate::origin::{add_word, has_word};
use crate::remembered::Remembered;
use crate::twins::Twins;

/// The most events from which the memory is rebuilt.
const WARM_EVENTS: usize = 1_000_000;
/// How far back sets of SEC's rules look that remember nothing.
const SEC_WARM: i64 = 3_600 * Timestamp::SECOND;
/// The `log.flags` of an event that another file or the journal had brought before.
const REPEATED: &str = "repeated";

pub(crate) struct Memory {
    engine: Engine,
    sec: Runner,
    pairs: Pairs,
    twins: Twins,
    /// A job that learns which rules are rare, on a thread of its own.
    training: Option<JoinHandle<Trained>>,
}

/// A memory, and what it was made from.
pub(crate) struct Rebuilt {
    pub(crate) memory: Memory,
    /// The last batch that the file of what rules remember knows.
    pub(crate) last: Option<(BatchId, Committed)>,
    /// The first event that the file does not know.
    pub(crate) next_event_id: u64,
}

impl Memory {
    /// Remembers what the rules did when their file was written and what the store holds since; where
    /// the file is of no use, what the longest window of a rule still wants.
    pub(crate) fn rebuilt(
        rules: &Arc<RuleSet>,
        reader: &Reader,
        writer: &Writer,
        file: &Path,
    ) -> Result<Rebuilt, StoreError> {
        // Every batch ends with a flush, so no follow-up needs a time of its own.
        let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
        match taken_up(rules, limits, writer, file) {
            Ok((engine, sec, pairs, Remembered { last, next_event_id, .. })) => {
                let mut memory = Memory { engine, sec, pairs, twins: Twins::new(), training: None };
                memory.catch_up(reader, next_event_id)?;
                Ok(Rebuilt { memory, last: Some(last), next_event_id })
            }
            Err(reason) => {
                if writer.next_event_id() > 1 {
                    tracing::info!(
                        reason,
                        file = %file.display(),
                        "what the rules remember is rebuilt from the stored events"
                    );
                }
                let memory = Memory::from_history(rules, limits, reader)?;
                Ok(Rebuilt { memory, last: None, next_event_id: 1 })
            }
        }
    }

    fn from_history(
        rules: &Arc<RuleSet>,
        limits: Limits,
        reader: &Reader,
    ) -> Result<Memory, StoreError> {
        let mut engine = Engine::new(Arc::clone(rules), limits);
        let mut twins = Twins::new();
        let from = now().plus_micros(-rules.longest_window());
        reader.replay(from, WARM_EVENTS, |stored| {
            twins.is_repeat(&stored.event);
            if counts(&stored.event) {
                engine.warm(&stored.event, stored.id);
            }
            ControlFlow::Continue(())
        })?;
        let pairs = pairs_of_history(reader)?;
        let mut sec = Runner::new(rules.sec(), now());
        sec_learns(&mut sec, reader, u64::MAX)?;
        Ok(Memory { engine, sec, pairs, twins, training: None })
    }

    /// Shows the rules what came since their file was written, and those that are new what was
    /// before.
    fn catch_up(&mut self, reader: &Reader, next_event_id: u64) -> Result<(), StoreError> {
        let Memory { engine, sec, pairs, twins, .. } = self;
        if engine.anew() > 0 {
            let from = now().plus_micros(-engine.rules().longest_window());
            reader.replay(from, WARM_EVENTS, |stored| {
                if stored.id < next_event_id && counts(&stored.event) {
                    engine.learn(&stored.event, stored.id);
                }
                ControlFlow::Continue(())
            })?;
        }
        let recent = next_event_id.saturating_sub(Twins::REMEMBERED as u64);
        reader.replay_since(recent, |stored| {
            twins.is_repeat(&stored.event);
            if stored.id >= next_event_id && counts(&stored.event) {
                pairs.learn(&stored.event);
                engine.warm(&stored.event, stored.id);
            }
            ControlFlow::Continue(())
        })?;
        if sec.is_empty() {
            return Ok(());
        }
        sec_learns(sec, reader, next_event_id)?;
        // In the order in which they were taken: that is the time that these rules go by.
        reader.follow(next_event_id.saturating_sub(1), |id, ingested, event| {
            if counts(event) {
                sec.event(event, id, ingested, None);
            }
            ControlFlow::Continue(())
        })
    }

    /// What the rules remember, to be read by [`Memory::rebuilt`].
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for part in [self.pairs.snapshot(), self.sec.snapshot()] {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(&part);
        }
        bytes.extend_from_slice(&self.engine.snapshot());
        bytes
    }

    /// Says where the event reaches and what it is the first of, and shows it to the rules, unless another way has brought it
    /// before: then it is marked so, and true is returned.
    pub(crate) fn judge(
        &mut self,
        event: &mut Event<'_>,
        id: u64,
        ingested: Timestamp,
        findings: &mut Vec<Finding>,
    ) -> bool {
        self.engine.rules().judge(event);
        let repeated = self.twins.is_repeat(event);
        if repeated {
            add_word(event, Field::LogFlags, REPEATED);
        } else {
            self.pairs.mark(event);
            self.engine.observe(event, id, findings);
            self.sec.event(event, id, ingested, Some(findings));
        }
        repeated
    }

    /// Takes other rules; what the old ones remember moves over where they mean the same.
    pub(crate) fn replace(&mut self, rules: Arc<RuleSet>) -> Replaced {
        // Every batch ended with a flush, so the old rules have nothing more to say.
        let sets = self.sec.replace(rules.sec());
        let rules = self.engine.replace(rules, &mut Vec::new());
        Replaced { kept: rules.kept + sets.kept, anew: rules.anew + sets.anew }
    }

    /// The rules of SEC.
    pub(crate) fn sec(&mut self) -> &mut Runner {
        &mut self.sec
    }

    /// The rules with their counters.
    pub(crate) fn engine(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// States what is still to be said: what a crash leaves in memory would be lost.
    pub(crate) fn end_batch(&mut self, findings: &mut Vec<Finding>) {
        self.engine.flush(findings);
        self.train();
    }

    /// Installs what a job learnt, and starts one that is due.
    fn train(&mut self) {
        if let Some(running) = self.training.take_if(|running| running.is_finished()) {
            // A job that failed leaves the matcher as it is: slower, but as right.
            if let Ok(trained) = running.join() {
                self.engine.install(trained);
            }
        }
        if self.training.is_none()
            && let Some(training) = self.engine.training()
        {
            let thread = thread::Builder::new().name("training".to_owned());
            self.training = thread.spawn(|| training.run()).ok();
        }
    }
}

/// Whether the rules see the event: not where another way had brought it before.
fn counts(event: &Event<'_>) -> bool {
    !has_word(event, Field::LogFlags, REPEATED)
}

/// The engine as it was when the file was written.
///
/// # Errors
/// Why it is not to be used.
fn taken_up(
    rules: &Arc<RuleSet>,
    limits: Limits,
    writer: &Writer,
    file: &Path,
) -> Result<(Engine, Runner, Pairs, Remembered), String> {
    let remembered = Remembered::read(file).map_err(|error| error.to_string())?;
    let (batch, committed) = remembered.last;
    // A store that was emptied or put back does not know the batch, or has another in its place.
    if writer.seen(&batch) != Some(committed) || remembered.next_event_id > writer.next_event_id() {
        return Err("it is not of this event store, or too old".to_owned());
    }
    let (pairs, rest) = part(&remembered.rules).ok_or("it is cut")?;
    let (sets, engine) = part(rest).ok_or("it is cut")?;
    let engine = Engine::restore(Arc::clone(rules), limits, engine);
    let pairs = Pairs::restore(pairs).map_err(|error| error.to_string())?;
    let mut sec = Runner::new(rules.sec(), now());
    match sec.restore(sets) {
        Ok(0) => {}
        Ok(gone) => tracing::info!(gone, "operations of rules of SEC that were changed are gone"),
        Err(error) => tracing::warn!(error, "cannot read what rules of SEC remembered"),
    }
    Ok((engine.map_err(|error| error.to_string())?, sec, pairs, remembered))
}

/// A part that is led by its length, and what follows it.
fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)
}

/// Shows sets that remember nothing what was taken lately, before this event: so long is what they miss
/// where there is no file of what they remembered.
fn sec_learns(sec: &mut Runner, reader: &Reader, before: u64) -> Result<(), StoreError> {
    if sec.anew() == 0 {
        return Ok(());
    }
    let after = last_before(reader, now().plus_micros(-SEC_WARM))?;
    let after = after.max(reader.last_id().saturating_sub(WARM_EVENTS as u64));
    reader.follow(after, |id, ingested, event| {
        if id >= before {
            return ControlFlow::Break(());
        }
        if counts(event) {
            sec.learn(event, id, ingested);
        }
        ControlFlow::Continue(())
    })
}

/// The last event that was taken before this time, at the latest; 0 where there is none.
///
/// Events are numbered as they are taken, so it is found by halves.
///
/// # Errors
/// Where the store cannot be read.
pub fn last_before(reader: &Reader, time: Timestamp) -> Result<u64, StoreError> {
    let (mut before, mut since) = (0, reader.last_id().saturating_add(1));
    while before + 1 < since {
        let middle = before + (since - before) / 2;
        let mut found = None;
        reader.follow(middle - 1, |id, ingested, _| {
            found = Some((id, ingested));
            ControlFlow::Break(())
        })?;
        match found {
            // What lies between was removed.
            Some((id, ingested)) if ingested < time => before = id.max(middle),
            _ => since = middle,
        }
    }
    Ok(before)
}

/// The pairs, from the events that were the first of one: these say so themselves. What retention took
/// away is new again.
fn pairs_of_history(reader: &Reader) -> Result<Pairs, StoreError> {
    let says = |name| Predicate::Atom(Target::Field(FieldName::new(name)), Condition::Exists);
    let firsts = Predicate::Or(vec![says(FIRST_SEEN), says(LEARNT)]);
    let mut pairs = Pairs::default();
    reader.replay_matching(&firsts, Timestamp::MIN, Timestamp::MAX, |stored| {
        pairs.learn(&stored.event);
        ControlFlow::Continue(())
    })?;
    Ok(pairs)
}
