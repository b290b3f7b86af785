//! Measures search: makes a store of a week's lines, then asks it what people ask.
//!
//! Prints rows for the table of bench/run.sh: measurement, value, unit, goal. Leaves the store, and
//! beside it `answers.tsv` (question, milliseconds, answer) for bench/search-peers.py, which asks
//! SQLite and DuckDB the same of the same events.

mod ask;
mod fill;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use bergfried_event::Timestamp;
use bergfried_store::{Options, open};
use clap::Parser;

/// As in the `bergfried` program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures search over a week's lines
#[derive(Parser, Debug)]
struct Arguments {
    /// How many events, rounded up to whole segments
    #[arg(long, default_value_t = 10_000_000,
          value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    events: u64,
    /// Where the store is made; one that is there is asked as it is
    directory: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let store = arguments.directory.join("events");
    std::fs::create_dir_all(&store)?;
    let mut out = io::stdout().lock();
    // Nothing here must survive a crash of the machine, and a week passes in a minute: segments are
    // made when they are full, not when they are old.
    let segment_age = 30 * Timestamp::DAY;
    let options = Options { sync: false, segment_age, ..Options::default() };
    let per_segment = options.segment_events as u64;
    let (mut writer, reader, _) = open(&store, options)?;
    let week = fill::Week::of(arguments.events.div_ceil(per_segment) * per_segment);
    if reader.stats().events == 0 {
        let rate = fill::fill(&mut writer, &reader, &week)?;
        writeln!(out, "search: {} events, parsed and stored\t{rate:.0}\tevents/s\t", week.events)?;
    }
    let stats = reader.stats();
    let in_segments = stats.events - stats.events_in_memory;
    let each = stats.bytes_on_disk as f64 / in_segments.max(1) as f64;
    writeln!(out, "search: events on disk\t{each:.1}\tbytes/event\t40 bytes/event")?;
    let mut answers = std::fs::File::create(arguments.directory.join("answers.tsv"))?;
    ask::ask(&reader, &week, &mut out, &mut answers)?;
    Ok(ExitCode::SUCCESS)
}
