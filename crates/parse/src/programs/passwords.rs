//! Passwords and account details: passwd, chpasswd, chage, chfn and chsh.

use bergfried_event::{Event, Field};

use super::users::{iam, quoted};
use super::{FAILURE, Program, SUCCESS, pam, push_text};

pub(super) const PROGRAM: Program = Program {
    name: "passwords",
    tags: &["passwd", "chpasswd", "chgpasswd", "chage", "chfn", "chsh", "yppasswdd", "pwconv"],
    read,
};

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if !password(message, event) && !details(message, event) && !refused(message, event) {
        pam::read_text(None, message, event);
    }
}

/// `password for 'bob' changed by 'root'`, and the older `` password for `bob' changed … ``.
fn password<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(rest) =
        message.strip_prefix("password for ").or_else(|| message.strip_prefix("password of user "))
    else {
        return false;
    };
    let (user, rest) = quoted(rest);
    let Some(by) = rest.strip_prefix(" changed") else { return false };
    iam(event, "changed-password", SUCCESS);
    let actor = by.strip_prefix(" by ").map_or(user, |actor| quoted(actor).0);
    push_text(event, Field::UserName, actor);
    push_text(event, Field::UserTargetName, user);
    true
}

/// `changed password expiry for bob`, `changed user 'bob' information`,
/// `changed user 'bob' shell to '/bin/sh'`.
fn details<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(user) = message.strip_prefix("changed password expiry for ") {
        iam(event, "changed-password-expiry", SUCCESS);
        let user = quoted(user).0;
        push_text(event, Field::UserName, user);
        push_text(event, Field::UserTargetName, user);
        return true;
    }
    let Some(rest) =
        message.strip_prefix("changed user ").or_else(|| message.strip_prefix("change user "))
    else {
        return false;
    };
    let (user, what) = quoted(rest);
    iam(event, "modified-user-account", SUCCESS);
    push_text(event, Field::UserName, user);
    push_text(event, Field::UserTargetName, user);
    push_text(event, Field::EventReason, what.trim_start());
    true
}

/// `can't view or modify password information for bob`, `cannot change …`, `Authentication failed`.
fn refused<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let user = message
        .strip_prefix("can't view or modify password information for ")
        .or_else(|| message.strip_prefix("no user '"))
        .or_else(|| message.strip_prefix("no such user "));
    let failed = message.starts_with("cannot ") || message.starts_with("Authentication fail");
    if user.is_none() && !failed {
        return false;
    }
    iam(event, "changed-password", FAILURE);
    if let Some(user) = user {
        push_text(event, Field::UserTargetName, quoted(user).0.trim_end_matches('\''));
    }
    event.push(Field::EventReason, message);
    true
}
