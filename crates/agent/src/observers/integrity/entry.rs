//! What is remembered of one file, directory or link.

use rustix::fs::{FileType, Mode, Stat};
use serde::{Deserialize, Serialize};

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    File,
    Dir,
    Symlink,
    Fifo,
    Socket,
    Device,
}

impl Kind {
    pub(super) fn of(stat: &Stat) -> Self {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Kind::Dir,
            FileType::Symlink => Kind::Symlink,
            FileType::Fifo => Kind::Fifo,
            FileType::Socket => Kind::Socket,
            FileType::CharacterDevice | FileType::BlockDevice => Kind::Device,
            _ => Kind::File,
        }
    }

    /// As ECS has it in `file.type`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::File => "file",
            Kind::Dir => "dir",
            Kind::Symlink => "symlink",
            Kind::Fifo => "fifo",
            Kind::Socket => "socket",
            Kind::Device => "device",
        }
    }
}

/// What was seen of one path. Times are nanoseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "k")]
    pub(super) kind: Kind,
    /// The lower twelve bits.
    #[serde(rename = "m")]
    pub(super) mode: u32,
    #[serde(rename = "u")]
    pub(super) uid: u32,
    #[serde(rename = "g")]
    pub(super) gid: u32,
    #[serde(rename = "s")]
    pub(super) size: u64,
    #[serde(rename = "mt")]
    pub(super) modified: i64,
    #[serde(rename = "ct")]
    pub(super) changed: i64,
    #[serde(rename = "i")]
    pub(super) inode: u64,
    #[serde(rename = "d")]
    pub(super) device: u64,
    #[serde(rename = "l")]
    pub(super) links: u64,
    /// Of a regular file that could be read.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(super) hash: Option<Hash>,
    #[serde(rename = "x", default, skip_serializing_if = "Option::is_none")]
    pub(super) rare: Option<Box<Rare>>,
}

/// What few files have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Rare {
    /// Where a link points.
    pub(super) target: Option<String>,
    /// `cap_net_raw`, … and `all` where there are more than are known.
    pub(super) capabilities: Vec<String>,
    pub(super) immutable: bool,
    pub(super) append_only: bool,
    /// Only the first and the last MiB were hashed.
    pub(super) partial: bool,
}

/// A BLAKE3 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Hash(pub(super) [u8; 32]);

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        blake3::Hash::from_bytes(hash.0).to_hex().to_string()
    }
}

impl TryFrom<String> for Hash {
    type Error = blake3::HexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        blake3::Hash::from_hex(text).map(|hash| Hash(*hash.as_bytes()))
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

/// What is asked of entries by every part that compares.
static NONE: Rare = Rare {
    target: None,
    capabilities: Vec::new(),
    immutable: false,
    append_only: false,
    partial: false,
};

impl Entry {
    pub(super) fn of(stat: &Stat) -> Self {
        let nanos = |seconds: i64, nanos: u64| {
            seconds.saturating_mul(1_000_000_000).saturating_add_unsigned(nanos)
        };
        #[expect(
            clippy::useless_conversion,
            clippy::unnecessary_cast,
            reason = "the types differ between architectures"
        )]
        Entry {
            kind: Kind::of(stat),
            mode: (Mode::from_raw_mode(stat.st_mode).bits() & 0o7777).into(),
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: nanos(stat.st_mtime.into(), stat.st_mtime_nsec as u64),
            changed: nanos(stat.st_ctime.into(), stat.st_ctime_nsec as u64),
            inode: stat.st_ino.into(),
            device: stat.st_dev.into(),
            links: stat.st_nlink.into(),
            hash: None,
            rare: None,
        }
    }

    pub(super) fn rare(&self) -> &Rare {
        self.rare.as_deref().unwrap_or(&NONE)
    }

    /// Whether the file system says that nothing was written and nothing changed.
    pub(super) fn looks_like(&self, other: &Entry) -> bool {
        let times = |entry: &Entry| (entry.modified, entry.changed, entry.size, entry.links);
        let what = |entry: &Entry| (entry.kind, entry.mode, entry.uid, entry.gid);
        times(self) == times(other) && what(self) == what(other) && self.is_same_inode(other)
    }

    pub(super) fn is_same_inode(&self, other: &Entry) -> bool {
        (self.inode, self.device) == (other.inode, other.device)
    }

    /// What the mode grants beyond who may read, write and run, and the capabilities.
    pub(super) fn privileges(&self) -> Vec<String> {
        let bits = [(0o4000, "setuid"), (0o2000, "setgid")];
        let is_file = self.kind == Kind::File;
        let held = |(bit, name): (u32, &str)| {
            (is_file && self.mode & bit != 0 && self.mode & 0o111 != 0).then(|| name.to_owned())
        };
        let mut all: Vec<String> = bits.into_iter().filter_map(held).collect();
        // A directory for all with the sticky bit is what /tmp is.
        let open = self.kind != Kind::Symlink && self.mode & 0o002 != 0;
        if open && !(self.kind == Kind::Dir && self.mode & 0o1000 != 0) {
            all.push("world_writable".to_owned());
        }
        if is_file && self.mode & 0o111 != 0 {
            all.push("executable".to_owned());
        }
        all.extend(self.rare().capabilities.iter().cloned());
        all
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn file(mode: u32, content: &str) -> Entry {
        Entry {
            kind: Kind::File,
            mode,
            uid: 0,
            gid: 0,
            size: content.len() as u64,
            modified: 1,
            changed: 1,
            inode: 7,
            device: 8,
            links: 1,
            hash: Some(Hash(*blake3::hash(content.as_bytes()).as_bytes())),
            rare: None,
        }
    }

    #[test]
    fn an_entry_is_written_and_read() {
        let mut entry = file(0o644, "a");
        entry.rare = Some(Box::new(Rare { target: Some("x".to_owned()), ..Rare::default() }));
        let text = serde_json::to_string(&entry).unwrap();
        assert!(text.len() < 300, "{text}");
        assert_eq!(serde_json::from_str::<Entry>(&text).unwrap(), entry);
    }

    #[test]
    fn privileges_are_named() {
        let of = |kind, mode| Entry { kind, ..file(mode, "") }.privileges().join(" ");
        for (kind, mode, expected) in [
            (Kind::File, 0o644, ""),
            (Kind::File, 0o4755, "setuid executable"),
            (Kind::File, 0o4644, ""),
            (Kind::File, 0o2777, "setgid world_writable executable"),
            (Kind::Dir, 0o1777, ""),
            (Kind::Dir, 0o2777, "world_writable"),
            (Kind::Symlink, 0o777, ""),
        ] {
            assert_eq!(of(kind, mode), expected, "{kind:?} {mode:o}");
        }
    }
}
