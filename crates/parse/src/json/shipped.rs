//! Documents that shippers make of plain log lines: the line in one field, beside what the shipper
//! knows of it.
//!
//! The line is read as the syslog line that it is, the document filling what it leaves out: host,
//! time, zone. Where the document names the program, the text is the message alone. What the
//! document says beside stays. A document that says what happened (`event.action`,
//! `event.category`), an event of Windows, and a text that is no line of a log stay as they are.
//!
//! | shipper | line | program | host |
//! |---|---|---|---|
//! | Filebeat, Logstash, Fluentd, Vector's files | `message` | | `host.name`, `host` |
//! | Fluent Bit's files, Docker | `log` | | |
//! | Filebeat's journald, journalbeat | `message` | `syslog.identifier`, `log.syslog.appname` | `host.hostname` |
//! | Fluent Bit's and Fluentd's systemd | `MESSAGE` | `SYSLOG_IDENTIFIER`, `_COMM`, `_SYSTEMD_UNIT` | `_HOSTNAME` |
//! | Vector's syslog | `message` | `appname`, `procid` | `hostname` |
//! | Fluentd's and Fluent Bit's syslog | `message` | `ident`, `pid` | `host` |
//! | rsyslog's templates | `message`, `msg` | `syslogtag`, `programname`, `app-name` | `host`, `fromhost` |
//! | syslog-ng's format-json | `MESSAGE` | `PROGRAM`, `PID` | `HOST` |
//!
//! A text read so may hold an object again, whose quotes are escaped once more: the depth of that is
//! the logarithm of the length.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Value};

use super::whole;
use crate::Context;
use crate::audit;
use crate::line::Line;
use crate::programs;
use crate::stamp;
use crate::syslog;
use crate::text::number;

/// What a document says of its line; of several names for one thing, the lowest rank counts.
#[derive(Default)]
struct Said<'a> {
    /// Whether the document has a message of its own.
    has_message: bool,
    text: Option<Cow<'a, str>>,
    program: Option<(u8, Cow<'a, str>)>,
    pid: Option<i64>,
    host: Option<(u8, Cow<'a, str>)>,
    facility: Option<u8>,
    severity: Option<u8>,
    zone: Option<jiff::tz::TimeZone>,
}

/// What a field of a document is for.
#[derive(Clone, Copy)]
enum Role {
    Text,
    Program(u8),
    /// A unit of systemd.
    Unit,
    /// A program with its process id, as `sshd[12]:`.
    Tag,
    Pid,
    Host(u8),
    /// Facility and severity in one number.
    Priority,
    Facility,
    Severity,
    Zone,
}

/// The roles of names beside those of ECS.
fn role(name: &str) -> Option<Role> {
    Some(match name {
        "log" | "MESSAGE" => Role::Text,
        "SYSLOG_IDENTIFIER" | "syslog_identifier" | "syslog.identifier" | "log.syslog.appname"
        | "syslog_program" | "programname" | "PROGRAM" | "appname" | "app-name" | "app_name"
        | "ident" => Role::Program(1),
        "_COMM" | "COMM" | "comm" => Role::Program(3),
        "_SYSTEMD_UNIT" | "SYSTEMD_UNIT" | "systemd_unit" | "systemd.unit" => Role::Unit,
        "syslogtag" => Role::Tag,
        "SYSLOG_PID" | "syslog_pid" | "_PID" | "PID" | "procid" | "log.syslog.procid" => Role::Pid,
        "log.syslog.hostname" | "syslog_hostname" | "logsource" => Role::Host(0),
        "host.hostname" | "_HOSTNAME" | "HOSTNAME" | "HOST" | "fromhost" => Role::Host(2),
        "SYSLOG_FACILITY"
        | "syslog_facility"
        | "syslog.facility"
        | "FACILITY"
        | "syslogfacility-text" => Role::Facility,
        "PRIORITY"
        | "priority"
        | "SEVERITY"
        | "severity"
        | "syslog.priority"
        | "syslogseverity-text" => Role::Severity,
        "event.timezone" => Role::Zone,
        _ => return None,
    })
}

/// Reads the line in the document; `original` is its `event.original`.
pub(super) fn complete<'a>(
    event: &mut Event<'a>,
    original: Option<Cow<'a, str>>,
    context: &Context<'_>,
) {
    let Some(said) = gather(event, original) else { return };
    if event.get(Field::HostName).is_none()
        && let Some((_, host)) = &said.host
    {
        event.push(Field::HostName, host.clone());
    }
    let Some(text) = &said.text else { return };
    let host = said.host.as_ref().map_or(context.host, |(_, host)| host.as_ref());
    let inner = Context {
        received: event.created(),
        host,
        time_zone: said.zone.clone().unwrap_or_else(|| context.time_zone.clone()),
        year: context.year,
    };
    let found = match text {
        Cow::Borrowed(text) => read(trimmed(text), &said, &inner),
        // What is borrowed from a text that is not the document's own must be copied.
        Cow::Owned(text) => read(trimmed(text), &said, &inner).map(Event::into_owned),
    };
    match found {
        Some(found) => take_over(event, found, &said, &inner),
        None if !said.has_message => {
            let text = text.clone();
            event.set(Field::Message, text);
        }
        None => {}
    }
}

