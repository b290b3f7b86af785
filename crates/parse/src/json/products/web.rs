//! Access logs of web servers as JSON: nginx and Apache under the names that sites give the fields,
//! Caddy's and Traefik's own.
//!
//! The name of the site, which the client chooses, is called `host` there; it is never the host that
//! the event is from.

use bergfried_event::{Event, Field, FieldName, Value};

use super::{get, is_nothing, set_missing, text};
use crate::json::whole;
use crate::programs::{decoded, push_address_owned, request_parts, split_target};
use crate::stamp;
use crate::text::is_ip;

/// Names of one thing, the ones that say it best first.
type Names = &'static [&'static str];

const CLIENT: Names = &[
    "remote_addr",
    "request.client_ip",
    "request.remote_ip",
    "ClientHost",
    "remote_ip",
    "remoteIP",
    "client_ip",
    "clientip",
    "remoteAddr",
    "remote_host",
    "source.ip",
];
const STATUS: Names = &[
    "status",
    "DownstreamStatus",
    "status_code",
    "response_code",
    "http_status",
    "response",
    "http.response.status_code",
];
const METHOD: Names =
    &["request_method", "request.method", "RequestMethod", "ssh.method", "verb", "http_method"];
const TARGET: Names = &["request_uri", "request.uri", "RequestPath", "uri", "url", "path"];
const LINE: &str = "request";
const PROTOCOL: Names = &[
    "server_protocol",
    "request.proto",
    "RequestProtocol",
    "protocol",
    "httpversion",
    "http_version",
    "proto",
];
const BYTES: Names =
    &["body_bytes_sent", "DownstreamContentSize", "size", "bytes_sent", "bytes", "response_size"];
const REFERRER: Names = &[
    "http_referrer",
    "http_referer",
    "request.headers.Referer",
    "request_Referer",
    "referrer",
    "referer",
];
const AGENT: Names = &[
    "http_user_agent",
    "request.headers.User-Agent",
    "request_User-Agent",
    "user_agent",
    "userAgent",
    "useragent",
    "agent",
];
const USER: Names = &["remote_user", "user_id", "ClientUsername"];
const SITE: Names = &["http_host", "request.host", "RequestHost", "server_name", "vhost"];
const FORWARDED: Names = &[
    "http_x_forwarded_for",
    "x_forwarded_for",
    "request.headers.X-Forwarded-For",
    "request_X-Forwarded-For",
];
const TIME: Names = &["time_iso8601", "time_local", "msec", "StartUTC", "time"];

/// The most addresses that are kept of those for which a proxy asked.
const MOST_FORWARDED: usize = 16;

pub(super) fn complete(event: &mut Event<'_>, has_time: bool) -> bool {
    if event.get(Field::EventCategory).is_some() || event.get(Field::EventAction).is_some() {
        return false;
    }
    let status = first(event, STATUS).and_then(whole);
    let Some(status @ (0 | 100..=999)) = status else { return false };
    let Some(client) = word(event, CLIENT) else { return false };
    let Some(Asked { method, target, version }) = Asked::read(event) else { return false };

    let (module, dataset) = server(event);
    move_site(event);
    event.set(Field::EventModule, module);
    event.set(Field::EventDataset, dataset);
    event.set(Field::EventKind, "event");
    event.set(Field::EventCategory, "web");
    event.set(Field::EventType, "access");
    event.set(Field::EventAction, "http-request");
    event.set(Field::EventOutcome, if (1..400).contains(&status) { "success" } else { "failure" });
    if event.get(Field::SourceIp).is_none() {
        push_address_owned(event, &client);
    }
    // The method goes by the same name in the logs of SSH.
    event.remove(Field::SshMethod);
    set_missing(event, "http.request.method", method);
    set_missing(event, "http.version", version);
    set_missing(event, "http.response.status_code", status);
    push_target(event, &target);
    if let Some(bytes) = first(event, BYTES).and_then(whole) {
        set_missing(event, "http.response.body.bytes", bytes);
    }
    for (names, field) in [(REFERRER, "http.request.referrer"), (AGENT, "user_agent.original")] {
        if let Some(said) = word(event, names) {
            set_missing(event, field, said);
        }
    }
    if event.text(Field::UserName).is_some_and(|user| matches!(user, "" | "-")) {
        event.remove(Field::UserName);
    }
    if let Some(user) = word(event, USER) {
        set_missing(event, "user.name", user);
    }
    push_forwarded(event);
    if !has_time && let Some(time) = word(event, TIME) {
        read_time(event, &time);
    }
    true
}

/// What was asked for.
struct Asked {
    method: String,
    target: String,
    version: String,
}

