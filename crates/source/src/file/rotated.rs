//! Telling a file's rotation from its destruction: what it was, and what beside it may be it now.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::identity::{self, HEAD};
use super::siblings::{self, MAX_NAMES};
use super::system;
use crate::checkpoint::Fingerprint;

/// What compressors append to a name.
const COMPRESSED: [&[u8]; 6] = [b".gz", b".xz", b".zst", b".bz2", b".lz4", b".Z"];

/// A file beside another that, by its name, was rotated away from it: `auth.log.1`,
/// `auth.log-20260101.gz`, `auth-20260101.log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// Where it lies.
    pub path: PathBuf,
    /// Its inode.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last written to, in seconds and nanoseconds since 1970. Compressors keep that of
    /// the original.
    pub modified: (i64, i64),
    /// Whether its name says that it is compressed.
    pub compressed: bool,
}

/// The files that were rotated away from `path`, in its directory and in these others.
pub fn rotated(path: &Path, others: &[PathBuf]) -> Vec<Rotated> {
    let Some(name) = path.file_name().map(OsStr::as_encoded_bytes) else { return Vec::new() };
    let own = path.parent().map(Path::to_path_buf).unwrap_or_default();
    let mut found = Vec::new();
    for directory in std::iter::once(&own).chain(others) {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten().take(MAX_NAMES);
        for entry in entries {
            let Some(compressed) = is_rotated(entry.file_name().as_encoded_bytes(), name) else {
                continue;
            };
            let Ok(about) = entry.metadata() else { continue };
            if about.is_file()
                && let Ok(inode) = system::inode(&entry, &about)
            {
                found.push(Rotated {
                    path: entry.path(),
                    inode,
                    size: about.len(),
                    modified: system::modified(&about),
                    compressed,
                });
            }
        }
    }
    found
}

/// Whether the candidate's name is `name` rotated, and then whether it is compressed.
fn is_rotated(candidate: &[u8], name: &[u8]) -> Option<bool> {
    let plain = COMPRESSED.iter().find_map(|ending| candidate.strip_suffix(*ending));
    let kept = plain.unwrap_or(candidate);
    let mut is_one = siblings::is_rotated(kept, name);
    // logrotate's `extension`: the number or date stands before what the name ends in.
    if let Some(dot) = name.iter().rposition(|byte| *byte == b'.')
        && let Some((stem, extension)) = name.split_at_checked(dot)
        && let Some(kept) = kept.strip_suffix(extension)
    {
        is_one |= siblings::is_rotated(kept, stem);
    }
    is_one.then_some(plain.is_some())
}

/// How the file begins now; of a file that is no regular one, an error.
pub fn fingerprint(path: &Path) -> io::Result<Fingerprint> {
    let opened = identity::open(path)?;
    Ok(Fingerprint::of(&identity::head(&opened.file, HEAD)?))
}

/// Whether the file begins as the fingerprint says; false where it cannot be read.
pub fn begins_as(path: &Path, print: &Fingerprint) -> bool {
    let recognised = |file: &File| matches!(identity::recognise(file, print), Ok(Some(_)));
    identity::open(path).is_ok_and(|opened| recognised(&opened.file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_names_may_be_compressed_and_keep_their_ending() {
        for (candidate, name, expected) in [
            ("auth.log.1", "auth.log", Some(false)),
            ("auth.log.2.gz", "auth.log", Some(true)),
            ("auth.log-20260101.zst", "auth.log", Some(true)),
            ("auth-20260101.log", "auth.log", Some(false)),
            ("auth.1.log.xz", "auth.log", Some(true)),
            ("auth.log", "auth.log", None),
            ("auth.log.gz", "auth.log", None),
            ("auth.log.bak", "auth.log", None),
            ("other-20260101.log", "auth.log", None),
            ("messages-20260101", "messages", Some(false)),
            ("messages-20260101", "messages.log", None),
        ] {
            assert_eq!(is_rotated(candidate.as_bytes(), name.as_bytes()), expected, "{candidate}");
        }
    }

    #[test]
    fn siblings_are_found_in_other_directories_too() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        fs::create_dir(path("old")).unwrap();
        for name in ["a.log", "a.log.1", "old/a.log.2.gz", "b.log.1"] {
            fs::write(path(name), name).unwrap();
        }
        let found = |others: &[PathBuf]| {
            let mut names: Vec<_> =
                rotated(&path("a.log"), others).into_iter().map(|one| one.path).collect();
            names.sort();
            names
        };
        assert_eq!(found(&[]), [path("a.log.1")]);
        assert_eq!(found(&[path("old")]), [path("a.log.1"), path("old/a.log.2.gz")]);
        let print = fingerprint(&path("a.log")).unwrap();
        assert!(begins_as(&path("a.log.1"), &print), "it begins with the other's name");
        assert!(!begins_as(&path("b.log.1"), &print));
        assert!(fingerprint(&path("old")).is_err());
    }
}
