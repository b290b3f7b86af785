//! How a host is, as its agent reports it: the fields that the status of any host has.
//!
//! The document is whole in `event.original`; what is read here is what people look at and rules ask
//! for. Agents differ in the names inside its lists, so the usual ones are known (those of psutil
//! first).

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_heimdall::{OsType, read_time};
use serde_json::{Map, Value as Json};

use super::{MAX_NAME, likely, system};
use crate::{Context, push_host};

/// The most elements of one list that are read.
const MAX_LIST: usize = 32;
/// The longest text that is read of it.
const MAX_TEXT: usize = 1_024;

type Object = Map<String, Json>;

/// Reads the inner object of a document of `POST /system-status`.
pub(super) fn read<'a>(text: &'a str, status: &Object, context: &Context<'_>) -> Event<'a> {
    let stated = word(status, &["timestamp"]).and_then(|stamp| read_time(&stamp));
    let mut event = Event::new(likely(stated, context), text);
    let host = status.get("source_host").and_then(Json::as_str);
    let host = host.filter(|host| !host.is_empty() && host.len() <= MAX_NAME);
    push_host(&mut event, host.map(|host| host.to_owned().into()), context);
    event.push(Field::EventKind, "metric");
    event.push(Field::EventModule, "system");
    event.push(Field::EventDataset, "system.status");
    event.push(Field::EventAction, "host-status");
    event.push(Field::Message, format!("{} says how it is", host.unwrap_or("a host")));
    push_system(&mut event, status);
    push_numbers(&mut event, status);
    push_disks(&mut event, status);
    push_networks(&mut event, status);
    push_processes(&mut event, status);
    event
}

fn push_system(event: &mut Event<'_>, status: &Object) {
    let os = word(status, &["os_type"]).and_then(|os| OsType::from_name(&os.to_ascii_uppercase()));
    if let Some(name) = os.and_then(system) {
        push(event, "host.os.type", name.into());
    }
    match status.get("os_details") {
        Some(Json::Object(details)) => {
            for (field, names) in [
                ("host.os.name", ["name", "system", "platform", "os"].as_slice()),
                ("host.os.version", &["version", "os_version"]),
                ("host.os.kernel", &["release", "kernel"]),
                ("host.architecture", &["machine", "architecture", "arch"]),
                ("host.os.full", &["full", "pretty_name", "description"]),
            ] {
                if let Some(word) = word(details, names) {
                    push(event, field, word.into());
                }
            }
        }
        Some(_) => {
            if let Some(details) = word(status, &["os_details"]) {
                push(event, "host.os.full", details.into());
            }
        }
        None => {}
    }
    // A number is that of seconds since 1970, as psutil has it.
    if let Some(boot) = word(status, &["boot_time"]).and_then(|boot| read_time(&boot)) {
        push(event, "host.boot_time", boot.to_string().into());
        let uptime = event.created().since(boot) / Timestamp::SECOND;
        if uptime >= 0 {
            push(event, "host.uptime", uptime.into());
        }
    }
}

fn push_numbers(event: &mut Event<'_>, status: &Object) {
    for (field, name) in [
        ("system.cpu.cores", "cpu_count"),
        ("system.memory.total", "memory_total"),
        ("system.memory.used.bytes", "memory_used"),
    ] {
        push_number(event, field, number(status, &[name]));
    }
    push_number(event, "host.cpu.usage", part(number(status, &["cpu_usage"])));
    push_number(event, "system.memory.used.pct", part(number(status, &["memory_percent"])));
}

fn push_disks(event: &mut Event<'_>, status: &Object) {
    let disks = objects(status, "disk_info");
    let used_part = |disk: &Object| {
        let whole = number(disk, &["total"]).filter(|total| *total > 0.0);
        part(number(disk, &["percent", "used_percent", "usage_percent"]))
            .or_else(|| Some(number(disk, &["used"])? / whole?))
            .filter(|part| (0.0..=1.0).contains(part))
    };
    push_words(
        event,
        "system.filesystem.mount_point",
        &disks,
        &["mountpoint", "mount_point", "mount", "path"],
    );
    push_words(event, "system.filesystem.device_name", &disks, &["device", "name"]);
    push_words(event, "system.filesystem.type", &disks, &["fstype", "type"]);
    push_list(event, "system.filesystem.total", &disks, |disk| number(disk, &["total"]));
    push_list(event, "system.filesystem.used.bytes", &disks, |disk| number(disk, &["used"]));
    push_list(event, "system.filesystem.used.pct", &disks, used_part);
}

