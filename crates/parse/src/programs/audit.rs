//! Records of Linux audit that came through syslog or the kernel's log: one line each, as auditd's
//! plug-in for syslog hands them on, and as the kernel prints them where no daemon listens.

use bergfried_event::Event;

use super::Program;

pub(super) const PROGRAM: Program =
    Program { name: "audit", tags: &["audispd", "audisp-syslog", "auditd"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if bergfried_audit::is_record(message.as_bytes()) {
        bergfried_audit::read_into(message, event);
    }
}

/// Reads a message that is a record of audit, of programs that say other things too; true where it
/// is one. The kernel writes `audit: type=1400 audit(…): …`, before 3.17 without the first word.
pub(super) fn read_among_others<'a>(
    program: Option<&str>,
    message: &'a str,
    event: &mut Event<'a>,
) -> bool {
    if !matches!(program, Some("kernel" | "audit")) {
        return false;
    }
    let record = match message.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((uptime, rest)) if uptime.bytes().all(|b| matches!(b, b' ' | b'.' | b'0'..=b'9')) => {
            rest
        }
        _ => message,
    };
    let record = record.strip_prefix("audit: ").unwrap_or(record);
    let is_record = bergfried_audit::is_record(record.as_bytes());
    if is_record {
        bergfried_audit::read_into(record, event);
    }
    is_record
}
