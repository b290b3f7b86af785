//! What an observer remembers over a restart: one JSON file, written whole.

use std::fs;
use std::io;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::replace::replace;

/// The file that one observer keeps what it remembers in.
#[derive(Debug)]
pub(crate) struct Memory<T> {
    path: PathBuf,
    kind: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Memory<T> {
    pub(crate) fn new(state_dir: &Path, observer: &str) -> Self {
        Memory { path: state_dir.join(format!("{observer}.json")), kind: PhantomData }
    }

    /// What was remembered; none at the first start, and where the file cannot be read, which is said.
    pub(crate) fn recall(&self) -> Option<T> {
        let read = match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            read => read.map_err(|error| error.to_string()),
        };
        let parsed = read.and_then(|text| {
            serde_json::from_slice(&text).map_err(|error: serde_json::Error| error.to_string())
        });
        parsed
            .inspect_err(|error| {
                let path = self.path.display();
                tracing::warn!(%path, error, "cannot read what was known, beginning anew");
            })
            .ok()
    }

    /// Remembers this in place of what was; a crash leaves either the one or the other.
    pub(crate) fn remember(&self, known: &T) -> io::Result<()> {
        replace(&self.path, 0o600, |out| Ok(serde_json::to_writer(out, known)?))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_is_remembered_is_recalled_and_damage_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let memory = Memory::<Vec<u32>>::new(directory.path(), "numbers");
        assert_eq!(memory.recall(), None);
        memory.remember(&vec![1, 2]).unwrap();
        memory.remember(&vec![3]).unwrap();
        assert_eq!(memory.recall(), Some(vec![3]));
        let about = fs::metadata(directory.path().join("numbers.json")).unwrap();
        assert_eq!(about.permissions().mode() & 0o077, 0, "rules and paths are nobody else's");
        fs::write(directory.path().join("numbers.json"), "{").unwrap();
        assert_eq!(memory.recall(), None);
    }
}
