//! What single kinds of events say beside whom they are about: kinds and reasons of logons, groups,
//! what services and tasks run, what is audited.

use std::borrow::Cow;

use bergfried_event::{Field, Value};

use super::actions::Log;
use super::{codes, first, number, said, task};
use crate::json::fields::Fields;
use crate::json::slot::Slot;

pub(super) fn complete<'a>(fields: &mut Fields<'a, '_>, log: Log, code: i64) {
    match (log, code) {
        (Log::Security, 4624 | 4634 | 4647) => logon_type(fields),
        (Log::Security, 4625) => {
            logon_type(fields);
            let reason = [Slot::SubStatus, Slot::Status]
                .iter()
                .find_map(|slot| codes::status(number(fields, *slot)?));
            set_reason(fields, reason);
        }
        (Log::Security, 4648) => {
            let server = said(fields, Slot::TargetServerName);
            if let Some(server) = server.filter(|name| !name.eq_ignore_ascii_case("localhost")) {
                fields.set_missing(Field::DestinationDomain, server);
            }
        }
        (Log::Security, 4740) => {
            if let Some(caller) = said(fields, Slot::TargetDomainName) {
                fields.set_missing(Field::SourceDomain, caller);
            }
        }
        (Log::Security, 4776) => {
            let reason = number(fields, Slot::Status).and_then(codes::status);
            set_reason(fields, reason);
        }
        (Log::Security, 4768 | 4769 | 4771) => {
            let reason = number(fields, Slot::Status).and_then(codes::kerberos);
            set_reason(fields, reason);
        }
        (Log::Security, 4727..=4737 | 4744..=4763) => group(fields),
        (Log::Security, 4697) => command_line(fields, Slot::ServiceFileName),
        (Log::System, 7045) => command_line(fields, Slot::ImagePath),
        (Log::Security, 4698) => runs(fields, Slot::TaskContent),
        (Log::Security, 4702) => runs(fields, Slot::TaskContentNew),
        (Log::Security, 4719) => audit_policy(fields),
        (Log::PowerShell, 4104) => {
            if let Some(path) = said(fields, Slot::Path) {
                fields.set_missing(Field::FilePath, path);
            }
        }
        _ => {}
    }
}

fn logon_type(fields: &mut Fields<'_, '_>) {
    if let Some(kind) = number(fields, Slot::LogonType).and_then(codes::logon) {
        fields.add_other(Cow::Borrowed("winlog.logon.type"), Value::from(kind));
    }
}

fn set_reason(fields: &mut Fields<'_, '_>, reason: Option<&'static str>) {
    if let Some(reason) = reason {
        fields.set_missing(Field::EventReason, reason);
    }
}

/// The group by its identifier, and by the English name of one that every system has.
fn group(fields: &mut Fields<'_, '_>) {
    let sid = said(fields, Slot::TargetSid);
    let known = sid.as_ref().and_then(|sid| codes::group(sid));
    if let Some(sid) = sid {
        fields.set_missing(Field::GroupId, sid);
    }
    if let Some(known) = known {
        fields.set_missing(Field::GroupName, known);
    } else if let Some(name) = said(fields, Slot::TargetUserName) {
        fields.set_missing(Field::GroupName, name);
    }
}

fn command_line(fields: &mut Fields<'_, '_>, slot: Slot) {
    if let Some(command) = said(fields, slot) {
        fields.set_missing(Field::ProcessCommandLine, command);
    }
}

/// What a task runs: one command line, or a list of them.
fn runs(fields: &mut Fields<'_, '_>, slot: Slot) {
    let Some(definition) = said(fields, slot) else { return };
    let mut commands = task::commands(&definition);
    match commands.len() {
        0 => {}
        1 => fields.set_missing(Field::ProcessCommandLine, commands.swap_remove(0)),
        _ => {
            let commands = commands.into_iter().map(Value::from).collect();
            fields.set_missing(Field::ProcessCommandLine, Value::List(commands));
        }
    }
}

fn audit_policy(fields: &mut Fields<'_, '_>) {
    let name = said(fields, Slot::SubcategoryGuid).and_then(|guid| codes::subcategory(&guid));
    if let Some(name) = name {
        fields.add_other(Cow::Borrowed("winlog.audit.subcategory"), Value::from(name));
    }
    let changes = first(fields, Slot::AuditPolicyChanges).and_then(Value::as_str);
    let changes = changes.unwrap_or_default().split(',').map(str::trim);
    let mut changes: Vec<Value<'static>> =
        changes.filter_map(codes::audit_change).map(Value::from).collect();
    changes.truncate(4);
    if !changes.is_empty() {
        fields.add_other(Cow::Borrowed("winlog.audit.changes"), Value::List(changes));
    }
}
