//! The first version of the manifest, whose segments were chained themselves: read once and carried over.

use serde::Deserialize;

use super::{Entry, Manifest};

pub(super) const VERSION: u32 = 1;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct First {
    #[expect(dead_code, reason = "was looked at already")]
    version: u32,
    next_event_id: u64,
    sealed_sequence: u64,
    batches: Option<String>,
    next_segment: u64,
    segments: Vec<FirstEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstEntry {
    number: u64,
    day: String,
    events: u64,
    min_created: i64,
    max_created: i64,
    min_id: u64,
    max_id: u64,
    bytes: u64,
    index_bytes: u64,
    hash: String,
    index_hash: String,
    chain: String,
}

/// The manifest as it is written now, and the last value of its chain.
pub(super) fn read(body: &str) -> Result<(Manifest, String), String> {
    let first: First = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let mut chain = String::new();
    let mut segments = Vec::with_capacity(first.segments.len());
    for entry in first.segments {
        if entry.chained(&chain) != entry.chain {
            return Err(format!("the chain breaks at segment {}", entry.number));
        }
        chain.clone_from(&entry.chain);
        segments.push(entry.carried_over());
    }
    segments.sort_by_key(|entry| (entry.min_id, entry.number));
    let manifest = Manifest {
        next_event_id: first.next_event_id,
        sealed_sequence: first.sealed_sequence,
        batches: first.batches,
        next_segment: first.next_segment,
        segments,
        ..Manifest::empty()
    };
    Ok((manifest, chain))
}

impl FirstEntry {
    /// The chain value that this entry must have after `before`.
    fn chained(&self, before: &str) -> String {
        let text = format!(
            "{before}\n{} {} {} {} {} {} {} {} {} {} {}",
            self.number,
            self.day,
            self.events,
            self.min_created,
            self.max_created,
            self.min_id,
            self.max_id,
            self.bytes,
            self.index_bytes,
            self.hash,
            self.index_hash
        );
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }

    fn carried_over(self) -> Entry {
        Entry {
            number: self.number,
            day: self.day,
            events: self.events,
            min_created: self.min_created,
            max_created: self.max_created,
            min_id: self.min_id,
            max_id: self.max_id,
            // When they were taken was not written down; mostly they had just happened.
            taken: self.max_created,
            class: None,
            trimmed: 0,
            bytes: self.bytes,
            index_bytes: self.index_bytes,
            hash: self.hash,
            index_hash: self.index_hash,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ledger;
    use crate::manifest::FILE;

    fn first(number: u64, chain: &str) -> FirstEntry {
        let mut entry = FirstEntry {
            number,
            day: "2026-11-21".to_owned(),
            events: 3,
            min_created: 1,
            max_created: 2,
            min_id: 1,
            max_id: 3,
            bytes: 10,
            index_bytes: 5,
            hash: "a".to_owned(),
            index_hash: "b".to_owned(),
            chain: String::new(),
        };
        entry.chain = entry.chained(chain);
        entry
    }

    pub(in super::super) fn entry(number: u64) -> Entry {
        first(number, "").carried_over()
    }

    fn written(entries: &[FirstEntry], events: u64) -> String {
        let segments: Vec<String> = entries
            .iter()
            .map(|entry| {
                format!(
                    r#"{{"number":{},"day":"{}","events":{events},"min_created":1,"max_created":2,
                    "min_id":1,"max_id":3,"bytes":10,"index_bytes":5,"hash":"a","index_hash":"b",
                    "chain":"{}"}}"#,
                    entry.number, entry.day, entry.chain
                )
            })
            .collect();
        let segments = segments.join(",");
        let body = format!(
            r#"{{"version":1,"next_event_id":4,"sealed_sequence":2,"batches":null,
            "next_segment":3,"segments":[{segments}]}}"#
        );
        format!("{}\n{body}", blake3::hash(body.as_bytes()).to_hex())
    }

    #[test]
    fn is_carried_over_with_its_chain_checked() {
        let one = first(1, "");
        let two = first(2, &one.chain);
        let last = two.chain.clone();
        let entries = [one, two];
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        std::fs::write(&path, written(&entries, 4)).unwrap();
        let error = Manifest::read(directory.path()).unwrap_err().to_string();
        assert!(error.contains("the chain breaks at segment 1"), "{error}");
        std::fs::write(&path, written(&entries, 3)).unwrap();
        for _ in 0..2 {
            let manifest = Manifest::read(directory.path()).unwrap().unwrap();
            assert_eq!((manifest.segments.len(), manifest.ledger.records), (2, 1));
            assert_eq!((manifest.next_event_id, manifest.next_segment), (4, 3));
            let told = ledger::read(directory.path(), &manifest.ledger, "").unwrap();
            assert_eq!(told.there.len(), 2);
            let text = std::fs::read_to_string(ledger::path(directory.path())).unwrap();
            assert!(text.contains(&last), "{text}");
        }
    }
}
