//! Signals followed, and the end.

use std::time::{Duration, Instant};

use bergfried_sec::port::Signal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Correlator, Next, engine_options};
use crate::dump::Whole;
use crate::inputs::Inputs;
use crate::log::level;
use crate::options::Options;
use crate::world::World;

/// How long commands may go on after `SEC_SHUTDOWN`, and get what they read at the end.
const END: Duration = Duration::from_secs(3);

impl Correlator {
    /// Follows what came.
    pub(super) fn follow_signals(&mut self) -> Next {
        let mut signals = self.signals.take();
        signals.append(&mut self.world.signals);
        for signal in signals {
            match signal {
                Signal::Hup => self.restart(),
                Signal::Abrt => self.restart_soft(),
                Signal::Usr1 => self.dump(),
                Signal::Usr2 => self.reopen(),
                Signal::Int if !self.world.log.is_interactive() => {
                    self.world.log.next_level();
                    let text = format!("SIGINT: messages up to level {}", self.world.log.level());
                    self.world.log.say(level::NOTICE, &text);
                }
                Signal::Int | Signal::Term => {
                    self.world.log.say(level::NOTICE, "asked to end");
                    return Next::End;
                }
            }
        }
        Next::On
    }

    /// The command line and the resource file, read again; what is wrong leaves things as they are.
    fn reread(&mut self) {
        let resource_file = std::env::var_os("SECRC");
        match Options::read(&self.arguments, resource_file.as_deref()) {
            Ok(options) => self.options = options,
            Err(error) => self.world.log.say(level::ERROR, &error),
        }
    }

    fn restart(&mut self) {
        self.world.log.say(level::NOTICE, "SIGHUP: full restart");
        self.internal("SEC_PRE_RESTART");
        if self.options.end_children {
            self.world.children.terminate();
        }
        self.reread();
        self.world.log.reopen();
        self.world.close_outputs();
        let set = self.load(true);
        self.engine.restart_full(set, engine_options(&self.options));
        let now = self.clock.now();
        self.inputs = Inputs::open(&self.options, true, now, &mut self.world.log);
        self.internal("SEC_RESTART");
    }

    fn restart_soft(&mut self) {
        self.world.log.say(level::NOTICE, "SIGABRT: soft restart");
        self.internal("SEC_PRE_SOFTRESTART");
        self.reread();
        self.world.log.reopen();
        self.world.close_outputs();
        let set = self.load(false);
        self.engine.restart_soft(set);
        let now = self.clock.now();
        self.inputs.reread(&self.options, now, &mut self.world.log);
        self.hear_of_inputs();
        self.internal("SEC_SOFTRESTART");
    }

    fn load(&mut self, anew: bool) -> bergfried_sec::RuleSet {
        let World { log, perl, .. } = &mut self.world;
        self.rules.load(&self.options, anew, crate::compiler(perl), log).0
    }

    fn reopen(&mut self) {
        self.world.log.say(level::NOTICE, "SIGUSR2: opening the log and outputs anew");
        self.internal("SEC_PRE_LOGROTATE");
        self.world.log.reopen();
        self.world.close_outputs();
        self.internal("SEC_LOGROTATE");
    }

    fn dump(&mut self) {
        let now = self.clock.now();
        let mut path = self.options.dump.clone().into_os_string();
        if self.options.dump_time {
            path.push(format!(".{now}"));
        }
        let path = std::path::PathBuf::from(path);
        let dump = self.engine.dump(now);
        let arguments = &self.shown_arguments;
        let whole = Whole::new(dump, &self.inputs, &self.world, arguments, self.started);
        let (level, text) = match whole.write(&path, self.options.dump_json) {
            Ok(()) => (level::NOTICE, format!("SIGUSR1: wrote the dump {}", path.display())),
            Err(error) => (level::WARNING, format!("cannot write {}: {error}", path.display())),
        };
        self.world.log.say(level, &text);
    }

    /// Ends: commands get their time, and what waits is written.
    pub(super) fn shut_down(&mut self) {
        self.internal("SEC_SHUTDOWN");
        let ends = self.options.end_children;
        // They have time to be ready for SIGTERM, and to do what takes no time.
        let patience = match (ends, self.options.internal_events) {
            (true, false) => self.options.poll_timeout.min(END),
            _ => END,
        };
        let since = Instant::now();
        while !self.world.children.is_empty() && since.elapsed() < patience {
            let waits = !ends && !self.world.children.are_hungry();
            if waits {
                break;
            }
            self.wait_for_children();
            self.world.poll_children();
            self.world.told.clear();
        }
        if ends {
            self.world.children.terminate();
        }
        let since = Instant::now();
        while self.world.sockets.are_busy() && since.elapsed() < END {
            self.wait_for_children();
            self.world.flush();
        }
        self.world.stdout.end(END);
        self.world.hub.end(&mut self.world.log);
        self.world.log.flush();
        if let Some(path) = &self.options.pid {
            // It was perhaps removed before, or belongs to another user.
            std::fs::remove_file(path).ok();
        }
    }

    fn wait_for_children(&self) {
        let children = self.world.children.waits_for().chain(self.world.sockets.waits_for());
        let mut asked: Vec<_> =
            children.map(|(one, how)| PollFd::from_borrowed_fd(one, how)).collect();
        // A look ten times a second sees those that end without saying a word.
        let most = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
        poll(&mut asked, Some(&most)).ok();
        if asked.iter().any(|one| one.revents().contains(PollFlags::HUP)) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}
