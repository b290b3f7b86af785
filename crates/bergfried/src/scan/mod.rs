//! `bergfried scan`: hunts through log files with no hub.

mod aggregate;
mod counter;
mod merge;
mod report;
mod summary;

use std::io::{IsTerminal as _, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bergfried_event::{Finding, Severity, SourceKind, Timestamp, readable};
use bergfried_parse::Context;
use bergfried_rules::{Engine, Limits};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::arguments::{RuleChoice, TimeChoice};
use crate::input::{self, Input};
use aggregate::Findings;
use merge::{Merged, has_stamp};
use summary::Summary;

/// Hunt through log files: parse every line, run the rules, print findings worst first.
///
/// Reads files, directories, gzip, zstd and xz files, and standard input (`-`). Needs no hub and
/// keeps no state. Exit status: 0, or 1 where --fail-on is met, or 2 on any error (an unreadable
/// file, a malformed rule); what could be read is still reported.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried scan /var/log/auth.log
  zcat old.gz | bergfried scan -
  bergfried scan /var/log --since 2026-01-01 --min-severity high
  bergfried scan auth.log --format ndjson | jq 'select(.severity == \"critical\")'
  bergfried scan auth.log --rules ./my-rules --fail-on high   # in CI")]
pub(crate) struct Scan {
    /// Files, directories or `-` for standard input
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How to print findings
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print only findings at least this severe
    #[arg(long, value_name = "SEVERITY", default_value = "informational")]
    min_severity: Severity,
    /// Exit with status 1 where a finding is at least this severe
    #[arg(long, value_name = "SEVERITY")]
    fail_on: Option<Severity>,
    #[command(flatten)]
    rules: RuleChoice,
    #[command(flatten)]
    times: TimeChoice,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// A table for people, and a summary
    Table,
    /// One JSON array of findings
    Json,
    /// One JSON object a line
    Ndjson,
    /// Comma-separated values with a header (RFC 4180)
    Csv,
}

pub(crate) fn run(arguments: &Scan, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let mut failed = false;
    let (rules, diagnostics) = arguments.rules.load()?;
    for diagnostic in &diagnostics {
        failed |= diagnostic.is_error();
        crate::complain(&diagnostic.to_string());
    }
    let (inputs, unreadable) = input::expand(&arguments.paths);
    let mut trouble = unreadable;

    let taken = Arc::new(AtomicU64::new(0));
    let progress = progress_bar(&inputs);
    let zone = arguments.times.stamps.zone()?;
    let now = Timestamp::from(jiff::Timestamp::now());
    let mut engine =
        Engine::new(Arc::new(rules), Limits { update_interval: i64::MAX, ..Limits::default() });
    let mut findings = Findings::new(arguments.min_severity);
    let mut summary = Summary::default();
    let mut emitted: Vec<Finding> = Vec::new();
    let mut context =
        Context { received: now, host: "", time_zone: zone, year: arguments.times.stamps.year };

    let mut last_stamp = None;
    let mut merged = Merged::open(inputs, &taken, &context, now);
    while let Some(line) = merged.next(&context) {
        context.received = line.received;
        let text = readable(line.bytes);
        let mut event = bergfried_parse::parse(SourceKind::File, &text, &context);
        if has_stamp(&event, line.received) {
            last_stamp = Some(event.created());
        } else if let Some(stamp) = last_stamp {
            // Not when the file was last written: that may be days on, past every rule's window.
            event.set_created(stamp);
        }
        summary.bytes += line.bytes.len() as u64 + 1;
        summary.cut += u64::from(line.cut);
        if arguments.times.includes(event.created()) {
            summary.count(&event);
            // Events have no ids of their own here: they are numbered as they come.
            engine.observe(&event, summary.lines, &mut emitted);
            engine.train();
            findings.take(&mut emitted);
        }
        if summary.lines.is_multiple_of(65_536)
            && let Some(bar) = &progress
        {
            bar.set_position(taken.load(Ordering::Relaxed));
            bar.set_message(format!("{} lines", summary.lines));
        }
    }
    engine.flush(&mut emitted);
    findings.take(&mut emitted);
    trouble.extend(merged.into_trouble());
    if let Some(bar) = progress {
        bar.finish_and_clear();
    }

    for unreadable in &trouble {
        failed = true;
        crate::complain(&format!(
            "cannot read {}: {}",
            crate::terminal::plain(&unreadable.name),
            unreadable.error
        ));
    }
    summary.unreadable = trouble.len();
    let met = findings.worst().zip(arguments.fail_on).is_some_and(|(worst, limit)| worst >= limit);
    let sorted = findings.into_sorted();
    report::print(arguments.format, &sorted, &summary, out).context("cannot write the findings")?;
    Ok(match (failed, met) {
        (true, _) => ExitCode::from(2),
        (false, true) => ExitCode::from(1),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// A bar with rate and time left on a terminal; nothing in a pipe.
fn progress_bar(inputs: &[Input]) -> Option<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let mut total = 0;
    for input in inputs {
        match input {
            Input::Stdin => return Some(ProgressBar::new_spinner()),
            Input::File(path) => total += path.metadata().map_or(0, |metadata| metadata.len()),
        }
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) = ProgressStyle::with_template(
        "{bar:30} {bytes}/{total_bytes} {bytes_per_sec}, {msg}, {eta} left",
    ) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(250));
    Some(bar)
}
