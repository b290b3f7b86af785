//! `bergfried rules check`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use bergfried_event::Severity;
use bergfried_rules::{Diagnostic, DiagnosticSeverity, RuleSet, SeenSources};
use clap::Args;

use super::{event, sec};
use crate::arguments::{HubChoice, RuleChoice, Tables};
use crate::client::Client;
use crate::terminal::{colours, paint, plain};

/// Check rule files: every mistake and weakness with file, line and column.
///
/// An error keeps a rule from being loaded; the status is then 2. A warning is about a rule that
/// loads, but may not do what its author thinks: unknown fields, selections that nothing uses,
/// slow regular expressions, the same condition twice, log sources that nobody here has. With
/// --events or --hub, what counts as a log source is what those events are of.
///
/// Files that are not .yml or .yaml, and .sec files in directories, are rule files of SEC, the Simple
/// Event Correlator: of these also rules that nothing reaches, patterns that can never match, and
/// values of logs in places of a command line where no quoting helps.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules check ./my-rules
  bergfried rules check /etc/sec/*.conf
  bergfried rules check ~/sigma/rules --events /var/log/auth.log
  bergfried rules check ./my-rules --hub --format json")]
pub(super) struct Check {
    /// Directories or files of rules
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    tables: Tables,
    /// Say which rules can never fire on the events of these files; repeatable
    #[arg(long, value_name = "FILE")]
    events: Vec<PathBuf>,
    /// Say which rules can never fire on the events that the hub has seen
    #[arg(long)]
    hub: bool,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line a finding, as compilers write them, and a summary
    Table,
    /// One JSON object with the findings and the summary
    Json,
}

pub(super) fn run(
    arguments: &Check,
    hub: &HubChoice,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let (paths, sets) = sec::split(&arguments.paths)?;
    let (rules, mut diagnostics) = match paths.is_empty() {
        true => (RuleSet::default(), Vec::new()),
        false => {
            let choice = RuleChoice {
                rules: paths,
                tables: arguments.tables.clone(),
                ..RuleChoice::default()
            };
            choice.lint()?
        }
    };
    let (sets, told) = sec::load(sets);
    diagnostics.extend(told);
    if let Some(seen) = seen(arguments, &rules, hub)? {
        diagnostics.extend(waiting(&rules, &seen));
        diagnostics.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    match arguments.format {
        Format::Table => {
            let colours = colours();
            for diagnostic in &diagnostics {
                let line = plain(&diagnostic.to_string());
                let severity =
                    if diagnostic.is_error() { Severity::High } else { Severity::Informational };
                writeln!(out, "{}", paint(severity, &line, colours))?;
            }
            let count = rules.rules().len() + sets.rules().count();
            writeln!(out, "{count} rules, {errors} errors, {warnings} warnings")?;
        }
        Format::Json => {
            let said: Vec<serde_json::Value> = diagnostics.iter().map(json).collect();
            let answer = serde_json::json!({
                "rules": rules.rules().len() + sets.rules().count(),
                "errors": errors,
                "warnings": warnings,
                "diagnostics": said,
            });
            serde_json::to_writer_pretty(&mut *out, &answer)?;
            writeln!(out)?;
        }
    }
    Ok(if errors > 0 { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn json(diagnostic: &Diagnostic) -> serde_json::Value {
    serde_json::json!({
        "file": diagnostic.file,
        "line": diagnostic.line,
        "column": diagnostic.column,
        "severity": if diagnostic.is_error() { "error" } else { "warning" },
        "message": diagnostic.message,
    })
}

/// The log sources of the events that were named, if any were.
fn seen(
    arguments: &Check,
    rules: &RuleSet,
    hub: &HubChoice,
) -> anyhow::Result<Option<SeenSources>> {
    if arguments.events.is_empty() && !arguments.hub {
        return Ok(None);
    }
    let mut seen = SeenSources::default();
    for path in &arguments.events {
        event::each(path, rules, "", None, |event| seen.add(rules, event))?;
    }
    if arguments.hub {
        let told: Vec<Vec<String>> = Client::new(hub)?.get("rules/sources", &[])?;
        told.iter().for_each(|words| seen.add_words(rules, words));
    }
    Ok(Some(seen))
}

/// Rules that could fire by their log source, but not on what was seen.
fn waiting(rules: &RuleSet, seen: &SeenSources) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, rule) in rules.rules().iter().enumerate() {
        if rule.class().is_active()
            && let Some(reason) = rules.waits_for(index, seen)
        {
            found.push(Diagnostic {
                file: rule.file().to_owned(),
                line: rule.line(),
                column: 1,
                severity: DiagnosticSeverity::Warning,
                message: format!("`{}` can never fire on these events: {reason}", rule.title()),
            });
        }
    }
    found
}
