//! The lines of one event to its fields.

mod context;
mod message;
mod people;
mod things;

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};

use crate::errors;
use crate::group::{self, Group};
use crate::meaning::{self, Meaning};
use crate::record_type::RecordType;

/// How many of the arguments are fields of their own too (`auditd.data.a0` and so on), for rules
/// that ask for one of them.
const ARGUMENTS_BY_NUMBER: usize = 16;

/// How many fields most events have at most.
const FIELDS: usize = 64;

/// Reads the lines of one event, with `\n` between them, as [`Joiner`](crate::Joiner) hands them out.
///
/// `received` is the time of an event whose lines name none, and `host` its host. Never fails.
pub fn parse<'a>(group: &'a str, received: Timestamp, host: &str) -> Event<'a> {
    let mut found = Group::read(group);
    let created = found.front.map_or(received, |front| front.created);
    let mut event = Event::with_fields(created, group, Vec::with_capacity(FIELDS), 0);
    match found.front.and_then(|front| front.node) {
        Some(node) => event.push(Field::HostName, node),
        None if !host.is_empty() => event.push(Field::HostName, host.to_owned()),
        None => {}
    }
    read(&mut found, &mut event);
    event
}

/// Adds what the lines of one audit event say to an event whose envelope was read: its time, and
/// the process that they name in place of the one that handed them on.
pub fn read_into<'a>(group: &'a str, event: &mut Event<'a>) {
    let mut found = Group::read(group);
    if let Some(front) = found.front {
        event.set_created(front.created);
    }
    for field in [Field::ProcessName, Field::ProcessPid, Field::Message] {
        event.remove(field);
    }
    read(&mut found, event);
}

fn read<'a>(group: &mut Group<'a>, event: &mut Event<'a>) {
    event.push(Field::EventModule, "auditd");
    event.push(Field::EventDataset, "auditd.log");
    // The kernel gives 0 to none; it stands for a number that was lost on the way.
    if let Some(front) = group.front.filter(|front| front.serial != 0) {
        let serial = i64::try_from(front.serial).unwrap_or(i64::MAX);
        push(event, "event.sequence", serial);
    }
    let arguments = group.arguments.take().map(|arguments| {
        let (texts, faults) = arguments.finish();
        group.faults.lying |= faults.lying;
        group.faults.odd |= faults.odd;
        group.faults.cut |= faults.cut;
        texts
    });
    let meaning = meaning_of(group);
    classify(group, &meaning, event);
    process(group, arguments.as_deref(), event);
    people::push(group, event);
    things::push(group, event);
    message::push(group, &meaning, event);
    audit(group, arguments, event);
}

/// What the event means by its records, and by its system call where they leave it open.
fn meaning_of(group: &Group<'_>) -> Meaning {
    let is_apparmor = group.datum("apparmor").is_some();
    let by_record = group.types.iter().find_map(|(kind, _)| meaning::of_record(*kind, is_apparmor));
    // A system call that seccomp refused is no more than the object of that.
    let is_call = group.has(RecordType::SYSCALL) || group.has(RecordType::URINGOP);
    let by_call = group.call().filter(|_| is_call).map(meaning::of_syscall);
    match (by_record, by_call) {
        (Some(record), Some(call)) if record.categories.is_empty() => {
            Meaning { categories: call.categories, kinds: call.kinds, ..record }
        }
        (Some(record), _) => record,
        (None, Some(call)) => call,
        (None, None) => Meaning::NOTHING,
    }
}

fn classify<'a>(group: &Group<'a>, meaning: &Meaning, event: &mut Event<'a>) {
    let first = group.types.first().map_or(RecordType::UNKNOWN, |(kind, _)| *kind);
    let is_anomaly = meaning::is_anomaly(first);
    event.push(Field::EventKind, if is_anomaly { "alert" } else { "event" });
    let mut categories = meaning.categories.to_vec();
    let mut kinds = meaning.kinds.to_vec();
    if is_anomaly && !categories.contains(&"intrusion_detection") {
        categories.push("intrusion_detection");
        kinds.push("info");
    }
    if let Some(kind) = things::opened(group)
        && meaning.action == "opened-file"
    {
        kinds = vec![kind];
    }
    let action = match (meaning.action, &group.syscall) {
        // A number that no table knows says nothing.
        ("", Some(call)) if !call.starts_with(|c: char| c.is_ascii_digit()) => call.clone(),
        (action, _) => Cow::Borrowed(action),
    };
    if !action.is_empty() {
        event.push(Field::EventAction, action);
    }
    if !categories.is_empty() {
        event.push(Field::EventCategory, list(categories));
    }
    if !kinds.is_empty() {
        event.push(Field::EventType, list(kinds));
    }
    event.push(Field::EventOutcome, outcome(group));
}

