//! One readable line for an event that brings none: Windows keeps the texts of its events elsewhere.

use bergfried_event::Field;

use super::actions::Action;
use super::said;
use crate::json::fields::Fields;
use crate::json::slot::Slot;

/// How much of a value the line shows, in bytes.
const SHOWN: usize = 256;

/// What the event is most about, the first that it has.
const ABOUT: [Field; 9] = [
    Field::ProcessCommandLine,
    Field::FilePath,
    Field::RegistryPath,
    Field::DnsQuestionName,
    Field::ServiceName,
    Field::UserTargetName,
    Field::UserTargetGroup,
    Field::UserName,
    Field::ProcessExecutable,
];

/// What happened, to what, and between which addresses: `logon-failed: anna, from 203.0.113.7`.
pub(super) fn of(fields: &Fields<'_, '_>, code: i64, action: Option<&Action>) -> String {
    let mut line = match action {
        Some(action) => action.action.to_owned(),
        None => format!("event {code}"),
    };
    let mut add = |before: &str, field: Field| {
        let Some(text) = fields.text_of(field) else { return false };
        push(&mut line, before, text);
        true
    };
    if fields.has(Field::GroupName) {
        // A member that has no name has an identifier.
        let _some = [Field::UserTargetName, Field::UserTargetId].into_iter().any(|f| add(": ", f));
        add(", group ", Field::GroupName);
    } else if let Some(named) = named(fields, code) {
        push(&mut line, ": ", &named);
        if let Some(command) = fields.text_of(Field::ProcessCommandLine) {
            push(&mut line, ", runs ", command);
        }
    } else {
        let _some = ABOUT.into_iter().any(|field| add(": ", field));
        add(", from ", Field::SourceIp);
        add(", to ", Field::DestinationIp);
    }
    line
}

/// What goes by a name of its own, or is a text itself.
fn named<'a>(fields: &Fields<'a, '_>, code: i64) -> Option<std::borrow::Cow<'a, str>> {
    let slot = match code {
        4104 => Slot::ScriptBlockText,
        4697 | 7045 => Slot::ServiceName,
        4698..=4702 => Slot::TaskName,
        _ => return None,
    };
    said(fields, slot)
}

fn push(line: &mut String, before: &str, text: &str) {
    line.push_str(before);
    let shown = text.get(..text.floor_char_boundary(SHOWN)).unwrap_or(text);
    line.extend(shown.chars().map(|c| if c.is_control() { ' ' } else { c }));
}
