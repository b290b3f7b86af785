//! Events as lines of files, whose names the events choose within bounds.
//!
//! Lines of a portion of events are gathered by file and written with one call each. Before a place
//! in the store is made durable, so are the lines up to it; so after a crash no line is missing, and
//! at most the lines behind the last durable place are written again.

mod history;
mod open;
mod rotate;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bergfried_event::{Event, Timestamp};
use rustix::fs::{AtFlags, RenameFlags, renameat_with, statat};
use rustix::io::Errno;

use crate::config::{Compress, FileOptions, Format};
use crate::counters::{Counters, add};
use crate::runner::Trouble;
use crate::template::push_line;
use history::History;
use open::{Obstacle, OpenFile, open_directory, open_file, open_root};

/// What would need one file too many is written here, in the root.
const OVERFLOW: &str = "_other.log";
/// The most files open at once; those not written for longest are closed first.
const MAX_OPEN: usize = 256;
/// Lines are written once so many bytes of them have gathered.
const PORTION_BYTES: usize = 4 << 20;
/// A file is looked for under its path again after so long: it may have been moved or removed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How many further names are tried where one is taken.
const MAX_AGAIN: u32 = 1_000;

/// The files of one output.
pub(crate) struct Files {
    options: Arc<FileOptions>,
    counters: Arc<Counters>,
    history: History,
    now: fn() -> Timestamp,
    open: HashMap<String, Cached>,
    /// Lines that are not written yet, by path below the root.
    waiting: BTreeMap<String, Lines>,
    waiting_bytes: usize,
    /// Whether a file was closed whose lines may not be durable.
    closed_dirty: bool,
    uses: u64,
    /// The second of the last rotation, and its number within it.
    rotated: (Timestamp, u32),
    path: String,
    line: String,
}

struct Cached {
    open: OpenFile,
    dirty: bool,
    used: u64,
    looked: Instant,
}

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// How many of them are written.
    written: usize,
    events: usize,
}

impl Lines {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.written..).unwrap_or_default()
    }
}

impl Files {
    pub(crate) fn new(
        name: &str,
        options: FileOptions,
        counters: Arc<Counters>,
        now: fn() -> Timestamp,
    ) -> io::Result<Files> {
        let options = Arc::new(options);
        let history = History::start(name, Arc::clone(&options), Arc::clone(&counters), now)?;
        Ok(Files {
            options,
            counters,
            history,
            now,
            open: HashMap::new(),
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            closed_dirty: false,
            uses: 0,
            rotated: (Timestamp::MIN, 0),
            path: String::new(),
            line: String::new(),
        })
    }

    /// Gathers the line of an event; true where it is time to write.
    pub(crate) fn push(&mut self, event: &Event<'_>, received: Timestamp) -> bool {
        if self.options.path.render(event, received, &mut self.path) {
            add(&self.counters.files.changed_names, 1);
        }
        self.line.clear();
        match &self.options.format {
            Format::Raw => push_line(event.original(), &mut self.line),
            Format::Text(template) => {
                let mut text = String::new();
                template.render(event, &mut text);
                push_line(&text, &mut self.line);
            }
            // An event has nothing that JSON cannot hold.
            Format::Json => self.line = serde_json::to_string(event).unwrap_or_default(),
        }
        self.line.push('\n');
        if !self.waiting.contains_key(&self.path) {
            self.waiting.insert(self.path.clone(), Lines::default());
        }
        if let Some(lines) = self.waiting.get_mut(&self.path) {
            lines.bytes.extend_from_slice(self.line.as_bytes());
            lines.events += 1;
        }
        self.waiting_bytes += self.line.len();
        self.waiting_bytes >= PORTION_BYTES
    }

    /// Writes what was gathered. After an error the rest stays, and the next call goes on with it.
    pub(crate) fn flush(&mut self) -> Result<usize, Trouble> {
        let mut events = 0;
        while let Some((path, mut lines)) = self.waiting.pop_first() {
            let before = lines.written;
            let written = self.write(&path, &mut lines);
            add(&self.counters.bytes, lines.written - before);
            match written {
                Ok(()) => events += lines.events,
                Err(Obstacle::Failed(error)) => {
                    let whole = self.options.path.root().join(&path);
                    let reason = format!("cannot write {}: {error}", whole.display());
                    self.waiting.insert(path, lines);
                    return Err(Trouble::new(reason));
                }
                Err(_) if path == OVERFLOW => {
                    let reason = format!("cannot write `{OVERFLOW}`: it is no file of ours");
                    self.waiting.insert(path, lines);
                    return Err(Trouble::new(reason));
                }
                Err(obstacle) => {
                    let counter = match obstacle {
                        Obstacle::Cap => &self.counters.files.over_the_cap,
                        _ => &self.counters.files.unusable,
                    };
                    add(counter, lines.events);
                    // `_` sorts behind most names, but not all: the loop goes on until nothing waits.
                    let other = self.waiting.entry(OVERFLOW.to_owned()).or_default();
                    other.bytes.extend_from_slice(lines.rest());
                    other.events += lines.events;
                }
            }
        }
        self.waiting_bytes = 0;
        self.counters.files.open.store(self.open.len() as u64, Ordering::Relaxed);
        Ok(events)
    }

    /// Makes durable what was written.
    pub(crate) fn settle(&mut self) -> Result<(), Trouble> {
        let failed = |error: io::Error| Trouble::new(format!("cannot make files durable: {error}"));
        if std::mem::take(&mut self.closed_dirty) {
            let root = rustix::fs::open(
                self.options.path.root(),
                rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC,
                rustix::fs::Mode::empty(),
            );
            let synced = root.and_then(|root| rustix::fs::syncfs(&root));
            synced.map_err(|error| {
                self.closed_dirty = true;
                failed(error.into())
            })?;
        }
        for cached in self.open.values_mut().filter(|cached| cached.dirty) {
            cached.open.file.sync_data().map_err(failed)?;
            cached.dirty = false;
        }
        Ok(())
    }

