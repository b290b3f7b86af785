//! `bergfried rules` with rules of one's own: check, explain, test, coverage.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::process::{bergfried, run, run_with};

const RULE: &str = "title: Evil shell
id: 4d8a1c4e-7b1e-4b61-9d0e-0f5c53d7a001
tags:
    - attack.execution
    - attack.t1059.004
logsource:
    product: linux
    service: sshd
detection:
    selection:
        event.action: ssh_login
        user.name:
            - eve
            - mallory
    filter_home:
        source.ip|cidr: 10.0.0.0/8
    condition: selection and not filter_home
level: high
";

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn line(user: &str, source: &str) -> String {
    format!(
        "2026-03-01T10:00:00Z web sshd[7]: Accepted password for {user} from {source} port 22 ssh2"
    )
}

#[test]
fn weaknesses_are_placed() {
    let directory = tempfile::tempdir().unwrap();
    let twin = RULE.replace("a001", "a002").replace("Evil shell", "Evil twin");
    let weak = RULE
        .replace("a001", "a003")
        .replace("Evil shell", "Weak")
        .replace("level: high\n", "name: weak\n")
        .replace("not filter_home", "not 1 of filter_user*")
        .replace(
            "    condition",
            "    filter_user:\n        user.nmae|re: '.*x'\n        user.name|all: x\n    condition",
        );
    let windows = RULE.replace("a001", "a004").replace("service: sshd", "service: sshhd");
    for (name, text) in [("a.yml", RULE), ("b.yml", &twin), ("c.yml", &weak), ("d.yml", &windows)] {
        write(directory.path(), name, text);
    }
    let name = directory.path().to_str().unwrap();
    let done = run(&["rules", "check", name]);
    assert_eq!(done.code, Some(0), "{done:?}");
    for said in [
        format!("b.yml:1:1: warning: the same condition as `Evil shell` at {name}/a.yml:1"),
        "c.yml:1:1: warning: missing `level`".to_owned(),
        "c.yml:1:1: warning: the rule has the name `weak`".to_owned(),
        "c.yml:15:5: warning: no condition uses the selection `filter_home`".to_owned(),
        "c.yml:18:9: warning: no event has a field `user.nmae`, did you mean `user.name`?"
            .to_owned(),
        "c.yml:18:24: warning: the expression starts with `.*`".to_owned(),
        "c.yml:19:9: warning: `all` needs more than one value".to_owned(),
        "d.yml:6:1: warning: this rule can never fire here: no source gives service `sshhd`, did \
         you mean `sshd`?"
            .to_owned(),
    ] {
        assert!(done.out.contains(&said), "{said} is not in:\n{}", done.out);
    }
    let json: Value =
        serde_json::from_str(&run(&["rules", "check", "--format", "json", name]).out).unwrap();
    assert_eq!((&json["rules"], &json["errors"]), (&Value::from(4), &Value::from(0)));
    let warnings = json["diagnostics"].as_array().unwrap();
    assert_eq!(warnings.len() as u64, json["warnings"].as_u64().unwrap());
    assert!(warnings.iter().all(|one| one["severity"] == "warning" && one["line"].is_u64()));
}

#[test]
fn rules_that_wait_for_other_events_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let rule = write(directory.path(), "rules/a.yml", RULE);
    let cron = write(
        directory.path(),
        "cron.log",
        "2026-03-01T10:00:00Z web CRON[9]: (root) CMD (true)\n",
    );
    let sshd = write(directory.path(), "sshd.log", &line("bob", "192.0.2.1"));
    let check = |log: &Path| {
        let (rule, log) = (rule.to_str().unwrap(), log.to_str().unwrap());
        run(&["rules", "check", rule, "--events", log]).out
    };
    let said = "`Evil shell` can never fire on these events: no event of service: sshd was seen";
    assert!(check(&cron).contains(said), "{}", check(&cron));
    assert!(!check(&sshd).contains("never"), "{}", check(&sshd));
}

