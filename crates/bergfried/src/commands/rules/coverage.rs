//! `bergfried rules coverage`.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ExitCode;

use bergfried_rules::{RuleSet, TACTICS, tactics_of};
use clap::Args;
use serde::Serialize;

use crate::arguments::RuleChoice;
use crate::terminal::{bold, colours, plain};

/// Show which MITRE ATT&CK tactics and techniques the rules look for.
///
/// Counts rules that speak by themselves, by their tags. A rule's tags do not say which of its
/// techniques serves which of its tactics, so each counts under all of them. Active rules are those
/// whose log source is understood here.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules coverage
  bergfried rules coverage --rules ~/sigma/rules --format json
  bergfried rules coverage --format navigator > layer.json   # for the ATT&CK Navigator")]
pub(super) struct Coverage {
    #[command(flatten)]
    rules: RuleChoice,
    /// How to print the matrix
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Tactics, and below each its techniques with their numbers of rules
    Table,
    /// One JSON object
    Json,
    /// A layer of the ATT&CK Navigator (version 4.5), scored by active rules
    Navigator,
}

/// How many rules there are for something.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Count {
    rules: usize,
    active: usize,
}

impl Count {
    fn add(&mut self, active: bool) {
        self.rules += 1;
        self.active += usize::from(active);
    }
}

#[derive(Debug, Serialize)]
struct Matrix {
    /// Rules that speak by themselves.
    #[serde(flatten)]
    all: Count,
    /// Those without a technique among their tags.
    untagged: Count,
    /// Different techniques that some active rule looks for.
    techniques_active: usize,
    tactics: Vec<Tactic>,
}

#[derive(Debug, Serialize)]
struct Tactic {
    /// As in tags; empty for techniques of rules that name no tactic.
    tactic: String,
    id: Option<&'static str>,
    name: String,
    #[serde(flatten)]
    count: Count,
    techniques: Vec<Technique>,
}

#[derive(Debug, Serialize)]
struct Technique {
    id: String,
    #[serde(flatten)]
    count: Count,
    /// Titles of the rules.
    titles: Vec<String>,
}

