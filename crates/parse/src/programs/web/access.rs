//! Access logs: the common log format, the combined one, both with the name of the site in front, and
//! whatever a site adds behind.
//!
//! `[SITE[:PORT] ]CLIENT IDENT USER [TIME] "REQUEST" STATUS BYTES["REFERRER" "AGENT"…]`. The user may
//! hold spaces and brackets, as many as the server takes, but no quotation mark that is not escaped: the
//! request begins at the first one that a whole time stands before.

use bergfried_event::{Event, Field, Value};

use super::{access_dataset, mark_request, push_status, put, quoted, request};
use crate::Context;
use crate::line::Line;
use crate::programs::peer;
use crate::stamp::{self, Stamp};
use crate::text::{is_host_name, is_ip, number, port};

/// No site, client and user together are longer: servers take headers of 8 KiB, and write four
/// characters for some.
const LONGEST_FRONT: usize = 64 << 10;
/// The most places that are tried for the time: a user between marks may hold one.
const MOST_TIMES: usize = 4;
/// The length of `21/Nov/2026:10:00:00 +0100`.
const STAMP: usize = 26;
/// The most addresses that are kept of those for which a proxy asked.
const MOST_FORWARDED: usize = 16;

/// A line of an access log.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let Entry { front, time, .. } = Entry::read(text)?;
    // What stands before a header of syslog with a line of a web server as its message.
    if stamp::read(text, context).is_some() && front.site.is_some() {
        return None;
    }
    Some(Line::bare(text, created(time, context)?.unwrap_or(context.received)))
}

/// `[21/Nov/2026:10:00:00 +0100] CLIENT TLSv1.3 CIPHER "REQUEST" BYTES`, as mod_ssl's log has it.
pub(super) fn own_of_tls<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    tls(text)?;
    let time = text.get(1..1 + STAMP)?;
    let mut line = Line::bare(text, created(time, context)?.unwrap_or(context.received));
    line.program = Some("apache2".into());
    Some(line)
}

fn created(time: &str, context: &Context<'_>) -> Option<Stamp> {
    stamp::common_log(time, context).filter(|(_, rest)| rest.is_empty()).map(|(stamp, _)| stamp)
}

/// Reads a line; false where it is none of an access log.
pub(super) fn read<'a>(line: &'a str, module: &'static str, event: &mut Event<'a>) -> bool {
    // So may the name of a site.
    if line.starts_with('[') && read_tls(line, event) {
        return true;
    }
    let Some(Entry { front, request, status, rest, .. }) = Entry::read(line) else { return false };
    mark_request(event, module, access_dataset(module));
    front.push(event);
    request::push(event, request);
    push_status(event, status);
    push_rest(event, rest);
    true
}

/// The request, the status of its answer, and what follows: a line without a status is none of an
/// access log.
fn request_of(text: &str) -> Option<(&str, i64, &str)> {
    let (request, rest) = quoted::take(text)?;
    let (status, rest) = word(rest.strip_prefix(' ')?);
    let status = number(status.as_bytes()).filter(|_| status.len() == 3)?;
    Some((request, status, rest))
}

/// The parts of a line.
struct Entry<'a> {
    front: Front<'a>,
    time: &'a str,
    request: &'a str,
    status: i64,
    /// What follows the status.
    rest: &'a str,
}

impl<'a> Entry<'a> {
    /// Whoever asks chooses the user, and nothing that stands in it hides the line: what is looked
    /// for is the mark that no user can write.
    fn read(line: &'a str) -> Option<Entry<'a>> {
        let near = line.get(..line.floor_char_boundary(LONGEST_FRONT))?;
        let times = near.match_indices("] \"").filter_map(|(end, mark)| {
            let start = end.checked_sub(STAMP)?;
            let time = line.get(start..end)?;
            let is_time = time.as_bytes().get(11) == Some(&b':');
            let front = line.get(..start)?.strip_suffix('[').filter(|_| is_time)?;
            Some((front, time, line.get(end + mark.len()..)?))
        });
        times.take(MOST_TIMES).find_map(|(front, time, rest)| {
            let front = Front::read(front)?;
            let (request, status, rest) = request_of(rest)?;
            Some(Entry { front, time, request, status, rest })
        })
    }
}

/// What stands before the time.
struct Front<'a> {
    site: Option<&'a str>,
    client: &'a str,
    user: &'a str,
}

