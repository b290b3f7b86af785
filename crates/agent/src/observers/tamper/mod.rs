//! What happens to log files that should not: gone, replaced, cut, open to anyone.
//!
//! Rotation of every usual kind is told apart and only noted. What was known is kept over restarts, so
//! that what was done while the agent was not running is told at its next start.

mod judge;
mod log;
mod options;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bergfried_event::Timestamp;
use bergfried_source::expand;
use serde::{Deserialize, Serialize};

use super::record::Record;
use super::{Memory, Observer, Scene};
use crate::outbox::Stopped;
use judge::{Look, judge};
use log::{Fate, Log, look};
pub use options::TamperOptions;

use crate::tamper::ORIGIN as NAME;

/// A rotation may be half done; what looks bad is looked at again after this time.
const SETTLE: Duration = Duration::from_secs(2);
/// The most files that are known; of more, those that came last are not watched.
const MOST_FILES: usize = 2_048;
/// File systems that are empty after each start of the system (statfs(2)).
const IN_MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];

/// What is remembered over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// Which start of the system this was.
    boot: String,
    files: BTreeMap<PathBuf, Log>,
}

/// The observer of these files.
pub(super) fn observer(options: TamperOptions, mut patterns: Vec<String>) -> Observer {
    patterns.extend_from_slice(&options.files);
    let run = move |scene: Scene| {
        let memory = Memory::new(&scene.state_dir, "tamper");
        let mut known = memory.recall().unwrap_or_default();
        let watch = Watch { patterns, options, complained: BTreeSet::new() };
        if run(watch, &memory, &mut known, &scene).is_err() {
            tracing::debug!("log files are no longer looked at");
        }
    };
    Observer { name: NAME, run: Box::new(run) }
}

fn run(
    mut watch: Watch,
    memory: &Memory<Known>,
    known: &mut Known,
    scene: &Scene,
) -> Result<(), Stopped> {
    known.start(&boot_id());
    let mut is_first = true;
    loop {
        let mut now = known.clone();
        let mut records = watch.look(&mut now, is_first);
        if !records.is_empty() {
            if scene.stop.wait(SETTLE) {
                return Err(Stopped);
            }
            now = known.clone();
            records = watch.look(&mut now, is_first);
        }
        let said = !records.is_empty();
        for record in records {
            scene.outbox.send(record.observed(NAME))?;
        }
        if now != *known {
            if said {
                scene.outbox.flush()?;
            }
            if let Err(error) = memory.remember(&now) {
                tracing::error!(%error, "cannot write down how log files stand");
            }
            *known = now;
        }
        is_first = false;
        if scene.outbox.wait(Duration::from_secs(watch.options.interval_seconds)) {
            return Err(Stopped);
        }
    }
}

impl Known {
    /// After another start of the system, files that only memory held are new ones.
    fn start(&mut self, boot: &str) {
        if self.boot != boot {
            self.files.retain(|path, _| !path.parent().is_some_and(is_in_memory));
            boot.clone_into(&mut self.boot);
        }
    }
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map(|id| id.trim().to_owned())
        .unwrap_or_default()
}

fn is_in_memory(directory: &Path) -> bool {
    rustix::fs::statfs(directory).is_ok_and(|about| {
        IN_MEMORY.iter().any(|kind| i128::from(*kind) == i128::from(about.f_type))
    })
}

struct Watch {
    patterns: Vec<String>,
    options: TamperOptions,
    complained: BTreeSet<PathBuf>,
}

impl Watch {
    /// Looks at every file; what is to be said of them.
    fn look(&mut self, known: &mut Known, is_first: bool) -> Vec<Record> {
        let at = Timestamp::from(jiff::Timestamp::now());
        let plain: BTreeSet<&Path> = self.patterns.iter().map(Path::new).collect();
        let mut paths = expand(&self.patterns);
        paths.extend(known.files.keys().cloned());
        let mut records = Vec::new();
        for path in paths {
            let is_known = known.files.contains_key(&path);
            if !is_known && known.files.len() >= MOST_FILES {
                complain(&mut self.complained, &path, "too many files are watched already");
                continue;
            }
            let rotated_to = &self.options.rotated_to;
            let seen = match look(&path, rotated_to) {
                Ok(seen) => seen,
                Err(error) => {
                    complain(&mut self.complained, &path, &error.to_string());
                    continue;
                }
            };
            let before = known.files.get(&path);
            let fate = before
                .filter(|before| !before.is_gone)
                .map_or(Fate::Same, |before| before.fate(&path, &seen, rotated_to, is_first));
            let is_of_glob = !plain.contains(path.as_path());
            let (told, after) =
                judge(before, &seen, &fate, Look { path: &path, at, is_first, is_of_glob });
            records.extend(told);
            match after {
                Some(log) => known.files.insert(path, log),
                None => known.files.remove(&path),
            };
        }
        records
    }
}

/// Says once per path why it is not watched.
fn complain(complained: &mut BTreeSet<PathBuf>, path: &Path, reason: &str) {
    if complained.len() < MOST_FILES && complained.insert(path.to_path_buf()) {
        tracing::warn!(path = %path.display(), reason, "cannot watch a log file for tampering");
    }
}

#[cfg(test)]
mod tests;
