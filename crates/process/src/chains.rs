//! Compiled chains, and how they run over an event.

use std::fmt;
use std::ops::Range;

use bergfried_event::Event;
use bergfried_parse::Context;
use bergfried_query::Predicate;

use crate::compile::{self, Files, is_metadata};
use crate::config::ChainFile;
use crate::diagnostic::Diagnostic;
use crate::meter::Meter;
use crate::options::Options;
use crate::scene::{Room, Scene};
use crate::steps::{Action, Outcome};
use crate::trace::{StepResult, StepTrace, Trace, changes};

/// Chains of steps, compiled: immutable, shared between threads, changed as a whole.
#[derive(Debug, Default)]
pub struct Chains {
    pub(crate) chains: Vec<Chain>,
    pub(crate) steps: usize,
    pub(crate) patterns: usize,
    /// Whether fields of `@metadata` are used, which are let go at the end.
    pub(crate) metadata: bool,
}

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// It goes on to the rules and into the store.
    Keep,
    /// A chain let it go.
    Drop,
}

#[derive(Debug)]
pub(crate) struct Chain {
    pub(crate) name: String,
    pub(crate) when: Option<When>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Debug)]
pub(crate) struct When {
    pub(crate) predicate: Predicate,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct Step {
    /// Its place among all steps, for the counters.
    pub(crate) number: usize,
    pub(crate) kind: &'static str,
    pub(crate) when: Option<When>,
    pub(crate) work: Work,
    pub(crate) options: Options,
    /// The places of its patterns among all patterns.
    pub(crate) patterns: Range<usize>,
}

pub(crate) enum Work {
    Action(Box<dyn Action>),
    Steps {
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    /// Only options.
    Nothing,
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Work::Action(_) => "Action",
            Work::Steps { .. } => "Steps",
            Work::Nothing => "Nothing",
        })
    }
}

impl Chains {
    /// Compiles chains.
    ///
    /// # Errors
    /// Every mistake that they have.
    pub fn compile(chains: &[ChainFile], files: &Files) -> Result<Chains, Vec<Diagnostic>> {
        compile::compile(chains, files)
    }

    /// The paths of the files that chains name, as written; whoever compiles them reads these first.
    pub fn files(chains: &[ChainFile]) -> Vec<String> {
        compile::files(chains)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// How many chains there are.
    pub fn len(&self) -> usize {
        self.chains.len()
    }

    /// Their names, in the order in which they run.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.chains.iter().map(|chain| chain.name.as_str())
    }

    /// New counters for these chains; `clock` gives nanoseconds since any moment.
    pub fn meter(&self, clock: Box<dyn Fn() -> u64 + Send>) -> Meter {
        Meter::new(self.chains.len(), self.steps, self.patterns, clock)
    }

    /// Runs the chains over an event.
    ///
    /// The context says when the record was received and in which zone; the meter is one of
    /// [`Chains::meter`]. What is set in the event may borrow from the chains.
    pub fn apply<'e>(
        &'e self,
        event: &mut Event<'e>,
        context: &Context<'_>,
        meter: &mut Meter,
    ) -> Verdict {
        if self.chains.is_empty() {
            return Verdict::Keep;
        }
        self.run(event, context, meter, None)
    }

    /// As [`Chains::apply`], and says what each step did.
    pub fn trace<'e>(
        &'e self,
        event: &mut Event<'e>,
        context: &Context<'_>,
        meter: &mut Meter,
    ) -> (Verdict, Trace) {
        let mut trace = Trace::default();
        let verdict = self.run(event, context, meter, Some(&mut trace));
        (verdict, trace)
    }

    fn run<'e>(
        &'e self,
        event: &mut Event<'e>,
        context: &Context<'_>,
        meter: &mut Meter,
        trace: Option<&mut Trace>,
    ) -> Verdict {
        let measured = meter.next() || trace.is_some();
        let mut run = Run { context, meter, trace, measured, room: Room::new() };
        let mut verdict = Verdict::Keep;
        for (number, chain) in self.chains.iter().enumerate() {
            verdict = run.chain(number, chain, event);
            if verdict == Verdict::Drop {
                run.meter.counts.dropped += 1;
                break;
            }
        }
        run.room.flag(event);
        if self.metadata {
            event.retain(|name| !is_metadata(name));
        }
        verdict
    }
}

/// One run over one event.
struct Run<'r> {
    context: &'r Context<'r>,
    meter: &'r mut Meter,
    trace: Option<&'r mut Trace>,
    measured: bool,
    room: Room,
}

