//! sudo: commands run and refused (sudoers(5), "EVENT LOGGING").

use bergfried_event::{Event, Field};

use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, push_text};
use crate::line::set_other;
use crate::text::number;

pub(super) const PROGRAM: Program = Program { name: "sudo", tags: &["sudo", "sudoedit"], read };

/// Keys in the order in which sudo writes them; a value may hold ` ; ` of its own, so the next key
/// is looked for in this order only.
const KEYS: [&str; 11] = [
    "HOST=", "TTY=", "CHROOT=", "CWD=", "PWD=", "USER=", "GROUP=", "TSID=", "SIGNAL=", "EXIT=",
    "ENV=",
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let Some((user, rest)) = message.split_once(" : ") else {
        pam::read_text(Some("sudo"), message, event);
        return;
    };
    let user = user.trim_matches(' ');
    push_text(event, Field::UserName, user);
    if let Some(command) = rest.strip_prefix("(command continued) ") {
        classify(event, "process", "executed-command");
        push_text(event, Field::ProcessCommandLine, command);
        return;
    }
    let (reason, pairs) = match rest.split_once('=') {
        // The first part holds a key already: nothing was refused.
        Some((key, _)) if KEYS.contains(&keyed(key)) || key == "COMMAND" => ("", rest),
        _ => rest.split_once(" ; ").unwrap_or((rest, "")),
    };
    push_text(event, Field::EventReason, reason);
    if ["unable to ", "problem with "].iter().any(|start| reason.starts_with(start)) {
        // A complaint about the host or the configuration; the command has a line of its own.
        classify(event, "process", "sudo_warning");
        return read_pairs(pairs, event);
    }
    classify(event, "process", "executed-command");
    if reason.is_empty() {
        outcome(event, SUCCESS);
    } else {
        outcome(event, FAILURE);
        if let Some((count, after)) = reason.split_once(' ')
            && after.starts_with("incorrect password attempt")
            && let Some(count) = number(count.as_bytes())
        {
            event.push(Field::EventCount, count);
        }
    }
    read_pairs(pairs, event);
}

/// The key with its `=`, or the empty text for none of them.
fn keyed(key: &str) -> &'static str {
    KEYS.into_iter().find(|known| known.strip_suffix('=') == Some(key)).unwrap_or("")
}

fn read_pairs<'a>(mut pairs: &'a str, event: &mut Event<'a>) {
    let mut known = KEYS.as_slice();
    while !pairs.is_empty() {
        if let Some(command) = pairs.strip_prefix("COMMAND=") {
            push_text(event, Field::ProcessCommandLine, command);
            return;
        }
        let Some(position) = known.iter().position(|key| pairs.starts_with(key)) else { return };
        let (Some((key, later)), rest) =
            (known.get(position..).and_then(|k| k.split_first()), pairs)
        else {
            return;
        };
        known = later;
        let Some(value_and_rest) = rest.strip_prefix(*key) else { return };
        let (value, rest) = value_before_next(value_and_rest, later);
        push_pair(key, value, event);
        pairs = rest;
    }
}

/// The value up to the ` ; ` that a later key follows.
fn value_before_next<'a>(text: &'a str, later: &[&str]) -> (&'a str, &'a str) {
    let mut searched = 0;
    while let Some(at) = text.get(searched..).and_then(|rest| rest.find(" ; ")) {
        let at = searched + at;
        let Some(rest) = text.get(at + 3..) else { break };
        if rest.starts_with("COMMAND=") || later.iter().any(|key| rest.starts_with(key)) {
            return (text.get(..at).unwrap_or(text), rest);
        }
        searched = at + 3;
    }
    (text, "")
}

fn push_pair<'a>(key: &str, value: &'a str, event: &mut Event<'a>) {
    match key {
        "TTY=" => push_text(event, Field::ProcessTty, value),
        "CWD=" | "PWD=" => push_text(event, Field::ProcessWorkingDirectory, value),
        "USER=" => push_text(event, Field::UserEffectiveName, value),
        "GROUP=" => push_text(event, Field::GroupName, value),
        "TSID=" => set_other(event, "sudo.session_id", value),
        "ENV=" => set_other(event, "sudo.environment", value),
        "SIGNAL=" => set_other(event, "sudo.signal", value),
        "EXIT=" => set_other(event, "sudo.exit_code", value),
        "CHROOT=" => set_other(event, "sudo.chroot", value),
        _ => set_other(event, "sudo.host", value),
    }
}
