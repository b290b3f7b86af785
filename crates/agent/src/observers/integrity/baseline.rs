//! What is remembered of every watched file, in memory and in a file of lines.
//!
//! A line is one path as it was seen last; the last line of a path counts. Lines are appended when
//! what was said of them is durable, and the file is written anew when half of it is outdated.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::ops::Bound;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::entry::Entry;
use crate::replace::replace;

/// The longest line; one holds a path of at most 4096 bytes.
const LINE: u64 = 64 << 10;
/// So many outdated lines are borne with before the file is written anew.
const OUTDATED: usize = 4_096;

/// What is remembered of the watch itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Meta {
    pub(super) paths: Vec<String>,
    pub(super) exclude: Vec<String>,
    /// Whether everything was seen once.
    pub(super) complete: bool,
    /// When everything was read last, in seconds.
    pub(super) swept: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Row {
    Meta { watch: Meta },
    Entry { p: String, e: Option<Entry> },
}

#[derive(Debug)]
struct Known {
    entry: Entry,
    /// The last sweep that met it.
    seen: u32,
}

#[derive(Debug)]
pub(super) struct Baseline {
    known: BTreeMap<Box<[u8]>, Known>,
    pub(super) meta: Meta,
    path: PathBuf,
    file: File,
    lines: usize,
    /// What differs from the file until it is appended.
    behind: BTreeSet<Box<[u8]>>,
}

impl Baseline {
    /// Reads what the directory remembers; lines that are damaged are passed over and counted.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let path = directory.join("baseline.jsonl");
        let file = OpenOptions::new().create(true).append(true).read(true).open(&path)?;
        let mut baseline = Baseline {
            known: BTreeMap::new(),
            meta: Meta::default(),
            path,
            file,
            lines: 0,
            behind: BTreeSet::new(),
        };
        let damaged = baseline.read()?;
        if damaged > 0 {
            tracing::warn!(
                damaged,
                "cannot read lines of what was known of files, their files are told as new"
            );
        }
        baseline.write_anew()?;
        Ok(baseline)
    }

    fn read(&mut self) -> io::Result<usize> {
        let mut reader = BufReader::new(&self.file);
        let (mut line, mut damaged) = (Vec::new(), 0);
        loop {
            line.clear();
            if io::Read::take(&mut reader, LINE).read_until(b'\n', &mut line)? == 0 {
                return Ok(damaged);
            }
            match serde_json::from_slice(&line) {
                Ok(Row::Meta { watch }) => self.meta = watch,
                Ok(Row::Entry { p, e: Some(entry) }) => {
                    self.known.insert(from_text(p), Known { entry, seen: 0 });
                }
                Ok(Row::Entry { p, e: None }) => {
                    self.known.remove(&from_text(p));
                }
                Err(_) => damaged += 1,
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn get(&self, path: &Path) -> Option<&Entry> {
        self.known.get(path.as_os_str().as_bytes()).map(|known| &known.entry)
    }

    /// Marks what the sweep met.
    pub(super) fn see(&mut self, path: &Path, sweep: u32) {
        if let Some(known) = self.known.get_mut(path.as_os_str().as_bytes()) {
            known.seen = sweep;
        }
    }

    pub(super) fn set(&mut self, path: &Path, entry: Option<Entry>, sweep: u32) {
        let bytes: Box<[u8]> = path.as_os_str().as_bytes().into();
        match entry {
            Some(entry) => drop(self.known.insert(bytes.clone(), Known { entry, seen: sweep })),
            None => drop(self.known.remove(&bytes)),
        }
        self.behind.insert(bytes);
    }

    /// How many changes are not yet in the file.
    pub(super) fn behind(&self) -> usize {
        self.behind.len()
    }

    /// Paths below the directory, itself among them, that this sweep did not meet; at most so many.
    pub(super) fn unseen(&self, directory: &Path, sweep: u32, most: usize) -> Vec<PathBuf> {
        let is_unseen = |known: &Known| known.seen != sweep;
        let below = self.below(directory).filter(|(_, known)| is_unseen(known));
        let own = self.known.get_key_value(directory.as_os_str().as_bytes());
        let all = own.filter(|(_, known)| is_unseen(known)).into_iter().chain(below);
        all.take(most).map(|(path, _)| to_path(path)).collect()
    }

    fn below<'s>(&'s self, directory: &Path) -> impl Iterator<Item = (&'s Box<[u8]>, &'s Known)> {
        let mut first = directory.as_os_str().as_bytes().to_vec();
        if first.last() != Some(&b'/') {
            first.push(b'/');
        }
        let range = (Bound::Included(first.clone().into_boxed_slice()), Bound::Unbounded);
        self.known.range(range).take_while(move |(path, _)| path.starts_with(&first))
    }

    /// Every hash that is remembered.
    pub(super) fn hashes(&self) -> impl Iterator<Item = [u8; 32]> {
        self.known.values().filter_map(|known| known.entry.hash.map(|hash| hash.0))
    }

    /// Writes down what changed since; call it when what was said of that is durable.
    pub(super) fn save(&mut self) -> io::Result<()> {
        let mut lines = Vec::new();
        for path in &self.behind {
            let entry = self.known.get(path).map(|known| known.entry.clone());
            write_row(&mut lines, &Row::Entry { p: to_text(path), e: entry })?;
        }
        self.file.write_all(&lines)?;
        self.file.sync_data()?;
        self.lines += self.behind.len();
        self.behind.clear();
        if self.lines > 2 * self.known.len() + OUTDATED {
            self.write_anew()?;
        }
        Ok(())
    }

    /// Writes down what is remembered of the watch, with everything else.
    pub(super) fn save_meta(&mut self) -> io::Result<()> {
        let mut line = Vec::new();
        write_row(&mut line, &Row::Meta { watch: self.meta.clone() })?;
        self.file.write_all(&line)?;
        self.lines += 1;
        self.save()
    }

    fn write_anew(&mut self) -> io::Result<()> {
        replace(&self.path, 0o600, |out| {
            write_row(out, &Row::Meta { watch: self.meta.clone() })?;
            for (path, known) in &self.known {
                write_row(out, &Row::Entry { p: to_text(path), e: Some(known.entry.clone()) })?;
            }
            Ok(())
        })?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.lines = self.known.len();
        Ok(())
    }
}

fn write_row(out: &mut impl io::Write, row: &Row) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

fn to_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// A path as text; of one that is no UTF-8 the bytes in hex behind a NUL, which no path holds.
fn to_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().fold("\0".to_owned(), |text, byte| format!("{text}{byte:02x}")),
    }
}

