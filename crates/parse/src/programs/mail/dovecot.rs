//! Dovecot, 2.3 and 2.4: its login processes, and what its `auth` process says of each password where
//! `auth_verbose` is set.

use bergfried_event::{Event, Field};

use super::super::{FAILURE, SUCCESS, classify, outcome, peer, push_text};
use crate::text::number;

pub(super) fn read<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    login(message, event) || verdict(message, event)
}

/// `imap-login: Login: user=<bob>, method=PLAIN, rip=1.2.3.4, lip=…` (2.4: `Logged in`),
/// `pop3-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<bob>, …`
/// (2.4: `Login aborted: Connection closed (auth failed, …) (auth_failed): user=<bob>, …`).
///
/// What stands before the first user is Dovecot's own, and so is the last address.
fn login<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some((said, rest)) = message.split_once(": user=<") else { return false };
    let Some((user, place)) = rest.rsplit_once(" rip=") else { return false };
    let is_login = ["Login", "Logged in"].iter().any(|word| {
        said.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with(": "))
    });
    let tried_nothing = said.contains("no auth attempts");
    let is_failure = ["auth failed", "Aborted login", "tried to use", "too many"]
        .iter()
        .any(|mark| said.contains(mark));
    let end = place.find([',', ' ']).unwrap_or(place.len());
    peer::push_address(event, place.get(..end).unwrap_or_default());
    if tried_nothing || !(is_login || is_failure) {
        classify(event, "network", "mail_connection");
        return true;
    }
    classify(event, "authentication", "mail_login");
    outcome(event, if is_login { SUCCESS } else { FAILURE });
    let user = user.rsplit_once(">, method=").map_or(user, |(user, _)| user);
    push_text(event, Field::UserName, user.trim_end_matches(['>', ',']));
    if let Some(attempts) = attempts(said) {
        event.set(Field::EventCount, attempts);
    }
    true
}

/// `(auth failed, 3 attempts in 18 secs)`: one line for all that a connection tried.
fn attempts(said: &str) -> Option<i64> {
    let (_, rest) = said.split_once("(auth failed, ")?;
    let (count, _) = rest.split_once(" attempts")?;
    number(count.as_bytes()).filter(|count| *count > 0)
}

/// `auth: passwd-file(bob,1.2.3.4,<id>): unknown user`, `auth-worker(9): pam(bob,1.2.3.4): …`, and of
/// 2.4 `auth(bob,1.2.3.4,sasl:plain)<id>: sql: Password mismatch`. Workers of 2.3 put
/// `conn unix:auth-worker (pid=1,uid=0): auth-worker<5>: ` in front.
///
/// One password; the login process, or Postfix, says in a line of its own what came of it.
fn verdict<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let message = message.strip_prefix("Info: ").unwrap_or(message);
    if !message.starts_with("auth") {
        return false;
    }
    let Some((who, reason)) = old_verdict(message).or_else(|| new_verdict(message)) else {
        return false;
    };
    let Some((user, address)) = who.rsplit_once(',') else { return false };
    classify(event, "authentication", "authentication");
    outcome(event, FAILURE);
    if user != "?" {
        push_text(event, Field::UserName, user);
    }
    push_text(event, Field::EventReason, reason);
    peer::push_address(event, address);
    true
}

fn is_refusal(reason: &str) -> bool {
    ["unknown user", "Password mismatch", "pam_authenticate() failed", "User is disabled"]
        .iter()
        .any(|known| reason.to_ascii_lowercase().starts_with(&known.to_ascii_lowercase()))
}

/// The user and the address, and the reason behind the last bracket that closes them.
fn old_verdict(message: &str) -> Option<(&str, &str)> {
    let (who, reason) = message.rsplit_once("): ").filter(|(_, reason)| is_refusal(reason))?;
    let (_, who) = who.split_once(": ")?;
    // A worker names its connection and its request first.
    let who = match who.strip_prefix("conn unix:") {
        Some(rest) => rest.split_once(">: ")?.1,
        None => who,
    };
    let (_, who) = who.split_once('(')?;
    // The id of the session.
    Some((who.rsplit_once(",<").map_or(who, |(who, _)| who), reason))
}

fn new_verdict(message: &str) -> Option<(&str, &str)> {
    let (rest, reason) = message.rsplit_once(": ").filter(|(_, reason)| is_refusal(reason))?;
    // `auth-worker(bob,1.2.3.4)<82365>: request [1]: sql`
    let (who, _) = rest.rsplit_once(")<")?;
    let (_, who) = who.split_once('(')?;
    Some((who.rsplit_once(",sasl:").map_or(who, |(who, _)| who), reason))
}
