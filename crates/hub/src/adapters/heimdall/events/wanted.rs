//! What a request for events asks for.

use std::collections::BTreeMap;

use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_heimdall::read_time;
use bergfried_query::{Comparison, Condition, Pattern, Predicate};
use serde_json::{Value, json};

use super::document::{NO_ADDRESS, NOBODY};
use crate::adapters::detail::{Detail, mistake};
use crate::adapters::query::in_bounds;

/// The most events of one answer.
const MAX_LIMIT: i64 = 10_000;
/// The longest text that is looked for.
const MAX_TEXT: usize = 4_096;

/// The parameters that Watchtower, whose path this is too, does not know.
const OWN: [&str; 9] = [
    "os_type",
    "severity_min",
    "event_type",
    "source_ip",
    "source_host",
    "raw_message",
    "start_date",
    "end_date",
    "offset",
];

/// Whether a query asks for what only Heimdall has.
pub(crate) fn names_own(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| OWN.contains(&name.as_ref()))
}

/// What is asked for.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    /// What every event must meet, besides being one of Heimdall's.
    filters: Vec<Predicate>,
    pub(super) from: Timestamp,
    /// Before this time.
    pub(super) to: Timestamp,
    pub(super) limit: usize,
    pub(super) offset: u64,
}

impl Wanted {
    /// Reads a query; of a parameter that is there twice, the last counts. A text that is empty asks
    /// for nothing, and what is not known is passed over.
    ///
    /// # Errors
    /// 422 with every mistake.
    pub(super) fn read(query: &str) -> Result<Wanted, Detail> {
        let mut wanted = Wanted {
            filters: Vec::new(),
            from: Timestamp::MIN,
            to: Timestamp::MAX,
            limit: 1_000,
            offset: 0,
        };
        let given: BTreeMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let taken = given.iter().map(|(name, value)| wanted.take(name, value));
        let mistakes: Vec<_> = taken.filter_map(Result::err).collect();
        if mistakes.is_empty() { Ok(wanted) } else { Err(Detail::unprocessable(mistakes)) }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Value> {
        if value.len() > MAX_TEXT {
            let message = format!("String should have at most {MAX_TEXT} characters");
            return Err(mistake("string_too_long", &["query", name], &message, Value::Null));
        }
        let number = |least, most| in_bounds(name, value, least, most);
        match name {
            "limit" => self.limit = usize::try_from(number(1, MAX_LIMIT)?).unwrap_or(1_000),
            "offset" => self.offset = u64::try_from(number(0, i64::MAX)?).unwrap_or_default(),
            "severity" => self.filters.push(severity(Comparison::Equal, number(1, 5)?)),
            "severity_min" => {
                self.filters.push(severity(Comparison::GreaterOrEqual, number(1, 5)?));
            }
            _ if value.is_empty() => {}
            "os_type" => self.filters.push(is(Field::HeimdallOsType, value)),
            "event_type" => self.filters.push(is(Field::HeimdallEventType, value)),
            "source_host" => self.filters.push(is(Field::HostName, value)),
            "source_ip" => self.filters.push(address(value)),
            "user" => self.filters.push(user(value)),
            "raw_message" => self.filters.push(raw_message(value)),
            "start_date" => self.from = date(name, value)?.0,
            "end_date" => self.to = date(name, value)?.1,
            _ => {}
        }
        Ok(())
    }

    /// What events must meet.
    pub(super) fn predicate(&self) -> Predicate {
        let known = Predicate::field(Field::HeimdallEventType, Condition::Exists);
        self.filters.iter().cloned().fold(known, Predicate::and)
    }
}

fn severity(comparison: Comparison, number: i64) -> Predicate {
    #[expect(clippy::cast_precision_loss, reason = "it is from 1 to 5")]
    Predicate::field(Field::HeimdallSeverity, Condition::Number(comparison, number as f64))
}

/// Equal, in the same case.
fn is(field: Field, value: &str) -> Predicate {
    Predicate::field(field, Condition::Text(Pattern::exact(value)))
}

fn absent(field: impl Into<FieldName<'static>>) -> Predicate {
    Predicate::field(field, Condition::Null)
}

/// Anywhere in the value, in any case.
fn has(field: impl Into<FieldName<'static>>, value: &str) -> Predicate {
    Predicate::field(field, Condition::Text(Pattern::literal(value).anywhere()))
}

fn address(value: &str) -> Predicate {
    if value == NO_ADDRESS {
        return absent(Field::SourceIp).and(absent(Field::SourceAddress));
    }
    let mut ways = vec![is(Field::SourceIp, value), is(Field::SourceAddress, value)];
    // However an address of IPv6 is written.
    if let Ok(address) = value.parse::<std::net::IpAddr>()
        && address.to_string() != value
    {
        ways.push(is(Field::SourceIp, &address.to_string()));
    }
    Predicate::Or(ways)
}

fn user(value: &str) -> Predicate {
    let nobody = FieldName::new("heimdall.user");
    let mut ways = vec![has(Field::UserName, value), has(nobody.clone(), value)];
    if Pattern::literal(value).anywhere().matches(NOBODY) {
        ways.push(absent(Field::UserName).and(absent(nobody)));
    }
    Predicate::Or(ways)
}

/// In what is shown: of a document of Heimdall's its line, else the line itself.
fn raw_message(value: &str) -> Predicate {
    let is_document = is(Field::LogFilePath, crate::adapters::heimdall::PATH);
    let whole = FieldName::new("heimdall.raw_message");
    let line = Predicate::Or(vec![
        has(whole.clone(), value),
        absent(whole).and(has(Field::Message, value)),
    ]);
    Predicate::Or(vec![
        is_document.clone().and(line),
        Predicate::Not(Box::new(is_document)).and(has(Field::EventOriginal, value)),
    ])
}

/// The times from which on and before which a date, or a time, lasts.
fn date(name: &str, value: &str) -> Result<(Timestamp, Timestamp), Value> {
    let is_date = value.trim().parse::<jiff::civil::Date>().is_ok() && value.trim().len() == 10;
    match read_time(value) {
        Some(time) if is_date => Ok((time, time.plus_micros(Timestamp::DAY))),
        Some(time) => Ok((time, time.plus_micros(1))),
        None => Err(mistake(
            "date_from_datetime_parsing",
            &["query", name],
            "Input should be a valid date, such as 2026-01-31",
            json!(value),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(query: &str) -> Vec<String> {
        let Err(detail) = Wanted::read(query) else { return Vec::new() };
        let Value::Array(mistakes) = detail.detail() else { panic!("{query}") };
        mistakes
            .iter()
            .map(|one| {
                format!("{} {}", one["loc"][1].as_str().unwrap(), one["type"].as_str().unwrap())
            })
            .collect()
    }

    #[test]
    fn parameters_are_read_and_mistakes_named() {
        let wanted = Wanted::read("limit=10000&offset=7&other=x&os_type=&user=").unwrap();
        assert_eq!((wanted.limit, wanted.offset, wanted.filters.len()), (10_000, 7, 0));
        assert_eq!(Wanted::read("limit=99999&limit=5").unwrap().limit, 5, "the last counts");
        for (query, expected) in [
            ("limit=0", vec!["limit greater_than_equal"]),
            ("limit=10001", vec!["limit less_than_equal"]),
            ("limit=many", vec!["limit int_parsing"]),
            ("limit=", vec!["limit int_parsing"]),
            ("offset=-1", vec!["offset greater_than_equal"]),
            (
                "severity=0&severity_min=6",
                vec!["severity greater_than_equal", "severity_min less_than_equal"],
            ),
            ("start_date=tomorrow", vec!["start_date date_from_datetime_parsing"]),
            ("end_date=2026-02-30", vec!["end_date date_from_datetime_parsing"]),
        ] {
            assert_eq!(places(query), expected, "{query}");
        }
        let long = format!("user={}", "x".repeat(MAX_TEXT + 1));
        assert_eq!(places(&long), ["user string_too_long"]);
    }

    #[test]
    fn many_parameters_cost_no_more_than_their_number() {
        // As many as a line of a request may have, all of them others.
        let query: String = (0..16_000).map(|number| format!("{number:x}&")).collect();
        let begun = std::time::Instant::now();
        assert!(Wanted::read(&query).is_ok());
        assert!(begun.elapsed() < std::time::Duration::from_secs(2));
    }

    #[test]
    fn dates_are_inclusive() {
        let wanted = Wanted::read("start_date=2026-03-01&end_date=2026-03-01").unwrap();
        assert_eq!(wanted.from.to_string(), "2026-03-01T00:00:00Z");
        assert_eq!(wanted.to.to_string(), "2026-03-02T00:00:00Z");
        let wanted = Wanted::read("end_date=2026-03-01T12:00:00Z").unwrap();
        assert_eq!(wanted.to.to_string(), "2026-03-01T12:00:00.000001Z");
    }

    #[test]
    fn what_only_heimdall_has_is_known() {
        assert!(names_own("limit=5&os_type=LINUX") && names_own("offset=0"));
        assert!(!names_own("user=bob&hours=24&limit=5&severity=info") && !names_own(""));
    }
}
