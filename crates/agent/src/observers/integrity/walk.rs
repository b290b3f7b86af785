//! The observer's walks: when they begin, how far they go at a time, and what is done at their end.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::change::Trigger;
use super::scope::Place;
use super::sweep::{Step, Sweep};
use super::{Observer, TOGETHER, seconds};
use crate::outbox::Stopped;

/// A walk lets others have their turn after this long.
pub(super) const TURN: Duration = Duration::from_millis(30);

impl Observer<'_> {
    pub(super) fn until_sweep(&self) -> Option<Duration> {
        let interval = self.options.sweep.filter(|_| self.regular.is_none())?;
        let since = seconds().saturating_sub(self.baseline.meta.swept);
        // A clock that was set back must not put it off for long.
        Some(interval.saturating_sub(Duration::from_secs(u64::try_from(since).unwrap_or_default())))
    }

    pub(super) fn begin_sweeps(&mut self) -> Result<(), Stopped> {
        if self.urgent.is_none() && self.dirty.waits_for_sweep() {
            self.sweeps += 1;
            let everything = self.dirty.take_everything();
            let mut roots = self.dirty.take_trees();
            let trigger = if everything { Trigger::Sweep } else { Trigger::Inotify };
            if everything {
                roots = vec![PathBuf::from("/")];
            }
            self.urgent = Some(Sweep::new(roots, trigger, self.sweeps, false));
        }
        if self.watch.take_overflows() > 0 {
            self.say("overflow", "more changed than inotify could tell, everything is looked at")?;
        }
        if self.until_sweep() == Some(Duration::ZERO) {
            self.sweeps += 1;
            let roots = vec![PathBuf::from("/")];
            self.regular = Some(Sweep::new(roots, Trigger::Sweep, self.sweeps, true));
        }
        Ok(())
    }

    /// Walks on for a moment; whether there is more.
    pub(super) fn sweep_a_little(&mut self, begun: Instant) -> Result<bool, Stopped> {
        let Some(mut sweep) = self.urgent.take().or_else(|| self.regular.take()) else {
            return Ok(false);
        };
        while begun.elapsed() < TURN {
            match sweep.next(&self.scope) {
                Step::Directory(directory, place) => {
                    let whole = place == Place::Covered || self.scope.ends_below(&directory);
                    self.watch.add(&directory, whole);
                    sweep.list(directory);
                }
                Step::Path(path) => {
                    if !self.examine(&path, sweep.trigger, None, (sweep.anew, sweep.number))? {
                        sweep.left_out += 1;
                    }
                }
                Step::Done => {
                    self.finish(&sweep)?;
                    return Ok(self.urgent.is_some() || self.regular.is_some());
                }
            }
        }
        if self.regular.is_some() || !sweep.is_regular() {
            self.urgent = Some(sweep);
        } else {
            self.regular = Some(sweep);
        }
        Ok(true)
    }

    /// Looks at what the walk did not meet, and remembers that it is done.
    fn finish(&mut self, sweep: &Sweep) -> Result<(), Stopped> {
        for root in &sweep.roots {
            loop {
                let unseen = self.baseline.unseen(root, sweep.number, TOGETHER);
                if unseen.is_empty() {
                    break;
                }
                for path in unseen {
                    if self.scope.place(&path) == Place::Covered {
                        self.examine(&path, sweep.trigger, None, (false, sweep.number))?;
                        self.baseline.see(&path, sweep.number);
                    } else {
                        self.baseline.set(&path, None, sweep.number);
                    }
                }
                self.tell(false)?;
            }
        }
        self.say_limits(sweep)?;
        if !sweep.whole {
            return Ok(());
        }
        let first = !self.baseline.meta.complete;
        if sweep.is_regular() {
            self.scope_before = None;
            self.tell(true)?;
            if first {
                let known = self.baseline.len();
                let message = format!("{known} files, directories and links are remembered");
                self.say("baseline", &message)?;
            }
            self.baseline.meta.complete = true;
            if first || sweep.anew {
                self.baseline.meta.swept = seconds();
                let hashes: BTreeSet<[u8; 32]> = self.baseline.hashes().collect();
                self.texts.retain(&hashes);
            }
            if let Err(error) = self.baseline.save_meta() {
                tracing::warn!(%error, "cannot write down what is known of files");
            }
            #[cfg(test)]
            if let Some(call) = self.on_first_look.take() {
                call();
            }
        }
        Ok(())
    }

    fn say_limits(&mut self, sweep: &Sweep) -> Result<(), Stopped> {
        let refused = self.watch.take_refused();
        if refused > 0 && !std::mem::replace(&mut self.said.0, true) {
            let message = format!(
                "{refused} directories are looked at by sweeps alone: the kernel has no more watches \
                 for this user; sysctl fs.inotify.max_user_watches={} gives more",
                (self.baseline.len() as u64 + refused).next_power_of_two().max(524_288)
            );
            tracing::warn!("{message}");
            self.say("watch-limit", &message)?;
        }
        if sweep.left_out > 0 && !std::mem::replace(&mut self.said.1, true) {
            let message = format!(
                "{} files are not watched: integrity.max_files is {}",
                sweep.left_out, self.options.max_files
            );
            tracing::warn!("{message}");
            self.say("file-limit", &message)?;
        }
        Ok(())
    }
}
