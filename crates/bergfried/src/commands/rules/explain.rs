//! `bergfried rules explain`.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;
use bergfried_event::{Event, nearest};
use bergfried_query::{Explanation, Node};
use bergfried_rules::{Rule, RuleSet};
use clap::Args;

use super::event;
use crate::arguments::{HubChoice, RuleChoice};
use crate::terminal::{bold, colours, fit, plain, width};

/// Say why a rule matches an event, or why not: every atom, what it asked and what it saw.
///
/// The event's log sources come first, since a rule meets only events of those that it asks for.
/// Status 0: the rule matches. 1: it does not. 2: something could not be read.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules explain 4711 'SSH brute force'
  bergfried rules explain 'Nov 20 10:00:00 web1 sshd[9]: Failed password for bob' ./my-rule.yml
  bergfried rules explain @event.json 92d51340-55b0-4339-8012-a88ced8b9a8c")]
pub(super) struct Explain {
    /// A log line, a JSON object, `@FILE` or `-` with one of these, or the number of an event of
    /// the hub
    #[arg(value_name = "EVENT", allow_hyphen_values = true)]
    event: String,
    /// A rule's id, name or title, or a file of rules
    #[arg(value_name = "RULE")]
    rule: String,
    #[command(flatten)]
    rules: RuleChoice,
    /// How to print the explanation
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A tree with a mark before each part
    Table,
    /// One JSON array with an object for each rule
    Json,
}

/// Parts past this many, of one list and all with the same answer, are counted instead of shown.
const SHOWN: usize = 24;

/// What there is to say of one rule.
struct Verdict<'r> {
    rule: &'r Rule,
    /// Log-source words that the rule asks for and the event does not give.
    missing: Vec<String>,
    explanation: Explanation,
}

impl Verdict<'_> {
    fn matches(&self) -> bool {
        self.missing.is_empty() && self.explanation.held
    }
}

pub(super) fn run(
    arguments: &Explain,
    hub: &HubChoice,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let mut event = event::named(&arguments.event, hub)?;
    let path = Path::new(&arguments.rule);
    let from_file = path.exists();
    let (rules, diagnostics) = if from_file {
        let rules = vec![path.to_owned()];
        RuleChoice { rules, ..arguments.rules.clone() }.load()?
    } else {
        arguments.rules.load()?
    };
    let broken = super::complain_of_errors(&diagnostics);
    rules.judge(&mut event);
    let chosen =
        if from_file { (0..rules.len()).collect() } else { vec![find(&rules, &arguments.rule)?] };
    let mut verdicts = Vec::new();
    for index in chosen {
        verdicts.extend(verdicts_of(&rules, index, &event));
    }
    match arguments.format {
        Format::Table => table(&rules, &event, &verdicts, out)?,
        Format::Json => {
            let shown: Vec<serde_json::Value> = verdicts.iter().map(json).collect();
            serde_json::to_writer_pretty(&mut *out, &shown)?;
            writeln!(out)?;
        }
    }
    Ok(match (broken, verdicts.iter().any(Verdict::matches)) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::SUCCESS,
        (false, false) => ExitCode::from(1),
    })
}

/// The rule of this id, name or title.
fn find(rules: &RuleSet, wanted: &str) -> anyhow::Result<usize> {
    let is =
        |rule: &Rule| rule.id() == wanted || rule.name() == Some(wanted) || rule.title() == wanted;
    if let Some(index) = rules.rules().iter().position(is) {
        return Ok(index);
    }
    let known = rules
        .rules()
        .iter()
        .flat_map(|rule| [Some(rule.title()), rule.name(), Some(rule.id())].into_iter().flatten());
    let wanted = wanted.escape_debug();
    match nearest(&wanted.to_string(), known) {
        Some(near) => bail!("no file, and no rule is called `{wanted}`, did you mean `{near}`?"),
        None => bail!("no file, and no rule has the id, name or title `{wanted}`"),
    }
}

/// The rule itself; for a correlation, the detections that it stands on.
fn verdicts_of<'r>(rules: &'r RuleSet, index: usize, event: &Event<'_>) -> Vec<Verdict<'r>> {
    let Some(rule) = rules.rules().get(index) else { return Vec::new() };
    match rule.predicate() {
        Some(predicate) => vec![Verdict {
            rule,
            missing: rules.missing_words(index, event),
            explanation: predicate.explain(event),
        }],
        None => rules
            .referred(index)
            .into_iter()
            .flat_map(|below| verdicts_of(rules, below, event))
            .collect(),
    }
}

