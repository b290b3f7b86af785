//! File integrity: tells what was created, changed, moved and removed among the files that decide who
//! may do what on this host.
//!
//! inotify only says where to look. What is told is the difference between what a look shows and the
//! [`Baseline`], whatever made it look: an event, the start, a sweep. So several events of one save are
//! one change, and events that were lost, or came while the agent was down, cost nothing but time.
//! A change is remembered once it was told and that is durable: after a crash it is told again.

mod baseline;
mod capabilities;
mod change;
mod dirty;
mod entry;
mod look;
mod names;
mod options;
mod packages;
mod record;
mod scope;
mod secrets;
mod sweep;
mod texts;
mod walk;
mod watch;

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use bergfried_event::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Scene, diff};
use crate::outbox::{Outbox, Stopped};
use crate::stop::Stop;
use crate::writers::Writers;
use baseline::{Baseline, Meta};
use change::{Change, Trigger};
use dirty::{Dirty, Mark};
use entry::{Entry, Kind};
use look::{Eye, How, Look, Seen};
use names::Names;
pub use options::Integrity;
pub(crate) use options::IntegrityTable;
use scope::{Patterns, Place, Scope};
use sweep::Sweep;
use texts::Texts;
use walk::TURN;
use watch::Watch;

const NAME: &str = "integrity";
/// When the watch is tried again that could not begin.
const AGAIN: Duration = Duration::from_secs(60);
/// So long audit may take to say who it was.
const AUDIT: Duration = Duration::from_secs(2);
/// A file that changes all the time is told as it is then.
const RESTLESS: Duration = Duration::from_secs(10);
/// The most bytes of a difference that is told.
const LONGEST_DIFF: usize = 16 << 10;
/// With more changes at once than this nobody waits for audit, or asks it of each.
const FEW: usize = 64;
/// A change that was noticed when it happened waits so long for others, whatever a walk still finds.
const LATEST: Duration = Duration::from_secs(2);
/// Changes that are told together.
const TOGETHER: usize = 1_024;
const TOGETHER_BYTES: usize = 1 << 20;
/// New entries of the baseline that are written together.
const WRITTEN: usize = 4_096;

/// The observer of files.
pub(super) fn observer(options: Integrity, writers: Writers) -> super::Observer {
    super::Observer { name: NAME, run: Box::new(move |scene| observe(scene, &options, &writers)) }
}

/// Watches files until the agent stops. What keeps it from beginning is said once, and tried again.
fn observe(scene: Scene, options: &Integrity, writers: &Writers) {
    let mut is_said = false;
    loop {
        let error = match Observer::open(scene.clone(), options, writers.clone()) {
            Ok(mut observer) => {
                // Stopped is how it always ends.
                let _stopped = observer.run();
                return;
            }
            Err(error) => error,
        };
        if !std::mem::replace(&mut is_said, true) {
            let message = format!("cannot watch files for changes: {error}");
            tracing::error!("{message}, trying again every minute");
            let note = record::note("watch-failed", &message, now());
            if scene.outbox.send(note.observed(NAME)).is_err() {
                return;
            }
        }
        if scene.outbox.wait(AGAIN) {
            return;
        }
    }
}

struct Observer<'o> {
    options: &'o Integrity,
    outbox: Outbox,
    stop: Stop,
    writers: Writers,
    baseline: Baseline,
    texts: Texts,
    eye: Eye,
    names: Names,
    homes: Vec<String>,
    scope: Scope,
    /// What was watched before, where that was something else; until the first sweep is done.
    scope_before: Option<Scope>,
    watch: Watch,
    dirty: Dirty,
    /// The walk over everything, and one that does not wait for its end.
    regular: Option<Sweep>,
    urgent: Option<Sweep>,
    sweeps: u32,
    pending: Vec<Change>,
    pending_bytes: usize,
    /// Since when one waits that was noticed when it happened.
    pending_since: Option<Instant>,
    /// Whether it was said that the kernel's watches, and the places of the baseline, are used up.
    said: (bool, bool),
    /// Called when everything was looked at once since the start.
    #[cfg(test)]
    on_first_look: Option<Box<dyn FnOnce() + Send>>,
}

