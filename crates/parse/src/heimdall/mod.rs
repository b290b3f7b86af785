//! What agents of Heimdall report, one JSON document each: an event as in `POST /ingest`, or how a
//! host is as in `POST /system-status`.
//!
//! The line that a document carries is read as if it had been read where it was written, so that
//! every rule meets it. What the document itself says (host, time, user, address, kind, system and
//! severity) counts more. `message` is what the line says; where the line has more, it is whole in
//! `heimdall.raw_message`.

mod domain;
mod status;

use bergfried_event::{Event, Field, FieldName, SourceKind, Timestamp, Value};
use bergfried_heimdall::{EventType, OsType, Severity, read_time};
use serde_json::{Map, Value as Json};

use crate::programs;
use crate::{Context, push_host};

/// A stamp further ahead of its receipt than this is wrong.
const AHEAD_LIMIT: i64 = Timestamp::DAY;
/// 1990-01-01: nothing that such an agent reports happened earlier.
const EARLIEST: Timestamp = Timestamp::from_seconds(631_152_000);
/// The longest name of a host (POSIX allows 255) and the longest id.
const MAX_NAME: usize = 255;
const MAX_ID: usize = 512;

/// Reads one document; `None` where the text is no JSON object.
pub(crate) fn parse<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    let mut document: Map<String, Json> = serde_json::from_str(text).ok()?;
    if !document.contains_key("event_type")
        && let Some(Json::Object(status)) = document.get("status")
    {
        return Some(status::read(text, status, context));
    }
    let raw = match document.remove("raw_message") {
        Some(Json::String(raw)) => raw,
        _ => String::new(),
    };
    let document = Document { values: &document };
    let created = document.created(context);
    let host = document.word("source_host").filter(|host| host.len() <= MAX_NAME);
    let marks = document.marks();

    let line = read_line(&raw, marks, Context { received: created, host: "", ..context.clone() });
    let mut event = Event::new(created, text);
    push_host(&mut event, host.map(|host| host.to_owned().into()), context);
    for (name, value) in line.fields() {
        let is_own = match name {
            FieldName::Known(field) => matches!(
                field,
                Field::HostName
                    | Field::HeimdallEventType
                    | Field::HeimdallOsType
                    | Field::HeimdallSeverity
            ),
            FieldName::Other(name) => name.starts_with("heimdall.") || name == "host.os.type",
        };
        if !is_own {
            event.push_named(name.clone().into_owned(), value.clone().into_owned());
        }
    }
    if event.get(Field::EventModule).is_none() {
        event.push(Field::EventModule, "heimdall");
    }
    if let Some(id) = document.word("event_id").filter(|id| id.len() <= MAX_ID) {
        event.push_named(FieldName::Other("heimdall.event_id".into()), id.to_owned());
    }
    if let Some((kind, os, severity)) = marks {
        event.push(Field::HeimdallEventType, kind.name());
        event.push(Field::HeimdallOsType, os.name());
        event.push(Field::HeimdallSeverity, i64::from(severity.number()));
        if let Some(name) = system(os) {
            event.push_named(FieldName::Other("host.os.type".into()), name);
        }
        if event.get(Field::EventAction).is_none() {
            push_kind(&mut event, kind);
            // Of these no more is known than what the agent says, and rules go by that.
            if event.get(Field::EventDataset).is_none() {
                event.push(Field::EventDataset, "heimdall.event");
            }
        }
        if kind == EventType::DnsBlock
            && event.get(Field::DnsQuestionName).is_none()
            && let Some(domain) = domain::find(&raw, host.unwrap_or_default())
        {
            event.push(Field::DnsQuestionName, domain.to_ascii_lowercase());
        }
    }
    document.push_people(&mut event);
    push_raw(&mut event, raw);
    Some(event)
}

/// The time that a document states; the time of receipt where it states none, or none that can be.
fn likely(stated: Option<Timestamp>, context: &Context<'_>) -> Timestamp {
    let limit = context.received.plus_micros(AHEAD_LIMIT);
    stated.filter(|time| (EARLIEST..=limit).contains(time)).unwrap_or(context.received)
}

/// What is read of a document beside its line.
struct Document<'d> {
    values: &'d Map<String, Json>,
}