impl<'a> Front<'a> {
    /// Servers write `-` for the identity of RFC 1413, which nobody asks for any more: the client is
    /// the word before it, the user all behind it.
    fn read(text: &'a str) -> Option<Front<'a>> {
        let (before, user) = match text.split_once(" - ") {
            Some((before, user)) => (before, user.trim_end_matches(' ')),
            None => {
                let mut words = text.trim_end_matches(' ').split(' ');
                let (client, _identity, user) = (words.next()?, words.next()?, words.next()?);
                (words.next().is_none().then_some(client)?, user)
            }
        };
        let (site, client) = match before.rsplit_once(' ') {
            Some((site, client)) => (Some(site).filter(|site| !site.is_empty()), client),
            None => (None, before),
        };
        // The client chooses the site, and servers leave most of it as it is. Several words in front
        // are the addresses of `X-Forwarded-For`, each but the last with a comma.
        let is_site =
            |site: &str| !site.contains('"') && (!site.contains(' ') || site.contains(", "));
        let fits = is_host_name(client) && site.is_none_or(is_site);
        let user = user.strip_prefix('"').and_then(|user| user.strip_suffix('"')).unwrap_or(user);
        // A mark within is not the user's: this is not where the user ends.
        (fits && quoted::take(user).is_none()).then_some(Front { site, client, user })
    }

    fn push(&self, event: &mut Event<'a>) {
        push_client(event, self.client);
        if let Some(site) = self.site {
            push_site(event, site);
        }
        if let Some(user) = quoted::said(self.user) {
            event.push(Field::UserName, user);
        }
    }
}

/// Sets who asked; a client on a socket of this host has no address.
pub(super) fn push_client<'a>(event: &mut Event<'a>, client: &'a str) {
    if client == "unix:" {
        return;
    }
    // Some write the port behind the address.
    match client.rsplit_once(':') {
        Some((address, number)) if is_ip(address) && !is_ip(client) && port(number).is_some() => {
            peer::push_address(event, address);
            if let Some(port) = port(number) {
                event.push(Field::SourcePort, port);
            }
        }
        _ => peer::push_address(event, client),
    }
}

/// `www.example.org:443`, a name alone, or the addresses for which a proxy asked.
fn push_site<'a>(event: &mut Event<'a>, site: &'a str) {
    if site.contains(',') {
        push_forwarded(event, site.trim_end_matches(','));
        return;
    }
    match site.rsplit_once(':') {
        Some((name, number)) if !name.is_empty() && !is_ip(site) && port(number).is_some() => {
            put(event, "url.domain", name);
            if let Some(port) = port(number) {
                put(event, "url.port", port);
            }
        }
        _ => put(event, "url.domain", site),
    }
}

/// Sets the addresses of an `X-Forwarded-For`, where it holds nothing else; true where it does.
fn push_forwarded<'a>(event: &mut Event<'a>, text: &'a str) -> bool {
    let words = || text.split(',').map(str::trim);
    if text.is_empty() || !words().all(is_ip) {
        return false;
    }
    let addresses: Vec<Value<'a>> = words().take(MOST_FORWARDED).map(Value::from).collect();
    put(event, "network.forwarded_ip", Value::List(addresses));
    true
}

/// What follows the status: size, referrer and user agent, then what a site added.
fn push_rest<'a>(event: &mut Event<'a>, text: &'a str) {
    let mut rest = text;
    let (word, after) = word(rest);
    if let Some(bytes) = number(word.as_bytes()) {
        put(event, "http.response.body.bytes", bytes);
    }
    if word == "-" || number(word.as_bytes()).is_some() {
        rest = after;
    }
    // Some put the site or a time before the referrer.
    let start = rest.find('"').unwrap_or(rest.len());
    let (before, marked) = rest.split_at_checked(start).unwrap_or((rest, ""));
    let pair = marked.strip_prefix('"').and_then(quoted::take).and_then(|(referrer, rest)| {
        let (agent, rest) = rest.strip_prefix(" \"").and_then(quoted::take)?;
        Some((referrer, agent, rest))
    });
    let Some((referrer, agent, extra)) = pair else {
        push_extra(event, rest);
        return;
    };
    if let Some(referrer) = quoted::said(referrer) {
        put(event, "http.request.referrer", referrer);
    }
    if let Some(agent) = quoted::said(agent) {
        put(event, "user_agent.original", agent);
    }
    let extra = extra.trim_start_matches(' ');
    let forwarded = extra.strip_prefix('"').and_then(quoted::take);
    let extra = match forwarded {
        Some((addresses, after)) if push_forwarded(event, addresses) => after,
        _ => extra,
    };
    push_extra(event, if extra.is_empty() { before } else { extra });
}

fn push_extra<'a>(event: &mut Event<'a>, text: &'a str) {
    let text = text.trim_matches(' ');
    if !matches!(text, "" | "-" | "\"-\"" | "\"\"") {
        put(event, "web.extra", text);
    }
}

fn word(text: &str) -> (&str, &str) {
    text.split_once(' ').unwrap_or((text, ""))
}

/// Client, version, cipher and the rest from the request on.
fn tls(text: &str) -> Option<(&str, &str, &str, &str)> {
    let rest = text.get(1 + STAMP..)?.strip_prefix("] ")?;
    let (front, rest) = rest.split_once(" \"")?;
    let mut words = front.split(' ');
    let (client, version, cipher) = (words.next()?, words.next()?, words.next()?);
    let is_one = words.next().is_none()
        && is_host_name(client)
        && (version.starts_with("TLSv") || version.starts_with("SSLv") || version == "-");
    is_one.then_some((client, version, cipher, rest))
}

/// Every request of this log is in the access log as well: it is a connection, so that nothing counts
/// it twice.
fn read_tls<'a>(line: &'a str, event: &mut Event<'a>) -> bool {
    let Some((client, version, cipher, rest)) = tls(line) else { return false };
    let Some((request, rest)) = quoted::take(rest) else { return false };
    mark_request(event, "apache", "apache.ssl_request");
    event.set(Field::EventType, "connection");
    push_client(event, client);
    if version != "-" {
        put(event, "tls.version", version);
        put(event, "tls.cipher", cipher);
    }
    request::push(event, request);
    if let Some(bytes) = number(rest.trim_matches(' ').as_bytes()) {
        put(event, "http.response.body.bytes", bytes);
    }
    true
}