fn from_text(text: String) -> Box<[u8]> {
    let Some(hex) = text.strip_prefix('\0') else { return text.into_bytes().into() };
    let byte = |pair: &[u8]| {
        u8::from_str_radix(std::str::from_utf8(pair).unwrap_or_default(), 16).unwrap_or_default()
    };
    hex.as_bytes().chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::entry::tests::file;
    use super::*;

    #[test]
    fn what_is_saved_is_read_again_and_what_is_not_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let odd = to_path(b"/etc/\xff\n");
        let mut baseline = Baseline::open(directory.path()).unwrap();
        baseline.set(Path::new("/etc/a"), Some(file(0o644, "a")), 1);
        baseline.set(&odd, Some(file(0o600, "b")), 1);
        baseline.set(Path::new("/etc/gone"), Some(file(0o600, "b")), 1);
        baseline.meta.complete = true;
        baseline.save_meta().unwrap();
        baseline.set(Path::new("/etc/gone"), None, 1);
        baseline.save().unwrap();
        baseline.set(Path::new("/etc/a"), None, 1);
        drop(baseline);
        // As a crash in the middle of a line leaves it.
        let path = directory.path().join("baseline.jsonl");
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"p\":\"/e").unwrap();
        for _ in 0..2 {
            let baseline = Baseline::open(directory.path()).unwrap();
            assert!(baseline.meta.complete);
            assert_eq!(baseline.len(), 2);
            assert_eq!(baseline.get(&odd), Some(&file(0o600, "b")));
            assert_eq!(baseline.get(Path::new("/etc/a")), Some(&file(0o644, "a")));
        }
    }

    #[test]
    fn the_file_does_not_grow_without_end() {
        let directory = tempfile::tempdir().unwrap();
        let mut baseline = Baseline::open(directory.path()).unwrap();
        for turn in 0..3 * OUTDATED {
            baseline.set(Path::new("/etc/a"), Some(file(0o644, &turn.to_string())), 1);
            if turn % 500 == 0 {
                baseline.save().unwrap();
            }
        }
        baseline.save().unwrap();
        let lines = fs::read_to_string(&baseline.path).unwrap().lines().count();
        assert!(lines <= OUTDATED + 600, "{lines}");
    }

    #[test]
    fn what_a_sweep_did_not_meet_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let mut baseline = Baseline::open(directory.path()).unwrap();
        for path in ["/etc", "/etc/a", "/etc/b/c", "/etc-b", "/usr"] {
            baseline.set(Path::new(path), Some(file(0o644, "")), 1);
        }
        baseline.see(Path::new("/etc/a"), 2);
        let unseen = |path: &str| baseline.unseen(Path::new(path), 2, 10);
        assert_eq!(unseen("/etc"), [Path::new("/etc"), Path::new("/etc/b/c")]);
        assert_eq!(unseen("/").len(), 4);
        assert_eq!(baseline.unseen(Path::new("/"), 2, 2).len(), 2);
    }
}