impl<'d> Document<'d> {
    /// A text that says something.
    fn word(&self, name: &str) -> Option<&'d str> {
        let word = self.values.get(name)?.as_str()?.trim();
        (!word.is_empty()).then_some(word)
    }

    /// When it happened.
    fn created(&self, context: &Context<'_>) -> Timestamp {
        let stamp = match self.values.get("timestamp") {
            Some(Json::String(stamp)) => read_time(stamp),
            Some(Json::Number(number)) => read_time(&number.to_string()),
            _ => None,
        };
        likely(stamp, context)
    }

    /// Kind, system and severity, where the document has all of them as the protocol wants them.
    fn marks(&self) -> Option<(EventType, OsType, Severity)> {
        let severity = match self.values.get("severity")? {
            Json::String(digits) => digits.trim().parse().ok()?,
            number => number.as_i64()?,
        };
        Some((
            self.word("event_type").and_then(EventType::from_name)?,
            self.word("os_type").and_then(OsType::from_name)?,
            Severity::new(severity)?,
        ))
    }

    /// The user and the address that the document names, in place of those of its line. `N/A`,
    /// `unknown` and `system` say that the agent knows of none.
    fn push_people(&self, event: &mut Event<'_>) {
        if let Some(user) = self.word("user") {
            let nobody = ["n/a", "unknown", "system", "none"];
            let is_nobody = nobody.iter().any(|word| user.eq_ignore_ascii_case(word));
            if !is_nobody {
                event.set(Field::UserName, user.to_owned());
            } else if user != "system" && event.get(Field::UserName).is_none() {
                // Shown to Heimdall's clients as it came, and no user of any rule.
                event.push_named(FieldName::Other("heimdall.user".into()), user.to_owned());
            }
        }
        if let Some(address) = self.word("source_ip").filter(|address| *address != "N/A") {
            let mut found = Event::new(event.created(), "");
            programs::push_address_owned(&mut found, address);
            if !found.fields().is_empty() {
                event.remove(Field::SourceIp);
                event.remove(Field::SourceAddress);
                for (name, value) in found.fields() {
                    event.push_named(name.clone(), value.clone());
                }
            }
        }
    }
}

/// What the line of a document says. It is read with the time of the document, and without what
/// only the host's own zone could tell.
fn read_line<'r>(
    raw: &'r str,
    marks: Option<(EventType, OsType, Severity)>,
    context: Context<'_>,
) -> Event<'r> {
    let is_data = raw.starts_with(['{', '<']);
    if matches!(marks, Some((_, OsType::Windows, _))) && !is_data {
        // Windows' own sentences are no lines of syslog: what stands before a colon is no program.
        let mut event = Event::new(context.received, "");
        event.push(Field::Message, raw);
        return event;
    }
    let mut event = crate::parse(SourceKind::File, raw, &context);
    let is_bare = event.get(Field::ProcessName).is_none();
    if is_bare && event.get(Field::EventAction).is_none() {
        if matches!(marks, Some((EventType::SudoEscalation, ..))) {
            programs::read(Some("sudo"), None, raw, &mut event);
        }
    } else if is_bare && event.text(Field::EventAction) == Some("ssh_login") {
        event.push(Field::ProcessName, "sshd");
    }
    event
}

/// The word of the Elastic Common Schema for a system; for those that run on any, none.
fn system(os: OsType) -> Option<&'static str> {
    match os {
        OsType::Windows => Some("windows"),
        OsType::Linux => Some("linux"),
        OsType::Macos => Some("macos"),
        OsType::Pihole | OsType::Firewall => None,
    }
}

/// What the kind says, where the line says nothing that a parser knows.
fn push_kind(event: &mut Event<'_>, kind: EventType) {
    let ecs = kind.ecs();
    let words =
        |words: &[&'static str]| Value::List(words.iter().map(|word| Value::from(*word)).collect());
    event.set(Field::EventCategory, words(ecs.category));
    event.set(Field::EventType, words(ecs.types));
    event.push(Field::EventAction, ecs.action);
    if let Some(outcome) = ecs.outcome {
        event.set(Field::EventOutcome, outcome);
    }
}

fn push_raw(event: &mut Event<'_>, raw: String) {
    match event.text(Field::Message) {
        Some(message) if *message == raw => {}
        Some(_) => event.push_named(FieldName::Other("heimdall.raw_message".into()), raw),
        None => event.push(Field::Message, raw),
    }
}

#[cfg(test)]
mod tests;
