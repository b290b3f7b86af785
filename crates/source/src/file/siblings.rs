//! Finding files that were rotated away from a path: `auth.log.1`, `auth.log-20260101`.
//!
//! Rotation schemes that put the number elsewhere in the name, and files that were compressed
//! before they were read, are not found.

use std::path::{Path, PathBuf};

use super::identity::{self, Opened};
use crate::checkpoint::FilePosition;

/// The most names of one directory that are looked at.
pub(super) const MAX_NAMES: usize = 10_000;

/// The file that `position` speaks of, under whichever name it has now, and its first bytes.
///
/// First by inode and content; then, for a file that was copied away, by content alone.
pub(super) fn find(position: &FilePosition) -> Option<(PathBuf, Opened, Vec<u8>)> {
    let path = Path::new(&position.path);
    let mut candidates = vec![path.to_path_buf()];
    candidates.extend(rotated_names(path));
    let mut copy = None;
    for candidate in candidates {
        let Ok(opened) = identity::open(&candidate) else { continue };
        if opened.size < position.offset {
            continue;
        }
        let Ok(Some(head)) = identity::recognise(&opened.file, &position.head) else { continue };
        if (opened.dev, opened.inode) == (position.dev, position.inode) {
            return Some((candidate, opened, head));
        }
        // Without content to compare, another inode is another file.
        if copy.is_none() && position.head.bytes > 0 {
            copy = Some((candidate, opened, head));
        }
    }
    copy
}

/// Files that were rotated away from `path` at or after `since`, oldest first.
pub(super) fn rotated_since(path: &Path, since: (i64, i64)) -> Vec<Opened> {
    let mut found: Vec<Opened> = rotated_names(path)
        .filter_map(|name| identity::open(&name).ok())
        .filter(|opened| opened.modified >= since)
        .collect();
    found.sort_by_key(|opened| opened.modified);
    found
}

fn rotated_names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let name = path.file_name().map(|name| name.as_encoded_bytes().to_vec()).unwrap_or_default();
    let directory = path.parent().map(Path::to_path_buf).unwrap_or_default();
    std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .take(MAX_NAMES)
        .filter(move |entry| is_rotated(entry.file_name().as_encoded_bytes(), &name))
        .map(|entry| entry.path())
}

/// Whether `candidate` is `name` plus a number or a date.
pub(super) fn is_rotated(candidate: &[u8], name: &[u8]) -> bool {
    let Some(suffix) = candidate.strip_prefix(name) else { return false };
    let Some((b'.' | b'-' | b'_', number)) = suffix.split_first() else { return false };
    !name.is_empty()
        && number.iter().any(u8::is_ascii_digit)
        && number.iter().all(|byte| byte.is_ascii_digit() || b"-_.:T".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_names_are_numbers_and_dates_only() {
        for (candidate, expected) in [
            ("auth.log.1", true),
            ("auth.log.12", true),
            ("auth.log-20260101", true),
            ("auth.log-2026-01-01T10:00", true),
            ("auth.log", false),
            ("auth.log.", false),
            ("auth.log.1.gz", false),
            ("auth.log.bak", false),
            ("auth.logs.1", false),
            ("other.log.1", false),
        ] {
            assert_eq!(is_rotated(candidate.as_bytes(), b"auth.log"), expected, "{candidate}");
        }
    }
}
