//! Mail servers: logins over IMAP, POP3 and SMTP to Dovecot, Courier, Cyrus, UW IMAP and Postfix.

mod dovecot;
mod postfix;

use bergfried_event::Event;

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, pam};

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
        "submission-login",
        "managesieve-login",
        "postfix/smtpd",
        "postfix/postscreen",
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
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if !dovecot::read(message, event)
        && !postfix::read(message, event)
        && !phrase::read(PHRASES, message, event)
    {
        pam::read_text(None, message, event);
    }
}
