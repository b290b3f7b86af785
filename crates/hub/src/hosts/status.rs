//! How a host is, read back from the event that says so.
//!
//! Events hold flat lists in parallel; here they become the objects that people and programs read.

use bergfried_event::{Event, Field, FieldName, SourceKind, Timestamp, Value};
use serde::Serialize;
use utoipa::ToSchema;

/// The most disks, interfaces or processes that are shown.
const MAX_LIST: usize = 32;

/// How a host is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Status {
    /// When it was so
    #[schema(value_type = String)]
    pub(crate) time: Timestamp,
    pub(crate) os: System,
    /// When it was started (RFC 3339)
    pub(crate) boot_time: Option<String>,
    /// Seconds since it was started
    pub(crate) uptime: Option<u64>,
    pub(crate) cpu: Processors,
    pub(crate) memory: Memory,
    pub(crate) disks: Vec<Disk>,
    pub(crate) networks: Vec<Network>,
    pub(crate) processes: Vec<Process>,
    /// What an agent of Heimdall's sent, as it sent it
    #[serde(skip)]
    pub(crate) document: Option<serde_json::Map<String, serde_json::Value>>,
}

/// What system a host runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct System {
    /// `linux`, `windows` or `macos`
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) kernel: Option<String>,
    /// All of it in one line
    pub(crate) full: Option<String>,
    pub(crate) architecture: Option<String>,
}

/// How busy a host is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Processors {
    /// The busy part, from 0 to 1
    pub(crate) usage: Option<f64>,
    pub(crate) cores: Option<u64>,
    /// Over 1, 5 and 15 minutes
    pub(crate) load: [Option<f64>; 3],
}

/// How much memory is used; bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Memory {
    pub(crate) total: Option<u64>,
    pub(crate) used: Option<u64>,
    /// The used part, from 0 to 1
    pub(crate) used_part: Option<f64>,
    pub(crate) swap_total: Option<u64>,
    pub(crate) swap_used: Option<u64>,
}

/// A disk; bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Disk {
    pub(crate) mount: Option<String>,
    pub(crate) device: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: Option<String>,
    pub(crate) total: Option<u64>,
    pub(crate) used: Option<u64>,
    /// The used part, from 0 to 1
    pub(crate) used_part: Option<f64>,
}

/// A network interface; bytes since it was there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Network {
    pub(crate) name: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) received: Option<u64>,
    pub(crate) sent: Option<u64>,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Process {
    pub(crate) name: Option<String>,
    pub(crate) pid: Option<u64>,
    pub(crate) user: Option<String>,
    /// The busy part of one processor, from 0 up
    pub(crate) cpu: Option<f64>,
    /// Bytes
    pub(crate) memory: Option<u64>,
}

impl Status {
    /// Reads the status of this host; none where the event is another host's or no status.
    pub(crate) fn read(event: &Event<'_>, host: &str) -> Option<Status> {
        let is_its = event.text(Field::HostName) == Some(host)
            && event.text(Field::EventDataset) == Some("system.status");
        if !is_its {
            return None;
        }
        let fields = Fields(event);
        let is_heimdall = event.text(Field::InputType) == Some(SourceKind::Heimdall.name());
        let document = is_heimdall.then(|| document(event.original())).flatten();
        Some(Status {
            time: event.created(),
            os: System {
                kind: fields.text("host.os.type"),
                name: fields.text("host.os.name"),
                version: fields.text("host.os.version"),
                kernel: fields.text("host.os.kernel"),
                full: fields.text("host.os.full"),
                architecture: fields.text("host.architecture"),
            },
            boot_time: fields.text("host.boot_time"),
            uptime: fields.whole("host.uptime"),
            cpu: Processors {
                usage: fields.number("host.cpu.usage"),
                cores: fields.whole("system.cpu.cores"),
                load: ["system.load.1", "system.load.5", "system.load.15"]
                    .map(|name| fields.number(name)),
            },
            memory: Memory {
                total: fields.whole("system.memory.total"),
                used: fields.whole("system.memory.used.bytes"),
                used_part: fields.number("system.memory.used.pct"),
                swap_total: fields.whole("system.memory.swap.total"),
                swap_used: fields.whole("system.memory.swap.used.bytes"),
            },
            disks: fields.rows("system.filesystem.mount_point", |row| Disk {
                mount: row.text("system.filesystem.mount_point"),
                device: row.text("system.filesystem.device_name"),
                kind: row.text("system.filesystem.type"),
                total: row.whole("system.filesystem.total"),
                used: row.whole("system.filesystem.used.bytes"),
                used_part: row.number("system.filesystem.used.pct"),
            }),
            networks: fields.rows("system.network.name", |row| Network {
                name: row.text("system.network.name"),
                address: row.text("system.network.address"),
                received: row.whole("system.network.in.bytes"),
                sent: row.whole("system.network.out.bytes"),
            }),
            processes: fields.rows("system.process.name", |row| Process {
                name: row.text("system.process.name"),
                pid: row.whole("system.process.pid"),
                user: row.text("system.process.user"),
                cpu: row.number("system.process.cpu.pct"),
                memory: row.whole("system.process.memory.bytes"),
            }),
            document,
        })
    }
}

