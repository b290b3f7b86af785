//! A backup as a directory that says of itself what is in it: `backup.json` lists every file with its
//! size and hash, and is written last. What was torn or changed since is refused before anything is
//! put in place.

use std::fs;
use std::path::{Component, Path, PathBuf};

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

use super::copy::{copied, hashed};
use crate::error::StoreError;
use crate::limits::Stop;
use crate::manifest::replace;
use crate::wal::sync_directory;

const FILE: &str = "backup.json";
const VERSION: u32 = 1;
const MAX_BYTES: u64 = 1 << 30;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listing {
    version: u32,
    /// When it was made, in microseconds.
    made: i64,
    files: Vec<Listed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    /// Below the directory, with slashes.
    path: String,
    bytes: u64,
    hash: String,
}

/// What is in a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// When it was made.
    pub made: Timestamp,
    /// Files.
    pub files: u64,
    /// Bytes.
    pub bytes: u64,
}

/// Lists every file of the directory, so that it is a backup from then on.
///
/// # Errors
/// [`StoreError::Cancelled`], and failures of the disk.
pub fn bundle(directory: &Path, now: Timestamp, stop: &Stop) -> Result<Bundle, StoreError> {
    let mut listing = Listing { version: VERSION, made: now.micros(), files: Vec::new() };
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let path = directory.join(&folder);
        let failed = |error| StoreError::io("list", &path, error);
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let inside = folder.join(entry.file_name());
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(inside);
                continue;
            }
            let name = inside.to_str().ok_or_else(|| {
                StoreError::corrupt(&entry.path(), "its name is no text that can be listed")
            })?;
            let (bytes, hash) = hashed(&entry.path(), stop)?;
            listing.files.push(Listed { path: name.to_owned(), bytes, hash });
        }
    }
    listing.files.sort_by(|one, other| one.path.cmp(&other.path));
    let path = directory.join(FILE);
    let body = serde_json::to_string(&listing)
        .map_err(|error| StoreError::io("encode", &path, error.into()))?;
    let sum = blake3::hash(body.as_bytes()).to_hex();
    replace(&path, format!("{sum}\n{body}").as_bytes(), true)?;
    Ok(listing.bundle())
}

/// Puts the files of a backup into a directory that is absent or empty, each checked against its hash
/// on the way. Only what is whole appears there.
///
/// # Errors
/// [`StoreError::Corrupt`] where the backup is torn or was changed, or something is in the directory;
/// [`StoreError::Cancelled`], and failures of the disk.
pub fn restore(backup: &Path, to: &Path, stop: &Stop) -> Result<Bundle, StoreError> {
    let listing = read(backup)?;
    if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(StoreError::corrupt(
            to,
            "something is there already; a backup is put elsewhere",
        ));
    }
    let mut work = to.as_os_str().to_owned();
    work.push(".restoring");
    let work = PathBuf::from(work);
    let create = |path: &Path| {
        use std::os::unix::fs::DirBuilderExt as _;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| StoreError::io("create", path, error))
    };
    match fs::remove_dir_all(&work) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::io("remove", &work, error));
        }
        Ok(()) | Err(_) => create(&work)?,
    }
    let put = || -> Result<(), StoreError> {
        for file in &listing.files {
            let target = work.join(&file.path);
            if let Some(folder) = target.parent() {
                create(folder)?;
            }
            copied(&backup.join(&file.path), &target, (file.bytes, &file.hash), stop)?;
            sync_directory(target.parent().unwrap_or(&work))?;
        }
        sync_directory(&work)
    };
    if let Err(error) = put() {
        return match fs::remove_dir_all(&work) {
            Ok(()) | Err(_) => Err(error),
        };
    }
    match fs::remove_dir(to) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StoreError::io("replace", to, error));
        }
        Ok(()) | Err(_) => {}
    }
    fs::rename(&work, to).map_err(|error| StoreError::io("rename", &work, error))?;
    match to.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_directory(parent)?,
        None => sync_directory(Path::new("."))?,
    }
    Ok(listing.bundle())
}

fn read(backup: &Path) -> Result<Listing, StoreError> {
    let path = backup.join(FILE);
    let corrupt = |reason: &str| StoreError::corrupt(&path, reason);
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => corrupt("it is not there: this is no whole backup"),
        _ => StoreError::io("read", &path, error),
    };
    if fs::metadata(&path).map_err(failed)?.len() > MAX_BYTES {
        return Err(corrupt("it is larger than any list of files"));
    }
    let text = fs::read(&path).map_err(failed)?;
    let text = String::from_utf8(text).map_err(|_| corrupt("it is no text"))?;
    let (sum, body) = text.split_once('\n').ok_or_else(|| corrupt("it ends early"))?;
    if blake3::hash(body.as_bytes()).to_hex().as_str() != sum {
        return Err(corrupt("its checksum is wrong"));
    }
    let listing: Listing =
        serde_json::from_str(body).map_err(|error| corrupt(&error.to_string()))?;
    if listing.version != VERSION {
        return Err(corrupt("another version wrote it"));
    }
    let stays_inside = |file: &&Listed| {
        let path = Path::new(&file.path);
        !file.path.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_)))
    };
    match listing.files.iter().find(|file| !stays_inside(file)) {
        Some(file) => Err(corrupt(&format!("`{}` leads elsewhere", file.path.escape_debug()))),
        None => Ok(listing),
    }
}

impl Listing {
    fn bundle(&self) -> Bundle {
        Bundle {
            made: Timestamp::from_micros(self.made),
            files: self.files.len() as u64,
            bytes: self.files.iter().map(|file| file.bytes).sum(),
        }
    }
}
