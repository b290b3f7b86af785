//! Nginx Proxy Manager's access logs: `[TIME] CACHE UPSTREAM_STATUS STATUS - METHOD SCHEME HOST "URI"
//! [Client ADDRESS] [Length N] [Gzip N] [Sent-to SERVER] "AGENT" "REFERRER"`; without the first two and
//! `Sent-to` for what it answers itself.

use bergfried_event::Event;

use super::{access::push_client, mark_request, push_status, put, quoted, request};
use crate::Context;
use crate::line::Line;
use crate::stamp;
use crate::text::number;

/// A line of such a log.
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let (time, _) = Request::read(text)?;
    let (created, rest) = stamp::common_log(time, context)?;
    if !rest.is_empty() {
        return None;
    }
    let mut line = Line::bare(text, created.unwrap_or(context.received));
    line.program = Some("nginx".into());
    Some(line)
}

/// Reads a line; false where it is none of such a log.
pub(super) fn read<'a>(line: &'a str, event: &mut Event<'a>) -> bool {
    let Some((_, found)) = Request::read(line) else { return false };
    mark_request(event, "nginx", "nginx.access");
    push_client(event, found.client);
    if !matches!(found.method, "-" | "") {
        put(event, "http.request.method", found.method);
    }
    if !matches!(found.host, "-" | "") {
        put(event, "url.domain", found.host);
    }
    if matches!(found.scheme, "http" | "https") {
        put(event, "url.scheme", found.scheme);
    }
    if !matches!(found.target, "-" | "") {
        request::push_target(event, found.target);
    }
    push_status(event, found.status);
    found.push_rest(event);
    true
}

struct Request<'a> {
    status: i64,
    method: &'a str,
    scheme: &'a str,
    host: &'a str,
    target: &'a str,
    client: &'a str,
    rest: &'a str,
}

impl<'a> Request<'a> {
    fn read(line: &'a str) -> Option<(&'a str, Request<'a>)> {
        let (time, rest) = line.strip_prefix('[')?.split_once("] ")?;
        let (head, rest) = rest.split_once('"')?;
        let (numbers, request) = head.split_once(" - ")?;
        // The cache says `-` where it was not asked: what is before the method is after the last mark.
        let (numbers, request) = match request.rsplit_once(" - ") {
            Some((more, request)) => (more, request),
            None => (numbers, request),
        };
        let status = number(numbers.rsplit(' ').next()?.as_bytes())?;
        let mut words = request.trim_end_matches(' ').split(' ');
        let (method, scheme, host) = (words.next()?, words.next()?, words.next()?);
        let (target, rest) = quoted::take(rest)?;
        let (client, rest) = rest.strip_prefix(" [Client ")?.split_once(']')?;
        words
            .next()
            .is_none()
            .then_some((time, Request { status, method, scheme, host, target, client, rest }))
    }

    fn push_rest(&self, event: &mut Event<'a>) {
        let mut rest = self.rest;
        while let Some((inside, after)) =
            rest.strip_prefix(" [").and_then(|rest| rest.split_once(']'))
        {
            if let Some(bytes) = inside.strip_prefix("Length ").and_then(|n| number(n.as_bytes())) {
                put(event, "http.response.body.bytes", bytes);
            }
            rest = after;
        }
        let Some((agent, rest)) = rest.strip_prefix(" \"").and_then(quoted::take) else { return };
        if let Some(agent) = quoted::said(agent) {
            put(event, "user_agent.original", agent);
        }
        let referrer = rest.strip_prefix(" \"").and_then(quoted::take);
        if let Some(referrer) = referrer.and_then(|(referrer, _)| quoted::said(referrer)) {
            put(event, "http.request.referrer", referrer);
        }
    }
}