impl Run<'_> {
    fn now(&self) -> u64 {
        if self.measured { (self.meter.clock)() } else { 0 }
    }

    fn chain<'e>(&mut self, number: usize, chain: &'e Chain, event: &mut Event<'e>) -> Verdict {
        let begun = self.now();
        let held = chain.when.as_ref().is_none_or(|when| when.predicate.matches(event));
        if let (Some(trace), Some(when)) = (self.trace.as_deref_mut(), &chain.when) {
            trace.steps.push(StepTrace {
                chain: chain.name.clone(),
                place: String::new(),
                kind: "chain",
                when: Some(when.text.clone()),
                result: if held { StepResult::Done } else { StepResult::NotHeld },
                patterns: Vec::new(),
                changes: Vec::new(),
                nanoseconds: (self.meter.clock)().saturating_sub(begun),
            });
        }
        let verdict =
            if held { self.steps(&chain.name, "", &chain.steps, event) } else { Verdict::Keep };
        let ended = self.now();
        if let Some(counts) = self.meter.counts.chains.get_mut(number) {
            counts.held += u64::from(held);
            counts.dropped += u64::from(verdict == Verdict::Drop);
            if self.measured {
                counts.measured += 1;
                counts.nanoseconds += ended.saturating_sub(begun);
            }
        }
        verdict
    }

    fn steps<'e>(
        &mut self,
        chain: &str,
        around: &str,
        steps: &'e [Step],
        event: &mut Event<'e>,
    ) -> Verdict {
        for (index, step) in steps.iter().enumerate() {
            if self.step(chain, (around, index + 1), step, event) == Verdict::Drop {
                return Verdict::Drop;
            }
        }
        Verdict::Keep
    }

    fn step<'e>(
        &mut self,
        chain: &str,
        (around, number): (&str, usize),
        step: &'e Step,
        event: &mut Event<'e>,
    ) -> Verdict {
        let held = step.when.as_ref().is_none_or(|when| when.predicate.matches(event));
        if self.trace.is_none() {
            if !held && !matches!(step.work, Work::Steps { .. }) {
                return Verdict::Keep;
            }
            return self.work(chain, "", step, held, event, None).0;
        }
        let place = format!("{around}{number}");
        let before = event.clone();
        let (slot, begun) = (self.trace.as_ref().map_or(0, |trace| trace.steps.len()), self.now());
        if let Some(trace) = self.trace.as_deref_mut() {
            trace.steps.push(StepTrace {
                chain: chain.to_owned(),
                place: place.clone(),
                kind: step.kind,
                when: step.when.as_ref().map(|when| when.text.clone()),
                result: StepResult::NotHeld,
                patterns: Vec::new(),
                changes: Vec::new(),
                nanoseconds: 0,
            });
        }
        let mut patterns = Vec::new();
        let (verdict, result) = self.work(chain, &place, step, held, event, Some(&mut patterns));
        let ended = self.now();
        if let Some(told) = self.trace.as_deref_mut().and_then(|trace| trace.steps.get_mut(slot)) {
            told.result = result;
            told.patterns = patterns;
            told.nanoseconds = ended.saturating_sub(begun);
            if !matches!(step.work, Work::Steps { .. }) {
                told.changes = changes(&before, event);
            }
        }
        verdict
    }

    /// Does the work of a step, and what comes with it.
    fn work<'e>(
        &mut self,
        chain: &str,
        place: &str,
        step: &'e Step,
        held: bool,
        event: &mut Event<'e>,
        watched: Option<&mut Vec<crate::trace::PatternTrace>>,
    ) -> (Verdict, StepResult) {
        let begun = self.now();
        let turn = self.meter.counts.steps.get(step.number).map_or(0, |counts| counts.tried % 100);
        let mut verdict = Verdict::Keep;
        let mut result = if held { StepResult::Done } else { StepResult::NotHeld };
        if let Work::Steps { then, otherwise } = &step.work {
            let (steps, word) = if held { (then, "then") } else { (otherwise, "else") };
            let around = match place {
                "" => String::new(),
                place => format!("{place}.{word}."),
            };
            verdict = self.steps(chain, &around, steps, event);
        }
        let Run { context, meter, room, measured, .. } = self;
        let Meter { clock, counts, captures } = &mut **meter;
        let mut scene = Scene {
            context,
            patterns: counts.patterns.get_mut(step.patterns.clone()).unwrap_or_default(),
            clock: measured.then_some(&**clock),
            watched,
            captures,
            turn,
            room,
        };
        if let (true, Work::Action(action)) = (held, &step.work) {
            match action.run(event, &mut scene) {
                Outcome::Done => {}
                Outcome::Missing => result = StepResult::Nothing("the field is not there".into()),
                Outcome::Failed(why) => {
                    step.options.failed(event);
                    result = StepResult::Failed(why.into_owned());
                }
                Outcome::TooHard(why) => {
                    result = StepResult::TooHard(why.into_owned());
                }
                Outcome::Drop => {
                    verdict = Verdict::Drop;
                    result = StepResult::Dropped;
                }
            }
        }
        if held && result == StepResult::Done && verdict == Verdict::Keep {
            step.options.succeeded(event, &mut scene);
        }
        let ended = self.now();
        if let Some(counts) = self.meter.counts.steps.get_mut(step.number) {
            counts.tried += u64::from(held);
            match &result {
                StepResult::Done | StepResult::Dropped => counts.done += 1,
                StepResult::Failed(_) => counts.failed += 1,
                StepResult::TooHard(_) => counts.too_hard += 1,
                StepResult::Nothing(_) | StepResult::NotHeld => {}
            }
            if self.measured {
                counts.measured += 1;
                counts.nanoseconds += ended.saturating_sub(begun);
            }
        }
        (verdict, result)
    }
}
