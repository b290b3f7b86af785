//! Walking what is watched, a little at a time, so that what happens meanwhile is noticed.

use std::fs::{self, ReadDir};
use std::io;
use std::path::{Path, PathBuf};

use super::change::Trigger;
use super::scope::{Place, Scope};

/// File systems that hold no files of this host, by their numbers in statfs(2): proc, sysfs, cgroup,
/// NFS, SMB, CIFS, AFS, FUSE, autofs, debugfs, tracefs, BPF.
const FOREIGN: &[u64] = &[
    0x9fa0,
    0x6265_6572,
    0x0027_e0eb,
    0x6367_7270,
    0x6969,
    0x517b,
    0xfe53_4d42,
    0xff53_4d42,
    0x5346_414f,
    0x6573_5546,
    0x0187,
    0x6462_6720,
    0x7472_6163,
    0xcafe_4a11,
];

/// One walk over some trees.
#[derive(Debug)]
pub(super) struct Sweep {
    /// The tops of the trees.
    pub(super) roots: Vec<PathBuf>,
    /// Directories that were not listed yet.
    waiting: Vec<(PathBuf, Place)>,
    listing: Option<(PathBuf, ReadDir)>,
    /// Whether contents are read again where nothing seems to have changed.
    pub(super) anew: bool,
    pub(super) trigger: Trigger,
    /// Its number.
    pub(super) number: u32,
    /// Whether it covers everything.
    pub(super) whole: bool,
    /// What was found and could not be remembered.
    pub(super) left_out: u64,
}

/// What a walk came to.
pub(super) enum Step {
    /// A directory, before it is listed; its place.
    Directory(PathBuf, Place),
    Path(PathBuf),
    Done,
}

impl Sweep {
    pub(super) fn new(roots: Vec<PathBuf>, trigger: Trigger, number: u32, anew: bool) -> Self {
        let whole = roots.iter().any(|root| root == Path::new("/"));
        // A tree in a tree is walked once.
        let mut tops: Vec<PathBuf> = Vec::new();
        for root in roots {
            if !tops.iter().any(|top| root.starts_with(top)) {
                tops.push(root);
            }
        }
        let waiting = tops.iter().rev().map(|root| (root.clone(), Place::Outside)).collect();
        Sweep { roots: tops, waiting, listing: None, anew, trigger, number, whole, left_out: 0 }
    }

    /// Whether it is one of those that come by the clock.
    pub(super) fn is_regular(&self) -> bool {
        self.anew || self.trigger == Trigger::Start
    }

    /// The next path. Directories come before what is in them, so that they are watched first.
    pub(super) fn next(&mut self, scope: &Scope) -> Step {
        loop {
            if let Some((directory, listing)) = &mut self.listing {
                match listing.next() {
                    Some(Ok(entry)) => {
                        let path = directory.join(entry.file_name());
                        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
                        match (scope.place(&path), is_directory) {
                            (Place::Outside, _) | (Place::OnTheWay, false) => continue,
                            (place, true) => {
                                self.waiting.push((path.clone(), place));
                                if place == Place::OnTheWay {
                                    continue;
                                }
                            }
                            (Place::Covered, false) => {}
                        }
                        return Step::Path(path);
                    }
                    Some(Err(error)) => cannot_list(directory, &error),
                    None => {}
                }
                self.listing = None;
            }
            let Some((directory, place)) = self.waiting.pop() else { return Step::Done };
            // Of a root only the name is known.
            let is_root = place == Place::Outside;
            let place = if is_root { scope.place(&directory) } else { place };
            let is_directory = fs::symlink_metadata(&directory).is_ok_and(|found| found.is_dir());
            if place == Place::Outside {
                continue;
            }
            if is_root && place == Place::Covered {
                // Told first; it is no root when it comes again.
                if is_directory {
                    self.waiting.push((directory.clone(), place));
                }
                return Step::Path(directory);
            }
            if is_directory && !is_foreign(&directory) {
                return Step::Directory(directory, place);
            }
        }
    }

    /// Lists a directory that [`Sweep::next`] named.
    pub(super) fn list(&mut self, directory: PathBuf) {
        match fs::read_dir(&directory) {
            Ok(listing) => self.listing = Some((directory, listing)),
            Err(error) => cannot_list(&directory, &error),
        }
    }
}

fn cannot_list(directory: &Path, error: &io::Error) {
    if error.kind() != io::ErrorKind::NotFound {
        tracing::debug!(directory = %directory.display(), %error, "cannot list");
    }
}

/// Whether a directory lies on a foreign file system, where `/` itself does not lie on such a one.
fn is_foreign(directory: &Path) -> bool {
    #[expect(clippy::cast_sign_loss, reason = "the types differ between architectures")]
    let kind =
        |path: &Path| rustix::fs::statfs(path).map(|found| found.f_type as u64 & 0xffff_ffff);
    kind(directory).is_ok_and(|found| FOREIGN.contains(&found) && kind(Path::new("/")) != Ok(found))
}
