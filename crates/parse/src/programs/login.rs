//! login on a terminal, of util-linux and of shadow-utils.
//!
//! Both write the terminal and the host before the user's name, which may be any text.

use bergfried_event::{Event, Field};

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, peer, push_text};
use crate::line::set_other;
use crate::text::number;

pub(super) const PROGRAM: Program =
    Program { name: "login", tags: &["login", "-- root", "--", "agetty", "getty"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let understood = failed(message, event)
        || succeeded(message, event)
        || plain(message, event)
        || phrase::read(PHRASES, message, event);
    if !understood {
        pam::read_text(Some("login"), message, event);
    }
}

pub(super) const PHRASES: &[Phrase] = &[
    Phrase("invalid password for `{user}' on `{tty}' from `{address}'", "login", FAILURE),
    Phrase("invalid password for `{user}' on `{tty}'", "login", FAILURE),
    Phrase("invalid user on '{tty}' from '{address}'", "login", FAILURE),
    Phrase("invalid user on '{tty}'", "login", FAILURE),
    Phrase("REPEATED login failures on '{tty}' from '{address}'", "login", FAILURE),
    Phrase("REPEATED login failures on '{tty}'", "login", FAILURE),
];

/// `FAILED LOGIN (1) on '/dev/tty1' from 'host' FOR 'bob', REASON` (shadow-utils),
/// `FAILED LOGIN 1 FROM host FOR bob, REASON` (util-linux), and both with `TOO MANY LOGIN TRIES`.
fn failed<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some((rest, default_reason)) = message
        .strip_prefix("FAILED LOGIN SESSION")
        .map(|rest| (rest, "login session failed"))
        .or_else(|| message.strip_prefix("FAILED LOGIN").map(|rest| (rest, "login failed")))
        .or_else(|| {
            message.strip_prefix("TOO MANY LOGIN TRIES").map(|rest| (rest, "too many login tries"))
        })
    else {
        return false;
    };
    verdict(event, FAILURE);
    let (place, who) = rest.split_once(" FOR ").unwrap_or((rest, ""));
    push_place(place, event);
    let count = place.split_ascii_whitespace().next().unwrap_or_default();
    let count = count.trim_matches(['(', ')']);
    if number(count.as_bytes()).is_some() {
        // Which try this is, not how many events it stands for.
        set_other(event, "login.attempt", count);
    }
    let (user, reason) = match who.strip_prefix(['\'', '`']) {
        Some(quoted) => match quoted.rsplit_once("', ") {
            Some((user, reason)) => (user, reason),
            None => (quoted.strip_suffix('\'').unwrap_or(quoted), default_reason),
        },
        None => who.rsplit_once(", ").unwrap_or((who, default_reason)),
    };
    push_user(user, event);
    push_text(event, Field::EventReason, reason);
    true
}

/// `LOGIN ON tty1 BY bob FROM host`, `ROOT LOGIN ON tty1 FROM host`, `ROOT LOGIN  on '/dev/tty1'`,
/// `DIALUP AT ttyS0 BY bob`.
fn succeeded<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(place) = message.strip_prefix("ROOT LOGIN") {
        verdict(event, SUCCESS);
        event.push(Field::UserName, "root");
        push_place(place, event);
        return true;
    }
    if let Some((tty, user)) =
        message.strip_prefix("login on ").and_then(|rest| rest.split_once(" as "))
    {
        verdict(event, SUCCESS);
        push_text(event, Field::ProcessTty, tty);
        push_text(event, Field::UserName, user);
        return true;
    }
    let Some(rest) =
        message.strip_prefix("LOGIN ON ").or_else(|| message.strip_prefix("DIALUP AT "))
    else {
        return false;
    };
    let Some((tty, who)) = rest.split_once(" BY ") else { return false };
    verdict(event, SUCCESS);
    push_text(event, Field::ProcessTty, tty);
    let (user, host) = who.rsplit_once(" FROM ").unwrap_or((who, ""));
    push_text(event, Field::UserName, user);
    peer::push_address(event, host);
    true
}

/// `LOGIN FAILURE ON tty1, bob`, `2 LOGIN FAILURES FROM host[, bob]`, `invalid password for 'bob' on '/dev/tty1'`,
/// `ILLEGAL ROOT LOGIN on 'tty1'`, `login by uid 1000`.
fn plain<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let (place, user, reason) = if let Some(rest) = message
        .strip_prefix("LOGIN FAILURE")
        .or_else(|| message.strip_prefix("REPEATED LOGIN FAILURES"))
    {
        let (place, user) = rest.split_once(", ").unwrap_or((rest, ""));
        (place, user, "login failed")
    } else if let Some((_, rest)) =
        message.split_once(" LOGIN FAILURE").filter(|(count, _)| number(count.as_bytes()).is_some())
    {
        let (place, user) = rest.split_once(", ").unwrap_or((rest, ""));
        (place, user, "login failed")
    } else if let Some((user, place)) =
        message.strip_prefix("invalid password for '").and_then(|rest| rest.rsplit_once("' "))
    {
        // The last quote closes the terminal, so the name ends one earlier.
        let (user, place) = user.rsplit_once("' ").unwrap_or((user, place));
        (place, user, "invalid password")
    } else if let Some(place) = message.strip_prefix("ILLEGAL ROOT LOGIN") {
        (place, "root", "root may not log in here")
    } else {
        return false;
    };
    verdict(event, FAILURE);
    push_user(user, event);
    push_text(event, Field::EventReason, reason);
    push_place(place, event);
    true
}

fn verdict(event: &mut Event<'_>, result: &'static str) {
    classify(event, "authentication", "login");
    outcome(event, result);
}

fn push_user<'a>(user: &'a str, event: &mut Event<'a>) {
    if !matches!(user, "UNKNOWN" | "(unknown)" | "(null)") {
        push_text(event, Field::UserName, user);
    }
}

/// ` (1) on '/dev/tty1' from 'host'`, ` 1 FROM host`, ` ON tty1 FROM host`.
fn push_place<'a>(place: &'a str, event: &mut Event<'a>) {
    let mut words = place.split_ascii_whitespace();
    let (mut has_tty, mut has_host) = (false, false);
    while let Some(word) = words.next() {
        let is_tty = word.eq_ignore_ascii_case("on");
        if !is_tty && !word.eq_ignore_ascii_case("from") {
            continue;
        }
        let value = words.next().unwrap_or_default().trim_matches(['\'', '`', ',']);
        // A place is said once; more words like these are part of something else.
        if is_tty && !std::mem::replace(&mut has_tty, true) {
            push_text(event, Field::ProcessTty, value);
        } else if !is_tty && !std::mem::replace(&mut has_host, true) && value != "(null)" {
            peer::push_address(event, value);
        }
    }
}