fn push_networks(event: &mut Event<'_>, status: &Object) {
    let networks = objects(status, "network_info");
    push_words(event, "system.network.name", &networks, &["interface", "name"]);
    push_words(
        event,
        "system.network.address",
        &networks,
        &["address", "ip_address", "ip", "ipv4"],
    );
    push_list(event, "system.network.in.bytes", &networks, |network| {
        number(network, &["bytes_recv", "bytes_received", "rx_bytes"])
    });
    push_list(event, "system.network.out.bytes", &networks, |network| {
        number(network, &["bytes_sent", "tx_bytes"])
    });
}

fn push_processes(event: &mut Event<'_>, status: &Object) {
    let processes = objects(status, "top_processes");
    push_words(event, "system.process.name", &processes, &["name", "command"]);
    push_words(event, "system.process.user", &processes, &["username", "user"]);
    push_list(event, "system.process.pid", &processes, |process| number(process, &["pid"]));
    push_list(event, "system.process.cpu.pct", &processes, |process| {
        number(process, &["cpu_percent", "cpu"]).map(|percent| percent / 100.0)
    });
    push_list(event, "system.process.memory.bytes", &processes, |process| {
        number(process, &["memory_bytes", "rss", "memory_used"])
    });
}

/// The objects of a list.
fn objects<'s>(status: &'s Object, name: &str) -> Vec<&'s Object> {
    let list = status.get(name).and_then(Json::as_array);
    list.into_iter().flatten().filter_map(Json::as_object).take(MAX_LIST).collect()
}

