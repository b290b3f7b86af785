//! What sshd says once a user is in, and about itself.

use bergfried_event::{Event, Field};

use super::super::peer;
use super::super::{SUCCESS, classify, outcome, pam, push_text};
use super::push_user;

/// Reads a line about a session or the server; true where it is understood.
pub(super) fn read<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(rest) = text.strip_prefix("Starting session: ") {
        return started(rest, event);
    }
    if let Some(rest) = text.strip_prefix("Close session: user ") {
        classify(event, "session", "ssh_session");
        return push_from(rest, event);
    }
    if text.starts_with("Transferred: sent ") || text.starts_with("User child is on pid ") {
        classify(event, "session", "ssh_session");
        return true;
    }
    if let Some((_, user)) =
        text.strip_prefix("subsystem request for ").and_then(|rest| rest.rsplit_once(" by user "))
    {
        classify(event, "session", "ssh_session");
        outcome(event, SUCCESS);
        push_user(event, user);
        return true;
    }
    if text.starts_with("subsystem request for ") {
        classify(event, "session", "ssh_session");
        outcome(event, SUCCESS);
        return true;
    }
    let about_itself =
        ["Server listening on ", "Received signal ", "Exiting on signal ", "exited MaxStartups "];
    if about_itself.iter().any(|start| text.starts_with(start)) {
        classify(event, "process", "ssh_server");
        return true;
    }
    // PAM's text without the module's name in front.
    pam::read_text(Some("sshd"), text, event)
}

/// `command for bob from ADDRESS port N id 0`, `shell on pts/0 for bob from ADDRESS port N id 0`.
fn started<'a>(rest: &'a str, event: &mut Event<'a>) -> bool {
    let Some((what, who)) = rest.split_once(" for ") else { return false };
    classify(event, "session", "ssh_session");
    outcome(event, SUCCESS);
    if let Some((_, tty)) = what.split_once(" on ") {
        push_text(event, Field::ProcessTty, tty);
    }
    push_from(who, event)
}

/// `bob from ADDRESS port N[ id 0]`.
fn push_from<'a>(who: &'a str, event: &mut Event<'a>) -> bool {
    let who = who.rsplit_once(" id ").map_or(who, |(who, _)| who);
    let read =
        peer::at_end(who).and_then(|(before, peer)| Some((before.strip_suffix(" from")?, peer)));
    let Some((user, peer)) = read else { return true };
    push_user(event, user);
    peer.push(event);
    true
}
