//! What an event looks like to a rule of SEC: lines of a log file.

use std::borrow::Cow;

use bergfried_event::{Event, Field, SourceKind};

/// The most lines of one event.
const MAX_LINES: usize = 256;

/// The lines of an event: its text as it was received; of an entry of a journal, which is an object,
/// the line that a syslog daemon would have written of it.
pub(super) fn lines<'e>(event: &'e Event<'_>) -> impl Iterator<Item = Cow<'e, str>> {
    let is_entry = event.text(Field::InputType) == Some(SourceKind::Journald.name());
    let entry = is_entry.then(|| Cow::Owned(composed(event)));
    let text = if is_entry { "" } else { event.original() };
    entry.into_iter().chain(text.lines().map(Cow::Borrowed)).take(MAX_LINES)
}

/// `2026-11-22T02:10:00+00:00 host program[pid]: message`, one line.
fn composed(event: &Event<'_>) -> String {
    let stamp = event.created().to_string();
    let mut line = format!("{}+00:00", stamp.get(..19).unwrap_or(&stamp));
    if let Some(host) = event.text(Field::HostName) {
        line.push(' ');
        line.push_str(host);
    }
    line.push(' ');
    line.push_str(event.text(Field::ProcessName).unwrap_or("-"));
    if let Some(pid) = event.get(Field::ProcessPid) {
        line.push('[');
        line.push_str(&pid.to_text());
        line.push(']');
    }
    line.push_str(": ");
    line.push_str(&event.text(Field::Message).unwrap_or_default().replace('\n', " "));
    line
}

/// Where the lines come from: the file, else the input that took them, else the kind of source.
pub(super) fn source<'e>(event: &'e Event<'_>) -> &'e str {
    let first = [Field::LogFilePath, Field::InputName, Field::InputType];
    first
        .into_iter()
        .find_map(|field| event.text(field).filter(|text| !text.is_empty()))
        .unwrap_or_default()
}

/// The value of a field of the event by its name.
pub(super) fn field(event: &Event<'_>, name: &str) -> Option<Vec<u8>> {
    let name = bergfried_event::FieldName::new(name);
    Some(event.get_named(&name)?.to_text().into_owned().into_bytes())
}
