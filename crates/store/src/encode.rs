//! One event as compact bytes: how the write-ahead log and the memory of the newest events hold it.
//!
//! Texts that are part of the raw line are held as a place in it, not twice. `event.id` and
//! `event.ingested` belong to the store and are never held as fields.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};

use crate::bytes_io::{
    Bytes, Malformed, put_length, put_signed, put_text, put_varint, saturating_u32,
};
use crate::error::StoreError;

/// The most bytes that one event may take.
pub(crate) const MAX_EVENT_BYTES: usize = 8 << 20;
/// Lists in lists deeper than this are kept as text.
const MAX_DEPTH: usize = 4;
/// Creation and ingestion time stand before the rest.
const TIMES: usize = 16;

const NULL: u8 = 0;
const TEXT: u8 = 1;
const PART_OF_ORIGINAL: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const FALSE: u8 = 5;
const TRUE: u8 = 6;
const LIST: u8 = 7;

/// The names that encoded events refer to by number.
#[derive(Debug)]
pub(crate) struct Names(Vec<FieldName<'static>>);

impl Names {
    /// The names of this build, in its order.
    pub(crate) fn current() -> Self {
        Names(Field::ALL.iter().map(|field| FieldName::Known(*field)).collect())
    }

    /// The names of another build, one a line.
    pub(crate) fn from_lines(lines: &str) -> Self {
        Names(lines.lines().map(|line| FieldName::new(line).into_owned()).collect())
    }

    /// The names, one a line.
    pub(crate) fn to_lines(&self) -> String {
        self.0.iter().map(FieldName::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// The fields that a reader asks for.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// Every field.
    All,
    /// These alone.
    Some(WantedNames),
}

/// Some fields.
#[derive(Clone, Debug)]
pub(crate) struct WantedNames {
    names: Vec<FieldName<'static>>,
    /// For each well-known field whether it is among them.
    known: Vec<bool>,
}

impl Wanted {
    /// These fields alone.
    pub(crate) fn some(names: Vec<FieldName<'static>>) -> Self {
        let known =
            Field::ALL.iter().map(|field| names.contains(&FieldName::Known(*field))).collect();
        Wanted::Some(WantedNames { names, known })
    }

    /// The fields; `None` where all are asked for.
    pub(crate) fn names(&self) -> Option<&[FieldName<'static>]> {
        match self {
            Wanted::All => None,
            Wanted::Some(some) => Some(&some.names),
        }
    }

    /// Whether this field is asked for.
    pub(crate) fn has(&self, name: &FieldName<'_>) -> bool {
        match (self, name) {
            (Wanted::All, _) => true,
            (Wanted::Some(some), FieldName::Known(field)) => {
                some.known.get(field.index()).copied().unwrap_or(false)
            }
            (Wanted::Some(some), name) => some.names.iter().any(|wanted| wanted == name),
        }
    }
}

/// Appends the event's bytes to `out`.
///
/// # Errors
/// [`StoreError::TooLarge`] past [`MAX_EVENT_BYTES`]; `out` is then as it was.
pub(crate) fn encode(
    event: &Event<'_>,
    ingested: Timestamp,
    out: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let start = out.len();
    out.extend_from_slice(&event.created().micros().to_le_bytes());
    out.extend_from_slice(&ingested.micros().to_le_bytes());
    put_text(out, event.original());
    for (name, value) in event.fields() {
        match name {
            FieldName::Known(Field::EventId | Field::EventIngested) => continue,
            FieldName::Known(field) => put_length(out, field.index() + 1),
            FieldName::Other(text) => {
                put_varint(out, 0);
                put_text(out, text);
            }
        }
        put_value(out, value, event.original(), 0);
    }
    let size = out.len() - start;
    if size > MAX_EVENT_BYTES {
        out.truncate(start);
        return Err(StoreError::TooLarge { what: "an event", size, limit: MAX_EVENT_BYTES });
    }
    Ok(())
}

fn put_value(out: &mut Vec<u8>, value: &Value<'_>, original: &str, depth: usize) {
    match value {
        Value::Null => out.push(NULL),
        Value::Text(text) => match place_in(text, original) {
            Some(start) => {
                out.push(PART_OF_ORIGINAL);
                put_length(out, start);
                put_length(out, text.len());
            }
            None => {
                out.push(TEXT);
                put_text(out, text);
            }
        },
        Value::Int(number) => {
            out.push(INT);
            put_signed(out, *number);
        }
        // Segments hold these as JSON, which knows no other numbers.
        Value::Float(number) if !number.is_finite() => out.push(NULL),
        Value::Float(number) => {
            out.push(FLOAT);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Bool(truth) => out.push(if *truth { TRUE } else { FALSE }),
        Value::List(_) if depth >= MAX_DEPTH => {
            out.push(TEXT);
            put_text(out, &value.to_text());
        }
        Value::List(values) => {
            out.push(LIST);
            put_length(out, values.len());
            for value in values {
                put_value(out, value, original, depth + 1);
            }
        }
    }
}

/// Where in `original` this very text lies: it borrows from it, or ends it.
fn place_in(text: &str, original: &str) -> Option<usize> {
    let offset = text.as_ptr().addr().wrapping_sub(original.as_ptr().addr());
    if text.len() >= 2 && original.get(offset..offset.checked_add(text.len())?) == Some(text) {
        return Some(offset);
    }
    let end = original.len().checked_sub(text.len())?;
    (text.len() > 8 && original.get(end..) == Some(text)).then_some(end)
}

/// An encoded event with its two times read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded<'b> {
    /// When it happened.
    pub(crate) created: Timestamp,
    /// When the hub took it.
    pub(crate) ingested: Timestamp,
    rest: &'b [u8],
}

impl<'b> Encoded<'b> {
    /// Reads the two times, leaving the rest for [`Encoded::event`].
    pub(crate) fn new(bytes: &'b [u8]) -> Result<Self, Malformed> {
        let (times, rest) = bytes.split_at_checked(TIMES).ok_or("an event ends early")?;
        let mut times = Bytes(times);
        let created = Timestamp::from_micros(times.i64()?);
        let ingested = Timestamp::from_micros(times.i64()?);
        Ok(Encoded { created, ingested, rest })
    }

    /// The event, with the wanted fields alone.
    pub(crate) fn event(&self, names: &Names, wanted: &Wanted) -> Result<Event<'b>, Malformed> {
        let mut bytes = Bytes(self.rest);
        let original = bytes.text()?;
        let mut event = Event::new(self.created, original);
        while !bytes.0.is_empty() {
            let name = match bytes.length()?.checked_sub(1) {
                None => FieldName::Other(Cow::Borrowed(bytes.text()?)),
                Some(index) => borrowed(names.0.get(index).ok_or("a field has no name")?),
            };
            if wanted.has(&name) {
                event.set_named(name, value(&mut bytes, original, 0)?);
            } else {
                skip(&mut bytes, 0)?;
            }
        }
        Ok(event)
    }
}

fn borrowed<'n>(name: &FieldName<'static>) -> FieldName<'n> {
    match name {
        FieldName::Known(field) => FieldName::Known(*field),
        FieldName::Other(text) => FieldName::Other(Cow::Owned(text.to_string())),
    }
}

