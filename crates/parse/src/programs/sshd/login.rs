//! Verdicts of sshd on a login: accepted, failed, and why a user may not log in.

use bergfried_event::{Event, Field};

use super::super::peer::{self, Peer};
use super::super::{FAILURE, SUCCESS, accepted, classify, outcome, push_text};
use super::{push_user, strip_invalid};
use crate::text::{is_ip, port};

/// `METHOD for [invalid user ]USER from ADDRESS port N ssh2[: KEY]` after its first word.
pub(super) fn verdict<'a>(word: &str, rest: &'a str, event: &mut Event<'a>) -> bool {
    let Some((method, rest)) = rest.split_once(" for ") else { return false };
    if method.contains(' ') {
        return false;
    }
    let Some(Login { user, peer, signature }) = login(rest) else { return false };
    match word {
        "Accepted" => accepted(event),
        "Failed" => {
            classify(event, "authentication", "ssh_login");
            outcome(event, FAILURE);
        }
        _ => {
            // One of several methods was passed, or the answer is still out.
            classify(event, "authentication", "ssh_login");
            outcome(event, "unknown");
        }
    }
    event.push(Field::SshMethod, method);
    let (user, invalid) = strip_invalid(user);
    push_user(event, user);
    if invalid {
        event.push(Field::EventReason, "invalid user");
    }
    if let Some(peer) = peer {
        peer.push(event);
    }
    push_text(event, Field::SshSignature, signature);
    true
}

struct Login<'a> {
    user: &'a str,
    /// Absent where two addresses are equally likely to be the true one.
    peer: Option<Peer<'a>>,
    signature: &'a str,
}

/// Reads `USER from ADDRESS port N ssh2[: KEY]`.
fn login(text: &str) -> Option<Login<'_>> {
    // Without a key sshd's own words end the line.
    if let Some(plain) = without_protocol(text) {
        let (before, peer) = peer::at_end(plain)?;
        let user = from(before)?;
        return Some(Login { user, peer: Some(peer), signature: "" });
    }
    // `TYPE FINGERPRINT` holds nothing that a stranger wrote, so the last separator is sshd's.
    let (head, key) = text.rsplit_once(" ssh2: ").or_else(|| text.rsplit_once(" ssh1: "))?;
    if key.split(' ').count() <= 2 {
        let (before, peer) = peer::at_end(head)?;
        let user = from(before)?;
        return Some(Login { user, peer: Some(peer), signature: key });
    }
    with_long_key(text)
}

/// A certificate's id and a client's user name (`hostbased`) follow the address as free text, while
/// the user's name stands before it. Only one reading may fit, or the address is left out.
fn with_long_key(text: &str) -> Option<Login<'_>> {
    let mut found: Option<Login<'_>> = None;
    for (at, _) in text.match_indices(" ssh2: ") {
        let (Some(head), Some(key)) = (text.get(..at), text.get(at + 7..)) else { continue };
        let fits = looks_like_key(key);
        let Some((before, peer)) = peer::at_end(head).filter(|(_, peer)| peer.port.is_some())
        else {
            continue;
        };
        let Some(user) = from(before).filter(|_| fits) else { continue };
        if let Some(first) = &mut found {
            first.peer = None;
            return found;
        }
        found = Some(Login { user, peer: Some(peer), signature: key });
    }
    found
}

/// `TYPE FINGERPRINT`, then ` ID …`, `, client user …` or nothing; versions 5.6 to 6.7 leave out
/// the fingerprint of a certificate.
fn looks_like_key(key: &str) -> bool {
    let mut words = key.splitn(3, ' ');
    let (Some(kind), Some(print)) = (words.next(), words.next()) else { return false };
    let fingerprint = print.strip_suffix(',').unwrap_or(print);
    let rest = words.next().unwrap_or_default();
    let certificate_alone = kind.ends_with("-CERT") && print == "ID" && rest.contains(" (serial ");
    certificate_alone
        || fingerprint.contains(':')
            && match print.ends_with(',') {
                true => rest.starts_with("client user \"") && rest.ends_with('"'),
                false => rest.is_empty() || rest.starts_with("ID "),
            }
}

