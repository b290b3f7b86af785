//! The loop: lines of inputs meet the rules, time passes, signals are followed (sec(1), "INPUT
//! PROCESSING AND TIMING", "SIGNALS").

mod signals;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use bergfried_sec::{Engine, Limits, Source};
use jiff::tz::TimeZone;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::children::Told;
use crate::clock::{Clock, stamped};
use crate::inputs::{Happening, Inputs, shown};
use crate::log::level;
use crate::options::Options;
use crate::rules::Rules;
use crate::signals::Signals;
use crate::world::{InputChange, World};

/// After so many lines others get their turn: commands, outputs, closed inputs.
const TURN: u32 = 64;

/// A correlator at work.
pub(crate) struct Correlator {
    arguments: Vec<OsString>,
    shown_arguments: Vec<String>,
    options: Options,
    clock: Clock,
    started: i64,
    rules: Rules,
    engine: Engine,
    inputs: Inputs,
    world: World,
    signals: Signals,
    /// When closed inputs and such were last looked after, in seconds.
    cared: i64,
    lines: u32,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    On,
    End,
}

impl Correlator {
    /// Opens inputs; the rules were read.
    pub(crate) fn new(
        arguments: Vec<OsString>,
        options: Options,
        rules: (Rules, bergfried_sec::RuleSet),
        mut world: World,
        signals: Signals,
    ) -> Self {
        let clock = Clock::new(options.time);
        let now = clock.now();
        let inputs = Inputs::open(&options, false, now, &mut world.log);
        let engine = Engine::new(rules.1, engine_options(&options));
        Self {
            shown_arguments: arguments.iter().map(|one| one.display().to_string()).collect(),
            arguments,
            options,
            clock,
            started: now,
            rules: rules.0,
            engine,
            inputs,
            world,
            signals,
            cared: now,
            lines: 0,
        }
    }

    /// Runs until the inputs end, or a signal or a rule says so.
    pub(crate) fn run(&mut self) -> ExitCode {
        self.internal("SEC_STARTUP");
        // Calendar rules act before the first line, which for a replay is when its time begins.
        if !self.options.replay {
            self.tick(self.clock.now());
        }
        while self.round() == Next::On {}
        self.shut_down();
        let code = self.world.ended.and_then(|code| u8::try_from(code).ok());
        code.map_or(ExitCode::SUCCESS, ExitCode::from)
    }

    /// Takes one event or line, or waits for some.
    fn round(&mut self) -> Next {
        if self.follow_signals() == Next::End {
            return Next::End;
        }
        let now = self.clock.now();
        if self.engine.has_events() {
            self.engine.next_event(now, &mut self.world);
            self.after(now, b"(synthetic event)");
        } else if let Some(at) = self.inputs.next(now, &mut self.world.log) {
            self.line(at, now);
        } else {
            // What commands said counts before the end of the inputs.
            self.care(now, true);
            if !self.engine.has_events() {
                if self.inputs.are_done() {
                    return Next::End;
                }
                self.wait(now);
                self.inputs.wake();
                let now = self.clock.now();
                self.care(now, true);
                self.tick(now);
            }
            return Next::On;
        }
        self.lines += 1;
        if self.lines >= TURN {
            self.lines = 0;
            self.inputs.rested();
            self.care(now, false);
        }
        Next::On
    }

    /// Shows a line to the rules.
    fn line(&mut self, at: usize, now: i64) {
        let now = match self.inputs.get(at).map(|input| stamped(input.line())) {
            Some(Some((seconds, _))) if self.options.replay => self.move_to(seconds),
            _ => now,
        };
        let Some(input) = self.inputs.get(at) else { return };
        let line = match stamped(input.line()) {
            Some((_, line)) if self.options.replay => line,
            _ => input.line(),
        };
        let source = Source { name: input.name(), context: input.context(), fields: None };
        self.engine.line(line, &source, now, &mut self.world);
        if self.world.explanation.is_some() {
            let line = line.to_vec();
            self.after(now, &line);
        } else {
            self.after(now, b"");
        }
    }

    /// Lets the time of a replay pass up to a second; timers act in the seconds in which they would
    /// have.
    fn move_to(&mut self, seconds: i64) -> i64 {
        let mut now = self.clock.now();
        while let Some(due) = self.engine.next_due().filter(|due| *due <= seconds) {
            now = due.max(now + 1).min(seconds.max(now));
            self.clock = Clock::Replay(now);
            self.tick(now);
            while self.engine.next_event(now, &mut self.world) {
                self.after(now, b"(synthetic event)");
            }
            if now >= seconds {
                break;
            }
        }
        // Time does not go back.
        now = now.max(seconds);
        self.clock = Clock::Replay(now);
        now
    }

    /// What follows each line: timers, then what rules asked for.
    fn after(&mut self, now: i64, what: &[u8]) {
        self.explain(what);
        self.tick(now);
        self.settle(now);
    }

