//! `bergfried scan`: what it reads, what it prints, how it exits.

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::support::lines::{accepted, failed, write_lines};
use crate::support::process::{Done, bergfried, run, run_with};

const KEYS: [&str; 15] = [
    "rule.id",
    "rule.name",
    "severity",
    "host.name",
    "user.name",
    "source.ip",
    "count",
    "first_seen",
    "last_seen",
    "threat.technique.id",
    "example",
    "tags",
    "falsepositives",
    "matched",
    "event.id",
];
const BREAK_IN: &str = "SSH login after many failures from the same source";

/// Six guesses, a login and a new user: critical, medium and low.
fn lines() -> Vec<String> {
    let at = |second: usize| format!("2026-03-01T10:00:{second:02}.250000+00:00");
    let mut lines: Vec<String> =
        (0..6).map(|second| failed(&at(second), "web", "bob", "203.0.113.7")).collect();
    lines.push(accepted(&at(9), "web", "bob", "203.0.113.7"));
    lines.push(format!(
        "{} web useradd[99]: new user: name=eve, UID=1002, GID=1002, home=/home/eve, shell=/bin/sh",
        at(30)
    ));
    lines
}

fn scan(path: &Path, arguments: &[&str]) -> Done {
    run_with(scan_command(path, arguments), b"")
}

fn scan_command(path: &Path, arguments: &[&str]) -> std::process::Command {
    let mut command = bergfried(&["scan"]);
    command.arg(path).args(arguments);
    command
}

fn findings(done: &Done) -> Vec<Value> {
    serde_json::from_str(&done.out).unwrap_or_else(|error| panic!("{error}: {done:?}"))
}

fn names(done: &Done) -> Vec<String> {
    findings(done).iter().map(|finding| finding["rule.name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_way_in_gives_the_same_findings() {
    let directory = tempfile::tempdir().unwrap();
    let text = lines().join("\n") + "\n";
    let compressed = |name: &str, bytes: Vec<u8>| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
    xz.write_all(text.as_bytes()).unwrap();
    let zst = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let tree = directory.path().join("tree/deeper");
    std::fs::create_dir_all(&tree).unwrap();
    // The first half of the story in one file, the rest in another.
    write_lines(&tree.join("b.log"), &lines()[..4]);
    write_lines(&directory.path().join("tree/a.log"), &lines()[4..]);
    symlink(directory.path().join("tree"), tree.join("round-and-round")).unwrap();

    let expected = scan(&compressed("plain.log", text.clone().into_bytes()), &["--format", "json"]);
    assert_eq!(expected.code, Some(0), "{expected:?}");
    assert_eq!(names(&expected), [BREAK_IN, "SSH brute force", "User created"]);
    for path in [
        compressed("a.log.gz", gz.finish().unwrap()),
        compressed("a.log.xz", xz.finish().unwrap()),
        compressed("a.log.zst", zst),
        directory.path().join("tree"),
    ] {
        let done = scan(&path, &["--format", "json"]);
        assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{}", path.display());
        assert_eq!(findings(&done), findings(&expected), "{}", path.display());
    }
    let piped = run_with(bergfried(&["scan", "-", "--format", "json"]), text.as_bytes());
    assert_eq!(findings(&piped), findings(&expected));
}

#[test]
fn logs_that_name_no_host_are_counted_as_those_of_one() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |second: u32| {
        format!(
            "203.0.113.9 - - [21/Nov/2026:10:00:{second:02} +0000] \"GET /reports/ HTTP/1.1\" \
             401 90 \"-\" \"Mozilla/5.0\"\n"
        )
    };
    let path = directory.path().join("access.log");
    std::fs::write(&path, (0..30).map(refused).collect::<String>()).unwrap();
    let web = scan(&path, &["--format", "json"]);
    assert_eq!(names(&web), ["Many requests refused for want of a login"]);
    assert_eq!(findings(&web)[0].get("host.name").and_then(Value::as_str), None);

    let path = directory.path().join("system.log");
    let console = "Nov 21 10:00:0# php-fpm[3]: /index.php: webConfigurator authentication error for \
                   user 'admin' from: 203.0.113.9\n";
    std::fs::write(&path, (0..2).map(|n| console.replace('#', &n.to_string())).collect::<String>())
        .unwrap();
    let firewall = scan(&path, &["--format", "json"]);
    assert_eq!(names(&firewall), ["Logins to the firewall's web console failed"]);
}

#[test]
fn findings_have_the_documented_keys_in_every_format() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    write_lines(&log, &lines());
    let json = findings(&scan(&log, &["--format", "json"]));
    for finding in &json {
        let mut keys: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        let mut expected = KEYS;
        keys.sort_unstable();
        expected.sort_unstable();
        assert_eq!(keys, expected);
    }
    let first = &json[0];
    assert_eq!(first["severity"], "critical");
    assert_eq!(first["host.name"], "web");
    assert_eq!(first["user.name"], "bob");
    assert_eq!(first["source.ip"], "203.0.113.7");
    assert_eq!(first["count"], 7);
    assert_eq!(first["first_seen"], "2026-03-01T10:00:00.250000Z");
    assert_eq!(first["last_seen"], "2026-03-01T10:00:09.250000Z");
    assert_eq!(first["threat.technique.id"], serde_json::json!(["T1110.001", "T1078"]));
    assert_eq!(first["example"], lines()[6]);
    assert!(first["tags"].as_array().unwrap().contains(&"attack.t1110.001".into()), "{first}");
    assert!(!first["falsepositives"].as_array().unwrap().is_empty(), "{first}");
    let new_user = json.iter().find(|finding| finding["user.name"] == "eve").unwrap();
    let matched = new_user["matched"].as_array().unwrap();
    assert!(
        matched
            .contains(&serde_json::json!({"field": "event.action", "value": "added-user-account"}))
    );
    assert_eq!(new_user["event.id"], serde_json::json!([8]));
    assert_eq!(json[2]["source.ip"], Value::Null);

    let ndjson: Vec<Value> = scan(&log, &["--format", "ndjson"])
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(ndjson, json);

    let csv = scan(&log, &["--format", "csv"]).out;
    let mut rows = csv.lines();
    assert_eq!(rows.next().unwrap(), KEYS.join(","));
    assert!(
        rows.next()
            .unwrap()
            .contains(",critical,web,bob,203.0.113.7,7,2026-03-01T10:00:00.250000Z,")
    );
    assert_eq!(rows.count(), 2);

    let table = scan(&log, &[]).out;
    for part in [
        "critical      SSH login after many failures",
        "host web · user bob · source 203.0.113.7 · 7x · 2026-03-01T10:00:00.250000Z",
        "1 critical, 1 medium, 1 low",
        "lines       8",
        "sshd 7, useradd 1",
        "203.0.113.7 7",
        "T1078 T1110.001 T1136.001",
        "over time",
    ] {
        assert!(table.contains(part), "no {part:?} in\n{table}");
    }
}

