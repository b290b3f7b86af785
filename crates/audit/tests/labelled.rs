//! Records and events whose meaning somebody else has written down: every item of it is compared.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what is wrong so")]

use std::path::Path;

use bergfried_event::Timestamp;
use serde_json::{Map, Value};

/// Where the items of a record are in our events; the others are `auditd.data.*`.
fn home(item: &str) -> Option<&'static str> {
    Some(match item {
        "auid" => "user.audit.id",
        "uid" => "user.id",
        "gid" => "group.id",
        "euid" => "user.effective.id",
        "suid" => "user.saved.id",
        "fsuid" => "user.filesystem.id",
        "egid" => "user.effective.group.id",
        "sgid" => "user.saved.group.id",
        "fsgid" => "user.filesystem.group.id",
        "pid" => "process.pid",
        "ppid" => "process.parent.pid",
        "comm" => "process.name",
        "exe" => "process.executable",
        "cwd" => "process.working_directory",
        "tty" => "process.tty",
        "ses" => "auditd.session",
        "syscall" => "auditd.syscall",
        "exit" => "auditd.exit",
        "key" => "auditd.key",
        "name" => "file.path",
        "inode" => "file.inode",
        "dev" => "file.device",
        "ouid" => "file.uid",
        "ogid" => "file.gid",
        _ => return None,
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

struct Compared<'f> {
    found: &'f Map<String, Value>,
    name: String,
    wrong: Vec<String>,
}

impl Compared<'_> {
    fn same(&mut self, field: &str, expected: &str) {
        let found = self.found.get(field).map(text);
        if found.as_deref() != Some(expected) {
            self.wrong.push(format!("{}: {field} is {found:?}, not {expected}", self.name));
        }
    }

    fn data(&mut self, data: &Value) {
        for (item, expected) in data.as_object().unwrap() {
            let expected = text(expected);
            if item == "result" {
                let outcome = if expected == "fail" { "failure" } else { &expected };
                self.same("event.outcome", outcome);
                continue;
            }
            let own = format!("auditd.data.{item}");
            match home(item) {
                // The file of a security module's record is beside the one that the call was about.
                // A login is about the account: the number of the daemon's user is under its name.
                Some(home) if !self.found.contains_key(&own) => self.same(home, &expected),
                _ => self.same(&own, &expected),
            }
        }
    }
}

#[test]
fn every_item_of_the_labelled_sample_is_found() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/corpora/labelled_sample/auditd.jsonl"))
        .find(|path| path.exists());
    let Some(path) = path else {
        eprintln!("skipped: no labelled sample beside the checkout");
        return;
    };
    let mut wrong = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let item: Value = serde_json::from_str(line).unwrap();
        let lines: Vec<&str> = match item["kind"].as_str().unwrap() {
            "record" => vec![item["line"].as_str().unwrap()],
            _ => item["lines"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect(),
        };
        let group = lines.join("\n");
        let event = bergfried_audit::parse(&group, Timestamp::from_seconds(0), "h");
        let found = serde_json::to_value(&event).unwrap();
        let expect = &item["expect"];
        let mut compared = Compared {
            found: found.as_object().unwrap(),
            name: item["src"].as_str().unwrap().to_owned(),
            wrong: Vec::new(),
        };
        let stamp: Timestamp = expect["timestamp"].as_str().unwrap().parse().unwrap();
        compared.same("@timestamp", &stamp.to_string());
        compared.same("event.sequence", &text(&expect["sequence"]));
        let types = text(&found["auditd.record_types"]).to_lowercase();
        assert_eq!(types.split(',').next(), expect["record_type"].as_str());
        compared.data(&expect["data"]);
        event_items(&mut compared, expect);
        wrong.append(&mut compared.wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn event_items(compared: &mut Compared<'_>, expect: &Value) {
    for (item, field) in [
        ("/category", "auditd.category"),
        ("/session", "auditd.session"),
        ("/summary/action", "event.action"),
        ("/summary/how", "auditd.summary.how"),
        ("/summary/actor/primary", "auditd.summary.actor.primary"),
        ("/summary/actor/secondary", "auditd.summary.actor.secondary"),
        ("/summary/object/type", "auditd.summary.object.type"),
        ("/summary/object/primary", "auditd.summary.object.primary"),
        ("/summary/object/secondary", "auditd.summary.object.secondary"),
        ("/user/selinux/user", "user.selinux.user"),
        ("/user/selinux/role", "user.selinux.role"),
        ("/user/selinux/domain", "user.selinux.domain"),
        ("/user/selinux/level", "user.selinux.level"),
        ("/process/pid", "process.pid"),
        ("/process/ppid", "process.parent.pid"),
        ("/process/title", "process.title"),
        ("/process/name", "process.name"),
        ("/process/exe", "process.executable"),
        ("/process/cwd", "process.working_directory"),
        ("/ecs/event/kind", "event.kind"),
        ("/ecs/event/category", "event.category"),
        ("/ecs/event/type", "event.type"),
    ] {
        if let Some(expected) = expect.pointer(item) {
            compared.same(field, &text(expected));
        }
    }
    if let Some(ids) = expect.pointer("/user/ids").and_then(Value::as_object) {
        for (id, expected) in ids {
            compared.same(home(id).unwrap(), &text(expected));
        }
    }
    if let Some(result) = expect["result"].as_str() {
        let outcome = if result == "fail" { "failure" } else { result };
        compared.same("event.outcome", outcome);
    }
    if let Some(paths) = expect["paths"].as_array() {
        let names: Vec<String> =
            paths.iter().filter_map(|path| path.get("name")).map(text).collect();
        compared.same("auditd.paths", &names.join(","));
    }
}
