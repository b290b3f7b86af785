//! What is read: each round takes one line of each input, in the order of their names (sec(1), "INPUT
//! PROCESSING AND TIMING").
//!
//! Bytes stay bytes. A line is at most [`LINE`] bytes long; what is longer is cut and counted.

mod input;

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

pub(crate) use input::{BLOCK, Input, LINE};
use input::{Begin, Filled, How};

use crate::log::{Log, level};
use crate::options::{InputPattern, Options};
use crate::paths;

/// How often patterns are looked at again.
const WATCH: Duration = Duration::from_secs(1);
/// How many inputs there are at most.
const INPUTS: usize = 10_000;
/// So many seconds after it lost its name, an input that a pattern found is forgotten.
const FORGOTTEN: i64 = 60;
/// How long an input without data rests while others are busy.
const REST: Duration = Duration::from_millis(10);

/// What happened to an input, for others to act on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// It is no longer read.
    Gone(Vec<u8>),
    /// It had no data for as long as `--input-timeout` says.
    Silent(Vec<u8>),
    /// It has data again.
    Back(Vec<u8>),
}

/// All inputs.
pub(crate) struct Inputs {
    /// By name.
    all: Vec<Input>,
    /// Whose turn it is.
    turn: usize,
    /// Whether data came that ends no line yet.
    filled: bool,
    patterns: Vec<InputPattern>,
    how: How,
    reopen: i64,
    check: i64,
    silence: i64,
    watched: Instant,
    rested: Instant,
    happenings: Vec<Happening>,
    lines: u64,
    cut: u64,
}

impl Inputs {
    /// Opens what the options name; what cannot be opened is logged, and tried again where the options
    /// say so. `anew` is a full restart, which goes on at the ends of files.
    pub(crate) fn open(options: &Options, anew: bool, now: i64, log: &mut Log) -> Self {
        let mut inputs = Self {
            all: Vec::new(),
            turn: 0,
            filled: false,
            patterns: options.inputs.clone(),
            how: How {
                block: options.block_size.unwrap_or(BLOCK).min(LINE),
                read_write_fifo: options.read_write_fifo,
                ends: !options.tail,
            },
            reopen: seconds(options.reopen_timeout),
            check: seconds(options.check_timeout),
            silence: seconds(options.input_timeout),
            watched: Instant::now(),
            rested: Instant::now(),
            happenings: Vec::new(),
            lines: 0,
            cut: 0,
        };
        let start = !options.tail || (options.from_start && !anew);
        let begin = if start { Begin::Start } else { Begin::End };
        for (name, context, found) in inputs.named() {
            inputs.insert(name, context, found, begin, now, log);
        }
        inputs
    }

    /// What the options name now: a soft restart. Inputs that are open stay so where they are kept.
    pub(crate) fn reread(&mut self, options: &Options, now: i64, log: &mut Log) {
        self.patterns.clone_from(&options.inputs);
        self.reopen = seconds(options.reopen_timeout);
        self.check = seconds(options.check_timeout);
        self.silence = seconds(options.input_timeout);
        let named = self.named();
        let names: BTreeSet<&[u8]> = named.iter().map(|(name, ..)| name.as_slice()).collect();
        let keep = |input: &Input| input.added || names.contains(input.name.as_slice());
        let (kept, gone) = std::mem::take(&mut self.all).into_iter().partition(keep);
        self.all = kept;
        self.happenings.extend(Vec::<Input>::into_iter(gone).map(|one| Happening::Gone(one.name)));
        for (name, context, _) in &named {
            if let Ok(at) = self.position(name)
                && let Some(input) = self.all.get_mut(at)
            {
                input.context.clone_from(context);
            }
        }
        for input in &mut self.all {
            if !input.is_open() || !options.keep_open {
                let begin = if options.tail { Begin::End } else { Begin::Start };
                open(input, begin, self.how, self.reopen, now, log);
            }
        }
        for (name, context, found) in named {
            self.insert(name, context, found, Begin::End, now, log);
        }
    }

