//! Shows events to the rules of all sets and lets time pass.
//!
//! Time moves in two ways only: to the second of an event, and on to a later second when nothing comes.
//! On its way it stops at each second at which a rule has something to do, so that the seconds at which
//! somebody happened to look make no difference.

use std::sync::Arc;

use bergfried_event::{Event, Finding, Timestamp};
use bergfried_sec::{Engine, Limits, Options, Snapshot, Source};
use serde::{Deserialize, Serialize};

use super::act::Act;
use super::alert::Seen;
use super::hand::Hand;
use super::line::{field, lines, source};
use super::set::{Set, Sets};
use crate::engine::Replaced;

/// The most synthetic events that a set works off in one turn; the others wait for the next.
const MAX_TURN: usize = 10_000;
/// The most stops on the way to a later second; the rest of the way is one step.
const MAX_STOPS: usize = 100_000;

/// What the rules of one set may hold.
const LIMITS: Limits = Limits {
    contexts: 1_000_000,
    operations: 1_000_000,
    store_lines: 1_000_000,
    text: 1 << 20,
    events: 100_000,
    times: 100_000,
    variables: 100_000,
    sources: 10_000,
    rounds: 100_000,
};

/// What came of an act.
#[derive(Clone, Debug)]
pub enum Back {
    /// A command said a line, in this internal context.
    Line {
        /// The set that ran the command.
        set: Arc<str>,
        /// The line.
        line: Vec<u8>,
        /// Its context.
        context: Option<Vec<u8>>,
    },
    /// A script ended.
    Ended {
        /// The set that ran it.
        set: Arc<str>,
        /// Its number.
        script: u64,
        /// Whether it ended well.
        success: bool,
    },
}

impl Back {
    fn set(&self) -> &str {
        match self {
            Back::Line { set, .. } | Back::Ended { set, .. } => set,
        }
    }
}

/// What is counted of a set since it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// The name of the set.
    pub set: String,
    /// Alerts that its rules made.
    pub alerts: u64,
    /// What its rules asked for and may not do.
    pub refused: u64,
    /// Alerts and acts that were too many at once.
    pub shed: u64,
    /// What its rules could not keep because there was too much of it: contexts, operations, lines.
    pub evicted: u64,
    /// Contexts that there are.
    pub contexts: u64,
    /// Operations that run.
    pub operations: u64,
    /// For each of its rules, in their order, how often it matched.
    pub hits: Vec<u64>,
    /// What was refused was told of.
    pub(super) told: Vec<&'static str>,
}

struct Run {
    set: Arc<Set>,
    engine: Engine,
    /// The second up to which it is; none where it saw nothing yet.
    now: Option<i64>,
    /// Whether it remembers nothing from before.
    anew: bool,
    counts: Counts,
}

/// What a set remembers.
#[derive(Serialize, Deserialize)]
struct Kept {
    set: String,
    now: Option<i64>,
    state: Snapshot,
}

/// What an event or a moment may do beside changing what is remembered.
struct Stage<'s> {
    findings: Option<&'s mut Vec<Finding>>,
    acts: &'s mut Vec<Act>,
    live_from: i64,
}

/// The sets that run, and what their rules remember.
pub struct Runner {
    runs: Vec<Run>,
    acts: Vec<Act>,
    live_from: i64,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runner").field("sets", &self.runs.len()).finish_non_exhaustive()
    }
}

impl Runner {
    /// Sets that saw nothing yet. What rules ask for beside alerts at an earlier second than `live_from`
    /// is not done any more: whoever ran then has done it.
    pub fn new(sets: &Sets, live_from: Timestamp) -> Runner {
        let runs = sets.iter().map(|set| Run::new(Arc::clone(set))).collect();
        Runner { runs, acts: Vec::new(), live_from: seconds(live_from) }
    }

    /// Whether there is no set.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Shows an event that the hub took at `ingested`. Without a place for findings it was judged
    /// before: it is remembered, nothing is said or done.
    pub fn event(
        &mut self,
        event: &Event<'_>,
        id: u64,
        ingested: Timestamp,
        findings: Option<&mut Vec<Finding>>,
    ) {
        self.show(event, id, ingested, findings, |_| true);
    }

    /// As [`Runner::event`] without findings, for the sets that started anew alone.
    pub fn learn(&mut self, event: &Event<'_>, id: u64, ingested: Timestamp) {
        self.show(event, id, ingested, None, |run| run.anew);
    }

