//! Whether a package manager is at work: it holds its lock, or wrote its database a moment ago.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

/// What the package managers of Linux write whenever they install or remove something.
const DATABASES: &[&str] = &[
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/updates",
    "/var/lib/dpkg/info",
    "/var/lib/rpm",
    "/var/lib/rpm/rpmdb.sqlite-wal",
    "/usr/lib/sysimage/rpm",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite-wal",
    "/var/lib/pacman/local",
    "/lib/apk/db",
];
/// What they lock meanwhile.
const LOCKS: &[&str] = &[
    "/var/lib/dpkg/lock",
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/rpm/.rpm.lock",
    "/usr/lib/sysimage/rpm/.rpm.lock",
    "/lib/apk/db/lock",
];
const LATELY: Duration = Duration::from_secs(60);

/// Whether one holds its lock, or changed its database within the last minute.
pub(super) fn are_changing(now: SystemTime) -> bool {
    let is_recent_one = |path: &&str| {
        let modified = fs::metadata(path).and_then(|database| database.modified());
        modified.is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age < LATELY))
    };
    DATABASES.iter().any(is_recent_one) || {
        let inodes = LOCKS.iter().filter_map(|path| fs::metadata(path).ok()).map(|lock| lock.ino());
        let inodes: Vec<u64> = inodes.collect();
        !inodes.is_empty()
            && fs::read_to_string("/proc/locks")
                .is_ok_and(|held| is_locked(&held, &inodes, &is_of_root))
    }
}

/// Whether a process of root locked one of these inodes for writing, by the text of `/proc/locks`
/// (proc(5)).
///
/// Anybody may lock a file of his own that has the same number on another file system. Devices are not
/// compared, as those of btrfs differ between `/proc/locks` and stat(2).
fn is_locked(held: &str, inodes: &[u64], is_of_root: &dyn Fn(&str) -> bool) -> bool {
    held.lines().any(|line| {
        let mut words = line.split_ascii_whitespace().skip_while(|word| *word != "WRITE").skip(1);
        // The process, then major and minor number of the device in hex and the inode.
        let (Some(process), Some(place)) = (words.next(), words.next()) else { return false };
        let inode = place.rsplit(':').next().and_then(|inode| inode.parse::<u64>().ok());
        inode.is_some_and(|inode| inodes.contains(&inode)) && is_of_root(process)
    })
}

/// Whether a process runs as root, by its status: who owns its folder says nothing of one that hides
/// its memory.
fn is_of_root(process: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    users.and_then(|users| users.split_ascii_whitespace().nth(1)) == Some("0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_found_by_its_inode() {
        let held = "1: POSIX  ADVISORY  WRITE 1047 fd:01:4711 1073741826 1073742335\n\
                    2: FLOCK  ADVISORY  READ 1047 00:1b:815 0 EOF\n\
                    2: -> POSIX  ADVISORY  WRITE 9 00:1b:816 0 EOF\n\
                    3: FLOCK  ADVISORY  WRITE 666 00:1c:817 0 EOF\n\
                    4: OFDLCK ADVISORY  WRITE -1 00:1c:818 0 EOF\n\
                    torn WRITE a:b:c\n";
        let is_of_root = |process: &str| matches!(process, "1047" | "9");
        for (inode, expected) in
            [(4711, true), (815, false), (816, true), (1047, false), (817, false), (818, false)]
        {
            assert_eq!(is_locked(held, &[1, inode], &is_of_root), expected, "{inode}");
        }
    }

    #[test]
    fn a_process_of_root_is_known_by_its_status() {
        let own = std::process::id().to_string();
        assert_eq!(is_of_root(&own), rustix::process::geteuid().is_root());
        assert!(is_of_root("1") && !is_of_root("-1") && !is_of_root("0"));
    }
}