#[test]
fn an_explanation_shows_what_each_atom_saw() {
    let directory = tempfile::tempdir().unwrap();
    let rule = write(directory.path(), "a.yml", RULE);
    let rule = rule.to_str().unwrap();
    let done = run(&["rules", "explain", &line("eve", "192.0.2.1"), rule]);
    assert_eq!(done.code, Some(0), "{done:?}");
    for part in [
        "log sources  product: linux, service: sshd",
        "log source   linux/*/sshd",
        "\n  matches\n",
        "    + user.name is 'eve'   saw 'eve'\n",
        "- user.name is 'mallory'   saw 'eve'\n",
        "- source.ip in 10.0.0.0/8   saw '192.0.2.1'\n",
    ] {
        assert!(done.out.contains(part), "{part} is not in:\n{}", done.out);
    }
    let home = run(&["rules", "explain", "--format", "json", &line("eve", "10.1.1.1"), rule]);
    assert_eq!(home.code, Some(1));
    let json: Vec<Value> = serde_json::from_str(&home.out).unwrap();
    assert_eq!(json[0]["matches"], false);
    assert_eq!(json[0]["condition"]["kind"], "all");
    assert_eq!(json[0]["condition"]["of"][1]["held"], false);

    // Another program's line holds the same, but is not of the log source.
    let cron = line("eve", "192.0.2.1").replace("sshd[7]", "cron[7]");
    let done = run_with(bergfried(&["rules", "explain", "-", rule]), cron.as_bytes());
    assert_eq!(done.code, Some(1));
    assert!(done.out.contains("is not of this log source (service: sshd)"), "{}", done.out);
    let done = run(&["rules", "explain", "x", "SSH brute forc"]);
    assert!(done.err.contains("did you mean `SSH brute force`?"), "{}", done.err);
    let hostile = format!("{} \u{1b}[2J", line("eve\u{1b}[31m", "192.0.2.1"));
    assert!(!run(&["rules", "explain", &hostile, rule]).out.contains('\u{1b}'));
}

#[test]
fn samples_beside_rules_are_run() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "set/a.yml", RULE);
    let other = RULE.replace("a001", "a005");
    write(directory.path(), "set/unproved.yml", &other.replace("mallory", "trudy"));
    let fires = write(directory.path(), "set/samples/a/fires.log", &line("eve", "192.0.2.1"));
    let silent = write(directory.path(), "set/samples/a/silent.log", &line("eve", "10.0.0.1"));
    let set = directory.path().join("set");
    let test = || run(&["rules", "test", set.to_str().unwrap()]);
    let done = test();
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.ends_with("1 rules passed, 0 failed, 1 without samples\n"), "{}", done.out);

    write(directory.path(), "set/samples/a/expected.json", "[]");
    let done = test();
    assert_eq!(done.code, Some(1));
    assert!(done.out.contains("states 1 findings, expected 0"), "{}", done.out);
    std::fs::remove_file(set.join("samples/a/expected.json")).unwrap();
    std::fs::write(&silent, line("mallory", "192.0.2.1")).unwrap();
    assert!(test().out.contains("speaks over"), "{}", test().out);
    std::fs::write(&fires, line("bob", "192.0.2.1")).unwrap();
    assert!(test().out.contains("is silent over"), "{}", test().out);

    // The built-in packs prove themselves.
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let done = run(&["rules", "test", packs.to_str().unwrap()]);
    assert_eq!(done.code, Some(0), "{}", done.out);
}

#[test]
fn samples_as_sigmahq_keeps_them_are_run() {
    let directory = tempfile::tempdir().unwrap();
    let rule = write(directory.path(), "rules/linux/a.yml", RULE);
    let id = "4d8a1c4e-7b1e-4b61-9d0e-0f5c53d7a001";
    let folder = "regression_data/rules/linux/a";
    let lines = format!("{}\n{}\n", line("eve", "192.0.2.1"), line("bob", "192.0.2.1"));
    write(directory.path(), &format!("{folder}/{id}.log"), &lines);
    let test = || run(&["rules", "test", "--format", "json", rule.to_str().unwrap()]);
    let done: Value = serde_json::from_str(&test().out).unwrap();
    assert_eq!((&done["passed"], &done["failed"]), (&Value::from(1), &Value::from(0)));
    // Another folder, which the rule names itself.
    let moved = format!("{RULE}regression_tests_path: regression_data/old/info.yml\n");
    std::fs::write(&rule, &moved).unwrap();
    std::fs::rename(directory.path().join(folder), directory.path().join("regression_data/old"))
        .unwrap();
    assert_eq!(test().code, Some(0), "{:?}", test());
    std::fs::rename(directory.path().join("regression_data/old"), directory.path().join(folder))
        .unwrap();
    std::fs::write(&rule, RULE).unwrap();
    let info = format!(
        "id: x\nrule_metadata:\n    - id: {id}\n      title: Evil shell\nregression_tests_info:\n    \
         - name: Positive\n      type: log\n      match_count: 2\n      path: {folder}/{id}.log\n"
    );
    write(directory.path(), &format!("{folder}/info.yml"), &info);
    let failed = test();
    assert_eq!(failed.code, Some(1));
    let done: Value = serde_json::from_str(&failed.out).unwrap();
    let failure = done["rules"][0]["failures"][0].as_str().unwrap();
    assert!(failure.ends_with("matches 1 times, expected 2"), "{failure}");
}

