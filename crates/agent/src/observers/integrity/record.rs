//! A change as a record: one JSON object of ECS fields.

use std::path::Path;

use bergfried_event::{Timestamp, Value};
use serde_json::json;

use super::change::{Change, differences};
use super::entry::{Entry, Kind};
use super::names::Names;
use crate::observers::record::Record;

const MODULE: &str = "file_integrity";

/// The record of a change; none where it is not worth telling.
pub(super) fn of(change: &Change, names: &Names) -> Option<Record> {
    let action = change.action()?;
    let kind = change.after.as_ref().or(change.before.as_ref()).map(|entry| entry.kind)?;
    let mut more = Vec::new();
    let mut put = |name: &str, value: serde_json::Value| more.push((name.to_owned(), value));
    let event_type = match action {
        "created" => "creation",
        "deleted" => "deletion",
        _ => "change",
    };
    put("file.path", shown(&change.path).into());
    let name = change.path.file_name().map(Path::new).map(shown);
    put("file.name", name.into());
    put("file.type", kind.name().into());
    put("file_integrity.trigger", change.trigger.name().into());
    if let Some(from) = &change.from {
        put("file_integrity.before.path", shown(from).into());
    }
    if let Some(diff) = change.diff.as_deref().filter(|diff| !diff.is_empty()) {
        put("file_integrity.diff", diff.into());
    }
    if change.by_packages {
        put("tags", json!(["package_manager"]));
    }
    let both = change.before.as_ref().zip(change.after.as_ref());
    let differing = both.map(|(before, after)| differences(before, after)).unwrap_or_default();
    if !differing.is_empty() {
        put("file_integrity.changed", json!(differing));
    }
    let privileges =
        |entry: &Option<Entry>| entry.as_ref().map(Entry::privileges).unwrap_or_default();
    let (had, has) = (privileges(&change.before), privileges(&change.after));
    let only = |of: &[String], other: &[String]| -> Vec<String> {
        of.iter().filter(|one| !other.contains(one)).cloned().collect()
    };
    if change.after.is_some() {
        for (name, list) in [("gained", only(&has, &had)), ("lost", only(&had, &has))] {
            if !list.is_empty() {
                put(&format!("file_integrity.{name}"), json!(list));
            }
        }
    }
    // Of a file that is gone, what it was stands where a rule looks for it.
    if let Some(entry) = change.after.as_ref().or(change.before.as_ref()) {
        fields("file", entry, names, &mut put);
    }
    if let Some((before, _)) = both {
        fields("file_integrity.before", before, names, &mut put);
    }
    for (name, value) in &change.who {
        put(name, to_json(value));
    }
    let message = sentence(change, action, kind, &differing);
    let record = Record::new(MODULE, ("file", event_type), action, message, change.at);
    Some(more.into_iter().fold(record, |record, (name, value)| record.with(&name, value)))
}

/// A record about the watch itself.
pub(super) fn note(action: &str, message: &str, at: Timestamp) -> Record {
    Record::new(MODULE, ("file", "info"), action, message.to_owned(), at)
}

fn fields(under: &str, entry: &Entry, names: &Names, put: &mut dyn FnMut(&str, serde_json::Value)) {
    let mut put = |name: &str, value: serde_json::Value| put(&format!("{under}.{name}"), value);
    put("mode", format!("{:04o}", entry.mode).into());
    put("uid", entry.uid.to_string().into());
    put("gid", entry.gid.to_string().into());
    if let Some(name) = names.user(entry.uid) {
        put("owner", name.into());
    }
    if let Some(name) = names.group(entry.gid) {
        put("group", name.into());
    }
    put("inode", entry.inode.to_string().into());
    put("mtime", time(entry.modified).into());
    put("ctime", time(entry.changed).into());
    if entry.kind == Kind::File {
        put("size", entry.size.into());
        if entry.links > 1 {
            put("links", entry.links.into());
        }
    }
    if let Some(hash) = entry.hash {
        put("hash.blake3", hash.to_string().into());
    }
    let rare = entry.rare();
    if let Some(target) = &rare.target {
        put("target_path", target.as_str().into());
    }
    if !rare.capabilities.is_empty() {
        put("capabilities", json!(rare.capabilities));
    }
    let attributes = [(rare.immutable, "immutable"), (rare.append_only, "append_only")];
    let set: Vec<&str> =
        attributes.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
    if !set.is_empty() {
        put("attributes", json!(set));
    }
    if rare.partial {
        put("hash.partial", true.into());
    }
}

