//! What the records of one event say together.

mod fields;
mod records;

use std::borrow::Cow;

use bergfried_event::Timestamp;

use crate::arguments::Arguments;
use crate::line::{self, Header};
use crate::record_type::RecordType;
use crate::socket_address::SocketAddress;
use crate::syscalls::Architecture;

/// The most records of one event that are read.
const MOST_RECORDS: usize = 4_096;
/// The most paths of one event that are kept.
const MOST_PATHS: usize = 256;
/// The most other fields of one event that are kept.
const MOST_DATA: usize = 512;

/// The numbers of users and groups that records have, as they name them.
pub(crate) const IDS: [&str; 9] =
    ["auid", "uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid"];
/// The same as auditd names them in its enriched format.
const NAMES: [&str; 9] = ["AUID", "UID", "GID", "EUID", "SUID", "FSUID", "EGID", "SGID", "FSGID"];

/// Everything that an event's records say.
#[derive(Debug, Default)]
pub(crate) struct Group<'a> {
    pub(crate) front: Option<Front<'a>>,
    /// The types of the records, and how each spells its own.
    pub(crate) types: Vec<(RecordType, &'a str)>,
    /// In the order of [`IDS`].
    pub(crate) ids: [Option<&'a str>; 9],
    /// The names of the same, from the enriched format.
    pub(crate) names: [Option<&'a str>; 9],
    pub(crate) pid: Option<&'a str>,
    pub(crate) ppid: Option<&'a str>,
    pub(crate) comm: Option<Cow<'a, str>>,
    pub(crate) exe: Option<Cow<'a, str>>,
    pub(crate) cwd: Option<Cow<'a, str>>,
    pub(crate) title: Option<Cow<'a, str>>,
    pub(crate) tty: Option<&'a str>,
    pub(crate) session: Option<&'a str>,
    pub(crate) subject: Option<&'a str>,
    pub(crate) architecture: Option<Architecture>,
    pub(crate) syscall: Option<Cow<'a, str>>,
    pub(crate) exit: Option<&'a str>,
    pub(crate) success: Option<bool>,
    pub(crate) keys: Vec<Cow<'a, str>>,
    pub(crate) paths: Vec<PathRecord<'a>>,
    pub(crate) socket: Option<SocketAddress>,
    pub(crate) arguments: Option<Arguments<'a>>,
    pub(crate) parent: Option<Parent<'a>>,
    /// Every other field, by the name that it has there; of several of one name the first.
    pub(crate) data: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    /// How many paths a system call has, as it says.
    items: Option<&'a str>,
    pub(crate) faults: Faults,
}

/// What the first line says of the event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front<'a> {
    pub(crate) node: Option<&'a str>,
    pub(crate) created: Timestamp,
    pub(crate) serial: u64,
}

/// One PATH record.
#[derive(Debug, Default)]
pub(crate) struct PathRecord<'a> {
    pub(crate) name: Option<Cow<'a, str>>,
    pub(crate) kind: &'a str,
    pub(crate) inode: Option<&'a str>,
    pub(crate) device: Option<&'a str>,
    pub(crate) mode: Option<u32>,
    pub(crate) uid: Option<&'a str>,
    pub(crate) gid: Option<&'a str>,
    pub(crate) owner: Option<&'a str>,
    pub(crate) group: Option<&'a str>,
    /// Its security context.
    pub(crate) context: Option<&'a str>,
}

/// What an agent saw of the parent process.
#[derive(Debug, Default)]
pub(crate) struct Parent<'a> {
    pub(crate) exe: Option<Cow<'a, str>>,
    pub(crate) comm: Option<Cow<'a, str>>,
}

/// What is wrong with the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// A line, a quote or a structure that does not end.
    pub(crate) torn: bool,
    /// Fields that contradict each other: `argc`, one argument twice, records of other events.
    pub(crate) lying: bool,
    /// Encoded text with half a byte too few.
    pub(crate) odd: bool,
    /// Records that must be there are not: paths fewer than `items`, paths of no system call.
    pub(crate) incomplete: bool,
    /// More than is kept of one event.
    pub(crate) cut: bool,
}

impl Faults {
    /// The words for them, as in `auditd.flags`.
    pub(crate) fn words(self) -> impl Iterator<Item = &'static str> {
        let all = [
            (self.torn, "torn"),
            (self.lying, "lying"),
            (self.odd, "odd"),
            (self.incomplete, "incomplete"),
            (self.cut, "cut"),
        ];
        all.into_iter().filter(|(is, _)| *is).map(|(_, word)| word)
    }
}

