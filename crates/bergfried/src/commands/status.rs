//! `bergfried status`: how a hub is, on one screen.

use std::io::Write;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::{bold, bytes, colours, plain};

/// Show how a hub is: what is wrong, the store, what comes in, what goes out.
#[derive(Args, Debug)]
#[command(
    after_help = "Exit status: 0 where everything is as it should be, 1 where something wants \
attention.

Examples:
  bergfried status
  bergfried status --format json | jq .inputs.sum"
)]
pub(crate) struct Status {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// The hub's own answers, in one object
    Json,
}

/// What is asked of the hub, by its path; each has its part of the screen.
const PARTS: [(&str, Show); 5] = [
    ("health", show_health),
    ("status", show_store),
    ("inputs", show_inputs),
    ("outputs", show_outputs),
    ("chains", show_chains),
];

type Show = fn(&Value, &mut dyn Write) -> std::io::Result<()>;

pub(crate) fn run(arguments: &Status, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    let mut answers = Map::new();
    for (path, _) in PARTS {
        answers.insert(path.to_owned(), client.get::<Value>(path, &[])?);
    }
    let is_ok = answers.get("health").is_some_and(|health| text(health, "/status") == "ok");
    match arguments.format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &answers)?;
            writeln!(out)?;
        }
        Format::Text => {
            for (path, show) in PARTS {
                show(answers.get(path).unwrap_or(&Value::Null), out)?;
            }
        }
    }
    Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show_health(health: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}  {}", title("health"), text(health, "/status"))?;
    for problem in list(health, "/problems") {
        writeln!(out, "  ! {}", plain(problem.as_str().unwrap_or_default()))?;
    }
    Ok(())
}

fn show_store(status: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let since = text(status, "/started");
    writeln!(out, "{}  Bergfried {}, up since {since}", title("hub"), text(status, "/version"))?;
    writeln!(
        out,
        "  taken      {} events in {} batches, {} findings, {} rules",
        number(status, "/counters/events"),
        number(status, "/counters/batches"),
        number(status, "/counters/findings"),
        number(status, "/rules"),
    )?;
    writeln!(
        out,
        "  refused    {} batches for lack of room in the queue, {} for the disk, {} unreadable",
        number(status, "/counters/busy"),
        number(status, "/counters/not_stored"),
        number(status, "/counters/invalid"),
    )?;
    for set in list(status, "/sec") {
        writeln!(
            out,
            "  rules of SEC, set {}: {} rules, {} contexts, {} operations; {} alerts, {} refused, {} too many, \
             {} evicted",
            text(set, "/set"),
            number(set, "/rules"),
            number(set, "/contexts"),
            number(set, "/operations"),
            number(set, "/alerts"),
            number(set, "/refused"),
            number(set, "/shed"),
            number(set, "/evicted"),
        )?;
    }
    writeln!(out, "{}", title("store"))?;
    writeln!(
        out,
        "  events     {} in {} segments, {} on disk",
        number(status, "/store/events"),
        number(status, "/store/segments"),
        size(status, "/store/bytes_on_disk"),
    )?;
    writeln!(out, "  from       {}", text(status, "/store/oldest"))?;
    writeln!(out, "  to         {}", text(status, "/store/newest"))
}

fn show_chains(body: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    for chain in list(body, "/chains") {
        writeln!(out, "{} {}", title("chain"), text(chain, "/name"))?;
        writeln!(
            out,
            "  ran        for {} events, {} let go, {} µs an event",
            number(chain, "/held"),
            number(chain, "/dropped"),
            microseconds(chain, "/nanoseconds_per_event"),
        )?;
        for step in list(chain, "/steps") {
            let (failed, hard) = (number(step, "/failed"), number(step, "/too_hard"));
            writeln!(
                out,
                "  {:<9}  {} done of {}, {failed} failed, {hard} too hard, {} µs an event",
                format!("{} {}", text(step, "/place"), text(step, "/kind")),
                number(step, "/done"),
                number(step, "/tried"),
                microseconds(step, "/nanoseconds_per_event"),
            )?;
        }
    }
    Ok(())
}

fn microseconds(body: &Value, path: &str) -> String {
    let nanoseconds = body.pointer(path).and_then(Value::as_f64).unwrap_or_default();
    format!("{:.1}", nanoseconds / 1e3)
}

