//! What is said of how the host is.
//!
//! Lists stand beside each other: entry by entry, `system.filesystem.total` belongs to
//! `system.filesystem.mount_point`.

use bergfried_event::Timestamp;
use serde_json::{Value, json};

use super::disks::FileSystem;
use super::look::{Busy, Interface, Status, Usage};
use crate::observers::record::Record;

/// The record of one look.
pub(super) fn record(status: &Status, at: Timestamp) -> Record {
    let about = ("host", "info");
    let facts = &status.system;
    let mut record = Record::new("system", about, "host-status", sentence(status), at)
        .with("event.kind", "metric")
        .with("event.dataset", "system.status")
        .with("host.os.type", std::env::consts::OS)
        .with("host.os.name", facts.name.clone())
        .with("host.os.version", facts.version.clone())
        .with("host.os.kernel", facts.kernel.clone())
        .with("host.os.full", facts.full.clone())
        .with("host.architecture", facts.architecture.clone())
        .with("host.uptime", status.uptime)
        .with("host.cpu.usage", rounded(status.processor))
        .with("system.cpu.cores", status.cores);
    if let Ok(seconds) = i64::try_from(status.booted)
        && seconds > 0
    {
        record = record.with("host.boot_time", Timestamp::from_seconds(seconds).to_string());
    }
    if let Some([one, five, fifteen]) = status.load {
        record = record
            .with("system.load.1", rounded(one))
            .with("system.load.5", rounded(five))
            .with("system.load.15", rounded(fifteen));
    }
    record = with_usage(record, "system.memory", status.memory);
    if status.swap.total > 0 {
        record = record
            .with("system.memory.swap.total", status.swap.total)
            .with("system.memory.swap.used.bytes", status.swap.used);
    }
    let disks = status.disks.as_deref().unwrap_or_default();
    with_processes(
        with_interfaces(with_disks(record, disks), &status.interfaces),
        &status.processes,
    )
}

fn with_usage(record: Record, name: &str, usage: Usage) -> Record {
    record
        .with(&format!("{name}.total"), usage.total)
        .with(&format!("{name}.used.bytes"), usage.used)
        .with(&format!("{name}.used.pct"), rounded(usage.share()))
}

fn with_disks(record: Record, disks: &[FileSystem]) -> Record {
    let list = |of: fn(&FileSystem) -> Value| list(disks, of);
    record
        .with("system.filesystem.mount_point", list(|one| json!(one.mount_point)))
        .with("system.filesystem.device_name", list(|one| json!(one.device)))
        .with("system.filesystem.type", list(|one| json!(one.kind)))
        .with("system.filesystem.total", list(|one| json!(one.usage.total)))
        .with("system.filesystem.used.bytes", list(|one| json!(one.usage.used)))
        .with("system.filesystem.used.pct", list(|one| json!(rounded(one.usage.share()))))
}

fn with_interfaces(record: Record, interfaces: &[Interface]) -> Record {
    let list = |of: fn(&Interface) -> Value| list(interfaces, of);
    record
        .with("system.network.name", list(|one| json!(one.name)))
        .with("system.network.in.bytes", list(|one| json!(one.received)))
        .with("system.network.out.bytes", list(|one| json!(one.sent)))
        .with("system.network.address", list(|one| json!(one.address)))
}

fn with_processes(record: Record, processes: &[Busy]) -> Record {
    let list = |of: fn(&Busy) -> Value| list(processes, of);
    record
        .with("system.process.name", list(|one| json!(one.name)))
        .with("system.process.pid", list(|one| json!(one.pid)))
        .with("system.process.user", list(|one| json!(one.user)))
        .with("system.process.cpu.pct", list(|one| json!(rounded(one.processor))))
        .with("system.process.memory.bytes", list(|one| json!(one.memory)))
}

/// One entry for each; none where there is nothing to tell of.
fn list<T>(of: &[T], entry: fn(&T) -> Value) -> Value {
    if of.is_empty() { Value::Null } else { of.iter().map(entry).collect() }
}

/// Four digits are more than the measure holds.
fn rounded(number: f64) -> f64 {
    (number * 10_000.0).round() / 10_000.0
}

/// Names of processes, which anybody may choose, are not in it.
fn sentence(status: &Status) -> String {
    let percent = |share: f64| (share * 100.0).round();
    let disks = match &status.disks {
        None => ", a file system does not answer".to_owned(),
        Some(disks) => disks
            .iter()
            .max_by(|one, other| one.usage.share().total_cmp(&other.usage.share()))
            .map(|fullest| {
                let place = fullest.mount_point.escape_debug();
                format!(", {place} {} % full", percent(fullest.usage.share()))
            })
            .unwrap_or_default(),
    };
    let up = match status.uptime {
        seconds @ ..7_200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    };
    format!(
        "the host is up for {up}, its processors {} % busy, memory {} % used{disks}",
        percent(status.processor),
        percent(status.memory.share()),
    )
}