fn value<'b>(
    bytes: &mut Bytes<'b>,
    original: &'b str,
    depth: usize,
) -> Result<Value<'b>, Malformed> {
    let [kind] = bytes.array::<1>()?;
    Ok(match kind {
        NULL => Value::Null,
        TEXT => Value::Text(Cow::Borrowed(bytes.text()?)),
        PART_OF_ORIGINAL => {
            let start = bytes.length()?;
            let end = start.checked_add(bytes.length()?).ok_or("a place is too large")?;
            Value::Text(Cow::Borrowed(original.get(start..end).ok_or("a place is outside")?))
        }
        INT => Value::Int(bytes.signed()?),
        FLOAT => Value::Float(f64::from_le_bytes(bytes.array()?)),
        FALSE => Value::Bool(false),
        TRUE => Value::Bool(true),
        LIST if depth < MAX_DEPTH => {
            let length = bytes.length()?;
            // Each value takes a byte at least, so that a forged length cannot reserve much.
            let mut values = Vec::with_capacity(length.min(bytes.0.len()).min(64));
            for _ in 0..length {
                values.push(value(bytes, original, depth + 1)?);
            }
            Value::List(values)
        }
        _ => return Err("a value is of no known kind"),
    })
}

/// Goes past a value.
fn skip(bytes: &mut Bytes<'_>, depth: usize) -> Result<(), Malformed> {
    match bytes.array::<1>()? {
        [NULL | FALSE | TRUE] => {}
        [TEXT] => {
            let length = bytes.length()?;
            bytes.take(length)?;
        }
        [PART_OF_ORIGINAL] => {
            bytes.varint()?;
            bytes.varint()?;
        }
        [INT] => {
            bytes.varint()?;
        }
        [FLOAT] => {
            bytes.array::<8>()?;
        }
        [LIST] if depth < MAX_DEPTH => {
            for _ in 0..bytes.length()? {
                skip(bytes, depth + 1)?;
            }
        }
        _ => return Err("a value is of no known kind"),
    }
    Ok(())
}

