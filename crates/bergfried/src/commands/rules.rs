//! `bergfried rules`: what rules there are, and whether they are sound.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use bergfried_rules::RuleSet;
use clap::{Args, Subcommand};

use crate::arguments::RuleChoice;
use crate::terminal::{colours, paint, plain};

/// List the rules, or check rule files.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules list
  bergfried rules list --rules ~/sigma/rules/linux --format json
  bergfried rules check ./my-rules")]
pub(crate) struct Rules {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List the rules with their severity, ATT&CK techniques and title
    List {
        #[command(flatten)]
        rules: RuleChoice,
        /// How to print rules
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Check rule files: every mistake with file, line and column; status 2 where there is one
    Check {
        /// Directories or files of Sigma rules
        #[arg(required = true, value_name = "PATH")]
        paths: Vec<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

pub(crate) fn run(arguments: &Rules, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match &arguments.action {
        Action::List { rules, format } => {
            let (rules, diagnostics) = rules.load()?;
            let broken = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
            for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
                crate::complain(&diagnostic.to_string());
            }
            match format {
                Format::Table => table(&rules, out)?,
                Format::Json => json(&rules, out)?,
            }
            Ok(if broken > 0 { ExitCode::from(2) } else { ExitCode::SUCCESS })
        }
        Action::Check { paths } => check(paths, out),
    }
}

fn check(paths: &[PathBuf], out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let choice = RuleChoice { rules: paths.to_vec(), with_builtin: false };
    let (rules, diagnostics) = choice.load()?;
    for diagnostic in &diagnostics {
        writeln!(out, "{}", plain(&diagnostic.to_string()))?;
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    let warnings = diagnostics.len() - errors;
    writeln!(out, "{} rules, {errors} errors, {warnings} warnings", rules.rules().len())?;
    Ok(if errors > 0 { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn table(rules: &RuleSet, out: &mut dyn Write) -> std::io::Result<()> {
    let colours = colours();
    for rule in rules.rules() {
        let level = paint(rule.level(), &format!("{:<13}", rule.level().name()), colours);
        writeln!(
            out,
            "{level} {:<36} {:<20} {}",
            rule.id(),
            rule.techniques().join(" "),
            plain(rule.title())
        )?;
    }
    writeln!(out, "{} rules", rules.rules().len())
}

fn json(rules: &RuleSet, out: &mut dyn Write) -> anyhow::Result<()> {
    let rules: Vec<serde_json::Value> = rules
        .rules()
        .iter()
        .map(|rule| {
            serde_json::json!({
                "id": rule.id(),
                "title": rule.title(),
                "level": rule.level(),
                "tags": rule.tags(),
                "techniques": rule.techniques(),
                "file": rule.file(),
                "line": rule.line(),
            })
        })
        .collect();
    serde_json::to_writer_pretty(&mut *out, &rules)?;
    writeln!(out)?;
    Ok(())
}
