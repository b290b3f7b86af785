//! What differs between what was remembered of a path and what is there.

use std::path::PathBuf;

use bergfried_event::{Timestamp, Value};

use super::entry::{Entry, Kind};

/// What made it look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trigger {
    /// The first look after a start.
    Start,
    Inotify,
    /// A look at everything, or after more changed than could be told apart.
    Sweep,
}

impl Trigger {
    pub(super) fn name(self) -> &'static str {
        match self {
            Trigger::Start => "start",
            Trigger::Inotify => "inotify",
            Trigger::Sweep => "sweep",
        }
    }
}

/// A change of one path.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) path: PathBuf,
    /// Where it was before, of one that was moved.
    pub(super) from: Option<PathBuf>,
    pub(super) before: Option<Entry>,
    pub(super) after: Option<Entry>,
    pub(super) diff: Option<String>,
    pub(super) trigger: Trigger,
    /// When it was noticed.
    pub(super) at: Timestamp,
    /// Fields that say who it was, where audit knows.
    pub(super) who: Vec<(&'static str, Value<'static>)>,
    /// Whether a package manager was at work.
    pub(super) by_packages: bool,
}

impl Change {
    /// In a word; none where nothing is worth telling.
    pub(super) fn action(&self) -> Option<&'static str> {
        match (&self.before, &self.after) {
            _ if self.from.is_some() => Some("moved"),
            (None, None) => None,
            (None, Some(_)) => Some("created"),
            (Some(_), None) => Some("deleted"),
            (Some(before), Some(after)) => {
                let all = differences(before, after);
                let is_content = |what: &&str| matches!(*what, "content" | "type" | "target");
                match all.iter().any(is_content) {
                    true => Some("updated"),
                    false if all.is_empty() => None,
                    false => Some("attributes_modified"),
                }
            }
        }
    }
}

/// What differs, in words. Not told: the time of the inode, its number and its links, which change
/// by what is told otherwise, and sizes and times of directories.
pub(super) fn differences(before: &Entry, after: &Entry) -> Vec<&'static str> {
    let is_file = before.kind == Kind::File && after.kind == Kind::File;
    let (rare_before, rare_after) = (before.rare(), after.rare());
    let resized = is_file && before.size != after.size;
    let touched = is_file && before.modified != after.modified;
    let content = match (before.hash, after.hash) {
        // One that became partial, or whole, can be told by its size alone.
        (Some(_), Some(_)) if rare_before.partial != rare_after.partial => resized || touched,
        (Some(before), Some(after)) => before != after,
        // What may not be read is told by what it looks like.
        _ => resized || touched,
    };
    let flags = (rare_before.immutable, rare_before.append_only);
    [
        (before.kind != after.kind, "type"),
        (is_file && content, "content"),
        (resized, "size"),
        (rare_before.target != rare_after.target, "target"),
        (before.kind != Kind::Symlink && before.mode != after.mode, "mode"),
        (before.uid != after.uid, "uid"),
        (before.gid != after.gid, "gid"),
        (rare_before.capabilities != rare_after.capabilities, "capabilities"),
        (flags != (rare_after.immutable, rare_after.append_only), "attributes"),
        (touched, "mtime"),
    ]
    .into_iter()
    .filter_map(|(differs, what)| differs.then_some(what))
    .collect()
}

/// Makes one of a file that is gone and one that came, where these are the same file.
pub(super) fn pair(changes: &mut Vec<Change>) {
    use std::collections::HashMap;
    let mut gone: HashMap<(u64, u64), usize> = HashMap::new();
    for (index, change) in changes.iter().enumerate() {
        if let (Some(before), None) = (&change.before, &change.after) {
            gone.insert((before.device, before.inode), index);
        }
    }
    let mut paired = vec![false; changes.len()];
    for index in 0..changes.len() {
        let Some(Change { before: None, after: Some(after), .. }) = changes.get(index) else {
            continue;
        };
        let Some(other) = gone.get(&(after.device, after.inode)) else { continue };
        let Some(Change { before: Some(before), path: from, .. }) = changes.get(*other) else {
            continue;
        };
        // The number of a file that was removed is given to the next one.
        let is_same = before.kind == after.kind
            && before.hash == after.hash
            && before.modified == after.modified
            && before.size == after.size;
        if !is_same {
            continue;
        }
        let (before, from) = (before.clone(), from.clone());
        if let Some(mark) = paired.get_mut(*other) {
            *mark = true;
        }
        gone.remove(&(before.device, before.inode));
        if let Some(change) = changes.get_mut(index) {
            change.before = Some(before);
            change.from = Some(from);
            change.diff = None;
        }
    }
    let mut marks = paired.into_iter();
    changes.retain(|_| !marks.next().unwrap_or_default());
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::entry::tests::file;
    use super::super::entry::{Entry, Kind, Rare};
    use super::*;

    pub(crate) fn change(path: &str, before: Option<Entry>, after: Option<Entry>) -> Change {
        Change {
            path: PathBuf::from(path),
            from: None,
            before,
            after,
            diff: None,
            trigger: Trigger::Inotify,
            at: Timestamp::from_seconds(1),
            who: Vec::new(),
            by_packages: false,
        }
    }

    #[test]
    fn what_differs_is_named() {
        let before = file(0o644, "a");
        let unread = |entry: Entry| Entry { hash: None, ..entry };
        for (after, expected, action) in [
            (before.clone(), "", None),
            (file(0o644, "b"), "content", Some("updated")),
            (file(0o644, "bb"), "content size", Some("updated")),
            (file(0o4755, "a"), "mode", Some("attributes_modified")),
            (Entry { changed: 9, inode: 9, links: 2, ..before.clone() }, "", None),
            (Entry { modified: 9, ..before.clone() }, "mtime", Some("attributes_modified")),
            (Entry { uid: 1, gid: 2, ..before.clone() }, "uid gid", Some("attributes_modified")),
            (unread(before.clone()), "", None),
            (unread(file(0o644, "bb")), "content size", Some("updated")),
            (Entry { kind: Kind::Dir, hash: None, ..before.clone() }, "type", Some("updated")),
            (
                Entry {
                    rare: Some(Box::new(Rare { immutable: true, ..Rare::default() })),
                    ..before.clone()
                },
                "attributes",
                Some("attributes_modified"),
            ),
        ] {
            assert_eq!(differences(&before, &after).join(" "), expected);
            assert_eq!(change("/a", Some(before.clone()), Some(after)).action(), action);
        }
    }

    #[test]
    fn what_came_and_went_as_one_file_was_moved() {
        let inode = |inode, content| Entry { inode, ..file(0o644, content) };
        let mut changes = vec![
            change("/new", None, Some(inode(1, "a"))),
            change("/old", Some(inode(1, "a")), None),
            // The number was given to another file.
            change("/other-old", Some(inode(2, "a")), None),
            change("/other-new", None, Some(inode(2, "b"))),
            change("/third", None, Some(inode(3, "a"))),
        ];
        pair(&mut changes);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (change.path.to_str().unwrap(), change.action().unwrap()))
            .collect();
        let expected = [
            ("/new", "moved"),
            ("/other-old", "deleted"),
            ("/other-new", "created"),
            ("/third", "created"),
        ];
        assert_eq!(told, expected);
        assert_eq!(changes[0].from.as_deref(), Some(std::path::Path::new("/old")));
    }
}
