//! Completes an event of Windows: the names that other exporters give, and the ECS fields.
//!
//! Original fields stay as they are, because Sigma's rules for Windows name them.

mod actions;
mod codes;
mod details;
mod message;
mod people;
mod task;

use std::borrow::Cow;

use bergfried_event::{Field, Value};

use super::fields::Fields;
use super::slot::Slot;
use crate::text::{is_ip, port, unmapped};
use actions::Log;

/// What other exporters call a field: NXLog, Splunk, and PowerShell's `Get-WinEvent`.
const OTHER_NAMES: &[(Slot, &[Slot])] = &[
    (Slot::Provider_Name, &[Slot::SourceName, Slot::ProviderName]),
    (Slot::Computer, &[Slot::Hostname, Slot::ComputerName, Slot::MachineName]),
    (Slot::Channel, &[Slot::LogName]),
    (Slot::EventRecordID, &[Slot::RecordNumber]),
    (Slot::Execution_ProcessID, &[Slot::ProcessID]),
    (Slot::Execution_ThreadID, &[Slot::ThreadID]),
];

/// Fields of ECS whose value is that of the first of these that says anything.
const COPIED: &[(Field, &[Slot])] = &[
    (Field::EventProvider, &[Slot::Provider_Name]),
    (Field::WinlogChannel, &[Slot::Channel]),
    (Field::HostName, &[Slot::Computer]),
    (
        Field::ProcessExecutable,
        &[
            Slot::NewProcessName,
            Slot::Image,
            Slot::SourceImage,
            Slot::ProcessName,
            Slot::Application,
        ],
    ),
    (Field::ProcessCommandLine, &[Slot::CommandLine]),
    (Field::ProcessWorkingDirectory, &[Slot::CurrentDirectory]),
    (Field::ProcessParentExecutable, &[Slot::ParentImage, Slot::ParentProcessName]),
    (Field::ProcessParentCommandLine, &[Slot::ParentCommandLine]),
    (Field::FilePath, &[Slot::TargetFilename, Slot::ImageLoaded, Slot::RelativeTargetName]),
    (Field::RegistryPath, &[Slot::TargetObject]),
    (Field::RegistryData, &[Slot::Details]),
    (Field::DnsQuestionName, &[Slot::QueryName]),
    (Field::DestinationDomain, &[Slot::DestinationHostname]),
    (Field::NetworkTransport, &[Slot::Protocol]),
    (Field::ServiceName, &[Slot::ServiceName]),
    (Field::SourceDomain, &[Slot::WorkstationName, Slot::Workstation]),
    (Field::Message, &[Slot::Message]),
];

/// Adds what an event of Windows says; any other event stays as it is.
pub(super) fn complete(fields: &mut Fields<'_, '_>) {
    let Some(code) = event_id(fields) else { return };
    for (slot, others) in OTHER_NAMES {
        if fields.slot(*slot).is_none()
            && let Some(value) = others.iter().find_map(|other| fields.slot(*other)).cloned()
        {
            fields.add_other(Cow::Borrowed(slot.name()), value);
        }
    }
    let log = Log::of(fields, code);
    fields.set_missing(Field::EventCode, code);
    let action = actions::of(log, code);
    if let Some(action) = action {
        fields.set_missing(Field::EventAction, action.action);
        fields.set_missing(Field::EventCategory, action.category);
    }
    if let Some(outcome) = actions::outcome(fields, log, action) {
        fields.set_missing(Field::EventOutcome, outcome);
    }
    for (field, slots) in COPIED {
        if let Some(text) = slots.iter().find_map(|slot| said(fields, *slot)) {
            fields.set_missing(*field, text);
        }
    }
    processes(fields, code);
    files(fields);
    addresses(fields, code);
    people::complete(fields, log, code);
    details::complete(fields, log, code);
    if !fields.has(Field::Message) {
        let text = message::of(fields, code, action);
        fields.set_missing(Field::Message, text);
    }
}

/// The number of the event, where the object is an event of Windows; in its place as a number.
fn event_id(fields: &mut Fields<'_, '_>) -> Option<i64> {
    // Splunk's name for it, which others use for numbers of their own.
    if fields.slot(Slot::EventID).is_none()
        && [Slot::LogName, Slot::SourceName].iter().any(|slot| fields.slot(*slot).is_some())
        && let Some(code) = fields.slot(Slot::EventCode).cloned()
    {
        fields.add_other(Cow::Borrowed("EventID"), code);
    }
    for slot in [
        Slot::EventID,
        Slot::Version,
        Slot::Level,
        Slot::Task,
        Slot::Opcode,
        Slot::EventRecordID,
        Slot::Execution_ProcessID,
        Slot::Execution_ThreadID,
    ] {
        let value = match fields.slot_mut(slot) {
            Some(Value::List(values)) => values.first_mut(),
            value => value,
        };
        if let Some(value) = value
            && let Some(number) = value.as_str().and_then(|text| text.parse().ok())
        {
            *value = Value::Int(number);
        }
    }
    first(fields, Slot::EventID)?.as_int()
}

/// The value of a field; of a list the first, which is that of `System` where the data of the event
/// (104 has a `Channel`) have a field of the same name.
fn first<'f, 'a>(fields: &'f Fields<'a, '_>, slot: Slot) -> Option<&'f Value<'a>> {
    match fields.slot(slot)? {
        Value::List(values) => values.first(),
        value => Some(value),
    }
}

/// The text of a field, where it says something: Windows writes `-` for nothing.
fn said<'a>(fields: &Fields<'a, '_>, slot: Slot) -> Option<Cow<'a, str>> {
    let Value::Text(text) = first(fields, slot)? else { return None };
    (!matches!(text.as_ref(), "" | "-")).then(|| text.clone())
}

