//! `bergfried rules`, and what the program says about itself: help, completions, manual pages.

use serde_json::Value;

use crate::support::process::run;

#[test]
fn the_built_in_rules_are_listed() {
    let done = run(&["rules", "list", "--format", "json"]);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    let rules: Vec<Value> = serde_json::from_str(&done.out).unwrap();
    assert!(rules.len() >= 15, "{}", rules.len());
    for rule in &rules {
        assert!(rule["id"].is_string() && rule["title"].is_string(), "{rule}");
        // What other programs say is passed on, whatever technique it is about.
        let passed_on = rule["file"].as_str().unwrap().starts_with("rules/integrations/");
        let stated = rule["level"] != "informational" && !passed_on;
        let techniques = rule["techniques"].as_array().unwrap();
        assert!(!stated || !techniques.is_empty(), "{} names no technique", rule["title"]);
    }
    let table = run(&["rules", "list"]).out;
    assert_eq!(table.lines().count(), rules.len() + 1);
    assert!(!table.contains('\u{1b}'));
}

#[test]
fn rule_files_are_checked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("mine.yml");
    let rule = "title: Mine\nlogsource:\n  product: linux\ndetection:\n  selection:\n    \
                user.name|contians: x\n  condition: selection\nlevel: low\n";
    std::fs::write(&path, rule).unwrap();
    let name = path.to_str().unwrap();
    let done = run(&["rules", "check", name]);
    assert_eq!(done.code, Some(2));
    let place = format!("{name}:6:14: unknown modifier `contians`");
    assert!(done.out.contains(&place) && done.out.contains("contains"), "{}", done.out);
    assert!(done.out.ends_with("0 rules, 1 errors, 0 warnings\n"), "{}", done.out);
    std::fs::write(&path, rule.replace("contians", "contains")).unwrap();
    let done = run(&["rules", "check", name]);
    assert_eq!(done.code, Some(0), "{}", done.out);
    assert_eq!(run(&["rules", "check", "/nowhere"]).code, Some(2));
}

#[test]
fn pipelines_change_rules() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let write = |name: &str, text: &str| {
        std::fs::write(path(name), text).unwrap();
        path(name)
    };
    let rule = write(
        "rule.yml",
        "title: Mine\nid: 9d1f4c0e-3f5a-4c1b-9a53-2f1f1d0c7b11\ntags: [attack.t1078]\n\
         logsource: {product: linux, service: sshd}\ndetection:\n  sel:\n    \
         account|expand: '%admins%'\n  condition: sel\nlevel: high\n",
    );
    let log = write(
        "auth.log",
        "Nov 21 10:00:00 h sshd[1]: Accepted password for toor from 192.0.2.1 port 1 ssh2\n",
    );
    let names = write(
        "names.yml",
        "transformations:\n- {type: field_name_mapping, mapping: {account: user.name}}\n",
    );
    let values = write("values.yml", "placeholders: {admins: [root, toor]}\n");

    let done = run(&["rules", "check", &rule]);
    let place = format!("{rule}:7:22: warning: this rule is loaded but never fires");
    assert!(done.out.contains(&place) && done.code == Some(0), "{}", done.out);
    let done = run(&["rules", "check", &rule, "--pipeline", &names, "--pipeline", &values]);
    assert_eq!(done.out, "1 rules, 0 errors, 0 warnings\n");
    let scan = |pipelines: &[&str]| {
        let fixed = ["scan", &log, "--rules", &rule, "--year", "2026", "--fail-on", "high"];
        run(&fixed.iter().chain(pipelines).copied().collect::<Vec<_>>()).code
    };
    assert_eq!(scan(&["--pipeline", &names]), Some(0));
    assert_eq!(scan(&["--pipeline", &names, "--pipeline", &values]), Some(1));

    let broken = write("broken.yml", "name: x\ntransformations:\n- type: field_name_maping\n");
    let done = run(&["rules", "list", "--pipeline", &broken]);
    assert_eq!(done.code, Some(2));
    let said = format!("{broken}:3:3: unknown transformation `field_name_maping`");
    assert!(done.err.contains(&said) && done.err.contains("`field_name_mapping`?"), "{}", done.err);
    assert!(
        run(&["scan", &log, "--pipeline", "/nowhere"]).err.contains("cannot read the pipeline")
    );
}

