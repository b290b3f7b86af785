//! `date`: reads the time of the event out of a field.

use bergfried_event::{Event, Field, FieldName, Timestamp};
use bergfried_parse::Context;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::StepFile;
use crate::joda::Format;
use crate::scene::{Scene, text};
use crate::texts::Texts;

/// `date = { field = "timestamp", formats = ["dd/MMM/yyyy:HH:mm:ss Z"] }`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateFile {
    /// The field that holds the text.
    pub field: String,
    /// Patterns of Joda-Time (`MMM dd HH:mm:ss`), or `ISO8601`, `UNIX`, `UNIX_MS`, `TAI64N`; tried in
    /// order, each on the whole text.
    pub formats: Texts,
    /// The IANA time zone of texts without an offset; absent: that of the record's origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The field that gets the time; absent: `@timestamp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

pub(crate) const KIND: Kind = Kind {
    key: "date",
    about: "Reads the time of the event out of a field; a year that is missing is the latest that \
            does not put it more than a day after the record was received.",
    example: "date = { field = \"timestamp\", formats = [\"dd/MMM/yyyy:HH:mm:ss Z\", \"ISO8601\"] }\n\
              remove_field = \"timestamp\"",
    failure_tag: Some("_dateparsefailure"),
    is_set: |step| step.date.is_some(),
    compile,
    files: no_files,
};

struct Date {
    field: FieldName<'static>,
    forms: Vec<Form>,
    zone: Option<TimeZone>,
    /// None for the time of the event itself.
    target: Option<FieldName<'static>>,
}

enum Form {
    Iso8601,
    Unix,
    UnixMilliseconds,
    Tai64n,
    Pattern(Format),
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.date.as_ref()?;
    let field = compile.readable("field", &file.field);
    let mut forms = Vec::new();
    compile.at("formats", |compile| {
        if file.formats.is_empty() {
            compile.mistake("no format is given".to_owned());
        }
        for (index, format) in file.formats.0.iter().enumerate() {
            match form(format) {
                Ok(form) => forms.push(form),
                Err(error) => compile.nth(index, |compile| {
                    compile.mistake(format!("cannot read the format `{format}`: {error}"));
                }),
            }
        }
    });
    let zone = match &file.time_zone {
        None => None,
        Some(name) => match TimeZone::get(name) {
            Ok(zone) => Some(zone),
            Err(_) => {
                compile.at("time_zone", |compile| {
                    compile.mistake(format!(
                        "`{name}` is no time zone known here, expected one such as `Europe/Berlin`"
                    ));
                });
                return None;
            }
        },
    };
    let target = match file.target.as_deref() {
        None | Some("@timestamp" | "[@timestamp]") => None,
        Some(target) => Some(compile.writable("target", target)?),
    };
    Some(Box::new(Date { field: field?, forms, zone, target }))
}

fn form(format: &str) -> Result<Form, String> {
    Ok(match format {
        "ISO8601" => Form::Iso8601,
        "UNIX" => Form::Unix,
        "UNIX_MS" => Form::UnixMilliseconds,
        "TAI64N" => Form::Tai64n,
        pattern => Form::Pattern(Format::new(pattern)?),
    })
}

impl Form {
    fn read(&self, text: &str, context: &Context<'_>) -> Option<Timestamp> {
        match self {
            Form::Iso8601 => iso8601(text, context),
            Form::Unix => decimal(text, 1_000_000),
            Form::UnixMilliseconds => decimal(text, 1_000),
            Form::Tai64n => tai64n(text),
            Form::Pattern(format) => format.read(text, context),
        }
    }
}

fn iso8601(text: &str, context: &Context<'_>) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.into());
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(context.time_zone.to_ambiguous_timestamp(civil).compatible().ok()?.into())
}

/// A decimal number of units of so many microseconds since 1970.
fn decimal(text: &str, unit: i64) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole.strip_prefix('-').unwrap_or(whole)) || !digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let mut micros = whole.checked_mul(unit)?;
    let mut scale = unit;
    for digit in fraction.bytes() {
        scale /= 10;
        let part = i64::from(digit - b'0') * scale;
        micros = if text.starts_with('-') { micros - part } else { micros + part };
        if scale == 0 {
            break;
        }
    }
    let time = Timestamp::from_micros(micros);
    (time.micros() == micros).then_some(time)
}

/// `@4000000052f88ea32489532c`: seconds since 1970 in TAI plus 2^62, and nanoseconds, in hex; see
/// <https://cr.yp.to/libtai/tai64.html>. TAI is taken as ten seconds ahead, as daemontools does.
fn tai64n(text: &str) -> Option<Timestamp> {
    let label = text.strip_prefix('@').unwrap_or(text);
    let (seconds, nanoseconds) = label.split_at_checked(16)?;
    if nanoseconds.len() != 8 || !label.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let seconds = u64::from_str_radix(seconds, 16).ok()?;
    let seconds = i64::try_from(seconds.checked_sub(1 << 62)?).ok()? - 10;
    let nanoseconds = i64::from(u32::from_str_radix(nanoseconds, 16).ok()?);
    let micros = seconds.checked_mul(1_000_000)?.checked_add(nanoseconds / 1_000)?;
    Some(Timestamp::from_micros(micros))
}

impl Action for Date {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let zoned;
        let context = match &self.zone {
            None => scene.context,
            Some(zone) => {
                zoned = Context { time_zone: zone.clone(), ..*scene.context };
                &zoned
            }
        };
        let text = text.trim();
        let Some(time) = self.forms.iter().find_map(|form| form.read(text, context)) else {
            return Outcome::Failed("no format fits the text".into());
        };
        match &self.target {
            None => event.set_created(time),
            Some(FieldName::Known(Field::Timestamp)) => event.set_created(time),
            Some(target) => scene.set(event, target.borrowed(), time.to_string()),
        }
        Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_formats_read_what_they_say() {
        let context = Context {
            received: "2025-02-01T00:00:00Z".parse().unwrap(),
            host: "",
            time_zone: TimeZone::get("Europe/Berlin").unwrap(),
            year: None,
        };
        for (format, text, time) in [
            ("ISO8601", "2024-01-31T12:00:00.103Z", Some("2024-01-31T12:00:00.103000Z")),
            ("ISO8601", "2024-01-31T12:00:00+02:00", Some("2024-01-31T10:00:00Z")),
            ("ISO8601", "2024-01-31 12:00:00", Some("2024-01-31T11:00:00Z")),
            ("ISO8601", "2024-01-31", Some("2024-01-30T23:00:00Z")),
            ("ISO8601", "Jan 31", None),
            ("UNIX", "1326149001.132", Some("2012-01-09T22:43:21.132000Z")),
            ("UNIX", "1326149001", Some("2012-01-09T22:43:21Z")),
            ("UNIX", "-1.5", Some("1969-12-31T23:59:58.500000Z")),
            ("UNIX", "99999999999999999999", None),
            ("UNIX", "-", None),
            ("UNIX", "1.", None),
            ("UNIX_MS", "1366125117000", Some("2013-04-16T15:11:57Z")),
            ("TAI64N", "@4000000052f88ea32489532c", Some("2014-02-10T08:32:25.612979Z")),
            ("TAI64N", "4000000052f88ea3", None),
        ] {
            let read = form(format).unwrap().read(text, &context).map(|time| time.to_string());
            assert_eq!(read.as_deref(), time, "{format} of {text}");
        }
    }
}
