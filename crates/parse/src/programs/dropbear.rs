//! Dropbear's SSH server.
//!
//! The user's name stands in quotes before the address, which ends the line; newer ones put the
//! address in front as `from <ADDRESS:PORT>`.

use bergfried_event::{Event, Field};

use super::{FAILURE, Program, accepted, classify, outcome, pam, peer, push_text};

pub(super) const PROGRAM: Program = Program { name: "dropbear", tags: &["dropbear"], read };

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    let text = without_own_stamp(message);
    if !tried(text, event) && !passed(text, event) && !ended(text, event) {
        pam::read_text(Some("dropbear"), text, event);
    }
}

/// Without the `[825] Jul 10 23:53:52 ` that it adds when it also logs to standard error.
fn without_own_stamp(message: &str) -> &str {
    let read = || {
        let (pid, rest) = message.strip_prefix('[')?.split_once("] ")?;
        let rest = rest.get(16..).filter(|_| pid.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(rest)
    };
    read().unwrap_or(message)
}

/// `Bad password attempt for 'root' from 1.2.3.4:5543`,
/// `Login attempt for nonexistent user from 1.2.3.4:60495`.
fn tried<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let lower = text.get(..1).map_or(text, |_| text.get(1..).unwrap_or_default());
    let (reason, method, rest) = if let Some(rest) = lower.strip_prefix("ad password attempt for ")
    {
        ("bad password", "password", rest)
    } else if let Some(rest) = lower.strip_prefix("ad PAM password attempt for ") {
        ("bad password", "password", rest)
    } else if let Some(rest) = lower.strip_prefix("ogin attempt for nonexistent user") {
        ("invalid user", "", rest)
    } else if let Some(rest) = lower.strip_prefix("ogin attempt with wrong user ") {
        ("invalid user", "", rest)
    } else {
        return false;
    };
    failed(event, reason);
    push_text(event, Field::SshMethod, method);
    push_user_and_peer(rest, event);
    true
}

/// `Password auth succeeded for 'root' from …`, `Pubkey auth succeeded for 'root' with ssh-rsa key
/// sha1!! aa:bb from …`.
fn passed<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    let Some((how, rest)) = text.split_once(" auth succeeded for ") else { return false };
    accepted(event);
    let method = if how.starts_with(['P', 'p']) && how.ends_with("ubkey") {
        "publickey"
    } else {
        "password"
    };
    event.push(Field::SshMethod, method);
    push_user_and_peer(rest, event);
    true
}

/// `Exit before auth from <1.2.3.4:5>: (user 'root', 10 fails): Max auth tries reached`,
/// `Exit (root): Disconnect received`, `Child connection from 1.2.3.4:5`.
fn ended<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(rest) = text.strip_prefix("Child connection from ") {
        classify(event, "network", "ssh_connection");
        peer::with_colon(rest).push(event);
        return true;
    }
    let lower = text.get(1..).unwrap_or_default();
    if let Some(rest) = lower.strip_prefix("xit before auth") {
        failed(event, "exit before auth");
        if let Some((user, _)) =
            rest.split_once("(user '").and_then(|(_, rest)| rest.rsplit_once("', "))
        {
            push_text(event, Field::UserName, user);
        }
        if let Some((address, _)) =
            rest.strip_prefix(" from <").and_then(|rest| rest.split_once('>'))
        {
            peer::with_colon(address).push(event);
        } else if let Some((_, address)) = rest.rsplit_once("' from ") {
            peer::with_colon(address).push(event);
        }
        return true;
    }
    let Some(rest) = lower.strip_prefix("xit (") else { return false };
    classify(event, "session", "ssh_disconnect");
    let (user, rest) = rest.split_once(')').unwrap_or((rest, ""));
    push_text(event, Field::UserName, user);
    if let Some((address, _)) = rest.strip_prefix(" from <").and_then(|rest| rest.split_once('>')) {
        peer::with_colon(address).push(event);
    }
    true
}

fn failed<'a>(event: &mut Event<'a>, reason: &'a str) {
    classify(event, "authentication", "ssh_login");
    outcome(event, FAILURE);
    event.push(Field::EventReason, reason);
}

/// `'root' [with KEY] from ADDRESS:PORT`, or no name.
fn push_user_and_peer<'a>(text: &'a str, event: &mut Event<'a>) {
    let Some((before, address)) = text.rsplit_once(" from ").or_else(|| text.rsplit_once("from "))
    else {
        return;
    };
    let quoted = before.trim_start().strip_prefix('\'').and_then(|rest| rest.rsplit_once('\''));
    if let Some((user, _)) = quoted {
        push_text(event, Field::UserName, user);
    }
    peer::with_colon(address).push(event);
}
