//! File systems, looked at on a thread of their own: the mount of a server that went away may keep
//! whoever asks for ever.

use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::Duration;

use sysinfo::{Disk, DiskRefreshKind};

use super::look::{MOST, Usage, short};

/// How long an answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// A file system with room on it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FileSystem {
    pub(super) mount_point: String,
    pub(super) device: String,
    pub(super) kind: String,
    pub(super) usage: Usage,
}

/// Asks the thread that looks.
pub(super) struct Disks {
    ask: SyncSender<()>,
    answers: Receiver<Vec<FileSystem>>,
    patience: Duration,
    is_waiting: bool,
    has_complained: bool,
}

impl Disks {
    pub(super) fn start() -> io::Result<Disks> {
        let mut disks = sysinfo::Disks::new().map_err(io::Error::other)?;
        Disks::with(PATIENCE, move || {
            // Mounts of NFS, CIFS and autofs are left out there.
            disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
            chosen(disks.iter().map(file_system).collect())
        })
    }

    /// With another look, for as long as it takes.
    fn with(
        patience: Duration,
        mut look: impl FnMut() -> Vec<FileSystem> + Send + 'static,
    ) -> io::Result<Disks> {
        let (ask, asked) = mpsc::sync_channel::<()>(1);
        let (answer, answers) = mpsc::sync_channel(1);
        thread::Builder::new().name("status-disks".to_owned()).spawn(move || {
            // Ends with the one who asks; one that hangs for ever, with the process.
            while asked.recv().is_ok() {
                if answer.send(look()).is_err() {
                    return;
                }
            }
        })?;
        Ok(Disks { ask, answers, patience, is_waiting: false, has_complained: false })
    }

    /// What there is; none where the look, or one before it, has not come back.
    pub(super) fn look(&mut self) -> Option<Vec<FileSystem>> {
        if !self.is_waiting {
            self.ask.send(()).ok()?;
            self.is_waiting = true;
        }
        match self.answers.recv_timeout(self.patience) {
            Ok(found) => {
                self.is_waiting = false;
                self.has_complained = false;
                Some(found)
            }
            Err(_) => {
                if !std::mem::replace(&mut self.has_complained, true) {
                    tracing::warn!("a file system does not answer, so none is reported");
                }
                None
            }
        }
    }
}

fn file_system(disk: &Disk) -> FileSystem {
    let total = disk.total_space();
    FileSystem {
        mount_point: short(&disk.mount_point().to_string_lossy()),
        device: short(&disk.name().to_string_lossy()),
        kind: short(&disk.file_system().to_string_lossy()),
        usage: Usage { total, used: total.saturating_sub(disk.available_space()) },
    }
}

/// Those with room, each device once however often it is mounted; of too many the fullest.
fn chosen(mut found: Vec<FileSystem>) -> Vec<FileSystem> {
    found.retain(|one| one.usage.total > 0);
    found.sort_by(|one, other| {
        let length = |one: &FileSystem| one.mount_point.len();
        length(one).cmp(&length(other)).then(one.mount_point.cmp(&other.mount_point))
    });
    let mut devices = BTreeSet::new();
    // `overlay`, `tmpfs` and the like are no devices.
    found.retain(|one| !one.device.starts_with('/') || devices.insert(one.device.clone()));
    found.sort_by(|one, other| other.usage.share().total_cmp(&one.usage.share()));
    found.truncate(MOST);
    found.sort_by(|one, other| one.mount_point.cmp(&other.mount_point));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(mount_point: &str, device: &str, used: u64) -> FileSystem {
        FileSystem {
            mount_point: mount_point.to_owned(),
            device: device.to_owned(),
            kind: "ext4".to_owned(),
            usage: Usage { total: 100, used },
        }
    }

    #[test]
    fn each_device_is_told_once_and_of_too_many_the_fullest() {
        let empty = FileSystem { usage: Usage::default(), ..disk("/none", "none", 0) };
        let found = chosen(vec![
            disk("/var/lib/docker/bind", "/dev/sda1", 7),
            disk("/srv", "/dev/sdb1", 9),
            disk("/", "/dev/sda1", 7),
            disk("/a", "overlay", 1),
            disk("/b", "overlay", 2),
            empty,
        ]);
        let names: Vec<&str> = found.iter().map(|one| one.mount_point.as_str()).collect();
        assert_eq!(names, ["/", "/a", "/b", "/srv"]);
        let many = (0..100).map(|n| disk(&format!("/m{n:03}"), &format!("/dev/{n}"), n)).collect();
        let found = chosen(many);
        assert_eq!(found.len(), MOST);
        assert!(found.iter().all(|one| one.usage.used >= 68), "{found:?}");
    }

    #[test]
    fn a_mount_that_hangs_holds_nobody_up_and_is_told_again_once_it_answers() {
        let (release, held) = mpsc::sync_channel::<()>(0);
        let mut disks = Disks::with(Duration::from_millis(20), move || {
            held.recv().unwrap();
            vec![disk("/", "/dev/sda1", 7)]
        })
        .unwrap();
        assert_eq!(disks.look(), None);
        assert_eq!(disks.look(), None, "nobody is sent after the first");
        release.send(()).unwrap();
        disks.patience = Duration::from_secs(20);
        assert_eq!(disks.look().unwrap().len(), 1);
        let releasing = thread::spawn(move || release.send(()).unwrap());
        assert_eq!(disks.look().unwrap().len(), 1);
        releasing.join().unwrap();
    }

    #[test]
    fn this_host_has_a_disk() {
        let found = Disks::start().unwrap().look().unwrap();
        assert!(found.iter().any(|one| one.usage.used <= one.usage.total), "{found:?}");
    }
}
