//! What judging an event remembers of earlier ones: the windows of the rules, and lines that came
//! over another way. Rebuilt after a start, and where a commit failed, from the file of what the rules
//! remember and from the store.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bergfried_event::{Event, Field, Finding};
use bergfried_rules::{Engine, Limits, Replaced, RuleSet, Trained};
use bergfried_store::{BatchId, Committed, Reader, StoreError, Writer};

use crate::now;
use crate::origin::{add_word, has_word};
use crate::remembered::Remembered;
use crate::twins::Twins;

/// The most events from which the memory is rebuilt.
const WARM_EVENTS: usize = 1_000_000;
/// The `log.flags` of an event that another file or the journal had brought before.
const REPEATED: &str = "repeated";

pub(crate) struct Memory {
    engine: Engine,
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
            Ok((engine, Remembered { last, next_event_id, .. })) => {
                let mut memory = Memory { engine, twins: Twins::new(), training: None };
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
        Ok(Memory { engine, twins, training: None })
    }

    /// Shows the rules what came since their file was written, and those that are new what was
    /// before.
    fn catch_up(&mut self, reader: &Reader, next_event_id: u64) -> Result<(), StoreError> {
        let Memory { engine, twins, .. } = self;
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
                engine.warm(&stored.event, stored.id);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// What the rules remember, to be read by [`Memory::rebuilt`].
    pub(crate) fn snapshot(&self) -> Vec<u8> {
        self.engine.snapshot()
    }

    /// Shows the event to the rules, unless another way has brought it before: then it is marked so,
    /// and true is returned.
    pub(crate) fn judge(
        &mut self,
        event: &mut Event<'_>,
        id: u64,
        findings: &mut Vec<Finding>,
    ) -> bool {
        let repeated = self.twins.is_repeat(event);
        if repeated {
            add_word(event, Field::LogFlags, REPEATED);
        } else {
            self.engine.observe(event, id, findings);
        }
        repeated
    }

    /// Takes other rules; what the old ones remember moves over where they mean the same.
    pub(crate) fn replace(&mut self, rules: Arc<RuleSet>) -> Replaced {
        // Every batch ended with a flush, so the old rules have nothing more to say.
        self.engine.replace(rules, &mut Vec::new())
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
) -> Result<(Engine, Remembered), String> {
    let remembered = Remembered::read(file).map_err(|error| error.to_string())?;
    let (batch, committed) = remembered.last;
    // A store that was emptied or put back does not know the batch, or has another in its place.
    if writer.seen(&batch) != Some(committed) || remembered.next_event_id > writer.next_event_id() {
        return Err("it is not of this event store, or too old".to_owned());
    }
    let engine = Engine::restore(Arc::clone(rules), limits, &remembered.rules)
        .map_err(|error| error.to_string())?;
    Ok((engine, remembered))
}
