//! Records that have a shape of their own: paths, arguments, the parent, the title, addresses.

use std::borrow::Cow;

use super::{Group, MOST_PATHS, Parent, PathRecord};
use crate::decode;
use crate::hex;
use crate::record_type::RecordType;
use crate::socket_address::SocketAddress;
use crate::tokens::{Quote, Tokens};

impl<'a> Group<'a> {
    pub(super) fn path(&mut self, body: &'a str) {
        if self.paths.len() >= MOST_PATHS {
            self.faults.cut = true;
            return;
        }
        let mut path = PathRecord::default();
        let alone = self.types.len() == 1;
        for token in Tokens::new(body) {
            self.faults.torn |= token.quote == Quote::Torn;
            if token.says_nothing() {
                continue;
            }
            let value = token.value;
            match token.name {
                "name" => {
                    let (text, odd) = decode::text(&token);
                    self.faults.odd |= odd;
                    path.name = Some(text);
                }
                "nametype" | "objtype" => path.kind = value,
                "inode" => path.inode = Some(value),
                "dev" => path.device = Some(value),
                "mode" => {
                    path.mode = u32::from_str_radix(value, 8).ok();
                    if alone {
                        self.push_data("mode".into(), value.into());
                    }
                }
                "ouid" => path.uid = Some(value),
                "ogid" => path.gid = Some(value),
                "OUID" => path.owner = Some(value),
                "OGID" => path.group = Some(value),
                "obj" => path.context = Some(value),
                name if alone && !name.is_empty() => {
                    self.push_data(name.into(), value.into());
                }
                _ => {}
            }
        }
        self.paths.push(path);
    }

    pub(super) fn execve(&mut self, body: &'a str) {
        let mut arguments = self.arguments.take().unwrap_or_default();
        for token in Tokens::new(body) {
            self.faults.torn |= token.quote == Quote::Torn;
            if !token.name.is_empty() && !arguments.take(&token) {
                self.field(RecordType::EXECVE, &token, true);
            }
        }
        self.arguments = Some(arguments);
    }

    pub(super) fn parent(&mut self, body: &'a str) {
        let mut parent = Parent::default();
        let mut pid = None;
        for token in Tokens::new(body).filter(|token| !token.says_nothing()) {
            match token.name {
                "pid" => pid = Some(token.value),
                "exe" => parent.exe = Some(decode::text(&token).0),
                "comm" => parent.comm = Some(decode::text(&token).0),
                _ => {}
            }
        }
        // The agent looked at one process, and the event names one.
        if pid.is_some() && (self.ppid.is_none() || self.ppid == pid) {
            self.ppid = pid;
            self.parent = Some(parent);
        }
    }

    pub(super) fn proctitle(&mut self, body: &'a str) {
        for token in Tokens::new(body).filter(|token| token.name == "proctitle") {
            self.faults.torn |= token.quote == Quote::Torn;
            if token.says_nothing() {
                continue;
            }
            let digits = token.value.as_bytes();
            let bytes = if token.quote == Quote::None { hex::decode(digits) } else { None };
            self.title = Some(match bytes {
                Some(bytes) => decode::owned_text(bytes),
                None => {
                    self.faults.odd |= token.quote == Quote::None && decode::is_odd(token.value);
                    Cow::Borrowed(token.value)
                }
            });
        }
    }

    pub(super) fn sockaddr(&mut self, body: &'a str) {
        for token in Tokens::new(body).filter(|token| token.name == "saddr") {
            let big_endian = self.architecture.is_some_and(|machine| machine.big_endian);
            self.socket = SocketAddress::read(token.value, big_endian);
            if self.socket.is_none() {
                self.faults.torn = true;
                self.push_data("saddr".into(), token.value.into());
            }
        }
    }
}