    /// The names that the patterns stand for, with their contexts, and whether a wildcard found them.
    fn named(&self) -> Vec<(Vec<u8>, Option<Vec<u8>>, bool)> {
        // Of several patterns that stand for a name, the last one gives it its context.
        let mut named = BTreeMap::new();
        for one in &self.patterns {
            let found = paths::is_pattern(&one.pattern);
            let names = paths::expand(&one.pattern);
            named.extend(names.into_iter().map(|name| (name, (one.context.clone(), found))));
        }
        named.into_iter().map(|(name, (context, found))| (name, context, found)).collect()
    }

    fn position(&self, name: &[u8]) -> Result<usize, usize> {
        self.all.binary_search_by(|input| input.name.as_slice().cmp(name))
    }

    fn insert(
        &mut self,
        name: Vec<u8>,
        context: Option<Vec<u8>>,
        found: bool,
        begin: Begin,
        now: i64,
        log: &mut Log,
    ) -> Option<&mut Input> {
        let Err(at) = self.position(&name) else { return None };
        if self.all.len() >= INPUTS {
            let text = format!("cannot read {}: there are {INPUTS} inputs", shown(&name));
            log.say(level::WARNING, &text);
            return None;
        }
        let mut input = Input::new(name, context, now);
        input.found = found;
        open(&mut input, begin, self.how, self.reopen, now, log);
        self.all.insert(at, input);
        // Whose turn it was, it is.
        if at < self.turn {
            self.turn += 1;
        }
        self.all.get_mut(at)
    }

    /// Adds an input for a rule (`addinput`). One that is not there yet is read from its start later.
    pub(crate) fn add(
        &mut self,
        name: &[u8],
        offset: Option<u64>,
        context: Option<&[u8]>,
        now: i64,
        log: &mut Log,
    ) {
        let begin = offset.map_or(Begin::End, Begin::At);
        let context = context.map(<[u8]>::to_vec);
        match self.insert(name.to_vec(), context, false, begin, now, log) {
            Some(input) => input.added = true,
            None => {
                let text = format!("input file {} is read already", shown(name));
                log.say(level::WARNING, &text);
            }
        }
    }

    /// Reads an input no longer (`dropinput`).
    pub(crate) fn remove(&mut self, name: &[u8], log: &mut Log) {
        let added = |at: &usize| self.all.get(*at).is_some_and(|input| input.added);
        match self.position(name).ok().filter(added) {
            Some(at) => self.forget(at),
            None => {
                let text = format!("no rule added input file {}, cannot drop it", shown(name));
                log.say(level::WARNING, &text);
            }
        }
    }

    fn forget(&mut self, at: usize) {
        let input = self.all.remove(at);
        if at < self.turn {
            self.turn -= 1;
        }
        self.happenings.push(Happening::Gone(input.name));
    }

    /// The next input with a line, in turn; none where all rest.
    pub(crate) fn next(&mut self, now: i64, log: &mut Log) -> Option<usize> {
        loop {
            for _ in 0..self.all.len() {
                if self.turn >= self.all.len() {
                    self.turn = 0;
                }
                let at = self.turn;
                self.turn += 1;
                if self.ready(at, now, log) {
                    self.lines += 1;
                    return Some(at);
                }
            }
            if !std::mem::take(&mut self.filled) {
                return None;
            }
        }
    }

    /// An input.
    pub(crate) fn get(&self, at: usize) -> Option<&Input> {
        self.all.get(at)
    }

    /// Whether an input has a line; reads where it must, once: where that ends no line, it is another
    /// one's turn.
    fn ready(&mut self, at: usize, now: i64, log: &mut Log) -> bool {
        let Some(input) = self.all.get_mut(at) else { return false };
        loop {
            if input.advance() || input.cut() {
                if std::mem::take(&mut input.was_cut) {
                    self.cut += 1;
                    let name = shown(&input.name);
                    let text = format!("a line of {name} has more than {LINE} bytes, cut");
                    log.say(level::WARNING, &text);
                }
                return true;
            }
            if input.resting || input.done || !input.is_open() || input.next_check > now {
                return false;
            }
            match input.fill(self.how) {
                Filled::Data => {
                    input.last = now;
                    if std::mem::take(&mut input.silent) {
                        self.happenings.push(Happening::Back(input.name.clone()));
                    }
                    if !input.advance() {
                        self.filled = true;
                        return false;
                    }
                    return true;
                }
                Filled::Nothing => {
                    input.resting = true;
                    input.next_check = if self.check > 0 { now + self.check } else { 0 };
                    return false;
                }
                Filled::End => {
                    input.done = true;
                    input.close(now);
                    return input.rest();
                }
                Filled::NoWriter => {
                    let text =
                        format!("no writers on input pipe {}, closing it", shown(&input.name));
                    log.say(level::NOTICE, &text);
                    input.close(now);
                    input.done = self.how.ends || input.name == b"-";
                    input.next_open = now + self.reopen;
                    return input.done && input.rest();
                }
                what @ (Filled::Truncated | Filled::Recreated) => {
                    let how = if what == Filled::Truncated { "truncated" } else { "recreated" };
                    let text = format!("input file {} has been {how}", shown(&input.name));
                    log.say(level::NOTICE, &text);
                    open(input, Begin::Start, self.how, self.reopen, now, log);
                }
                Filled::Failed(error) => {
                    let text = format!("cannot read {}: {error}, closing it", shown(&input.name));
                    log.say(level::WARNING, &text);
                    input.close(now);
                    input.next_open = now + self.reopen;
                    input.done = self.how.ends;
                    return input.done && input.rest();
                }
            }
        }
    }