    fn show(
        &mut self,
        event: &Event<'_>,
        id: u64,
        ingested: Timestamp,
        mut findings: Option<&mut Vec<Finding>>,
        wanted: impl Fn(&Run) -> bool,
    ) {
        let now = seconds(ingested);
        for run in self.runs.iter_mut().filter(|run| wanted(run)) {
            let findings = findings.as_deref_mut();
            let mut stage = Stage { findings, acts: &mut self.acts, live_from: self.live_from };
            let now = run.to(now, &mut stage);
            if run.set.table.when.as_ref().is_none_or(|when| when.matches(event)) {
                run.show(Seen { event, id }, now, &mut stage);
            }
        }
    }

    /// Lets time pass up to this second.
    pub fn advance(&mut self, now: Timestamp, mut findings: Option<&mut Vec<Finding>>) {
        for run in &mut self.runs {
            let findings = findings.as_deref_mut();
            let mut stage = Stage { findings, acts: &mut self.acts, live_from: self.live_from };
            run.to(seconds(now), &mut stage);
        }
    }

    /// Takes what came of an act.
    pub fn back(&mut self, back: Back, now: Timestamp, findings: &mut Vec<Finding>) {
        let Some(run) = self.runs.iter_mut().find(|run| run.set.name() == back.set()) else {
            return;
        };
        let findings = Some(findings);
        let mut stage = Stage { findings, acts: &mut self.acts, live_from: self.live_from };
        let now = run.to(seconds(now), &mut stage);
        match back {
            Back::Line { line, context, .. } => run.engine.event(line, context),
            Back::Ended { script, success, .. } => {
                run.with(None, now, &mut stage, |engine, hand| {
                    engine.ended(script, success, now, hand);
                });
            }
        }
        run.settle(None, now, &mut stage);
    }

    /// What was asked for since the last time.
    pub fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// Takes other sets. What those of the same name remember goes on, but for operations of files that
    /// were changed.
    pub fn replace(&mut self, sets: &Sets) -> Replaced {
        let mut old = std::mem::take(&mut self.runs);
        let mut replaced = Replaced::default();
        for set in sets.iter() {
            let place = old.iter().position(|run| run.set.name() == set.name());
            let known =
                place.map(|place| old.swap_remove(place)).filter(|run| run.set.is_like(set));
            self.runs.push(match known {
                Some(mut run) => {
                    replaced.kept += 1;
                    if !run.set.has_rules_of(set) {
                        run.engine.restart_soft(set.rules.clone());
                    }
                    run.set = Arc::clone(set);
                    run
                }
                None => {
                    replaced.anew += 1;
                    Run::new(Arc::clone(set))
                }
            });
        }
        replaced
    }

    /// What the rules remember, to be read by [`Runner::restore`].
    pub fn snapshot(&self) -> Vec<u8> {
        let kept = |run: &Run| Kept {
            set: run.set.name().to_owned(),
            now: run.now,
            state: run.engine.snapshot(),
        };
        let kept: Vec<Kept> = self.runs.iter().filter(|run| run.now.is_some()).map(kept).collect();
        let mut bytes = Vec::new();
        match ciborium::into_writer(&kept, &mut bytes) {
            Ok(()) => bytes,
            // Then nothing is remembered, which a restart makes good from what is stored.
            Err(_) => Vec::new(),
        }
    }

    /// Goes on where the snapshot was taken; says how many operations are gone because the files of
    /// their rules are others now. Sets that it does not know start anew.
    ///
    /// # Errors
    /// Where the bytes are no snapshot: all sets start anew.
    pub fn restore(&mut self, snapshot: &[u8]) -> Result<usize, String> {
        if snapshot.is_empty() {
            return Ok(0);
        }
        let kept: Vec<Kept> = ciborium::from_reader(snapshot).map_err(|error| error.to_string())?;
        let mut gone = 0;
        for Kept { set, now, state } in kept {
            if let Some(run) = self.runs.iter_mut().find(|run| run.set.name() == set) {
                gone += run.engine.restore(state);
                (run.now, run.anew) = (now, false);
            }
        }
        Ok(gone)
    }

    /// How many sets remember nothing from before.
    pub fn anew(&self) -> usize {
        self.runs.iter().filter(|run| run.anew).count()
    }

