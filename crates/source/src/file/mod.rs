//! Log files: globs, appearing files, rotation by rename and by copy, truncation, restarts.
//!
//! [`Files::scan`] compares names with what is open; [`Files::read`] hands out lines. A file that
//! was rotated away is read on by its handle until nothing has come for a grace period, because
//! its writer may take a while to let go of it.

mod identity;
mod patterns;
mod rotated;
mod siblings;
mod system;
mod tail;
#[cfg(not(target_os = "linux"))]
#[path = "unwatched.rs"]
mod watch;
#[cfg(target_os = "linux")]
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
#[cfg(unix)]
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::checkpoint::{Changes, Checkpoint, FilePosition};
use crate::line::{Flow, From, Line};
use patterns::directories;
pub use patterns::{Patterns, expand};
pub use rotated::{Rotated, begins_as, fingerprint, rotated};
use tail::{CHUNK, Ended, Tail};
use watch::Watch;

/// The most files that are open at once.
const MAX_OPEN: usize = 512;
/// How many finished files of one path are remembered, so that they are not read again.
const FINISHED_KEPT: usize = 16;
/// How much of a file [`From::Recent`] goes back.
const RECENT: u64 = 10 << 20;
/// How often globs are expanded when no directory event asked for it.
const GLOB_EVERY: Duration = Duration::from_secs(10);

/// Which files to read, and how.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// Paths or globs (`*`, `?`, `[a-z]`, `**`).
    pub patterns: Vec<String>,
    /// Where files begin that are there at the first start.
    pub from: From,
    /// How long a file that was rotated away is still read after its last line.
    pub rotated_grace: Duration,
}

/// The files behind a set of globs, and how far each was read.
#[derive(Debug)]
pub struct Files {
    options: FileOptions,
    /// By number, in the order in which they were opened.
    tails: Vec<(u64, Tail)>,
    next_id: u64,
    gone: Vec<u64>,
    buffer: Vec<u8>,
    watch: Option<Watch>,
    expanded: BTreeSet<PathBuf>,
    expand_at: Option<Instant>,
    first_scan: bool,
    complained: BTreeSet<String>,
}

impl Files {
    /// Goes on where the checkpoint says; files that it does not know begin as `options.from` says.
    pub fn new(options: FileOptions, checkpoint: &Checkpoint, now: Instant) -> Self {
        let watch = Watch::new()
            .inspect_err(|error| tracing::warn!(%error, "cannot use inotify, looking every second"))
            .ok();
        let next_id = checkpoint.files.keys().next_back().map_or(0, |last| last + 1);
        let mut files = Files {
            options,
            tails: Vec::new(),
            next_id,
            gone: Vec::new(),
            buffer: vec![0; CHUNK],
            watch,
            expanded: BTreeSet::new(),
            expand_at: None,
            first_scan: true,
            complained: BTreeSet::new(),
        };
        for (id, position) in &checkpoint.files {
            let tail = files.restore(position, now);
            files.tails.push((*id, tail));
        }
        for path in files.active_paths() {
            files.catch_up(&path, now);
        }
        files.scan(now);
        files.first_scan = false;
        files
    }

