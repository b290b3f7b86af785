//! The fields of records that have no shape of their own: what each name means, wherever it stands.

use std::borrow::Cow;

use super::{Group, IDS, MOST_DATA, NAMES, set};
use crate::decode;
use crate::record_type::RecordType;
use crate::syscalls::Architecture;
use crate::tokens::{Quote, Token, Tokens};

impl<'a> Group<'a> {
    /// The fields of a record, or of the message inside it (then `outer` is false).
    pub(super) fn fields(&mut self, kind: RecordType, body: &'a str, outer: bool) {
        let body = self.access_vector(body);
        let mut before = "";
        let mut said: Option<usize> = None;
        for token in Tokens::new(body) {
            self.faults.torn |= token.quote == Quote::Torn;
            if token.name.is_empty() {
                // Tools of old write `op=adding user`.
                if let Some((_, value)) = said.and_then(|place| self.data.get_mut(place)) {
                    let value = value.to_mut();
                    value.push(' ');
                    value.push_str(token.value);
                }
                before = token.value;
                continue;
            }
            said = None;
            let is_message = outer && token.name == "msg" && token.quote != Quote::Double;
            if is_message && token.quote != Quote::None {
                let inner = token.value.trim();
                let inner = if inner.contains("(hostname=") {
                    inner.strip_suffix(')').unwrap_or(inner)
                } else {
                    inner
                };
                self.fields(kind, inner, false);
            } else if !token.says_nothing() {
                let old_style = outer && matches!(before, "old" | "new");
                if old_style {
                    self.login(before, &token);
                } else {
                    said = self.field(kind, &token, outer);
                }
            }
            before = "";
        }
    }

    /// Takes the front of SELinux's records off: `avc:  denied  { read open } for  pid=…`.
    fn access_vector(&mut self, body: &'a str) -> &'a str {
        let Some(rest) = body.strip_prefix("avc:") else { return body };
        let Some((decision, rest)) = rest.split_once('{') else { return body };
        let Some((permissions, rest)) = rest.split_once('}') else {
            self.faults.torn = true;
            return body;
        };
        self.push_data("seresult".into(), decision.trim().into());
        let permissions = permissions.trim();
        let permissions = if permissions.contains(' ') {
            Cow::Owned(permissions.split_ascii_whitespace().collect::<Vec<_>>().join(","))
        } else {
            Cow::Borrowed(permissions)
        };
        self.push_data("seperms".into(), permissions);
        rest.trim_start().strip_prefix("for ").unwrap_or(rest)
    }

    /// `old auid=4294967295 new auid=700`, as kernels before 3.3 write LOGIN.
    fn login(&mut self, which: &str, token: &Token<'a>) {
        if which == "new" && token.name == "auid" {
            self.ids[0] = Some(token.value);
        } else if which == "new" && token.name == "ses" {
            self.session = Some(token.value);
        } else {
            let name = format!("{which}_{}", token.name);
            self.push_data(name.into(), set(token.value).into());
        }
    }

    /// Takes one field; says where an operation stands in `data`, which may go on in the next word.
    pub(super) fn field(
        &mut self,
        kind: RecordType,
        token: &Token<'a>,
        outer: bool,
    ) -> Option<usize> {
        let value = token.value;
        match token.name {
            // What a program says of users does not take the place of what the kernel says.
            name @ ("auid" | "uid" | "gid" | "euid" | "suid" | "fsuid" | "egid" | "sgid"
            | "fsgid") => {
                let place = IDS.iter().position(|id| *id == name);
                match place.and_then(|place| self.ids.get_mut(place)) {
                    Some(slot @ None) => *slot = Some(value),
                    Some(Some(known)) if !outer && *known != value => {
                        self.push_data(name.into(), set(value).into());
                    }
                    _ => {}
                }
            }
            "pid" => self.pid = self.pid.or(Some(value)),
            "ppid" => self.ppid = self.ppid.or(Some(value)),
            "ses" => self.session = self.session.or(Some(value)),
            "tty" => self.tty = self.tty.or(Some(value)),
            "subj" => self.subject = self.subject.or(Some(value)),
            "exit" => self.exit = self.exit.or(Some(value)),
            "comm" => fill(&mut self.comm, token, &mut self.faults.odd),
            "exe" => fill(&mut self.exe, token, &mut self.faults.odd),
            "cwd" => fill(&mut self.cwd, token, &mut self.faults.odd),
            // `success=yes`, `res=1`; of programs `res=success`, `result=Success`.
            "success" | "res" | "result" => {
                let value = value.trim_end_matches([')', '\'']);
                let success = match value {
                    "1" | "success" | "Success" | "yes" => Some(true),
                    "0" | "failed" | "Failed" | "fail" | "no" | "failure" => Some(false),
                    _ => None,
                };
                self.success = self.success.or(success);
            }
            // Keys of rules stand in the kernel's records; a program may say what it likes.
            "key" if (1300..1400).contains(&kind.0) => self.key(token),
            "arch" => self.arch(value),
            "syscall" => self.syscall = self.syscall.take().or(Some(Cow::Borrowed(value))),
            "items" => {
                self.items = Some(value);
            }
            name => {
                // auditd adds names behind a program's message, never in it.
                if outer && let Some(place) = NAMES.iter().position(|known| *known == name) {
                    if let Some(slot) = self.names.get_mut(place) {
                        *slot = slot.or(Some(value));
                    }
                    return None;
                }
                // The enriched names of what is decoded here anyhow.
                if matches!(name, "ARCH" | "SYSCALL" | "SADDR") {
                    return None;
                }
                let (text, odd) = decode::text(token);
                self.faults.odd |= odd;
                let text = if name.ends_with("auid") || name.ends_with("ses") {
                    Cow::Borrowed(set(value))
                } else {
                    text
                };
                let place = self.push_data(name.into(), text);
                return place.filter(|_| name == "op" && token.quote == Quote::None);
            }
        }
        None
    }

    fn key(&mut self, token: &Token<'a>) {
        let (text, odd) = decode::text(token);
        self.faults.odd |= odd;
        let mut add = |key: Cow<'a, str>| {
            if !key.is_empty() && self.keys.len() < 64 && !self.keys.contains(&key) {
                self.keys.push(key);
            }
        };
        // Several keys of one rule have 0x01 between them (auditctl(8)).
        match text {
            Cow::Borrowed(text) => text.split('\u{1}').for_each(|key| add(key.into())),
            Cow::Owned(text) => text.split('\u{1}').for_each(|key| add(key.to_owned().into())),
        }
    }

    fn arch(&mut self, digits: &'a str) {
        if self.architecture.is_some() {
            return;
        }
        self.architecture = Architecture::read(digits);
        let name = self.architecture.map_or(digits, |found| found.name);
        self.push_data("arch".into(), name.into());
    }

    pub(super) fn push_data(&mut self, name: Cow<'a, str>, value: Cow<'a, str>) -> Option<usize> {
        if self.data.len() >= MOST_DATA {
            self.faults.cut = true;
            return None;
        }
        if self.data.iter().any(|(known, _)| *known == name) {
            return None;
        }
        self.data.push((name, value));
        Some(self.data.len() - 1)
    }
}

/// Sets text where there is none yet.
fn fill<'a>(slot: &mut Option<Cow<'a, str>>, token: &Token<'a>, is_odd: &mut bool) {
    if slot.is_none() {
        let (text, odd) = decode::text(token);
        *is_odd |= odd;
        *slot = Some(text);
    }
}