#[test]
fn what_is_printed_and_how_it_exits() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    write_lines(&log, &lines());
    for (arguments, rules, code) in [
        (&["--min-severity", "medium"][..], &[BREAK_IN, "SSH brute force"][..], 0),
        (&["--min-severity", "critical"], &[BREAK_IN], 0),
        (&["--fail-on", "critical"], &[BREAK_IN, "SSH brute force", "User created"], 1),
        // What is not printed fails all the same.
        (&["--fail-on", "low", "--min-severity", "critical"], &[BREAK_IN], 1),
        (&["--since", "2026-03-01T10:00:20Z"], &["User created"], 0),
        (&["--since", "2026-03-01T10:00:20Z", "--fail-on", "medium"], &["User created"], 0),
        (&["--until", "2026-03-01T10:00:05.25Z"], &["SSH brute force"], 0),
        (&["--since", "2026-03-02"], &[], 0),
    ] {
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        let done = scan(&log, &all);
        assert_eq!(done.code, Some(code), "{arguments:?}: {}", done.err);
        assert_eq!(names(&done), rules, "{arguments:?}");
    }
    let nothing = scan(&log, &["--since", "2026-03-02"]);
    assert!(nothing.out.starts_with("no findings\n"), "{}", nothing.out);
}

#[test]
fn years_and_zones_are_as_told() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    let new_user = "Jul  9 02:00:00 web useradd[99]: new user: name=eve, UID=1002, GID=1002";
    std::fs::write(&log, format!("{new_user}\n")).unwrap();
    for (arguments, seen) in [
        (&["--year", "2024"][..], "2024-07-09T02:00:00Z"),
        (&["--year", "2024", "--tz", "Europe/Berlin"], "2024-07-09T00:00:00Z"),
        (&["--year", "2023", "--tz", "America/New_York"], "2023-07-09T06:00:00Z"),
    ] {
        let mut all = vec!["--format", "json"];
        all.extend(arguments);
        assert_eq!(findings(&scan(&log, &all))[0]["first_seen"], seen, "{arguments:?}");
    }
    // Without a year: the one nearest to the file's last change.
    let file = std::fs::File::options().write(true).open(&log).unwrap();
    let changed = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_578_000_000);
    file.set_modified(changed).unwrap();
    let done = scan(&log, &["--format", "json"]);
    assert_eq!(findings(&done)[0]["first_seen"], "2019-07-09T02:00:00Z");
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    write_lines(&log, &lines());
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&b"some line or other\n".repeat(20_000)).unwrap();
    let gz = gz.finish().unwrap();
    let cut = directory.path().join("cut.gz");
    std::fs::write(&cut, &gz[..gz.len() - 20]).unwrap();
    let missing = directory.path().join("missing.log");
    let mut command = scan_command(&log, &["--format", "json"]);
    command.arg(&cut).arg(&missing);
    let done = run_with(command, b"");
    assert_eq!(done.code, Some(2));
    assert_eq!(names(&done).len(), 3);
    for path in [cut, missing] {
        let named = format!("cannot read {}: ", path.display());
        assert!(done.err.contains(&named), "{named} is not in {}", done.err);
    }
    let alone = run(&["scan", "/nowhere/at/all"]);
    assert_eq!(alone.code, Some(2));
    assert!(alone.err.contains("cannot read /nowhere/at/all: No such file"), "{}", alone.err);
}