    fn tick(&mut self, now: i64) {
        self.engine.tick(now, &mut self.world);
        if self.world.explanation.as_ref().is_some_and(|one| one.has_effects()) {
            self.explain(b"(time passed)");
        }
        self.settle(now);
    }

    /// Does with inputs what rules asked for.
    fn settle(&mut self, now: i64) {
        if self.world.changes.is_empty() {
            return;
        }
        for change in std::mem::take(&mut self.world.changes) {
            match change {
                InputChange::Add(name, offset, context) => {
                    let log = &mut self.world.log;
                    self.inputs.add(&name, offset, context.as_deref(), now, log);
                }
                InputChange::Drop(name) => self.inputs.remove(&name, &mut self.world.log),
            }
        }
        self.hear_of_inputs();
    }

    fn hear_of_inputs(&mut self) {
        for happening in self.inputs.happenings() {
            let (is_silent, name) = match happening {
                Happening::Gone(name) => {
                    self.engine.source_gone(&name);
                    continue;
                }
                Happening::Silent(name) => (true, name),
                Happening::Back(name) => (false, name),
            };
            if let Some(script) = &self.options.timeout_script {
                let how = if is_silent { "is silent" } else { "has data again" };
                let text = format!("input {} {how}, running the timeout script", shown(&name));
                self.world.log.say(level::DEBUG, &text);
                self.world.run_timeout_script(script, is_silent, &name);
            }
        }
    }

    fn explain(&mut self, what: &[u8]) {
        if let Some(explanation) = &mut self.world.explanation {
            let text = explanation.tell(&self.engine, what);
            self.world.stdout.write(text.as_bytes(), &mut self.world.log);
        }
    }

    /// Looks after everything but inputs with data.
    fn care(&mut self, now: i64, is_idle: bool) {
        self.world.flush();
        // Commands that say more than rules take are not read.
        if !self.engine.has_events() {
            self.world.poll_children();
        }
        self.hear_of_commands(now);
        if self.cared != now || is_idle {
            self.cared = now;
            self.inputs.care(now, &mut self.world.log);
            self.hear_of_inputs();
            self.world.hub.hear(&mut self.world.log);
        }
        if is_idle {
            self.world.log.flush();
        }
    }

    fn hear_of_commands(&mut self, now: i64) {
        for told in std::mem::take(&mut self.world.told) {
            match told {
                Told::Line { line, context, process } => {
                    if self.world.log.wants(level::DEBUG) {
                        let text =
                            format!("creating event '{}' (from child {process})", shown(&line));
                        self.world.log.say(level::DEBUG, &text);
                    }
                    self.engine.event(line, context);
                }
                Told::Ended { script, success, message } => {
                    if let Some(message) = message {
                        self.world.log.say(level::WARNING, &message);
                    }
                    if let Some(script) = script {
                        self.engine.ended(script, success, now, &mut self.world);
                        self.settle(now);
                    }
                }
            }
        }
    }

    /// Waits for data, a command, a reader or a signal; not beyond the next second where a timer may
    /// act in it.
    fn wait(&self, now: i64) {
        let mut most = self.options.poll_timeout;
        if self.clock.runs() && self.engine.next_due().is_some() {
            most = most.min(until_next_second());
        }
        let mut asked = vec![PollFd::from_borrowed_fd(self.signals.waits_for(), PollFlags::IN)];
        let inputs = self.inputs.waits_for(now);
        asked.extend(inputs.map(|one| PollFd::from_borrowed_fd(one, PollFlags::IN)));
        let stdout = self.world.stdout.waits_for().into_iter();
        let writing = stdout.chain(self.world.files.waits_for());
        asked.extend(writing.map(|one| PollFd::from_borrowed_fd(one, PollFlags::OUT)));
        let others = self.world.sockets.waits_for().chain(self.world.children.waits_for());
        asked.extend(others.map(|(one, how)| PollFd::from_borrowed_fd(one, how)));
        let most = Timespec::try_from(most).unwrap_or(Timespec { tv_sec: 1, tv_nsec: 0 });
        // A signal ends it, which is as good as what is waited for.
        poll(&mut asked, Some(&most)).ok();
    }

    fn internal(&mut self, event: &str) {
        if !self.options.internal_events {
            return;
        }
        let now = self.clock.now();
        self.engine.internal(event, now, &mut self.world);
        self.explain(event.as_bytes());
        self.settle(now);
    }
}

/// How long this second still is.
fn until_next_second() -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let passed = now.map_or(0, |now| now.subsec_micros());
    // A little more, so that the second is surely another.
    Duration::from_micros(u64::from(1_000_000 - passed) + 500)
}

/// What of the options is the engine's.
fn engine_options(options: &Options) -> bergfried_sec::Options {
    bergfried_sec::Options {
        bufsize: options.bufsize,
        jointbuf: options.joint_buffer,
        intcontexts: options.internal_contexts,
        event_store_size: options.event_store_size,
        clean_time: options.clean_time,
        quoting: options.quoting,
        time_zone: TimeZone::system(),
        limits: Limits::default(),
    }
}