fn show_inputs(body: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    for input in list(body, "/inputs") {
        writeln!(out, "{} {}", title("input"), text(input, "/name"))?;
        for listener in list(input, "/listeners") {
            let (transport, address) = (text(listener, "/transport"), text(listener, "/address"));
            match listener.get("problem") {
                None => writeln!(out, "  {transport:<9}  {address}")?,
                Some(_) => {
                    writeln!(out, "  {transport:<9}  {address}  ! {}", text(listener, "/problem"))?
                }
            }
        }
        let count = |name: &str| number(input, &format!("/counters/{name}"));
        writeln!(out, "  messages   {}, {}", count("messages"), size(input, "/counters/bytes"))?;
        writeln!(
            out,
            "  opened     {} connections now, {} ever, {} refused, {} broken",
            count("connections"),
            count("connected"),
            count("refused"),
            count("broken"),
        )?;
        // What is never zero for nothing.
        for (name, said) in [
            ("refused_of_address", "connections refused, their address had too many open"),
            ("cut", "messages longer than they may be, cut"),
            ("given_up", "messages cut as senders held too much of unfinished ones"),
            ("lying_counts", "octet counts that did not fit what followed"),
            ("resent", "messages that RELP clients sent again, stored once"),
            ("handshakes_late", "TLS handshakes that took too long"),
            ("handshakes_without_certificate", "TLS clients without the certificate asked for"),
            ("handshakes_untrusted", "TLS clients with a certificate that is not trusted"),
            ("handshakes_incompatible", "TLS clients without a version or cipher in common"),
            ("handshakes_given_up", "TLS clients that gave up, such as those that trust others"),
            ("handshakes_broken", "TLS handshakes that failed otherwise"),
            ("held_ms", "ms that senders waited for room, summed"),
            ("kernel_drops", "datagrams dropped by the kernel"),
        ] {
            let count = count(name);
            if count != 0 {
                writeln!(out, "  ! {count} {said}")?;
            }
        }
        let claimed = number(input, "/hosts_not_allowed");
        if claimed != 0 {
            writeln!(out, "  ! {claimed} messages for hosts that their sender may not speak for")?;
        }
    }
    Ok(())
}

fn show_outputs(body: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    for output in body.as_array().into_iter().flatten() {
        let (name, kind) = (text(output, "/name"), text(output, "/type"));
        writeln!(out, "{} {name}  {kind}, {}", title("output"), text(output, "/state"))?;
        let count = |name: &str| number(output, &format!("/{name}"));
        writeln!(
            out,
            "  sent       {}, {}; {} passed over",
            count("sent"),
            size(output, "/bytes"),
            count("passed_over")
        )?;
        let (events, seconds) = (count("events_behind"), count("seconds_behind"));
        writeln!(out, "  behind     {events} events, {seconds} s")?;
        if output.get("files").is_some() {
            writeln!(
                out,
                "  files      {} there, {} open, {} rotated, {} removed",
                count("files/known"),
                count("files/open"),
                count("files/rotated"),
                count("files/removed"),
            )?;
        }
        for (name, said) in [
            ("lost", "events that were removed before they were handed on"),
            ("refused", "events that the receiver refused"),
            ("files/over_the_cap", "events in _other.log: as many files as may be"),
            ("files/unusable", "events in _other.log: their file is a link or not ours"),
        ] {
            let count = count(name);
            if count != 0 {
                writeln!(out, "  ! {count} {said}")?;
            }
        }
        if text(output, "/state") == "failing" {
            writeln!(out, "  ! {}", text(output, "/last_error"))?;
        }
    }
    Ok(())
}

fn title(word: &str) -> String {
    bold(word, colours())
}

fn text(value: &Value, path: &str) -> String {
    match value.pointer(path).unwrap_or(&Value::Null) {
        Value::Null => "-".to_owned(),
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    }
}

fn number(value: &Value, path: &str) -> u64 {
    value.pointer(path).and_then(Value::as_u64).unwrap_or_default()
}

fn list<'v>(value: &'v Value, path: &str) -> &'v [Value] {
    value.pointer(path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn size(value: &Value, path: &str) -> String {
    bytes(number(value, path))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_input_is_shown_with_what_went_wrong() {
        let body = json!({"inputs": [{
            "name": "home",
            "listeners": [{"transport": "udp", "address": "0.0.0.0:514", "problem": "in use"}],
            "counters": {"messages": 7, "bytes": 2048, "kernel_drops": 3},
            "hosts_not_allowed": 1,
        }]});
        let mut shown = Vec::new();
        show_inputs(&body, &mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        for part in
            ["udp        0.0.0.0:514  ! in use", "7, 2.0 KiB", "! 3 datagrams", "! 1 messages for"]
        {
            assert!(shown.contains(part), "{part} in {shown}");
        }
    }
}
