//! One readable line for an event that brings none: Windows keeps the texts of its events elsewhere.

use bergfried_event::Field;

use super::actions::Action;
use crate::json::fields::Fields;

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
        line.push_str(before);
        line.push_str(text.get(..text.floor_char_boundary(SHOWN)).unwrap_or(text));
        true
    };
    let _some = ABOUT.into_iter().any(|field| add(": ", field));
    add(", from ", Field::SourceIp);
    add(", to ", Field::DestinationIp);
    line
}