    /// Lets inputs without data be tried again, where that was not just done.
    pub(crate) fn rested(&mut self) {
        if self.rested.elapsed() >= REST {
            self.wake();
        }
    }

    /// Lets inputs without data be tried again.
    pub(crate) fn wake(&mut self) {
        self.rested = Instant::now();
        for input in &mut self.all {
            input.resting = false;
        }
    }

    /// What is to do now and then: closed inputs are tried, patterns looked at, silence noticed.
    pub(crate) fn care(&mut self, now: i64, log: &mut Log) {
        for input in &mut self.all {
            if self.silence > 0 && !input.silent && now - input.last > self.silence {
                input.silent = true;
                self.happenings.push(Happening::Silent(input.name.clone()));
            }
            let tried = self.reopen > 0 && !self.how.ends && !input.done && now >= input.next_open;
            if !input.is_open() && tried {
                open(input, Begin::Start, self.how, self.reopen, now, log);
            }
        }
        if self.how.ends || self.watched.elapsed() < WATCH {
            return;
        }
        self.watched = Instant::now();
        if !self.patterns.iter().any(|one| paths::is_pattern(&one.pattern)) {
            return;
        }
        let named = self.named();
        for (name, context, found) in named.iter().filter(|(.., found)| *found) {
            if self.position(name).is_err() && self.all.len() < INPUTS {
                self.insert(name.clone(), context.clone(), *found, Begin::Start, now, log);
            }
        }
        let names: BTreeSet<&[u8]> = named.iter().map(|(name, ..)| name.as_slice()).collect();
        for at in (0..self.all.len()).rev() {
            let old = self.all.get(at).is_some_and(|input| {
                input.found
                    && now - input.last > FORGOTTEN
                    && !names.contains(input.name.as_slice())
            });
            if old {
                self.forget(at);
            }
        }
    }

    /// What happened since this was last asked.
    pub(crate) fn happenings(&mut self) -> Vec<Happening> {
        std::mem::take(&mut self.happenings)
    }

    /// Whether everything was read, where inputs end.
    pub(crate) fn are_done(&self) -> bool {
        self.how.ends && self.all.iter().all(|input| input.done || !input.is_open())
    }

    /// What can be waited for.
    pub(crate) fn waits_for(&self, now: i64) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.all.iter().filter(move |input| input.next_check <= now).filter_map(Input::waits_for)
    }

    /// Every input, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Input> {
        self.all.iter()
    }

    /// How many lines were read, and how many of them cut.
    pub(crate) const fn counts(&self) -> (u64, u64) {
        (self.lines, self.cut)
    }
}

fn open(input: &mut Input, begin: Begin, how: How, reopen: i64, now: i64, log: &mut Log) {
    log.say(level::NOTICE, &format!("opening input file {}", shown(&input.name)));
    if let Err(error) = input.open(begin, how) {
        let text = format!("cannot open input file {}: {error}", shown(&input.name));
        log.say(level::WARNING, &text);
        input.close(now);
        input.next_open = now + reopen;
    }
}

fn seconds(timeout: u64) -> i64 {
    i64::try_from(timeout).unwrap_or(i64::MAX)
}

/// A name for a message.
pub(crate) fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

#[cfg(test)]
mod tests;
