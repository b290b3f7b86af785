//! `bergfried rules test`.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bergfried_event::{Finding, Severity};
use bergfried_rules::{Engine, Limits, Rule, RuleSet};
use clap::Args;

use super::event;
use super::samples::Samples;
use crate::arguments::{RuleChoice, Tables};
use crate::terminal::{colours, paint, plain};

/// Run the samples beside rules: those that must fire and those that must not.
///
/// Samples of `linux/auth/ssh.yml` are `linux/auth/samples/ssh/fires.*`, `silent.*` and
/// `expected.json`; or, as SigmaHQ keeps them, `regression_data/linux/auth/ssh/` in a directory
/// above, with files named by the rule's id. Log lines (.log), JSON (.json, .jsonl) and Windows
/// event logs (.evtx) are read. Status 1 where a sample fails.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules test ./my-rules
  bergfried rules test ~/sigma/rules --format json")]
pub(super) struct Test {
    /// Directories or files of Sigma rules
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    tables: Tables,
    /// How to print the results
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each rule that has samples, and a summary
    Table,
    /// One JSON object with every rule and the summary
    Json,
}

/// The host of sample lines that name none.
const HOST: &str = "myhost";

/// What became of the samples of one rule.
struct Outcome<'r> {
    rule: &'r Rule,
    /// How many files of events it was shown.
    samples: usize,
    /// Why it failed; empty where it passed.
    failures: Vec<String>,
}

pub(super) fn run(arguments: &Test, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let choice = RuleChoice {
        rules: arguments.paths.clone(),
        tables: arguments.tables.clone(),
        ..RuleChoice::default()
    };
    let (rules, diagnostics) = choice.load()?;
    let broken = super::complain_of_errors(&diagnostics);
    let rules = Arc::new(rules);
    let mut by_file: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, rule) in rules.rules().iter().enumerate() {
        by_file.entry(rule.file()).or_default().push(index);
    }
    let (mut outcomes, mut without) = (Vec::new(), 0);
    for (file, indices) in by_file {
        let samples = Samples::of(Path::new(file))?;
        if samples.is_empty() {
            without += indices.len();
            continue;
        }
        let shown = match &samples.lists {
            Some(lists) => Arc::new(choice.with_lists(lists).load()?.0),
            None => Arc::clone(&rules),
        };
        outcomes.extend(outcomes_of(&rules, &shown, &indices, &samples)?);
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.failures.is_empty()).count();
    let passed = outcomes.len() - failed;
    match arguments.format {
        Format::Table => {
            let colours = colours();
            for outcome in &outcomes {
                let rule = outcome.rule;
                let place = format!("{}:{}", plain(rule.file()), rule.line());
                if outcome.failures.is_empty() {
                    writeln!(out, "pass  {}  {place}", plain(rule.title()))?;
                    continue;
                }
                let mark = paint(Severity::High, "FAIL", colours);
                writeln!(out, "{mark}  {}  {place}", plain(rule.title()))?;
                for failure in &outcome.failures {
                    writeln!(out, "      {}", plain(failure))?;
                }
            }
            writeln!(out, "{passed} rules passed, {failed} failed, {without} without samples")?;
        }
        Format::Json => {
            let shown: Vec<serde_json::Value> = outcomes.iter().map(json).collect();
            let answer = serde_json::json!({
                "passed": passed,
                "failed": failed,
                "without_samples": without,
                "rules": shown,
            });
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)?;
        }
    }
    Ok(match (broken, failed) {
        (true, _) => ExitCode::from(2),
        (false, 0) => ExitCode::SUCCESS,
        (false, _) => ExitCode::from(1),
    })
}

fn json(outcome: &Outcome<'_>) -> serde_json::Value {
    serde_json::json!({
        "id": outcome.rule.id(),
        "title": outcome.rule.title(),
        "file": outcome.rule.file(),
        "line": outcome.rule.line(),
        "samples": outcome.samples,
        "passed": outcome.failures.is_empty(),
        "failures": outcome.failures,
    })
}

/// The rules of one file over its samples, which are shown to the same rules under the lists of the
/// samples. A rule that only other rules hear of is proved by theirs.
fn outcomes_of<'r>(
    rules: &'r Arc<RuleSet>,
    shown: &Arc<RuleSet>,
    indices: &[usize],
    samples: &Samples,
) -> anyhow::Result<Vec<Outcome<'r>>> {
    let chosen: Vec<(usize, &Rule)> = indices
        .iter()
        .filter_map(|index| Some((*index, rules.rules().get(*index)?)))
        .filter(|(_, rule)| !rule.is_silent())
        .collect();
    let mut outcomes: Vec<Outcome<'r>> =
        chosen.iter().map(|(_, rule)| Outcome { rule, samples: 0, failures: Vec::new() }).collect();
    beside(shown, samples, &mut outcomes)?;
    for ((index, rule), outcome) in chosen.iter().zip(&mut outcomes) {
        for (path, wanted) in samples.matches.get(rule.id()).into_iter().flatten() {
            let found = count(shown, *index, path)?;
            outcome.samples += 1;
            let sound = wanted.map_or(found > 0, |wanted| found == wanted);
            if !sound {
                let wanted = wanted.map_or("at least 1".to_owned(), |wanted| wanted.to_string());
                let failure =
                    format!("{} matches {found} times, expected {wanted}", path.display());
                outcome.failures.push(failure);
            }
        }
    }
    outcomes.retain(|outcome| outcome.samples > 0);
    Ok(outcomes)
}

