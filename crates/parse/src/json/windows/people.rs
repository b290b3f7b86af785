//! Who acted and upon whom: the users of an event of Windows.

use std::borrow::Cow;

use bergfried_event::Field;

use super::actions::Log;
use super::said;
use crate::json::fields::Fields;
use crate::json::slot::Slot;

/// Where an event names a user.
struct Person {
    name: &'static [Slot],
    domain: &'static [Slot],
    id: &'static [Slot],
}

const SUBJECT: Person = Person {
    name: &[Slot::SubjectUserName],
    domain: &[Slot::SubjectDomainName],
    id: &[Slot::SubjectUserSid],
};
const TARGET: Person = Person {
    name: &[Slot::TargetUserName],
    domain: &[Slot::TargetDomainName],
    id: &[Slot::TargetUserSid, Slot::TargetSid],
};
/// The domain of who was locked out is the computer that tried.
const LOCKED_OUT: Person = Person { domain: &[], ..TARGET };
/// `DOMAIN\user` in one field, or NXLog's account of the System log.
const USER: Person = Person {
    name: &[Slot::User, Slot::SourceUser, Slot::AccountName],
    domain: &[Slot::AccountDomain],
    // `UserID` is the account that the event was logged under.
    id: &[],
};

/// A member of a group, by its distinguished name.
const MEMBER: Person = Person { name: &[Slot::MemberName], domain: &[], id: &[Slot::MemberSid] };

/// Sets the user who acts and, where the event has one, the user (or group) acted upon.
pub(super) fn complete(fields: &mut Fields<'_, '_>, log: Log, code: i64) {
    let (actors, target): (&[Person], _) = match (log, code) {
        // Logons, locks and Kerberos: whom it is about counts, or nobody; the subject is the machine.
        (
            Log::Security,
            4624 | 4625 | 4634 | 4647 | 4648 | 4768 | 4769 | 4771 | 4776 | 4778 | 4779,
        ) => (&[TARGET, USER], None),
        (Log::Security, 4740) => (&[LOCKED_OUT], None),
        // Groups: the target is the group, the member the user.
        (Log::Security, 4727..=4737 | 4754..=4758) => {
            if let Some(group) = said(fields, Slot::TargetUserName) {
                fields.set_missing(Field::UserTargetGroup, group);
            }
            (&[SUBJECT, USER, TARGET], Some(MEMBER))
        }
        // `AccountName` is the account that the service runs as.
        (Log::System, 7045) => (&[], None),
        // Management of accounts.
        (Log::Security, 4720..=4767 | 4781) => (&[SUBJECT, USER, TARGET], Some(TARGET)),
        _ => (&[SUBJECT, USER, TARGET], None),
    };
    match actors.iter().find(|person| first(fields, person.name).is_some()) {
        Some(actor) => set(fields, actor, Field::UserName, Field::UserDomain, Field::UserId),
        None if log != Log::Sysmon => {
            if let Some(id) = said(fields, Slot::UserID) {
                fields.set_missing(Field::UserId, id);
            }
        }
        None => {}
    }
    if let Some(target) = &target {
        let (name, domain) = (Field::UserTargetName, Field::UserTargetDomain);
        set(fields, target, name, domain, Field::UserTargetId);
    }
    let sessions = [Slot::TargetLogonId, Slot::SubjectLogonId, Slot::LogonId];
    // Of nobody, as in a logon that failed.
    let is_one = |session: &Cow<'_, str>| session != "0x0";
    let session = sessions.iter().find_map(|slot| said(fields, *slot).filter(is_one));
    if let Some(session) = session {
        fields.set_missing(Field::SessionId, session);
    }
}

fn first<'a>(fields: &Fields<'a, '_>, slots: &[Slot]) -> Option<Cow<'a, str>> {
    slots.iter().find_map(|slot| said(fields, *slot))
}

fn set(fields: &mut Fields<'_, '_>, person: &Person, name: Field, domain: Field, id: Field) {
    if let Some(text) = first(fields, person.name) {
        let mut its_domain = first(fields, person.domain);
        let (mut start, mut end) = (0, text.len());
        if let Some(slash) = text.find('\\') {
            its_domain = its_domain.or_else(|| part(&text, 0, slash));
            start = slash + 1;
        } else if let Some(common_name) = text.get(..3)
            && common_name.eq_ignore_ascii_case("CN=")
        {
            start = 3;
            end = text.find(',').unwrap_or(end);
        } else if let (Some(realm), Some(at)) = (&its_domain, text.find('@'))
            && text.get(at + 1..).is_some_and(|after| after.eq_ignore_ascii_case(realm))
        {
            // Kerberos: bob@EXAMPLE.COM of the domain EXAMPLE.COM.
            end = at;
        }
        if let Some(user) = part(&text, start, end).filter(|user| !user.is_empty()) {
            fields.set_missing(name, user);
        }
        if let Some(text) = its_domain.filter(|domain| !domain.is_empty()) {
            fields.set_missing(domain, text);
        }
    }
    if let Some(text) = first(fields, person.id) {
        fields.set_missing(id, text);
    }
}

fn part<'a>(text: &Cow<'a, str>, start: usize, end: usize) -> Option<Cow<'a, str>> {
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end)?),
        Cow::Owned(text) => Cow::Owned(text.get(start..end)?.to_owned()),
    })
}
