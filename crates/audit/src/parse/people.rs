//! Who did it, and to whom: users, groups and where they came from.

use std::borrow::Cow;
use std::net::IpAddr;

use bergfried_event::{Event, Field};

use super::context::Context;
use super::push as set;
use crate::group::Group;
use crate::meaning;
use crate::record_type::RecordType;

/// Places in [`IDS`](crate::group::IDS).
const AUID: usize = 0;
const UID: usize = 1;
const GID: usize = 2;

/// Sets the fields of users and groups.
pub(super) fn push<'a>(group: &Group<'a>, event: &mut Event<'a>) {
    let kind = group.types.first().map_or(RecordType::UNKNOWN, |(kind, _)| *kind);
    let actor = match group.id(AUID) {
        None => "unknown",
        Some("unset") => "agent",
        Some(_) => "human",
    };
    set(event, "auditd.actor", actor);
    // PAM's `acct="?"` is no account, but that nobody was named.
    let account = owned(group.datum("acct")).filter(|name| name != "?");
    // A login is about the account that is logged in to, not about the daemon that asks.
    let is_login = kind != RecordType::LOGIN
        && (meaning::class(kind) == "user-login" || matches!(kind.0, 2100..=2104))
        && (account.is_some() || group.datum("id").is_some());
    if is_login && kind.0 != 1108 {
        text(event, Field::UserName, account.or_else(|| owned(group.named())));
        text(event, Field::UserId, owned(group.datum("id")));
        if let Some(uid) = group.id(UID) {
            set(event, "auditd.data.uid", uid);
        }
    } else {
        text(event, Field::UserId, group.id(UID).map(Cow::Borrowed));
        text(event, Field::UserName, group.name(UID).map(Cow::Borrowed));
        target(group, kind, account, event);
    }
    text(event, Field::UserEffectiveId, group.id(3).map(Cow::Borrowed));
    text(event, Field::UserEffectiveName, group.name(3).map(Cow::Borrowed));
    text(event, Field::GroupId, group.id(GID).map(Cow::Borrowed));
    text(event, Field::GroupName, group.name(GID).map(Cow::Borrowed));
    for (place, id, name) in [
        (AUID, "user.audit.id", "user.audit.name"),
        (4, "user.saved.id", ""),
        (5, "user.filesystem.id", ""),
        (6, "user.effective.group.id", ""),
        (7, "user.saved.group.id", ""),
        (8, "user.filesystem.group.id", ""),
    ] {
        if let Some(number) = group.id(place) {
            set(event, id, number);
        }
        if let Some(named) = group.name(place).filter(|_| !name.is_empty()) {
            set(event, name, named);
        }
    }
    selinux(group, event);
    source(group, kind, event);
}

/// The account or group that an administrator changed.
fn target<'a>(
    group: &Group<'a>,
    kind: RecordType,
    account: Option<Cow<'a, str>>,
    event: &mut Event<'a>,
) {
    let id = owned(group.datum("id"));
    match kind.0 {
        1116 | 1117 | 1132 | 1133 => {
            let name = owned(group.datum("grp")).or(account).or_else(|| owned(group.named()));
            text(event, Field::GroupName, name);
            text(event, Field::GroupId, id);
        }
        1102 | 1108 | 1114 | 1115 | 1135 | 1136 | 2301 | 2302 => {
            text(event, Field::UserTargetName, account.or_else(|| owned(group.named())));
            text(event, Field::UserTargetId, id);
            text(event, Field::UserTargetGroup, owned(group.datum("grp")));
        }
        _ => {}
    }
}

/// The security context that it ran in; AppArmor's are no more than a name.
fn selinux<'a>(group: &Group<'a>, event: &mut Event<'a>) {
    let Some(subject) = group.subject else { return };
    match Context::read(subject) {
        None => set(event, "auditd.data.subj", subject),
        Some(context) => {
            set(event, "user.selinux.user", context.user);
            set(event, "user.selinux.role", context.role);
            set(event, "user.selinux.domain", context.domain);
            for (name, value) in
                [("user.selinux.level", context.level), ("user.selinux.category", context.category)]
            {
                if !value.is_empty() {
                    set(event, name, value);
                }
            }
        }
    }
}

/// Where a person or a session came from, as the program says that let them in.
fn source<'a>(group: &Group<'a>, kind: RecordType, event: &mut Event<'a>) {
    if !matches!(kind.0, 1005 | 1100..1200 | 2100..2200 | 2400..2500) {
        return;
    }
    let address = |name: &str| group.datum(name).and_then(|text| text.parse::<IpAddr>().ok());
    let from = address("addr").or_else(|| address("hostname"));
    if let Some(address) = from {
        event.push(Field::SourceIp, address.to_canonical().to_string());
    }
    if let Some(host) = group.datum("hostname")
        && host.parse::<IpAddr>().is_err()
        && from.is_some()
    {
        event.push(Field::SourceDomain, host.to_owned());
    }
    let port = |name: &str| group.datum(name).and_then(|text| text.parse::<u16>().ok());
    if let Some(port) = port("rport") {
        event.push(Field::SourcePort, i64::from(port));
    }
    if let Some(address) = address("laddr") {
        event.push(Field::DestinationIp, address.to_canonical().to_string());
    }
    if let Some(port) = port("lport") {
        event.push(Field::DestinationPort, i64::from(port));
    }
}

fn owned<'a>(text: Option<&str>) -> Option<Cow<'a, str>> {
    text.map(|text| Cow::Owned(text.to_owned()))
}

fn text<'a>(event: &mut Event<'a>, field: Field, text: Option<Cow<'a, str>>) {
    super::push_text(event, field, text);
}
