//! Web servers: who asked for what and what the answer was, and what the servers complain about.
//!
//! Access logs in the common and the combined format, with the name of the site in front and fields
//! of a site's own behind; the error logs of nginx and Apache; the logs of Nginx Proxy Manager.
//!
//! Whoever sends a request chooses its text, the referrer, the user agent, the user and the name of
//! the site. The servers escape quotation marks and control characters in all of them, so that what
//! is between two marks never ends early; fields are read in the servers' order and never looked for
//! in such a text. nginx does not escape its error log: see the module `nginx_error`.

mod access;
mod apache_error;
mod decode;
mod modsecurity;
mod nginx_error;
mod proxy_manager;
mod quoted;
mod request;
mod server;
#[cfg(test)]
mod tests;

use bergfried_event::{Event, Field, FieldName, Value};

use super::{FAILURE, Program, SUCCESS, outcome};
use crate::Context;
use crate::line::Line;

pub(crate) use decode::decoded;
pub(crate) use request::{parts as request_parts, split_target};
pub use server::name_server;

pub(super) const NGINX: Program = Program { name: "nginx", tags: &["nginx"], read: read_nginx };
pub(super) const APACHE: Program =
    Program { name: "apache", tags: &["apache2", "httpd", "apache"], read: read_apache };

/// The server of a tag that a site chose for one of its logs: `nginx_access`, `httpd-error`.
pub(super) fn family(tag: &str) -> Option<&'static str> {
    let is_of = |name: &&&str| {
        tag.strip_prefix(**name)
            .is_some_and(|rest| rest.starts_with(['-', '_', '.', ':', '/', '@']))
    };
    ["nginx", "apache2", "apache", "httpd"].iter().find(is_of).copied()
}

/// Whether this is the tag of a web server, whose access log may be JSON.
pub(crate) fn is_web_server(tag: &str) -> bool {
    [&NGINX, &APACHE].iter().any(|program| program.tags.contains(&tag)) || family(tag).is_some()
}

/// A line of a log that a web server writes itself. The formats of access logs are those of many
/// servers: whose it is, the path may say (see [`name_server`]).
pub(super) fn own<'a>(text: &'a str, context: &Context<'_>) -> Option<Line<'a>> {
    let first = *text.as_bytes().first()?;
    if first == b'[' {
        return apache_error::own(text, context)
            .or_else(|| proxy_manager::own(text, context))
            .or_else(|| access::own_of_tls(text, context))
            .or_else(|| access::own(text, context));
    }
    if first.is_ascii_digit()
        && let Some(line) = nginx_error::own(text, context)
    {
        return Some(line);
    }
    access::own(text, context)
}

/// Reads a message that names no program; true where it is a line of an access log.
pub(super) fn read_bare<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    read_access(message, "web", event)
}

fn read_nginx<'a>(message: &'a str, event: &mut Event<'a>) {
    if !read_access(message, "nginx", event) {
        nginx_error::read(message, event);
    }
}

fn read_apache<'a>(message: &'a str, event: &mut Event<'a>) {
    if !read_access(message, "apache", event) {
        apache_error::read(message, event);
    }
}

fn read_access<'a>(message: &'a str, module: &'static str, event: &mut Event<'a>) -> bool {
    access::read(message, module, event) || proxy_manager::read(message, event)
}

/// Marks an event as a request to this server.
fn mark_request(event: &mut Event<'_>, module: &'static str, dataset: &'static str) {
    event.push(Field::EventModule, module);
    event.push(Field::EventDataset, dataset);
    event.push(Field::EventKind, "event");
    event.push(Field::EventCategory, "web");
    event.push(Field::EventType, "access");
    event.push(Field::EventAction, "http-request");
}

/// The name of a server's access log among data sets.
fn access_dataset(module: &str) -> &'static str {
    match module {
        "nginx" => "nginx.access",
        "apache" => "apache.access",
        _ => "web.access",
    }
}

/// Sets the status of an answer, and whether that means that the request succeeded; nginx writes 000
/// where it never answered.
fn push_status(event: &mut Event<'_>, status: i64) {
    if status != 0 {
        put(event, "http.response.status_code", status);
    }
    outcome(event, if (1..400).contains(&status) { SUCCESS } else { FAILURE });
}

/// Says what became of a request that an error log tells of, by whether somebody was not allowed to and
/// by the code of its level in syslog (0 the worst, warnings 4).
fn push_complaint(event: &mut Event<'_>, is_denied: bool, level: u8) {
    let action = match level {
        _ if is_denied => "http-denied",
        0..=4 => "http-error",
        _ => "http-note",
    };
    event.push(Field::EventAction, action);
    if is_denied {
        event.push(Field::EventType, "denied");
        outcome(event, FAILURE);
    } else if level <= 4 {
        event.push(Field::EventType, "error");
    }
}

/// Says that somebody logged in, or failed to.
fn push_login(event: &mut Event<'_>, action: &'static str, result: &'static str) {
    event.push(Field::EventCategory, "authentication");
    event.push(Field::EventAction, action);
    event.push(Field::EventType, "start");
    outcome(event, result);
}

/// Sets a field that has no place of its own among the well-known ones.
fn put<'a>(event: &mut Event<'a>, name: &'static str, value: impl Into<Value<'a>>) {
    event.push_named(FieldName::Other(name.into()), value);
}
