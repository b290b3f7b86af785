//! What the tally wants to know of events that are about to be stored.

use bergfried_event::{Event, Field, Timestamp};

use crate::{EventType, OsType};

/// What is counted of some events, taken before they are given away.
#[derive(Debug, Default)]
pub struct Notes {
    rows: Vec<Row>,
    /// The addresses and domains of all rows, one after the other.
    texts: String,
}

#[derive(Debug)]
struct Row {
    created: Timestamp,
    os: OsType,
    /// Where the texts of the row end: of its address, then of its domain.
    address: usize,
    domain: usize,
}

/// One event.
pub(super) struct Note<'n> {
    pub(super) created: Timestamp,
    pub(super) os: OsType,
    pub(super) address: Option<&'n str>,
    pub(super) domain: Option<&'n str>,
}

impl Notes {
    /// Notes an event that [`crate::stamp`] has marked; any other is passed over.
    pub fn push(&mut self, event: &Event<'_>) {
        let Some(os) = event.text(Field::HeimdallOsType).and_then(OsType::from_name) else {
            return;
        };
        if let Some(address) = event.text(Field::SourceIp) {
            self.texts.push_str(address);
        }
        let address = self.texts.len();
        if event.text(Field::HeimdallEventType) == Some(EventType::DnsBlock.name())
            && let Some(domain) = event.text(Field::DnsQuestionName)
        {
            self.texts.push_str(domain);
        }
        let domain = self.texts.len();
        self.rows.push(Row { created: event.created(), os, address, domain });
    }

    /// Forgets every event.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.texts.clear();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Note<'_>> {
        let mut start = 0;
        self.rows.iter().map(move |row| {
            let text = |from, to| self.texts.get(from..to).filter(|text| !text.is_empty());
            let note = Note {
                created: row.created,
                os: row.os,
                address: text(start, row.address),
                domain: text(row.address, row.domain),
            };
            start = row.domain;
            note
        })
    }
}
