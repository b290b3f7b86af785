//! Samhain itself, from Debian: every message of its log is read, whatever the files are called.
//!
//! Skips with a message where it cannot be unpacked or no namespace can be made.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test says what is wrong by panicking"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use bergfried_event::SourceKind;
use bergfried_parse::{Context, parse};
use serde_json::{Value as Json, json};

/// Checks the directory `$2` against the database that it made before `$3` was run in it. Samhain's
/// own directories are empty ones that go with the namespace.
const INSIDE: &str = r#"
    set -eu
    samhain=$1 watched=$2 changes=$3
    "$samhain" --version >/dev/null
    for directory in /etc/samhain /var/lib/samhain /var/log/samhain; do
        mkdir -p "$directory"
        mount -t tmpfs tmpfs "$directory"
    done
    mount -t tmpfs tmpfs /run
    cat >/etc/samhain/samhainrc <<CONFIGURATION
[Misc]
Daemon=no
ChecksumTest=check
DigestAlgo=SHA1
[Log]
MailSeverity=none
PrintSeverity=none
LogSeverity=info
SyslogSeverity=none
ExportSeverity=none
[Utmp]
LoginCheckActive=no
[SuidCheck]
SuidCheckActive=no
[PortCheck]
PortCheckActive=no
[ProcessCheck]
ProcessCheckActive=no
[ReadOnly]
dir=$watched
CONFIGURATION
    timeout 60 "$samhain" -t init >/dev/null 2>&1
    (cd "$watched" && sh -c "$changes")
    timeout 60 "$samhain" -t check --foreground >/dev/null 2>&1
    cat /var/log/samhain/samhain.log
"#;

const CHANGES: &str = r#"
    echo more >>changed
    chmod 4755 suid
    rm removed
    : >'x>, path=<_etc_passwd>, owner_new=<eve'
    : >'two
lines'
    ln -s /etc/passwd link
"#;

fn samhain() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samhain");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/unpack-packages");
    let unpacked = Command::new(script).arg(&root).arg("samhain").output().unwrap();
    if !unpacked.status.success() {
        let reason = String::from_utf8_lossy(&unpacked.stderr);
        eprintln!("skipped: cannot unpack samhain: {}", reason.trim());
        return None;
    }
    Some(root)
}

/// Whether this user may make a namespace with mounts of its own.
fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args(["--mount", "--uts", "--ipc", "mount", "-t", "tmpfs", "tmpfs", "/run"])
        .output();
    tried.is_ok_and(|tried| tried.status.success())
}

/// What samhain logs about a directory that changes.
fn log(root: &Path, watched: &Path) -> String {
    let libraries = fs::read_dir(root.join("usr/lib")).unwrap();
    let libraries: Vec<String> =
        libraries.map(|entry| entry.unwrap().path().display().to_string()).collect();
    let ran = Command::new("unshare")
        .args(["--mount", "--uts", "--ipc", "bash", "-c", INSIDE, "samhain"])
        .args([&root.join("usr/sbin/samhain"), watched])
        .arg(CHANGES)
        .env("LD_LIBRARY_PATH", libraries.join(":"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "samhain does not run: {} {said}", ran.status);
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

#[test]
fn what_samhain_logs_is_what_changed() {
    if !may_mount() {
        eprintln!("skipped: cannot make a namespace with mounts of its own, which takes root");
        return;
    }
    let Some(root) = samhain() else { return };
    // Outside of the directories that the namespace covers.
    let watched = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samhain-watched");
    fs::remove_dir_all(&watched).unwrap_or_default();
    fs::create_dir_all(&watched).unwrap();
    for name in ["changed", "suid", "removed"] {
        fs::write(watched.join(name), "one\n").unwrap();
        fs::set_permissions(watched.join(name), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let log = log(&root, &watched);
    let context = Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "web1",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let lines = log.lines().filter(|line| !line.is_empty());
    let events: Vec<Json> = lines
        .map(|line| serde_json::to_value(parse(SourceKind::File, line, &context)).unwrap())
        .collect();
    for event in &events {
        let said = json!([event["event.module"], event["process.name"]]);
        assert_eq!(said, json!(["samhain", "samhain"]), "{event}");
    }
    let find = |name: &str, action: &str| {
        let path = watched.join(name).display().to_string();
        let is_it = |event: &&Json| {
            event["event.action"] == action && event["file.path"].as_str() == Some(&path)
        };
        events.iter().find(is_it).unwrap_or_else(|| panic!("no {action} of {name} in {log}"))
    };
    // Its times change too, unless all happens within a second.
    let changed = find("changed", "updated")["samhain.changed"].as_array().unwrap();
    assert!(["checksum", "size"].iter().all(|word| changed.contains(&json!(word))), "{changed:?}");
    assert_eq!(find("suid", "attributes_modified")["file.mode"], "-rwsr-xr-x");
    assert_eq!(find("removed", "deleted")["samhain.size_old"], "4");
    let odd = find("x>, path=<_etc_passwd>, owner_new=<eve", "created");
    assert_ne!(odd["file.owner"], "eve");
    assert_eq!(find("two\nlines", "created")["file.size"], 0);
    assert_eq!(find("link", "created")["file.target_path"], "/etc/passwd");
    assert!(events.iter().any(|event| event["event.action"] == "log-signature"));
    fs::remove_dir_all(&watched).unwrap();
}
