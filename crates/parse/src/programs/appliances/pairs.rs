//! Lines of `key=value key="value"`, as FortiGate and Sophos write them.
//!
//! Values stand in quotation marks, which `\"` does not end. Of a key that is there twice nobody knows
//! which one is the box's, so it counts as none.

use bergfried_event::Timestamp;

use crate::Context;
use crate::stamp;

/// More pairs than any log has.
const MOST_PAIRS: usize = 192;

/// Keys and values in the order of the line.
pub(super) struct Pairs<'a> {
    pairs: Vec<(&'a str, &'a str)>,
    /// False where something stands between the pairs, or a quotation mark is missing: a value may then
    /// have ended elsewhere than the box meant.
    is_sure: bool,
}

impl<'a> Pairs<'a> {
    /// Reads all of a line.
    pub(super) fn read(mut text: &'a str) -> Pairs<'a> {
        let mut pairs = Pairs { pairs: Vec::new(), is_sure: true };
        while pairs.pairs.len() < MOST_PAIRS {
            let Some((key, rest)) = text.split_once('=') else { break };
            let (value, rest) = match rest.strip_prefix('"') {
                Some(inside) => {
                    let end = quoted_end(inside);
                    let (value, rest) = inside.split_at_checked(end).unwrap_or((inside, ""));
                    pairs.is_sure &= rest == "\"" || rest.starts_with("\" ");
                    (value, rest.strip_prefix('"').unwrap_or(rest))
                }
                None => {
                    let end = rest.find(' ').unwrap_or(rest.len());
                    let (value, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
                    pairs.is_sure &= !value.contains('"');
                    (value, rest)
                }
            };
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
            let key = key.trim_start_matches(' ');
            pairs.is_sure &= !key.is_empty() && key.bytes().all(plain);
            pairs.pairs.push((key, value));
            text = rest;
        }
        pairs.is_sure &= text.trim().is_empty();
        pairs
    }

    /// True where every value ends where the box ended it, as far as the line tells.
    pub(super) fn is_sure(&self) -> bool {
        self.is_sure
    }

    /// The value of a key that is there once; empty for others.
    pub(super) fn get(&self, key: &str) -> &'a str {
        let mut found = self.pairs.iter().filter(|(known, _)| *known == key);
        match (found.next(), found.next()) {
            (Some((_, value)), None) if *value != "N/A" => value,
            _ => "",
        }
    }
}

/// When it happened: `timestamp="2026-11-21T10:00:00+0100"`, or `date=2026-11-21 time=10:00:00`, in the offset
/// of `tz` where there is one, in UTC where `timezone` says so, else in the zone of the context: what other
/// names of zones mean depends on who says them.
pub(super) fn time(pairs: &Pairs<'_>, context: &Context<'_>) -> Option<Timestamp> {
    let stamp = pairs.get("timestamp");
    if let Some((time, "")) = stamp::iso(stamp, context) {
        return time;
    }
    let zone = match pairs.get("timezone") {
        "UTC" | "GMT" => "Z",
        _ => pairs.get("tz"),
    };
    let zoned = |zone: &str| format!("{} {}{zone}", pairs.get("date"), pairs.get("time"));
    [zoned(zone), zoned("")].iter().find_map(|text| match stamp::iso(text, context) {
        Some((time, "")) => time,
        _ => None,
    })
}

/// Where the quotation mark is that ends a value.
fn quoted_end(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return at,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}
