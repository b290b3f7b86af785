//! Accounts of users: useradd, userdel, usermod and newusers of shadow-utils.

use bergfried_event::{Event, Field};

use super::groups::membership;
use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, push_text};

pub(super) const PROGRAM: Program = Program {
    name: "users",
    tags: &["useradd", "userdel", "usermod", "newusers", "adduser", "deluser"],
    read,
};

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let understood = added(message, event)
        || deleted(message, event)
        || membership(message, event)
        || changed(message, event)
        || failed(message, event)
        || super::groups::group(message, event)
        || super::groups::suse(message, event);
    if !understood {
        pam::read_text(None, message, event);
    }
}

/// `new user: name=bob, UID=1000, GID=1000, home=/home/bob, shell=/bin/sh, from=/dev/pts/1`, and
/// SUSE's `new account added - account=bob, uid=1000, …`.
fn added<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(rest) = message
        .strip_prefix("new user: name=")
        .or_else(|| message.strip_prefix("new account added - account="))
    else {
        return false;
    };
    iam(event, "added-user-account", SUCCESS);
    let (name, rest) = rest.split_once(", ").unwrap_or((rest, ""));
    push_account(name, event);
    for pair in rest.split(", ") {
        match pair.split_once('=') {
            Some(("UID" | "uid", id)) => push_text(event, Field::UserId, id),
            Some(("GID" | "gid", id)) => push_text(event, Field::GroupId, id),
            Some(("from", tty)) if tty != "none" => push_text(event, Field::ProcessTty, tty),
            _ => {}
        }
    }
    true
}

/// `delete user 'bob'`, and the older `delete user `bob'` and `remove user bob`.
fn deleted<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(rest) =
        message.strip_prefix("delete user ").or_else(|| message.strip_prefix("remove user "))
    else {
        return false;
    };
    iam(event, "deleted-user-account", SUCCESS);
    push_account(quoted(rest).0, event);
    true
}

/// `change user 'bob' shell from 'a' to 'b'`, `lock user 'bob' password`,
/// `change user name 'bob' to 'rob'`.
fn changed<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(rest) = message.strip_prefix("change user name ") {
        let (old, rest) = quoted(rest);
        iam(event, "renamed-user-account", SUCCESS);
        push_account(old, event);
        if let Some(new) = rest.strip_prefix(" to ") {
            push_text(event, Field::UserEffectiveName, quoted(new).0);
        }
        return true;
    }
    let Some((verb, rest)) = message.split_once(" user ") else { return false };
    let (user, what) = quoted(rest);
    let action = match (verb, what.trim_start()) {
        ("lock", "password") => "locked-user-account",
        ("unlock", "password") => "unlocked-user-account",
        ("change" | "changed" | "remove" | "delete", "password") => "changed-password",
        ("change" | "changed", _) => "modified-user-account",
        _ => return false,
    };
    iam(event, action, SUCCESS);
    push_account(user, event);
    push_text(event, Field::EventReason, what.trim_start());
    true
}

/// `failed adding user 'bob', exit code: 9`, `failed deleting user 'bob'`, `cannot …`.
fn failed<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some((doing, rest)) =
        message.strip_prefix("failed ").and_then(|rest| rest.split_once(" user "))
    else {
        return false;
    };
    let action = match doing {
        "adding" | "to add" | "to create" => "added-user-account",
        "deleting" | "to delete" | "removing" | "to remove" => "deleted-user-account",
        _ => "modified-user-account",
    };
    iam(event, action, FAILURE);
    let (user, reason) = quoted(rest);
    push_account(user, event);
    push_text(event, Field::EventReason, reason.trim_start_matches([',', ' ']));
    true
}

pub(super) fn iam(event: &mut Event<'_>, action: &'static str, result: &'static str) {
    classify(event, "iam", action);
    outcome(event, result);
}

/// The account worked on; who did it, these programs do not say.
fn push_account<'a>(name: &'a str, event: &mut Event<'a>) {
    push_text(event, Field::UserName, name);
    push_text(event, Field::UserTargetName, name);
}

/// Reads a name in `'…'` or `` `…' ``, or a bare word; gives what follows.
pub(super) fn quoted(text: &str) -> (&str, &str) {
    match text.strip_prefix(['\'', '`']) {
        Some(inside) => inside.split_once('\'').unwrap_or((inside, "")),
        None => {
            let end = text.find([' ', ',']).unwrap_or(text.len());
            text.split_at_checked(end).unwrap_or((text, ""))
        }
    }
}