    /// How often rules matched in all.
    pub fn matches(&self) -> u64 {
        self.runs.iter().map(|run| run.engine.statistics().matches).sum()
    }

    /// What is counted of each set.
    pub fn counts(&self) -> Vec<Counts> {
        self.runs.iter().map(Run::counted).collect()
    }
}

impl Run {
    fn new(set: Arc<Set>) -> Run {
        let options = options(&set);
        let engine = Engine::new(set.rules.clone(), options);
        let counts = Counts { set: set.name().to_owned(), ..Counts::default() };
        Run { set, engine, now: None, anew: true, counts }
    }

    /// Moves on to this second, and says where it is: a clock that was put back moves nothing.
    fn to(&mut self, now: i64, stage: &mut Stage<'_>) -> i64 {
        let Some(mut at) = self.now else {
            self.now = Some(now);
            if self.set.table.internal_events {
                self.with(None, now, stage, |engine, hand| {
                    engine.internal("SEC_STARTUP", now, hand);
                });
            }
            self.settle(None, now, stage);
            return now;
        };
        if at >= now && !self.engine.has_events() {
            return at;
        }
        for _ in 0..MAX_STOPS {
            let Some(due) = self.engine.next_due().filter(|due| *due < now) else { break };
            at = due.max(at + 1);
            if at >= now || !self.settle(None, at, stage) {
                break;
            }
        }
        at = self.now.map_or(now, |before| before.max(now));
        self.settle(None, at, stage);
        self.now = Some(at);
        at
    }

    fn show(&mut self, seen: Seen<'_>, now: i64, stage: &mut Stage<'_>) {
        let fields = |name: &str| field(seen.event, name);
        let name = source(seen.event);
        for line in lines(seen.event) {
            self.with(Some(seen), now, stage, |engine, hand| {
                let source = Source { name: name.as_bytes(), context: None, fields: Some(&fields) };
                engine.line(line.as_bytes(), &source, now, hand);
            });
            self.settle(Some(seen), now, stage);
        }
    }

    /// Works off what waits, and lets timers of this second act; false where that was too much.
    fn settle(&mut self, seen: Option<Seen<'_>>, now: i64, stage: &mut Stage<'_>) -> bool {
        let mut left = MAX_TURN;
        self.with(seen, now, stage, |engine, hand| {
            loop {
                while left > 0 && engine.next_event(now, hand) {
                    left -= 1;
                }
                engine.tick(now, hand);
                let is_due = engine.next_due().is_some_and(|due| due <= now);
                if left == 0 || !(engine.has_events() || is_due) {
                    break;
                }
                left -= 1;
            }
        });
        left > 0
    }

    fn with(
        &mut self,
        seen: Option<Seen<'_>>,
        now: i64,
        stage: &mut Stage<'_>,
        act: impl FnOnce(&mut Engine, &mut Hand<'_>),
    ) {
        let findings = stage.findings.as_deref_mut();
        let found = findings.as_ref().map_or(0, |findings| findings.len());
        let is_live = findings.is_some() && now >= stage.live_from;
        let mut hand = Hand {
            set: &self.set,
            seen,
            at: Timestamp::from_seconds(now),
            findings,
            found,
            acts: is_live.then_some(&mut *stage.acts),
            ended: Vec::new(),
            counts: &mut self.counts,
        };
        act(&mut self.engine, &mut hand);
        // A script that does not run has failed.
        for _ in 0..MAX_TURN {
            let Some(script) = hand.ended.pop() else { break };
            self.engine.ended(script, false, now, &mut hand);
        }
    }

    fn counted(&self) -> Counts {
        let statistics = self.engine.statistics();
        Counts {
            evicted: statistics.shed,
            contexts: statistics.contexts,
            operations: statistics.operations,
            hits: self.engine.hits().map(|(_, _, hits)| hits).collect(),
            ..self.counts.clone()
        }
    }
}

fn options(set: &Set) -> Options {
    Options {
        intcontexts: set.table.internal_contexts,
        time_zone: set.table.time_zone.clone(),
        // Looked at in each second that has something to do.
        clean_time: 0,
        limits: LIMITS,
        ..Options::default()
    }
}

fn seconds(time: Timestamp) -> i64 {
    time.micros().div_euclid(Timestamp::SECOND)
}