/// The first text of these names, also where it is a number; cut where it is long.
fn word(object: &Object, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| match object.get(*name)? {
        Json::String(text) if !text.is_empty() => Some(text.chars().take(MAX_TEXT).collect()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// The first number of these names that is none below zero, also where it is a text.
fn number(object: &Object, names: &[&str]) -> Option<f64> {
    let number = names.iter().find_map(|name| match object.get(*name)? {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().trim_end_matches('%').trim().parse().ok(),
        _ => None,
    });
    number.filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// A percentage as a part of one.
fn part(percent: Option<f64>) -> Option<f64> {
    percent.map(|percent| percent / 100.0).filter(|part| (0.0..=1.0).contains(part))
}

fn push(event: &mut Event<'_>, name: &'static str, value: Value<'static>) {
    event.push_named(FieldName::Other(name.into()), value);
}

fn push_number(event: &mut Event<'_>, name: &'static str, number: Option<f64>) {
    if let Some(number) = number {
        push(event, name, value(number));
    }
}

/// A whole number where it is one: bytes and counts are.
#[expect(clippy::cast_possible_truncation, reason = "it was checked to be whole and to fit")]
fn value(number: f64) -> Value<'static> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number < EXACT && number > 1.0 {
        Value::Int(number as i64)
    } else {
        Value::Float(number)
    }
}

/// A list with an element for each object, so that all lists of these objects go in parallel; none
/// where no object has it.
fn push_list(
    event: &mut Event<'_>,
    name: &'static str,
    objects: &[&Object],
    read: impl Fn(&Object) -> Option<f64>,
) {
    let values: Vec<_> = objects.iter().map(|object| read(object)).collect();
    if values.iter().any(Option::is_some) {
        let values = values.into_iter().map(|number| number.map_or(Value::Null, value));
        push(event, name, Value::List(values.collect()));
    }
}

fn push_words(event: &mut Event<'_>, name: &'static str, objects: &[&Object], names: &[&str]) {
    let words: Vec<_> = objects.iter().map(|object| word(object, names)).collect();
    if words.iter().any(Option::is_some) {
        let words = words.into_iter().map(|word| Value::from(word.unwrap_or_default()));
        push(event, name, Value::List(words.collect()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(document: &Json) -> Event<'static> {
        let text = document.to_string();
        let received = Timestamp::from_seconds(1_764_000_000);
        let context =
            Context { received, host: "collector", time_zone: jiff::tz::TimeZone::UTC, year: None };
        super::super::parse(&text, &context).unwrap().into_owned()
    }

    fn get<'e>(event: &'e Event<'static>, name: &'static str) -> Option<&'e Value<'static>> {
        event.get_named(&FieldName::new(name))
    }

    #[test]
    fn a_status_of_an_agent_has_the_fields_of_any_status() {
        let event = parsed(&json!({"status": {
            "source_host": "web1", "os_type": "LINUX",
            "os_details": {"system": "Linux", "release": "6.1.0", "machine": "x86_64"},
            "cpu_usage": 12.5, "cpu_count": 4, "memory_total": 8_000_000_000_u64,
            "memory_used": 2_000_000_000_u64, "memory_percent": 25.0,
            "disk_info": [
                {"device": "/dev/sda1", "mountpoint": "/", "fstype": "ext4", "total": 100, "used": 50},
                {"device": "/dev/sdb1", "mountpoint": "/srv", "percent": 91.5},
            ],
            "network_info": [{"interface": "eth0", "bytes_sent": 7, "bytes_recv": 9}],
            "top_processes": [{"pid": 1, "name": "systemd", "cpu_percent": 150.0, "username": "root"}],
            "boot_time": 1_763_999_000, "timestamp": "2025-11-24T16:00:00",
        }}));
        for (name, expected) in [
            ("host.name", Value::from("web1")),
            ("event.dataset", Value::from("system.status")),
            ("host.os.type", Value::from("linux")),
            ("host.os.kernel", Value::from("6.1.0")),
            ("host.architecture", Value::from("x86_64")),
            ("host.cpu.usage", Value::Float(0.125)),
            ("system.memory.total", Value::Int(8_000_000_000)),
            ("system.memory.used.pct", Value::Float(0.25)),
            (
                "system.filesystem.used.pct",
                Value::List(vec![Value::Float(0.5), Value::Float(0.915)]),
            ),
            ("system.filesystem.total", Value::List(vec![Value::Int(100), Value::Null])),
            ("system.filesystem.type", Value::List(vec!["ext4".into(), "".into()])),
            ("system.network.in.bytes", Value::List(vec![Value::Int(9)])),
            ("system.process.cpu.pct", Value::List(vec![Value::Float(1.5)])),
            ("host.uptime", Value::Int(1_000)),
        ] {
            assert_eq!(get(&event, name), Some(&expected), "{name}");
        }
        assert_eq!(event.created(), Timestamp::from_seconds(1_764_000_000));
    }

    #[test]
    fn nothing_that_it_says_fails() {
        let long = "x".repeat(100_000);
        let many: Vec<Json> =
            (0..1_000).map(|_| json!({"mountpoint": long, "percent": 1})).collect();
        for status in [
            json!({}),
            json!({"source_host": 7, "os_type": [], "cpu_usage": "12,5", "disk_info": {}}),
            json!({"source_host": long, "cpu_usage": -1, "memory_percent": 1e300, "cpu_count": null}),
            json!({"source_host": "h", "disk_info": many, "boot_time": "yesterday"}),
            json!({"top_processes": [1, null, [], {"name": {}}], "timestamp": "9999-01-01"}),
        ] {
            let event = parsed(&json!({"status": status}));
            assert_eq!(event.text(Field::EventDataset), Some("system.status"));
            assert_eq!(event.created(), Timestamp::from_seconds(1_764_000_000), "{status}");
            assert_eq!(get(&event, "host.cpu.usage"), None);
            assert_eq!(get(&event, "system.memory.used.pct"), None);
            if let Some(Value::List(mounts)) = get(&event, "system.filesystem.mount_point") {
                assert_eq!(mounts.len(), MAX_LIST);
                assert!(mounts.iter().all(|mount| mount.to_text().len() <= MAX_TEXT));
            }
        }
    }
}
