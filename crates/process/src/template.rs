//! Texts in which `%{field}` stands for what an event's field holds.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Timestamp};

use crate::joda::Format;
use crate::name;

/// The longest text that a template gives, in bytes; the rest is cut off.
const MAX_LENGTH: usize = 256 * 1024;

/// A text with places for fields: `%{source.ip}`, `%{[source][ip]}`, `%{@timestamp}`, and for the
/// time of the event in UTC in a pattern of Joda-Time, `%{+yyyy.MM.dd}`.
///
/// A place whose field the event does not have stays as it is written, as in Logstash.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    /// The field, and how its place is written.
    Field(FieldName<'static>, String),
    Time(Format),
    /// Seconds since 1970.
    Seconds,
}

impl Template {
    /// The template of this text.
    ///
    /// # Errors
    /// Where a time has a pattern that cannot be read.
    pub fn new(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(start) = rest.find("%{") {
            let (before, place) = rest.split_at(start);
            let Some(end) = place.find('}') else { break };
            let (place, after) = place.split_at(end + 1);
            let inside = place.get(2..end).unwrap_or_default();
            push_text(&mut pieces, before);
            match inside.strip_prefix('+') {
                Some("%s" | "UNIX") => pieces.push(Piece::Seconds),
                Some(pattern) => {
                    let format = Format::new(pattern)
                        .map_err(|error| format!("cannot read the time in `{place}`: {error}"))?;
                    pieces.push(Piece::Time(format));
                }
                None if inside.is_empty() => push_text(&mut pieces, place),
                None => pieces.push(Piece::Field(name::field(inside), place.to_owned())),
            }
            rest = after;
        }
        push_text(&mut pieces, rest);
        Ok(Template(pieces))
    }

    /// Whether it has no places.
    pub fn is_plain(&self) -> bool {
        self.0.iter().all(|piece| matches!(piece, Piece::Text(_)))
    }

    /// The text for an event whose record was received at this time, which is its `event.ingested`
    /// while chains run.
    pub fn render<'t>(&'t self, event: &Event<'_>, received: Timestamp) -> Cow<'t, str> {
        match self.0.as_slice() {
            [] => return Cow::Borrowed(""),
            [Piece::Text(text)] => return Cow::Borrowed(text),
            _ => {}
        }
        let mut out = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Field(FieldName::Known(Field::EventOriginal), _) => {
                    out.push_str(event.original());
                }
                Piece::Field(FieldName::Known(Field::Timestamp), _) => {
                    out.push_str(&event.created().to_string());
                }
                Piece::Field(FieldName::Known(Field::EventIngested), _) => {
                    out.push_str(&received.to_string());
                }
                Piece::Field(name, written) => match event.get_named(name) {
                    Some(value) => out.push_str(&value.to_text()),
                    None => out.push_str(written),
                },
                Piece::Time(format) => format.write(event.created(), &mut out),
                Piece::Seconds => {
                    out.push_str(&event.created().micros().div_euclid(1_000_000).to_string());
                }
            }
            if out.len() > MAX_LENGTH {
                out.truncate(out.floor_char_boundary(MAX_LENGTH));
                break;
            }
        }
        Cow::Owned(out)
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str) {
    if text.is_empty() {
        return;
    }
    match pieces.last_mut() {
        Some(Piece::Text(before)) => before.push_str(text),
        _ => pieces.push(Piece::Text(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled() {
        let mut event = Event::new("2024-01-31T12:00:00Z".parse().unwrap(), "the line");
        let received = "2024-01-31T12:00:01Z".parse().unwrap();
        event.set(Field::HostName, "web1");
        event.set(Field::SourcePort, 22);
        for (text, expected) in [
            ("plain", "plain"),
            ("", ""),
            ("%{host}:%{source.port}", "web1:22"),
            ("%{[source][port]}%{event.original}", "22the line"),
            ("%{@timestamp}", "2024-01-31T12:00:00Z"),
            ("logs-%{+yyyy.MM.dd}-%{+%s}", "logs-2024.01.31-1706702400"),
            ("%{event.ingested}", "2024-01-31T12:00:01Z"),
            ("%{absent} %{} %{open", "%{absent} %{} %{open"),
        ] {
            assert_eq!(Template::new(text).unwrap().render(&event, received), expected, "{text}");
        }
        assert!(Template::new("%{+yyyy.QQ}").unwrap_err().contains("`%{+yyyy.QQ}`"));
    }
}