    /// Becomes readable when a directory with watched files changed.
    #[cfg(unix)]
    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(Watch::fd)
    }

    /// Compares names with what is open: opens files that appeared, notices those rotated away.
    pub fn scan(&mut self, now: Instant) {
        let names_changed = self.watch.as_mut().is_some_and(Watch::drain);
        if names_changed || self.expand_at.is_none_or(|due| now >= due) {
            // Watched first: what is created after the expansion raises an event.
            if let Some(watch) = &mut self.watch {
                watch.set(&directories(&self.options.patterns));
            }
            self.expanded = expand(&self.options.patterns);
            self.expand_at = Some(now + GLOB_EVERY);
        }
        let mut paths = self.active_paths();
        for path in &self.expanded {
            match path.to_str() {
                Some(path) => drop(paths.insert(path.to_owned())),
                None => {
                    complain(&mut self.complained, &path.display().to_string(), "not UTF-8");
                }
            }
        }
        for path in paths {
            self.look_at(path, now);
        }
        for (_, tail) in &mut self.tails {
            tail.learn_head();
        }
    }

    /// Hands lines to the sink until it is full or nothing is left; true where more may be left.
    pub fn read(&mut self, now: Instant, sink: &mut dyn FnMut(Line<'_>) -> Flow) -> bool {
        let mut more = false;
        let mut finished = false;
        let mut vacated = Vec::new();
        // Paths of which an older file has more: the lines of one path come in their order.
        let mut unfinished: Vec<String> = Vec::new();
        for (_, tail) in &mut self.tails {
            if tail.is_finished() || unfinished.contains(&tail.path) {
                continue;
            }
            let last = tail.is_given_up(now, self.options.rotated_grace);
            match tail.read(&mut self.buffer, last, now, sink) {
                Ok(Ended::Full) => return true,
                Ok(Ended::Turn) => {
                    unfinished.push(tail.path.clone());
                    more = true;
                }
                Ok(Ended::Idle) if last => {
                    tail.finish();
                    finished = true;
                }
                Ok(Ended::Idle) => {}
                Ok(Ended::Replaced) => {
                    replaced(tail, now);
                    unfinished.push(tail.path.clone());
                    if tail.rotated {
                        vacated.push(tail.path.clone());
                    }
                    more = true;
                }
                Err(error) => {
                    complain(&mut self.complained, &tail.path, &error.to_string());
                    tail.finish();
                }
            }
        }
        for path in vacated {
            self.look_at(path, now);
        }
        if finished {
            self.forget_finished();
        }
        more
    }

    /// What changed since this was asked last.
    pub fn changes(&mut self) -> Changes {
        let mut changes = Changes { gone: std::mem::take(&mut self.gone), ..Changes::default() };
        for (id, tail) in &mut self.tails {
            if std::mem::take(&mut tail.dirty) {
                changes.files.insert(*id, tail.position());
            }
        }
        changes
    }

    /// How many files are open.
    pub fn open_count(&self) -> usize {
        self.tails.iter().filter(|(_, tail)| !tail.is_finished()).count()
    }

    fn restore(&mut self, position: &FilePosition, now: Instant) -> Tail {
        if position.finished {
            return Tail::finished(position, now);
        }
        let Some((at, opened, head)) = siblings::find(position) else {
            // Truncated in place with no copy kept, or removed: the scan reads what is there now.
            tracing::warn!(path = position.path, offset = position.offset, "file is gone");
            return Tail::finished(position, now);
        };
        let mut tail = Tail::resume(position, opened, head, now);
        if at != Path::new(&position.path) {
            tail.rotate(now);
        }
        tail
    }

    fn look_at(&mut self, path: String, now: Instant) {
        let opened = match identity::open(Path::new(&path)) {
            Ok(opened) => opened,
            Err(error) => {
                // Only its name is gone, perhaps for a moment between two renames.
                if error.kind() == io::ErrorKind::NotFound {
                    self.rotate(&path, now);
                } else {
                    complain(&mut self.complained, &path, &error.to_string());
                }
                return;
            }
        };
        if let Some(known) = self.known(&opened) {
            self.revive(known, &path, opened, now);
            return;
        }
        self.rotate(&path, now);
        let successor = self.tails.iter().any(|(_, tail)| tail.path == path);
        self.catch_up(&path, now);
        let from = if successor || !self.first_scan { From::Start } else { self.options.from };
        self.add(path, opened, from, now);
    }

    /// The tail that has this file open already, or has read it to its end.
    fn known(&self, opened: &identity::Opened) -> Option<usize> {
        self.tails.iter().position(|(_, tail)| {
            if (tail.dev, tail.inode) != (opened.dev, opened.inode) {
                return false;
            }
            // An open handle keeps its inode from being reused. A finished one does not: it is the
            // same file only if it begins the same and is no shorter.
            let position = tail.position();
            !tail.is_finished()
                || (opened.size >= position.offset
                    && position.head.bytes > 0
                    && matches!(identity::recognise(&opened.file, &position.head), Ok(Some(_))))
        })
    }

    /// Goes on with a finished file that has grown under a name that is watched.
    fn revive(&mut self, index: usize, path: &str, opened: identity::Opened, now: Instant) {
        let Some((_, tail)) = self.tails.get_mut(index) else { return };
        if tail.is_finished() && opened.size > tail.offset {
            let position =
                FilePosition { path: path.to_owned(), rotated: false, ..tail.position() };
            if let Ok(Some(head)) = identity::recognise(&opened.file, &position.head) {
                *tail = Tail::resume(&position, opened, head, now);
            }
        }
    }

    /// Takes the name from the file that has this path now.
    fn rotate(&mut self, path: &str, now: Instant) {
        for (_, tail) in self.tails.iter_mut().filter(|(_, t)| !t.rotated && t.path == path) {
            tail.rotate(now);
        }
    }

    fn active_paths(&self) -> BTreeSet<String> {
        let active = self.tails.iter().filter(|(_, tail)| !tail.rotated);
        active.map(|(_, tail)| tail.path.clone()).collect()
    }

    /// Opens what was written to `path` and rotated away since the last look, while nobody watched
    /// or faster than anyone could.
    fn catch_up(&mut self, path: &str, now: Instant) {
        let of_path = self.tails.iter().filter(|(_, tail)| tail.path == path);
        let Some(since) = of_path.map(|(_, tail)| tail.modified).max() else { return };
        let current = identity::open(Path::new(path)).ok();
        for missed in siblings::rotated_since(Path::new(path), since) {
            let is_current = current.as_ref().is_some_and(|current| {
                (current.dev, current.inode) == (missed.dev, missed.inode)
                    || identity::begin_alike(&current.file, &missed.file)
            });
            // A copy of what is being read will be recognised when its original is truncated.
            let is_copy = self.tails.iter().any(|(_, tail)| tail.begins_like(&missed.file));
            if !is_current && !is_copy && self.known(&missed).is_none() {
                tracing::info!(path, "found a file that was rotated away unread");
                if let Some(tail) = self.add(path.to_owned(), missed, From::Start, now) {
                    tail.rotate(now);
                }
            }
        }
    }

    fn add(
        &mut self,
        path: String,
        opened: identity::Opened,
        from: From,
        now: Instant,
    ) -> Option<&mut Tail> {
        if self.open_count() >= MAX_OPEN {
            complain(&mut self.complained, &path, "too many files are open already");
            return None;
        }
        let (offset, skip) = match from {
            From::Start => (0, false),
            From::Recent if opened.size <= RECENT => (0, false),
            // One byte back: a line that starts exactly here is then whole.
            From::Recent => (opened.size - RECENT - 1, true),
            From::End if opened.size == 0 => (0, false),
            From::End => (opened.size - 1, true),
        };
        let mut tail = Tail::new(path.clone(), opened, offset, now)
            .inspect_err(|error| complain(&mut self.complained, &path, &error.to_string()))
            .ok()?;
        if skip {
            tail.skip_to_next_line();
        }
        self.tails.push((self.next_id, tail));
        self.next_id += 1;
        self.tails.last_mut().map(|(_, tail)| tail)
    }

    fn forget_finished(&mut self) {
        let mut kept: BTreeMap<&str, usize> = BTreeMap::new();
        let mut excess = BTreeSet::new();
        let mut total = 0;
        for (id, tail) in self.tails.iter().rev().filter(|(_, tail)| tail.is_finished()) {
            let of_path = kept.entry(&tail.path).or_default();
            *of_path += 1;
            total += 1;
            if *of_path > FINISHED_KEPT || total > MAX_OPEN {
                excess.insert(*id);
            }
        }
        self.tails.retain(|(id, _)| !excess.contains(id));
        self.gone.extend(excess);
    }
}

/// A file shrank or was written anew: its unread rest may be in a copy beside it.
fn replaced(tail: &mut Tail, now: Instant) {
    let position = tail.position();
    match siblings::find(&position) {
        Some((at, copy, _)) if at != Path::new(&tail.path) => {
            tracing::info!(path = tail.path, copy = %at.display(), "file was copied and truncated");
            tail.continue_in(copy, now);
        }
        _ if tail.rotated => tail.finish(),
        _ => {
            tracing::warn!(path = tail.path, offset = tail.offset, "file was truncated");
            tail.restart();
        }
    }
}

/// Says once per path what is wrong with it.
fn complain(complained: &mut BTreeSet<String>, path: &str, reason: &str) {
    if complained.len() < MAX_OPEN && complained.insert(path.to_owned()) {
        tracing::warn!(path, reason, "cannot read file");
    }
}

#[cfg(test)]
mod tests;
