//! What an agent keeps of an audit log over a restart, beside how far it was read.
//!
//! The records of one event come in several lines, and between those of others, so that lines were
//! read whose event is not complete: they are kept with the positions, and joined again after it.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What is known of one audit log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditLog {
    /// Lines that were read and whose events are not complete, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<HeldLine>,
    /// Which serials came, by the name of the node that its lines begin with (mostly none: empty).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub serials: BTreeMap<String, Serials>,
}

/// Which serials of one kernel came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serials {
    /// The one that is expected next; none where the next one begins anew.
    pub next: Option<u64>,
    /// Ranges below it that did not come yet: first, last, and when it was noticed in microseconds
    /// since 1970.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<(u64, u64, i64)>,
}

/// A line, verbatim. Written as text, and as hexadecimal digits where JSON would make it much longer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldLine(pub Vec<u8>);

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Digits { hex: String },
}

impl Serialize for HeldLine {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A control character takes six bytes in JSON.
        let controls = self.0.iter().filter(|byte| **byte < b' ').count();
        match std::str::from_utf8(&self.0) {
            Ok(text) if controls <= self.0.len() / 16 => serializer.serialize_str(text),
            _ => BTreeMap::from([("hex", digits(&self.0))]).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for HeldLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(HeldLine(text.into_bytes())),
            Written::Digits { hex } => bytes(&hex)
                .map(HeldLine)
                .ok_or_else(|| serde::de::Error::custom("expected hexadecimal digits in pairs")),
        }
    }
}

fn digits(bytes: &[u8]) -> String {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles.filter_map(|nibble| char::from_digit(u32::from(nibble), 16)).collect()
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = pairs.iter().map(|[high, low]| Some(value(*high)? << 4 | value(*low)?));
    if rest.is_empty() { pairs.collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_line_comes_back_and_none_grows_much() {
        let long = vec![7; 10_000];
        for line in [
            &b""[..],
            b"type=SYSCALL msg=audit(1.000:1): arch=c000003e key=(null)\x1dARCH=x86_64",
            "caf\u{e9}".as_bytes(),
            b"caf\xe9",
            b"\x00\xff",
            &long,
        ] {
            let written = serde_json::to_string(&HeldLine(line.to_vec())).unwrap();
            assert!(written.len() <= 3 * line.len() + 12, "{written}");
            assert_eq!(serde_json::from_str::<HeldLine>(&written).unwrap().0, line);
        }
        assert!(serde_json::from_str::<HeldLine>(r#"{"hex":"0"}"#).is_err());
        assert!(serde_json::from_str::<HeldLine>(r#"{"hex":"0g"}"#).is_err());
    }
}