#[test]
fn lists_fill_rules_and_are_shown() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let rule = write(
        "rule.yml",
        "title: Mine\nid: 9d1f4c0e-3f5a-4c1b-9a53-2f1f1d0c7b12\ntags: [attack.t1078]\n\
         logsource: {product: linux, service: sshd}\ndetection:\n  sel:\n    \
         user.name|startswith|expand: '%our_admins%'\n  condition: sel\nlevel: high\n",
    );
    let log = write(
        "auth.log",
        "Nov 21 10:00:00 h sshd[1]: Accepted password for toor from 192.0.2.1 port 1 ssh2\n",
    );
    let lists = write("lists.yml", "our_admins: [root, too]\nbuild_tools+: [bazelisk]\n");
    let scan = |more: &[&str]| {
        let fixed = ["scan", &log, "--rules", &rule, "--year", "2026", "--fail-on", "high"];
        run(&fixed.iter().chain(more).copied().collect::<Vec<_>>())
    };
    assert_eq!(scan(&[]).code, Some(0));
    assert_eq!(scan(&["--lists", &lists]).code, Some(1));
    // What a pipeline says wins.
    let values = write("values.yml", "placeholders: {our_admins: [nobody]}\n");
    assert_eq!(scan(&["--lists", &lists, "--pipeline", &values]).code, Some(0));
    let emptied = write("emptied.yml", "our_admins: []\n");
    assert_eq!(scan(&["--lists", &emptied]).code, Some(0));
    let done = run(&["rules", "check", &rule, "--lists", &emptied]);
    assert_eq!(done.out, "1 rules, 0 errors, 0 warnings\n");

    let done = run(&["rules", "lists", "build_tools", "--lists", &lists]);
    assert!(done.out.starts_with("build_tools  rules/lists.yml:"), "{}", done.out);
    assert!(done.out.contains(&format!("{lists}:2 (1)\n")), "{}", done.out);
    assert!(done.out.contains("\n    cargo\n") && done.out.ends_with("\n    bazelisk\n"));
    let done = run(&["rules", "lists", "--lists", &lists, "--format", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!(shown["our_admins"]["values"], serde_json::json!(["root", "too"]));
    assert_eq!(shown["our_admins"]["from"][0]["line"], 1);

    assert!(run(&["rules", "lists", "safe_host"]).err.contains("did you mean `safe_hosts`?"));
    let broken = write("broken.yml", "x: [1]\nsaef_hosts+: [a.org]\n");
    for arguments in [vec!["rules", "lists"], vec!["rules", "list"]] {
        let done = run(&[&arguments[..], &["--lists", &broken]].concat());
        assert_eq!(done.code, Some(2));
        let said = format!("{broken}:2:1: there is no list `saef_hosts` to add to");
        assert!(done.err.contains(&said), "{}", done.err);
    }
}

#[test]
fn completions_and_manual_pages_are_made() {
    for (shell, part) in
        [("bash", "_bergfried"), ("zsh", "#compdef bergfried"), ("fish", "complete -c bergfried")]
    {
        let done = run(&["completions", shell]);
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert!(done.out.contains(part) && done.out.contains("min-severity"), "{shell}");
    }
    assert!(run(&["man"]).out.starts_with(".ie"));
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("man1");
    assert_eq!(run(&["man", "--out", out.to_str().unwrap()]).code, Some(0));
    for page in ["bergfried.1", "bergfried-scan.1", "bergfried-up.1", "bergfried-agent.1"] {
        assert!(out.join(page).metadata().unwrap().len() > 500, "{page}");
    }
}

#[test]
fn every_command_has_help_with_examples() {
    let commands = [
        "up",
        "hub",
        "agent",
        "scan",
        "parse",
        "search",
        "tail",
        "alerts",
        "rules",
        "notify",
        "tokens",
        "completions",
        "man",
    ];
    for command in commands {
        let done = run(&[command, "--help"]);
        assert_eq!(done.code, Some(0), "{command}");
        assert!(done.out.contains("Examples:") && done.out.contains("bergfried"), "{command}");
        assert!(!done.out.contains('\u{1b}'), "{command}");
    }
    assert_eq!(run(&["--version"]).out.trim(), concat!("bergfried ", env!("CARGO_PKG_VERSION")));
}
