//! Groups: groupadd, groupdel, groupmod, groupmems, gpasswd and newgrp of shadow-utils.

use bergfried_event::{Event, Field};

use super::phrase::{self, Phrase};
use super::users::{iam, quoted};
use super::{FAILURE, Program, SUCCESS, pam, push_text};

pub(super) const PROGRAM: Program = Program {
    name: "groups",
    tags: &[
        "groupadd",
        "groupdel",
        "groupmod",
        "groupmems",
        "gpasswd",
        "newgrp",
        "sg",
        "addgroup",
        "delgroup",
    ],
    read,
};

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let understood = membership(message, event)
        || by_administrator(message, event)
        || group(message, event)
        || group_of_login(message, event)
        || suse(message, event);
    if !understood {
        pam::read_text(None, message, event);
    }
}

/// What SUSE's own versions of these programs said.
pub(super) fn suse<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    phrase::read(SUSE, message, event)
}

pub(super) const SUSE: &[Phrase] = &[
    Phrase(
        "new group added - group={group}, gid={word}, by={word}",
        "added-group-account",
        SUCCESS,
    ),
    Phrase(
        "group deleted - group={group}, gid={word}, by={word}",
        "deleted-group-account",
        SUCCESS,
    ),
    Phrase(
        "account added to group - account={name}, group={group}, gid={word}, by={word}",
        "user-added-to-group",
        SUCCESS,
    ),
    Phrase(
        "group removed from /etc/group: name={group}, GID={word}",
        "deleted-group-account",
        SUCCESS,
    ),
];

/// `add 'bob' to group 'sudo'`, `delete 'bob' from shadow group 'sudo'`,
/// `user bob added by root to group sudo`, `user bob removed by root from group sudo`.
pub(super) fn membership<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let read = if let Some(rest) = message.strip_prefix("add ") {
        member(rest, " to ").map(|(user, group)| ("user-added-to-group", user, user, group))
    } else if let Some(rest) =
        message.strip_prefix("delete ").or_else(|| message.strip_prefix("remove "))
    {
        member(rest, " from ").map(|(user, group)| ("user-removed-from-group", user, user, group))
    } else if let Some(rest) = message.strip_prefix("user ") {
        by_gpasswd(rest)
    } else {
        None
    };
    let Some((action, actor, user, group)) = read else { return false };
    iam(event, action, SUCCESS);
    push_text(event, Field::UserName, actor);
    push_text(event, Field::UserTargetName, user);
    push_text(event, Field::GroupName, group);
    true
}

/// `'bob' to group 'sudo'`, `'bob' to shadow group 'sudo'`.
fn member<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let (user, rest) = quoted(text);
    let rest = rest.strip_prefix(word)?;
    let group = rest.strip_prefix("shadow ").unwrap_or(rest).strip_prefix("group ")?;
    Some((user, quoted(group).0))
}

/// `bob added by root to group sudo` after `user `.
fn by_gpasswd(text: &str) -> Option<(&'static str, &str, &str, &str)> {
    let (action, user, rest) = if let Some((user, rest)) = text.split_once(" added by ") {
        ("user-added-to-group", user, rest)
    } else {
        let (user, rest) = text.split_once(" removed by ")?;
        ("user-removed-from-group", user, rest)
    };
    let (actor, group) =
        rest.split_once(" to group ").or_else(|| rest.split_once(" from group "))?;
    Some((action, quoted(actor).0, quoted(user).0, quoted(group).0))
}

/// `members of group sudo set by root to bob,carol`, `password of group sudo changed by root`.
fn by_administrator<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some((what, rest)) = message.split_once(" of group ") else { return false };
    let (group, rest) = quoted(rest);
    let action = match what {
        "members" | "administrators" => "modified-group-account",
        "password" => "changed-group-password",
        _ => return false,
    };
    iam(event, action, SUCCESS);
    push_text(event, Field::GroupName, group);
    if let Some((_, actor)) = rest.split_once(" by ") {
        let (actor, members) = quoted(actor);
        push_text(event, Field::UserName, actor);
        push_text(event, Field::UserTargetName, members.strip_prefix(" to ").unwrap_or_default());
    }
    true
}

