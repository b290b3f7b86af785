//! A body to records: lines of text, or values of JSON however they are laid out.

use std::borrow::Cow;

use bergfried_event::{Record, Timestamp};
use bergfried_wire::MAX_RAW;
use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The most records of one body: a byte of it may be one, and a record takes up a hundred.
pub(super) const MAX_RECORDS: usize = 500_000;
/// What a record takes up in memory besides its bytes, about, with what is made of it on its way.
const RECORD: usize = 200;

/// Why a body is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Wrong {
    /// No JSON, with line and column.
    #[error("cannot read the body: {0}")]
    Json(#[from] serde_json::Error),
    /// Too many records.
    #[error("a body has at most {MAX_RECORDS} records, send less at once")]
    TooMany,
}

/// What the records of a body take up in memory besides their bytes, at most and about.
pub(crate) fn weight(body: &[u8], json: bool) -> usize {
    let most = match json {
        true => most_values(body),
        false => body.iter().filter(|byte| **byte == b'\n').count() + 1,
    };
    most.min(MAX_RECORDS) * RECORD
}

/// How many values may stand at the top of a body or in an array there, without reading them: as
/// many as there are bytes there that may end one.
fn most_values(body: &[u8]) -> usize {
    let (mut depth, mut in_array, mut in_text, mut escaped) = (0_usize, false, false, false);
    let mut ends = 1;
    for byte in body {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = *byte == b'\\' && !escaped;
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                in_array |= depth == 0 && *byte == b'[';
                depth += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                in_array &= depth > 0;
            }
            b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => continue,
        }
        ends += usize::from(depth == 0 || (depth == 1 && in_array));
    }
    ends
}

/// Every line that is not empty, without its line ending; a line past [`MAX_RAW`] is cut and marked.
///
/// # Errors
/// Where there are too many.
pub(super) fn lines(body: &[u8], received: Timestamp) -> Result<Vec<Record<'static>>, Wrong> {
    let mut records = Vec::new();
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            push(&mut records, line, received)?;
        }
    }
    Ok(records)
}

/// Every value of a sequence of JSON values, those of an array each on its own.
///
/// # Errors
/// Where the body is no such sequence, with line and column, or there are too many.
pub(crate) fn values(body: &[u8], received: Timestamp) -> Result<Vec<Record<'static>>, Wrong> {
    let mut records = Vec::new();
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    while let Some(value) = values.next().transpose()? {
        let value = value.get();
        if value.starts_with('[') {
            let elements = Few::deserialize(&mut deserializer(value))?;
            let Few(Some(elements)) = elements else { return Err(Wrong::TooMany) };
            for element in elements {
                push(&mut records, element.get().as_bytes(), received)?;
            }
        } else {
            push(&mut records, value.as_bytes(), received)?;
        }
    }
    Ok(records)
}

fn deserializer(text: &str) -> serde_json::Deserializer<serde_json::de::StrRead<'_>> {
    serde_json::Deserializer::from_str(text)
}

/// The elements of an array; none where there are too many, of which no more are kept.
struct Few<'a>(Option<Vec<&'a RawValue>>);

impl<'de> Deserialize<'de> for Few<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Elements;
        impl<'de> Visitor<'de> for Elements {
            type Value = Few<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Few<'de>, A::Error> {
                let mut elements = Some(Vec::new());
                while let Some(element) = from.next_element::<&RawValue>()? {
                    match &mut elements {
                        Some(few) if few.len() < MAX_RECORDS => few.push(element),
                        _ => elements = None,
                    }
                }
                Ok(Few(elements))
            }
        }
        from.deserialize_seq(Elements)
    }
}

fn push(records: &mut Vec<Record<'static>>, line: &[u8], received: Timestamp) -> Result<(), Wrong> {
    if records.len() >= MAX_RECORDS {
        return Err(Wrong::TooMany);
    }
    records.push(record(line, received));
    Ok(())
}

fn record(line: &[u8], received: Timestamp) -> Record<'static> {
    let kept = line.get(..MAX_RAW).unwrap_or(line);
    Record { raw: Cow::Owned(kept.to_vec()), received, truncated: kept.len() < line.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::MIN;

    fn texts(records: &[Record<'static>]) -> Vec<String> {
        records.iter().map(|record| String::from_utf8_lossy(&record.raw).into_owned()).collect()
    }

    #[test]
    fn lines_end_as_they_like() {
        for (body, expected) in [
            ("a\nb\n", vec!["a", "b"]),
            ("a\r\n\r\nb", vec!["a", "b"]),
            ("\n\n a \n", vec![" a "]),
            ("", vec![]),
        ] {
            assert_eq!(texts(&lines(body.as_bytes(), NOW).unwrap()), expected, "{body:?}");
        }
        let long = lines(&vec![b'x'; MAX_RAW + 1], NOW).unwrap();
        assert_eq!((long.len(), long[0].raw.len(), long[0].truncated), (1, MAX_RAW, true));
        assert!(!lines(&vec![b'x'; MAX_RAW], NOW).unwrap()[0].truncated);
    }

    #[test]
    fn a_small_body_cannot_become_too_many_records() {
        let many = MAX_RECORDS + 1;
        assert!(matches!(lines("x\n".repeat(many).as_bytes(), NOW), Err(Wrong::TooMany)));
        assert_eq!(lines("x\n".repeat(many - 1).as_bytes(), NOW).unwrap().len(), MAX_RECORDS);
        for body in [format!("[1{}]", ",1".repeat(many - 1)), "1 ".repeat(many)] {
            assert!(matches!(values(body.as_bytes(), NOW), Err(Wrong::TooMany)));
            assert_eq!(weight(body.as_bytes(), true), MAX_RECORDS * RECORD);
        }
        assert_eq!(weight(b"a\nb\n", false), 3 * RECORD);
        for body in
            ["{\"a\":[1,2,\"x, y\\\" z\"],\"b\":{}}\n", "[{\"a\":[1,2,3]},{}]", "1 \"a\"[2,3]"]
        {
            let most = most_values(body.as_bytes());
            let really = values(body.as_bytes(), NOW).unwrap().len();
            assert!((really..=really + 4).contains(&most), "{body}: {most}");
        }
    }

    #[test]
    fn values_stand_in_lines_arrays_or_one_after_the_other() {
        for (body, expected) in [
            ("{\"a\":1}\n{\"a\":2}\n", vec!["{\"a\":1}", "{\"a\":2}"]),
            ("[{\"a\":1},\n {\"a\":[2]}] {}", vec!["{\"a\":1}", "{\"a\":[2]}", "{}"]),
            ("{\n \"a\": 1\n}", vec!["{\n \"a\": 1\n}"]),
            ("\u{feff}{}", vec!["{}"]),
            ("[]", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(texts(&values(body.as_bytes(), NOW).unwrap()), expected, "{body:?}");
        }
        for body in ["{", "{} x", "[{},]", "text"] {
            assert!(values(body.as_bytes(), NOW).is_err(), "{body:?}");
        }
    }
}