#[test]
fn coverage_counts_tactics_and_techniques() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a.yml", RULE);
    let waiting = RULE.replace("a001", "a006").replace("sshd", "nothing_gives_this");
    write(directory.path(), "b.yml", &waiting);
    let path = directory.path().to_str().unwrap();
    let table = run(&["rules", "coverage", "--rules", path]).out;
    assert!(table.contains("Execution                    TA0002       2 rules     1 active"));
    assert!(table.contains("  T1059.004                               2 rules     1 active"));
    assert!(table.contains("no rule for: Reconnaissance, "), "{table}");
    let json = run(&["rules", "coverage", "--rules", path, "--format", "json"]).out;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["tactics"][0]["techniques"][0]["id"], "T1059.004");
    assert_eq!((&json["rules"], &json["active"]), (&Value::from(2), &Value::from(1)));
    let layer = run(&["rules", "coverage", "--rules", path, "--format", "navigator"]).out;
    let layer: Value = serde_json::from_str(&layer).unwrap();
    assert_eq!(layer["versions"]["layer"], "4.5");
    let technique = &layer["techniques"][0];
    assert_eq!((&technique["techniqueID"], &technique["score"]), (&"T1059.004".into(), &1.into()));
    assert_eq!(technique["tactic"], "execution");
}

#[test]
fn lists_are_filtered() {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "a.yml", RULE);
    let path = directory.path().to_str().unwrap();
    let count = |arguments: &[&str]| {
        let mut all = vec!["rules", "list", "--rules", path, "--format", "json"];
        all.extend(arguments);
        serde_json::from_str::<Vec<Value>>(&run(&all).out).unwrap().len()
    };
    for (arguments, expected) in [
        (&["--level", "high"][..], 1),
        (&["--level", "critical"], 0),
        (&["--tag", "attack.t1059"], 1),
        (&["--tag", "attack.t105"], 0),
        (&["--logsource", "sshd"], 1),
        (&["--logsource", "cron"], 0),
    ] {
        assert_eq!(count(arguments), expected, "{arguments:?}");
    }
}

#[test]
fn tables_say_which_events_and_fields_a_rule_means() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| write(directory.path(), name, text).display().to_string();
    let rule = at(
        "door.yml",
        "title: Door forced\nid: 4d8a1c4e-7b1e-4b61-9d0e-0f5c53d7a009\nlogsource:\n    product: door\ndetection:\n    selection:\n        How: force\n    condition: selection\nlevel: high\n",
    );
    let log = at("doors.json", "{\"door.number\":7,\"door.opened\":\"force\"}\n");
    let sources = at("s.yml", "sources:\n  - {product: door, when: '_exists_:\"door.number\"'}\n");
    let fields = at("f.yml", "names: {How: door.opened}\n");
    let mistaken = at("m.yml", "sources:\n  - {product: door, when: 'user:'}\n");
    let scan = |more: &[&str]| run(&[&["scan", &log, "--rules", &rule], more].concat());
    let found = |done: &crate::support::process::Done| done.out.contains("Door forced");
    let both = scan(&["--log-sources", &sources, "--fields", &fields]);
    assert!(found(&both), "{both:?}");
    for more in [vec![], vec!["--log-sources", &sources], vec!["--fields", &fields]] {
        assert!(!found(&scan(&more)), "{more:?}");
    }
    let refused = scan(&["--log-sources", &mistaken]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("m.yml:2:3: cannot read the condition"), "{refused:?}");
}