/// The user before the last ` from`; an empty name leaves nothing before it.
fn from(before: &str) -> Option<&str> {
    if before == "from" { Some("") } else { before.strip_suffix(" from") }
}

/// The text without ` ssh2` at its end, or with nothing taken off where a port ends it.
fn without_protocol(text: &str) -> Option<&str> {
    if let Some(head) = text.strip_suffix(" ssh2").or_else(|| text.strip_suffix(" ssh1")) {
        return Some(head);
    }
    let (head, last) = text.rsplit_once(' ')?;
    let ends = head.ends_with(" from") || (port(last).is_some() && head.ends_with(" port"));
    ends.then_some(text)
}

/// Lines that refuse a user, before or after the method had its say.
pub(super) fn refusal<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(rest) = text
        .strip_prefix("Invalid user ")
        .or_else(|| text.strip_prefix("Illegal user "))
        .or_else(|| text.strip_prefix("input_userauth_request: invalid user "))
        .or_else(|| text.strip_prefix("input_userauth_request: illegal user "))
    {
        return invalid_user(text, rest, event);
    }
    if let Some(rest) = text.strip_prefix("maximum authentication attempts exceeded for ") {
        let Some(login) = login(rest) else { return false };
        refused(event, strip_invalid(login.user).0, "maximum authentication attempts exceeded");
        return push_peer(event, login.peer);
    }
    if let Some((user, _)) = text
        .strip_prefix("Authorized to ")
        .and_then(|rest| rest.rsplit_once(", krb5 principal ").or(rest.rsplit_once(", principal ")))
    {
        // Whether the ticket is enough, the line `Accepted …` says.
        classify(event, "authentication", "authentication");
        outcome(event, SUCCESS);
        push_user(event, user);
        return true;
    }
    if let Some(user) = text
        .strip_prefix("Too many authentication failures for ")
        .map(|user| user.strip_prefix("user ").unwrap_or(user))
    {
        refused(event, strip_invalid(user).0, "too many authentication failures");
        return true;
    }
    if let Some(rest) = text.strip_prefix("User ") {
        return user_not_allowed(rest, event)
            || password_expired(rest, event)
            || coming_from(rest, event);
    }
    if let Some(rest) = text.strip_prefix("PAM: ") {
        return pam_error(rest, event);
    }
    if text.starts_with("PAM service(") || text.starts_with("Could not get shadow information") {
        classify(event, "authentication", "ssh_error");
        outcome(event, FAILURE);
        push_text(event, Field::EventReason, text);
        return true;
    }
    if text.starts_with("PAM ") {
        return super::pam::read_text(Some("sshd"), text, event);
    }
    if let Some(rest) = text.strip_prefix("ROOT LOGIN REFUSED FROM ") {
        refused(event, "root", "root login refused");
        return push_peer(event, peer::at_end(rest).map(|(_, peer)| peer));
    }
    if let Some(rest) = text.strip_prefix("Root login accepted for forced command") {
        return rest.is_empty();
    }
    if let Some(user) = text
        .strip_prefix("Access denied for user ")
        .and_then(|rest| rest.rsplit_once(" by PAM account configuration"))
        .map(|(user, _)| user)
    {
        refused(event, user, "denied by PAM account configuration");
        return true;
    }
    if let Some((user, rest)) = text
        .strip_prefix("Authentication tried for ")
        .and_then(|rest| rest.rsplit_once(" with correct key but not from a permitted host"))
    {
        refused(event, user, "not from a permitted host");
        let ip = rest.split_once("ip=").map_or("", |(_, ip)| ip);
        let end = ip.find([',', ')']).unwrap_or(ip.len());
        peer::push_address(event, ip.get(..end).unwrap_or_default());
        return true;
    }
    if text.starts_with("Authentication refused: ") {
        classify(event, "authentication", "ssh_login");
        outcome(event, FAILURE);
        push_text(event, Field::EventReason, text);
        return true;
    }
    if let Some(user) = text.strip_prefix("Login restricted for ") {
        let user = user.split_once(": ").map_or(user, |(user, _)| user);
        refused(event, user, "login restricted");
        return true;
    }
    if let Some(user) =
        text.strip_prefix("Account ").and_then(|rest| rest.strip_suffix(" has expired"))
    {
        refused(event, user, "account has expired");
        return true;
    }
    false
}