impl<'o> Observer<'o> {
    fn open(scene: Scene, options: &'o Integrity, writers: Writers) -> io::Result<Self> {
        let directory = scene.state_dir.join(NAME);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let mut baseline = Baseline::open(&directory)?;
        let homes = names::homes();
        let scope = Scope::new(&options.paths, &options.exclude, &homes);
        let Meta { paths, exclude, complete, .. } = &baseline.meta;
        let differs = *complete && (*paths != options.paths || *exclude != options.exclude);
        let scope_before = differs.then(|| Scope::new(paths, exclude, &homes));
        baseline.meta.paths.clone_from(&options.paths);
        baseline.meta.exclude.clone_from(&options.exclude);
        let secrets = Patterns::new(&options.secrets, &homes);
        Ok(Observer {
            options,
            eye: Eye::new(options, secrets, scene.outbox.clone()),
            outbox: scene.outbox,
            stop: scene.stop,
            writers,
            baseline,
            texts: Texts::open(&directory)?,
            names: Names::default(),
            homes,
            scope,
            scope_before,
            watch: Watch::new()?,
            dirty: Dirty::default(),
            regular: Some(Sweep::new(vec![PathBuf::from("/")], Trigger::Start, 1, false)),
            urgent: None,
            sweeps: 1,
            pending: Vec::new(),
            pending_bytes: 0,
            pending_since: None,
            said: (false, false),
            #[cfg(test)]
            on_first_look: None,
        })
    }

    fn run(&mut self) -> Result<(), Stopped> {
        while !self.stop.is_stopped() {
            let more = self.watch.drain(&self.scope, &mut self.dirty);
            self.look_at_due()?;
            self.begin_sweeps()?;
            let begun = Instant::now();
            let sweeping = self.sweep_a_little(begun)?;
            self.tell(!sweeping)?;
            if !more {
                self.wait(sweeping.then(|| begun.elapsed()));
            }
        }
        Ok(())
    }

