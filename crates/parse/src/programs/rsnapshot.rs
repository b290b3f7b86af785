//! rsnapshot: backups that began, ended, warned and failed; from syslog and from its own log.

use bergfried_event::{Event, Field, FieldName};

use super::{FAILURE, Program, SUCCESS, level, outcome, push_text};
use crate::Context;
use crate::line::Line;
use crate::stamp;

pub(super) const PROGRAM: Program = Program { name: "rsnapshot", tags: &["rsnapshot"], read };

/// How the commands begin that rsnapshot writes down as it runs them.
const STEPS: [&str; 10] = [
    "echo ",
    "mv ",
    "touch ",
    "rm -f ",
    "/bin/rm ",
    "/bin/cp ",
    "/bin/mv ",
    "/usr/bin/rsync ",
    "native_cp_al(",
    "cd ",
];

/// `[2026-11-21T02:28:30] /usr/bin/rsnapshot hourly: started`; older versions write the time as web
/// servers do.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let (inside, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let (created, after) =
        stamp::iso(inside, context).or_else(|| stamp::common_log(inside, context))?;
    let is_one = rest.contains("rsnapshot")
        || rest.starts_with("WARNING: Some files and/or directories in ")
        || STEPS.iter().any(|step| rest.starts_with(step));
    if !after.is_empty() || !is_one {
        return None;
    }
    let mut line = Line::bare(rest, created.unwrap_or(context.received));
    line.program = Some("rsnapshot".into());
    Some(line)
}

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let (warned, said) = match message.strip_prefix("WARNING: ") {
        Some(rest) => (true, rest),
        None => (false, message),
    };
    event.push(Field::EventModule, "rsnapshot");
    event.push(Field::EventKind, "event");
    // `/usr/bin/rsnapshot -c /etc/rsnapshot.conf hourly: completed successfully`
    let run = said.split_once(": ").filter(|(command, _)| command.contains("rsnapshot"));
    let (action, result, code) = match run {
        Some((command, what)) => {
            let interval = command.rsplit(' ').next().filter(|word| !word.contains('/'));
            push_named(event, "rsnapshot.interval", interval.unwrap_or_default());
            match what {
                "started" => ("backup-started", None, 6),
                "completed successfully" => ("backup-completed", Some(SUCCESS), 6),
                "completed, but with some warnings" => ("backup-completed", Some(SUCCESS), 4),
                _ => match what.strip_prefix("ERROR: ") {
                    Some(reason) => {
                        push_text(event, Field::EventReason, reason);
                        ("backup-failed", Some(FAILURE), 3)
                    }
                    None => ("backup-note", None, 6),
                },
            }
        }
        None => match said.strip_prefix("ERROR: ") {
            Some(reason) => {
                push_text(event, Field::EventReason, reason);
                ("backup-failed", Some(FAILURE), 3)
            }
            None if warned => {
                push_text(event, Field::EventReason, said);
                ("backup-warned", None, 4)
            }
            None => ("backup-step", None, 6),
        },
    };
    event.push(Field::EventAction, action);
    if let Some(result) = result {
        outcome(event, result);
    }
    level(event, code);
}

fn push_named<'a>(event: &mut Event<'a>, name: &'static str, value: &'a str) {
    if !value.is_empty() {
        event.push_named(FieldName::Other(name.into()), value);
    }
}