/// `Invalid user X from ADDRESS[ port N]`, or without an address.
fn invalid_user<'a>(text: &str, rest: &'a str, event: &mut Event<'a>) -> bool {
    let read = peer::at_end(rest)
        .and_then(|(before, peer)| Some((from(before)?, peer)))
        .filter(|_| !text.starts_with("input_userauth_request"));
    match read {
        Some((user, peer)) => {
            refused(event, user, "invalid user");
            push_peer(event, Some(peer))
        }
        None => {
            refused(event, rest, "invalid user");
            true
        }
    }
}

/// `X from ADDRESS not allowed because REASON`, `X not allowed because REASON`.
fn user_not_allowed<'a>(rest: &'a str, event: &mut Event<'a>) -> bool {
    let Some((who, reason)) = rest.rsplit_once(" not allowed because ") else { return false };
    // sshd says so of existing accounts only, whose names hold no spaces.
    let peer = peer::at_end(who).and_then(|(before, peer)| Some((from(before)?, peer)));
    let user = peer.map_or(who, |(user, _)| user);
    refused(event, user, reason);
    push_peer(event, peer.map(|(_, peer)| peer))
}

/// `bob, coming from ADDRESS, authenticated.` (sshd2 of SSH Communications).
fn coming_from<'a>(rest: &'a str, event: &mut Event<'a>) -> bool {
    let Some((user, address)) =
        rest.strip_suffix(", authenticated.").and_then(|rest| rest.rsplit_once(", coming from "))
    else {
        return false;
    };
    accepted(event);
    push_user(event, user);
    peer::push_address(event, address);
    true
}

/// `bob password has expired (password aged)`, `bob account has expired`.
fn password_expired<'a>(rest: &'a str, event: &mut Event<'a>) -> bool {
    for reason in [" password has expired", " account has expired"] {
        if let Some((user, _)) = rest.rsplit_once(reason) {
            refused(event, user, reason.trim_start());
            return true;
        }
    }
    false
}

/// `Authentication failure for [illegal user ]X from HOST`, after `error: PAM: `.
fn pam_error<'a>(rest: &'a str, event: &mut Event<'a>) -> bool {
    // One of PAM's own texts ends with ` for service.`
    let reason_end = rest.find(" for service. for ").map_or(0, |at| at + " for service.".len());
    let who_at = rest.get(reason_end..).and_then(|later| later.find(" for "));
    let split = who_at.and_then(|at| rest.split_at_checked(reason_end + at));
    let Some((reason, who)) = split.map(|(r, w)| (r, w.strip_prefix(" for ").unwrap_or(w))) else {
        return match rest.split_once(" account has expired") {
            Some((user, _)) => {
                refused(event, user.strip_prefix("User").unwrap_or(user), "account has expired");
                true
            }
            None => false,
        };
    };
    // FreeBSD's adds which address of this host was called.
    let who = match who.rsplit_once(" via ") {
        Some((before, local)) if is_ip(local) => before,
        _ => who,
    };
    let Some((user, peer)) = peer::at_end(who).and_then(|(b, peer)| Some((from(b)?, peer))) else {
        return false;
    };
    refused(event, strip_invalid(user).0, reason);
    push_peer(event, Some(peer))
}

fn refused<'a>(event: &mut Event<'a>, user: &'a str, reason: &'a str) {
    classify(event, "authentication", "ssh_login");
    outcome(event, FAILURE);
    push_user(event, user);
    push_text(event, Field::EventReason, reason);
}

fn push_peer<'a>(event: &mut Event<'a>, peer: Option<Peer<'a>>) -> bool {
    if let Some(peer) = peer {
        peer.push(event);
    }
    true
}
