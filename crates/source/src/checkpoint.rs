//! How far sources were read, in a form that survives restarts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::audit::AuditLog;

/// How far every source was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// Files by a number that each keeps for good, in the order in which they were opened.
    pub files: BTreeMap<u64, FilePosition>,
    /// The cursor of the last journal entry that was read.
    pub journal: Option<String>,
    /// What is known of audit logs beside how far they were read, by their paths.
    pub audit: BTreeMap<String, AuditLog>,
    /// How far others read what no line of a log is, by their names and in words of their own.
    pub others: BTreeMap<String, String>,
}

/// What changed since the last checkpoint; applied to an empty one it is a whole checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Files that were opened or read further.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<u64, FilePosition>,
    /// Files that need no longer be remembered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<u64>,
    /// The journal's new cursor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
    /// What is known of audit logs now; an empty one needs no longer be remembered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub audit: BTreeMap<String, AuditLog>,
    /// How far others are now.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub others: BTreeMap<String, String>,
}

/// How far one file was read, and how to know it again under another name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePosition {
    /// The path at which it was found first.
    pub path: String,
    /// The device that holds it.
    pub dev: u64,
    /// Its inode there. Inodes are reused, so this alone proves nothing.
    pub inode: u64,
    /// How it begins.
    pub head: Fingerprint,
    /// The byte at which the next line starts.
    pub offset: u64,
    /// When it was last written to as of the last look, seconds and nanoseconds since 1970.
    #[serde(default)]
    pub modified: (i64, i64),
    /// Whether `offset` is inside a line whose rest is passed over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub skipping: bool,
    /// Whether it had been rotated away from `path`.
    #[serde(default, skip_serializing_if = "is_false")]
    pub rotated: bool,
    /// Whether it was read to its end for good; remembered so that it is not read again.
    #[serde(default, skip_serializing_if = "is_false")]
    pub finished: bool,
}

/// A hash over the first bytes of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Over how many bytes; zero fits any file.
    pub bytes: u16,
    /// BLAKE3, the first 32 of its hex digits.
    pub hash: String,
}

impl Fingerprint {
    /// The fingerprint of these first bytes.
    pub fn of(head: &[u8]) -> Self {
        let hash = blake3::hash(head).to_hex();
        Fingerprint {
            bytes: u16::try_from(head.len()).unwrap_or(u16::MAX),
            hash: hash.chars().take(32).collect(),
        }
    }
}

impl Checkpoint {
    /// Takes over what changed.
    pub fn apply(&mut self, changes: Changes) {
        self.files.extend(changes.files);
        for id in changes.gone {
            self.files.remove(&id);
        }
        if changes.journal.is_some() {
            self.journal = changes.journal;
        }
        for (path, log) in changes.audit {
            if log == AuditLog::default() {
                self.audit.remove(&path);
            } else {
                self.audit.insert(path, log);
            }
        }
        self.others.extend(changes.others);
    }
}

impl std::convert::From<Checkpoint> for Changes {
    fn from(checkpoint: Checkpoint) -> Self {
        Changes {
            files: checkpoint.files,
            gone: Vec::new(),
            journal: checkpoint.journal,
            audit: checkpoint.audit,
            others: checkpoint.others,
        }
    }
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
            && self.gone.is_empty()
            && self.journal.is_none()
            && self.audit.is_empty()
            && self.others.is_empty()
    }

    /// Adds what changed after this.
    pub fn extend(&mut self, later: Changes) {
        self.files.retain(|id, _| !later.gone.contains(id));
        self.files.extend(later.files);
        self.gone.extend(later.gone);
        self.journal = later.journal.or(self.journal.take());
        self.audit.extend(later.audit);
        self.others.extend(later.others);
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !value
}
