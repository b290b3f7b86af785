//! Records that say that something is missing in a log.

use bergfried_event::Timestamp;
use bergfried_source::JournalGap;

use crate::audit::Gap;
use crate::observers::record::Record;

/// Stands where the path of a file would.
pub(crate) const ORIGIN: &str = "tamper";
/// `event.module` of whatever is told of log files.
pub(crate) const MODULE: &str = "log_tamper";

/// Serials of an audit log that never came.
pub(crate) fn audit_gap(path: &str, gap: &Gap, now: Timestamp) -> Vec<u8> {
    let (first, last, missing) = (gap.first, gap.last, gap.missing());
    let events = if missing == 1 { "event is" } else { "events are" };
    let of = if gap.node.is_empty() { String::new() } else { format!(" of {}", gap.node) };
    let message =
        format!("{missing} {events} missing in {path}{of}: serials {first} to {last} never came");
    gap_of("audit-gap", message, (first, last, missing), now)
        .with("file.path", path)
        .with("log_tamper.node", gap.node.as_str())
        .into_json()
}

/// Entries that journald counted and that the journal does not have.
pub(crate) fn journal_gap(gap: &JournalGap, now: Timestamp) -> Vec<u8> {
    let (first, last, missing) = (gap.first, gap.last, gap.missing());
    let entries = if missing == 1 { "entry is" } else { "entries are" };
    let message = format!("{missing} {entries} missing in the journal: numbers {first} to {last}");
    gap_of("journal-gap", message, (first, last, missing), now)
        .with("log_tamper.sequence", gap.sequence.as_str())
        .into_json()
}

/// Records that an event log of Windows wrote over before they were read.
pub(crate) fn event_log_gap(channel: &str, (first, last): (u64, u64), now: Timestamp) -> Vec<u8> {
    let missing = last.saturating_sub(first).saturating_add(1);
    let records = if missing == 1 { "record is" } else { "records are" };
    let message = format!(
        "{missing} {records} missing in the event log {channel}: numbers {first} to {last} were \
         written over before they were read"
    );
    gap_of("event-log-gap", message, (first, last, missing), now)
        .with("winlog.channel", channel)
        .into_json()
}

fn gap_of(
    action: &str,
    message: String,
    (first, last, missing): (u64, u64, u64),
    now: Timestamp,
) -> Record {
    Record::new(MODULE, ("file", "info"), action, message, now)
        .with("log_tamper.missing", missing)
        .with("log_tamper.first", first)
        .with("log_tamper.last", last)
}
