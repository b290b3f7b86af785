//! The host that is looked at: this one, or in tests a directory that looks like one.

use std::path::PathBuf;

use bergfried_source::{expand, fingerprint};

use crate::search::{find, search_path};

/// Where things are looked for.
#[derive(Debug)]
pub(super) struct Host {
    /// `/`
    root: PathBuf,
    /// Where programs lie.
    pub(super) directories: Vec<PathBuf>,
}

/// How files that are to be read stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) readable: Vec<PathBuf>,
    pub(super) unreadable: Vec<PathBuf>,
}

impl Host {
    pub(super) fn this() -> Host {
        Host { root: PathBuf::from("/"), directories: search_path() }
    }

    #[cfg(test)]
    pub(super) fn at(root: &std::path::Path) -> Host {
        Host { root: root.to_path_buf(), directories: vec![root.join("bin")] }
    }

    /// This absolute path on the host.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    pub(super) fn has(&self, program: &str) -> bool {
        find(program, &self.directories).is_some()
    }

    /// A file of the kernel's or of the settings, where it is there and may be read.
    #[cfg(target_os = "linux")]
    pub(super) fn text(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.path(path)).ok()
    }

    /// The files that match these patterns.
    pub(super) fn files(&self, patterns: &[&str]) -> Found {
        let on_host = |pattern: &&str| self.path(pattern).to_string_lossy().into_owned();
        let patterns: Vec<String> = patterns.iter().map(on_host).collect();
        let mut found = Found::default();
        for path in expand(&patterns) {
            // The name of a directory that may not be entered matches nothing: not found, then.
            let list = if fingerprint(&path).is_ok() {
                &mut found.readable
            } else {
                &mut found.unreadable
            };
            list.push(path);
        }
        found
    }
}

/// The command after which the agent's user may read files of this group.
pub(super) fn join_group(group: &str) -> String {
    let user =
        std::env::var("USER").ok().filter(|user| user.bytes().all(|byte| byte.is_ascii_graphic()));
    format!("usermod -aG {group} {}", user.unwrap_or_else(|| "USER".to_owned()))
}

/// The first of the paths, and how many more there are.
pub(super) fn named(paths: &[PathBuf]) -> String {
    let first = paths.first().map(|path| path.display().to_string()).unwrap_or_default();
    match paths.len() {
        0 | 1 => first,
        more => format!("{first} and {} more", more - 1),
    }
}
