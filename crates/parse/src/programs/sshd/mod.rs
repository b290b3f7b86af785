//! sshd of OpenSSH (also sshd-session and sshd-auth, into which 9.8 and 10.0 split it).
//!
//! The user name is the peer's to choose, and so are its version string, its offers and its reason
//! to disconnect. So what sshd writes itself is read from the side of the line that no such text
//! can reach, and where both sides can be reached an ambiguous address is left out.

mod connection;
mod login;
mod session;

use bergfried_event::{Event, Field};

use super::{FAILURE, Program, classify, outcome, pam, push_text};

pub(super) const PROGRAM: Program =
    Program { name: "sshd", tags: &["sshd", "sshd-session", "sshd-auth", "sshd2"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let text = message.trim_end_matches(' ');
    let (text, before_login) = match text.strip_suffix(" [preauth]") {
        Some(text) => (text, true),
        None => (text.strip_suffix(" [postauth]").unwrap_or(text), false),
    };
    let complaint = ["error: ", "fatal: "].into_iter().find_map(|level| text.strip_prefix(level));
    let text = complaint.unwrap_or(text);
    if pam::is_pam(text) {
        return pam::read_tagged(Some("sshd"), text, event);
    }
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let understood = match first {
        "Failed" | "Accepted" | "Postponed" | "Partial" => login::verdict(first, rest, event),
        "Invalid"
        | "Illegal"
        | "input_userauth_request:"
        | "maximum"
        | "User"
        | "PAM:"
        | "PAM"
        | "ROOT"
        | "Login"
        | "Access"
        | "Authentication"
        | "Root"
        | "Account"
        | "Authorized"
        | "Too"
        | "Could" => login::refusal(text, event) || session::read(text, event),
        "Starting" | "Close" | "subsystem" | "Server" | "session" | "check" | "authentication" => {
            session::read(text, event)
        }
        _ => connection::read(text, before_login, event) || session::read(text, event),
    };
    if understood {
        return;
    }
    if before_login {
        classify(event, "authentication", "ssh_disconnect");
        outcome(event, FAILURE);
    } else if complaint.is_some() {
        classify(event, "process", "ssh_error");
        outcome(event, FAILURE);
        push_text(event, Field::EventReason, text);
    }
}

/// Sets the user, unless sshd wrote that there is none.
fn push_user<'a>(event: &mut Event<'a>, user: &'a str) {
    if !matches!(user, "" | "UNKNOWN") {
        push_text(event, Field::UserName, user);
    }
}

/// Takes off what sshd puts before the name of a user that does not exist.
fn strip_invalid(text: &str) -> (&str, bool) {
    for mark in ["invalid user ", "illegal user "] {
        if let Some(user) = text.strip_prefix(mark) {
            return (user, true);
        }
    }
    (text, false)
}
