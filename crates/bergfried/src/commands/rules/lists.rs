//! `bergfried rules lists`.

use std::collections::BTreeMap;
use std::io::Write;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use bergfried_hub::RuleFiles;
use bergfried_rules::{Diagnostic, List, Lists, Mode, NetworkPolicy, Origin};
use clap::Args;

use crate::terminal::{bold, colours, plain};

/// The name of what is no list.
const POLICY: &str = "network_policy";

/// Show the lists that rules share, and where their values come from.
///
/// A rule names a list as `%name%` in a value with the modifier `expand`. A file given by --lists is
/// laid over the built-in lists: `name: [..]` takes the place of one, `name+: [..]` adds to it, and
/// `network_policy` says which destinations are allowed.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bergfried rules lists
  bergfried rules lists safe_hosts
  bergfried rules lists --lists /etc/bergfried/lists.yml --format json")]
pub(super) struct ShowLists {
    /// Only the list of this name, with every value on a line
    #[arg(value_name = "NAME")]
    name: Option<String>,
    /// Lists (YAML), laid over the built-in ones
    #[arg(long, value_name = "FILE")]
    lists: Option<PathBuf>,
    /// How to print lists
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Names, places and values
    Table,
    /// One JSON object: a list by each name
    Json,
}

pub(super) fn run(arguments: &ShowLists, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    let files = RuleFiles { lists: arguments.lists.clone(), ..RuleFiles::default() };
    let mut diagnostics = Vec::new();
    let lists = match files.read_lists()? {
        Some(source) => Lists::read(&source, &mut diagnostics),
        None => Some(Lists::default()),
    };
    diagnostics.iter().map(Diagnostic::to_string).for_each(|said| crate::complain(&said));
    let Some(lists) = lists else { return Ok(ExitCode::from(2)) };
    let wanted = |name: &str| arguments.name.as_deref().is_none_or(|wanted| wanted == name);
    let chosen: Vec<(&str, &List)> = lists.iter().filter(|(name, _)| wanted(name)).collect();
    let policy = Some(lists.network_policy()).filter(|_| wanted(POLICY));
    if let (Some(name), true, None) = (&arguments.name, chosen.is_empty(), policy) {
        let near = bergfried_event::nearest(name, lists.iter().map(|(name, _)| name));
        let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
        bail!("there is no list `{name}`{hint}");
    }
    match arguments.format {
        Format::Table => {
            let colours = colours();
            for (name, list) in chosen {
                let from: Vec<String> = list.from.iter().map(place).collect();
                writeln!(out, "{}  {}", bold(name, colours), plain(&from.join(", ")))?;
                let values: Vec<String> =
                    list.values.iter().map(|value| plain(&value.to_text())).collect();
                let between = if arguments.name.is_some() { "\n    " } else { ", " };
                writeln!(out, "    {}", values.join(between))?;
            }
            if let Some(policy) = policy {
                let from: Vec<String> = policy.from.iter().map(place).collect();
                writeln!(out, "{}  {}", bold(POLICY, colours), plain(&from.join(", ")))?;
                writeln!(out, "    mode: {}", mode(policy))?;
                for (name, values) in [("hosts", &policy.hosts), ("networks", &policy.networks)] {
                    writeln!(out, "    {name}: {}", plain(&values.join(", ")))?;
                }
                writeln!(out, "    ports: {}", ports(policy).join(", "))?;
            }
        }
        Format::Json => {
            let mut shown: BTreeMap<&str, serde_json::Value> =
                chosen.into_iter().map(|(name, list)| (name, json(list))).collect();
            if let Some(policy) = policy {
                let said = serde_json::json!({
                    "mode": mode(policy),
                    "hosts": policy.hosts,
                    "networks": policy.networks,
                    "ports": ports(policy),
                    "from": origins(&policy.from),
                });
                shown.insert(POLICY, said);
            }
            serde_json::to_writer_pretty(&mut *out, &shown)?;
            writeln!(out)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn place(origin: &Origin) -> String {
    format!("{}:{} ({})", origin.file, origin.line, origin.count)
}

fn json(list: &List) -> serde_json::Value {
    serde_json::json!({ "values": list.values, "from": origins(&list.from) })
}

fn origins(from: &[Origin]) -> Vec<serde_json::Value> {
    let origin = |origin: &Origin| serde_json::json!({"file": origin.file, "line": origin.line, "count": origin.count});
    from.iter().map(origin).collect()
}

fn mode(policy: &NetworkPolicy) -> &'static str {
    Mode::ALL.iter().find(|(_, mode)| *mode == policy.mode).map_or("off", |(name, _)| name)
}

/// Ports as they may be written.
fn ports(policy: &NetworkPolicy) -> Vec<String> {
    let shown = |range: &RangeInclusive<u16>| match (range.start(), range.end()) {
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first}-{last}"),
    };
    policy.ports.iter().map(shown).collect()
}
