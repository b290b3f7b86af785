//! Where a search is answered: by a hub, or from the files of one that is stopped.

use std::io::{self, BufWriter, PipeWriter, Write};

use anyhow::{Context as _, anyhow, bail};
use bergfried_event::{FieldName, Timestamp, Value};
use bergfried_hub::query::write::{Format as File, Shown, write, write_events};
use bergfried_hub::query::{Answer, answer};
use bergfried_query::pipeline::{Pipeline, Step};
use bergfried_query::search::duration;
use bergfried_store::{
    Explanation, Kind, Limits, Options, Reader, Search, StoreError, Writer, open,
};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::explain::Explained;
use super::{Times, events, table};
use crate::arguments::{HubChoice, default_data_dir};
use crate::client::Client;

/// Who answers.
pub(super) enum Source {
    /// A hub.
    Hub(Client),
    /// The store of a hub that is stopped, which nobody else may use meanwhile.
    Store {
        /// Reads it.
        reader: Reader,
        /// Holds its lock.
        _writer: Box<Writer>,
    },
}

/// What is asked.
pub(super) struct Asked<'a> {
    /// The search with its steps, as it was typed.
    pub(super) query: &'a str,
    /// The same, read.
    pub(super) pipeline: &'a Pipeline,
    /// When to look.
    pub(super) times: &'a Times,
}

/// Some events, latest first.
#[derive(Deserialize)]
pub(super) struct Page {
    pub(super) events: Vec<Map<String, Json>>,
    /// Where the next page begins, where there is one.
    pub(super) next: Option<String>,
}

impl Source {
    /// The store of the data directory where no hub runs on it, else the hub.
    pub(super) fn of(choice: &HubChoice) -> anyhow::Result<Source> {
        let data_dir = choice.data_dir.clone().unwrap_or_else(default_data_dir);
        let events = data_dir.join("events");
        if choice.url.is_none() && events.is_dir() {
            match open(&events, Options::default()) {
                Ok((writer, reader, _)) => {
                    return Ok(Source::Store { reader, _writer: Box::new(writer) });
                }
                Err(StoreError::Locked { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Source::Hub(Client::new(choice)?))
    }

    /// The next events that are found.
    pub(super) fn page(
        &self,
        asked: &Asked<'_>,
        limit: usize,
        before: Option<String>,
    ) -> anyhow::Result<Page> {
        match self {
            Source::Hub(client) => {
                let mut parameters = asked.parameters();
                parameters.push(("limit", limit.to_string()));
                parameters.extend(before.map(|before| ("before", before)));
                client.search("search", &parameters)
            }
            Source::Store { reader, .. } => {
                let before = before.as_deref().and_then(place);
                let page = reader.search(&asked.search(limit, before)?)?;
                let last = page.events.last().filter(|_| page.more);
                let next =
                    last.map(|last| format!("{}-{}", last.event.created().micros(), last.id));
                let objects = page.events.iter().map(|stored| object(&stored.event));
                Ok(Page { events: objects.collect::<Result<_, _>>()?, next })
            }
        }
    }

    /// The table of a search with steps.
    pub(super) fn table(&self, asked: &Asked<'_>) -> anyhow::Result<table::Answer> {
        match self {
            Source::Hub(client) => client.search("query", &asked.parameters()),
            Source::Store { reader, .. } => {
                let answer = answer(reader, asked.pipeline, asked.bounds()?, &Limits::default())?;
                shown(&answer)
            }
        }
    }

    /// A file of what is found, in the hub's word for its format.
    pub(super) fn file(
        &self,
        asked: &Asked<'_>,
        format: (&str, File),
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let reader = match self {
            Source::Hub(client) => {
                let mut parameters = asked.parameters();
                parameters.push(("format", format.0.to_owned()));
                let mut body = client.follow("search/export", &parameters)?;
                io::copy(&mut body, out).context("the export ended early")?;
                return Ok(());
            }
            Source::Store { reader, .. } => reader,
        };
        // Files are written by what may go to another thread, which `out` may not.
        let (mut taken, given) = io::pipe()?;
        let times = asked.bounds()?;
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| written(reader, asked.pipeline, times, format.1, given));
            let copied = io::copy(&mut taken, out);
            // Where nobody takes any more, nobody needs to give.
            drop(taken);
            let written = writing.join().map_err(|_| anyhow!("cannot write the file"))?;
            copied?;
            written
        })
    }

    /// What is read for it.
    pub(super) fn explain(&self, asked: &Asked<'_>) -> anyhow::Result<Explained> {
        match self {
            Source::Hub(client) => client.search("search/explain", &asked.parameters()),
            Source::Store { reader, .. } => {
                let Asked { pipeline, .. } = asked;
                let explanation: Explanation = if pipeline.steps.first().is_some_and(Step::counts) {
                    answer(reader, pipeline, asked.bounds()?, &Limits::default())?.explanation
                } else {
                    reader.explain(&asked.search(events::LIMIT, None)?)?
                };
                Ok(Explained::of(&explanation, pipeline))
            }
        }
    }

