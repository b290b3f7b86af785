//! The BSD syslog form (RFC 3164 section 4.1) and its relatives with other stamps.

use bergfried_event::Timestamp;

use super::tag::{self, Tag};
use super::{Priority, cisco, relay};
use crate::Context;
use crate::line::Line;
use crate::programs;
use crate::stamp;
use crate::text::{is_host_name, number, skip_spaces};

/// Reads what follows `<PRI>`, or a whole line that has none.
pub(super) fn parse<'a>(
    priority: Option<Priority>,
    text: &'a str,
    context: &Context<'_>,
) -> Line<'a> {
    // Some devices put a blank between the priority and the time.
    let text = match text.strip_prefix(' ').map(skip_spaces) {
        Some(after) if priority.is_some() && stamp::read(after, context).is_some() => after,
        _ => text,
    };
    let mut line = match stamp::read(text, context) {
        Some((stamp, rest)) => stamped(rest, stamp.unwrap_or(context.received), context),
        None => cisco::read(text, context)
            .or_else(|| epoch(text, priority.is_some()))
            .or_else(|| programs::line_of_pairs(text, context))
            .unwrap_or_else(|| unstamped(text, priority.is_some(), context.received)),
    };
    line.facility = line.facility.or(priority.map(|priority| priority.facility));
    line.severity = line.severity.or(priority.map(|priority| priority.severity));
    line.has_priority = priority.is_some();
    line
}

/// `1763633472.123 host tag: message`: seconds since 1970. Other logs begin with such numbers too,
/// so that the host and the tag must be there. Meraki's devices put a `1` in front and no colon
/// behind the tag.
fn epoch(text: &str, has_priority: bool) -> Option<Line<'_>> {
    let meraki = text.strip_prefix("1 ").filter(|_| has_priority);
    let (stamp, rest) = meraki.unwrap_or(text).split_once(' ')?;
    let created = epoch_stamp(stamp)?;
    let (host, rest) = skip_spaces(rest).split_once(' ')?;
    if !is_host_name(host) || number(host.as_bytes()).is_some() {
        return None;
    }
    let mut line = match (tag::read(rest), meraki) {
        (Some(tag), None) => from_tag(tag, created),
        (None, Some(_)) => {
            let (program, message) = rest.split_once(' ')?;
            let mut line = Line::bare(message, created);
            line.program = Some(program.into());
            line
        }
        _ => return None,
    };
    line.host = Some(host.into());
    Some(line)
}

/// Ten digits of seconds with a fraction, or thirteen of milliseconds.
fn epoch_stamp(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let count = number(whole.as_bytes())?;
    let micros = match (whole.len(), fraction.len()) {
        (10, 1..=9) => {
            let digits = number(fraction.as_bytes())?;
            let scale = 10_i64.pow(u32::try_from(fraction.len()).ok()?);
            count * Timestamp::SECOND + digits * Timestamp::SECOND / scale
        }
        (13, _) if !text.contains('.') => count * 1_000,
        _ => return None,
    };
    Some(Timestamp::from_micros(micros))
}

/// Takes off the name of the zone that some senders write after the time.
fn zone_word(rest: &str) -> &str {
    let after = rest.strip_prefix(" UTC").or_else(|| rest.strip_prefix(" GMT"));
    after.filter(|after| after.starts_with([' ', ':'])).unwrap_or(rest)
}

/// `[host] tag: message` after a stamp; the facility and severity may be spelled out before the
/// host or the tag, as the syslogd of BSD, busybox and OpenWrt do.
pub(super) fn stamped<'a>(rest: &'a str, created: Timestamp, context: &Context<'_>) -> Line<'a> {
    let rest = zone_word(rest);
    // A colon ends the stamps of senders that name no host, Cisco's among them.
    let rest = cisco::zone(rest);
    if let Some(message) = rest.strip_prefix(": ") {
        return with_tag(skip_spaces(message), created);
    }
    let (first, rest) = spelled_priority(skip_spaces(rest));
    let (host, rest) = match (relay::forwarded(rest), rest.split_once(' ')) {
        (Some((host, after)), _) => (Some(host), after),
        (_, Some((token, after))) if is_host(token, after) => (Some(relay::sender(token)), after),
        (_, Some((token, after))) if cisco::mnemonic(after).is_some() => {
            (token.strip_suffix(':').filter(|host| is_host_name(host)), after)
        }
        _ => (None, rest),
    };
    // A relay's header before one of Cisco's.
    if rest.starts_with(|first: char| first.is_ascii_digit())
        && let Some(mut line) = cisco::read(rest, context)
    {
        line.host = line.host.or(host.map(Into::into));
        return line;
    }
    // The ASA puts one after the host instead.
    let rest = rest.strip_prefix(": ").unwrap_or(rest);
    let (second, rest) = spelled_priority(rest);
    let mut line = with_tag(rest, created);
    line.host = host.map(Into::into);
    if let Some((facility, severity)) = first.or(second) {
        line.facility = line.facility.or(Some(facility));
        line.severity = line.severity.or(Some(severity));
    }
    line
}

