//! Writes log lines, events and Sigma rules to measure with: the same for the same seed, on every machine.

use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use bergfried_bench::audit::Audit;
use bergfried_bench::events::{Events, Kind};
use bergfried_bench::lines::{Lines, Mix, StampFormat};
use bergfried_bench::random::Random;
use bergfried_bench::rules;
use clap::{Parser, Subcommand};
use jiff::Timestamp;

/// Makes the input of benchmarks: the same bytes for the same seed
#[derive(Parser, Debug)]
struct Arguments {
    /// What to begin the random numbers with
    #[arg(long, default_value_t = 1, global = true)]
    seed: u64,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Write lines as sshd, sudo, cron and systemd write them, to standard output
    Lines {
        /// How many lines
        count: u64,
        /// The time of the first line
        #[arg(long, value_name = "TIME", default_value = "2026-01-05T00:00:00Z")]
        start: Timestamp,
        /// How many lines share a second
        #[arg(long, value_name = "N", default_value_t = 100,
              value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        per_second: u32,
        /// How many hosts write them
        #[arg(long, value_name = "N", default_value_t = 20,
              value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
        hosts: u32,
        /// The form of the time stamp
        #[arg(long, value_enum, default_value_t = StampFormat::Rfc3164)]
        format: StampFormat,
        /// What they tell
        #[arg(long, value_enum, default_value_t = Mix::Attacked)]
        mix: Mix,
    },
    /// Write events as JSON, one a line, to standard output
    Events {
        /// What they look like
        #[arg(value_enum)]
        kind: Kind,
        /// How many events
        count: u64,
        /// The time of the first event
        #[arg(long, value_name = "TIME", default_value = "2026-01-05T00:00:00Z")]
        start: Timestamp,
    },
    /// Write an audit log at a steady rate, and say on standard output how many events are in it
    Audit {
        /// The log, appended to
        file: PathBuf,
        /// How many records a second
        #[arg(long, value_name = "N", default_value_t = 20_000,
              value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
        rate: u32,
        /// For how long
        #[arg(long, value_name = "N", default_value_t = 30)]
        seconds: u32,
    },
    /// Write Sigma rules that fit such lines and seldom match, one file each
    Rules {
        /// How many rules
        count: u32,
        /// Where to; made where absent
        directory: PathBuf,
    },
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let random = Random::new(arguments.seed);
    match arguments.command {
        Command::Lines { count, start, per_second, hosts, format, mix } => {
            let mut lines = Lines::new(random, start, per_second, hosts, format, mix);
            write_all(count, |out| Ok(out.write_all(lines.next_line()?)?))?;
        }
        Command::Events { kind, count, start } => {
            let mut events = Events::new(random, start, kind);
            write_all(count, |out| {
                out.write_all(events.next_event()?)?;
                Ok(out.write_all(b"\n")?)
            })?;
        }
        Command::Audit { file, rate, seconds } => write_audit(random, &file, rate, seconds)?,
        Command::Rules { count, directory } => rules::write(random, count, &directory)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Keeps to the rate in steps of a hundredth of a second, as a log grows: each step is one write.
fn write_audit(random: Random, file: &Path, rate: u32, seconds: u32) -> anyhow::Result<()> {
    let mut log = OpenOptions::new().create(true).append(true).open(file)?;
    let mut audit = Audit::new(random);
    let begun = Instant::now();
    let mut written: u64 = 0;
    let mut step = String::new();
    for hundredth in 1..=u64::from(seconds) * 100 {
        let due = u64::from(rate) * hundredth / 100;
        let millis = u64::try_from(Timestamp::now().as_millisecond())?;
        while written < due {
            step.push_str(audit.next_record(millis));
            written += 1;
        }
        if hundredth == u64::from(seconds) * 100 {
            while let Some(record) = audit.rest() {
                step.push_str(record);
                written += 1;
            }
        }
        log.write_all(step.as_bytes())?;
        step.clear();
        let until = Duration::from_millis(hundredth * 10);
        std::thread::sleep(until.saturating_sub(begun.elapsed()));
    }
    let took = begun.elapsed().as_secs_f64();
    writeln!(io::stdout(), "{written}\t{}\t{took:.2}", audit.events())?;
    Ok(())
}

/// Writes so many times to standard output, fewer where the reader has seen enough (`| head`).
fn write_all(
    count: u64,
    mut write: impl FnMut(&mut BufWriter<io::StdoutLock<'_>>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    let result = (0..count).try_for_each(|_| write(&mut out)).and_then(|()| Ok(out.flush()?));
    match result {
        Err(error) if is_broken_pipe(&error) => Ok(()),
        result => result,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
