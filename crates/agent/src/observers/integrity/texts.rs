//! Texts of small files as they were, to tell what was changed in them: a file for each, named by
//! the hash of the contents. Never holds a secret: what may be kept is decided before.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::entry::Hash;

/// The most bytes of all texts together.
const MOST: u64 = 64 << 20;

#[derive(Debug)]
pub(super) struct Texts {
    directory: PathBuf,
    bytes: u64,
}

impl Texts {
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let directory = directory.join("texts");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
        let sizes = fs::read_dir(&directory)?.flatten().filter_map(|entry| entry.metadata().ok());
        let bytes = sizes.map(|metadata| metadata.len()).sum();
        Ok(Texts { directory, bytes })
    }

    pub(super) fn get(&self, hash: Hash) -> Option<String> {
        fs::read_to_string(self.path(hash)).ok()
    }

    /// Keeps a text; without it a later change is told without a difference.
    pub(super) fn keep(&mut self, hash: Hash, text: &str) {
        let path = self.path(hash);
        let length = text.len() as u64;
        if self.bytes + length > MOST || path.exists() {
            return;
        }
        let beside = path.with_extension("new");
        match fs::write(&beside, text).and_then(|()| fs::rename(&beside, &path)) {
            Ok(()) => self.bytes += length,
            Err(error) => tracing::debug!(%error, "cannot keep a text for later differences"),
        }
    }

    /// Removes every text whose file has other contents by now.
    pub(super) fn retain(&mut self, hashes: &BTreeSet<[u8; 32]>) {
        let is_kept =
            |name: &str| Hash::try_from(name.to_owned()).is_ok_and(|hash| hashes.contains(&hash.0));
        let Ok(entries) = fs::read_dir(&self.directory) else { return };
        self.bytes = 0;
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(is_kept) {
                self.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
            } else if let Err(error) = fs::remove_file(entry.path()) {
                tracing::debug!(%error, "cannot remove a text that nothing needs");
            }
        }
    }

    fn path(&self, hash: Hash) -> PathBuf {
        self.directory.join(hash.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_while_it_is_needed() {
        let directory = tempfile::tempdir().unwrap();
        let mut texts = Texts::open(directory.path()).unwrap();
        let (one, two) = (Hash([1; 32]), Hash([2; 32]));
        texts.keep(one, "one");
        texts.keep(two, "two");
        let mut texts = Texts::open(directory.path()).unwrap();
        assert_eq!((texts.get(one).as_deref(), texts.bytes), (Some("one"), 6));
        texts.retain(&BTreeSet::from([two.0]));
        assert_eq!(
            (texts.get(one), texts.get(two).as_deref(), texts.bytes),
            (None, Some("two"), 3)
        );
        texts.bytes = MOST;
        texts.keep(one, "one");
        assert_eq!(texts.get(one), None);
    }
}
