//! What stands after a field: words, comparisons, ranges, networks, expressions.

use bergfried_event::{Field, FieldName, Timestamp};
use ipnet::IpNet;

use crate::pattern::Pattern;
use crate::predicate::{Comparison, Condition, Predicate};
use crate::regex::TextRegex;

/// Why a value does not fit, as the end of a message.
pub(super) struct ValueError(pub(super) String);

/// A bare word: a network where it is one, else a pattern with wildcards.
pub(super) fn word(name: FieldName<'static>, word: &str) -> Result<Predicate, ValueError> {
    if is_text_field(&name) {
        return Ok(text(name, Pattern::with_wildcards(word, false)));
    }
    if let Some(network) = network(word) {
        return Ok(Predicate::field(name, Condition::Network(network)));
    }
    let address = word.split_once('/').map_or(word, |(address, _)| address);
    if name.as_str().ends_with(".ip") && is_no_address(address, word) {
        let expected = "an address such as 10.1.2.3, a network such as 10.0.0.0/8, or wildcards";
        return Err(ValueError(format!(
            "`{}` is no address, expected {expected}",
            word.escape_debug()
        )));
    }
    Ok(text(name, Pattern::with_wildcards(word, false)))
}

/// Whether a word looks like an address or a network and is none: it would find nothing.
fn is_no_address(address: &str, word: &str) -> bool {
    let fits = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
    let like_one = address.contains(['.', ':']) && address.chars().all(fits);
    like_one && (address != word || address.parse::<std::net::IpAddr>().is_err())
}

/// A pattern: words within free text, the whole of any other field.
pub(super) fn text(name: FieldName<'static>, pattern: Pattern) -> Predicate {
    let condition =
        if is_text_field(&name) { Condition::Words(pattern) } else { Condition::Text(pattern) };
    Predicate::field(name, condition)
}

/// Fields that hold sentences, in which people look for words.
fn is_text_field(name: &FieldName<'_>) -> bool {
    matches!(
        name,
        FieldName::Known(Field::Message | Field::EventOriginal | Field::ProcessCommandLine)
    )
}

/// `10.0.0.0/8`, or an IPv6 address (which can be written in many ways).
fn network(word: &str) -> Option<IpNet> {
    if let Ok(network) = word.parse::<IpNet>() {
        return Some(network.trunc());
    }
    word.parse::<std::net::Ipv6Addr>().ok().map(|address| IpNet::from(address.to_canonical()))
}

pub(super) fn regex(name: FieldName<'static>, expression: &str) -> Result<Predicate, ValueError> {
    let regex = TextRegex::new(expression).map_err(|error| ValueError(error.to_string()))?;
    Ok(Predicate::field(name, Condition::Regex(regex)))
}

pub(super) fn compare(
    name: FieldName<'static>,
    operator: &str,
    bound: &str,
    now: Timestamp,
) -> Result<Predicate, ValueError> {
    let comparison = match operator {
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        _ => Comparison::GreaterOrEqual,
    };
    let number = number(&name, bound, now)?;
    Ok(Predicate::field(name, Condition::Number(comparison, number)))
}

/// `[from TO to]`; `*` leaves a side open.
pub(super) fn range(
    name: FieldName<'static>,
    (from, with_from): (&str, bool),
    (to, with_to): (&str, bool),
    now: Timestamp,
) -> Result<Predicate, ValueError> {
    let mut sides = Vec::new();
    for (bound, inclusive, within, at_bound) in [
        (from, with_from, Comparison::Greater, Comparison::GreaterOrEqual),
        (to, with_to, Comparison::Less, Comparison::LessOrEqual),
    ] {
        if bound != "*" {
            let comparison = if inclusive { at_bound } else { within };
            let number = number(&name, bound, now)?;
            sides.push(Predicate::field(name.clone(), Condition::Number(comparison, number)));
        }
    }
    Ok(match sides.len() {
        0 => Predicate::field(name, Condition::Exists),
        1 => sides.remove(0),
        _ => Predicate::And(sides),
    })
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of these centuries fit in 53 bits")]
fn number(name: &FieldName<'_>, bound: &str, now: Timestamp) -> Result<f64, ValueError> {
    let bound = bound.trim_matches('"');
    if matches!(name, FieldName::Known(Field::Timestamp | Field::EventIngested)) {
        return time(bound, now).map(|time| time.micros() as f64).ok_or_else(|| {
            ValueError(format!(
                "`{bound}` is no time, expected 2026-01-31, 2026-01-31T12:00:00Z, now or now-1h"
            ))
        });
    }
    bound
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| ValueError(format!("`{bound}` is no number")))
}

/// A time as people write it: RFC 3339, a date, `now`, or `now-30m`.
fn time(text: &str, now: Timestamp) -> Option<Timestamp> {
    let Some(offset) = text.strip_prefix("now") else { return text.parse().ok() };
    if offset.is_empty() {
        return Some(now);
    }
    let (sign, span) = match offset.split_at_checked(1)? {
        ("-", span) => (-1, span),
        ("+", span) => (1, span),
        _ => return None,
    };
    Some(now.plus_micros(duration(span)?.saturating_mul(sign)))
}

/// A span such as `90s`, `15m`, `24h`, `7d` or `2w`, in microseconds.
pub fn duration(text: &str) -> Option<i64> {
    let unit = text.chars().next_back()?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let amount: i64 = text.strip_suffix(unit)?.parse().ok().filter(|amount| *amount >= 0)?;
    amount.checked_mul(seconds)?.checked_mul(Timestamp::SECOND)
}
