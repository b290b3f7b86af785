//! A store with events, and outputs that follow it.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of a test fail as tests do, and each test file uses a part of them"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bergfried_event::{Event, Field, Timestamp};
use bergfried_output::{OutputFile, Outputs};
use bergfried_store::{BatchId, NewBatch, Options, Reader, Writer, open};

pub(crate) struct Bench {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) writer: Option<Writer>,
    pub(crate) reader: Reader,
    batches: u8,
}

impl Bench {
    pub(crate) fn new() -> Bench {
        Bench::with(Options { sync: false, ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let (writer, reader, _) = open(&directory.path().join("events"), options).unwrap();
        Bench { directory, writer: Some(writer), reader, batches: 0 }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Stores events of these hosts, programs and texts.
    pub(crate) fn store(&mut self, lines: &[(&str, &str, &str)]) {
        let events = lines.iter().map(|(host, program, text)| event(host, program, text)).collect();
        self.store_events(events);
    }

    pub(crate) fn store_events(&mut self, events: Vec<Event<'static>>) {
        self.batches = self.batches.wrapping_add(1);
        let mut id = [0; 16];
        id[0] = self.batches;
        id[1..9].copy_from_slice(&self.reader.last_id().to_be_bytes());
        let batch =
            NewBatch { id: BatchId(id), ingested: now(), events, findings: Vec::new().into() };
        self.writer.as_mut().unwrap().append(vec![batch]).unwrap();
    }

    pub(crate) fn start(&self, tables: &[String]) -> Outputs {
        let outputs = tables.iter().map(|table| {
            let table: OutputFile = toml::from_str(table).unwrap();
            table.check(now()).unwrap()
        });
        Outputs::start(outputs.collect(), &self.reader, &self.path("outputs"), now).unwrap()
    }
}

pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_micros(since.as_micros() as i64)
}

pub(crate) fn event(host: &str, program: &str, text: &str) -> Event<'static> {
    let mut event = Event::new(now(), text.to_owned());
    event.set(Field::HostName, host.to_owned());
    event.set(Field::ProcessName, program.to_owned());
    event.set(Field::Message, text.to_owned());
    event
}

/// Waits until it holds; what it says last is shown where it never does.
pub(crate) fn until<T: std::fmt::Debug>(what: &str, mut check: impl FnMut() -> Result<(), T>) {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match check() {
            Ok(()) => return,
            Err(said) if Instant::now() > deadline => panic!("{what}: {said:?}"),
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Waits until the first output has handled every event.
pub(crate) fn caught_up(outputs: &Outputs) {
    until("caught up", || match outputs.report().remove(0) {
        report if report.events_behind == 0 => Ok(()),
        report => Err(Box::new(report)),
    });
}

pub(crate) fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of everything below a directory, sorted.
pub(crate) fn listing(root: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                waiting.push(path);
            } else {
                names.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names.sort();
    names
}