/// Lines about a group itself, which useradd and userdel write too.
pub(super) fn group<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let added = message.strip_prefix("new group: name=").or_else(|| {
        message
            .strip_prefix("group added to ")
            .and_then(|rest| rest.split_once(": name="))
            .map(|(_, rest)| rest)
    });
    if let Some(rest) = added {
        iam(event, "added-group-account", SUCCESS);
        let (name, rest) = rest.split_once(", ").unwrap_or((rest, ""));
        push_text(event, Field::GroupName, name);
        let id = rest.strip_prefix("GID=").or_else(|| rest.strip_prefix("gid="));
        push_text(event, Field::GroupId, id.unwrap_or_default());
        return true;
    }
    deleted(message, event) || modified(message, event) || failed(message, event)
}

/// `group 'ops' removed[ from /etc/group]`, `removed group 'ops' owned by 'ops'`,
/// `group deleted: name=ops`, `remove group 'ops'`.
fn deleted<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let name = if let Some(name) = message.strip_prefix("group deleted: name=") {
        Some(name)
    } else if let Some(rest) = message
        .strip_prefix("removed group ")
        .or_else(|| message.strip_prefix("removed shadow group "))
        .or_else(|| message.strip_prefix("remove group "))
        .or_else(|| message.strip_prefix("delete group "))
    {
        Some(quoted(rest).0)
    } else {
        message.strip_prefix("group ").and_then(|rest| {
            let (name, rest) = quoted(rest);
            rest.starts_with(" removed").then_some(name)
        })
    };
    let Some(name) = name else { return false };
    iam(event, "deleted-group-account", SUCCESS);
    push_text(event, Field::GroupName, name);
    true
}

/// `group changed in /etc/group (group ops/1001, new name: dev)`, `change group 'ops' to 'dev'`.
fn modified<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let name = if let Some(rest) = message.strip_prefix("group changed in ") {
        rest.split_once("(group ")
            .map(|(_, rest)| rest)
            .and_then(|rest| rest.split(['/', ',']).next())
    } else {
        message.strip_prefix("change group ").map(|rest| quoted(rest).0)
    };
    let Some(name) = name else { return false };
    iam(event, "modified-group-account", SUCCESS);
    push_text(event, Field::GroupName, name);
    true
}

/// `failed to add group ops`, `failed to remove group ops`, `cannot …`.
fn failed<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some((doing, rest)) =
        message.strip_prefix("failed ").and_then(|rest| rest.split_once(" group "))
    else {
        return false;
    };
    let action = match doing {
        "to add" | "adding" => "added-group-account",
        "to remove" | "removing" | "to delete" => "deleted-group-account",
        _ => "modified-group-account",
    };
    iam(event, action, FAILURE);
    push_text(event, Field::GroupName, quoted(rest).0);
    true
}

/// newgrp: `user 'bob' (login 'bob' on pts/1) switched to group 'ops'`,
/// `Invalid password for group 'ops' from 'bob'`.
fn group_of_login<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(rest) = message.strip_prefix("Invalid password for group ") {
        let (group, rest) = quoted(rest);
        iam(event, "switched-group", FAILURE);
        push_text(event, Field::GroupName, group);
        push_text(
            event,
            Field::UserName,
            quoted(rest.strip_prefix(" from ").unwrap_or_default()).0,
        );
        return true;
    }
    let Some((user, rest)) = message.strip_prefix("user ").map(quoted) else { return false };
    let group = rest
        .rsplit_once(" switched to group ")
        .or_else(|| rest.rsplit_once(" returned to group "))
        .map(|(_, group)| quoted(group).0);
    let Some(group) = group else { return false };
    iam(event, "switched-group", SUCCESS);
    push_text(event, Field::UserName, user);
    push_text(event, Field::GroupName, group);
    true
}
