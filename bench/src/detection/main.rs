//! Measures detection on one core: every rule over the same events, by this engine and by
//! rsigma-eval, side by side.
//!
//! Each engine loads and runs in a process of its own, so that neither's memory counts as the
//! other's. Rates are events for each second of processor time of the one thread that works, so
//! that a busy machine does not count.

mod oracle;
mod ours;
mod report;
mod run;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, io};

use anyhow::{Context as _, bail};
use bergfried_bench::events::Kind;
use bergfried_bench::sigma;
use clap::{Parser, ValueEnum};

use crate::run::{Measured, Plan};

/// As in the `bergfried` program, and for both engines.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Where the rules are looked for when none are named.
const RULES: &str = "../shared/corpora/sigma";

/// Measures detection on one core, beside rsigma-eval
#[derive(Parser, Debug)]
struct Arguments {
    /// Directories of Sigma rules; else those of ../shared/corpora/sigma, else generated ones
    #[arg(long, value_name = "DIR")]
    rules: Vec<PathBuf>,
    /// How many different events of each kind
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..))]
    events: u32,
    /// How many seconds each measurement takes at least
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// What the events look like; all kinds where none is named
    #[arg(long, value_enum)]
    kind: Vec<Kind>,
    /// Leave the log source out of the events; rsigma-eval then knows their product alone
    #[arg(long)]
    untagged: bool,
    /// What to begin the random numbers with
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print rows for the table of bench/run.sh: measurement, value, unit, goal
    #[arg(long)]
    rows: bool,
    /// Measure this engine alone and print what was measured as JSON
    #[arg(long, value_enum)]
    engine: Option<Engine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Engine {
    Bergfried,
    RsigmaEval,
}

fn main() -> anyhow::Result<ExitCode> {
    let mut arguments = Arguments::parse();
    if arguments.kind.is_empty() {
        arguments.kind = Kind::value_variants().to_vec();
    }
    if let Some(engine) = arguments.engine {
        let plan = Plan {
            kinds: arguments.kind.clone(),
            events: arguments.events,
            seconds: arguments.seconds,
            seed: arguments.seed,
            untagged: arguments.untagged,
        };
        let measured = match engine {
            Engine::Bergfried => ours::measure(&rule_files(&arguments.rules)?, &plan)?,
            Engine::RsigmaEval => oracle::measure(&rule_files(&arguments.rules)?, &plan)?,
        };
        serde_json::to_writer(io::stdout().lock(), &measured)?;
        return Ok(ExitCode::SUCCESS);
    }
    let oracle = alone(Engine::RsigmaEval)?;
    let ours = alone(Engine::Bergfried)?;
    if arguments.rows {
        report::rows(&mut io::stdout().lock(), &ours, &oracle)?;
    } else {
        report::tables(&mut io::stdout().lock(), &ours, &oracle)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Measures an engine in a process of its own, with the arguments of this one.
fn alone(engine: Engine) -> anyhow::Result<Measured> {
    let program = env::current_exe().context("cannot find this program")?;
    let name = engine.to_possible_value().map(|value| value.get_name().to_owned());
    let output = Command::new(program)
        .args(env::args_os().skip(1))
        .arg("--engine")
        .arg(name.unwrap_or_default())
        .output()
        .context("cannot start this program again")?;
    if !output.status.success() {
        bail!("{engine:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("cannot read what was measured")
}

/// The rule files with their names, in the order of their names.
fn rule_files(directories: &[PathBuf]) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let shared = Path::new(RULES);
    if !directories.is_empty() {
        for directory in directories {
            sigma::read_directory(directory, &mut files)?;
        }
    } else if shared.is_dir() {
        for name in ["rules", "rules-emerging-threats", "rules-threat-hunting"] {
            sigma::read_directory(&shared.join(name), &mut files)?;
        }
    } else {
        files = sigma::generate(1, 3000);
    }
    Ok(files)
}
