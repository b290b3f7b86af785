use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::*;
use crate::config::Journald;
use crate::secret::Secret;

fn config(directory: &Path) -> Config {
    let mut config = Config::for_hub("http://h", Secret::new("t"), directory);
    config.journald = Journald::Off;
    config
}

fn host(files: &[&str], programs: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("bin")).unwrap();
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "1\n").unwrap();
    }
    for (name, script) in programs {
        let path = root.path().join("bin").join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    root
}

fn row(rows: &[Source], name: &str) -> (State, String, Option<String>) {
    let row = rows.iter().find(|row| row.source == name).unwrap_or_else(|| panic!("no {name}"));
    (row.state, row.detail.clone(), row.fix.clone())
}

/// What the agent brings itself, and the journal, which the configuration here leaves out.
const OURS: [&str; 4] = ["log tamper", "file integrity", "host status", "journal"];

#[test]
fn auditds_socket_stands_in_place_of_its_log() {
    let root = host(&["run/events"], &[]);
    let mut config = config(root.path());
    config.audit.files.clear();
    for (path, state) in [("/run/events", State::Collected), ("/run/none", State::Missing)] {
        config.audit.socket = Some(path.into());
        let (found, detail, _) = row(&rows(&Host::at(root.path()), &config), "auditd");
        assert!(found == state && detail.contains(path), "{found:?} {detail}");
    }
}

#[test]
fn files_of_the_configuration_that_are_not_there_are_named() {
    let root = host(&[], &[]);
    let mut config = config(root.path());
    config.files = vec!["/srv/app/*.log".to_owned()];
    let (state, detail, fix) = row(&rows(&Host::at(root.path()), &config), "log files");
    assert_eq!(
        (state, detail.as_str()),
        (State::Missing, "nothing is there yet of /srv/app/*.log")
    );
    assert!(fix.unwrap().contains("`files`"));
}

#[test]
fn an_empty_host_is_told_what_would_help() {
    let root = host(&[], &[]);
    let rows = rows(&Host::at(root.path()), &config(root.path()));
    let names: Vec<&str> = rows.iter().map(|row| row.source).collect();
    let expected = [
        "auditd",
        "audit rules",
        "journal",
        "log files",
        "netfilter log",
        "firewall",
        "log tamper",
        "file integrity",
        "host status",
        "network policy",
        "Pi-hole",
        "Falco",
        "Samhain",
        "Suricata",
        "Snort",
        "rsnapshot",
        "OpenVPN",
        "fail2ban",
        "Docker",
    ];
    assert_eq!(names, expected);
    for name in expected.iter().filter(|name| !OURS.contains(name)) {
        let (state, detail, fix) = row(&rows, name);
        assert_eq!(state, State::Missing, "{name}: {detail}");
        assert!(fix.is_some(), "{name}: {detail}");
    }
    assert_eq!(row(&rows, "journal").0, State::Off);
    let (_, detail, fix) = row(&rows, "auditd");
    assert_eq!(detail, "auditd is not installed");
    assert!(fix.unwrap().contains("audit"));
    let text = table(&rows);
    assert!(text.contains("- auditd              missing    auditd is not installed\n"), "{text}");
    assert!(text.lines().all(|line| !line.ends_with(' ')));
}

#[test]
fn a_host_that_has_all_of_it_is_told_so() {
    let files = [
        "var/log/audit/audit.log",
        "var/log/auth.log",
        "var/log/kern.log",
        "var/log/falco.log",
        "var/log/samhain/samhain.log",
        "var/log/suricata/eve.json",
        "var/log/fail2ban.log",
        "var/log/rsnapshot.log",
        "var/log/openvpn/openvpn.log",
        "var/log/snort/alert",
        "var/log/httpd/error_log",
        "var/log/nginx/access.log",
    ];
    let programs = [
        ("apache2", ""),
        ("auditd", ""),
        ("auditctl", "echo '-w /etc/passwd -p wa -k bergfried-identity'"),
        ("ufw", "echo Status: active"),
        ("nft", "echo 'Operation not permitted' >&2; exit 1"),
        ("dockerd", ""),
    ];
    let root = host(&files, &programs);
    for (path, text) in [("etc/ufw", "LOGLEVEL=off\n"), ("proc/sys/fs/inotify", "100\n")] {
        fs::create_dir_all(root.path().join(path)).unwrap();
        let name = if path == "etc/ufw" { "ufw.conf" } else { "max_user_watches" };
        fs::write(root.path().join(path).join(name), text).unwrap();
    }
    let rows = rows(&Host::at(root.path()), &config(root.path()));
    for name in [
        "auditd",
        "audit rules",
        "log files",
        "firewall: ufw",
        "log tamper",
        "network policy",
        "Falco",
        "Samhain",
        "Suricata",
        "Snort",
        "rsnapshot",
        "OpenVPN",
        "fail2ban",
        "Docker",
        "nginx",
        "Apache",
    ] {
        assert_eq!(row(&rows, name).0, State::Collected, "{:?}", row(&rows, name));
    }
    assert_eq!(row(&rows, "audit rules").1, "1 rules of Bergfried's are loaded");
    assert_eq!(row(&rows, "netfilter log").2.as_deref(), Some("ufw logging low"));
    let (state, detail, fix) = row(&rows, "firewall: nftables");
    assert_eq!(
        (state, detail.as_str()),
        (State::Unreadable, "nft ended with 1: Operation not permitted")
    );
    assert!(fix.unwrap().contains("nft -s list ruleset"));
    let (state, _, fix) = row(&rows, "file integrity");
    assert_eq!(state, State::Partly);
    assert!(fix.unwrap().starts_with("sysctl -w fs.inotify.max_user_watches="));
}

