//! Writes log lines and Sigma rules to measure with: the same for the same seed, on every machine.

mod lines;
mod random;
mod rules;

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use jiff::Timestamp;

use crate::lines::{Lines, StampFormat};
use crate::random::Random;

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
            let mut out = BufWriter::with_capacity(1 << 20, io::stdout().lock());
            for _ in 0..count {
                match out.write_all(lines.next_line()?) {
                    // The reader has seen enough, as in `| head`.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                        return Ok(ExitCode::SUCCESS);
                    }
                    result => result?,
                }
            }
            out.flush()?;
        }
        Command::Rules { count, directory } => rules::write(random, count, &directory)?,
    }
    Ok(ExitCode::SUCCESS)
}
