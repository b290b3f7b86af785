//! `bergfried hosts`: which hosts there are, whether they speak, and how they are.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use super::printed::{Format, listed, objects, text};
use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::{bold, bytes, colours, fit, lasting, plain, width};

/// Show which hosts there are, whether they speak, and how they are.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried hosts
  bergfried hosts --status silent
  bergfried hosts web1
  bergfried hosts --format json | jq '.[] | select(.health.disk > 0.9) | .name'")]
pub(crate) struct Hosts {
    /// One host, with its newest status
    name: Option<String>,
    /// Only hosts in this state
    #[arg(long, value_enum, conflicts_with = "name")]
    status: Option<Status>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Status {
    /// Its agent or its lines arrive
    Online,
    /// Nothing was heard of it for longer than it may be silent
    Silent,
}

type Object = Map<String, Value>;

pub(crate) fn run(arguments: &Hosts, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let client = Client::new(&arguments.hub)?;
    match &arguments.name {
        None => {
            if arguments.format == Format::Table {
                writeln!(out, "{}", bold(&heading(), colours()))?;
            }
            listed(&client, "hosts", arguments.status, arguments.format, row, out)?;
        }
        Some(name) => {
            let host: Object = client.get(&format!("hosts/{}", in_path(name)?), &[])?;
            match arguments.format {
                Format::Table => show(&host, out)?,
                Format::Json => {
                    serde_json::to_writer_pretty(&mut *out, &host)?;
                    writeln!(out)?;
                }
                Format::Ndjson => objects(&[host], Format::Ndjson, "", row, out)?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A name as one part of a path (RFC 3986, section 3.3).
fn in_path(name: &str) -> anyhow::Result<String> {
    // Clients leave these out of a path, however they are written.
    if name.is_empty() || name == "." || name == ".." {
        bail!("`{}` is no name of a host", name.escape_debug());
    }
    let mut path = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                path.push(char::from(byte));
            }
            _ => path.push_str(&format!("%{byte:02X}")),
        }
    }
    Ok(path)
}

fn heading() -> String {
    format!(
        "{:<8} {:>8} {:<9} {:<9} {:>5} {:>5} {:>5} {:>10}  {}",
        "STATUS", "HEARD", "BY", "SYSTEM", "CPU", "MEM", "DISK", "EVENTS", "NAME"
    )
}

fn row(host: &Object, out: &mut dyn Write) -> io::Result<()> {
    let health = |name: &str| percent(host.get("health").and_then(|health| health.get(name)));
    let number = |name: &str| host.get(name).and_then(Value::as_u64).unwrap_or(0);
    let line = format!(
        "{:<8} {:>8} {:<9} {:<9} {:>5} {:>5} {:>5} {:>10}  {}",
        plain(text(host, "status")),
        lasting(number("since")),
        plain(text(host, "heard")),
        plain(text(host, "os_type")),
        health("cpu"),
        health("memory"),
        health("disk"),
        number("events"),
        plain(text(host, "name")),
    );
    writeln!(out, "{}", fit(&line, width()))
}

fn show(host: &Object, out: &mut dyn Write) -> io::Result<()> {
    let number = |name: &str| host.get(name).and_then(Value::as_u64);
    let ago = lasting(number("since").unwrap_or(0));
    writeln!(out, "{}  {}", bold(&plain(text(host, "name")), colours()), text(host, "status"))?;
    fact(out, "last heard", &format!("{}, {ago} ago", text(host, "last_seen")))?;
    fact(out, "first heard", text(host, "first_seen"))?;
    fact(out, "heard by", text(host, "heard"))?;
    fact(out, "address", text(host, "address"))?;
    fact(out, "events", &number("events").unwrap_or(0).to_string())?;
    let silent_after = number("silent_after").map_or("never".to_owned(), lasting);
    let told = host.get("watched").and_then(Value::as_bool).unwrap_or(false);
    let told = if told { "its silence is an alert" } else { "its silence is told to nobody" };
    fact(out, "silent after", &format!("{silent_after}, {told}"))?;
    fact(out, "system", text(host, "os_type"))?;
    let Some(details) = host.get("details").and_then(Value::as_object) else {
        return fact(out, "status", "it never said how it is");
    };
    let at = |path: &str| host.get("details").and_then(|details| details.pointer(path));
    let word = |path: &str| at(path).and_then(Value::as_str).unwrap_or("-").to_owned();
    let size = |path: &str| at(path).and_then(Value::as_u64).map_or("-".to_owned(), bytes);
    fact(out, "status of", text(details, "time"))?;
    let mut os = vec![word("/os/full"), word("/os/name"), word("/os/version"), word("/os/kernel")];
    os.retain(|word| word != "-");
    fact(out, "runs", &os.join(" · "))?;
    fact(out, "up since", &word("/boot_time"))?;
    let cores = at("/cpu/cores").and_then(Value::as_u64).map_or("-".to_owned(), |n| n.to_string());
    fact(out, "processors", &format!("{} of {cores} cores", percent(at("/cpu/usage"))))?;
    let (used, total) = (size("/memory/used"), size("/memory/total"));
    fact(out, "memory", &format!("{}, {used} of {total}", percent(at("/memory/used_part"))))?;
    let list = |name: &str| {
        let list = details.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_object)
    };
    let amount = |object: &Object, name: &str| {
        object.get(name).and_then(Value::as_u64).map_or("-".to_owned(), bytes)
    };
    for disk in list("disks") {
        let (used, total) = (amount(disk, "used"), amount(disk, "total"));
        let part = percent(disk.get("used_part"));
        fact(out, "disk", &format!("{part:>4}  {used} of {total}  {}", text(disk, "mount")))?;
    }
    for network in list("networks") {
        let (received, sent) = (amount(network, "received"), amount(network, "sent"));
        let (name, address) = (text(network, "name"), text(network, "address"));
        fact(out, "network", &format!("{name}  {address}  in {received}, out {sent}"))?;
    }
    for process in list("processes") {
        let (part, memory) = (percent(process.get("cpu")), amount(process, "memory"));
        let (name, user) = (text(process, "name"), text(process, "user"));
        fact(out, "process", &format!("{part:>4}  {memory}  {name} ({user})"))?;
    }
    Ok(())
}

fn fact(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(out, "  {name:<13} {}", fit(&plain(value), width().saturating_sub(16)))
}

/// A part as a percentage; `-` where there is none.
fn percent(part: Option<&Value>) -> String {
    match part.and_then(Value::as_f64) {
        Some(part) => format!("{:.0}%", part * 100.0),
        None => "-".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn any_name_is_one_part_of_a_path() {
        for (name, expected) in [
            ("web-1.example", "web-1.example"),
            ("a/../b", "a%2F..%2Fb"),
            ("ü ?#%", "%C3%BC%20%3F%23%25"),
        ] {
            assert_eq!(in_path(name).unwrap(), expected);
        }
        for name in ["", ".", ".."] {
            assert!(in_path(name).is_err(), "{name}");
        }
    }

    #[test]
    fn what_hosts_say_of_themselves_acts_on_no_terminal() {
        let host = json!({
            "name": "a\u{1b}[2Jb", "status": "online", "since": 61, "heard": "lines", "events": 7,
            "os_type": null, "silent_after": null, "watched": false,
            "details": {
                "os": {"full": "x\u{202e}y"}, "memory": {"total": 1_536, "used": 1_024},
                "cpu": {"usage": 0.256}, "disks": [{"mount": "/\r\n", "used_part": 0.9}],
                "networks": [{"name": "\u{7}"}], "processes": [{"name": "\u{1b}]0;x"}],
            },
        });
        let mut shown = Vec::new();
        show(host.as_object().unwrap(), &mut shown).unwrap();
        row(host.as_object().unwrap(), &mut shown).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        let acts = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
        assert!(!shown.contains(acts), "{shown:?}");
        for part in ["26% of - cores", "1.0 KiB of 1.5 KiB", "never, its silence is told to nobody"]
        {
            assert!(shown.contains(part), "no {part:?} in {shown}");
        }
    }
}