fn outcome(group: &Group<'_>) -> &'static str {
    match group.success {
        Some(true) => "success",
        // A connection under way has not failed yet (connect(2)).
        Some(false) if group.exit.is_some_and(|exit| errors::exit(exit) == "EINPROGRESS") => {
            "unknown"
        }
        Some(false) => "failure",
        None => "unknown",
    }
}

fn process<'a>(group: &Group<'a>, arguments: Option<&[Cow<'a, str>]>, event: &mut Event<'a>) {
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<i64>().ok());
    if let Some(pid) = number(group.pid) {
        event.push(Field::ProcessPid, pid);
    }
    if let Some(pid) = number(group.ppid) {
        event.push(Field::ProcessParentPid, pid);
    }
    if let Some(parent) = &group.parent {
        push_text(event, Field::ProcessParentExecutable, parent.exe.clone());
        push_text(event, Field::ProcessParentName, parent.comm.clone());
    }
    push_text(event, Field::ProcessExecutable, group.exe.clone());
    push_text(event, Field::ProcessName, group.comm.clone());
    push_text(event, Field::ProcessWorkingDirectory, group.cwd.clone());
    push_text(event, Field::ProcessTty, group.tty.map(Cow::Borrowed));
    let title = group.title.as_ref().map(|title| match title {
        // Arguments end in NUL, the last one may lack it where the title is cut.
        title if title.contains('\0') => {
            Cow::Owned(title.trim_end_matches('\0').replace('\0', " "))
        }
        title => title.clone(),
    });
    match arguments {
        Some(arguments) => {
            let all = arguments.iter().map(|text| Value::Text(text.clone())).collect();
            event.push(Field::ProcessArgs, Value::List(all));
            event.push(Field::ProcessCommandLine, crate::arguments::command_line(arguments));
        }
        None => {
            let is_run = matches!(group.syscall.as_deref(), Some("execve" | "execveat"))
                && group.success == Some(true);
            let command = group.datum("cmd").map(|command| Cow::Owned(command.to_owned()));
            let command = command.or_else(|| title.clone().filter(|_| is_run));
            push_text(event, Field::ProcessCommandLine, command);
        }
    }
    if let Some(title) = title {
        push(event, "process.title", title);
    }
}

/// What only audit has.
fn audit<'a>(group: &mut Group<'a>, arguments: Option<Vec<Cow<'a, str>>>, event: &mut Event<'a>) {
    let first = group.types.first().map_or(RecordType::UNKNOWN, |(kind, _)| *kind);
    push(event, "auditd.category", meaning::class(first));
    let mut types: Vec<Value<'a>> = Vec::with_capacity(group.types.len().min(8));
    for (kind, name) in &group.types {
        let name = kind.name().unwrap_or(name);
        if !types.iter().any(|known| known.as_str() == Some(name)) {
            types.push(Value::from(name));
        }
    }
    push(event, "auditd.record_types", Value::List(types));
    if let Some(call) = group.syscall.take() {
        push(event, "auditd.syscall", call);
    }
    if !group.keys.is_empty() {
        let keys = std::mem::take(&mut group.keys).into_iter().map(Value::Text);
        push(event, "auditd.key", Value::List(keys.collect()));
    }
    if let Some(success) = group.success {
        push(event, "auditd.success", if success { "yes" } else { "no" });
    }
    if let Some(exit) = group.exit {
        push(event, "auditd.exit", errors::exit(exit));
    }
    if let Some(session) = group.session {
        push(event, "auditd.session", group::set(session));
    }
    let by_number = arguments.unwrap_or_default();
    for (place, argument) in by_number.into_iter().take(ARGUMENTS_BY_NUMBER).enumerate() {
        if let Some(name) = ARGUMENT_NAMES.get(place) {
            group.data.retain(|(known, _)| known != data_name(name));
            push(event, name, argument);
        }
    }
    for (name, value) in std::mem::take(&mut group.data) {
        event.push_named(FieldName::Other(full_name(name)), value);
    }
    let flags: Vec<Value<'a>> = group.faults.words().map(Value::from).collect();
    if !flags.is_empty() {
        push(event, "auditd.flags", Value::List(flags));
    }
}

static ARGUMENT_NAMES: [&str; ARGUMENTS_BY_NUMBER] = [
    "auditd.data.a0",
    "auditd.data.a1",
    "auditd.data.a2",
    "auditd.data.a3",
    "auditd.data.a4",
    "auditd.data.a5",
    "auditd.data.a6",
    "auditd.data.a7",
    "auditd.data.a8",
    "auditd.data.a9",
    "auditd.data.a10",
    "auditd.data.a11",
    "auditd.data.a12",
    "auditd.data.a13",
    "auditd.data.a14",
    "auditd.data.a15",
];

/// The name that a field has in its record.
fn data_name(full: &str) -> &str {
    full.strip_prefix("auditd.data.").unwrap_or(full)
}

/// The whole name of a field that its record gives this name; those of the most frequent ones are at
/// hand.
fn full_name<'a>(name: Cow<'a, str>) -> Cow<'a, str> {
    match name.as_ref() {
        "a0" => "auditd.data.a0".into(),
        "a1" => "auditd.data.a1".into(),
        "a2" => "auditd.data.a2".into(),
        "a3" => "auditd.data.a3".into(),
        "arch" => "auditd.data.arch".into(),
        "op" => "auditd.data.op".into(),
        "acct" => "auditd.data.acct".into(),
        "nametype" => "auditd.data.nametype".into(),
        "hostname" => "auditd.data.hostname".into(),
        "addr" => "auditd.data.addr".into(),
        "terminal" => "auditd.data.terminal".into(),
        name => {
            let mut full = String::with_capacity(12 + name.len());
            full.push_str("auditd.data.");
            full.push_str(name);
            Cow::Owned(full)
        }
    }
}

fn list<'a>(words: Vec<&'static str>) -> Value<'a> {
    Value::List(words.into_iter().map(Value::from).collect())
}

fn push<'a>(event: &mut Event<'a>, name: &'static str, value: impl Into<Value<'a>>) {
    debug_assert!(Field::from_name(name).is_none(), "{name} is a well-known field");
    event.push_named(FieldName::Other(Cow::Borrowed(name)), value);
}

fn push_text<'a>(event: &mut Event<'a>, field: Field, text: Option<Cow<'a, str>>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        event.push(field, text);
    }
}

#[cfg(test)]
mod tests;
