//! What a host must know of an event to choose what it sends, read without parsing the rest.

use bergfried_event::Timestamp;

use crate::hex;
use crate::line;
use crate::record_type::RecordType;

/// The most keys of one event that are looked at.
const MOST_KEYS: usize = 64;
/// The most records of one event whose types are told.
const MOST_TYPES: usize = 256;

/// Who did it, under which keys of the audit rules, and in which records.
///
/// Numbers are those of the first record that has them. Fields of programs' own messages
/// (`msg='…'`) come after the kernel's and never take their place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glimpse {
    /// The serial number of the event.
    pub serial: u64,
    /// When it happened.
    pub created: Timestamp,
    /// The login user; `u32::MAX` where none ever logged in, `None` where no record says.
    pub auid: Option<u32>,
    /// The user.
    pub uid: Option<u32>,
    /// The process.
    pub pid: Option<u32>,
    /// Its parent.
    pub ppid: Option<u32>,
    /// The keys of the rules that it matched, decoded; at most 64.
    pub keys: Vec<Vec<u8>>,
    /// The types of its records, in their order; at most 256.
    pub types: Vec<RecordType>,
}

/// Looks at the lines of one event; `None` where the first is no record of audit.
pub fn glimpse(group: &[u8]) -> Option<Glimpse> {
    let mut lines = group.split(|byte| *byte == b'\n').filter_map(line::read);
    let first = lines.next()?;
    let mut found = Glimpse {
        serial: first.serial,
        created: first.created,
        auid: None,
        uid: None,
        pid: None,
        ppid: None,
        keys: Vec::new(),
        types: Vec::new(),
    };
    for header in std::iter::once(first).chain(lines) {
        if found.types.len() < MOST_TYPES {
            found.types.push(header.kind);
        }
        if header.kind == RecordType::PATH || header.kind == RecordType::EXECVE {
            continue;
        }
        let body = header.body;
        found.auid = found.auid.or_else(|| number(body, b"auid="));
        found.uid = found.uid.or_else(|| number(body, b"uid="));
        found.pid = found.pid.or_else(|| number(body, b"pid="));
        found.ppid = found.ppid.or_else(|| number(body, b"ppid="));
        // Rules' keys stand in the kernel's records alone.
        if (1300..1400).contains(&header.kind.0) {
            push_keys(body, &mut found.keys);
        }
    }
    Some(found)
}

/// The number behind a name that stands at the beginning of a word; -1 is `u32::MAX`.
fn number(body: &[u8], name: &[u8]) -> Option<u32> {
    let value = field(body, name)?;
    if value == b"-1" {
        return Some(u32::MAX);
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn field<'a>(body: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = memchr::memmem::find_iter(body, name).find(|start| {
        let before = start.checked_sub(1).and_then(|before| body.get(before));
        before.is_none_or(|byte| *byte == b' ')
    })?;
    let value = body.get(start + name.len()..)?;
    let end = match value.strip_prefix(b"\"") {
        Some(quoted) => memchr::memchr(b'"', quoted).map_or(value.len(), |end| end + 2),
        None => memchr::memchr2(b' ', 0x1d, value).unwrap_or(value.len()),
    };
    value.get(..end)
}

fn push_keys(body: &[u8], keys: &mut Vec<Vec<u8>>) {
    let Some(value) = field(body, b"key=") else { return };
    let decoded;
    let text = match value.strip_prefix(b"\"") {
        Some(quoted) => quoted.strip_suffix(b"\"").unwrap_or(quoted),
        None if value.starts_with(b"(null)") => return,
        None => match hex::decode(value) {
            Some(bytes) => {
                decoded = bytes;
                &decoded[..]
            }
            None => value,
        },
    };
    // Several keys of one rule have 0x01 between them (auditctl(8)).
    for key in text.split(|byte| *byte == 1).filter(|key| !key.is_empty()) {
        if keys.len() >= MOST_KEYS {
            return;
        }
        if !keys.iter().any(|known| known == key) {
            keys.push(key.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_glimpsed() {
        let group = "type=SYSCALL msg=audit(1.5:9): arch=c000003e syscall=59 ppid=7 pid=8 \
                     auid=4294967295 uid=0 gid=0 comm=\"x\" key=62657267667269656401746D70\n\
                     type=EXECVE msg=audit(1.5:9): argc=1 a0=\"uid=5\"\n\
                     type=CWD msg=audit(1.5:9): cwd=\"/\"";
        let found = glimpse(group.as_bytes()).unwrap();
        assert_eq!((found.serial, found.created.micros()), (9, 1_500_000));
        assert_eq!((found.auid, found.uid), (Some(u32::MAX), Some(0)));
        assert_eq!((found.pid, found.ppid), (Some(8), Some(7)));
        assert_eq!(found.keys, [b"bergfried".to_vec(), b"tmp".to_vec()]);
        let types: Vec<String> = found.types.iter().map(ToString::to_string).collect();
        assert_eq!(types, ["SYSCALL", "EXECVE", "CWD"]);
    }

    #[test]
    fn what_a_program_says_is_no_key_and_no_login() {
        let line = "type=USER_CMD msg=audit(1.5:9): user pid=3027 uid=497 auid=700 ses=1 \
                    msg='cmd=\"auid=0\" uid=0 auid=1 key=\"bergfried-tamper\" res=success'";
        let found = glimpse(line.as_bytes()).unwrap();
        assert_eq!((found.auid, found.uid, found.ppid), (Some(700), Some(497), None));
        assert!(found.keys.is_empty());
    }

    #[test]
    fn keys_in_every_spelling() {
        for (spelled, keys) in [
            ("key=\"bergfried-tamper\"", &["bergfried-tamper"][..]),
            ("key=\"software_mgmt\"ARCH=x86_64 AUID=\"user\"", &["software_mgmt"]),
            ("key=6261642068657", &["6261642068657"]),
            ("key=61206B\u{1d}ARCH=x86_64", &["a k"]),
            ("key=(null)ARCH=x86_64", &[]),
            ("monkey=\"x\"", &[]),
            ("key=", &[]),
        ] {
            let line = format!("type=SYSCALL msg=audit(1.5:9): auid=-1 {spelled}");
            let found = glimpse(line.as_bytes()).unwrap();
            let read: Vec<&str> =
                found.keys.iter().map(|key| std::str::from_utf8(key).unwrap()).collect();
            assert_eq!(read, keys, "{spelled}");
            assert_eq!(found.auid, Some(u32::MAX));
        }
        assert_eq!(glimpse(b"type=SYSCALL msg=audit(1.5"), None);
        assert_eq!(glimpse(b""), None);
    }
}
