//! What will be watched, in words.

use std::path::Path;

use bergfried_source::{expand, fingerprint, journal_present};

use crate::config::{Config, Journald};

/// A source, and whether there is anything to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedSource {
    /// The path, glob or `journal`.
    pub name: String,
    /// Whether it is there now. Files that are missing are picked up when they appear.
    pub present: bool,
    /// One plain sentence.
    pub sentence: String,
}

/// Everything that the agent will watch, and what it would watch if it were there.
pub fn plan(config: &Config) -> Vec<WatchedSource> {
    let journal = match (config.journald, journal_present(&config.journal_options())) {
        (Journald::Off, _) => (false, "is not watched: journald is off".to_owned()),
        (_, Ok(())) => (true, "is watched".to_owned()),
        (Journald::Auto, Err(reason)) => (false, format!("is not watched: {reason}")),
        (Journald::On, Err(reason)) => (false, format!("is waited for: {reason}")),
    };
    let mut sources = vec![WatchedSource {
        name: "journal".to_owned(),
        present: journal.0,
        sentence: format!("the systemd journal {}", journal.1),
    }];
    for pattern in config.patterns() {
        sources.push(watched_file(&pattern));
    }
    sources.extend(config.audit.socket.as_deref().map(audit_socket));
    sources
}

/// Whether the agent follows the journal.
pub(crate) fn follows_journal(config: &Config) -> bool {
    match config.journald {
        Journald::On => true,
        Journald::Off => false,
        Journald::Auto => journal_present(&config.journal_options()).is_ok(),
    }
}

fn audit_socket(path: &Path) -> WatchedSource {
    let name = path.display().to_string();
    let present = is_socket(path);
    let sentence = if present {
        format!("{name} is connected to")
    } else {
        format!("{name} is no socket yet, it is tried again and again")
    };
    WatchedSource { name, present, sentence }
}

#[cfg(unix)]
fn is_socket(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|about| about.file_type().is_socket())
}

#[cfg(not(unix))]
fn is_socket(_path: &Path) -> bool {
    false
}

fn watched_file(pattern: &str) -> WatchedSource {
    let found = expand(&[pattern.to_owned()]);
    let unreadable = found.iter().filter(|path| fingerprint(path).is_err()).count();
    let is_glob = pattern.contains(['*', '?', '[']);
    let sentence = match (found.len(), unreadable) {
        (0, _) if is_glob => {
            format!("no file matches {pattern} yet, those that appear are watched")
        }
        (0, _) if Path::new(pattern).exists() => format!("{pattern} is no regular file"),
        (0, _) => format!("{pattern} does not exist, it is watched once it appears"),
        (_, 0) if !is_glob => format!("{pattern} is watched"),
        (files, 0) => format!("{files} files that match {pattern} are watched"),
        (files, bad) => format!("{bad} of {files} files at {pattern} may not be read by this user"),
    };
    WatchedSource { name: pattern.to_owned(), present: found.len() > unreadable, sentence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn each_source_is_told_in_a_sentence() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("a.log"), "").unwrap();
        std::fs::write(path("b.log"), "").unwrap();
        let mut config = Config::for_hub("http://h", Secret::new("t"), directory.path());
        config.journal_directory = Some(directory.path().to_path_buf());
        config.audit.files.clear();
        config.files = vec![path("a.log"), path("*.log"), path("c.log"), path("*.txt"), path("")];
        config.audit.socket = Some(path("d.socket").into());
        let told: Vec<(bool, String)> = plan(&config)
            .into_iter()
            .map(|source| (source.present, source.sentence.replace(&path(""), "")))
            .collect();
        let journal = told[0].1.clone();
        assert!(journal.starts_with("the systemd journal is not watched: there "), "{journal}");
        let expected = [
            (true, "a.log is watched"),
            (true, "2 files that match *.log are watched"),
            (false, "c.log does not exist, it is watched once it appears"),
            (false, "no file matches *.txt yet, those that appear are watched"),
            (false, " is no regular file"),
            (false, "d.socket is no socket yet, it is tried again and again"),
        ];
        assert_eq!(told[1..], expected.map(|(present, text)| (present, text.to_owned())));
    }
}
