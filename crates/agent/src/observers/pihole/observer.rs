//! The thread that looks at the database again and again.

use std::time::Duration;

use bergfried_event::{SourceKind, Timestamp};
use bergfried_source::From;
use serde_json::{Value, json};

use super::PiholeOptions;
use super::database::Query;
use super::place::Place;
use super::reader::{Batch, Reader, Start};
use super::trouble::Trouble;
use crate::backoff::{Backoff, random};
use crate::observers::{Observer, Scene};
use crate::outbox::{Observed, Position, Stopped};

const NAME: &str = "pihole";
/// The statuses of queries that were blocked.
const BLOCKED: [i64; 12] = [1, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 18];

/// The observer of this database; `from` says where its first start begins.
pub(crate) fn observer(options: PiholeOptions, from: From) -> Observer {
    let run = move |scene: Scene| {
        let place = scene.place.as_deref().and_then(Place::from_text);
        let start = place.map_or(Start::First(from), Start::At);
        let reader = Reader::new(&options.database);
        let mut watch = Watch { reader, options, start, said: String::new() };
        if watch.run(&scene).is_err() {
            tracing::debug!("the queries of Pi-hole are no longer read");
        }
    };
    Observer { name: NAME, run: Box::new(run) }
}

/// Whether the database can be read now, and the id of its last query.
pub(crate) fn probe(options: &PiholeOptions) -> Result<i64, Trouble> {
    let batch = Reader::new(&options.database).read(&Start::First(From::End))?;
    Ok(batch.map_or(0, |batch| batch.start.id))
}

struct Watch {
    reader: Reader,
    options: PiholeOptions,
    start: Start,
    /// What was said last of a database that cannot be read.
    said: String,
}

impl Watch {
    fn run(&mut self, scene: &Scene) -> Result<(), Stopped> {
        let interval = Duration::from_secs(self.options.interval_seconds);
        let mut backoff = Backoff::default();
        loop {
            let pause = match self.reader.read(&self.start) {
                Ok(batch) => {
                    self.works();
                    backoff.reset();
                    let more = batch.as_ref().is_some_and(|batch| batch.more);
                    if let Some(batch) = batch {
                        self.hand_over(batch, scene)?;
                    }
                    if more { Duration::ZERO } else { interval }
                }
                Err(trouble) => {
                    self.fails(&trouble);
                    backoff.next(Some(interval), random())
                }
            };
            if scene.outbox.wait(pause) {
                return Err(Stopped);
            }
        }
    }

    fn hand_over(&mut self, batch: Batch, scene: &Scene) -> Result<(), Stopped> {
        if batch.is_renewed {
            let path = self.options.database.display();
            tracing::info!(%path, behind = batch.start.id, "Pi-hole's database was begun anew or cut");
        }
        if self.start != Start::At(batch.start.clone()) {
            scene.outbox.reached(position(&batch.start))?;
            self.start = Start::At(batch.start);
        }
        let path = self.options.database.to_string_lossy().into_owned();
        let at = Timestamp::from(jiff::Timestamp::now());
        for Query { place, fields } in batch.rows {
            let status = fields.get("status").and_then(Value::as_i64).unwrap_or_default();
            if !self.options.only_blocked || BLOCKED.contains(&status) {
                let raw = json!({ "pihole": fields }).to_string().into_bytes();
                let kind = SourceKind::Json;
                let observed = Observed { observer: path.clone().into(), kind, raw, at };
                scene.outbox.send_with(observed, position(&place))?;
            }
            self.start = Start::At(place);
        }
        Ok(())
    }

    fn works(&mut self) {
        if !self.said.is_empty() {
            let path = self.options.database.display();
            tracing::info!(%path, "Pi-hole's database can be read again");
            self.said.clear();
        }
    }

    /// Says it once; most hosts have no Pi-hole.
    fn fails(&mut self, trouble: &Trouble) {
        let path = self.options.database.display();
        if matches!(trouble, Trouble::Absent | Trouble::Empty) {
            if self.start == Start::First(From::End) {
                // Whatever is there later is written from now on.
                self.start = Start::At(Place::default());
                return;
            }
            if matches!(&self.start, Start::First(_)) || self.start == Start::At(Place::default()) {
                return;
            }
        }
        let reason = trouble.to_string();
        if reason != self.said {
            tracing::warn!(%path, reason, "Pi-hole's database cannot be read now, trying again");
            self.said = reason;
        }
    }
}

fn position(place: &Place) -> Position {
    Position { observer: NAME, place: place.to_text() }
}
