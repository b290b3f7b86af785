//! su, of util-linux, shadow-utils, coreutils and the BSDs.

use bergfried_event::{Event, Field};

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, push_text};

pub(super) const PROGRAM: Program = Program { name: "su", tags: &["su", "runuser", "su-l"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let understood = to_target(message, event)
        || in_words(message, event)
        || with_sign(message, event)
        || bsd(message, event)
        || changing(message, event);
    if !understood && !phrase::read(PHRASES, message, event) {
        pam::read_text(Some("su"), message, event);
    }
}

pub(super) const PHRASES: &[Phrase] = &[
    Phrase("pam_authenticate: {any}", "authentication", FAILURE),
    Phrase("pam_acct_mgmt: {any}", "authentication", FAILURE),
];

/// `(to root) bob on pts/1`, `FAILED SU (to root) bob on pts/0` (util-linux, shadow-utils).
fn to_target<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let (result, rest) = match message.strip_prefix("FAILED SU ") {
        Some(rest) => (FAILURE, rest),
        None => (SUCCESS, message),
    };
    let Some((target, rest)) = rest.strip_prefix("(to ").and_then(|rest| rest.split_once(") "))
    else {
        return false;
    };
    let (user, tty) = rest.rsplit_once(" on ").unwrap_or((rest, ""));
    switched(event, result, user, target, tty);
    true
}

/// `Successful su for root by bob`, `FAILED su for root by bob` (shadow-utils).
fn in_words<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let (result, rest) = match message.strip_prefix("Successful su for ") {
        Some(rest) => (SUCCESS, rest),
        None => match message
            .strip_prefix("FAILED su for ")
            .or_else(|| message.strip_prefix("failed su for "))
        {
            Some(rest) => (FAILURE, rest),
            None => return false,
        },
    };
    let Some((target, user)) = rest.rsplit_once(" by ") else { return false };
    switched(event, result, user, target, "");
    true
}

/// `+ pts/5 bob:root`, `- pts/6 bob:root` (shadow-utils, SYSLOG_SU_ENAB).
fn with_sign<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let (result, rest) = match message.strip_prefix("+ ") {
        Some(rest) => (SUCCESS, rest),
        None => match message.strip_prefix("- ") {
            Some(rest) => (FAILURE, rest),
            None => return false,
        },
    };
    let Some((tty, names)) = rest.split_once(' ') else { return false };
    // Older ones join the names with `-`, which names may hold themselves.
    let Some((user, target)) = names.rsplit_once(':').or_else(|| names.rsplit_once('-')) else {
        return false;
    };
    switched(event, result, user, target, tty);
    true
}

/// `BAD SU bob to root on /dev/ttyp0`, `bob to root on /dev/ttyp0` (BSD), and
/// `'su root' failed for bob on /dev/pts/1`, `'su root' succeeded for bob on …` (Solaris).
fn bsd<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    if let Some((target, rest)) =
        message.strip_prefix("'su ").and_then(|rest| rest.split_once("' "))
    {
        let (result, rest) = match rest.strip_prefix("succeeded for ") {
            Some(rest) => (SUCCESS, rest),
            None => match rest.strip_prefix("failed for ") {
                Some(rest) => (FAILURE, rest),
                None => return false,
            },
        };
        let (user, tty) = rest.rsplit_once(" on ").unwrap_or((rest, ""));
        switched(event, result, user, target, tty);
        return true;
    }
    let (result, rest) = match message.strip_prefix("BAD SU ") {
        Some(rest) => (FAILURE, rest),
        None => (SUCCESS, message.strip_prefix("SU ").unwrap_or(message)),
    };
    let Some((names, tty)) = rest.rsplit_once(" on ") else { return false };
    let Some((user, target)) = names.rsplit_once(" to ") else { return false };
    if user.contains(' ') || tty.contains(' ') {
        return false;
    }
    switched(event, result, user, target, tty);
    true
}

/// `succeeded: ttyq4 changing from bob to root`, `failed: …` (System V).
fn changing<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let (result, rest) = match message.strip_prefix("succeeded: ") {
        Some(rest) => (SUCCESS, rest),
        None => match message.strip_prefix("failed: ") {
            Some(rest) => (FAILURE, rest),
            None => return false,
        },
    };
    let Some((tty, names)) = rest.split_once(" changing from ") else { return false };
    let Some((user, target)) = names.rsplit_once(" to ") else { return false };
    switched(event, result, user, target, tty);
    true
}

fn switched<'a>(
    event: &mut Event<'a>,
    result: &'static str,
    user: &'a str,
    target: &'a str,
    tty: &'a str,
) {
    classify(event, "authentication", "su");
    outcome(event, result);
    push_text(event, Field::UserName, user);
    push_text(event, Field::UserEffectiveName, target);
    if tty != "none" {
        push_text(event, Field::ProcessTty, tty);
    }
}
