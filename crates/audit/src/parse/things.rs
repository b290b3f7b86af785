//! What it was done to: files and sockets.

use std::borrow::Cow;
use std::net::IpAddr;

use bergfried_event::{Event, Field, Value};

use super::context::Context;
use super::push as set;
use crate::group::Group;
use crate::meaning::Meaning;
use crate::paths;
use crate::record_type::RecordType;
use crate::socket_address::SocketAddress;

/// Sets the fields of files and sockets.
pub(super) fn push<'a>(group: &mut Group<'a>, event: &mut Event<'a>) {
    file(group, event);
    if let Some(socket) = group.socket.take() {
        socket_fields(group, &socket, event);
        group.socket = Some(socket);
    }
}

fn file<'a>(group: &mut Group<'a>, event: &mut Event<'a>) {
    if let Some(path) = paths::object(group) {
        if let Some(name) = &path.name {
            event.push(Field::FilePath, paths::absolute(name, group));
        }
        if let Some(mode) = path.mode {
            set(event, "file.mode", format!("{:04o}", mode & 0o7777));
            set(event, "file.type", paths::kind_of(mode));
        }
        for (name, value) in [
            ("file.inode", path.inode),
            ("file.device", path.device),
            ("file.uid", path.uid),
            ("file.gid", path.gid),
            ("file.owner", path.owner.or((path.uid == Some("0")).then_some("root"))),
            ("file.group", path.group.or((path.gid == Some("0")).then_some("root"))),
        ] {
            if let Some(value) = value {
                set(event, name, value);
            }
        }
        if let Some(context) = path.context.and_then(Context::read) {
            set(event, "file.selinux.user", context.user);
            set(event, "file.selinux.role", context.role);
            set(event, "file.selinux.domain", context.domain);
            set(event, "file.selinux.level", context.level);
        }
    } else if let Some(path) = named(group) {
        event.push(Field::FilePath, path.to_owned());
    }
    let mut names = Vec::with_capacity(group.paths.len());
    let mut kinds: Vec<Value<'a>> = Vec::new();
    for path in &group.paths {
        if let Some(name) = &path.name {
            names.push(Value::Text(paths::absolute(name, group)));
        }
        if !path.kind.is_empty() && !kinds.iter().any(|kind| kind.as_str() == Some(path.kind)) {
            kinds.push(path.kind.into());
        }
    }
    if !names.is_empty() {
        set(event, "auditd.paths", Value::List(names));
    }
    if !kinds.is_empty() {
        set(event, "auditd.data.nametype", Value::List(kinds));
    }
}

/// The path in a record of a security module, of the kernel's checks of integrity or of links.
fn named<'g>(group: &'g Group<'_>) -> Option<&'g str> {
    let kind = group.types.first().map_or(RecordType::UNKNOWN, |(kind, _)| *kind);
    if !matches!(kind.0, 1400..1403 | 1420 | 1423 | 1500..1600 | 1700..1900) {
        return None;
    }
    ["path", "name"]
        .into_iter()
        .filter_map(|name| group.datum(name))
        .find(|name| name.starts_with('/'))
}

fn socket_fields<'a>(group: &Group<'a>, socket: &SocketAddress, event: &mut Event<'a>) {
    set(event, "auditd.data.socket_family", socket.family());
    match socket {
        SocketAddress::Internet { address, port } => {
            let text = address.to_canonical().to_string();
            let port = i64::from(*port);
            let version =
                if matches!(address.to_canonical(), IpAddr::V4(_)) { "ipv4" } else { "ipv6" };
            set(event, "network.type", version);
            set(event, "auditd.data.socket_addr", address.to_string());
            set(event, "auditd.data.socket_port", port.to_string());
            match group.call() {
                Some("accept" | "accept4" | "recvfrom" | "recvmsg" | "recvmmsg" | "recv") => {
                    set(event, "network.direction", "ingress");
                    event.push(Field::SourceIp, text);
                    event.push(Field::SourcePort, port);
                }
                // Its own address is what others will connect to; it is no peer.
                Some("bind" | "listen" | "getsockname") => {
                    set(event, "server.ip", text);
                    set(event, "server.port", port);
                }
                Some("connect" | "sendto" | "sendmsg" | "sendmmsg" | "send") => {
                    set(event, "network.direction", "egress");
                    event.push(Field::DestinationIp, text);
                    event.push(Field::DestinationPort, port);
                }
                _ => {}
            }
        }
        SocketAddress::Unix(path) => {
            if !path.is_empty() {
                set(event, "auditd.data.socket_path", path.clone());
                if event.get(Field::FilePath).is_none() && path.starts_with('/') {
                    event.push(Field::FilePath, path.clone());
                }
            }
        }
        SocketAddress::Netlink { pid, groups } => {
            set(event, "auditd.data.socket_nlpid", pid.to_string());
            set(event, "auditd.data.socket_nlgroups", groups.to_string());
        }
        SocketAddress::Other(_) => {}
    }
}

/// What opening a file did to it, where the call says so: made it, or may change it.
pub(super) fn opened(group: &Group<'_>) -> Option<&'static str> {
    if group.paths.iter().any(|path| path.kind == "CREATE") {
        return Some("creation");
    }
    let flags = match group.syscall.as_deref()? {
        "open" => group.datum("a1")?,
        "openat" => group.datum("a2")?,
        "openat2" => group.datum("oflag")?.trim_start_matches("0x"),
        _ => return None,
    };
    let flags = u64::from_str_radix(flags.trim_start_matches('0'), 16).unwrap_or(0);
    // O_WRONLY, O_RDWR, O_TRUNC (open(2), the same number on every machine here).
    (flags & 0o1003 != 0).then_some("change")
}

/// What the event was done to, in words: its kind, its name, and what says more of it.
pub(super) fn object<'a>(group: &Group<'a>, meaning: &Meaning) -> Object<'a> {
    let value = |names: &[&str]| names.iter().find_map(|name| group.value(name));
    match (meaning.object, &group.socket) {
        ("socket", Some(SocketAddress::Internet { address, port })) => Object {
            kind: "socket",
            name: Some(Cow::Owned(address.to_string())),
            detail: Some(Cow::Owned(port.to_string())),
        },
        ("socket", Some(SocketAddress::Unix(path))) => {
            Object { kind: "socket", name: Some(path.clone()), detail: None }
        }
        ("file" | "filesystem", _) if meaning.primary.is_empty() || !group.paths.is_empty() => {
            let removed = group.paths.iter().find(|path| path.kind == "DELETE");
            let path = removed.filter(|_| meaning.action == "renamed").or(paths::object(group));
            let kind = path.and_then(|path| path.mode).map_or("file", paths::kind_of);
            let kind = if meaning.object == "filesystem" { "filesystem" } else { kind };
            Object { kind, name: path.and_then(|path| path.name.clone()), detail: None }
        }
        (kind, _) => {
            Object { kind, name: value(meaning.primary), detail: value(meaning.secondary) }
        }
    }
}

/// What an event was done to.
pub(super) struct Object<'a> {
    /// Empty where nobody knows.
    pub(super) kind: &'static str,
    pub(super) name: Option<Cow<'a, str>>,
    pub(super) detail: Option<Cow<'a, str>>,
}
