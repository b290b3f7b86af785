//! The engine: lines meet rules, rules keep operations and contexts, actions go out.

mod actions;
mod asking;
mod buffer;
mod contexts;
mod dump;
mod lists;
mod matching;
mod operations;
mod scope;
mod snapshot;
mod timers;

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;
use jiff::tz::TimeZone;

use crate::expression::Sets;
use crate::pattern::Candidates;
use crate::port::Port;
use crate::rule::{Kind, RuleSet};
use crate::text::Text;
use crate::variables::{Bound, Match, Scene};
use buffer::Buffers;
use contexts::Contexts;
pub use dump::{ContextDump, Dump, FileDump, OperationDump, RuleDump};
use lists::Variables;
use operations::Operations;
pub use snapshot::Snapshot;

/// How an engine runs; the names are those of SEC's options.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many lines a buffer holds; 0 is as many as patterns look at.
    pub bufsize: usize,
    /// Whether all sources share a buffer; nothing is SEC's own choice.
    pub jointbuf: Option<bool>,
    /// Whether each line has an internal context.
    pub intcontexts: bool,
    /// How many lines a context's store holds; 0 is without a limit of its own.
    pub event_store_size: usize,
    /// How many seconds pass between looks at timers; 0 looks after each line.
    pub clean_time: i64,
    /// Whether `%s` is put in single quotes in command lines.
    pub quoting: bool,
    /// The zone of `%t`, `%.hour` and calendars.
    pub time_zone: TimeZone,
    /// What the engine may hold.
    pub limits: Limits,
}

/// Bounds; what they shed is counted.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Contexts at a time; one more is not made.
    pub contexts: usize,
    /// Operations at a time; one more is not started.
    pub operations: usize,
    /// Lines in the stores of all contexts together.
    pub store_lines: usize,
    /// Bytes that lines in stores, variables and matches kept may take, each.
    pub text: usize,
    /// Synthetic events that wait.
    pub events: usize,
    /// Event times that one operation remembers.
    pub times: usize,
    /// Variables of action lists.
    pub variables: usize,
    /// Sources with a buffer of their own.
    pub sources: usize,
    /// Rounds of one `while`.
    pub rounds: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            contexts: 5_000_000,
            operations: 5_000_000,
            store_lines: 10_000_000,
            text: 16 << 20,
            events: 1_000_000,
            times: 1_000_000,
            variables: 1_000_000,
            sources: 100_000,
            rounds: 10_000_000,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bufsize: 0,
            jointbuf: None,
            intcontexts: false,
            event_store_size: 0,
            clean_time: 1,
            quoting: false,
            time_zone: TimeZone::UTC,
            limits: Limits::default(),
        }
    }
}

/// Fields of a parsed event by name, where there is one.
pub type Fields<'a> = Option<&'a dyn Fn(&str) -> Option<Vec<u8>>>;

/// Where a line came from.
#[derive(Clone, Copy)]
pub struct Source<'a> {
    /// The input's name: `$+{_inputsrc}`.
    pub name: &'a [u8],
    /// The internal context that the input was given.
    pub context: Option<&'a [u8]>,
    /// Fields of the event that the line was parsed to, by name.
    pub fields: Fields<'a>,
}

/// What an engine did since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Statistics {
    /// Lines and events seen.
    pub lines: u64,
    /// Rules that matched.
    pub matches: u64,
    /// Actions that ran.
    pub actions: u64,
    /// Expressions that took too many steps for a line.
    pub overruns: u64,
    /// Parts of expressions that had no value.
    pub failures: u64,
    /// Contexts and operations that were not made, events and lines that were dropped, values of
    /// expressions' sets that were forgotten early, for a limit.
    pub shed: u64,
    /// Contexts now.
    pub contexts: u64,
    /// Operations now.
    pub operations: u64,
}

/// Rules at work.
pub struct Engine {
    rules: Arc<RuleSet>,
    /// Which files of the rules are in a set, in order.
    sets: HashMap<Box<str>, Vec<usize>>,
    state: State,
    /// Room for candidates, used again and again.
    spare: Vec<Candidates>,
}