#[test]
fn a_malformed_rule_is_placed_and_the_others_run() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    write_lines(&log, &lines());
    let rules = directory.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    let rule = |title: &str, level: &str| {
        format!(
            "title: {title}\nid: 6a1b8b5e-2f86-4a2b-9d0e-0123456789ab\nlogsource:\n  product: linux\n\
             detection:\n  selection:\n    user.name: eve\n  condition: selection\nlevel: {level}\n"
        )
    };
    std::fs::write(rules.join("good.yml"), rule("Eve", "high")).unwrap();
    std::fs::write(rules.join("slip.yml"), rule("Slip", "hihg")).unwrap();
    std::fs::write(rules.join("no-yaml.yml"), "title: [unclosed\n").unwrap();
    let done = scan(&log, &["--format", "json", "--rules", rules.to_str().unwrap()]);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(names(&done), ["Eve"]);
    let slip = format!("{}:9:8: unknown level `hihg`", rules.join("slip.yml").display());
    assert!(done.err.contains(&slip) && done.err.contains("did you mean `high`?"), "{}", done.err);
    assert!(done.err.contains("no-yaml.yml:"), "{}", done.err);
}

#[test]
fn the_order_is_worst_first_and_always_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    let mut all = Vec::new();
    for source in 1..=30 {
        let address = format!("198.51.100.{source}");
        for second in 0..6 {
            let stamp = format!("2026-03-01T10:{source:02}:{second:02}+00:00");
            all.push(failed(&stamp, "web", &format!("user{}", source * second), &address));
        }
        if source % 7 == 0 {
            all.push(accepted(
                &format!("2026-03-01T10:{source:02}:30+00:00"),
                "web",
                "x",
                &address,
            ));
        }
    }
    write_lines(&log, &all);
    let first = scan(&log, &["--format", "ndjson"]).out;
    let order = ["critical", "high", "medium", "low", "informational"];
    let severities: Vec<usize> = first
        .lines()
        .map(|line| {
            let finding: Value = serde_json::from_str(line).unwrap();
            order.iter().position(|word| finding["severity"] == *word).unwrap()
        })
        .collect();
    assert!(severities.len() >= 34 && severities.is_sorted(), "{severities:?}");
    for _ in 0..3 {
        assert_eq!(scan(&log, &["--format", "ndjson"]).out, first);
    }
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    let stamp = "2026-03-01T10:00:00+00:00";
    let name = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{202e}=cmd|x\u{9b}31m";
    let mut all: Vec<String> =
        (0..6).map(|_| failed(stamp, "web\u{1b}[31m", name, "203.0.113.7")).collect();
    all.push(accepted(stamp, "web\u{1b}[31m", name, "203.0.113.7"));
    write_lines(&log, &all);
    for arguments in [&[][..], &["--format", "csv"], &["--format", "json"], &["--format", "ndjson"]]
    {
        let done = scan(&log, arguments);
        assert!(done.out.contains("203.0.113.7"), "{arguments:?}");
        // JSON is for programs: there a string may hold what JSON does not forbid.
        let json = arguments.contains(&"json") || arguments.contains(&"ndjson");
        let hostile = |c: char| match c {
            '\n' => false,
            '\u{80}'..='\u{9f}' | '\u{202e}' => !json,
            c => c.is_control(),
        };
        let raw = done.out.chars().find(|c| hostile(*c));
        assert_eq!(raw, None, "{arguments:?} lets {raw:?} through");
    }
    let table = scan(&log, &[]).out;
    assert!(table.contains(r"\u{1b}[2J\u{202e}"), "{table}");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("auth.log");
    write_lines(&log, &vec!["x".repeat(200); 20_000]);
    let mut shell = std::process::Command::new("sh");
    shell.arg("-c").arg("(\"$0\" parse \"$1\"; echo \"exit $?\" >&2) | head -n 1");
    shell.arg(env!("CARGO_BIN_EXE_bergfried")).arg(&log);
    let done = run_with(shell, b"");
    assert_eq!(done.out.lines().count(), 1);
    assert_eq!(done.err, "exit 0\n");
}

#[test]
fn mistakes_in_arguments_exit_with_2_and_say_what_is_expected() {
    for (arguments, said) in [
        (&["scan"][..], "<PATH>..."),
        (&["scan", "x", "--formt", "json"], "--format"),
        (&["scan", "x", "--format", "jsn"], "'json'"),
        (&["scan", "x", "--min-severity", "hihg"], "did you mean `high`?"),
        (&["scan", "x", "--since", "yesterday"], "--since"),
        (&["scan", "x", "--year", "99"], "--year"),
        (&["scan", "x", "--tz", "Mars/Olympus"], "unknown time zone `Mars/Olympus`"),
        (&["scan", "x", "--rules", "/nowhere"], "cannot read rules from /nowhere"),
        (&["scna", "x"], "'scan'"),
    ] {
        let done = run(arguments);
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(done.err.contains(said), "{arguments:?}: {}", done.err);
    }
}