/// Runs the samples of the folder beside the rule file.
fn beside(
    rules: &Arc<RuleSet>,
    samples: &Samples,
    outcomes: &mut [Outcome<'_>],
) -> anyhow::Result<()> {
    let year = expected_year(samples);
    let mut stated = Vec::new();
    for path in &samples.fires {
        stated.extend(findings(rules, path, year)?);
    }
    for outcome in outcomes.iter_mut() {
        let id = outcome.rule.id();
        let own = |finding: &&Finding| finding.rule_id == id;
        outcome.samples += samples.fires.len() + samples.silent.len();
        if !samples.fires.is_empty() && !stated.iter().any(|finding| finding.rule_id == id) {
            outcome.failures.push(format!("is silent over {}", names(&samples.fires)));
        }
        if let Some(serde_json::Value::Array(expected)) = &samples.expected {
            let expected: Vec<&serde_json::Value> =
                expected.iter().filter(|finding| finding["rule.id"] == id).collect();
            let stated = stated.iter().filter(own).map(serde_json::to_value);
            let stated: Vec<serde_json::Value> = stated.collect::<Result<_, _>>()?;
            if let Some(difference) = difference(&stated, &expected) {
                outcome.failures.push(difference);
            }
        }
    }
    for path in &samples.silent {
        for finding in findings(rules, path, year)? {
            let spoke = outcomes.iter_mut().find(|outcome| outcome.rule.id() == finding.rule_id);
            if let Some(outcome) = spoke {
                let line = &finding.example;
                outcome.failures.push(format!("speaks over {}: {line}", path.display()));
            }
        }
    }
    Ok(())
}

fn names(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

/// Where what a rule stated is not what was expected of it.
fn difference(stated: &[serde_json::Value], expected: &[&serde_json::Value]) -> Option<String> {
    if stated.len() != expected.len() {
        return Some(format!("states {} findings, expected {}", stated.len(), expected.len()));
    }
    for (number, (stated, expected)) in stated.iter().zip(expected).enumerate() {
        let (Some(stated), Some(expected)) = (stated.as_object(), expected.as_object()) else {
            continue;
        };
        let keys = stated.keys().chain(expected.keys());
        for key in keys {
            let (is, should) = (stated.get(key), expected.get(key));
            if is != should {
                let text = |value: Option<&serde_json::Value>| {
                    value.map_or("nothing".to_owned(), ToString::to_string)
                };
                let (is, should) = (text(is), text(should));
                return Some(format!("finding {}: {key} is {is}, expected {should}", number + 1));
            }
        }
    }
    None
}

/// The year of the last finding that is expected: sample lines often have none.
fn expected_year(samples: &Samples) -> Option<i16> {
    let expected = samples.expected.as_ref()?.as_array()?;
    let last = expected.iter().filter_map(|finding| finding["last_seen"].as_str()).max()?;
    last.get(..4)?.parse().ok()
}

/// What the rules state over a file, follow-ups folded into the finding that they follow.
fn findings(rules: &Arc<RuleSet>, path: &Path, year: Option<i16>) -> anyhow::Result<Vec<Finding>> {
    let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
    let mut engine = Engine::new(Arc::clone(rules), limits);
    let mut stated = Vec::new();
    let mut number = 0;
    event::each(path, rules, HOST, year, |event| {
        number += 1;
        engine.observe(event, number, &mut stated);
    })?;
    engine.flush(&mut stated);
    Ok(fold(stated))
}

fn fold(stated: Vec<Finding>) -> Vec<Finding> {
    let mut folded: Vec<Finding> = Vec::new();
    for finding in stated {
        let about = |finding: &Finding| match finding.group.is_empty() {
            true => (finding.host.clone(), finding.user.clone(), finding.source.clone()),
            false => (None, None, None),
        };
        let same = folded.iter_mut().find(|known| {
            known.rule_id == finding.rule_id
                && known.group == finding.group
                && about(known) == about(&finding)
        });
        match same {
            Some(known) => {
                known.count += finding.count;
                known.last_seen = finding.last_seen;
                known.user = known.user.take().filter(|user| finding.user.as_ref() == Some(user));
            }
            None => folded.push(finding),
        }
    }
    folded
}

/// How many events of a file a detection matches, or how many findings another rule states.
fn count(rules: &Arc<RuleSet>, index: usize, path: &Path) -> anyhow::Result<u64> {
    let Some(rule) = rules.rules().get(index) else { return Ok(0) };
    let Some(predicate) = rule.predicate() else {
        let stated = findings(rules, path, None)?;
        return Ok(stated.iter().filter(|finding| finding.rule_id == rule.id()).count() as u64);
    };
    let mut found = 0;
    event::each(path, rules, HOST, None, |event| {
        if predicate.matches(event) && rules.missing_words(index, event).is_empty() {
            found += 1;
        }
    })?;
    Ok(found)
}
