//! Batches of queries behind a place, without ever making Pi-hole wait.
//!
//! Between transactions a database without a write-ahead log, or with an empty one, is whole in its one
//! file. It is read there without a lock, and what was read counts only where a second look shows that
//! nothing was written meanwhile. With something in the log SQLite's own locks are taken, which there
//! stand in no writer's way; no file is ever made. See [`super::look`] for how changes are told.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bergfried_source::From;

use super::database::{Database, Query};
use super::look::{Look, Way};
use super::place::Place;
use super::trouble::Trouble;

/// How many rows one batch has at most.
pub(super) const MOST_ROWS: usize = 1_000;
/// How many rows are told at the first start, where nothing else is asked for.
const RECENT: u32 = 10_000;
/// How often a batch is tried while somebody writes, and the pause between two tries.
const TRIES: u32 = 25;
const PAUSE: Duration = Duration::from_millis(10);

/// Where reading begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Behind what was read before.
    At(Place),
    /// Nothing was read before.
    First(From),
}

/// What one look brought.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Batch {
    /// Where it begins.
    pub(super) start: Place,
    pub(super) rows: Vec<Query>,
    /// Whether more is left.
    pub(super) more: bool,
    /// Whether this is not the database that was read before, or rows were deleted from its end.
    pub(super) is_renewed: bool,
}

#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    /// How it stood when all of it had been read.
    done: Option<Look>,
}

impl Reader {
    pub(super) fn new(path: &Path) -> Reader {
        Reader { path: path.to_path_buf(), done: None }
    }

    /// The rows behind the place; none where nothing was written since all were read.
    pub(super) fn read(&mut self, start: &Start) -> Result<Option<Batch>, Trouble> {
        let path = self.path.canonicalize().map_err(Trouble::of_file)?;
        let mut trouble = Trouble::Locked;
        for attempt in 0..TRIES {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            let look = Look::at(&path)?;
            if self.done.as_ref() == Some(&look) {
                return Ok(None);
            }
            let now = SystemTime::now();
            let way = look.way(now);
            let read = match way {
                Way::Wait => continue,
                Way::Unlocked | Way::WithLog => read(&path, way, start),
            };
            if way == Way::Unlocked && Look::at(&path)? != look {
                continue;
            }
            match read {
                // The log was emptied, or taken into the database, since the look.
                Err(passing) if way == Way::WithLog && passing.passes() => trouble = passing,
                Err(other) => return Err(other),
                Ok(batch) => {
                    let is_all = !batch.more && look.is_quiet(now);
                    self.done = is_all.then_some(look);
                    return Ok(Some(batch));
                }
            }
        }
        Err(trouble)
    }
}

fn read(path: &Path, way: Way, start: &Start) -> Result<Batch, Trouble> {
    let database = Database::open(path, way)?;
    let (start, is_renewed) = match start {
        Start::First(from) => (first(&database, *from)?, false),
        Start::At(place) => go_on(&database, place)?,
    };
    let rows = database.behind(start.id, MOST_ROWS)?;
    Ok(Batch { start, more: rows.len() == MOST_ROWS, rows, is_renewed })
}

fn first(database: &Database, from: From) -> Result<Place, Trouble> {
    let id = match from {
        From::Start => None,
        From::Recent => database.before_last(RECENT)?,
        From::End => database.before_last(0)?,
    };
    place(database, id)
}

/// Where it goes on, and whether what was read before is not what is there now.
///
/// Of rows that went there is no more than their time: rows that were asked after it are new.
fn go_on(database: &Database, before: &Place) -> Result<(Place, bool), Trouble> {
    if before.id == 0 || database.place_of(before.id)?.as_ref() == Some(before) {
        return Ok((before.clone(), false));
    }
    let id = database.last_by(before.micros)?;
    Ok((place(database, id)?, true))
}

fn place(database: &Database, id: Option<i64>) -> Result<Place, Trouble> {
    let Some(id) = id else { return Ok(Place::default()) };
    Ok(database.place_of(id)?.unwrap_or_default())
}
