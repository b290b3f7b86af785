//! Postfix: `smtpd` and `postscreen`.
//!
//! The client stands in front as `NAME[ADDRESS]`, with `:PORT` where it is logged; its name, which the
//! owner of the address chose, holds neither spaces nor brackets.

use bergfried_event::{Event, Field, FieldName};

use super::super::peer::Peer;
use super::super::{FAILURE, SUCCESS, classify, outcome, push_text};
use crate::text::{number, port};

pub(super) fn read<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    refused_login(message, event)
        || accepted_login(message, event)
        || refused_mail(message, event)
        || connection(message, event)
}

/// Reads `NAME[ADDRESS]` or `NAME[ADDRESS]:PORT`; gives what follows.
fn client(text: &str) -> Option<(Peer<'_>, &str)> {
    let (name, rest) = text.split_once('[')?;
    let (address, rest) = rest.split_once(']')?;
    if name.contains(' ') || address.is_empty() || address.contains(' ') {
        return None;
    }
    let digits = rest
        .strip_prefix(':')
        .map(|rest| rest.split_at(rest.bytes().take_while(u8::is_ascii_digit).count()));
    Some(match digits {
        Some((digits, rest)) if !digits.is_empty() => (Peer { address, port: port(digits) }, rest),
        _ => (Peer { address, port: None }, rest),
    })
}

/// `warning: unknown[1.2.3.4]: SASL LOGIN authentication failed: …, sasl_username=bob`; the name since 3.6.
fn refused_login<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let read = || {
        let (client, rest) = client(message.strip_prefix("warning: ")?)?;
        let (_, rest) = rest.strip_prefix(": SASL ")?.split_once(" authentication failed")?;
        Some((client, rest.trim_start_matches([':', ' '])))
    };
    let Some((client, rest)) = read() else { return false };
    classify(event, "authentication", "mail_login");
    outcome(event, FAILURE);
    client.push(event);
    let (reason, user) = rest.split_once(", sasl_username=").unwrap_or((rest, ""));
    push_text(event, Field::EventReason, reason);
    push_text(event, Field::UserName, user);
    true
}

/// `4F1C2A0: client=host.example[1.2.3.4], sasl_method=PLAIN, sasl_username=bob`.
fn accepted_login<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let read = || {
        let (client, rest) = client(queued(message).strip_prefix("client=")?)?;
        let (_, user) = rest.strip_prefix(", sasl_method=")?.split_once(", sasl_username=")?;
        Some((client, user.rsplit_once(", sasl_sender=").map_or(user, |(user, _)| user)))
    };
    let Some((client, user)) = read() else { return false };
    classify(event, "authentication", "mail_login");
    outcome(event, SUCCESS);
    client.push(event);
    push_text(event, Field::UserName, user);
    true
}

/// `NOQUEUE: reject: RCPT from unknown[1.2.3.4]: 554 5.7.1 <a@b>: Relay access denied; from=<c@d> to=<a@b> …`.
fn refused_mail<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let read = || {
        let rest = queued(message).strip_prefix("reject: ")?;
        let (client, rest) = client(rest.split_once(" from ")?.1)?;
        Some((client, rest.strip_prefix(": ")?))
    };
    let Some((client, rest)) = read() else { return false };
    let action =
        if rest.contains(": Relay access denied") { "mail_relay_denied" } else { "mail_refused" };
    classify(event, "email", action);
    outcome(event, FAILURE);
    client.push(event);
    let (reason, envelope) = rest.split_once("; from=<").unwrap_or((rest, ""));
    push_text(event, Field::EventReason, reason);
    if let Some((sender, rest)) = envelope.split_once('>') {
        push_named(event, "email.from.address", sender);
        let to = rest.trim_start_matches(',').strip_prefix(" to=<");
        let to = to.and_then(|rest| rest.split_once('>')).map_or("", |(to, _)| to);
        push_named(event, "email.to.address", to);
    }
    true
}

/// `lost connection after AUTH from unknown[1.2.3.4]` and its like; of postscreen, which knows no names,
/// `PREGREET 11 after 0.2 from [1.2.3.4]:5678: EHLO …`.
fn connection<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    const STARTS: [(&str, &str); 13] = [
        ("connect", " from "),
        ("disconnect", " from "),
        ("lost connection after ", " from "),
        ("timeout after ", " from "),
        ("too many errors after ", " from "),
        ("improper command pipelining after ", " from "),
        ("SSL_accept error", " from "),
        ("CONNECT", " from "),
        ("PREGREET ", " from "),
        ("HANGUP after ", " from "),
        ("DNSBL rank ", " for "),
        ("DENYLISTED", " "),
        ("BLACKLISTED", " "),
    ];
    let read = || {
        let (start, before) = STARTS.iter().find(|(start, _)| message.starts_with(start))?;
        client(message.get(start.trim_end().len()..)?.split_once(before)?.1)
    };
    let Some((client, rest)) = read() else { return false };
    let tried = message.starts_with("disconnect").then(|| logins(rest)).flatten();
    match tried {
        // Each was told in a line of its own, unless nobody may log in here.
        Some((0, tried)) => {
            classify(event, "authentication", "mail_disconnect");
            outcome(event, FAILURE);
            event.set(Field::EventCount, tried);
        }
        Some(_) => {
            classify(event, "authentication", "mail_login");
            outcome(event, SUCCESS);
        }
        None => classify(event, "network", "mail_connection"),
    }
    client.push(event);
    true
}

/// How many logins of a connection were accepted and how many tried: `ehlo=1 auth=0/2 quit=1 …`, where
/// one number is both.
fn logins(rest: &str) -> Option<(i64, i64)> {
    let said = rest.split(' ').find_map(|word| word.strip_prefix("auth="))?;
    let (accepted, tried) = said.split_once('/').unwrap_or((said, said));
    Some((number(accepted.as_bytes())?, number(tried.as_bytes())?))
}

/// What follows the id of a message, or `NOQUEUE`.
fn queued(message: &str) -> &str {
    match message.split_once(": ") {
        Some((id, rest)) if id.bytes().all(|byte| byte.is_ascii_alphanumeric()) => rest,
        _ => message,
    }
}

fn push_named<'a>(event: &mut Event<'a>, name: &'static str, text: &'a str) {
    if !text.is_empty() {
        event.push_named(FieldName::new(name), text);
    }
}
