//! `bergfried scan`: hunts through log files with no hub.

mod aggregate;
mod counter;
mod merge;
mod report;
mod summary;

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bergfried_event::{FieldName, Finding, Severity, Timestamp, readable};
use bergfried_parse::Context;
use bergfried_rules::{Engine, Limits, Pairs};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::arguments::{RuleChoice, TimeChoice};
use crate::input::{self, Decoders, Input};
use aggregate::Findings;
use merge::{Merged, Next, has_stamp};
use summary::Summary;

/// Hunt through log files: parse every line, run the rules, print findings worst first.
///
/// Reads files, directories, gzip, zstd and xz files, and standard input (`-`): log lines, JSON (one
/// object a line, or an array), Windows event logs (.evtx) and their exports as XML, told apart by
/// what they hold. Needs no hub and keeps no state. Exit status: 0, or 1 where --fail-on is met, or 2 on any error (an unreadable
/// file, a malformed rule); what could be read is still reported.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried scan /var/log/auth.log
  zcat old.gz | bergfried scan -
  bergfried scan /var/log --since 2026-01-01 --min-severity high
  bergfried scan *.evtx --rules ./sigma/rules/windows
  bergfried scan sysmon.json --logsource product=windows,category=process_creation
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
    /// Take every event for one of this log source, such as product=windows,category=file_event
    #[arg(long, value_name = "KEY=WORD,..", value_delimiter = ',', value_parser = logsource_word)]
    logsource: Vec<(&'static str, String)>,
    /// Threads that decode Windows event logs (else one for each processor); the output is the same
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=64))]
    threads: Option<u8>,
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

/// Reads `product=windows`: the field of the event that says so, and the word.
fn logsource_word(text: &str) -> Result<(&'static str, String), String> {
    let expected = "expected product, category or service, such as product=windows";
    let Some((key, word)) = text.split_once('=').filter(|(_, word)| !word.is_empty()) else {
        return Err(format!("`{text}` is no part of a log source, {expected}"));
    };
    let field = match key {
        "product" => "logsource.product",
        "category" => "logsource.category",
        "service" => "logsource.service",
        _ => return Err(format!("unknown part `{key}` of a log source, {expected}")),
    };
    Ok((field, word.to_owned()))
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
    let mut pairs = Pairs::default();
    let mut summary = Summary::default();
    let mut emitted: Vec<Finding> = Vec::new();
    let mut context =
        Context { received: now, host: "", time_zone: zone, year: arguments.times.stamps.year };

    let threads = arguments
        .threads
        .map_or_else(|| std::thread::available_parallelism().map_or(1, NonZero::get), usize::from);
    let started = Instant::now();
    let mut last_stamp = None;
    let mut merged = Merged::open(inputs, &taken, Decoders::new(threads), &context, now);
    while let Some(Next { record, received, is_event_log }) = merged.next(&context) {
        context.received = received;
        let text = readable(record.bytes);
        let mut event = bergfried_parse::parse(record.kind, &text, &context);
        if has_stamp(&event, received) {
            last_stamp = Some(event.created());
        } else if let Some(stamp) = last_stamp {
            // Not when the file was last written: that may be days on, past every rule's window.
            event.set_created(stamp);
        }
        for (field, word) in &arguments.logsource {
            event.set_named(FieldName::Other(Cow::Borrowed(field)), word.as_str());
        }
        summary.bytes += record.bytes.len() as u64 + 1;
        summary.cut += u64::from(record.cut);
        summary.event_logs |= is_event_log;
        if arguments.times.includes(event.created()) {
            summary.count(&event);
            engine.rules().judge(&mut event);
            pairs.mark(&mut event);
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
    summary.took = started.elapsed();
    summary.taken = taken.load(Ordering::Relaxed);
    let (unreadable, damaged) = merged.into_trouble();
    trouble.extend(unreadable);
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
    for damage in &damaged {
        failed = true;
        crate::complain(&damage.to_string());
        summary.lost += damage.records;
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
