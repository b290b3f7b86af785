//! The batch that is being filled.

use std::borrow::Cow;
use std::io;

use bergfried_event::{Origin, Record, SourceKind, Timestamp};
use bergfried_source::Line;
use bergfried_wire as wire;

use super::fresh_id;

/// When a batch is full: records, and bytes before compression.
const MAX_RECORDS: u64 = 5_000;
const MAX_BYTES: usize = 512 << 10;
/// The hub takes 1024 origins in a batch.
const MAX_ORIGINS: usize = 512;

/// Who sends.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) time_zone: Option<String>,
}

pub(crate) struct Batch {
    host: Host,
    origins: Vec<Origin>,
    lines: Vec<u8>,
    records: u64,
    cut: u64,
}

impl Batch {
    pub(super) fn new(host: Host) -> Self {
        Batch { host, origins: Vec::new(), lines: Vec::new(), records: 0, cut: 0 }
    }

    pub(super) fn records(&self) -> u64 {
        self.records
    }

    pub(super) fn cut(&self) -> u64 {
        self.cut
    }

    pub(super) fn is_full(&self) -> bool {
        self.records >= MAX_RECORDS
            || self.lines.len() >= MAX_BYTES
            || self.origins.len() >= MAX_ORIGINS
    }

    pub(super) fn push(&mut self, kind: SourceKind, line: Line<'_>, received: Timestamp) {
        let origin = self.origin(kind, line.path);
        let record = Record { raw: Cow::Borrowed(line.raw), received, truncated: line.truncated };
        wire::encode_record(&mut self.lines, origin, &record);
        self.records += 1;
        self.cut += u64::from(line.truncated);
    }

    /// The batch's id and its compressed body; empty again afterwards. Both are empty where no
    /// record is in it.
    pub(super) fn finish(&mut self) -> io::Result<(String, Vec<u8>)> {
        if self.records == 0 {
            return Ok((String::new(), Vec::new()));
        }
        let id = fresh_id()?;
        let mut body = Vec::with_capacity(self.lines.len() + 256);
        wire::encode_header(&mut body, &id, &self.host.name, &self.origins);
        body.extend_from_slice(&self.lines);
        let body = wire::compress(&body).map_err(|error| io::Error::other(error.to_string()))?;
        self.origins.clear();
        self.lines.clear();
        self.lines.shrink_to(64 << 10);
        (self.records, self.cut) = (0, 0);
        Ok((wire::id_to_hex(&id), body))
    }

    fn origin(&mut self, kind: SourceKind, path: &str) -> u16 {
        // From the back: lines come in runs from one file.
        let known = self.origins.iter().rposition(|o| o.path == path && o.kind == kind);
        let index = known.unwrap_or_else(|| {
            self.origins.push(Origin {
                time_zone: self.host.time_zone.clone(),
                ..Origin::new(kind, path, self.host.name.clone())
            });
            self.origins.len() - 1
        });
        // Never more than MAX_ORIGINS.
        u16::try_from(index).unwrap_or(u16::MAX)
    }
}