pub(super) fn run(arguments: &Coverage, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let (rules, diagnostics) = arguments.rules.load()?;
    let broken = super::complain_of_errors(&diagnostics);
    let matrix = matrix(&rules);
    match arguments.format {
        Format::Table => table(&matrix, out)?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &matrix)?;
            writeln!(out)?;
        }
        Format::Navigator => {
            serde_json::to_writer_pretty(&mut *out, &layer(&matrix))?;
            writeln!(out)?;
        }
    }
    Ok(if broken { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn matrix(rules: &RuleSet) -> Matrix {
    let (mut all, mut untagged) = (Count::default(), Count::default());
    let mut by_tactic: BTreeMap<String, (Count, BTreeMap<&str, Technique>)> = BTreeMap::new();
    let mut covered = BTreeSet::new();
    for rule in rules.rules().iter().filter(|rule| !rule.is_silent()) {
        let active = rule.class().is_active();
        all.add(active);
        if rule.techniques().is_empty() {
            untagged.add(active);
        } else if active {
            covered.extend(rule.techniques());
        }
        for tactic in tactics_of(rule) {
            let (count, techniques) = by_tactic.entry(tactic).or_default();
            count.add(active);
            for id in rule.techniques().iter().collect::<BTreeSet<_>>() {
                let technique = techniques.entry(id).or_insert_with(|| Technique {
                    id: id.clone(),
                    count: Count::default(),
                    titles: Vec::new(),
                });
                technique.count.add(active);
                technique.titles.push(rule.title().to_owned());
            }
        }
    }
    let place = |tactic: &str| TACTICS.iter().position(|known| known.tag == tactic);
    let mut tactics: Vec<Tactic> = by_tactic
        .into_iter()
        .map(|(tactic, (count, techniques))| {
            let known = place(&tactic).and_then(|index| TACTICS.get(index));
            let other = if tactic.is_empty() { "No tactic named" } else { &tactic };
            Tactic {
                id: known.map(|known| known.id),
                name: known.map_or(other, |known| known.name).to_owned(),
                tactic,
                count,
                techniques: techniques.into_values().collect(),
            }
        })
        .collect();
    tactics.sort_by_key(|tactic| place(&tactic.tactic).unwrap_or(usize::MAX));
    Matrix { all, untagged, techniques_active: covered.len(), tactics }
}

fn table(matrix: &Matrix, out: &mut dyn Write) -> std::io::Result<()> {
    let colours = colours();
    for tactic in &matrix.tactics {
        let name = bold(&format!("{:<28}", plain(&tactic.name)), colours);
        let Count { rules, active } = tactic.count;
        writeln!(out, "{name} {:<8} {rules:>5} rules {active:>5} active", tactic.id.unwrap_or(""))?;
        for technique in &tactic.techniques {
            let Count { rules, active } = technique.count;
            writeln!(out, "  {:<35} {rules:>5} rules {active:>5} active", plain(&technique.id))?;
        }
    }
    let missing: Vec<&str> = TACTICS
        .iter()
        .filter(|known| !known.retired)
        .filter(|known| !matrix.tactics.iter().any(|tactic| tactic.tactic == known.tag))
        .map(|known| known.name)
        .collect();
    if !missing.is_empty() {
        writeln!(out, "no rule for: {}", missing.join(", "))?;
    }
    writeln!(
        out,
        "{} rules, {} active, {} without a technique; {} techniques looked for",
        matrix.all.rules, matrix.all.active, matrix.untagged.rules, matrix.techniques_active
    )
}

/// A layer in the format of the ATT&CK Navigator
/// (<https://github.com/mitre-attack/attack-navigator/tree/master/layers>).
fn layer(matrix: &Matrix) -> serde_json::Value {
    let mut techniques = Vec::new();
    for tactic in &matrix.tactics {
        for technique in &tactic.techniques {
            let mut entry = serde_json::json!({
                "techniqueID": technique.id,
                "score": technique.count.active,
                "comment": technique.titles.join("\n"),
                "enabled": true,
            });
            // The Navigator colours a technique under all its tactics where none is named.
            if tactic.id.is_some()
                && let Some(entry) = entry.as_object_mut()
            {
                entry.insert("tactic".to_owned(), tactic.tactic.clone().into());
            }
            techniques.push(entry);
        }
    }
    let scores = matrix.tactics.iter().flat_map(|tactic| &tactic.techniques);
    let most = scores.map(|technique| technique.count.active).max().unwrap_or(0).max(1);
    serde_json::json!({
        "name": "Bergfried rules",
        "versions": { "navigator": "5.1.0", "layer": "4.5" },
        "domain": "enterprise-attack",
        "description": format!(
            "Techniques that the rules look for, scored by active rules; {} of {} rules are active",
            matrix.all.active, matrix.all.rules
        ),
        "sorting": 3,
        "hideDisabled": false,
        "gradient": { "colors": ["#ffffff", "#1f78b4"], "minValue": 0, "maxValue": most },
        "techniques": techniques,
    })
}

#[cfg(test)]
mod tests {
    use bergfried_rules::Source;

    use super::*;

    #[test]
    fn tactics_are_the_same_with_underscores() {
        let rule = |title, tag| {
            format!(
                "title: {title}\nlogsource: {{product: linux}}\ntags: [{tag}, attack.t1548]\n\
                 detection: {{sel: {{user.name: {title}}}, condition: sel}}\n"
            )
        };
        let text = format!(
            "{}---\n{}",
            rule("a", "attack.privilege_escalation"),
            rule("b", "attack.privilege-escalation")
        );
        let (rules, _) = RuleSet::load([Source { file: "r.yml".to_owned(), text }]);
        let matrix = matrix(&rules);
        let [tactic] = matrix.tactics.as_slice() else { panic!("{:?}", matrix.tactics.len()) };
        assert_eq!((tactic.name.as_str(), tactic.count.rules), ("Privilege Escalation", 2));
    }
}
