//! Outputs as `[[output]]` tables.

use std::collections::BTreeSet;

use crate::Work;
use crate::condition::{self, Search};
use crate::inputs::named;
use crate::settings::{Settings, text};
use crate::syntax::{Item, Plugin};
use crate::toml::Table;

/// The outputs; `which` events come from the inputs of this pipeline.
pub(crate) fn translate(items: &[Item], which: Option<&Search>, work: &mut Work<'_>) -> Vec<Table> {
    let mut outputs = Outputs { tables: Vec::new(), names: BTreeSet::new() };
    outputs.items(items, which, work);
    outputs.tables
}

struct Outputs {
    tables: Vec<Table>,
    names: BTreeSet<String>,
}

impl Outputs {
    fn items(&mut self, items: &[Item], which: Option<&Search>, work: &mut Work<'_>) {
        for item in items {
            match item {
                Item::Plugin(plugin) => {
                    work.outputs += 1;
                    self.plugin(plugin, which, work);
                }
                Item::Branch(branch) => {
                    let mut left = which.cloned();
                    let mut whole = true;
                    for arm in &branch.arms {
                        let search = condition::search(
                            &arm.condition,
                            arm.place,
                            &work.names,
                            &mut work.told,
                        );
                        match search {
                            Ok(search) => {
                                let here = and(left.clone(), search.clone());
                                self.items(&arm.items, Some(&here), work);
                                left = Some(and(left, search.not()));
                            }
                            Err(error) => {
                                let message = format!(
                                    "{}; no output in this branch is translated",
                                    error.message
                                );
                                work.told.missing(error.place, message);
                                whole = false;
                                break;
                            }
                        }
                    }
                    if whole {
                        self.items(&branch.otherwise, left.as_ref(), work);
                    }
                }
            }
        }
    }

    fn plugin(&mut self, plugin: &Plugin, which: Option<&Search>, work: &mut Work<'_>) {
        let mut settings = Settings::new(plugin, work.variable);
        settings.ignore(&["id", "enable_metric", "workers"]);
        let mut search = which.cloned();
        if let Some(kind) = settings.text("type", &mut work.told) {
            let kind = Search::any_word(&condition::field("type"), &[kind]);
            search = Some(and(search, kind));
        }
        let table = match plugin.name.as_str() {
            "file" => file(&mut settings, work),
            "syslog" | "tcp" | "udp" => forward(&mut settings, work),
            "elasticsearch" | "opensearch" => {
                let message = format!(
                    "output {} needs no table: the hub keeps and searches the events itself",
                    plugin.name
                );
                return work.told.differs(plugin.place, message);
            }
            "stdout" => {
                let message =
                    "output stdout needs no table: bergfried tail shows events as they come";
                return work.told.note(plugin.place, message);
            }
            "null" => return,
            "email" | "slack" | "pagerduty" | "webhook" => {
                let message = format!(
                    "output {} is not translated: people are told of alerts, see [[notify]]",
                    plugin.name
                );
                return work.told.missing(plugin.place, message);
            }
            other => {
                return work
                    .told
                    .missing(plugin.place, format!("output {other} is not translated"));
            }
        };
        let Some(mut table) = table else { return };
        settings.finish(&mut work.told);
        let mut name = plugin.name.clone();
        let mut number = 2;
        while !self.names.insert(name.clone()) {
            name = format!("{}-{number}", plugin.name);
            number += 1;
        }
        table.comment = vec![work.comment(plugin.place, &plugin.name)];
        table.entries.insert(0, ("name", name.into()));
        if let Some(search) = search {
            table.entries.insert(2, ("when", search.into_text().into()));
        }
        self.tables.push(table);
    }
}

fn and(left: Option<Search>, right: Search) -> Search {
    match left {
        Some(left) => left.and(right),
        None => right,
    }
}

