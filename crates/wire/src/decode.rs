//! Bytes to a batch, borrowing every text that JSON did not escape.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bergfried_event::{Origin, Record, SourceKind, Timestamp};
use serde::Deserialize;

use crate::{Batch, MAX_RAW, WireError, id_from_hex};

/// How much a receiver takes at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most records in a batch.
    pub records: usize,
    /// The most bytes of one line of JSON.
    pub line: usize,
    /// The most origins in a batch.
    pub origins: usize,
    /// The most bytes of the agent's name, and of an origin's host and time zone.
    pub name: usize,
    /// The most bytes of an origin's path.
    pub path: usize,
    /// The most tags, and the most fields, of an origin.
    pub extras: usize,
}

impl Default for Limits {
    fn default() -> Self {
        // The longest record is MAX_RAW bytes in base64, plus its keys.
        Limits {
            records: 100_000,
            line: MAX_RAW.div_ceil(3) * 4 + 128,
            origins: 1024,
            name: 256,
            path: 4096,
            extras: 64,
        }
    }
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    batch: Cow<'a, str>,
    agent: String,
    origins: Vec<Origin>,
}

/// Text that borrows from the input also inside an `Option`, which a bare `Cow` would not.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Line<'a> {
    o: u16,
    t: i64,
    #[serde(borrow)]
    l: Option<Text<'a>>,
    #[serde(borrow)]
    b: Option<Text<'a>>,
    #[serde(default)]
    c: bool,
}

/// Reads a batch. Keys that this version does not know are passed over.
pub fn decode<'a>(body: &'a [u8], limits: &Limits) -> Result<Batch<'a>, WireError> {
    let mut lines = body.split(|byte| *byte == b'\n');
    let header: Header<'a> = read(lines.next().unwrap_or_default(), 1, limits)?;
    let Some(id) = id_from_hex(&header.batch) else {
        return Err(at(1, "`batch` must be 32 hex digits"));
    };
    if header.origins.len() > limits.origins {
        return Err(WireError::TooLarge { what: "origins", limit: limits.origins });
    }
    check_names(&header, limits)?;
    let mut records = Vec::new();
    for (index, line) in lines.enumerate() {
        if line.is_empty() {
            continue;
        }
        if records.len() >= limits.records {
            return Err(WireError::TooLarge { what: "records", limit: limits.records });
        }
        let number = index + 2;
        records.push(record(read(line, number, limits)?, number, header.origins.len())?);
    }
    Ok(Batch { id, agent: header.agent, origins: header.origins, records })
}

/// The kinds of the origins that a batch names; none where [`decode`] refuses its header.
pub fn kinds(body: &[u8], limits: &Limits) -> Vec<SourceKind> {
    let header = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header: Result<Header<'_>, _> = read(header, 1, limits);
    header.map_or_else(|_| Vec::new(), |header| header.origins.iter().map(|one| one.kind).collect())
}

/// Names are repeated in every event of the batch, so a long one would swell it without bounds.
fn check_names(header: &Header<'_>, limits: &Limits) -> Result<(), WireError> {
    let too_long =
        |key: &str, most: usize| Err(at(1, &format!("`{key}` is longer than {most} bytes")));
    if header.agent.len() > limits.name {
        return too_long("agent", limits.name);
    }
    for origin in &header.origins {
        if origin.host.len() > limits.name {
            return too_long("host", limits.name);
        }
        if origin.path.len() > limits.path {
            return too_long("path", limits.path);
        }
        if origin.time_zone.as_ref().is_some_and(|zone| zone.len() > limits.name) {
            return too_long("time_zone", limits.name);
        }
        if origin.input.as_ref().is_some_and(|input| input.len() > limits.name) {
            return too_long("input", limits.name);
        }
        let peer = origin.peer.as_ref().and_then(|peer| peer.name.as_ref());
        if peer.is_some_and(|name| name.len() > limits.name) {
            return too_long("peer", limits.name);
        }
        if origin.tags.len() > limits.extras || origin.fields.len() > limits.extras {
            return Err(WireError::TooLarge { what: "tags or fields", limit: limits.extras });
        }
        let fields = origin.fields.iter().flat_map(|(name, value)| [name, value]);
        if origin.tags.iter().chain(fields).any(|text| text.len() > limits.name) {
            return too_long("tags` or `fields", limits.name);
        }
    }
    Ok(())
}

fn record<'a>(
    line: Line<'a>,
    number: usize,
    origins: usize,
) -> Result<(u16, Record<'a>), WireError> {
    if usize::from(line.o) >= origins {
        return Err(at(number, "`o` names no origin of the header"));
    }
    let raw = match (line.l, line.b) {
        (Some(Text(Cow::Borrowed(text))), None) => Cow::Borrowed(text.as_bytes()),
        (Some(Text(Cow::Owned(text))), None) => Cow::Owned(text.into_bytes()),
        (None, Some(Text(text))) => match STANDARD.decode(text.as_bytes()) {
            Ok(bytes) => Cow::Owned(bytes),
            Err(error) => return Err(at(number, &format!("`b` is no base64: {error}"))),
        },
        _ => return Err(at(number, "exactly one of `l` and `b` must be there")),
    };
    if raw.len() > MAX_RAW {
        return Err(at(number, "the record is longer than 1 MiB"));
    }
    let received = Timestamp::from_micros(line.t);
    Ok((line.o, Record { raw, received, truncated: line.c }))
}

fn read<'a, T: Deserialize<'a>>(
    line: &'a [u8],
    number: usize,
    limits: &Limits,
) -> Result<T, WireError> {
    if line.len() > limits.line {
        return Err(at(number, &format!("longer than {} bytes", limits.line)));
    }
    serde_json::from_slice(line).map_err(|error| at(number, &error.to_string()))
}

fn at(line: usize, reason: &str) -> WireError {
    WireError::Line { line, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests;