#[test]
fn what_the_configuration_leaves_out_is_off() {
    let root = host(&["var/log/app\u{1b}[2J.log"], &[]);
    let mut config = config(root.path());
    config.firewall.enabled = false;
    config.tamper.enabled = false;
    config.status.enabled = false;
    config.integrity = None;
    config.audit.files.clear();
    config.files = vec!["/var/log/app*.log".to_owned()];
    let rows = rows(&Host::at(root.path()), &config);
    for name in ["auditd", "journal", "firewall", "log tamper", "file integrity", "host status"] {
        assert_eq!(row(&rows, name).0, State::Off, "{name}");
        assert!(row(&rows, name).2.is_some(), "{name}");
    }
    assert_eq!(row(&rows, "log files").0, State::Collected);
    assert!(!table(&rows).contains('\u{1b}'));
    let json: serde_json::Value = serde_json::to_value(&rows).unwrap();
    assert_eq!(json[0]["source"], "auditd");
    assert_eq!(json[0]["state"], "off");
}

#[test]
fn events_of_windows_are_a_source_where_a_command_gives_them() {
    let root = host(&[], &[("wevtutil", "case $2 in Security) ;; *) echo no >&2; exit 1;; esac")]);
    let rows_of = |config: &Config| rows(&Host::at(root.path()), config);
    let mut config = config(root.path());
    assert!(!rows_of(&config).iter().any(|row| row.source == "windows events"));
    config.windows.enabled = Some(false);
    assert_eq!(row(&rows_of(&config), "windows events").0, State::Off);
    config.windows.enabled = None;
    config.windows.command = vec![root.path().join("bin/wevtutil").to_str().unwrap().to_owned()];
    config.windows.channels.retain(|name, _| name == "Security" || name == "System");
    let (state, detail, fix) = row(&rows_of(&config), "windows events");
    assert!(state == State::Partly && fix.is_some(), "{state:?} {detail}");
    assert!(detail.ends_with("System: wevtutil ended with 1: no"), "{detail}");
    config.windows.channels.remove("System");
    assert_eq!(row(&rows_of(&config), "windows events").0, State::Collected);
    config.windows.command = vec!["/no/such".to_owned()];
    assert_eq!(row(&rows_of(&config), "windows events").0, State::Unreadable);
}

#[test]
fn the_log_of_macos_is_a_source_where_a_command_gives_it() {
    let root = host(&[], &[("log", "test \"$1 $2 $3\" = 'show --style ndjson'")]);
    let rows_of = |config: &Config| rows(&Host::at(root.path()), config);
    let mut config = config(root.path());
    assert!(!rows_of(&config).iter().any(|row| row.source == "macos log"));
    config.macos.enabled = Some(false);
    assert_eq!(row(&rows_of(&config), "macos log").0, State::Off);
    config.macos.enabled = None;
    config.macos.command = vec![root.path().join("bin/log").to_str().unwrap().to_owned()];
    assert_eq!(row(&rows_of(&config), "macos log").0, State::Collected);
    config.macos.command.push("x".to_owned());
    let (state, detail, fix) = row(&rows_of(&config), "macos log");
    assert!(state == State::Unreadable && fix.is_some(), "{state:?} {detail}");
}

#[test]
fn a_pi_hole_that_cannot_be_read_is_told_with_what_mends_it() {
    let root = host(&["etc/pihole/pihole-FTL.db"], &[("pihole-FTL", "exit 0")]);
    let path = root.path().join("etc/pihole/pihole-FTL.db");
    let mut config = config(root.path());
    let look = |config: &Config| row(&rows(&Host::at(root.path()), config), "Pi-hole");
    let (state, detail, fix) = look(&config);
    assert!(state == State::Unreadable && detail.contains("no SQLite database"), "{detail}");
    assert!(fix.unwrap().contains("mv /etc/pihole/pihole-FTL.db "));
    fs::write(&path, "").unwrap();
    assert_eq!(look(&config).0, State::Missing);
    fs::remove_file(&path).unwrap();
    let (state, _, fix) = look(&config);
    assert!(state == State::Missing && fix.unwrap().contains("files.database"));
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch(
            "CREATE TABLE queries (id INTEGER PRIMARY KEY, timestamp INTEGER, type INTEGER,
                 status INTEGER, domain TEXT, client TEXT);
             INSERT INTO queries VALUES (17, 1795000002, 1, 1, 'ads.example', '192.168.1.20')",
        )
        .unwrap();
    let (state, detail, fix) = look(&config);
    assert_eq!((state, fix), (State::Collected, None));
    assert!(detail.contains("17 is its last query"), "{detail}");
    fs::write(path.with_file_name("pihole-FTL.db-journal"), [0xd9, 0xd5, 0x05, 0xf9]).unwrap();
    let (state, detail, fix) = look(&config);
    assert!(state == State::Partly && detail.contains("locked"), "{detail}");
    assert_eq!(fix.unwrap(), "fuser -v /etc/pihole/pihole-FTL.db");
    config.pihole.enabled = false;
    assert_eq!(look(&config).0, State::Off);
}