/// What an agent of Heimdall's sent.
fn document(original: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    let serde_json::Value::Object(mut whole) = serde_json::from_str(original).ok()? else {
        return None;
    };
    match whole.remove("status")? {
        serde_json::Value::Object(status) => Some(status),
        _ => None,
    }
}

struct Fields<'e>(&'e Event<'e>);

impl Fields<'_> {
    fn get(&self, name: &'static str) -> Option<&Value<'_>> {
        self.0.get_named(&FieldName::new(name))
    }

    fn text(&self, name: &'static str) -> Option<String> {
        self.get(name).and_then(text)
    }

    fn number(&self, name: &'static str) -> Option<f64> {
        self.get(name).and_then(number)
    }

    fn whole(&self, name: &'static str) -> Option<u64> {
        self.get(name).and_then(whole)
    }

    /// One object for each element of the list that leads; a list that is shorter than that has
    /// nothing to say of the rest.
    fn rows<T>(&self, leading: &'static str, read: impl Fn(Row<'_>) -> T) -> Vec<T> {
        let rows = self.get(leading).map_or(0, |value| elements(value).len()).min(MAX_LIST);
        (0..rows).map(|place| read(Row { fields: self, place })).collect()
    }
}

/// One place in every list.
struct Row<'f> {
    fields: &'f Fields<'f>,
    place: usize,
}

impl Row<'_> {
    fn get(&self, name: &'static str) -> Option<&Value<'_>> {
        elements(self.fields.get(name)?).get(self.place)
    }

    fn text(&self, name: &'static str) -> Option<String> {
        self.get(name).and_then(text)
    }

    fn number(&self, name: &'static str) -> Option<f64> {
        self.get(name).and_then(number)
    }

    fn whole(&self, name: &'static str) -> Option<u64> {
        self.get(name).and_then(whole)
    }
}

fn elements<'v, 'e>(value: &'v Value<'e>) -> &'v [Value<'e>] {
    match value {
        Value::List(values) => values,
        one => std::slice::from_ref(one),
    }
}

fn text(value: &Value<'_>) -> Option<String> {
    match value {
        Value::Null | Value::List(_) => None,
        other => Some(other.to_text().into_owned()).filter(|text| !text.is_empty()),
    }
}

/// A number of things or bytes.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is not below zero, and what is above the range becomes its end"
)]
fn whole(value: &Value<'_>) -> Option<u64> {
    match value {
        Value::Int(number) => u64::try_from(*number).ok(),
        other => number(other).filter(|number| *number >= 0.0).map(|number| number as u64),
    }
}

#[expect(clippy::cast_precision_loss, reason = "parts and loads are small")]
fn number(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number).filter(|number| number.is_finite()),
        // A column of words holds numbers as text.
        Value::Text(text) => text.parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_in_parallel_become_objects_and_short_ones_leave_gaps() {
        let mut event = Event::new(Timestamp::from_seconds(7), "");
        let words = |words: &[&'static str]| {
            Value::List(words.iter().map(|word| Value::from(*word)).collect())
        };
        for (name, value) in [
            ("host.name", Value::from("web")),
            ("event.dataset", Value::from("system.status")),
            ("host.os.type", Value::from("linux")),
            ("host.cpu.usage", Value::Float(0.5)),
            ("system.load.5", Value::from("1.25")),
            ("system.memory.total", Value::Int(1_024)),
            ("system.filesystem.mount_point", words(&["/", "/srv"])),
            ("system.filesystem.used.pct", Value::List(vec![Value::Float(0.25)])),
            ("system.network.name", Value::from("eth0")),
            ("system.process.name", words(&["x"; 40])),
        ] {
            event.set_named(FieldName::new(name), value);
        }
        let status = Status::read(&event, "web").unwrap();
        assert_eq!((status.os.kind.as_deref(), status.cpu.usage), (Some("linux"), Some(0.5)));
        assert_eq!(status.cpu.load, [None, Some(1.25), None]);
        assert_eq!(status.memory.total, Some(1_024));
        let disks: Vec<_> =
            status.disks.iter().map(|disk| (disk.mount.as_deref(), disk.used_part)).collect();
        assert_eq!(disks, [(Some("/"), Some(0.25)), (Some("/srv"), None)]);
        assert_eq!(status.networks.len(), 1);
        assert_eq!(status.processes.len(), MAX_LIST);
        assert_eq!(status.document, None);
        assert_eq!(Status::read(&event, "db"), None);
    }
}
