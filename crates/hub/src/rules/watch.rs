//! The thread that looks after the rules: it sleeps until a rule file changes (inotify(7)) or
//! somebody rings, lets a burst of changes end, and reads the files again.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bergfried_pipeline::Pipeline;
use inotify::{Inotify, WatchDescriptor, WatchMask};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

use super::files::holds_rules;
use super::live::LiveRules;

/// How long no file may change before a burst of changes is over.
const QUIET: Duration = Duration::from_millis(200);
/// How long a burst is waited for at most.
const BURST: Duration = Duration::from_secs(5);
/// How soon files that could not be read are tried again.
const RETRY: Duration = Duration::from_secs(2);
/// The most directories that are watched.
const MAX_DIRECTORIES: usize = 10_000;

/// Wakes the thread, and ends it.
pub(crate) struct Bell {
    event: OwnedFd,
    stopped: AtomicBool,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Bell> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Bell { event, stopped: AtomicBool::new(false) })
    }

    /// Wakes the thread.
    pub(crate) fn ring(&self) {
        if let Err(error) = rustix::io::write(&self.event, &1_u64.to_ne_bytes()) {
            tracing::debug!(%error, "the bell rings already");
        }
    }

    /// Wakes the thread to end.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        self.ring();
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Whether it rang since the last time.
    fn has_rung(&self) -> bool {
        rustix::io::read(&self.event, &mut [0; 8]).is_ok()
    }
}

/// Starts the thread; it ends soon after [`Bell::stop`].
pub(crate) fn start(rules: Arc<LiveRules>, pipeline: Arc<Pipeline>) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("rules".to_owned()).spawn(move || run(&rules, &pipeline))
}

fn run(rules: &LiveRules, pipeline: &Pipeline) {
    let mut watch = match Watch::new() {
        Ok(watch) => Some(watch),
        Err(error) => {
            tracing::warn!(%error, "cannot watch rule files, they are read again when asked");
            None
        }
    };
    // Watched before they are read: what changes in between is seen.
    if let Some(watch) = &mut watch {
        watch.set(&directories(rules));
        rules.reload(pipeline);
    }
    while !rules.bell().is_stopped() {
        let timeout = rules.is_unread().then_some(RETRY);
        wait(rules.bell(), watch.as_ref(), timeout);
        if rules.bell().is_stopped() {
            return;
        }
        rules.bell().has_rung();
        if let Some(watch) = &mut watch {
            let begun = Instant::now();
            while watch.drain() && begun.elapsed() < BURST && !rules.bell().is_stopped() {
                std::thread::sleep(QUIET);
            }
            watch.set(&directories(rules));
        }
        rules.reload(pipeline);
    }
}

/// Sleeps until the bell rings, a watched directory changes, or the time is over.
fn wait(bell: &Bell, watch: Option<&Watch>, timeout: Option<Duration>) {
    let mut ready = vec![PollFd::new(&bell.event, PollFlags::IN)];
    if let Some(watch) = watch {
        ready.push(PollFd::new(&watch.inotify, PollFlags::IN));
    }
    let timeout = timeout.and_then(|time| Timespec::try_from(time).ok());
    if let Err(error) = poll(&mut ready, timeout.as_ref())
        && error != rustix::io::Errno::INTR
    {
        tracing::warn!(%error, "cannot wait for changes of rule files");
        std::thread::sleep(RETRY);
    }
}

struct Watch {
    inotify: Inotify,
    watched: Vec<WatchDescriptor>,
}

impl Watch {
    fn new() -> io::Result<Watch> {
        Ok(Watch { inotify: Inotify::init()?, watched: Vec::new() })
    }

    /// Watches these directories and no others.
    fn set(&mut self, wanted: &BTreeSet<PathBuf>) {
        let mask = WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVE
            | WatchMask::DELETE_SELF
            | WatchMask::ONLYDIR;
        let mut watches = self.inotify.watches();
        let mut now = Vec::with_capacity(wanted.len());
        for directory in wanted {
            // Added again each time: a directory that was replaced has a new inode.
            match watches.add(directory, mask) {
                Ok(descriptor) => now.push(descriptor),
                Err(error) => {
                    tracing::warn!(directory = %directory.display(), %error, "cannot watch");
                }
            }
        }
        for old in self.watched.drain(..).filter(|old| !now.contains(old)) {
            if let Err(error) = watches.remove(old) {
                tracing::debug!(%error, "watch was gone already");
            }
        }
        self.watched = now;
    }

    /// Takes what has happened; whether anything has.
    fn drain(&mut self) -> bool {
        let mut buffer = [0; 4096];
        let mut happened = false;
        // Bounded, as the changes may go on.
        for _ in 0..256 {
            match self.inotify.read_events(&mut buffer) {
                Ok(events) => happened |= events.count() > 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => {
                    tracing::debug!(%error, "cannot read changes of rule files");
                    break;
                }
            }
        }
        happened
    }
}

/// The directories whose changes may change the rules.
fn directories(rules: &LiveRules) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for path in rules.files().all() {
        if path.is_dir() {
            walk(&path, &mut found);
        } else if let Some(parent) = path.parent() {
            let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
            found.insert(parent.to_owned());
        }
    }
    found
}

fn walk(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    if found.len() >= MAX_DIRECTORIES {
        return;
    }
    found.insert(directory.to_owned());
    // What cannot be listed is told when the rules are read.
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && holds_rules(&entry.file_name()) {
            walk(&entry.path(), found);
        }
    }
}