impl Asked {
    fn read(event: &Event<'_>) -> Option<Asked> {
        let line = text(event, LINE).unwrap_or_default();
        let parts = request_parts(line).map(|parts| (parts.method, parts.target, parts.version));
        // Apache's formats call the path so that they take from the request.
        let path = if line.starts_with('/') { line } else { "" };
        let (method, target, version) = parts.unwrap_or(("", path, None));
        let version = version.unwrap_or_default();
        let or = |said: Option<String>, part: &str| said.unwrap_or_else(|| part.to_owned());
        let mut asked = Asked {
            method: or(word(event, METHOD), method),
            target: or(word(event, TARGET), target),
            version: or(word(event, PROTOCOL), version),
        };
        if let Some(version) = asked.version.strip_prefix("HTTP/") {
            asked.version = version.to_owned();
        }
        // Apache's formats name the query apart, with its mark.
        if !asked.target.contains('?')
            && let Some(query) = text(event, "query").or_else(|| text(event, "query_string"))
            && !matches!(query, "" | "-")
        {
            asked.target.push('?');
            asked.target.push_str(query.strip_prefix('?').unwrap_or(query));
        }
        let is_none = asked.method.is_empty() && get(event, LINE).is_none();
        // What is no request has no method; its text stays under the name that it has.
        if asked.method.is_empty() && !asked.target.starts_with('/') {
            asked.target.clear();
        }
        (!is_none).then_some(asked)
    }
}

/// Whose log it is, where the names of its fields say so.
fn server(event: &Event<'_>) -> (&'static str, &'static str) {
    let has = |path: &str| get(event, path).is_some();
    if text(event, "logger").is_some_and(|logger| logger.starts_with("http.log.access")) {
        ("caddy", "caddy.access")
    } else if has("DownstreamStatus") {
        ("traefik", "traefik.access")
    } else if has("body_bytes_sent") || has("time_iso8601") || has("time_local") {
        ("nginx", "nginx.access")
    } else {
        ("web", "web.access")
    }
}

/// `host` is the site that was asked for; only `hostname` may be the server itself.
fn move_site(event: &mut Event<'_>) {
    let stated = |name: &str| FieldName::Other(name.to_owned().into());
    if let Some(site) = event.take_named(&stated("host")) {
        // `host.name` was taken from `hostname`.
        set_missing(event, "url.domain", site);
    } else if event.original().contains("\"host\":\"") || event.original().contains("\"host\": \"")
    {
        if let Some(site) = event.take_named(&FieldName::Known(Field::HostName)) {
            set_missing(event, "url.domain", site);
        }
        if let Some(server) = event.take_named(&stated("hostname")) {
            event.set_named(FieldName::Known(Field::HostName), server);
        }
    }
    if let Some(site) = word(event, SITE) {
        set_missing(event, "url.domain", site);
    }
}

fn push_target(event: &mut Event<'_>, target: &str) {
    if target.is_empty() {
        return;
    }
    let (path, query) = split_target(target);
    set_missing(event, "url.path", path.to_owned());
    set_missing(event, "url.query", query.unwrap_or_default().to_owned());
    if let Some(decoded) = decoded(target) {
        set_missing(event, "url.decoded", decoded);
    }
    set_missing(event, "url.original", target.to_owned());
}

fn push_forwarded(event: &mut Event<'_>) {
    let Some(addresses) = word(event, FORWARDED) else { return };
    let words = || addresses.split(',').map(str::trim);
    if words().all(is_ip) {
        let list = words().take(MOST_FORWARDED).map(|word| Value::from(word.to_owned())).collect();
        set_missing(event, "network.forwarded_ip", Value::List(list));
    }
}

/// The time as the servers write it: `[21/Nov/2026:10:00:00 +0100]`, ISO 8601, seconds with a fraction.
fn read_time(event: &mut Event<'_>, said: &str) {
    let said = said.trim_start_matches('[').trim_end_matches(']');
    // A zone is always there.
    let context = crate::Context {
        received: event.created(),
        host: "",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let stamp = stamp::common_log(said, &context).or_else(|| stamp::iso(said, &context));
    if let Some((Some(created), _)) = stamp {
        event.set_created(created);
    } else if let Some(created) =
        super::time::read_text("msec", said, &context).filter(|_| number_like(said))
    {
        event.set_created(created);
    }
}

fn number_like(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// The first of these fields that says something.
fn first<'e, 'a>(event: &'e Event<'a>, names: Names) -> Option<&'e Value<'a>> {
    let mut values = names.iter().filter_map(|path| event.get_named(&FieldName::exact(*path)));
    values.find(|value| !is_nothing(value))
}

/// The text of the first of these fields that says something; of a list the first.
fn word(event: &Event<'_>, names: Names) -> Option<String> {
    let value = first(event, names)?;
    match value {
        Value::List(list) => list.iter().find_map(Value::as_str).map(str::to_owned),
        Value::Text(text) => Some(text.clone().into_owned()),
        Value::Int(_) | Value::Float(_) => Some(value.to_text().into_owned()),
        _ => None,
    }
}
