//! Bounds what a request becomes in memory, before it is read.
//!
//! An empty message is two bytes on the wire and a hundred in memory, so that a body below every
//! cap could still fill the machine. Counting its messages costs no memory.

use prost::encoding::decode_varint;

/// The most messages of a request: log records, attributes, values of lists.
const MAX_MESSAGES: usize = 1_000_000;
/// The most objects, lists and members of a request in JSON.
const MAX_JSON: usize = 4_000_000;
/// As deep as the decoder goes.
const MAX_DEPTH: usize = 100;

/// The messages that hold others, with the fields that hold them.
#[derive(Clone, Copy)]
enum Kind {
    Request,
    ResourceLogs,
    Resource,
    ScopeLogs,
    Scope,
    LogRecord,
    KeyValue,
    AnyValue,
    Array,
    Map,
}

impl Kind {
    fn below(self, field: u64) -> Option<Kind> {
        match (self, field) {
            (Kind::Request, 1) => Some(Kind::ResourceLogs),
            (Kind::ResourceLogs, 1) => Some(Kind::Resource),
            (Kind::ResourceLogs, 2) => Some(Kind::ScopeLogs),
            (Kind::ScopeLogs, 1) => Some(Kind::Scope),
            (Kind::ScopeLogs, 2) => Some(Kind::LogRecord),
            (Kind::Resource | Kind::Map, 1) | (Kind::Scope, 3) | (Kind::LogRecord, 6) => {
                Some(Kind::KeyValue)
            }
            (Kind::LogRecord, 5) | (Kind::KeyValue, 2) | (Kind::Array, 1) => Some(Kind::AnyValue),
            (Kind::AnyValue, 5) => Some(Kind::Array),
            (Kind::AnyValue, 6) => Some(Kind::Map),
            _ => None,
        }
    }
}

/// Why counting ends before the end.
enum Stop {
    TooMany,
    /// The decoder will say what is wrong.
    Malformed,
}

/// What a message takes up in memory besides its texts, about.
const MESSAGE: usize = 100;

/// What a request in protobuf takes up in memory besides its texts; none where it has more messages
/// than are taken.
pub(crate) fn weight(body: &[u8]) -> Option<usize> {
    let mut left = MAX_MESSAGES;
    match count(body, Kind::Request, 0, &mut left) {
        Err(Stop::TooMany) => None,
        Ok(()) | Err(Stop::Malformed) => Some((MAX_MESSAGES - left) * MESSAGE),
    }
}

/// The same of a request in JSON, by its members.
pub(crate) fn weight_json(body: &[u8]) -> Option<usize> {
    let members = body.iter().filter(|byte| matches!(byte, b'{' | b'[' | b',')).count();
    (members <= MAX_JSON).then_some(members * MESSAGE)
}

fn count(mut body: &[u8], kind: Kind, depth: usize, left: &mut usize) -> Result<(), Stop> {
    if depth > MAX_DEPTH {
        return Err(Stop::Malformed);
    }
    while !body.is_empty() {
        let key = decode_varint(&mut body).map_err(|_| Stop::Malformed)?;
        let length = match key & 7 {
            0 => {
                decode_varint(&mut body).map_err(|_| Stop::Malformed)?;
                continue;
            }
            1 => 8,
            2 => decode_varint(&mut body).map_err(|_| Stop::Malformed)?,
            5 => 4,
            _ => return Err(Stop::Malformed),
        };
        let length = usize::try_from(length).map_err(|_| Stop::Malformed)?;
        let (field, rest) = body.split_at_checked(length).ok_or(Stop::Malformed)?;
        body = rest;
        if key & 7 == 2
            && let Some(below) = kind.below(key >> 3)
        {
            *left = left.checked_sub(1).ok_or(Stop::TooMany)?;
            count(field, below, depth + 1, left)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::super::message::{
        AnyValue, ArrayValue, KeyValue, LogRecord, Request, ResourceLogs, ScopeLogs, any_value,
    };
    use super::*;

    fn of(records: Vec<LogRecord>) -> Vec<u8> {
        let scope_logs = vec![ScopeLogs { scope: None, log_records: records }];
        let resource_logs = vec![ResourceLogs { resource: None, scope_logs }];
        Request { resource_logs }.encode_to_vec()
    }

    #[test]
    fn small_bodies_that_grow_large_are_found() {
        let nothing = AnyValue { value: None };
        let list = any_value::Value::Array(ArrayValue { values: vec![nothing; MAX_MESSAGES] });
        let in_a_list =
            LogRecord { body: Some(AnyValue { value: Some(list) }), ..LogRecord::default() };
        let attributes = vec![KeyValue::default(); MAX_MESSAGES];
        for (body, heavy) in [
            (of(vec![LogRecord::default(); MAX_MESSAGES]), true),
            (of(vec![in_a_list]), true),
            (of(vec![LogRecord { attributes, ..LogRecord::default() }]), true),
            (of(vec![LogRecord::default(); 1_000]), false),
            (Vec::new(), false),
            (b"\xff\xff\xff".to_vec(), false),
        ] {
            assert_eq!(weight(&body).is_none(), heavy, "{} bytes", body.len());
        }
        assert_eq!(weight(&of(vec![LogRecord::default(); 3])), Some(5 * MESSAGE));
        assert_eq!(weight_json(&vec![b'['; MAX_JSON + 1]), None);
        assert_eq!(weight_json(br#"{"resourceLogs":[]}"#), Some(2 * MESSAGE));
    }
}
