//! Paths of an event: which of them it is about, and where they lead.

use std::borrow::Cow;

use crate::group::{Group, PathRecord};

/// The path of the file that the event is about: one that it made, else one that it removed, else
/// the first that it used; never the directory that holds it.
pub(crate) fn object<'g, 'a>(group: &'g Group<'a>) -> Option<&'g PathRecord<'a>> {
    let of = |kind: &str| group.paths.iter().find(|path| path.kind == kind && path.name.is_some());
    let used = |path: &&PathRecord<'_>| path.kind != "PARENT" && path.name.is_some();
    // What is mounted comes before the place where it is mounted.
    let is_mount = group.syscall.as_deref() == Some("mount");
    let place = group.paths.get(1).filter(used).filter(|_| is_mount);
    of("CREATE").or_else(|| of("DELETE")).or(place).or_else(|| group.paths.iter().find(used))
}

/// The whole path of a name, in the working directory of the event where it is relative; the name as
/// it is where it is relative to another directory, which no record names.
///
/// The kernel writes names as the program gave them: `/etc//shadow` and `/tmp/../etc/shadow` are brought
/// into the form by which rules know them. Links on the way are not known here.
pub(crate) fn absolute<'a>(name: &Cow<'a, str>, group: &Group<'a>) -> Cow<'a, str> {
    if name.starts_with('/') && is_roundabout(name) {
        return Cow::Owned(joined("", name));
    }
    if name.starts_with('/') || name.is_empty() || !from_working_directory(group) {
        return name.clone();
    }
    match group.cwd.as_deref() {
        Some(cwd) if cwd.starts_with('/') => Cow::Owned(joined(cwd, name)),
        _ => name.clone(),
    }
}

/// Whether parts of a path are empty, `.` or `..`, but for the end of a directory's.
fn is_roundabout(path: &str) -> bool {
    let odd = |(at, _)| {
        let rest = path.get(at + 1..).unwrap_or_default();
        let rest = rest.strip_prefix("..").or_else(|| rest.strip_prefix('.')).unwrap_or(rest);
        rest.starts_with('/') || (rest.is_empty() && !path.ends_with('/'))
    };
    path.match_indices('/').any(odd)
}

fn joined(directory: &str, name: &str) -> String {
    let mut path = String::with_capacity(directory.len() + name.len() + 1);
    for part in directory.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => path.truncate(path.rfind('/').unwrap_or(0)),
            part => {
                path.push('/');
                path.push_str(part);
            }
        }
    }
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Whether names are relative to the working directory: calls that take a descriptor of a directory
/// have AT_FDCWD (-100) there then (openat(2)).
fn from_working_directory(group: &Group<'_>) -> bool {
    let descriptors: &[&str] = match group.syscall.as_deref().unwrap_or_default() {
        "openat" | "openat2" | "mkdirat" | "mknodat" | "fchownat" | "fchmodat" | "fchmodat2"
        | "unlinkat" | "faccessat" | "faccessat2" | "newfstatat" | "fstatat64" | "futimesat"
        | "utimensat" | "readlinkat" | "execveat" | "name_to_handle_at" | "statx" => &["a0"],
        "renameat" | "renameat2" | "linkat" => &["a0", "a2"],
        "symlinkat" => &["a1"],
        _ => &[],
    };
    let is_working_directory = |digits: &str| matches!(digits, "ffffff9c" | "ffffffffffffff9c");
    descriptors.iter().all(|name| group.datum(name).is_none_or(is_working_directory))
}

/// What kind of file a mode is of (`S_IFMT` of inode(7)).
pub(crate) fn kind_of(mode: u32) -> &'static str {
    match mode & 0o170_000 {
        0o040_000 => "directory",
        0o020_000 => "character-device",
        0o060_000 => "block-device",
        0o010_000 => "named-pipe",
        0o120_000 => "symlink",
        0o140_000 => "socket",
        _ => "file",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_brought_into_one_form() {
        for (name, path) in [
            ("/etc/shadow", "/etc/shadow"),
            ("/etc/", "/etc/"),
            ("/", "/"),
            ("//etc/shadow", "/etc/shadow"),
            ("/etc//shadow", "/etc/shadow"),
            ("/etc/./shadow", "/etc/shadow"),
            ("/tmp/../etc/shadow", "/etc/shadow"),
            ("/etc/ssh/..", "/etc"),
            ("/etc/.", "/etc"),
            ("/etc//", "/etc"),
            ("/home/a/.ssh/..x/.y", "/home/a/.ssh/..x/.y"),
            ("/a.../b./c..", "/a.../b./c.."),
        ] {
            assert_eq!(absolute(&Cow::Borrowed(name), &Group::default()), path);
        }
    }

    #[test]
    fn names_are_joined_with_the_working_directory() {
        for (directory, name, path) in [
            ("/home/a", "x", "/home/a/x"),
            ("/", "x", "/x"),
            ("/home/a/", "./x/../y", "/home/a/y"),
            ("/home/a", "../../../etc/shadow", "/etc/shadow"),
            ("/", "..", "/"),
        ] {
            assert_eq!(joined(directory, name), path);
        }
    }
}
