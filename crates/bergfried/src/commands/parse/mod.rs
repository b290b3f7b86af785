//! `bergfried parse`: shows what each line becomes.

mod chained;
mod explain;

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
use chained::Chained;
use explain::Explainer;

/// Show what each line of a log becomes: one JSON object a line, in order.
///
/// Keys are flat ECS names: @timestamp, host.name, process.name, message, user.name, source.ip,
/// event.action, event.outcome and what the program's parser adds. A line that nobody understands
/// is an object too, with its raw text in event.original. Reads JSON (one object a line, arrays),
/// Windows event logs (.evtx) and their XML exports too; their own names are kept beside ECS. Records
/// of Linux audit are joined: one object for the lines of one event.
///
/// With --config, the chains of a hub's configuration run over each event, as they would in the hub;
/// --explain shows what each of their steps did to the line, and how long each pattern took.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried parse /var/log/auth.log | head -3
  journalctl -o json -n 100 | bergfried parse -
  bergfried parse Security.evtx --format pretty
  bergfried parse auth.log | jq -r 'select(.\"event.outcome\" == \"failure\") | .\"source.ip\"'
  bergfried parse --config hub.toml /var/log/nginx/access.log
  tail -1 snort.log | bergfried parse --config hub.toml --explain -")]
pub(crate) struct Parse {
    /// How to print events
    #[arg(long, value_enum, default_value_t = Format::Ndjson)]
    format: Format,
    /// A hub's configuration (TOML): its chains run over each event; those they let go are left out
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The input of the configuration that the lines came by, for its tags, fields and time zone
    /// [default: the only one that there is]
    #[arg(long, value_name = "NAME", requires = "config")]
    input: Option<String>,
    /// Show what each step of the chains did to each line, in place of the events
    #[arg(long, requires = "config", conflicts_with = "format")]
    explain: bool,
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
    let chained = match &arguments.config {
        Some(path) => Some(Chained::read(path, arguments.input.as_deref())?),
        None => None,
    };
    let input = Input::from_argument(&arguments.file);
    let unreadable = || format!("cannot read {}", input.name());
    let mut records =
        Records::open(&input, Arc::default(), &Decoders::default()).with_context(unreadable)?;
    let mut zone = arguments.stamps.zone()?;
    if let Some(named) = chained.as_ref().and_then(|chained| chained.origin.time_zone.as_deref())
        && !arguments.stamps.has_zone()
    {
        zone = jiff::tz::TimeZone::get(named)
            .with_context(|| format!("the input has the unknown time zone `{named}`"))?;
    }
    let context = Context {
        received: input.last_written(Timestamp::from(jiff::Timestamp::now())),
        host: "",
        time_zone: zone,
        year: arguments.stamps.year,
    };
    let mut meter = chained.as_ref().map(Chained::meter);
    let mut explainer = arguments.explain.then(Explainer::new);
    while records.advance().with_context(unreadable)? {
        let record = records.current();
        let text = readable(record.bytes);
        let mut event = bergfried_parse::parse(record.kind, &text, &context);
        match (&chained, &mut meter, &mut explainer) {
            (Some(chained), Some(meter), Some(explainer)) => {
                chained.mark(&mut event, record.kind);
                explainer.line(&event, out)?;
                let (verdict, trace) = chained.chains.trace(&mut event, &context, meter);
                explainer.steps(verdict, &trace, out)?;
            }
            (Some(chained), Some(meter), None) => {
                if chained.apply(&mut event, record.kind, &context, meter) {
                    print(&event, arguments.format, out)?;
                }
            }
            _ => print(&event, arguments.format, out)?,
        }
    }
    if let (Some(chained), Some(meter), Some(explainer)) = (&chained, &meter, &explainer) {
        explainer.summary(&chained.chains.report(meter.counts()), out)?;
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
