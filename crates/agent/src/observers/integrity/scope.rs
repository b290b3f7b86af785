//! Which paths are watched: globs, each with all that lies below what it fits. Decides by names
//! alone, and looks at no file.

use std::path::{Component, Path};

use glob::{MatchOptions, Pattern};

/// Names that begin with a dot are names like others; a `*` ends at a slash by the splitting.
const HOW: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: false,
    require_literal_leading_dot: false,
};

/// Where a path stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Watched.
    Covered,
    /// A directory on the way to what is watched.
    OnTheWay,
    Outside,
}

/// Patterns of paths, by component.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Of whole paths.
    paths: Vec<Vec<Pattern>>,
    /// Of names, at any depth.
    names: Vec<Pattern>,
}

/// What is watched, and what of that is not.
#[derive(Debug)]
pub(super) struct Scope {
    wanted: Patterns,
    unwanted: Patterns,
}

impl Patterns {
    /// Reads patterns; `~/` stands for each of the homes, one without a slash is of names. What is no
    /// pattern was refused with the configuration and is passed over.
    pub(super) fn new(patterns: &[String], homes: &[String]) -> Self {
        let mut read = Patterns::default();
        for pattern in patterns {
            if let Some(below) = pattern.strip_prefix("~/") {
                for home in homes {
                    read.paths.push(components(&format!("{}/{below}", Pattern::escape(home))));
                }
            } else if pattern.contains('/') {
                read.paths.push(components(pattern));
            } else if let Ok(pattern) = Pattern::new(pattern) {
                read.names.push(pattern);
            }
        }
        read.paths.retain(|path| !path.is_empty());
        read
    }

    /// Whether the path or a directory above it fits.
    pub(super) fn cover(&self, path: &Path) -> bool {
        let names = names(path);
        self.names.iter().any(|pattern| names.iter().any(|name| fits(pattern, name)))
            || self.paths.iter().any(|pattern| {
                pattern.len() <= names.len()
                    && pattern.iter().zip(&names).all(|(pattern, name)| fits(pattern, name))
            })
    }

    fn lead_on(&self, path: &Path) -> bool {
        let names = names(path);
        self.paths.iter().any(|pattern| {
            pattern.len() > names.len()
                && names.iter().zip(pattern).all(|(name, pattern)| fits(pattern, name))
        })
    }
}

impl Scope {
    pub(super) fn new(wanted: &[String], unwanted: &[String], homes: &[String]) -> Self {
        let wanted: Vec<String> = wanted.iter().map(|pattern| anchored(pattern)).collect();
        Scope { wanted: Patterns::new(&wanted, homes), unwanted: Patterns::new(unwanted, homes) }
    }

    /// Whether something that is watched lies right in this directory.
    pub(super) fn ends_below(&self, directory: &Path) -> bool {
        let names = names(directory);
        let is_next = |pattern: &&Vec<Pattern>| pattern.len() == names.len() + 1;
        let fit = |pattern: &Vec<Pattern>| {
            pattern.iter().zip(&names).all(|(pattern, name)| fits(pattern, name))
        };
        self.wanted.paths.iter().filter(is_next).any(fit)
    }

    pub(super) fn place(&self, path: &Path) -> Place {
        if self.unwanted.cover(path) {
            Place::Outside
        } else if self.wanted.cover(path) {
            Place::Covered
        } else if self.wanted.lead_on(path) {
            Place::OnTheWay
        } else {
            Place::Outside
        }
    }
}

fn components(pattern: &str) -> Vec<Pattern> {
    let parts = pattern.split('/').filter(|part| !part.is_empty() && *part != ".");
    parts.filter_map(|part| Pattern::new(part).ok()).collect()
}

fn names(path: &Path) -> Vec<std::borrow::Cow<'_, str>> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy()),
            _ => None,
        })
        .collect()
}

fn fits(pattern: &Pattern, name: &str) -> bool {
    pattern.matches_with(name, HOW)
}

/// The pattern with links resolved in what stands before its last name and its first wildcard, so
/// that no link lies on the way. Asks the file system, once.
fn anchored(pattern: &str) -> String {
    let is_plain = |part: &&str| !part.contains(['*', '?', '[']);
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    let plain = parts.iter().take_while(|part| is_plain(part)).count();
    let fixed = plain.min(parts.len().saturating_sub(1));
    let (before, rest) = parts.split_at(fixed);
    if before.first() == Some(&"~") || before.is_empty() {
        return pattern.to_owned();
    }
    match std::fs::canonicalize(format!("/{}", before.join("/"))) {
        Ok(real) => match real.to_str() {
            Some(real) => format!("{}/{}", Pattern::escape(real), rest.join("/")),
            None => pattern.to_owned(),
        },
        Err(_) => pattern.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let own = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        Scope::new(
            &own(&["/no-such/etc", "/no-such/lib/*/security", "~/.ssh", "/no-such/one/file"]),
            &own(&["*.swp", "/no-such/etc/cache", "/no-such/etc/*.tmp"]),
            &own(&["/no-such/home/a[1]", "/no-such/root"]),
        )
    }

    #[test]
    fn a_path_is_covered_on_the_way_or_outside() {
        use Place::{Covered, OnTheWay, Outside};
        let scope = scope();
        for (path, place) in [
            ("/", OnTheWay),
            ("/no-such", OnTheWay),
            ("/no-such/etc", Covered),
            ("/no-such/etc/deep/er/file", Covered),
            ("/no-such/etcetera", Outside),
            ("/no-such/etc/a.swp", Outside),
            ("/no-such/etc/d.swp/file", Outside),
            ("/no-such/etc/cache/x", Outside),
            ("/no-such/etc/cached", Covered),
            ("/no-such/etc/a.tmp", Outside),
            ("/no-such/etc/deep/a.tmp", Covered),
            ("/no-such/lib", OnTheWay),
            ("/no-such/lib/arch", OnTheWay),
            ("/no-such/lib/arch/libc.so", Outside),
            ("/no-such/lib/arch/security/pam_unix.so", Covered),
            ("/no-such/home/a[1]", OnTheWay),
            ("/no-such/home/a[1]/.ssh/authorized_keys", Covered),
            ("/no-such/home/a1/.ssh/authorized_keys", Outside),
            ("/no-such/root/.sshd", Outside),
            ("/no-such/one", OnTheWay),
            ("/no-such/one/file", Covered),
            ("/no-such/one/file2", Outside),
            ("/usr", Outside),
        ] {
            assert_eq!(scope.place(Path::new(path)), place, "{path}");
        }
    }

    #[test]
    fn links_before_the_last_name_are_resolved() {
        let directory = tempfile::tempdir().unwrap();
        let real = directory.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, directory.path().join("link")).unwrap();
        let through = directory.path().join("link/file").to_str().unwrap().to_owned();
        let scope = Scope::new(&[through], &[], &[]);
        assert_eq!(scope.place(&real.canonicalize().unwrap().join("file")), Place::Covered);
    }
}
