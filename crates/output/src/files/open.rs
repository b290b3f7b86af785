//! Opening files below a directory without ever following a link out of it.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _};
use std::path::Path;

use bergfried_event::Timestamp;
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, fchmod, fchown, mkdirat, openat, statat};
use rustix::io::Errno;

use crate::config::FileOptions;

/// A file that lines are appended to.
#[derive(Debug)]
pub(super) struct OpenFile {
    pub(super) file: File,
    pub(super) size: u64,
    /// When it was last written.
    pub(super) written: Timestamp,
    device: u64,
    inode: u64,
    /// Whether it was made just now.
    pub(super) made: bool,
}

/// Why there is no file.
#[derive(Debug)]
pub(super) enum Obstacle {
    /// There are as many files as may be.
    Cap,
    /// The name is taken by something that is not written to: a link, a directory, a device, a file
    /// of someone else.
    Unusable,
    /// Something that may pass: no room, no directory, no right to make one.
    Failed(io::Error),
}

impl From<Errno> for Obstacle {
    fn from(error: Errno) -> Self {
        match error {
            Errno::LOOP | Errno::NOTDIR | Errno::ISDIR | Errno::NAMETOOLONG | Errno::NXIO => {
                Obstacle::Unusable
            }
            other => Obstacle::Failed(other.into()),
        }
    }
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(number) => Obstacle::from(Errno::from_raw_os_error(number)),
            None => Obstacle::Failed(error),
        }
    }
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
// Not to hang on a pipe, and not to take a terminal.
const APPEND: OFlags = OFlags::RDWR
    .union(OFlags::APPEND)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

/// The directory that nothing leaves; made where it is absent. It may be a link itself, which only
/// an administrator can make it.
pub(super) fn open_root(options: &FileOptions) -> Result<OwnedFd, Obstacle> {
    let root = options.path.root();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match rustix::fs::open(root, flags, Mode::empty()) {
        Ok(root) => Ok(root),
        Err(Errno::NOENT) => {
            let mut builder = std::fs::DirBuilder::new();
            builder.recursive(true).mode(options.directory_mode).create(root)?;
            let root = rustix::fs::open(root, flags, Mode::empty())?;
            give(&root, options, options.directory_mode)?;
            Ok(root)
        }
        // The root is what the administrator wrote: nothing else can take its place.
        Err(error) => Err(Obstacle::Failed(error.into())),
    }
}

/// The directory of these names below another, made where it is absent; counts in `made` what it
/// makes, at most `room`.
pub(super) fn open_directory(
    root: OwnedFd,
    names: &[&str],
    options: &FileOptions,
    room: usize,
    made: &mut usize,
) -> Result<OwnedFd, Obstacle> {
    let mut at = root;
    for name in names {
        at = match openat(&at, *name, DIRECTORY, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT) => {
                if *made >= room {
                    return Err(Obstacle::Cap);
                }
                mkdirat(&at, *name, Mode::from_raw_mode(options.directory_mode))?;
                *made += 1;
                let next = openat(&at, *name, DIRECTORY, Mode::empty())?;
                give(&next, options, options.directory_mode)?;
                next
            }
            Err(error) => return Err(error.into()),
        };
    }
    Ok(at)
}

/// Opens the file to append to it, made where it is absent and there is room for one more. Where its
/// last line was not finished, it is finished now: what follows must not become a part of it.
pub(super) fn open_file(
    directory: &OwnedFd,
    name: &str,
    options: &FileOptions,
    room: bool,
) -> Result<OpenFile, Obstacle> {
    let (fd, made) = match openat(directory, name, APPEND, Mode::empty()) {
        Ok(fd) => (fd, false),
        Err(Errno::NOENT) if !room => return Err(Obstacle::Cap),
        Err(Errno::NOENT) => {
            let flags = APPEND | OFlags::CREATE | OFlags::EXCL;
            let fd = openat(directory, name, flags, Mode::from_raw_mode(options.mode))?;
            give(&fd, options, options.mode)?;
            (fd, true)
        }
        Err(Errno::ACCESS | Errno::PERM) => return Err(Obstacle::Unusable),
        Err(error) => return Err(error.into()),
    };
    let file = File::from(fd);
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(Obstacle::Unusable);
    }
    let mut size = metadata.len();
    let mut last = [b'\n'];
    if size > 0 && file.read_at(&mut last, size - 1)? == 1 && last != [b'\n'] {
        // The file was opened to append: the position is not looked at.
        file.write_all_at(b"\n", size)?;
        size += 1;
    }
    Ok(OpenFile {
        size,
        written: Timestamp::from_seconds(metadata.mtime()),
        device: metadata.dev(),
        inode: metadata.ino(),
        made,
        file,
    })
}

impl OpenFile {
    /// Whether this path still leads to the file: it was not removed, nor moved to another name.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        match statat(rustix::fs::CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => (stat.st_dev, stat.st_ino) == (self.device, self.inode),
            Err(_) => false,
        }
    }

    /// Looks again how long it is: another program may have cut it off.
    pub(super) fn measure(&mut self) -> io::Result<()> {
        self.size = self.file.metadata()?.len();
        Ok(())
    }
}

/// Sets mode, owner and group, whatever the process's umask.
fn give(fd: &OwnedFd, options: &FileOptions, mode: u32) -> Result<(), Obstacle> {
    if options.owner.is_some() || options.group.is_some() {
        let (owner, group) = (options.owner.map(Uid::from_raw), options.group.map(Gid::from_raw));
        fchown(fd, owner, group).map_err(|error| {
            let error = io::Error::from(error);
            Obstacle::Failed(io::Error::new(
                error.kind(),
                format!("cannot set `owner` and `group`, which takes root's rights: {error}"),
            ))
        })?;
    }
    fchmod(fd, Mode::from_raw_mode(mode))?;
    Ok(())
}
