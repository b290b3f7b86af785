//! `bergfried alerts why`: where an alert comes from, and what follows from it.

use std::io::Write;

use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::show::{Format, heading, history};
use super::{Alert, Client, get, path, text, when};
use crate::commands::search;
use crate::terminal::{bold, colours, fit, plain, width};

/// How many of its events are shown.
const EVENTS: usize = 10;
/// How many similar alerts are shown.
const SIMILAR: usize = 5;

#[derive(Args, Debug)]
pub(super) struct Why {
    /// The id, or its beginning
    id: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

type Object = Map<String, Value>;

/// The events behind an alert.
#[derive(Deserialize)]
struct Behind {
    events: Vec<Object>,
    note: Option<String>,
}

pub(super) fn run(client: &Client, wanted: &Why, out: &mut dyn Write) -> anyhow::Result<()> {
    let alert = get(client, &wanted.id)?;
    let id = text(&alert, "id").to_owned();
    let behind: Object = client.get(&path(&id, "/events"), &[])?;
    let limit = [("limit", SIMILAR.to_string())];
    let similar: Vec<Object> = client.get(&path(&id, "/similar"), &limit)?;
    // A rule that was removed since, or routes that cannot be asked, leave the rest to be told.
    let rule = rule_path(&alert).map(|path| client.get::<Object>(&path, &[]));
    let routes = client.post::<Object>("notify/route", Some(&json!({"alert": id})));
    if wanted.format == Format::Json {
        let whole = json!({
            "alert": alert,
            "rule": rule.and_then(Result::ok),
            "behind": behind,
            "routes": routes.ok().and_then(|mut routes| routes.remove("routes")),
            "similar": similar,
        });
        serde_json::to_writer_pretty(&mut *out, &whole)?;
        writeln!(out)?;
        return Ok(());
    }
    heading(&alert, out)?;
    for (name, field) in [("first seen", "first_seen"), ("last seen", "last_seen")] {
        writeln!(out, "  {name}: {}", plain(&when(text(&alert, field))))?;
    }
    write_rule(&alert, rule, out)?;
    write_events(&serde_json::from_value(Value::Object(behind))?, out)?;
    section("History", out)?;
    history(&alert, out)?;
    section("Who is told", out)?;
    match routes {
        Ok(routes) => write_routes(&routes, out)?,
        Err(error) => writeln!(out, "  not known: {error:#}")?,
    }
    write_similar(&similar, out)?;
    write_search(&alert, out)?;
    write_exception(&alert, out)?;
    Ok(())
}

fn section(name: &str, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", bold(name, colours()))
}

/// The path of the rule that made the alert.
fn rule_path(alert: &Alert) -> Option<String> {
    let link = alert.get("links")?.get("rule")?.as_str()?;
    link.strip_prefix("/api/v1/").map(str::to_owned)
}

fn write_rule(
    alert: &Alert,
    rule: Option<anyhow::Result<Object>>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    section("Rule", out)?;
    match rule {
        None => writeln!(out, "  none: {} sent it", plain(text(alert, "origin")))?,
        Some(Err(error)) => {
            writeln!(out, "  {} is not known: {error:#}", plain(text(alert, "rule_id")))?
        }
        Some(Ok(rule)) => {
            let line = rule.get("line").and_then(Value::as_u64).unwrap_or(0);
            let place = format!(
                "{}, {} ({}:{line})",
                text(&rule, "title"),
                text(&rule, "level"),
                text(&rule, "file")
            );
            writeln!(out, "  {}", plain(&place))?;
            writeln!(out, "  {}", plain(text(&rule, "description").trim()))?;
            if let Some(condition) = rule.get("condition").and_then(Value::as_str) {
                writeln!(out, "  when {}", plain(condition))?;
            }
        }
    }
    for (word, field) in [("matched", "matched"), ("grouped by", "group")] {
        for pair in alert.get(field).and_then(Value::as_array).into_iter().flatten() {
            let part = |index: usize| pair.get(index).and_then(Value::as_str).unwrap_or("-");
            writeln!(out, "  {word} {} = {}", plain(part(0)), plain(part(1)))?;
        }
    }
    for harmless in alert.get("falsepositives").and_then(Value::as_array).into_iter().flatten() {
        writeln!(out, "  harmless where: {}", plain(harmless.as_str().unwrap_or("-")))?;
    }
    Ok(())
}

fn write_events(behind: &Behind, out: &mut dyn Write) -> std::io::Result<()> {
    section("Events", out)?;
    for event in behind.events.iter().take(EVENTS) {
        writeln!(out, "  {}", fit(&search::line(event), width().saturating_sub(2)))?;
    }
    if behind.events.len() > EVENTS {
        writeln!(out, "  and {} before these", behind.events.len() - EVENTS)?;
    }
    if let Some(note) = &behind.note {
        writeln!(out, "  {}", plain(note))?;
    }
    Ok(())
}

/// What each route makes of the alert as it is now.
fn write_routes(routes: &Object, out: &mut dyn Write) -> std::io::Result<()> {
    let list = |object: &Value, name: &str| -> Vec<Value> {
        object.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let routes: Vec<Value> =
        routes.get("routes").and_then(Value::as_array).cloned().unwrap_or_default();
    let taking: Vec<&Value> =
        routes.iter().filter(|route| route.get("takes") == Some(&Value::Bool(true))).collect();
    if taking.is_empty() {
        let said = if routes.is_empty() { "there is no route" } else { "no route takes it" };
        return writeln!(out, "  nobody: {said}");
    }
    for route in taking {
        let name = route.get("route").and_then(Value::as_str).unwrap_or("-");
        for channel in list(route, "channels").iter().filter_map(Value::as_object) {
            let said = format!("{name}: {}: {}", text(channel, "channel"), text(channel, "why"));
            writeln!(out, "  {}", plain(&said))?;
        }
        for then in list(route, "then") {
            writeln!(out, "  {}: then {}", plain(name), plain(then.as_str().unwrap_or("-")))?;
        }
    }
    Ok(())
}

fn write_similar(similar: &[Object], out: &mut dyn Write) -> std::io::Result<()> {
    if similar.is_empty() {
        return Ok(());
    }
    section("Similar", out)?;
    for other in similar {
        let reasons = other.get("reasons").and_then(Value::as_array).into_iter().flatten();
        let reasons = reasons.filter_map(|reason| reason.get("what")?.as_str()).collect::<Vec<_>>();
        let said = format!(
            "{} {} {} on {} (same {})",
            text(other, "id").get(..8).unwrap_or_default(),
            text(other, "status"),
            text(other, "event"),
            text(other, "resource"),
            reasons.join(", "),
        );
        writeln!(out, "  {}", fit(&plain(&said), width().saturating_sub(2)))?;
    }
    Ok(())
}

/// How to see what else happened, as a command to copy.
fn write_search(alert: &Alert, out: &mut dyn Write) -> std::io::Result<()> {
    let search = alert.get("links").and_then(|links| links.get("search")?.as_object());
    let Some(search) = search else { return Ok(()) };
    section("What else happened meanwhile", out)?;
    let (from, to) = (text(search, "from"), text(search, "to"));
    let q = text(search, "q");
    // What would mean something to a shell is not shown as something to copy.
    if is_safe(q) {
        writeln!(out, "  bergfried search '{q}' --since {} --until {}", plain(from), plain(to))
    } else {
        writeln!(out, "  {} from {} to {}", plain(q), plain(from), plain(to))
    }
}

/// How to be told of it no more, as a command to copy.
fn write_exception(alert: &Alert, out: &mut dyn Write) -> std::io::Result<()> {
    if alert.get("rule_id").is_some_and(Value::is_string) {
        section("Where it means nothing", out)?;
        let id = plain(text(alert, "id").get(..8).unwrap_or_default());
        return writeln!(
            out,
            "  bergfried alerts except {id} --user --host --reason '…' --for 30d"
        );
    }
    // What was sent from outside is silenced with a blackout.
    let names = ["environment", "resource", "event"].map(|name| (name, text(alert, name)));
    if names.iter().all(|(_, value)| is_safe(value)) {
        section("Where it means nothing", out)?;
        write!(out, "  bergfried blackout add")?;
        for (name, value) in names {
            write!(out, " --{name}='{value}'")?;
        }
        writeln!(out, " --reason '…' --for 30d")?;
    }
    Ok(())
}

/// Whether a text between quotes means nothing to a shell and looks like what it is.
fn is_safe(text: &str) -> bool {
    !text.is_empty()
        && !text.contains('\'')
        && !text.chars().any(char::is_control)
        && plain(text) == text
}
