//! A body to records: lines of text, or values of JSON however they are laid out.

use std::borrow::Cow;

use bergfried_event::{Record, Timestamp};
use bergfried_wire::MAX_RAW;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Every line that is not empty, without its line ending; a line past [`MAX_RAW`] is cut and marked.
pub(super) fn lines(body: &[u8], received: Timestamp) -> Vec<Record<'static>> {
    let mut records = Vec::new();
    for line in body.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            records.push(record(line, received));
        }
    }
    records
}

/// Every value of a sequence of JSON values, those of an array each on its own.
///
/// # Errors
/// Where the body is no such sequence, with line and column.
pub(super) fn values(body: &[u8], received: Timestamp) -> serde_json::Result<Vec<Record<'static>>> {
    let mut records = Vec::new();
    let text = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<&RawValue>();
    while let Some(value) = values.next().transpose()? {
        let value = value.get();
        if value.starts_with('[') {
            for element in Vec::<&RawValue>::deserialize(&mut deserializer(value))? {
                records.push(record(element.get().as_bytes(), received));
            }
        } else {
            records.push(record(value.as_bytes(), received));
        }
    }
    Ok(records)
}

fn deserializer(text: &str) -> serde_json::Deserializer<serde_json::de::StrRead<'_>> {
    serde_json::Deserializer::from_str(text)
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
            assert_eq!(texts(&lines(body.as_bytes(), NOW)), expected, "{body:?}");
        }
        let long = lines(&vec![b'x'; MAX_RAW + 1], NOW);
        assert_eq!((long.len(), long[0].raw.len(), long[0].truncated), (1, MAX_RAW, true));
        assert!(!lines(&vec![b'x'; MAX_RAW], NOW)[0].truncated);
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
