use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;

struct Host {
    directory: tempfile::TempDir,
    watch: Watch,
    known: Known,
    is_first: bool,
}

impl Host {
    fn new() -> Host {
        let directory = tempfile::tempdir().unwrap();
        let pattern = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let patterns = vec![pattern("auth.log"), pattern("app/*.log")];
        fs::create_dir(directory.path().join("app")).unwrap();
        fs::create_dir(directory.path().join("old")).unwrap();
        let options = TamperOptions {
            rotated_to: vec![directory.path().join("old")],
            ..TamperOptions::default()
        };
        let watch = Watch { patterns, options, complained: BTreeSet::new() };
        let host = Host { directory, watch, known: Known::default(), is_first: true };
        host.write("auth.log", "one line\nanother\n");
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn append(&self, name: &str, text: &str) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let ran = Command::new(program).args(arguments).current_dir(self.directory.path()).status();
        assert!(ran.unwrap().success(), "{program} {arguments:?}");
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    fn restart(&mut self) {
        let kept = serde_json::to_string(&self.known).unwrap();
        self.known = serde_json::from_str(&kept).unwrap();
        self.is_first = true;
    }

    /// The actions that one look tells, without their common beginning.
    fn says(&mut self) -> Vec<String> {
        let is_first = std::mem::take(&mut self.is_first);
        let records = self.watch.look(&mut self.known, is_first);
        let action = |record: &Record| record.get("event.action").as_str().unwrap().to_owned();
        records.iter().map(|record| action(record).replace("log-", "")).collect()
    }
}

/// What is done to a log, and what is said of it.
type Case = (&'static str, fn(&Host), &'static [&'static str]);

const CASES: [Case; 20] = [
    ("nothing", |_| {}, &[]),
    ("lines come", |host| host.append("auth.log", "more\n"), &[]),
    ("removed", |host| fs::remove_file(host.path("auth.log")).unwrap(), &["missing"]),
    (
        "renamed to a name of no rotation",
        |host| host.run("mv", &["auth.log", "auth.log.bak"]),
        &["missing"],
    ),
    ("emptied", |host| drop(File::create(host.path("auth.log")).unwrap()), &["truncated"]),
    ("cut", |host| host.write("auth.log", "one line\n"), &["truncated"]),
    (
        "another text of the same length",
        |host| host.write("auth.log", "ONE LINE\nanother\n"),
        &["truncated"],
    ),
    (
        "a line taken out of its middle by an editor",
        |host| host.run("sed", &["-i", "/another/d", "auth.log"]),
        &["replaced"],
    ),
    ("linked to nowhere", |host| host.run("ln", &["-sf", "/dev/null", "auth.log"]), &["replaced"]),
    (
        "emptied, with a copy from before beside it",
        |host| host.run("sh", &["-c", "cp -p auth.log auth.log.1; : > auth.log"]),
        &["rotated"],
    ),
    (
        "emptied, with something else beside it",
        |host| host.run("sh", &["-c", "echo x > auth.log.1; : > auth.log"]),
        &["truncated"],
    ),
    ("renamed", |host| host.run("mv", &["auth.log", "auth.log.1"]), &["rotated"]),
    (
        "renamed and made anew",
        |host| host.run("sh", &["-c", "mv auth.log auth.log-20260101; : > auth.log"]),
        &["rotated"],
    ),
    (
        "renamed, cut, made anew",
        |host| host.run("sh", &["-c", "mv auth.log auth.log.1; echo x > auth.log.1; : > auth.log"]),
        &["replaced"],
    ),
    (
        "renamed and compressed",
        |host| {
            host.run("sh", &["-c", "mv auth.log auth.log.1; gzip auth.log.1; echo new > auth.log"])
        },
        &["rotated"],
    ),
    (
        "moved to the directory of old ones",
        |host| host.run("sh", &["-c", "mv auth.log old/auth.log.1; echo new > auth.log"]),
        &["rotated"],
    ),
    ("open to all", |host| host.mode("auth.log", 0o666), &["world-writable"]),
    ("open to the group", |host| host.mode("auth.log", 0o664), &["permissions-loosened"]),
    ("closed", |host| host.mode("auth.log", 0o600), &[]),
    (
        "rotated and open to all",
        |host| {
            host.run("sh", &["-c", "mv auth.log auth.log.1; : > auth.log"]);
            host.mode("auth.log", 0o666);
        },
        &["rotated", "world-writable"],
    ),
];

#[test]
fn what_is_done_to_a_log_is_told_also_after_a_restart() {
    for (what, act, expected) in CASES {
        for restart in [false, true] {
            let mut host = Host::new();
            host.mode("auth.log", 0o644);
            // One from last week, which proves nothing.
            host.run("sh", &["-c", "cp -p auth.log auth.log.2; gzip -c auth.log > auth.log.3.gz"]);
            assert_eq!(host.says(), Vec::<String>::new(), "{what}");
            act(&host);
            if restart {
                host.restart();
            }
            let said = host.says();
            // While nobody looked, more than one rotation may have passed.
            let lenient = ["emptied, with something else beside it", "renamed, cut, made anew"];
            if restart && lenient.contains(&what) {
                assert_eq!(said, ["rotated"], "{what}");
            } else {
                assert_eq!(said, expected, "{what}, restart: {restart}");
            }
            assert_eq!(host.says(), Vec::<String>::new(), "{what} is told once");
        }
    }
}

#[test]
fn a_world_writable_log_is_told_at_each_start() {
    let mut host = Host::new();
    host.mode("auth.log", 0o646);
    assert_eq!(host.says(), ["world-writable"]);
    assert_eq!(host.says(), Vec::<String>::new());
    host.restart();
    assert_eq!(host.says(), ["world-writable"]);
}

#[test]
fn files_that_are_written_for_a_day_may_be_cleared_away() {
    let mut host = Host::new();
    host.write("app/new.log", "x\n");
    host.write("app/old.log", "x\n");
    host.run("touch", &["-d", "3 days ago", "app/old.log"]);
    assert_eq!(host.says(), Vec::<String>::new());
    fs::remove_file(host.path("app/old.log")).unwrap();
    assert_eq!(host.says(), ["rotated"]);
    fs::remove_file(host.path("app/new.log")).unwrap();
    assert_eq!(host.says(), ["missing"]);
    host.write("app/new.log", "y\n");
    assert_eq!(host.says(), Vec::<String>::new());
}

#[test]
fn a_log_that_comes_back_is_watched_again() {
    let mut host = Host::new();
    host.says();
    fs::remove_file(host.path("auth.log")).unwrap();
    assert_eq!(host.says(), ["missing"]);
    host.restart();
    assert_eq!(host.says(), Vec::<String>::new());
    host.write("auth.log", "back\n");
    assert_eq!(host.says(), Vec::<String>::new());
    host.write("auth.log", "");
    assert_eq!(host.says(), ["truncated"]);
}

#[test]
#[expect(clippy::print_stderr, reason = "says why it tests nothing")]
fn logrotate_in_all_its_modes_is_rotation() {
    if Command::new("logrotate").arg("--version").output().is_err() {
        eprintln!("skipped: logrotate is not installed");
        return;
    }
    for mode in [
        "create",
        "nocreate",
        "copytruncate",
        "create\ncompress",
        "copytruncate\ncompress",
        "create\ncompress\ndelaycompress",
        "create\ndateext\ndateformat -%Y%m%d-%s",
        "create\ndateext\nextension .log\ndateformat -%s",
        "create\nolddir old",
        "copytruncate\ncompress\ncompresscmd /usr/bin/xz\ncompressext .xz",
    ] {
        let mut host = Host::new();
        host.mode("auth.log", 0o644);
        let directory = host.directory.path().display().to_string();
        let conf = format!("{directory}/auth.log {{\nrotate 3\n{mode}\n}}\n");
        host.write("logrotate.conf", &conf);
        host.mode("logrotate.conf", 0o600);
        assert_eq!(host.says(), Vec::<String>::new());
        // Names by the second allow of one rotation in each.
        let turns = if mode.contains("%s") { 1 } else { 5 };
        for turn in 0..turns {
            let state = host.path("logrotate.state");
            host.run("logrotate", &["-f", "-s", state.to_str().unwrap(), "logrotate.conf"]);
            host.append("auth.log", &format!("line {turn} of what comes after\n"));
            assert_eq!(host.says(), ["rotated"], "{mode}, turn {turn}");
            host.append("auth.log", "and more\n");
            assert_eq!(host.says(), Vec::<String>::new(), "{mode}, turn {turn}");
        }
        fs::write(host.path("auth.log"), "").unwrap();
        assert_eq!(host.says(), ["truncated"], "{mode}");
    }
}

/// rsyslog writes on into the renamed file until it is told (SIGHUP), then makes the new one.
#[test]
#[expect(clippy::print_stderr, reason = "says why it tests nothing")]
fn rsyslog_that_is_told_of_a_rotation_is_no_tampering() {
    let find = |name: &str| crate::search::find(name, &crate::search::search_path());
    let (Some(rsyslogd), Some(_), Some(_)) = (find("rsyslogd"), find("logrotate"), find("logger"))
    else {
        eprintln!("skipped: rsyslogd, logrotate or logger is not installed");
        return;
    };
    let mut host = Host::new();
    let directory = host.directory.path().display().to_string();
    let conf = format!(
        "global(workDirectory=\"{directory}\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n\
         input(type=\"imuxsock\" Socket=\"{directory}/log\")\n\
         action(type=\"omfile\" file=\"{directory}/auth.log\" fileCreateMode=\"0644\")\n"
    );
    host.write("rsyslog.conf", &conf);
    let pid = format!("{directory}/pid");
    let mut daemon = Command::new(rsyslogd)
        .args(["-n", "-f", &format!("{directory}/rsyslog.conf"), "-i", &pid])
        .spawn()
        .unwrap();
    let wait = |what: &dyn Fn() -> bool| {
        let begun = std::time::Instant::now();
        while !what() {
            assert!(begun.elapsed() < Duration::from_secs(90), "rsyslogd does not write");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let log = host.path("auth.log");
    let says = |text: &str| fs::read_to_string(&log).is_ok_and(|log| log.contains(text));
    wait(&|| host.path("log").exists() && host.path("pid").exists());
    let rotation = format!(
        "{directory}/auth.log {{\nrotate 3\nnocreate\ncompress\npostrotate\nkill -HUP $(cat {pid})\nendscript\n}}\n"
    );
    host.write("logrotate.conf", &rotation);
    host.mode("logrotate.conf", 0o600);
    let mut said = Vec::new();
    for turn in 0..3 {
        let line = format!("turn {turn}");
        host.run("logger", &["-u", "log", "--", &line]);
        wait(&|| says(&line));
        said.push(host.says());
        host.run("logrotate", &["-f", "-s", &format!("{directory}/state"), "logrotate.conf"]);
        said.push(host.says());
    }
    daemon.kill().unwrap();
    daemon.wait().unwrap();
    let none = Vec::<String>::new;
    let rotated = || vec!["rotated".to_owned()];
    assert_eq!(said, [none(), rotated(), none(), rotated(), none(), rotated()]);
}
