//! What a search reads, in words.

use std::io::Write;
use std::process::ExitCode;

use bergfried_query::pipeline::{Pipeline, Step};
use bergfried_store::Explanation;
use serde::Deserialize;

use crate::terminal::plain;

/// What the hub says of a search.
#[derive(Deserialize)]
pub(super) struct Explained {
    condition: String,
    steps: Vec<String>,
    segments: Parts,
    row_groups: Parts,
    blocks: Parts,
    events_from_index: u64,
    events_read: u64,
    events_decoded: u64,
    events_matched: u64,
    stopped_early: bool,
}

#[derive(Deserialize)]
struct Parts {
    all: u64,
    by_time: u64,
    by_statistics: u64,
    by_bloom_filter: u64,
    by_token_filter: u64,
    unneeded: u64,
    from_index: u64,
    read: u64,
}

pub(super) fn print(explained: &Explained, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    writeln!(out, "looks for   {}", plain(&explained.condition))?;
    for step in &explained.steps {
        writeln!(out, "then        {}", plain(step))?;
    }
    for (name, parts) in [
        ("segments", &explained.segments),
        ("row groups", &explained.row_groups),
        ("in memory", &explained.blocks),
    ] {
        writeln!(out, "{name:<11} {}", parts.said())?;
    }
    let mut events = vec![
        format!("{} matched", explained.events_matched),
        format!("{} in what was read", explained.events_read),
    ];
    if explained.events_decoded > 0 {
        events.push(format!("{} looked at one by one", explained.events_decoded));
    }
    if explained.events_from_index > 0 {
        events.push(format!("{} counted from the index", explained.events_from_index));
    }
    writeln!(out, "events      {}", events.join(", "))?;
    if explained.stopped_early {
        writeln!(out, "            stopped as soon as the page was full")?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Explained {
    /// What a store says of a search.
    pub(super) fn of(explanation: &Explanation, pipeline: &Pipeline) -> Explained {
        Explained {
            condition: pipeline.predicate.to_string(),
            steps: pipeline.steps.iter().map(Step::to_string).collect(),
            segments: Parts::of(explanation.segments),
            row_groups: Parts::of(explanation.row_groups),
            blocks: Parts::of(explanation.blocks),
            events_from_index: explanation.events_from_index,
            events_read: explanation.events_read,
            events_decoded: explanation.events_decoded,
            events_matched: explanation.events_matched,
            stopped_early: explanation.stopped_early,
        }
    }
}

impl Parts {
    fn of(parts: bergfried_store::Parts) -> Parts {
        Parts {
            all: parts.all,
            by_time: parts.by_time,
            by_statistics: parts.by_statistics,
            by_bloom_filter: parts.by_bloom_filter,
            by_token_filter: parts.by_token_filter,
            unneeded: parts.unneeded,
            from_index: parts.from_index,
            read: parts.read,
        }
    }

    fn said(&self) -> String {
        let left_out = [
            (self.by_time, "left out by time"),
            (self.by_statistics, "by least and greatest values"),
            (self.by_bloom_filter, "by the Bloom filter"),
            (self.by_token_filter, "by the token filter"),
            (self.unneeded, "not needed any more"),
            (self.from_index, "answered from the index"),
            (self.read, "read"),
        ];
        let said = left_out.iter().filter(|(count, _)| *count > 0);
        let said: Vec<String> = said.map(|(count, why)| format!("{count} {why}")).collect();
        match said.as_slice() {
            [] => format!("{}", self.all),
            said => format!("{}: {}", self.all, said.join(", ")),
        }
    }
}