/// Appends one event's bytes with their length before them.
pub(crate) fn put_framed(out: &mut Vec<u8>, encoded: &[u8]) {
    out.extend_from_slice(&saturating_u32(encoded.len()).to_le_bytes());
    out.extend_from_slice(encoded);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(line: &str) -> Event<'_> {
        let mut event = Event::new(Timestamp::from_seconds(5), line);
        event.set(Field::Message, line.split_once(": ").unwrap().1);
        event.set(Field::UserName, "elsewhere");
        event.set(Field::SourcePort, -7);
        event.set(Field::EventCategory, Value::List(vec!["iam".into(), Value::List(vec![])]));
        event.set(Field::EventReason, Value::Null);
        event.set_named(FieldName::new("sd.x"), Value::Float(0.1));
        event.set_named(FieldName::new("sd.y"), true);
        event
    }

    #[test]
    fn an_event_reads_back_and_its_message_takes_no_room() {
        let line = format!("host prog: {}", "long ".repeat(100));
        let event = sample(&line);
        let mut bytes = Vec::new();
        encode(&event, Timestamp::from_seconds(6), &mut bytes).unwrap();
        assert!(bytes.len() < line.len() + 100, "{}", bytes.len());
        let encoded = Encoded::new(&bytes).unwrap();
        assert_eq!(encoded.ingested, Timestamp::from_seconds(6));
        assert_eq!(encoded.event(&Names::current(), &Wanted::All).unwrap(), event);
        let some = Wanted::some(vec![Field::UserName.into()]);
        let reduced = encoded.event(&Names::current(), &some).unwrap();
        assert_eq!((reduced.fields().len(), reduced.text(Field::UserName)), (1, Some("elsewhere")));
    }

    #[test]
    fn what_the_store_owns_and_json_cannot_hold_is_left_out() {
        let mut event = Event::new(Timestamp::from_seconds(5), "x");
        event.set(Field::EventId, 9);
        event.set(Field::SourcePort, Value::Float(f64::NAN));
        let mut bytes = Vec::new();
        encode(&event, Timestamp::from_seconds(6), &mut bytes).unwrap();
        let event = Encoded::new(&bytes).unwrap().event(&Names::current(), &Wanted::All).unwrap();
        assert_eq!(event.fields(), [(Field::SourcePort.into(), Value::Null)]);
    }

    #[test]
    fn other_builds_names_are_found_by_text() {
        let mut bytes = Vec::new();
        encode(&sample("host prog: hello there"), Timestamp::from_seconds(6), &mut bytes).unwrap();
        let mut lines: Vec<String> =
            Names::current().to_lines().lines().map(str::to_owned).collect();
        lines[Field::UserName.index()] = "user.renamed".to_owned();
        let names = Names::from_lines(&lines.join("\n"));
        let event = Encoded::new(&bytes).unwrap().event(&names, &Wanted::All).unwrap();
        let renamed = event.get_named(&FieldName::new("user.renamed"));
        assert_eq!(renamed, Some(&Value::from("elsewhere")));
    }

    #[test]
    fn any_cut_or_flip_is_an_error_or_an_event() {
        let mut bytes = Vec::new();
        encode(&sample("host prog: hello there"), Timestamp::from_seconds(6), &mut bytes).unwrap();
        let names = Names::current();
        for at in 0..bytes.len() {
            let cut = &bytes[..at];
            let _ = Encoded::new(cut).and_then(|encoded| encoded.event(&names, &Wanted::All));
            let mut flipped = bytes.clone();
            flipped[at] ^= 0xff;
            let _ = Encoded::new(&flipped).and_then(|encoded| encoded.event(&names, &Wanted::All));
        }
    }
}