/// What the document says of a line; `None` where it says itself what happened.
fn gather<'a>(event: &Event<'a>, original: Option<Cow<'a, str>>) -> Option<Said<'a>> {
    let mut said = Said::default();
    let mut other_text = None;
    for (name, value) in event.fields() {
        let role = match name {
            FieldName::Known(Field::EventAction | Field::EventCategory) => return None,
            FieldName::Known(Field::Message) => {
                said.has_message = true;
                said.text = value.as_str().and_then(|_| text(value));
                continue;
            }
            FieldName::Known(Field::ProcessName) => Role::Program(2),
            FieldName::Known(Field::ProcessPid) => Role::Pid,
            FieldName::Known(Field::HostName) => Role::Host(1),
            FieldName::Known(Field::SyslogPriority) => Role::Priority,
            FieldName::Known(Field::SyslogFacility | Field::SyslogFacilityCode) => Role::Facility,
            FieldName::Known(Field::SyslogSeverity | Field::SyslogSeverityCode) => Role::Severity,
            // Templates of rsyslog call it `tag`, which is an alias of `tags`.
            FieldName::Known(Field::Tags) if is_tag(value) => Role::Tag,
            FieldName::Known(_) => continue,
            FieldName::Other(name) => match role(name) {
                Some(role) => role,
                None => continue,
            },
        };
        match role {
            Role::Text => other_text = other_text.or_else(|| text(value)),
            role => said.note(role, value),
        }
    }
    if !said.has_message {
        said.text = other_text.or(original);
    }
    Some(said)
}

impl<'a> Said<'a> {
    fn note(&mut self, role: Role, value: &Value<'a>) {
        match role {
            Role::Text => {}
            Role::Program(rank) => better(&mut self.program, rank, text(value)),
            Role::Unit => {
                let unit = text(value).filter(|unit| unit.ends_with(".service"));
                better(&mut self.program, 4, unit.map(program_of_unit));
            }
            Role::Tag => {
                let Some(tag) = text(value) else { return };
                let (program, pid) = program_and_pid(&tag);
                self.pid = self.pid.or(pid);
                better(&mut self.program, 0, Some(Cow::Owned(program.to_owned())));
            }
            Role::Pid => self.pid = self.pid.or_else(|| whole(value)),
            Role::Host(rank) => better(&mut self.host, rank, text(value)),
            Role::Priority => {
                if let Some(priority @ 0..=191) = whole(value) {
                    self.facility = self.facility.or(u8::try_from(priority / 8).ok());
                    self.severity = self.severity.or(u8::try_from(priority % 8).ok());
                }
            }
            Role::Facility => {
                self.facility = self.facility.or_else(|| code(value, syslog::facility))
            }
            Role::Severity => {
                self.severity = self.severity.or_else(|| code(value, syslog::severity))
            }
            Role::Zone => self.zone = text(value).and_then(|zone| stamp::zone(&zone)),
        }
    }
}

