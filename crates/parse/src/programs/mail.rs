//! Mail servers: logins over IMAP, POP3 and SMTP to Dovecot, Courier, Cyrus, UW IMAP and Postfix.

use bergfried_event::{Event, Field};

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, classify, outcome, pam, peer, push_text};

pub(super) const PROGRAM: Program = Program {
    name: "mail",
    tags: &[
        "dovecot",
        "imap-login",
        "pop3-login",
        "imapd",
        "imapd-ssl",
        "pop3d",
        "pop3d-ssl",
        "ipop3d",
        "courier-imap",
        "courierpop3login",
        "imaplogin",
        "cyrus/imap",
        "cyrus/imapd",
        "cyrus/pop3",
        "postfix/smtpd",
        "postfix/smtps/smtpd",
        "postfix/submission/smtpd",
    ],
    read,
};

pub(super) const PHRASES: &[Phrase] = &[
    // Courier.
    Phrase("LOGIN FAILED, user={user}, ip=[{address}]", "mail_login", FAILURE),
    Phrase("LOGIN FAILED, method={word}, ip=[{address}]", "mail_login", FAILURE),
    Phrase("LOGIN FAILED, ip=[{address}]", "mail_login", FAILURE),
    Phrase(
        "LOGIN, user={user}, ip=[{address}], port=[{port}], protocol={word}",
        "mail_login",
        SUCCESS,
    ),
    Phrase("LOGIN, user={user}, ip=[{address}], protocol={word}", "mail_login", SUCCESS),
    // UW IMAP.
    Phrase("Login failed user={user} auth={word} host={word} [{address}]", "mail_login", FAILURE),
    Phrase("Login failed user={user} auth={word} host=[{address}]", "mail_login", FAILURE),
    Phrase("Login failure user={user} host={word} [{address}]", "mail_login", FAILURE),
    Phrase("Login disabled user={user} auth={word} host={word} [{address}]", "mail_login", FAILURE),
    Phrase("Login user={user} host={word} [{address}]{word}", "mail_login", SUCCESS),
    Phrase("Login user={user} host={word} [{address}]", "mail_login", SUCCESS),
    // Cyrus.
    Phrase("badlogin: {word} [{address}] {word} {name} {any}", "mail_login", FAILURE),
    Phrase("badlogin: [{address}] {word} {name} {any}", "mail_login", FAILURE),
    Phrase("login: {word} [{address}] {name} {word} User logged in{any}", "mail_login", SUCCESS),
    // Postfix.
    Phrase(
        "warning: {word}[{address}]: SASL {word} authentication failed: {any}",
        "mail_login",
        FAILURE,
    ),
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if !dovecot(message, event) && !phrase::read(PHRASES, message, event) {
        pam::read_text(None, message, event);
    }
}

/// `imap-login: Login: user=<bob>, method=PLAIN, rip=1.2.3.4, lip=…`,
/// `pop3-login: Aborted login (auth failed, 1 attempts): user=<bob>, method=PLAIN, rip=…`.
///
/// The address is the last one, since what follows it is Dovecot's own.
fn dovecot<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some((said, rest)) = message.split_once(": user=<") else {
        return passed_on(message, event);
    };
    let Some((user, place)) = rest.rsplit_once(" rip=") else { return false };
    let result = if said == "Login" || said.ends_with(": Login") {
        SUCCESS
    } else if ["auth failed", "Aborted login", "tried to use", "too many"]
        .iter()
        .any(|mark| said.contains(mark))
    {
        FAILURE
    } else {
        return false;
    };
    classify(event, "authentication", "mail_login");
    outcome(event, result);
    let user = user.rsplit_once(">, method=").map_or(user, |(user, _)| user);
    push_text(event, Field::UserName, user.trim_end_matches(['>', ',']));
    let end = place.find([',', ' ']).unwrap_or(place.len());
    peer::push_address(event, place.get(..end).unwrap_or_default());
    true
}

/// `auth: passwd-file(bob,1.2.3.4): unknown user`, `auth-worker(9): pam(bob,1.2.3.4,<id>): …`.
fn passed_on<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let reasons = ["unknown user", "Password mismatch", "pam_authenticate() failed"];
    let Some((who, reason)) = message.rsplit_once("): ") else { return false };
    let starts = ["auth", "Info: auth"].iter().any(|start| message.starts_with(start));
    if !starts || !reasons.iter().any(|known| reason.starts_with(known)) {
        return false;
    }
    let Some((_, who)) = who.split_once(": ").and_then(|(_, rest)| rest.split_once('(')) else {
        return false;
    };
    let who = who.rsplit_once(",<").map_or(who, |(who, _)| who);
    let Some((user, address)) = who.rsplit_once(',') else { return false };
    classify(event, "authentication", "mail_login");
    outcome(event, FAILURE);
    push_text(event, Field::UserName, user);
    push_text(event, Field::EventReason, reason);
    peer::push_address(event, address);
    true
}
