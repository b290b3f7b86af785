//! Measures a correlation with a million live groups on one core: how fast events go through it, and
//! what the process takes beside what the engine says that it keeps.
//!
//! Prints rows for the table of bench/run.sh: measurement, value, unit, goal.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use bergfried_bench::memory;
use bergfried_event::{Event, Field, Timestamp};
use bergfried_rules::{Engine, Limits, RuleSet, Source};
use clap::Parser;

/// As in the `bergfried` program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures a correlation with many live groups
#[derive(Parser, Debug)]
struct Arguments {
    /// How many groups are alive at the same time
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=16_000_000))]
    groups: u32,
}

const RULES: &str = "title: failed
name: failed
logsource: {service: sshd}
detection: {selection: {event.action: ssh_login, event.outcome: failure}, condition: selection}
---
title: brute force
correlation:
  type: event_count
  rules: [failed]
  group-by: [source.ip]
  timespan: 1h
  condition: {gte: 100}
";

fn main() -> anyhow::Result<ExitCode> {
    let groups = Arguments::parse().groups;
    let source = Source { file: "groups.yml".to_owned(), text: RULES.to_owned() };
    let (rules, diagnostics) = RuleSet::load([source]);
    if let Some(diagnostic) = diagnostics.first() {
        bail!("{diagnostic}");
    }
    let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
    let mut engine = Engine::new(Arc::new(rules), limits);
    let (_, before) = memory().context("cannot read what this process takes")?;

    let mut out = io::stdout().lock();
    for (round, name) in (0..).zip(["new", "live"]) {
        let rate = observe(&mut engine, groups, round)?;
        writeln!(out, "{groups} {name} groups, one core\t{rate:.0}\tevents/s\t300000 events/s")?;
    }
    let (_, after) = memory().context("cannot read what this process takes")?;
    let kept = engine.state_bytes() as f64 / f64::from(1 << 20);
    let cap = limits.max_state_bytes >> 20;
    writeln!(out, "{groups} groups, state\t{kept:.1}\tMiB\t{cap} MiB (cap)")?;
    writeln!(out, "{groups} groups, resident memory\t{:.1}\tMiB\t", after - before)?;
    if engine.evicted() > 0 {
        bail!("{} groups were forgotten", engine.evicted());
    }
    Ok(ExitCode::SUCCESS)
}

/// One failed login from each source; gives events per second, the making of events left out.
fn observe(engine: &mut Engine, groups: u32, round: i64) -> anyhow::Result<f64> {
    const CHUNK: u32 = 1000;
    let (mut seconds, mut findings) = (0.0, Vec::new());
    for first in (0..groups).step_by(CHUNK as usize) {
        let events: Vec<Event<'_>> =
            (first..groups.min(first + CHUNK)).map(|source| event(source, groups, round)).collect();
        let start = Instant::now();
        for event in &events {
            engine.observe(event, 0, &mut findings);
        }
        seconds += start.elapsed().as_secs_f64();
    }
    if !findings.is_empty() {
        bail!("{} findings where none is due", findings.len());
    }
    Ok(f64::from(groups) / seconds)
}

fn event(source: u32, groups: u32, round: i64) -> Event<'static> {
    let [a, b, c, d] = (0x0a00_0000 + source).to_be_bytes();
    let micros = (round * i64::from(groups) + i64::from(source)) * 100;
    let mut event = Event::new(
        Timestamp::from_micros(1_795_262_400_000_000 + micros),
        "Failed password for root from an address port 40022 ssh2",
    );
    event.set(Field::ProcessName, "sshd");
    event.set(Field::HostName, "web1");
    event.set(Field::EventAction, "ssh_login");
    event.set(Field::EventOutcome, "failure");
    event.set(Field::UserName, "root");
    event.set(Field::SourceIp, format!("{a}.{b}.{c}.{d}"));
    event.set(Field::SourcePort, 40_022);
    event
}
