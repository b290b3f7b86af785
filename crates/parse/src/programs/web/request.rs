//! The first line of a request: `GET /path?query HTTP/1.1`, or whatever a client sent in its place.

use bergfried_event::Event;

use super::decode::decoded;
use super::{put, quoted};

/// No method is longer; a longer word is no method.
const LONGEST_METHOD: usize = 32;

/// Sets what a request line says; one that is no request is kept as `web.request`.
pub(super) fn push<'a>(event: &mut Event<'a>, line: &'a str) {
    if matches!(line, "" | "-") {
        return;
    }
    let Some(Parts { method, target, version }) = parts(line) else {
        put(event, "web.request", quoted::plain(line));
        return;
    };
    put(event, "http.request.method", method);
    if method == "CONNECT" {
        // A host and a port (RFC 9112 section 3.2.3).
        put(event, "url.original", quoted::plain(target));
    } else {
        push_target(event, target);
    }
    if let Some(version) = version {
        put(event, "http.version", version);
    }
}

/// Sets the URL of a request, whose escapes of the log are still in it, and its parts.
pub(super) fn push_target<'a>(event: &mut Event<'a>, target: &'a str) {
    let (path, query) = split_target(target);
    put(event, "url.original", quoted::plain(target));
    if !path.is_empty() {
        put(event, "url.path", quoted::plain(path));
    }
    if let Some(query) = query {
        put(event, "url.query", quoted::plain(query));
    }
    if let Some(decoded) = decoded(&quoted::plain(target)) {
        put(event, "url.decoded", decoded);
    }
}

/// The path and the query of a URL, with or without scheme and host (RFC 9112 section 3.2).
pub(crate) fn split_target(target: &str) -> (&str, Option<&str>) {
    let (front, query) = match target.split_once('?') {
        Some((front, query)) => (front, Some(query)),
        None => (target, None),
    };
    (without_authority(front), query)
}

/// A URL without `scheme://host`; all of it where it has none.
fn without_authority(front: &str) -> &str {
    let Some((scheme, rest)) = front.split_once("://") else { return front };
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return front;
    }
    rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or_default()
}

/// The parts of a request line.
pub(crate) struct Parts<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a str,
    pub(crate) version: Option<&'a str>,
}

/// The parts of a request line; none where it is no request.
pub(crate) fn parts(line: &str) -> Option<Parts<'_>> {
    let (method, rest) = line.split_once(' ')?;
    let is_method = method.len() <= LONGEST_METHOD
        && method.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && method.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !is_method {
        return None;
    }
    // A client may put spaces into the URL: the version is the last word.
    if let Some((target, version)) = rest.rsplit_once(" HTTP/") {
        let is_version = matches!(version.len(), 1..=8)
            && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if is_version && !target.is_empty() {
            return Some(Parts { method, target, version: Some(version) });
        }
    }
    // HTTP/0.9 has no version.
    let is_target = rest.starts_with('/') || rest.contains("://");
    is_target.then_some(Parts { method, target: rest, version: None })
}