impl<'a> Group<'a> {
    /// Reads the lines of one event.
    pub(crate) fn read(lines: &'a str) -> Group<'a> {
        let mut group = Group::default();
        let mut first = None;
        for line in lines.split('\n').flat_map(line::records) {
            let line = line.trim_end_matches(['\r', ' ']);
            let Some(header) = line::read(line.as_bytes()) else {
                group.faults.torn |= line::resembles(line.as_bytes());
                continue;
            };
            if group.types.len() >= MOST_RECORDS {
                group.faults.cut = true;
                break;
            }
            let text = |bytes: &'a [u8]| std::str::from_utf8(bytes).unwrap_or_default();
            // Behind another record of a line, the host is not said again.
            let node = header.node.or(first.and_then(|(_, _, node)| node));
            let key = (header.created, header.serial, node);
            match first {
                None => {
                    let Header { node, created, serial, .. } = header;
                    group.front = Some(Front { node: node.map(text), created, serial });
                    first = Some(key);
                }
                Some(first) => group.faults.lying |= first != key,
            }
            if header.kind != RecordType::PARENT_INFO {
                group.types.push((header.kind, text(header.name)));
            }
            let body = line.get(line.len() - header.body.len()..).unwrap_or_default();
            group.record(header.kind, body);
        }
        group.finish();
        group
    }

    /// The system call by its name; where several are one call with a number of its own
    /// (socketcall(2)), which of them.
    pub(crate) fn call(&self) -> Option<&str> {
        let call = self.syscall.as_deref()?;
        if call != "socketcall" {
            return Some(call);
        }
        Some(match self.datum("a0").unwrap_or_default() {
            "1" => "socket",
            "2" => "bind",
            "3" => "connect",
            "4" => "listen",
            "5" => "accept",
            "9" => "send",
            "a" => "recv",
            "b" => "sendto",
            "c" => "recvfrom",
            "10" => "sendmsg",
            "11" => "recvmsg",
            "12" => "accept4",
            _ => call,
        })
    }

    /// Whether a record of this type is among them.
    pub(crate) fn has(&self, kind: RecordType) -> bool {
        self.types.iter().any(|(known, _)| *known == kind)
    }

    /// A field by the name that its record gives it.
    pub(crate) fn value(&self, name: &str) -> Option<Cow<'a, str>> {
        let known = match name {
            "exe" => self.exe.clone(),
            "comm" => self.comm.clone(),
            "pid" => self.pid.map(Cow::Borrowed),
            "syscall" => self.syscall.clone(),
            "key" => self.keys.first().cloned(),
            _ => None,
        };
        let known = known.or_else(|| match IDS.iter().position(|id| *id == name) {
            Some(place) => self.id(place).map(Cow::Borrowed),
            None => self.data.iter().find(|(known, _)| known == name).map(|(_, text)| text.clone()),
        });
        match (name, known) {
            ("terminal", None) => self.tty.map(Cow::Borrowed),
            (_, known) => known,
        }
    }

    /// One of the other fields.
    pub(crate) fn datum(&self, name: &str) -> Option<&str> {
        self.data.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }

    /// A number of [`IDS`]; `unset` where it says that there is none.
    pub(crate) fn id(&self, place: usize) -> Option<&'a str> {
        self.ids.get(place).copied().flatten().map(set)
    }

    /// The name of the user or group of that number, where the event says it; the user 0 is root
    /// everywhere.
    pub(crate) fn name(&self, place: usize) -> Option<&'a str> {
        let named = self.names.get(place).copied().flatten();
        let named = named.filter(|name| is_name(name));
        named.or_else(|| (self.id(place)? == "0").then_some("root"))
    }

    /// The name of the account or group that the record is about, where auditd knew it: not of one
    /// that is just being made.
    pub(crate) fn named(&self) -> Option<&str> {
        self.datum("ID").filter(|name| is_name(name))
    }

    fn record(&mut self, kind: RecordType, body: &'a str) {
        match kind {
            RecordType::PATH => self.path(body),
            RecordType::EXECVE => self.execve(body),
            RecordType::PARENT_INFO => self.parent(body),
            RecordType::PROCTITLE => self.proctitle(body),
            RecordType::SOCKADDR => self.sockaddr(body),
            RecordType::EOE => {}
            _ => self.fields(kind, body, true),
        }
    }

    fn finish(&mut self) {
        if let Some(name) = self
            .syscall
            .as_deref()
            .and_then(|number| self.architecture?.syscall(number.parse().ok()?))
        {
            self.syscall = Some(Cow::Borrowed(name));
        }
        if let (Some(items), 1) = (self.items, self.types.len()) {
            self.push_data("items".into(), items.into());
        }
        let items = self.items.and_then(|items| items.parse::<usize>().ok());
        let torn_path = items.is_some_and(|items| {
            !self.paths.is_empty() && self.paths.len() < items && self.paths.len() < MOST_PATHS
        });
        let is_part = |kind: &RecordType| {
            matches!(
                *kind,
                RecordType::PATH | RecordType::CWD | RecordType::EXECVE | RecordType::SOCKADDR
            )
        };
        // A lone record is one that somebody gave as such.
        let headless = self.types.len() > 1
            && self.types.iter().all(|(kind, _)| is_part(kind) || *kind == RecordType::PROCTITLE);
        self.faults.incomplete = torn_path || headless;
    }
}

/// A number as it is; `unset` for -1, which says that there is none.
pub(crate) fn set(number: &str) -> &str {
    if matches!(number, "4294967295" | "-1") { "unset" } else { number }
}

/// Whether auditd knew the name of a number.
fn is_name(name: &str) -> bool {
    !matches!(name, "unset" | "unknown") && !name.starts_with("unknown(")
}
