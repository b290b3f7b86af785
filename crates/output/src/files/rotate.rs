//! When a file is rotated, what it is called then, and which rotated files go. Pure.

use bergfried_event::Timestamp;

use crate::config::{Compress, Rotation};

/// Between a file's name and when it was rotated; no value of a log can put it into a name.
const MARK: char = '@';

/// Whether a file that has `size` bytes and was last written at `written` is to be rotated before
/// `more` bytes are written.
pub(super) fn is_due(
    rotation: Rotation,
    size: u64,
    written: Timestamp,
    more: usize,
    now: Timestamp,
) -> bool {
    if size == 0 {
        return false;
    }
    let too_large = rotation.size.is_some_and(|most| size.saturating_add(more as u64) > most);
    // A file belongs to the step in which it was written last.
    let too_old = rotation.age.is_some_and(|age| now.floor_to(age) > written.floor_to(age));
    too_large || too_old
}

/// How many bytes of these lines may be written to a file of this size: whole lines, at least one.
pub(super) fn portion(rotation: Rotation, size: u64, lines: &[u8]) -> usize {
    let Some(most) = rotation.size else { return lines.len() };
    let room = usize::try_from(most.saturating_sub(size)).unwrap_or(usize::MAX);
    let Some(within) = lines.get(..room) else { return lines.len() };
    let is_end = |byte: &u8| *byte == b'\n';
    let last = within.iter().rposition(is_end);
    last.or_else(|| lines.iter().position(is_end)).map_or(lines.len(), |end| end + 1)
}

/// The name of a file that is rotated now; `again` tells apart those of one second.
pub(super) fn rotated_name(name: &str, now: Timestamp, again: u32) -> String {
    let stamp: String = now
        .floor_to(Timestamp::SECOND)
        .to_string()
        .chars()
        .filter(|character| !matches!(character, '-' | ':'))
        .collect();
    match again {
        0 => format!("{name}{MARK}{stamp}"),
        again => format!("{name}{MARK}{stamp}.{again}"),
    }
}

/// A rotated file, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rotated {
    /// The name of the file it was.
    pub(super) base: String,
    pub(super) at: Timestamp,
    again: u32,
    pub(super) state: State,
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Plain,
    Compressed,
    /// A compression that was not finished.
    Unfinished,
}

impl Rotated {
    /// Reads a name; `None` where it is not that of a rotated file.
    pub(super) fn of(name: &str) -> Option<Rotated> {
        let (base, rest) = name.rsplit_once(MARK)?;
        let (stamp, rest) = rest.split_at_checked("20261121T103000Z".len())?;
        let at = stamp_of(stamp)?;
        let (rest, unfinished) = match rest.strip_suffix(".new") {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let (rest, compressed) = match rest.strip_suffix(".zst").or(rest.strip_suffix(".gz")) {
            Some(rest) => (rest, true),
            None => (rest, false),
        };
        let again = match rest.strip_prefix('.') {
            Some(number) => number.parse().ok()?,
            None if rest.is_empty() => 0,
            None => return None,
        };
        let state = match (unfinished, compressed) {
            (true, _) => State::Unfinished,
            (false, true) => State::Compressed,
            (false, false) => State::Plain,
        };
        (!base.is_empty()).then(|| Rotated {
            base: base.to_owned(),
            at,
            again,
            state,
            name: name.to_owned(),
        })
    }
}

fn stamp_of(stamp: &str) -> Option<Timestamp> {
    let part = |from: usize, to: usize| stamp.get(from..to);
    let text = format!(
        "{}-{}-{}T{}:{}:{}Z",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(9, 11)?,
        part(11, 13)?,
        part(13, 15)?
    );
    let plain = stamp.ends_with('Z') && part(8, 9) == Some("T");
    plain.then(|| text.parse().ok()).flatten()
}

/// The suffix of a compressed file.
pub(super) fn suffix(compress: Compress) -> &'static str {
    match compress {
        Compress::Zstd => ".zst",
        Compress::Gzip => ".gz",
        Compress::None => "",
    }
}

