//! Chains in the running hub and in `bergfried parse --config`.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::hub::Hub;
use crate::support::process::{bergfried, run_with};
use crate::support::wait_until;

/// Patterns that make other engines try for years, and one that only steps can bound.
const HARD: &str = r#"
[[chain]]
name = "hard"
when = "program:app"
[[chain.step]]
grok = { patterns = [
  '^(a+)+$',
  '^(\w+\s?)*$',
  '%{DATA:a}%{DATA:b}%{DATA:c}%{DATA:d}%{DATA:e}=%{DATA:f}!!$',
  '^(?<x>(a|aa)+)\k<x>\k<x>!$',
  '^fine: %{NUMBER:number:int}',
] }
[[chain.step]]
when = "message:noise"
drop = {}
"#;

fn line(text: &str) -> String {
    format!("{} web1 app[7]: {text}", crate::support::lines::ago(10))
}

#[test]
fn patterns_that_are_too_hard_stall_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("hub.toml");
    std::fs::write(&config, HARD).unwrap();
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let mut lines = Vec::new();
    for number in 0..30 {
        lines.push(line(&format!("{}?", "a".repeat(200 + number))));
        lines.push(line(&format!("fine: {number}")));
        lines.push(line("noise"));
    }
    let begun = Instant::now();
    let answer = hub.send("cafe", "web1", &lines);
    let took = begun.elapsed();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(took < Duration::from_secs(60), "{took:?}");

    // What was let go was answered, and takes no id.
    assert_eq!(hub.stored(), 60);
    let status = hub.get("/api/v1/status");
    assert_eq!(status["counters"]["dropped"], 30, "{status}");
    assert_eq!(hub.search("tags:_groktimeout").len(), 30);
    assert_eq!(hub.search("\"number\":>=0").len(), 30);

    let chains = hub.get("/api/v1/chains");
    let chain = &chains["chains"][0];
    assert_eq!((&chain["held"], &chain["dropped"]), (&90.into(), &30.into()), "{chain}");
    let patterns = chain["steps"][0]["patterns"].as_array().unwrap();
    let hard: Vec<u64> = patterns.iter().map(|one| one["too_hard"].as_u64().unwrap()).collect();
    assert_eq!(hard, [0, 0, 0, 30, 0], "{chain}");
    assert_eq!(patterns[4]["matched"], 30);
    assert!(patterns[3]["nanoseconds_per_text"].as_f64().unwrap() > 0.0, "{chain}");
    let health = hub.get("/api/v1/health");
    let problem = health["problems"][0].as_str().unwrap();
    assert!(problem.contains("pattern 4 in step 1 of the chain `hard`"), "{health}");
    let again = hub.send("cafe", "web1", &lines);
    assert_eq!((again.status, hub.stored()), (200, 60));
}

#[test]
fn chains_change_while_the_hub_runs_and_a_mistake_keeps_those_of_before() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("hub.toml");
    let chain = |tag: &str| {
        std::fs::write(
            &config,
            format!("[[chain]]\nname = 'x'\n[[chain.step]]\nadd_tag = {tag}\n"),
        )
        .unwrap();
    };
    chain("'one'");
    let hub = Hub::start_with_config(&directory.path().join("data"), &config);
    let reload = || hub.ask("POST", "/api/v1/chains/reload", "").json();
    assert_eq!(hub.send("1", "web1", &[line("first")]).status, 200);
    assert_eq!(hub.search("tags:one").len(), 1);

    chain("'%{+QQ}'");
    let kept = reload();
    assert_eq!(kept["status"], "kept", "{kept}");
    assert!(kept["mistakes"][0].as_str().unwrap().contains("hub.toml:4:11: "), "{kept}");
    let audited = hub.audited("chains.reload");
    assert_eq!((&audited["before"], &audited["after"]), (&json!({}), &json!({})));
    assert_eq!(hub.send("2", "web1", &[line("second")]).status, 200);
    assert_eq!(hub.search("tags:one").len(), 2);
    let health = hub.get("/api/v1/health");
    assert!(health["problems"][0].as_str().unwrap().contains("the change of the chains"));

    chain("'two'");
    assert_eq!(reload()["status"], "taken");
    let mut sent = 2;
    wait_until("the new chain runs", || {
        sent += 1;
        assert_eq!(hub.send(&sent.to_string(), "web1", &[line("more")]).status, 200);
        !hub.search("tags:two").is_empty()
    });
    assert_eq!(hub.get("/api/v1/health")["status"], "ok");
}

fn parse(config: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = bergfried(&["parse", "--config", config.to_str().unwrap()]);
    command.args(arguments);
    let done = run_with(command, input.as_bytes());
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""), "{}", done.out);
    done.out
}

#[test]
fn parse_runs_the_chains_of_a_configuration_and_explains_them() {
    let directory = tempfile::tempdir().unwrap();
    let config = directory.path().join("hub.toml");
    let inputs = "[[input]]\nname = 'home'\ntype = 'syslog'\ntcp = '127.0.0.1:0'\ntags = 'net'\n";
    std::fs::write(&config, format!("{inputs}{HARD}")).unwrap();
    let lines = "Nov 21 10:00:00 web1 app[7]: fine: 5\nNov 21 10:00:00 web1 app[7]: noise\n";

    let out = parse(&config, &[], lines);
    let events: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events.len(), 1, "{out}");
    assert_eq!((&events[0]["number"], &events[0]["input.name"]), (&5.into(), &"home".into()));
    assert_eq!(events[0]["tags"][0], "net");

    let out = parse(&config, &["--explain", "--input", "home"], lines);
    for part in [
        "chain hard",
        "pattern 5   matches",
        "+ number                       5",
        "lets the event go",
        "condition does not hold",
        "2 lines, 1 kept",
    ] {
        assert!(out.contains(part), "{part} in\n{out}");
    }

    std::fs::write(&config, "[[chain]]\nname = 'x'\n[[chain.step]]\ngrok = {}\n").unwrap();
    let done = run_with(bergfried(&["parse", "--config", config.to_str().unwrap(), "-"]), b"");
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("hub.toml:4:1: no pattern is given"), "{}", done.err);
}
