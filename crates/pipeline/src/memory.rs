//! What judging an event remembers of earlier ones: the windows of the rules, and lines that came
//! over another way. Rebuilt from the store after a start, and where a commit failed.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use bergfried_event::{Event, Field, Finding};
use bergfried_rules::{Engine, Limits, RuleSet, Trained};
use bergfried_store::{Reader, StoreError};

use crate::now;
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

impl Memory {
    /// Remembers what the store holds and the longest window of a rule still wants.
    pub(crate) fn rebuilt(rules: &Arc<RuleSet>, reader: &Reader) -> Result<Memory, StoreError> {
        // Every batch ends with a flush, so no follow-up needs a time of its own.
        let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
        let mut engine = Engine::new(Arc::clone(rules), limits);
        let mut twins = Twins::new();
        let from = now().plus_micros(-rules.longest_window());
        reader.replay(from, WARM_EVENTS, |stored| {
            twins.is_repeat(&stored.event);
            if stored.event.text(Field::LogFlags) != Some(REPEATED) {
                engine.warm(&stored.event, stored.id);
            }
            ControlFlow::Continue(())
        })?;
        Ok(Memory { engine, twins, training: None })
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
            event.set(Field::LogFlags, REPEATED);
        } else {
            self.engine.observe(event, id, findings);
        }
        repeated
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
