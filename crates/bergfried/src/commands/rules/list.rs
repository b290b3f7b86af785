//! `bergfried rules list`.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use bergfried_event::Severity;
use bergfried_rules::{Class, Rule};
use clap::Args;

use super::sec;
use super::stats::Reloaded;
use crate::arguments::{HubChoice, RuleChoice};
use crate::client::Client;
use crate::terminal::{colours, paint, plain};

/// List the rules: how bad, whether they can fire here, log source, ATT&CK techniques, title.
///
/// The state of a rule is `active`, `silent` (only other rules hear of it), `needs` (no event that
/// is understood here is of its log source) or `unsupported`; the JSON form says why. Rules of SEC, the
/// Simple Event Correlator, follow: those of --sec, else those that the hub runs.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules list
  bergfried rules list --level high --tag attack.persistence
  bergfried rules list --rules ~/sigma/rules --logsource process_creation --format json")]
pub(super) struct List {
    #[command(flatten)]
    rules: RuleChoice,
    /// Rules of SEC from this directory or file; repeatable
    #[arg(long, value_name = "PATH")]
    sec: Vec<PathBuf>,
    /// Only rules at least this severe
    #[arg(long, value_name = "SEVERITY", default_value = "informational")]
    level: Severity,
    /// Only rules with this tag, or one below it: attack.t1110 also finds attack.t1110.001
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only rules whose log source has this word as product, category or service
    #[arg(long, value_name = "WORD")]
    logsource: Option<String>,
    /// How to print rules
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line a rule
    Table,
    /// One JSON array of rules
    Json,
}

pub(super) fn run(
    arguments: &List,
    hub: &HubChoice,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let (rules, diagnostics) = arguments.rules.load()?;
    let broken = super::complain_of_errors(&diagnostics);
    let hits = hits(hub);
    let chosen: Vec<&Rule> = rules.rules().iter().filter(|rule| arguments.wants(rule)).collect();
    let (of_sec, told) = sec::listed(&arguments.sec, hub)?;
    let broken = super::complain_of_errors(&told) || broken;
    // Their alerts say for themselves how bad they are, and they have neither tags nor log sources.
    let wants_sec = arguments.level == Severity::Informational
        && arguments.tag.is_none()
        && arguments.logsource.is_none();
    let of_sec = if wants_sec { of_sec } else { Vec::new() };
    match arguments.format {
        Format::Table => {
            let colours = colours();
            for rule in &chosen {
                let level = paint(rule.level(), &format!("{:<13}", rule.level().name()), colours);
                let state = state(rule);
                let source = plain(&rule.logsource().unwrap_or_else(|| "correlation".to_owned()));
                let techniques = rule.techniques().join(" ");
                let title = plain(rule.title());
                let id = plain(rule.id());
                write!(out, "{level} {state:<11} {id:<36} {source:<34} {techniques:<20} ")?;
                if let Some(hits) = &hits {
                    write!(out, "{:>8} hits  ", hits.get(rule.id()).copied().unwrap_or(0))?;
                }
                writeln!(out, "{title}")?;
            }
            for rule in &of_sec {
                write!(
                    out,
                    "{:<13} {:<11} {:<36} {:<34} ",
                    "sec",
                    "active",
                    plain(&rule.id),
                    rule.what()
                )?;
                write!(out, "{:<20} ", "")?;
                if let Some(hits) = rule.hits.filter(|_| hits.is_some()) {
                    write!(out, "{hits:>8} hits  ")?;
                }
                writeln!(out, "{}", plain(&rule.title))?;
            }
            writeln!(out, "{} rules", chosen.len() + of_sec.len())?;
        }
        Format::Json => {
            let shown: Vec<serde_json::Value> = chosen
                .iter()
                .map(|rule| {
                    let mut value = serde_json::json!({
                        "id": rule.id(),
                        "title": rule.title(),
                        "level": rule.level(),
                        "state": state(rule),
                        "logsource": rule.logsource(),
                        "tags": rule.tags(),
                        "techniques": rule.techniques(),
                        "fields": rule.fields(),
                        "file": rule.file(),
                        "line": rule.line(),
                    });
                    if let Some(value) = value.as_object_mut() {
                        if !rule.class().is_active() {
                            value.insert("reason".to_owned(), rule.class().reason().into());
                        }
                        if let Some(hits) = &hits {
                            let hits = hits.get(rule.id()).copied().unwrap_or(0);
                            value.insert("hits".to_owned(), hits.into());
                        }
                    }
                    value
                })
                .chain(of_sec.iter().map(sec::Listed::json))
                .collect();
            serde_json::to_writer_pretty(&mut *out, &shown)?;
            writeln!(out)?;
        }
    }
    Ok(if broken { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

impl List {
    fn wants(&self, rule: &Rule) -> bool {
        let tagged = |tag: &String| {
            rule.tags().iter().any(|own| {
                own.strip_prefix(tag.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        let sourced = |word: &String| {
            let source = rule.logsource();
            source.is_some_and(|source| source.split('/').any(|own| own == word))
        };
        rule.level() >= self.level
            && self.tag.as_ref().is_none_or(tagged)
            && self.logsource.as_ref().is_none_or(sourced)
    }
}

/// `active`, `silent` (only other rules hear of it), `needs` (a source) or `unsupported`.
fn state(rule: &Rule) -> &'static str {
    match rule.class() {
        Class::Active if rule.is_silent() => "silent",
        class => class.word(),
    }
}

/// How often each rule matched on the hub, by id; none where no hub answers. Says where the hub did
/// not take the last change of its rules.
fn hits(hub: &HubChoice) -> Option<HashMap<String, u64>> {
    #[derive(serde::Deserialize)]
    struct Stats {
        id: String,
        hits: u64,
    }
    #[derive(serde::Deserialize)]
    struct Health {
        failed_reload: Option<Reloaded>,
    }
    let client = Client::new(hub).ok()?;
    let stats: Vec<Stats> = client.get("rules/stats", &[]).ok()?;
    if let Ok(Health { failed_reload: Some(failed) }) = client.get("health", &[]) {
        failed.complain();
    }
    Some(stats.into_iter().map(|rule| (rule.id, rule.hits)).collect())
}