/// Which of the rotated files of one directory go: of each file all but the newest `keep`, and those
/// older than `keep_age` microseconds.
pub(super) fn superfluous(
    mut files: Vec<Rotated>,
    keep: usize,
    keep_age: Option<i64>,
    now: Timestamp,
) -> Vec<Rotated> {
    files.sort_by(|one, other| {
        (&one.base, other.at, other.again).cmp(&(&other.base, one.at, one.again))
    });
    let mut before: Option<String> = None;
    let mut newer = 0;
    files.retain(|file| {
        if before.as_ref() != Some(&file.base) {
            before = Some(file.base.clone());
            newer = 0;
        }
        newer += 1;
        newer > keep || keep_age.is_some_and(|age| now.since(file.at) > age)
    });
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_763_726_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn rotated_by_size_and_by_day() {
        let size = Rotation { size: Some(100), age: None };
        let day = Rotation { size: None, age: Some(Timestamp::DAY) };
        let midnight = NOON + 12 * 3600;
        for (rotation, bytes, written, more, now, due) in [
            (size, 90, NOON, 10, NOON, false),
            (size, 90, NOON, 11, NOON, true),
            (size, 0, NOON, 1000, NOON, false),
            (day, 1, NOON, 1, midnight - 1, false),
            (day, 1, NOON, 1, midnight, true),
            (day, 0, NOON, 1, midnight, false),
            (Rotation::default(), u64::MAX, 0, 9, NOON, false),
        ] {
            assert_eq!(is_due(rotation, bytes, at(written), more, at(now)), due, "{rotation:?}");
        }
    }

    #[test]
    fn portions_are_whole_lines() {
        let rotation = Rotation { size: Some(10), age: None };
        for (size, lines, expected) in [
            (0, "abc\ndef\nghi\n", 8),
            (9, "abc\ndef\n", 4),
            (0, "a line that is longer\nb\n", 22),
            (0, "short\n", 6),
        ] {
            assert_eq!(portion(rotation, size, lines.as_bytes()), expected, "{lines:?}");
        }
        assert_eq!(portion(Rotation::default(), 5, b"abc"), 3);
    }

    #[test]
    fn names_are_read_back() {
        for (again, suffix, state) in [
            (0, "", State::Plain),
            (3, "", State::Plain),
            (0, ".zst", State::Compressed),
            (12, ".gz", State::Compressed),
            (0, ".zst.new", State::Unfinished),
            (2, ".gz.new", State::Unfinished),
        ] {
            let name = format!("{}{suffix}", rotated_name("web-sshd.log", at(NOON), again));
            let read = Rotated::of(&name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!((read.base.as_str(), read.at), ("web-sshd.log", at(NOON)), "{name}");
            assert_eq!((read.again, read.state), (again, state), "{name}");
        }
        for other in ["a.log", "a@b", "a.log@20261121T103000Zx", "@20261121T103000Z", "a@2026"] {
            assert_eq!(Rotated::of(other), None, "{other}");
        }
    }

    #[test]
    fn the_newest_are_kept_of_each() {
        let file = |base: &str, day: i64, again| {
            Rotated::of(&rotated_name(base, at(NOON + day * 86_400), again)).unwrap()
        };
        let files = vec![
            file("a", 1, 0),
            file("b", 0, 0),
            file("a", 3, 0),
            file("a", 2, 0),
            file("a", 3, 1),
        ];
        let names = |keep, keep_age| -> Vec<(String, i64)> {
            superfluous(files.clone(), keep, keep_age, at(NOON + 4 * 86_400))
                .into_iter()
                .map(|file| (file.base, (file.at.micros() / Timestamp::SECOND - NOON) / 86_400))
                .collect()
        };
        assert_eq!(names(2, None), [("a".to_owned(), 2), ("a".to_owned(), 1)]);
        assert_eq!(names(9, Some(3 * Timestamp::DAY)), [("b".to_owned(), 0)]);
        assert_eq!(names(0, None).len(), 5);
    }
}
