//! Writes log lines, events and Sigma rules to measure with: the same for the same seed, on every machine.

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use bergfried_bench::events::{Events, Kind};
use bergfried_bench::lines::{Lines, StampFormat};
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
        Command::Lines { count, start, per_second, hosts, format } => {
            let mut lines = Lines::new(random, start, per_second, hosts, format);
            write_all(count, |out| Ok(out.write_all(lines.next_line()?)?))?;
        }
        Command::Events { kind, count, start } => {
            let mut events = Events::new(random, start, kind);
            write_all(count, |out| {
                out.write_all(events.next_event()?)?;
                Ok(out.write_all(b"\n")?)
            })?;
        }
        Command::Rules { count, directory } => rules::write(random, count, &directory)?,
    }
    Ok(ExitCode::SUCCESS)
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