/// Takes off `authpriv.info ` or `<auth.notice> `.
fn spelled_priority(text: &str) -> (Option<(u8, u8)>, &str) {
    let read = || {
        let (word, rest) = text.split_once(' ')?;
        let word = word.strip_prefix('<').and_then(|w| w.strip_suffix('>')).unwrap_or(word);
        Some((codes(word)?, rest))
    };
    match read() {
        Some((codes, rest)) => (Some(codes), rest),
        None => (None, text),
    }
}

/// Facility and severity from `auth.notice`.
fn codes(word: &str) -> Option<(u8, u8)> {
    let (facility, severity) = word.split_once('.')?;
    Some((super::facility(facility)?, super::severity(severity)?))
}

/// A token after the stamp is the host unless it already is the tag, or what syslogd says itself
/// where it names no host.
fn is_host(token: &str, after: &str) -> bool {
    if token == "last" && after.starts_with("message repeated ") {
        return false;
    }
    // Some programs pad their name before `[pid]:`.
    let padded_tag = skip_spaces(after).strip_prefix('[').is_some_and(|inside| {
        inside.split_once("]:").is_some_and(|(pid, _)| pid.bytes().all(|b| b.is_ascii_digit()))
    });
    let is_tag = token.ends_with([':', ']']) || token.starts_with('[');
    !padded_tag && (!is_tag || relay::bracketed(token).is_some()) && !token.is_empty()
}

/// A line without stamp: `tag: message`, `host tag[pid]: message` or just a message.
fn unstamped(text: &str, has_priority: bool, created: Timestamp) -> Line<'_> {
    if let Some(tag) = tag::read(text)
        && !tag.program.contains(' ')
        && (has_priority || tag.pid.is_some() || tag.is_known())
    {
        return from_tag(tag, created);
    }
    if let Some((host, rest)) = text.split_once(' ')
        && is_host_name(host)
        && !host.ends_with(':')
        && let Some(tag) = tag::read(rest)
        && tag.pid.is_some()
        && !tag.program.contains(' ')
    {
        let mut line = from_tag(tag, created);
        line.host = Some(host.into());
        return line;
    }
    Line::bare(text, created)
}

pub(super) fn with_tag(text: &str, created: Timestamp) -> Line<'_> {
    match tag::read(text) {
        Some(tag) => from_tag(tag, created),
        None => {
            vsftpd_file(text, created).unwrap_or_else(|| Line::bare(skip_spaces(text), created))
        }
    }
}

/// `[pid 27202] [bob] FAIL LOGIN: …` after the stamp, as vsftpd writes its own file.
fn vsftpd_file(text: &str, created: Timestamp) -> Option<Line<'_>> {
    let (pid, message) = text.strip_prefix("[pid ")?.split_once("] ")?;
    let mut line = Line::bare(message, created);
    line.program = Some("vsftpd".into());
    line.pid = Some(number(pid.as_bytes())?);
    Some(line)
}

pub(super) fn from_tag<'a>(tag: Tag<'a>, created: Timestamp) -> Line<'a> {
    let (solaris, message) = solaris_id(tag.message);
    let mut line = Line::bare(message, created);
    line.program = Some(tag.program.into());
    line.pam_module = tag.pam_module;
    line.pid = tag.pid;
    if let Some((facility, severity)) = solaris {
        line.facility = Some(facility);
        line.severity = Some(severity);
    }
    line
}

/// Takes off `[ID 702911 auth.notice] `, which Solaris's syslogd puts before the message
/// (log(7D)); gives the facility and severity it names.
fn solaris_id(message: &str) -> (Option<(u8, u8)>, &str) {
    let read = || {
        let (inside, rest) = message.strip_prefix("[ID ")?.split_once("] ")?;
        Some((codes(inside.split_once(' ')?.1)?, rest))
    };
    match read() {
        Some((codes, rest)) => (Some(codes), rest),
        None => (None, message),
    }
}