    /// Opens every file anew at its next line.
    pub(crate) fn reopen(&mut self) {
        self.closed_dirty |= self.open.values().any(|cached| cached.dirty);
        self.open.clear();
    }

    /// Writes the lines to the file of this path, taking from them what is written.
    fn write(&mut self, path: &str, lines: &mut Lines) -> Result<(), Obstacle> {
        let rotation = self.options.rotation;
        while !lines.rest().is_empty() {
            self.ensure_open(path)?;
            let Some(cached) = self.open.get_mut(path) else { break };
            let now = (self.now)();
            let portion = rotate::portion(rotation, cached.open.size, lines.rest());
            if rotate::is_due(rotation, cached.open.size, cached.open.written, portion, now) {
                self.rotate(path, now)?;
                continue;
            }
            let rest = lines.rest();
            let bytes = rest.get(..portion).unwrap_or(rest);
            cached.dirty = true;
            match cached.open.file.write(bytes) {
                Ok(0) => return Err(Obstacle::Failed(io::ErrorKind::WriteZero.into())),
                Ok(written) => {
                    cached.open.size += written as u64;
                    cached.open.written = now;
                    lines.written += written;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Obstacle::Failed(error)),
            }
        }
        Ok(())
    }

    fn ensure_open(&mut self, path: &str) -> Result<(), Obstacle> {
        self.uses += 1;
        if let Some(cached) = self.open.get_mut(path) {
            cached.used = self.uses;
            if cached.looked.elapsed() < LOOK_AGAIN {
                return Ok(());
            }
            cached.looked = Instant::now();
            if cached.open.is_at(&self.options.path.root().join(path)) {
                cached.open.measure()?;
                return Ok(());
            }
            self.close(path);
        }
        if self.open.len() >= MAX_OPEN {
            let oldest = self.open.iter().min_by_key(|(_, cached)| cached.used);
            if let Some(oldest) = oldest.map(|(path, _)| path.clone()) {
                self.close(&oldest);
            }
        }
        let open = self.opened(path)?;
        let cached = Cached { open, dirty: false, used: self.uses, looked: Instant::now() };
        self.open.insert(path.to_owned(), cached);
        Ok(())
    }

    fn opened(&self, path: &str) -> Result<OpenFile, Obstacle> {
        let known = usize::try_from(self.counters.files.known.load(Ordering::Relaxed));
        let room = self.options.max_files.saturating_sub(known.unwrap_or(usize::MAX));
        let mut names: Vec<&str> = path.split('/').collect();
        let name = names.pop().unwrap_or(path);
        let mut made = 0;
        let directory = open_root(&self.options)
            .and_then(|root| open_directory(root, &names, &self.options, room, &mut made));
        let opened = directory.and_then(|directory| {
            open_file(&directory, name, &self.options, made < room || path == OVERFLOW)
        });
        made += usize::from(opened.as_ref().is_ok_and(|open| open.made));
        add(&self.counters.files.known, made);
        add(&self.counters.files.made, made);
        opened
    }

    /// Closes a file; what it was given is made durable with the next [`Files::settle`].
    fn close(&mut self, path: &str) {
        if let Some(cached) = self.open.remove(path) {
            self.closed_dirty |= cached.dirty;
        }
    }

    /// Gives the file its rotated name; the next line goes to a new one.
    fn rotate(&mut self, path: &str, now: Timestamp) -> Result<(), Obstacle> {
        let mut names: Vec<&str> = path.split('/').collect();
        let name = names.pop().unwrap_or(path);
        let directory = |names: &[&str]| -> Result<OwnedFd, Obstacle> {
            let root = open_root(&self.options)?;
            open_directory(root, names, &self.options, usize::MAX, &mut 0)
        };
        let from = directory(&names)?;
        let options = Arc::clone(&self.options);
        names.extend(options.history.as_deref());
        let to = directory(&names)?;
        // A name once given within a second is not given again, though the file be compressed or gone:
        // the newest must have the highest number.
        let second = now.floor_to(Timestamp::SECOND).max(self.rotated.0);
        let first = if second == self.rotated.0 { self.rotated.1.saturating_add(1) } else { 0 };
        let now = second;
        for again in first..first.saturating_add(MAX_AGAIN) {
            let rotated = rotate::rotated_name(name, now, again);
            if is_compressed(&to, &rotated) {
                continue;
            }
            match renameat_with(&from, name, &to, &rotated, RenameFlags::NOREPLACE) {
                Err(Errno::EXIST) => {}
                // It was moved or removed by someone else in this moment.
                Ok(()) | Err(Errno::NOENT) => {
                    self.rotated = (second, again);
                    self.close(path);
                    add(&self.counters.files.rotated, 1);
                    self.counters
                        .files
                        .known
                        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| {
                            Some(known.saturating_sub(1))
                        })
                        .unwrap_or_default();
                    self.history.note(&names.join("/"));
                    return Ok(());
                }
                Err(error) => return Err(Obstacle::Failed(error.into())),
            }
        }
        Err(Obstacle::Failed(io::Error::other("too many rotated files within one second")))
    }
}

/// Whether a compressed file has this name, of before a restart or of before the clock was set back:
/// compressing another one would put it in its place.
fn is_compressed(directory: &OwnedFd, rotated: &str) -> bool {
    [Compress::Zstd, Compress::Gzip].into_iter().any(|compress| {
        let name = format!("{rotated}{}", rotate::suffix(compress));
        statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).is_ok()
    })
}
