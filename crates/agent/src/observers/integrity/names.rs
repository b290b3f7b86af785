//! Names of users and groups, and the homes, as this host's own files have them.

use std::collections::BTreeMap;
use std::fs;
use std::time::SystemTime;

/// The most lines of either file that are read.
const MOST: usize = 100_000;
const USERS: &str = "/etc/passwd";
const GROUPS: &str = "/etc/group";

/// Names by number; read again when a file changed. Users of a directory service are not known.
#[derive(Debug, Default)]
pub(super) struct Names {
    users: BTreeMap<u32, String>,
    groups: BTreeMap<u32, String>,
    read: [Option<SystemTime>; 2],
}

impl Names {
    /// Reads what changed.
    pub(super) fn refresh(&mut self) {
        let changed =
            [USERS, GROUPS].map(|path| fs::metadata(path).and_then(|file| file.modified()).ok());
        if changed != self.read {
            self.users = fs::read_to_string(USERS).map(|text| numbers(&text)).unwrap_or_default();
            self.groups = fs::read_to_string(GROUPS).map(|text| numbers(&text)).unwrap_or_default();
            self.read = changed;
        }
    }

    pub(super) fn user(&self, id: u32) -> Option<&str> {
        self.users.get(&id).map(String::as_str)
    }

    pub(super) fn group(&self, id: u32) -> Option<&str> {
        self.groups.get(&id).map(String::as_str)
    }
}

fn numbers(text: &str) -> BTreeMap<u32, String> {
    let entries = text.lines().take(MOST).filter_map(|line| {
        let mut parts = line.split(':');
        Some((parts.next()?.to_owned(), parts.nth(1)?.parse().ok()?))
    });
    // Of several names of one number the first counts, as for getpwuid(3).
    entries.fold(BTreeMap::new(), |mut names, (name, id)| {
        names.entry(id).or_insert(name);
        names
    })
}

/// The homes of this host's users, links resolved.
pub(super) fn homes() -> Vec<String> {
    let text = fs::read_to_string(USERS).unwrap_or_default();
    homes_in(&text).iter().map(|home| resolved(home)).collect()
}

fn resolved(home: &str) -> String {
    let real = fs::canonicalize(home).ok();
    real.and_then(|real| real.to_str().map(str::to_owned)).unwrap_or_else(|| home.to_owned())
}

/// Homes as an account file names them: those of people, of root, and of services with one below
/// /home, /srv, /opt or /var/lib.
fn homes_in(passwd: &str) -> Vec<String> {
    let mut homes = vec!["/root".to_owned()];
    for line in passwd.lines().take(MOST) {
        let Some(home) = line.split(':').nth(5) else { continue };
        let home = home.trim_end_matches('/');
        let is_home = ["/home/", "/srv/", "/opt/", "/var/lib/", "/var/home/", "/data/", "/export/"]
            .iter()
            .any(|above| home.starts_with(above));
        if is_home && !home.contains("/../") {
            homes.push(home.to_owned());
        }
    }
    homes.sort();
    homes.dedup();
    homes
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/root:/bin/sh\n\
        daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nnobody:x:65534:65534::/nonexistent:\n\
        eve:x:1001:1001::/home/eve/:/bin/sh\ntorn\nx:y:z\npg:x:105:1::/var/lib/postgresql:/bin/sh\n";

    #[test]
    fn names_and_homes_are_read() {
        let names = numbers(PASSWD);
        assert_eq!(names.get(&0).map(String::as_str), Some("root"));
        assert_eq!(names.len(), 5);
        assert_eq!(homes_in(PASSWD), ["/home/eve", "/root", "/var/lib/postgresql"]);
    }
}