fn better<'a>(slot: &mut Option<(u8, Cow<'a, str>)>, rank: u8, text: Option<Cow<'a, str>>) {
    // RFC 5424 writes `-` for nothing.
    let text = text.filter(|text| !text.is_empty() && text != "-");
    if let Some(text) = text
        && slot.as_ref().is_none_or(|(known, _)| rank < *known)
    {
        *slot = Some((rank, text));
    }
}

/// The text of a value, of a list the first.
fn text<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::List(values) => values.iter().find_map(|value| match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }),
        _ => None,
    }
}

fn code(value: &Value<'_>, named: fn(&str) -> Option<u8>) -> Option<u8> {
    match whole(value) {
        // What is no code of either is a number of another kind.
        Some(number) => u8::try_from(number).ok().filter(|code| *code < 24),
        None => named(value.as_str()?),
    }
}

fn is_tag(value: &Value<'_>) -> bool {
    value.as_str().is_some_and(|tag| tag.ends_with(':') && !tag.contains(' '))
}

fn program_and_pid(tag: &str) -> (&str, Option<i64>) {
    let tag = tag.trim_end_matches([':', ' ']);
    match tag.strip_suffix(']').and_then(|tag| tag.rsplit_once('[')) {
        Some((program, pid)) => (program, number(pid.as_bytes())),
        None => (tag, None),
    }
}

/// The program of a unit, by its name.
fn program_of_unit(unit: Cow<'_, str>) -> Cow<'_, str> {
    let name = unit.strip_suffix(".service").unwrap_or(&unit);
    let name = name.split_once('@').map_or(name, |(template, _)| template);
    Cow::Owned(if name == "ssh" { "sshd" } else { name }.to_owned())
}

fn trimmed(text: &str) -> &str {
    text.trim_end_matches(['\n', '\r', '\0']).trim_start_matches(' ')
}

/// The event of the line; `None` where it is none that is known as such.
fn read<'t>(text: &'t str, said: &Said<'_>, context: &Context<'_>) -> Option<Event<'t>> {
    if said.program.is_none() && audit::is_record(text) {
        return Some(audit::read(text, context));
    }
    let has_header = text.starts_with('<') || stamp::read(text, context).is_some();
    if has_header || said.program.is_none() {
        let found = syslog::parse(text, context);
        if is_line(&found, text, has_header) {
            return Some(found);
        }
    }
    let (_, program) = said.program.as_ref()?;
    let mut line = Line::bare(text, context.received);
    line.program = Some(Cow::Owned(program.clone().into_owned()));
    line.pid = said.pid;
    Some(line.into_event("", context))
}

/// Whether a text was a line of syslog and not what an application says to its own log.
fn is_line(found: &Event<'_>, text: &str, has_header: bool) -> bool {
    if found.get(Field::EventAction).is_some() {
        return true;
    }
    let Some(program) = found.text(Field::ProcessName) else { return false };
    let has_pid = found.get(Field::ProcessPid).is_some();
    // Applications write a date, a space and a level, which would pass for a host.
    let is_plain = text.as_bytes().get(10) == Some(&b' ')
        && text.bytes().next().is_some_and(|first| first.is_ascii_digit());
    (has_header && (!is_plain || has_pid)) || (has_pid && programs::find(program).is_some())
}

/// Sets what the line says; its host counts more than the document's, which is kept beside.
fn take_over<'a>(event: &mut Event<'a>, found: Event<'a>, said: &Said<'a>, context: &Context<'_>) {
    if found.created() != context.received {
        event.set_created(found.created());
    }
    for (field, known, names) in [
        (Field::SyslogFacility, said.facility, syslog::FACILITIES.as_slice()),
        (Field::SyslogSeverity, said.severity, syslog::SEVERITIES.as_slice()),
    ] {
        if let Some(name) = known.and_then(|code| names.get(usize::from(code))) {
            event.set(field, *name);
        }
    }
    if let Some(priority) = event.get(Field::SyslogPriority).and_then(whole) {
        event.set(Field::SyslogPriority, priority);
    }
    for (name, value) in found.fields() {
        if *name == FieldName::Known(Field::HostName)
            && let Some(before) = event.get(Field::HostName).filter(|before| *before != value)
        {
            let before = before.clone();
            event.set_named(FieldName::Other(Cow::Borrowed("original.host.name")), before);
        }
        event.set_named(name.clone(), value.clone());
    }
}
