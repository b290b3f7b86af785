//! cron and crontab, of Vixie, ISC, cronie and Debian: `(user) WHAT (detail)`.

use bergfried_event::{Event, Field};

use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, push_text};

pub(super) const PROGRAM: Program =
    Program { name: "cron", tags: &["cron", "crond", "crontab", "anacron", "atd", "fcron"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some((user, what, detail)) = split(message) else {
        pam::read_text(Some("cron"), message, event);
        return;
    };
    let (category, action, result) = match what {
        "CMD" | "CMDSTART" => ("process", "executed-command", SUCCESS),
        "CMDEND" | "CMDOUT" => ("process", "cron_output", SUCCESS),
        "LIST" => ("configuration", "crontab_list", SUCCESS),
        "REPLACE" => ("configuration", "crontab_replace", SUCCESS),
        "DELETE" => ("configuration", "crontab_delete", SUCCESS),
        "BEGIN EDIT" | "END EDIT" => ("configuration", "crontab_edit", SUCCESS),
        "RELOAD" => ("configuration", "cron_reload", SUCCESS),
        "AUTH" | "PERMISSION DENIED" => ("configuration", "crontab_denied", FAILURE),
        _ if what.starts_with("FAILED") || what.ends_with("ERROR") || what == "ORPHAN" => {
            ("process", "cron_error", FAILURE)
        }
        _ => return classify(event, "process", "cron_info"),
    };
    classify(event, category, action);
    outcome(event, result);
    if !user.starts_with('*') {
        push_text(event, Field::UserName, user);
    }
    match what {
        "CMD" | "CMDSTART" => push_text(event, Field::ProcessCommandLine, command(detail)),
        "LIST" | "REPLACE" | "DELETE" | "BEGIN EDIT" | "END EDIT" => {
            push_text(event, Field::UserTargetName, detail);
        }
        _ => push_text(event, Field::EventReason, detail),
    }
}

/// Takes `(user) WHAT (detail)` apart; the detail may hold brackets of its own.
fn split(message: &str) -> Option<(&str, &str, &str)> {
    let (user, rest) = message.strip_prefix('(')?.split_once(") ")?;
    let (what, detail) = rest.split_once(" (")?;
    let detail = detail.trim_end();
    Some((user, what, detail.strip_suffix(')').unwrap_or(detail)))
}

/// The command without the `[123] ` that older ones put before it, and surrounding spaces.
fn command(detail: &str) -> &str {
    let numbered = detail.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    match numbered {
        Some((pid, rest)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => rest.trim(),
        _ => detail.trim(),
    }
}