fn file(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Option<Table> {
    let Some(path) = settings.text("path", &mut work.told) else {
        work.told.missing(settings.place(), "output file has no path");
        return None;
    };
    let ours = work.names.text(&path);
    if ours.contains("%{observer.ip}") && path.contains("%{host}") {
        let message = "%{host} is the sender's address, as in Logstash; %{host.name} is the host that \
                       the message names";
        work.told.note(settings.place(), message);
    }
    if ours.contains("%{@metadata") {
        let message =
            "fields of @metadata are gone when an event is stored: the path cannot have them";
        work.told.missing(settings.place(), message);
    }
    if !ours.starts_with('/') {
        work.told.missing(settings.place(), format!("the path `{ours}` does not begin with /"));
    }
    let mut table = Table::default();
    table.set("type", "file");
    table.set("path", ours);
    let format = format(settings, work)?;
    if format != "raw" {
        table.set("format", format);
    }
    for (theirs, ours) in [("file_mode", "mode"), ("dir_mode", "directory_mode")] {
        if let Some(mode) = settings.text(theirs, &mut work.told).filter(|mode| mode != "-1") {
            table.set(ours, octal(&mode));
        }
    }
    if settings.truth("gzip", &mut work.told) == Some(true) {
        table.set("rotate_age", "1d");
        table.set("compress", "gzip");
        let message = "files are written plain and compressed when they are rotated, each day";
        work.told.differs(settings.place(), message);
    }
    if settings.text("write_behavior", &mut work.told).is_some_and(|how| how != "append") {
        work.told.missing(settings.place(), "files are always appended to");
    }
    settings.ignore(&["flush_interval", "create_if_deleted", "stale_cleanup_interval"]);
    if let Some(setting) = settings.take("filename_failure") {
        let message =
            "names that would leave the directory are made safe, not sent to another file";
        work.told.differs(setting.place, message);
    }
    Some(table)
}

/// Logstash takes a mode as a number in octal or decimal: `0640`, `640` and 416 are the same.
fn octal(mode: &str) -> String {
    let is_octal = mode.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    match mode.parse::<u32>() {
        Ok(decimal) if !is_octal || decimal > 777 && !mode.starts_with('0') => {
            format!("{decimal:04o}")
        }
        _ => format!("{mode:0>4}"),
    }
}

/// What a line of a file or a message says: `raw`, `json` or a text with `%{field}`.
fn format(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Option<String> {
    let old = settings.text("message_format", &mut work.told);
    let (codec, inner) = match settings.take("codec") {
        Some(setting) => named(&setting.value),
        None => ("json_lines".to_owned(), None),
    };
    let format = inner.and_then(|codec| codec.settings.iter().find(|s| s.name == "format"));
    let format = format.and_then(|s| text(&s.value, work.variable, &mut work.told)).or(old);
    let raw = |text: &str| {
        let ours = work.names.text(text.trim_end_matches(['\n', '\r']));
        if ours == "%{event.original}" { "raw".to_owned() } else { ours }
    };
    match (codec.as_str(), format) {
        ("line" | "plain" | "json_lines", Some(format)) => Some(raw(&format)),
        ("line" | "plain", None) => {
            let message = format!("without a format, codec {codec} writes time, host and message");
            work.told.note(settings.place(), message);
            Some(raw("%{@timestamp} %{host} %{message}"))
        }
        ("json" | "json_lines", None) => {
            let message = "each line is a JSON object, as in Logstash; its fields are named as here \
                           (event.original for message); format = \"raw\" writes the received lines";
            work.told.differs(settings.place(), message);
            Some("json".to_owned())
        }
        (other, _) => {
            work.told.missing(settings.place(), format!("codec {other} is not translated"));
            None
        }
    }
}

fn forward(settings: &mut Settings<'_>, work: &mut Work<'_>) -> Option<Table> {
    let plugin = settings.plugin.name.as_str();
    let (Some(host), Some(port)) =
        (settings.text("host", &mut work.told), settings.text("port", &mut work.told))
    else {
        let message = format!("output {plugin} has no host or no port");
        work.told.missing(settings.place(), message);
        return None;
    };
    if settings.text("mode", &mut work.told).is_some_and(|mode| mode != "client") {
        work.told.missing(settings.place(), "only `mode => client` sends");
        return None;
    }
    let protocol = settings.text("protocol", &mut work.told);
    let secure = settings.truth("ssl_enabled", &mut work.told);
    let secure = settings.truth("ssl_enable", &mut work.told).or(secure) == Some(true);
    let scheme = match (plugin, protocol.as_deref()) {
        (_, Some("ssl-tcp")) => "tls",
        ("tcp", _) if secure => "tls",
        ("tcp", _) | (_, Some("tcp")) => "tcp",
        _ => "udp",
    };
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let mut table = Table::default();
    table.set("type", "syslog");
    table.set("to", format!("{scheme}://{host}:{port}"));
    if plugin == "syslog" {
        if settings.text("rfc", &mut work.told).is_none_or(|rfc| rfc != "rfc5424") {
            work.told.differs(settings.place(), "messages are sent in the form of RFC 5424");
        }
        let message = "facility, severity, host, program and message are those of the event";
        for name in [
            "facility",
            "severity",
            "priority",
            "sourcehost",
            "appname",
            "procid",
            "msgid",
            "message",
        ] {
            if let Some(setting) = settings.take(name) {
                work.told.differs(setting.place, message);
            }
        }
        settings.ignore(&["codec", "use_labels", "reconnect_interval"]);
    } else {
        let payload = match format(settings, work)?.as_str() {
            "raw" => "raw",
            "json" => {
                let message = "each JSON object is the text of an RFC 5424 message";
                work.told.differs(settings.place(), message);
                "json"
            }
            _ => {
                work.told.missing(settings.place(), "a format of messages is not translated");
                "rfc5424"
            }
        };
        table.set("payload", payload);
        if scheme != "udp" {
            table.set("framing", "newline");
        }
        settings.ignore(&["reconnect_interval", "retry_count", "retry_backoff_ms"]);
    }
    certificates(&mut table, scheme == "tls", settings, work);
    Some(table)
}

fn certificates(table: &mut Table, on: bool, settings: &mut Settings<'_>, work: &mut Work<'_>) {
    for (names, key) in [
        (&["ssl_certificate_authorities", "ssl_cacert"][..], "ca"),
        (&["ssl_certificate", "ssl_cert"], "certificate"),
        (&["ssl_key"], "key"),
    ] {
        if let Some(setting) = settings.take_any(names)
            && let Some(file) = text(&setting.value, work.variable, &mut work.told)
            && on
        {
            table.set(key, file);
        }
    }
    for name in ["ssl_verify", "ssl_verification_mode"] {
        if let Some(how) = settings.text(name, &mut work.told)
            && matches!(how.as_str(), "false" | "none")
            && on
        {
            work.told.differs(settings.place(), "the receiver's certificate is always verified");
        }
    }
    settings.ignore(&["ssl_supported_protocols", "ssl_cipher_suites"]);
}
