//! `bergfried parse`: shows what each line becomes.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use bergfried_event::{Event, Timestamp, readable};
use bergfried_parse::Context;
use clap::Args;

use crate::arguments::StampChoice;
use crate::input::{Decoders, Input, Records};

/// Show what each line of a log becomes: one JSON object a line, in order.
///
/// Keys are flat ECS names: @timestamp, host.name, process.name, message, user.name, source.ip,
/// event.action, event.outcome and what the program's parser adds. A line that nobody understands
/// is an object too, with its raw text in event.original. Reads JSON (one object a line, arrays),
/// Windows event logs (.evtx) and their XML exports too; their own names are kept beside ECS.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried parse /var/log/auth.log | head -3
  journalctl -o json -n 100 | bergfried parse -
  bergfried parse Security.evtx --format pretty
  bergfried parse auth.log | jq -r 'select(.\"event.outcome\" == \"failure\") | .\"source.ip\"'")]
pub(crate) struct Parse {
    /// How to print events
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    #[command(flatten)]
    stamps: StampChoice,
    /// A file (also gzip, zstd or xz), or `-` for standard input
    #[arg(value_name = "FILE", default_value = "-")]
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One JSON object a line
    Ndjson,
    /// One indented JSON object after the other
    Pretty,
}

pub(crate) fn run(arguments: &Parse, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let input = Input::from_argument(&arguments.file);
    let unreadable = || format!("cannot read {}", input.name());
    let mut records =
        Records::open(&input, Arc::default(), &Decoders::default()).with_context(unreadable)?;
    let context = Context {
        received: input.last_written(Timestamp::from(jiff::Timestamp::now())),
        host: "",
        time_zone: arguments.stamps.zone()?,
        year: arguments.stamps.year,
    };
    while records.advance().with_context(unreadable)? {
        let record = records.current();
        let text = readable(record.bytes);
        let event = bergfried_parse::parse(record.kind, &text, &context);
        print(&event, arguments.format, out)?;
    }
    match records.damage(&input.name()) {
        None => Ok(ExitCode::SUCCESS),
        Some(damage) => {
            crate::complain(&damage.to_string());
            Ok(ExitCode::from(2))
        }
    }
}

fn print(event: &Event<'_>, format: Format, out: &mut dyn Write) -> anyhow::Result<()> {
    match format {
        Format::Ndjson => serde_json::to_writer(&mut *out, event)?,
        Format::Pretty => serde_json::to_writer_pretty(&mut *out, event)?,
    }
    out.write_all(b"\n")?;
    Ok(())
}
