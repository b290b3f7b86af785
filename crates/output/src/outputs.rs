//! All outputs of a hub: started together, stopped together.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bergfried_event::Timestamp;
use bergfried_store::Reader;

use crate::config::{From, Kind, Output, Target};
use crate::counters::{Counters, OutputReport};
use crate::files::Files;
use crate::hub::HubLink;
use crate::place::{Place, PlaceFile};
use crate::runner::{Progress, Runner, Sink, Wishes};
use crate::syslog::SyslogLink;

/// How long outputs may take to end; one that waits for a receiver is left to itself, and what it
/// sends is sent again after the next start, as the same batch where that is possible.
const LAST_WORK: Duration = Duration::from_secs(2);

/// Why outputs cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The directory of places, or a place.
    #[error("cannot use {}: {error}", path.display())]
    Place {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A target.
    #[error("output `{name}`: {reason}")]
    Target {
        /// The output's name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No thread, or no random bytes.
    #[error("cannot start an output: {0}")]
    Thread(#[from] io::Error),
}

/// The running outputs.
pub struct Outputs {
    running: Vec<Running>,
    reader: Reader,
    now: fn() -> Timestamp,
}

struct Running {
    name: String,
    kind: Kind,
    counters: Arc<Counters>,
    wishes: Arc<Wishes>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Outputs {
    /// Starts a thread for each output; their places lie in `directory`, which is made where it is
    /// absent (mode 0700).
    ///
    /// # Errors
    /// Where a place cannot be read, a key or certificate file cannot be used, or no thread can be
    /// started.
    pub fn start(
        outputs: Vec<Output>,
        reader: &Reader,
        directory: &Path,
        now: fn() -> Timestamp,
    ) -> Result<Outputs, StartError> {
        let failed = |path: &Path, error| StartError::Place { path: path.to_owned(), error };
        let mut started = Outputs { running: Vec::new(), reader: reader.clone(), now };
        if outputs.is_empty() {
            return Ok(started);
        }
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| failed(directory, error))?;
        let id_file = directory.join("hub.id");
        let hub_id = hub_id(&id_file).map_err(|error| failed(&id_file, error))?;
        for output in outputs {
            let place = PlaceFile::open(directory, &output.name)
                .map_err(|error| failed(&directory.join(format!("{}.json", output.name)), error))?;
            let running = start(output, place, reader, &hub_id, now)?;
            started.running.push(running);
        }
        Ok(started)
    }

    /// Opens files anew, before the next event goes out.
    pub fn reopen(&self) {
        for running in &self.running {
            running.wishes.reopen();
        }
        self.reader.wake();
    }

    /// How each output is.
    pub fn report(&self) -> Vec<OutputReport> {
        let (last_id, now) = (self.reader.last_id(), (self.now)());
        self.running
            .iter()
            .map(|running| running.counters.report(&running.name, running.kind, last_id, now))
            .collect()
    }

    /// What wants a person's attention, each in one sentence.
    pub fn problems(&self) -> Vec<String> {
        let now = (self.now)();
        self.report().iter().flat_map(|report| report.problems(now)).collect()
    }

    /// Ends all of them once what they have begun is done, within a moment.
    pub fn stop(&self) {
        for running in &self.running {
            running.wishes.stop();
        }
        self.reader.wake();
        let deadline = Instant::now() + LAST_WORK;
        for running in &self.running {
            let thread = running.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(thread) = thread else { continue };
            while !thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(5));
            }
            if !thread.is_finished() {
                tracing::warn!(output = running.name, "an output was waiting at the stop");
            } else if thread.join().is_err() {
                tracing::error!(output = running.name, "an output ended by a panic");
            }
        }
    }
}

fn start(
    output: Output,
    mut place: PlaceFile,
    reader: &Reader,
    hub_id: &str,
    now: fn() -> Timestamp,
) -> Result<Running, StartError> {
    let Output { name, when, from, target } = output;
    let kind = target.kind();
    let counters = Arc::new(Counters::default());
    let at = beginning(&name, place.saved().cloned(), from, reader.last_id());
    if place.saved().is_none() {
        // From here on it is an old output: what comes now waits for it, also over a crash.
        place.save(at.clone())?;
    }
    let target_failed = |reason: String| StartError::Target { name: name.clone(), reason };
    let sink = match target {
        Target::Files(options) => {
            Sink::Files(Box::new(Files::new(&name, options, Arc::clone(&counters), now)?))
        }
        Target::Syslog(options) => {
            let link = SyslogLink::new(options, &at, Arc::clone(&counters));
            Sink::Syslog(Box::new(link.map_err(target_failed)?))
        }
        Target::Hub(options) => {
            let link = HubLink::new(options, &at, hub_id, Arc::clone(&counters));
            Sink::Hub(Box::new(link.map_err(target_failed)?))
        }
    };
    let wishes = Arc::new(Wishes::default());
    let runner = Runner {
        name: name.clone(),
        when,
        reader: reader.clone(),
        place,
        sink,
        counters: Arc::clone(&counters),
        wishes: Arc::clone(&wishes),
        now,
        progress: Progress::from(at.after),
    };
    let thread =
        std::thread::Builder::new().name(format!("output {name}")).spawn(move || runner.run())?;
    Ok(Running { name, kind, counters, wishes, thread: Mutex::new(Some(thread)) })
}

/// Where an output begins.
fn beginning(name: &str, saved: Option<Place>, from: From, last_id: u64) -> Place {
    match (saved, from) {
        (Some(place), _) if place.after > last_id => {
            tracing::warn!(
                output = name,
                "the event store is younger than the place of an output: it was emptied or \
                 restored; the output goes on with what comes now"
            );
            Place { after: last_id, pending: None }
        }
        (Some(place), _) => place,
        (None, From::Now) => Place { after: last_id, pending: None },
        (None, From::Beginning) => Place::default(),
    }
}

/// The hub's own name among hubs: 32 random hex digits, made at the first start with an output.
fn hub_id(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Ok(text) => match bergfried_wire::id_from_hex(text.trim()) {
            Some(id) => return Ok(bergfried_wire::id_to_hex(&id)),
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is no id")),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| io::Error::other(error.to_string()))?;
    let id = bergfried_wire::id_to_hex(&id);
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    writeln!(file, "{id}")?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_begin_where_they_were() {
        let at = |after| Place { after, pending: None };
        for (saved, from, last_id, expected) in [
            (None, From::Now, 9, 9),
            (None, From::Beginning, 9, 0),
            (Some(at(4)), From::Beginning, 9, 4),
            (Some(at(40)), From::Now, 9, 9),
        ] {
            assert_eq!(beginning("a", saved, from, last_id), at(expected));
        }
    }

    #[test]
    fn the_hubs_id_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hub.id");
        let id = hub_id(&path).unwrap();
        assert_eq!((id.len(), hub_id(&path).unwrap()), (32, id));
        fs::write(&path, "nonsense").unwrap();
        assert!(hub_id(&path).is_err());
    }
}
