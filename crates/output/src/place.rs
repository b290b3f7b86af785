//! How far an output has come, durable: a small file that is replaced whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A place in the store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Place {
    /// The last event that is done with.
    pub(crate) after: u64,
    /// A batch that may be on its way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Pending>,
}

/// A batch whose sending was begun: the events behind [`Place::after`] up to one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pending {
    /// Its last event.
    pub(crate) until: u64,
    /// Its id, 32 hex digits.
    pub(crate) batch: String,
}

/// The file that holds a place.
#[derive(Debug)]
pub(crate) struct PlaceFile {
    path: PathBuf,
    saved: Option<Place>,
}

impl PlaceFile {
    /// The file of the output of this name. The name is one that the configuration takes.
    ///
    /// # Errors
    /// Where the file is there but cannot be read: to begin anew would lose or repeat events.
    pub(crate) fn open(directory: &Path, name: &str) -> io::Result<PlaceFile> {
        let path = directory.join(format!("{name}.json"));
        let saved = match fs::read(&path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        Ok(PlaceFile { path, saved })
    }

    /// What it holds; `None` where the output is new.
    pub(crate) fn saved(&self) -> Option<&Place> {
        self.saved.as_ref()
    }

    /// Makes a place durable; does nothing where it is the one that the file holds.
    pub(crate) fn save(&mut self, place: Place) -> io::Result<()> {
        if self.saved.as_ref() == Some(&place) {
            return Ok(());
        }
        let beside = self.path.with_extension("json.new");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(&serde_json::to_vec(&place)?)?;
        file.sync_data()?;
        fs::rename(&beside, &self.path)?;
        if let Some(directory) = self.path.parent() {
            File::open(directory)?.sync_all()?;
        }
        self.saved = Some(place);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_damage_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let mut file = PlaceFile::open(directory.path(), "a").unwrap();
        assert_eq!(file.saved(), None);
        let pending = Some(Pending { until: 9, batch: "00".repeat(16) });
        let place = Place { after: 7, pending };
        file.save(place.clone()).unwrap();
        let file = PlaceFile::open(directory.path(), "a").unwrap();
        assert_eq!(file.saved(), Some(&place));
        fs::write(directory.path().join("a.json"), "{").unwrap();
        assert!(PlaceFile::open(directory.path(), "a").is_err());
    }
}