    /// Waits until something happens; where there is work, only as long as that took before.
    fn wait(&self, work: Option<Duration>) {
        let until_sweep = self.until_sweep();
        let until_due = self.dirty.next().map(|due| due.saturating_duration_since(Instant::now()));
        let longest = work.or_else(|| self.dirty.waits_for_sweep().then_some(Duration::ZERO));
        let time = [longest, until_due, until_sweep, Some(Duration::from_secs(3_600))];
        let time = time.into_iter().flatten().min().unwrap_or_default();
        let time = Timespec {
            tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: time.subsec_nanos().into(),
        };
        let fds = [self.watch.fd(), self.stop.fd()];
        let mut fds = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut fds, Some(&time)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => tracing::warn!(%error, "cannot wait for changes of files"),
        }
    }

    /// Looks at what rested long enough, for a moment: a user with many large files keeps nobody from
    /// what is of the system, which comes first.
    fn look_at_due(&mut self) -> Result<(), Stopped> {
        let begun = Instant::now();
        let mut due = self.dirty.due(begun);
        let waits = due.len() <= FEW && self.writers.are_known(now());
        due.sort_by_cached_key(|(path, _)| self.homes.iter().any(|home| path.starts_with(home)));
        for (path, mark) in due {
            if begun.elapsed() > TURN {
                self.dirty.put_back(path, mark);
                continue;
            }
            let early = waits && mark.first.elapsed() < AUDIT;
            if early && self.writers.who(&path, mark.at).is_empty() {
                self.dirty.again(path, mark, Instant::now());
                continue;
            }
            self.examine(&path, Trigger::Inotify, Some(mark), (false, 0))?;
            self.tell(false)?;
        }
        Ok(())
    }

    /// Looks at a path, and keeps in mind what changed; false where there is no place to remember it.
    fn examine(
        &mut self,
        path: &Path,
        trigger: Trigger,
        mark: Option<Mark>,
        (anew, sweep): (bool, u32),
    ) -> Result<bool, Stopped> {
        let known = self.baseline.get(path);
        let (before, at) = (known.cloned(), mark.map_or_else(now, |mark| mark.at));
        let hurried = mark.is_some_and(|mark| mark.first.elapsed() > RESTLESS);
        match self.eye.look(path, known, How { anew, hurried })? {
            Look::Same => self.baseline.see(path, sweep),
            Look::Gone => {
                if mark.is_some() && before.as_ref().is_some_and(|before| before.kind == Kind::Dir)
                {
                    // What was in it is gone, too; without an event where nobody watched.
                    self.dirty.tree(path.to_path_buf());
                }
                if let Some(before) = before {
                    self.change(path, Some(before), None, (trigger, at), None);
                    self.baseline.set(path, None, sweep);
                }
            }
            Look::Moving => {
                self.baseline.see(path, sweep);
                match mark {
                    Some(mark) => self.dirty.again(path.to_path_buf(), mark, Instant::now()),
                    None => self.dirty.path(path, Instant::now(), at),
                }
            }
            Look::Seen(seen) => {
                let Seen { entry, text } = *seen;
                let is_new = before.is_none();
                let has_room = self.baseline.len() < self.options.max_files;
                if is_new && !has_room && trigger != Trigger::Inotify {
                    return Ok(false);
                }
                // What was never looked at before is no news.
                let was_outside = self
                    .scope_before
                    .as_ref()
                    .is_some_and(|scope| scope.place(path) != Place::Covered);
                let told = !is_new || (self.baseline.meta.complete && !was_outside);
                if told {
                    let diff = self.difference(path, before.as_ref(), &entry, text.as_deref());
                    self.change(path, before, Some(entry.clone()), (trigger, at), diff);
                }
                if let (Some(hash), Some(text)) = (entry.hash, &text) {
                    self.texts.keep(hash, text);
                }
                if !is_new || has_room {
                    self.baseline.set(path, Some(entry), sweep);
                }
            }
        }
        Ok(true)
    }

    /// What changed in the text of a file; of a new one, all of it.
    fn difference(
        &self,
        path: &Path,
        before: Option<&Entry>,
        after: &Entry,
        text: Option<&str>,
    ) -> Option<String> {
        let text = text?;
        let before = match before {
            None => String::new(),
            Some(before) if before.hash == after.hash => return None,
            Some(before) => self.texts.get(before.hash?)?,
        };
        let name = record::shown(Path::new(path.file_name()?)).escape_debug().to_string();
        Some(escaped(&diff::unified(&name, &before, text, LONGEST_DIFF)))
    }

    fn change(
        &mut self,
        path: &Path,
        before: Option<Entry>,
        after: Option<Entry>,
        (trigger, at): (Trigger, Timestamp),
        diff: Option<String>,
    ) {
        let change = Change {
            path: path.to_path_buf(),
            from: None,
            before,
            after,
            diff,
            trigger,
            at,
            who: Vec::new(),
            by_packages: false,
        };
        if change.action().is_some() {
            self.pending_bytes += change.diff.as_ref().map_or(0, String::len);
            if trigger == Trigger::Inotify {
                self.pending_since.get_or_insert_with(Instant::now);
            }
            self.pending.push(change);
        }
    }

    /// Tells what changed and, once that is durable, writes down that it did; `all` of it, or what has
    /// become too much to wait with.
    fn tell(&mut self, all: bool) -> Result<(), Stopped> {
        let is_much = self.pending.len() >= TOGETHER
            || self.pending_bytes >= TOGETHER_BYTES
            || self.pending_since.is_some_and(|since| since.elapsed() >= LATEST)
            || self.baseline.behind() >= WRITTEN;
        let is_any = !self.pending.is_empty() || self.baseline.behind() > 0;
        if !(is_much || all && is_any) {
            return Ok(());
        }
        let mut changes = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        self.pending_since = None;
        change::pair(&mut changes);
        let asks = changes.len() <= FEW;
        if !changes.is_empty() {
            self.names.refresh();
            let by_packages = packages::are_changing(SystemTime::now());
            for mut change in changes {
                if asks {
                    change.who = self.writers.who(&change.path, change.at);
                }
                change.by_packages = by_packages;
                if let Some(record) = record::of(&change, &self.names) {
                    self.outbox.send(record.observed(NAME))?;
                }
                if change.path == Path::new("/etc/passwd") {
                    self.follow_homes();
                }
            }
            self.outbox.flush()?;
        }
        if let Err(error) = self.baseline.save() {
            tracing::warn!(%error, "cannot write down what is known of files");
        }
        Ok(())
    }

    /// Watches the homes of new users too.
    fn follow_homes(&mut self) {
        let homes = names::homes();
        if homes != self.homes {
            self.scope = Scope::new(&self.options.paths, &self.options.exclude, &homes);
            self.homes = homes;
            self.dirty.tree(PathBuf::from("/"));
        }
    }

    /// Tells something about the watch itself.
    fn say(&self, action: &str, message: &str) -> Result<(), Stopped> {
        self.outbox.send(record::note(action, message, now()).observed(NAME))
    }
}

/// The text with its control characters, but for tabs and ends of lines, written as `\u{1b}`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && !matches!(character, '\n' | '\t') {
            escaped.extend(character.escape_unicode());
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn seconds() -> i64 {
    now().micros() / Timestamp::SECOND
}

fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

#[cfg(test)]
mod tests;