/// Everything that changes.
struct State {
    options: Options,
    now: i64,
    last_sweep: i64,
    buffers: Buffers,
    /// Entries of the match cache, for this line alone.
    cache: Vec<(Box<str>, Arc<Match>)>,
    contexts: Contexts,
    operations: Operations,
    variables: Variables,
    /// Named sets of expressions.
    sets: Sets,
    /// Synthetic events that wait.
    events: VecDeque<Waiting>,
    /// Delayed ones, by the second they are due in.
    delayed: timers::Delayed,
    /// What scripts of rules do when they end.
    scripts: HashMap<u64, Script>,
    next_script: u64,
    /// The minute of the calendar's rules that acted last, by file and rule.
    calendar: HashMap<(u64, usize), i64>,
    hits: HashMap<(u64, usize), u64>,
    statistics: Statistics,
}

/// A synthetic event.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Waiting {
    line: Vec<u8>,
    context: Option<Vec<u8>>,
}

/// A rule waits for its script.
struct Script {
    file: Arc<crate::rule::RuleFile>,
    rule: usize,
    scene: Scene,
}

impl Engine {
    /// Rules with nothing remembered.
    pub fn new(rules: RuleSet, options: Options) -> Self {
        let buffers = Buffers::new(&rules, &options);
        let state = State {
            now: 0,
            last_sweep: i64::MIN,
            buffers,
            cache: Vec::new(),
            contexts: Contexts::default(),
            operations: Operations::default(),
            variables: Variables::default(),
            sets: Sets::default(),
            events: VecDeque::new(),
            delayed: timers::Delayed::default(),
            scripts: HashMap::default(),
            next_script: 0,
            calendar: HashMap::default(),
            hits: HashMap::default(),
            statistics: Statistics::default(),
            options,
        };
        let sets = sets_of(&rules);
        let mut engine = Self { rules: Arc::new(rules), sets, state, spare: Vec::new() };
        engine.state.operations.place(&engine.rules);
        engine
    }

    /// Shows a line to the rules.
    pub fn line(&mut self, line: &[u8], source: &Source<'_>, now: i64, port: &mut dyn Port) {
        let context = if self.state.options.intcontexts {
            Some(match source.context {
                Some(name) => name.to_vec(),
                None => [b"_FILE_EVENT_", source.name].concat(),
            })
        } else {
            source.context.map(<[u8]>::to_vec)
        };
        self.show(line, Some(source.name), context, source.fields, now, port);
    }

    /// Shows an internal event such as `SEC_STARTUP`, within the context `SEC_INTERNAL_EVENT`.
    pub fn internal(&mut self, event: &str, now: i64, port: &mut dyn Port) {
        let context = Some(b"SEC_INTERNAL_EVENT".to_vec());
        self.show(event.as_bytes(), None, context, None, now, port);
    }

    /// Takes a line that a command said; it waits for [`Engine::next_event`].
    pub fn event(&mut self, line: Vec<u8>, context: Option<Vec<u8>>) {
        self.state.wait(line, context);
    }

    /// Whether synthetic events wait.
    pub fn has_events(&self) -> bool {
        !self.state.events.is_empty()
    }

    /// Shows the next synthetic event to the rules, where one waits.
    pub fn next_event(&mut self, now: i64, port: &mut dyn Port) -> bool {
        let Some(Waiting { line, context }) = self.state.events.pop_front() else { return false };
        let context = self
            .state
            .options
            .intcontexts
            .then(|| context.unwrap_or_else(|| b"_INTERNAL_EVENT".to_vec()));
        self.show(&line, None, context, None, now, port);
        true
    }

    /// Hears that the script of a rule ended.
    pub fn ended(&mut self, script: u64, success: bool, now: i64, port: &mut dyn Port) {
        self.state.now = now;
        let Some(Script { file, rule, scene }) = self.state.scripts.remove(&script) else { return };
        if let Some(Kind::Script { action, action2, .. }) =
            file.rules.get(rule).map(|rule| &rule.kind)
        {
            let list = if success { Some(*action) } else { *action2 };
            if let Some(list) = list {
                self.state.run(&file, rule, list, &scene, port);
            }
        }
    }

