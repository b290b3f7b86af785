//! What this host has to collect and what is missing, told at the start, when it changed, and so often
//! that whoever looks back a day finds it.

use bergfried_event::Timestamp;
use serde_json::{Value, json};

use crate::config::Config;
use crate::observers::record::Record;
use crate::sources::{Source, State, of_this_host};

/// Looking costs the host more than its other figures do.
const LOOK_EVERY: i64 = 300 * Timestamp::SECOND;
const TELL_EVERY: i64 = 6 * 3_600 * Timestamp::SECOND;

/// Remembers what was told.
pub(super) struct Sources {
    config: Config,
    looked: Option<Timestamp>,
    told: Option<(Timestamp, Vec<Source>)>,
}

impl Sources {
    pub(super) fn new(config: Config) -> Sources {
        Sources { config, looked: None, told: None }
    }

    /// The record of it, where it is to be told now.
    pub(super) fn look(&mut self, now: Timestamp) -> Option<Record> {
        if self.looked.is_some_and(|looked| is_recent(looked, now, LOOK_EVERY)) {
            return None;
        }
        self.looked = Some(now);
        let found = of_this_host(&self.config);
        self.tell(found, now)
    }

    fn tell(&mut self, found: Vec<Source>, now: Timestamp) -> Option<Record> {
        let is_told = |(at, told): &(Timestamp, Vec<Source>)| {
            *told == found && is_recent(*at, now, TELL_EVERY)
        };
        if self.told.as_ref().is_some_and(is_told) {
            return None;
        }
        let record = record(&found, now);
        self.told = Some((now, found));
        Some(record)
    }
}

/// Whether less than a span has passed; the clock may have been turned back.
fn is_recent(at: Timestamp, now: Timestamp, span: i64) -> bool {
    (0..span).contains(&now.since(at))
}

fn record(sources: &[Source], at: Timestamp) -> Record {
    let list = |of: fn(&Source) -> &str| -> Value {
        sources.iter().map(|source| json!(of(source))).collect()
    };
    let collected = sources.iter().filter(|source| source.state == State::Collected).count();
    let wanting = sources
        .iter()
        .filter(|source| !matches!(source.state, State::Collected | State::Off))
        .count();
    let sentence = format!("the agent collects {collected} sources, {wanting} are wanting");
    Record::new("system", ("configuration", "info"), "agent-sources", sentence, at)
        .with("event.kind", "state")
        .with("event.dataset", "bergfried.sources")
        .with("agent.sources.name", list(|source| source.source))
        .with("agent.sources.state", list(|source| source.state.name()))
        .with("agent.sources.detail", list(|source| &source.detail))
        .with("agent.sources.fix", list(|source| source.fix.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn source(state: State, fix: Option<&str>) -> Source {
        let (detail, fix) = ("a sentence".to_owned(), fix.map(str::to_owned));
        Source { source: "journal", state, detail, fix }
    }

    #[test]
    fn sources_are_told_when_they_change_and_now_and_then() {
        let config = Config::for_hub("http://h", Secret::new("t"), std::path::Path::new("/none"));
        let mut sources = Sources::new(config);
        let (has, lacks) =
            (source(State::Collected, None), source(State::Missing, Some("install it")));
        let hour = 3_600;
        for (seconds, found, is_told) in [
            (0, &has, true),
            (300, &has, false),
            (600, &lacks, true),
            (900, &lacks, false),
            (6 * hour, &lacks, false),
            (6 * hour + 600, &lacks, true),
            // The clock was turned back.
            (5, &lacks, true),
        ] {
            let told = sources.tell(vec![found.clone()], Timestamp::from_seconds(seconds));
            assert_eq!(told.is_some(), is_told, "{seconds}");
        }
    }

    #[test]
    fn each_source_stands_in_lists_beside_each_other() {
        let found = [source(State::Missing, Some("install it")), source(State::Off, None)];
        let raw = record(&found, Timestamp::from_seconds(1)).observed("status").raw;
        let fields: Value = serde_json::from_slice(&raw).unwrap();
        assert_eq!(fields["agent.sources.name"], json!(["journal", "journal"]));
        assert_eq!(fields["agent.sources.state"], json!(["missing", "off"]));
        assert_eq!(fields["agent.sources.fix"], json!(["install it", ""]));
        assert_eq!(fields["message"], "the agent collects 0 sources, 1 are wanting");
    }
}
