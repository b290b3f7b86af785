//! systemd-logind: sessions, seats and power.

use bergfried_event::{Event, Field};

use super::{FAILURE, Program, SUCCESS, classify, outcome, push_text};

pub(super) const PROGRAM: Program = Program {
    name: "systemd-logind",
    tags: &["systemd-logind", "elogind-daemon", "elogind"],
    read,
};

/// Messages about power, by how they start.
const POWER: [&str; 13] = [
    "Power key pressed",
    "Powering off",
    "Rebooting",
    "Suspending",
    "Hibernating",
    "Suspend key pressed",
    "Hibernate key pressed",
    "Reboot key pressed",
    "System is ",
    "The system will ",
    "Lid closed",
    "Lid opened",
    "Creating /run/nologin",
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    if let Some((session, user)) =
        message.strip_prefix("New session ").and_then(|rest| rest.split_once(" of user "))
    {
        classify(event, "session", "logged-on");
        outcome(event, SUCCESS);
        push_text(event, Field::SessionId, unquoted(session));
        // `bob.`, or since version 256 `'bob' with class 'user' and type 'tty'.`
        let user = user.split_once(" with class ").map_or(user, |(user, _)| user);
        push_text(event, Field::UserName, unquoted(user));
    } else if let Some(session) = message.strip_prefix("Removed session ") {
        classify(event, "session", "logged-off");
        outcome(event, SUCCESS);
        push_text(event, Field::SessionId, unquoted(session));
    } else if let Some((session, _)) =
        message.strip_prefix("Session ").and_then(|rest| rest.split_once(" logged out"))
    {
        classify(event, "session", "session-ending");
        push_text(event, Field::SessionId, unquoted(session));
    } else if message.starts_with("New seat ") || message.starts_with("Removed seat ") {
        classify(event, "host", "seat");
    } else if POWER.iter().any(|start| message.starts_with(start)) {
        classify(event, "host", "power");
    } else if message.starts_with("Failed to ") {
        classify(event, "session", "session-error");
        outcome(event, FAILURE);
        event.push(Field::EventReason, message);
    }
}

/// The text without a full stop at its end and quotes around it.
fn unquoted(text: &str) -> &str {
    let text = text.strip_suffix('.').unwrap_or(text);
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text)
}
