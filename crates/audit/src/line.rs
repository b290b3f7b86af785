//! The front of a line: `node=N type=T msg=audit(SECONDS.MILLISECONDS:SERIAL):`, as auditd writes it
//! and, without `msg=`, as the kernel prints it where no daemon listens.

use bergfried_event::Timestamp;

use crate::record_type::RecordType;

/// What the front of a line says, and where its fields begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header<'a> {
    /// The host, where the line comes from an audit log that collects several.
    pub(crate) node: Option<&'a [u8]>,
    /// The type as the line spells it.
    pub(crate) name: &'a [u8],
    pub(crate) kind: RecordType,
    pub(crate) created: Timestamp,
    pub(crate) serial: u64,
    /// What follows.
    pub(crate) body: &'a [u8],
}

/// Reads the front of a line; `None` where it is no record of audit, or its front is torn.
pub(crate) fn read(line: &[u8]) -> Option<Header<'_>> {
    let (node, rest) = match line.strip_prefix(b"node=") {
        Some(rest) => {
            let (node, rest) = word(rest)?;
            (Some(node), rest)
        }
        None => (None, line),
    };
    let (name, rest) = word(rest.strip_prefix(b"type=")?)?;
    let rest = rest.strip_prefix(b"msg=").unwrap_or(rest).strip_prefix(b"audit(")?;
    let (seconds, rest) = digits(rest)?;
    let (micros, rest) = match rest.strip_prefix(b".") {
        Some(rest) => fraction(rest)?,
        None => (0, rest),
    };
    let (serial, rest) = digits(rest.strip_prefix(b":")?)?;
    let rest = rest.strip_prefix(b")")?;
    let body = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
    let seconds = i64::try_from(seconds).ok()?.checked_mul(Timestamp::SECOND)?;
    let created = Timestamp::from_micros(seconds.checked_add(micros)?);
    Some(Header { node, name, kind: RecordType::read(name), created, serial, body })
}

/// Whether a line begins as a record of audit does, be it torn.
pub(crate) fn resembles(line: &[u8]) -> bool {
    let rest = match line.strip_prefix(b"node=") {
        Some(rest) => word(rest).map_or(&[][..], |(_, rest)| rest),
        None => line,
    };
    let Some((_, rest)) = rest.strip_prefix(b"type=").and_then(word) else { return false };
    let rest = rest.strip_prefix(b"msg=").unwrap_or(rest);
    rest.starts_with(b"audit(")
}

/// The records of a line: one, but where a shipper put those of an event behind each other. Each must
/// bear the time and number of the first, which nobody who chooses a text in one of them knows before.
pub(crate) fn records(line: &str) -> impl Iterator<Item = &str> {
    const NEXT: &str = " type=";
    let key = |text: &str| read(text.as_bytes()).map(|header| (header.created, header.serial));
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let text = rest.take()?;
        let ends = memchr::memmem::find_iter(text.as_bytes(), NEXT);
        let next = ends.filter_map(|end| text.split_at_checked(end)).find(|(before, after)| {
            let next = after.get(1..).and_then(key);
            next.is_some() && next == key(before)
        });
        let Some((record, after)) = next else { return Some(text) };
        rest = after.get(1..);
        Some(record)
    })
}

/// A word of at most 255 bytes, and what follows the space behind it.
fn word(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let near = text.get(..256.min(text.len()))?;
    let end = memchr::memchr(b' ', near)?;
    Some((text.get(..end)?, text.get(end + 1..)?.trim_ascii_start()))
}

fn digits(text: &[u8]) -> Option<(u64, &[u8])> {
    let mut value: u64 = 0;
    let mut length = 0;
    for byte in text {
        if !byte.is_ascii_digit() {
            break;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
        length += 1;
    }
    if length == 0 { None } else { Some((value, text.get(length..)?)) }
}

/// Digits behind a point as microseconds; those past the sixth do not count.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let mut micros = 0;
    let mut weight = 100_000;
    let mut length = 0;
    for byte in text {
        if !byte.is_ascii_digit() {
            break;
        }
        micros += i64::from(byte - b'0') * weight;
        weight /= 10;
        length += 1;
    }
    if length == 0 { None } else { Some((micros, text.get(length..)?)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fronts_are_read() {
        let plain =
            read(b"type=SYSCALL msg=audit(1490995752.404:20614537): arch=c000003e").unwrap();
        assert_eq!((plain.node, plain.kind, plain.serial), (None, RecordType::SYSCALL, 20_614_537));
        assert_eq!(plain.created.micros(), 1_490_995_752_404_000);
        assert_eq!(plain.body, b"arch=c000003e");
        for (line, node, kind, micros, serial, body) in [
            ("node=web1 type=EOE msg=audit(1.5:2): ", Some("web1"), 1320, 1_500_000, 2, ""),
            (
                "type=1400 audit(1524849206.224:9): apparmor=\"AUDIT\"",
                None,
                1400,
                1_524_849_206_224_000,
                9,
                "apparmor=\"AUDIT\"",
            ),
            ("type=UNKNOWN[1334] msg=audit(7:8):prog-id=1", None, 1334, 7_000_000, 8, "prog-id=1"),
            ("type=NEWER msg=audit(7.123456789:8): x", None, 0, 7_123_456, 8, "x"),
        ] {
            let header = read(line.as_bytes()).unwrap();
            assert_eq!(header.node, node.map(str::as_bytes), "{line}");
            assert_eq!(header.kind, RecordType(kind), "{line}");
            assert_eq!(header.created.micros(), micros, "{line}");
            assert_eq!(header.serial, serial, "{line}");
            assert_eq!(header.body, body.as_bytes(), "{line}");
        }
    }

    #[test]
    fn records_behind_each_other_are_parted() {
        for (line, expected) in [
            (
                "node=a type=CWD msg=audit(1.5:2): cwd=\"/\" type=PATH msg=audit(1.5:2): item=0",
                &[
                    "node=a type=CWD msg=audit(1.5:2): cwd=\"/\"",
                    "type=PATH msg=audit(1.5:2): item=0",
                ][..],
            ),
            (
                "type=A msg=audit(1.5:2): x type=B msg=audit(1.5:3): y",
                &["type=A msg=audit(1.5:2): x type=B msg=audit(1.5:3): y"],
            ),
            (
                "type=A msg=audit(1.5:2): x type=y type=B audit(1.5:2): z",
                &["type=A msg=audit(1.5:2): x type=y", "type=B audit(1.5:2): z"],
            ),
            ("no type=A msg=audit(1.5:2): x", &["no type=A msg=audit(1.5:2): x"]),
            ("", &[""]),
        ] {
            assert_eq!(records(line).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn torn_fronts_are_told_from_other_lines() {
        for (line, resembling) in [
            ("type=EXECVE msg=audit(165", true),
            ("type=EXECVE msg=audit(1655465404.819", true),
            ("type=EXECVE msg=audit(99999999999999999999.1:1): a", true),
            ("type=EXECVE msg=audit(1.x:1): a", true),
            ("node=a type=EXECVE msg=audit(1.1:", true),
            ("type=EXECVE msg=aud", false),
            ("type=", false),
            ("----", false),
            ("", false),
            ("Nov 20 10:11:12 host app: type=EXECVE msg=audit(1.1:1): a", false),
        ] {
            assert_eq!(read(line.as_bytes()), None, "{line}");
            assert_eq!(resembles(line.as_bytes()), resembling, "{line}");
        }
    }
}