    /// The values of a field that most events have.
    pub(super) fn top(
        &self,
        asked: &Asked<'_>,
        field: &str,
        limit: usize,
    ) -> anyhow::Result<Vec<Map<String, Json>>> {
        match self {
            Source::Hub(client) => {
                let mut parameters = asked.parameters();
                parameters.push(("field", field.to_owned()));
                parameters.push(("limit", limit.to_string()));
                client.search("top", &parameters)
            }
            Source::Store { reader, .. } => {
                let ((from, to), name) = (asked.bounds()?, FieldName::new(field.to_owned()));
                let found = reader.top(&asked.pipeline.predicate, from, to, &name, limit)?;
                Ok(found.into_iter().map(|(value, count)| row("value", value, count)).collect())
            }
        }
    }

    /// How many events each bucket of time holds.
    pub(super) fn histogram(
        &self,
        asked: &Asked<'_>,
        bucket: &str,
    ) -> anyhow::Result<Vec<Map<String, Json>>> {
        match self {
            Source::Hub(client) => {
                let mut parameters = asked.parameters();
                parameters.push(("bucket", bucket.to_owned()));
                client.search("histogram", &parameters)
            }
            Source::Store { reader, .. } => {
                let (from, to) = asked.bounds()?;
                let found = reader.histogram(&asked.pipeline.predicate, from, to, span(bucket)?)?;
                let rows = found.into_iter();
                Ok(rows.map(|(time, count)| row("time", time.to_string(), count)).collect())
            }
        }
    }
}

impl Asked<'_> {
    /// As the API takes it.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        self.times.parameters(self.query)
    }

    fn search(&self, limit: usize, before: Option<(Timestamp, u64)>) -> anyhow::Result<Search> {
        let (from, to) = self.bounds()?;
        Ok(Search { predicate: self.pipeline.predicate.clone(), from, to, limit, before })
    }

    /// From when on and before when, as the hub reads it: a day more than now for clocks ahead.
    fn bounds(&self) -> anyhow::Result<(Timestamp, Timestamp)> {
        let now = Timestamp::from(jiff::Timestamp::now());
        let Times { last, since, until } = self.times;
        let from = match since {
            Some(since) => *since,
            None => until.unwrap_or(now).plus_micros(-span(last)?),
        };
        Ok((from, until.unwrap_or_else(|| now.plus_micros(Timestamp::DAY))))
    }
}

/// Writes what a pipeline finds as a file.
fn written(
    reader: &Reader,
    pipeline: &Pipeline,
    times: (Timestamp, Timestamp),
    format: File,
    out: PipeWriter,
) -> anyhow::Result<()> {
    let out = BufWriter::new(out);
    if let Some(shown) = Shown::of(&pipeline.steps) {
        return Ok(write_events(reader, &pipeline.predicate, times, (shown, format), out)?);
    }
    let answer = answer(reader, pipeline, times, &Limits::default())?;
    if answer.more {
        bail!(
            "the table has more than {} rows: narrow the search or the time, or say with `head` \
             how many you want",
            answer.rows.len()
        );
    }
    Ok(write(&answer, format, out)?)
}

fn span(text: &str) -> anyhow::Result<i64> {
    duration(text).filter(|span| *span > 0).with_context(|| {
        format!("`{}` is no span of time such as 15m, 24h or 7d", text.escape_debug())
    })
}

fn place(text: &str) -> Option<(Timestamp, u64)> {
    let (micros, id) = text.rsplit_once('-')?;
    Some((Timestamp::from_micros(micros.parse().ok()?), id.parse().ok()?))
}

fn object(event: &bergfried_event::Event<'_>) -> anyhow::Result<Map<String, Json>> {
    match serde_json::to_value(event)? {
        Json::Object(object) => Ok(object),
        _ => bail!("an event is no object"),
    }
}

fn row(name: &str, value: String, count: u64) -> Map<String, Json> {
    [(name.to_owned(), Json::from(value)), ("count".to_owned(), json!(count))].into_iter().collect()
}

/// A table as the hub sends it.
fn shown(answer: &Answer) -> anyhow::Result<table::Answer> {
    let columns = answer.columns.iter().map(|column| table::Column {
        name: column.name.clone(),
        kind: match column.kind {
            Kind::Text => "text",
            Kind::Number => "number",
            Kind::Time => "time",
        }
        .to_owned(),
        approximate: column.approximate,
    });
    let cell = |(column, value): (&bergfried_store::Column, &Value<'static>)| match value {
        Value::Int(micros) if column.kind == Kind::Time => {
            Ok(Json::from(Timestamp::from_micros(*micros).to_string()))
        }
        value => serde_json::to_value(value),
    };
    let rows = answer.rows.iter().map(|row| answer.columns.iter().zip(row).map(cell).collect());
    let rows = rows.collect::<Result<Vec<Vec<Json>>, _>>()?;
    Ok(table::Answer { columns: columns.collect(), rows, more: answer.more })
}
