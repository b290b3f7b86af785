//! Rule files made at random, both programs on each.
//!
//! `SEC_CASES=N` plays so many of them, `SEC_SEED=N` begins at another. A case that differs is made
//! smaller before it is shown.

use std::collections::BTreeMap;
use std::time::Instant;

use super::play;
use super::random::{Case, Random, case};
use super::scenario::Scenario;

/// How many cases that differ are made smaller and shown.
const SHOWN: usize = 3;
/// How many rule files one process reads.
const FILES: usize = 10;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Rule files by the dozen, on lines that come in no time.
#[test]
fn random_rule_files_do_as_with_sec() {
    let cases = number("SEC_CASES", 300).div_ceil(FILES as u64);
    let seed = number("SEC_SEED", 1);
    let all: Vec<_> = (seed..seed + cases).map(|seed| (seed, case(seed, FILES, false))).collect();
    let scenarios: Vec<_> = all.iter().map(|(seed, case)| instant(*seed, case)).collect();
    let differences = play::differences(&scenarios);
    let shown: Vec<String> = differences
        .iter()
        .take(SHOWN)
        .map(|told| {
            let seed = told.split_whitespace().nth(1).and_then(|text| text.parse::<u64>().ok());
            let found = all.iter().find(|(number, _)| Some(*number) == seed).unwrap();
            smaller(found.0, found.1.clone())
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {cases} differ; some of them, made smaller:\n{}",
        differences.len(),
        shown.join("\n")
    );
}

/// The same with windows of one and two seconds, on lines over five.
#[test]
fn random_rule_files_in_time_do_as_with_sec() {
    let cases = number("SEC_CASES", 300).div_ceil(60);
    let seed = number("SEC_SEED", 1) + 1_000_000;
    let scenarios: Vec<_> =
        (seed..seed + cases).map(|seed| timed(seed, &case(seed, FILES / 2, true))).collect();
    play::check(&scenarios);
}

fn files(case: &Case) -> BTreeMap<String, String> {
    let names = ('a'..='z').map(|name| format!("{name}.sec"));
    names.zip(case.files.iter().map(|rules| rules.join("\n"))).collect()
}

fn instant(seed: u64, case: &Case) -> Scenario {
    let name = format!("seed {seed} ");
    let mut lines = case.lines.join("\n");
    lines.push('\n');
    let mut scenario = Scenario::instant(&name, files(case), lines);
    scenario = scenario.with_stubs(&[], &["--intcontexts"]);
    scenario.errors = true;
    scenario
}

fn timed(seed: u64, case: &Case) -> Scenario {
    let mut random = Random::new(seed);
    let mut steps = String::new();
    for line in &case.lines {
        let (second, tenth) = (random.below(5), 3 + random.below(4));
        steps.push_str(&format!("{second}.{tenth} > {line}\n"));
    }
    steps.push_str("8.5 end\n");
    let mut scenario = Scenario::timed(&format!("seed {seed} "), files(case), steps);
    scenario = scenario.with_stubs(&[], &["--intcontexts"]);
    scenario.unordered =
        Some("what expires in one sweep does so in the order of a hash".to_owned());
    scenario
}

/// Takes away rules and lines as long as the programs differ.
fn smaller(seed: u64, mut case: Case) -> String {
    let begun = Instant::now();
    let told = |case: &Case| play::differences(&[instant(seed, case)]).pop();
    let mut last = told(&case);
    let mut chunk = 16;
    while chunk > 0 && begun.elapsed().as_secs() < 30 {
        let before = (rules(&case), case.lines.len());
        let mut at = 0;
        while at < rules(&case) + case.lines.len() {
            let mut less = case.clone();
            remove(&mut less, at, chunk);
            match told(&less) {
                Some(difference) => (case, last) = (less, Some(difference)),
                None => at += chunk,
            }
        }
        if before == (rules(&case), case.lines.len()) || chunk > 1 {
            chunk /= 2;
        }
    }
    let files: Vec<_> = files(&case).into_iter().filter(|(_, text)| !text.is_empty()).collect();
    let mut text = last.unwrap_or_else(|| "no longer differs".to_owned());
    for (name, rules) in files {
        text.push_str(&format!("--- {name}\n{rules}\n"));
    }
    text.push_str(&format!("--- lines\n{}\n", case.lines.join("\n")));
    text
}

fn rules(case: &Case) -> usize {
    case.files.iter().map(Vec::len).sum()
}

/// Removes some of the rules, and the lines behind them, counted through.
fn remove(case: &mut Case, from: usize, count: usize) {
    let mut number = 0;
    let mut keep = || {
        number += 1;
        number <= from || number > from + count
    };
    for rules in &mut case.files {
        rules.retain(|_| keep());
    }
    case.lines.retain(|_| keep());
}