fn table(
    rules: &RuleSet,
    event: &Event<'_>,
    verdicts: &[Verdict<'_>],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (colours, width) = (colours(), width());
    let line = fit(&plain(event.original()), width.saturating_sub(13));
    writeln!(out, "{} {} {line}", bold("Event", colours), event.created())?;
    let words = rules.words_of(event);
    let words = if words.is_empty() { "none known".to_owned() } else { words.join(", ") };
    writeln!(out, "  log sources  {}", plain(&words))?;
    if event.dropped_fields() > 0 {
        writeln!(out, "  {} fields did not fit and were left out", event.dropped_fields())?;
    }
    for verdict in verdicts {
        let rule = verdict.rule;
        writeln!(out, "\n{} {}", bold("Rule", colours), plain(rule.title()))?;
        writeln!(out, "  id           {}", plain(rule.id()))?;
        writeln!(out, "  file         {}:{}", plain(rule.file()), rule.line())?;
        writeln!(out, "  log source   {}", plain(&rule.logsource().unwrap_or_default()))?;
        let answer = match (verdict.matches(), verdict.missing.is_empty()) {
            (true, _) => "matches".to_owned(),
            (false, true) => "does not match".to_owned(),
            (false, false) => {
                let held = if verdict.explanation.held { "holds" } else { "does not hold either" };
                let missing = plain(&verdict.missing.join(", "));
                format!("is not of this log source ({missing}); the condition {held}")
            }
        };
        writeln!(out, "  {}", bold(&answer, colours))?;
        tree(&verdict.explanation, 1, width, out)?;
    }
    if verdicts.is_empty() {
        writeln!(out, "\nthere is no rule in this file")?;
    }
    Ok(())
}

fn tree(
    explanation: &Explanation,
    depth: usize,
    width: usize,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let mark = if explanation.held { '+' } else { '-' };
    let indent = "  ".repeat(depth.min(20));
    let mut list = |title: &str, parts: &[Explanation]| {
        writeln!(out, "{indent}{mark} {title}")?;
        let mut left_out = 0_usize;
        for (index, part) in parts.iter().enumerate() {
            // What decides is always shown, however long the list.
            if index >= SHOWN && part.held == parts.first().is_some_and(|first| first.held) {
                left_out += 1;
            } else {
                tree(part, depth + 1, width, out)?;
            }
        }
        if left_out > 0 {
            writeln!(out, "{indent}    … and {left_out} more alike")?;
        }
        Ok(())
    };
    match &explanation.node {
        Node::Constant => {
            writeln!(out, "{indent}{mark} always {}", if explanation.held { "yes" } else { "no" })
        }
        Node::All(parts) => list("all of", parts),
        Node::Any(parts) => list("any of", parts),
        Node::AtLeast(needed, parts) => list(&format!("at least {needed} of"), parts),
        Node::Not(inner) => list("not", std::slice::from_ref(inner)),
        Node::Atom { asked, saw } => {
            let room = width.saturating_sub(indent.len() + 2);
            writeln!(out, "{indent}{mark} {}", fit(&format!("{asked}   saw {saw}"), room.max(60)))
        }
    }
}

fn json(verdict: &Verdict<'_>) -> serde_json::Value {
    serde_json::json!({
        "id": verdict.rule.id(),
        "title": verdict.rule.title(),
        "logsource": verdict.rule.logsource(),
        "matches": verdict.matches(),
        "missing_log_sources": verdict.missing,
        "condition": tree_json(&verdict.explanation),
    })
}

fn tree_json(explanation: &Explanation) -> serde_json::Value {
    let all =
        |parts: &[Explanation]| -> Vec<serde_json::Value> { parts.iter().map(tree_json).collect() };
    let held = explanation.held;
    match &explanation.node {
        Node::Constant => serde_json::json!({ "held": held, "kind": "constant" }),
        Node::All(parts) => serde_json::json!({ "held": held, "kind": "all", "of": all(parts) }),
        Node::Any(parts) => serde_json::json!({ "held": held, "kind": "any", "of": all(parts) }),
        Node::AtLeast(needed, parts) => serde_json::json!({
            "held": held, "kind": "at_least", "needed": needed, "of": all(parts),
        }),
        Node::Not(inner) => serde_json::json!({
            "held": held, "kind": "not", "of": [tree_json(inner)],
        }),
        Node::Atom { asked, saw } => serde_json::json!({
            "held": held, "kind": "atom", "asked": asked, "saw": saw,
        }),
    }
}