/// A number, also in hexadecimal, as Windows writes the numbers of processes.
fn number(fields: &Fields<'_, '_>, slot: Slot) -> Option<i64> {
    match first(fields, slot)? {
        Value::Int(number) => Some(*number),
        Value::Text(text) => match text.strip_prefix("0x") {
            Some(digits) => i64::from_str_radix(digits, 16).ok(),
            None => text.parse().ok(),
        },
        _ => None,
    }
}

/// The last part of a path with either kind of slash.
fn file_name<'a>(path: &Cow<'a, str>) -> Option<Cow<'a, str>> {
    let name = |path: &str| path.rfind(['\\', '/']).map_or(0, |slash| slash + 1);
    let name = match path {
        Cow::Borrowed(path) => Cow::Borrowed(path.get(name(path)..)?),
        Cow::Owned(path) => Cow::Owned(path.get(name(path)..)?.to_owned()),
    };
    (!name.is_empty()).then_some(name)
}

fn processes(fields: &mut Fields<'_, '_>, code: i64) {
    // 4688 names the creator `ProcessId` and the new process `NewProcessId`.
    let created = fields.slot(Slot::NewProcessId).is_some() && code == 4688;
    let (own, parent) = if created {
        (Slot::NewProcessId, Slot::ProcessId)
    } else {
        (Slot::ProcessId, Slot::ParentProcessId)
    };
    let pid = number(fields, own).or_else(|| number(fields, Slot::SourceProcessId));
    if let Some(pid) = pid.filter(|pid| *pid > 0) {
        fields.set_missing(Field::ProcessPid, pid);
    }
    if let Some(pid) = number(fields, parent) {
        fields.set_missing(Field::ProcessParentPid, pid);
    }
    for (path, name) in [
        (Field::ProcessExecutable, Field::ProcessName),
        (Field::ProcessParentExecutable, Field::ProcessParentName),
    ] {
        if let Some(name_of) = fields.text_of(path).and_then(file_name) {
            fields.set_missing(name, name_of);
        }
    }
}

fn files(fields: &mut Fields<'_, '_>) {
    if let Some(path) = fields.text_of(Field::RegistryPath)
        && let Some(value) = file_name(path)
    {
        fields.set_missing(Field::RegistryValue, value);
    }
    if let Some(kind) = said(fields, Slot::ObjectType)
        && let Some(object) = said(fields, Slot::ObjectName)
    {
        match kind.as_ref() {
            "File" => fields.set_missing(Field::FilePath, object),
            "Key" => fields.set_missing(Field::RegistryPath, object),
            _ => {}
        }
    }
    if let Some(value) = said(fields, Slot::ObjectValueName) {
        fields.set_missing(Field::RegistryValue, value);
    }
    // Sysmon: MD5=…,SHA256=…
    match said(fields, Slot::Hashes) {
        Some(Cow::Borrowed(hashes)) => {
            hashes
                .split(',')
                .for_each(|hash| push_hash(fields, hash.split_once('='), Cow::Borrowed));
        }
        Some(Cow::Owned(hashes)) => {
            let owned = |hash: &str| Cow::Owned(hash.to_owned());
            hashes.split(',').for_each(|hash| push_hash(fields, hash.split_once('='), owned));
        }
        None => {}
    }
}

fn push_hash<'a, 's>(
    fields: &mut Fields<'a, '_>,
    hash: Option<(&'s str, &'s str)>,
    text: impl Fn(&'s str) -> Cow<'a, str>,
) {
    let field = match hash {
        Some(("MD5", _)) => Field::FileHashMd5,
        Some(("SHA1", _)) => Field::FileHashSha1,
        Some(("SHA256", _)) => Field::FileHashSha256,
        Some(("IMPHASH", _)) => Field::FilePeImphash,
        _ => return,
    };
    if let Some((_, hash)) = hash {
        fields.set_missing(field, text(hash));
    }
}

fn addresses(fields: &mut Fields<'_, '_>, code: i64) {
    // 1149 (remote desktop, authentication succeeded) has the client as its third parameter.
    let third = if code == 1149 { &[Slot::Param3][..] } else { &[] };
    let source =
        [Slot::IpAddress, Slot::SourceIp, Slot::SourceAddress, Slot::ClientAddress, Slot::Address];
    if let Some(address) = source.iter().chain(third).find_map(|slot| address(fields, *slot)) {
        fields.set_missing(Field::SourceIp, address);
    }
    let destination = [Slot::DestinationIp, Slot::DestAddress];
    if let Some(address) = destination.iter().find_map(|slot| address(fields, *slot)) {
        fields.set_missing(Field::DestinationIp, address);
    }
    for (field, slots) in [
        (Field::SourcePort, [Slot::IpPort, Slot::SourcePort]),
        (Field::DestinationPort, [Slot::DestinationPort, Slot::DestPort]),
    ] {
        let found = slots.iter().find_map(|slot| match first(fields, *slot)? {
            Value::Int(number) => (1..=65_535).contains(number).then_some(*number),
            Value::Text(text) => port(text).filter(|port| *port > 0),
            _ => None,
        });
        if let Some(port) = found {
            fields.set_missing(field, port);
        }
    }
}

/// An address; `LOCAL`, `-` and names are none, `::ffff:10.0.0.1` is `10.0.0.1`.
fn address<'a>(fields: &Fields<'a, '_>, slot: Slot) -> Option<Cow<'a, str>> {
    match said(fields, slot)? {
        Cow::Borrowed(text) => Some(unmapped(text)).filter(|text| is_ip(text)).map(Cow::Borrowed),
        Cow::Owned(text) => {
            Some(unmapped(&text)).filter(|text| is_ip(text)).map(|text| Cow::Owned(text.to_owned()))
        }
    }
}