fn sentence(change: &Change, action: &str, kind: Kind, differing: &[&str]) -> String {
    let kind = match kind {
        Kind::Dir => "directory",
        Kind::Symlink => "link",
        other => other.name(),
    };
    let path = shown(&change.path);
    match (action, &change.from) {
        ("moved", Some(from)) => format!("{kind} {} was moved to {path}", shown(from)),
        ("updated" | "attributes_modified", _) => {
            format!("{kind} {path} was changed: {}", differing.join(", "))
        }
        _ => format!("{kind} {path} was {action}"),
    }
}

/// A path as text; one that is none with its bytes escaped.
pub(super) fn shown(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_owned(),
        None => path.as_os_str().as_encoded_bytes().escape_ascii().to_string(),
    }
}

fn time(nanos: i64) -> String {
    Timestamp::from_micros(nanos.div_euclid(1_000)).to_string()
}

fn to_json(value: &Value<'_>) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::change::tests::change;
    use super::super::entry::tests::file;
    use super::*;

    fn told(change: &Change) -> serde_json::Value {
        serde_json::from_slice(&of(change, &Names::default()).unwrap().observed("").raw).unwrap()
    }

    #[test]
    fn a_change_is_told_with_what_was_before() {
        let mut changed = change("/etc/x", Some(file(0o644, "a")), Some(file(0o4755, "bb")));
        changed.diff = Some("@@\n-a\n+bb\n".to_owned());
        changed.who = vec![("user.name", Value::from("eve"))];
        changed.by_packages = true;
        let told = told(&changed);
        for (name, value) in [
            ("@timestamp", json!("1970-01-01T00:00:01Z")),
            ("event.module", json!("file_integrity")),
            ("event.action", json!("updated")),
            ("event.type", json!(["change"])),
            ("file.path", json!("/etc/x")),
            ("file.mode", json!("4755")),
            ("file.size", json!(2)),
            ("file_integrity.before.mode", json!("0644")),
            ("file_integrity.before.size", json!(1)),
            ("file_integrity.changed", json!(["content", "size", "mode"])),
            ("file_integrity.gained", json!(["setuid", "executable"])),
            ("file_integrity.diff", json!("@@\n-a\n+bb\n")),
            ("user.name", json!("eve")),
            ("tags", json!(["package_manager"])),
            ("message", json!("file /etc/x was changed: content, size, mode")),
        ] {
            assert_eq!(told[name], value, "{name} of {told:#}");
        }
        assert_eq!(told.get("file_integrity.lost"), None);
    }

    #[test]
    fn what_came_went_and_moved_is_told() {
        let entry = || Some(file(0o644, "a"));
        let made = told(&change("/etc/a b", None, entry()));
        assert_eq!(made["message"], "file /etc/a b was created");
        assert_eq!(made["event.type"], json!(["creation"]));
        let gone = told(&change("/etc/a", entry(), None));
        assert_eq!(gone["message"], "file /etc/a was deleted");
        assert_eq!(gone["file.mode"], "0644");
        assert_eq!(gone.get("file_integrity.before.mode"), None);
        let mut moved = change("/etc/b", entry(), entry());
        moved.from = Some("/etc/a".into());
        let moved = told(&moved);
        assert_eq!(moved["message"], "file /etc/a was moved to /etc/b");
        assert_eq!(moved["file_integrity.before.path"], "/etc/a");
        assert!(of(&change("/etc/a", entry(), entry()), &Names::default()).is_none());
    }
}