    /// Lets time pass: looks at timers where it is time to.
    pub fn tick(&mut self, now: i64, port: &mut dyn Port) {
        self.state.now = now;
        // A clock that was set back starts anew.
        let passed = now.saturating_sub(self.state.last_sweep);
        if passed >= self.state.options.clean_time || passed < 0 {
            self.state.last_sweep = now;
            self.sweep(port);
        }
    }

    /// The earliest second in which a timer would act.
    pub fn next_due(&self) -> Option<i64> {
        let calendar = self
            .rules
            .files
            .iter()
            .flat_map(|file| &file.rules)
            .any(|rule| matches!(rule.kind, Kind::Calendar { .. }));
        let minute = calendar.then(|| self.state.now.div_euclid(60) * 60 + 60);
        [
            self.state.contexts.next_due(),
            self.state.operations.next_due(),
            self.state.delayed.next_due(),
            minute,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Puts other rules in the place of these. Operations of files that are not there any more end;
    /// contexts and variables stay.
    pub fn restart_soft(&mut self, rules: RuleSet) {
        self.state.operations.keep(&rules);
        self.state.buffers.resize(&rules, &self.state.options);
        self.sets = sets_of(&rules);
        self.rules = Arc::new(rules);
        self.state.operations.place(&self.rules);
        let known: Vec<u64> = self.rules.files.iter().map(|file| file.fingerprint).collect();
        self.state.calendar.retain(|(file, _), _| known.contains(file));
        self.state.hits.retain(|(file, _), _| known.contains(file));
    }

    /// Begins anew with other rules; only synthetic events that wait their turn are left.
    pub fn restart_full(&mut self, rules: RuleSet, options: Options) {
        let events = std::mem::take(&mut self.state.events);
        *self = Self::new(rules, options);
        self.state.events = events;
    }

    /// Frees the buffer of a source that is gone.
    pub fn source_gone(&mut self, name: &[u8]) {
        self.state.buffers.forget(name);
    }

    /// What it did so far.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            contexts: self.state.contexts.len() as u64,
            operations: self.state.operations.len() as u64,
            shed: self.state.statistics.shed + self.state.sets.evicted(),
            ..self.state.statistics
        }
    }

    /// How often each rule matched, in the order of files and rules.
    pub fn hits(&self) -> impl Iterator<Item = (&str, usize, u64)> {
        self.rules.files.iter().flat_map(move |file| {
            (0..file.rules.len()).map(move |rule| {
                (
                    file.name(),
                    rule,
                    self.state.hits.get(&(file.fingerprint, rule)).copied().unwrap_or(0),
                )
            })
        })
    }

    /// The rules that run.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn sweep(&mut self, port: &mut dyn Port) {
        let rules = Arc::clone(&self.rules);
        self.state.expire_contexts(port);
        self.state.release_events();
        self.state.run_calendar(&rules, port);
        self.state.expire_operations(port);
    }
}

impl State {
    fn wait(&mut self, line: Vec<u8>, context: Option<Vec<u8>>) {
        if self.events.len() >= self.options.limits.events {
            self.statistics.shed += 1;
            return;
        }
        self.events.push_back(Waiting { line, context });
    }

    /// A scene for texts of a rule that no match fills in.
    fn scene(&self, bound: Arc<Bound>, description: Text) -> Scene {
        Scene { bound, description: Arc::new(description) }
    }
}

fn sets_of(rules: &RuleSet) -> HashMap<Box<str>, Vec<usize>> {
    let mut sets: HashMap<Box<str>, Vec<usize>> = HashMap::default();
    for (at, file) in rules.files.iter().enumerate() {
        for set in &file.sets {
            let files = sets.entry(set.clone()).or_default();
            if !files.contains(&at) {
                files.push(at);
            }
        }
    }
    sets
}
