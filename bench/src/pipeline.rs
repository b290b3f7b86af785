//! Measures the pipeline alone: syslog lines handed over in batches, parsed, judged by the built-in
//! rules and made durable, by one thread. It is the most that any input can bring.
//!
//! Prints rows for the table of bench/run.sh: measurement, value, unit, goal.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, bail};
use bergfried_alert::Settings;
use bergfried_alerting::{Alerting, Parts as AlertingParts};
use bergfried_control::Control;
use bergfried_event::{Origin, Record, SourceKind, Timestamp};
use bergfried_pipeline::{Answer, HostPolicy, Hosts, Parts, Payload, Pipeline, Sender};
use bergfried_rules::RuleSet;
use bergfried_store::Options;
use bergfried_wire::Batch;
use clap::Parser;

/// As in the `bergfried` program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many batches are under way.
const UNDER_WAY: usize = 8;

/// Measures the pipeline alone
#[derive(Parser, Debug)]
struct Arguments {
    /// Where the store is made; it must be empty
    #[arg(long)]
    data_dir: PathBuf,
    /// Records in a batch
    #[arg(long, default_value_t = 4_000)]
    batch: usize,
    /// Lines of syslog
    file: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let lines = std::fs::read(&arguments.file)
        .with_context(|| format!("cannot read {}", arguments.file.display()))?;
    let pipeline = start(&arguments.data_dir)?;
    let origin = Origin::new(SourceKind::Syslog, "syslog/tcp", "bench");
    let records: Vec<&[u8]> =
        lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let begin = Instant::now();
    let mut answers = VecDeque::new();
    for (number, chunk) in records.chunks(arguments.batch.max(1)).enumerate() {
        let received = Timestamp::from(jiff::Timestamp::now());
        let record = |line: &&[u8]| {
            (0, Record { raw: Cow::Owned(line.to_vec()), received, truncated: false })
        };
        let batch = Batch {
            id: (number as u128 + 1).to_be_bytes(),
            agent: String::new(),
            origins: vec![origin.clone()],
            records: chunk.iter().map(record).collect(),
        };
        answers.push_back(submit(&pipeline, batch)?);
        if answers.len() >= UNDER_WAY {
            stored(answers.pop_front())?;
        }
    }
    while !answers.is_empty() {
        stored(answers.pop_front())?;
    }
    let seconds = begin.elapsed().as_secs_f64();
    pipeline.stop();
    let rate = records.len() as f64 / seconds;
    writeln!(io::stdout(), "pipeline alone, durable, built-in rules\t{rate:.0}\tevents/s\t")?;
    Ok(ExitCode::SUCCESS)
}

fn start(directory: &std::path::Path) -> anyhow::Result<Pipeline> {
    std::fs::create_dir_all(directory)?;
    let (writer, reader, pending) =
        bergfried_store::open(&directory.join("events"), Options::default())?;
    let (rules, diagnostics) = RuleSet::load(bergfried_rules::builtin());
    if let Some(diagnostic) = diagnostics.first() {
        bail!("{diagnostic}");
    }
    let control = Arc::new(Control::open(&directory.join("control.sqlite"))?);
    Ok(Pipeline::start(Parts {
        hosts: Arc::new(Hosts::load(Arc::clone(&control), HostPolicy::default())?),
        writer,
        reader,
        pending,
        alerting: Alerting::start(AlertingParts::new(Arc::clone(&control), Settings::default()))?,
        control,
        chains: Arc::default(),
        rules: Arc::new(rules),
        remembered: directory.join("rules.state"),
        outside: Box::new(bergfried_pipeline::Nothing),
    })?)
}

type Waiting = tokio::sync::oneshot::Receiver<Answer>;

fn submit(pipeline: &Pipeline, batch: Batch<'static>) -> anyhow::Result<Waiting> {
    let sender = || Sender { address: None, agent: None };
    // A refused batch is gone, so wait for room before: UNDER_WAY is less than the queue.
    let answer = pipeline.submit(Payload::Batch(batch), sender());
    answer.context("the pipeline does not take a batch")
}

fn stored(answer: Option<Waiting>) -> anyhow::Result<()> {
    let Some(answer) = answer else { return Ok(()) };
    match answer.blocking_recv()? {
        Answer::Stored { .. } => Ok(()),
        other => bail!("a batch was not stored: {other:?}"),
    }
}
