//! Paths and globs as a person writes them: the files that they match, and where to look for more.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::MAX_OPEN;

/// The files that the patterns match now. A pattern that is no glob matches nothing.
pub fn expand(patterns: &[String]) -> BTreeSet<PathBuf> {
    patterns
        .iter()
        .filter_map(|pattern| glob::glob(pattern).ok())
        .flat_map(|found| found.flatten().take(MAX_OPEN))
        .filter(|path| path.is_file())
        .collect()
}

/// Patterns to hold paths against.
#[derive(Clone, Debug, Default)]
pub struct Patterns(Vec<glob::Pattern>);

impl Patterns {
    /// A pattern that is no glob matches nothing.
    pub fn new(patterns: &[String]) -> Self {
        Patterns(patterns.iter().filter_map(|one| glob::Pattern::new(one).ok()).collect())
    }

    /// Whether [`expand`] may find this path by one of them.
    pub fn matches(&self, path: &str) -> bool {
        let as_expanded =
            glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
        self.0.iter().any(|one| one.matches_with(path, as_expanded))
    }
}

/// The directories whose changes matter: those that may hold files, and for each pattern the last
/// one that exists before its first wildcard, where missing ones would appear.
pub(super) fn directories(patterns: &[String]) -> BTreeSet<PathBuf> {
    let mut directories = BTreeSet::new();
    for pattern in patterns {
        let is_plain = |part: &std::path::Component<'_>| {
            !part.as_os_str().as_encoded_bytes().iter().any(|byte| b"*?[".contains(byte))
        };
        let parent = Path::new(pattern).parent().unwrap_or(Path::new(""));
        let plain: PathBuf = parent.components().take_while(is_plain).collect();
        let existing = plain.ancestors().find(|ancestor| here_if_empty(ancestor).is_dir());
        directories.extend(existing.map(here_if_empty).map(Path::to_path_buf));
        let holding = parent.to_str().and_then(|parent| glob::glob(parent).ok());
        let holding = holding.into_iter().flatten().flatten().filter(|path| path.is_dir());
        directories.extend(holding.take(MAX_OPEN));
    }
    directories
}

fn here_if_empty(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
