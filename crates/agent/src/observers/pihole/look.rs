//! How the files of a SQLite database stand, by their metadata and first bytes: enough to tell without
//! a lock whether anything was written between two looks.
//!
//! See "Database File Format" and "Write-Ahead Logging" of SQLite's documentation.

use std::ffi::OsString;
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::trouble::Trouble;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Where the header has the version that writers need (2: a log of changes), and the count of changes.
const WRITE_VERSION: usize = 18;
const CHANGES: std::ops::Range<usize> = 24..28;
const HEADER: u64 = 100;
/// The time of a change is kept no finer than the kernel's tick, 10 ms at most: two changes that are
/// further apart have different times.
const TICK: Duration = Duration::from_millis(20);

/// How the files stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    database: Mark,
    /// Counts the transactions of a database without a write-ahead log.
    changes: Vec<u8>,
    /// Whether transactions go to a write-ahead log.
    is_wal: bool,
    /// The write-ahead log, where anything is in it.
    wal: Option<Mark>,
    /// Whether a transaction is under way that a journal could roll back.
    is_writing: bool,
}

/// What changes when a file does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
}

/// How a database that stands so can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The file alone is the whole database: no lock is needed, only a second look after it.
    Unlocked,
    /// With the write-ahead log beside it, whose readers hold up no writer.
    WithLog,
    /// Not now: a transaction is under way.
    Wait,
}

impl Look {
    /// Looks at the database and what lies beside it. The path must not be a link: SQLite keeps what
    /// lies beside a database with the file that the link leads to.
    pub(super) fn at(path: &Path) -> Result<Look, Trouble> {
        let about = fs::metadata(path).map_err(Trouble::of_file)?;
        if !about.is_file() {
            return Err(Trouble::NoDatabase);
        }
        let mut file = File::open(path).map_err(Trouble::of_file)?;
        let about = file.metadata()?;
        if about.len() == 0 {
            return Err(Trouble::Empty);
        }
        let mut head = Vec::new();
        (&mut file).take(HEADER).read_to_end(&mut head)?;
        let (Some(MAGIC), Some(version), Some(changes)) =
            (head.first_chunk(), head.get(WRITE_VERSION), head.get(CHANGES))
        else {
            return Err(Trouble::NoDatabase);
        };
        Ok(Look {
            database: Mark::of(&about),
            changes: changes.to_vec(),
            is_wal: *version == 2,
            wal: wal(path)?,
            is_writing: is_writing(path)?,
        })
    }

    /// How it can be read.
    pub(super) fn way(&self, now: SystemTime) -> Way {
        match self {
            Look { wal: Some(_), is_wal: true, .. } => Way::WithLog,
            Look { is_writing: true, .. } => Way::Wait,
            // Without that log nothing but the time tells of a transaction.
            Look { is_wal: true, .. } if !self.is_quiet(now) => Way::Wait,
            Look { .. } => Way::Unlocked,
        }
    }

    /// Whether whatever is written from now on gives other times than those of this look.
    pub(super) fn is_quiet(&self, now: SystemTime) -> bool {
        let quiet = |mark: &Mark| mark.is_older(now);
        quiet(&self.database) && self.wal.as_ref().is_none_or(quiet)
    }
}

impl Mark {
    fn of(about: &Metadata) -> Mark {
        Mark {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
        }
    }

    fn is_older(&self, now: SystemTime) -> bool {
        let (seconds, nanos) = self.modified;
        let (Ok(seconds), Ok(nanos)) = (u64::try_from(seconds), u32::try_from(nanos)) else {
            return true;
        };
        let modified = SystemTime::UNIX_EPOCH.checked_add(Duration::new(seconds, nanos));
        // A time to come was given by a clock that was set back since: the next one is earlier.
        modified.is_none_or(|modified| now.duration_since(modified).map_or(true, |age| age > TICK))
    }
}

fn wal(path: &Path) -> Result<Option<Mark>, Trouble> {
    match fs::metadata(beside(path, "-wal")) {
        Ok(about) if about.len() == 0 => Ok(None),
        Ok(about) => Ok(Some(Mark::of(&about))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Trouble::of_file(error)),
    }
}

/// A journal counts unless it is empty or its header was made void, as `journal_mode` says when a
/// transaction ends.
fn is_writing(path: &Path) -> Result<bool, Trouble> {
    let mut file = match File::open(beside(path, "-journal")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        opened => opened.map_err(Trouble::of_file)?,
    };
    let mut head = Vec::new();
    (&mut file).take(8).read_to_end(&mut head)?;
    Ok(head.iter().any(|byte| *byte != 0))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    PathBuf::from(name)
}
