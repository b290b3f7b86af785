//! Events that a person names: a line or a JSON object as it stands, a file of them, or an event of
//! the hub.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bergfried_event::{Event, FieldName, SourceKind, Timestamp, Value, readable};
use bergfried_parse::Context;
use bergfried_rules::{Pairs, RuleSet};

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::input::{Decoders, Input, Records};

/// The largest single event that is read, in bytes.
const MAX_EVENT: usize = 1 << 20;

/// Shows every event of a file to `look`, judged by the lists of these rules. Lines that name no host
/// are of this one; stamps without a year get this one, else the one nearest to the file's last change.
pub(super) fn each(
    path: &Path,
    rules: &RuleSet,
    host: &str,
    year: Option<i16>,
    mut look: impl FnMut(&Event<'_>),
) -> anyhow::Result<()> {
    let input = Input::from_argument(path);
    let unreadable = || format!("cannot read {}", input.name());
    let context = Context { host, year, ..context(input.last_written(now())) };
    let mut records = open(&input)?;
    let mut pairs = Pairs::default();
    while records.advance().with_context(unreadable)? {
        let record = records.current();
        let text = readable(record.bytes);
        let mut event = bergfried_parse::parse(record.kind, &text, &context);
        rules.judge(&mut event);
        pairs.mark(&mut event);
        look(&event);
    }
    if let Some(damage) = records.damage(&input.name()) {
        crate::complain(&damage.to_string());
    }
    Ok(())
}

/// The event of an argument: `-` for standard input, `@FILE`, the number of an event of the hub, a
/// JSON object, or a log line.
pub(super) fn named(argument: &str, hub: &HubChoice) -> anyhow::Result<Event<'static>> {
    if !argument.is_empty() && argument.bytes().all(|byte| byte.is_ascii_digit()) {
        return of_hub(argument, hub);
    }
    let text = match argument.strip_prefix('@') {
        Some(file) => first_of(&Input::from_argument(Path::new(file)))?,
        None if argument == "-" => first_of(&Input::Stdin)?,
        None => argument.to_owned(),
    };
    let text = text.trim();
    if text.is_empty() {
        bail!("there is no event: expected a log line or a JSON object");
    }
    if text.len() > MAX_EVENT {
        bail!("the event is larger than {MAX_EVENT} bytes");
    }
    Ok(bergfried_parse::parse(SourceKind::File, text, &context(now())).into_owned())
}

/// The first object, event or line that is not empty.
fn first_of(input: &Input) -> anyhow::Result<String> {
    let mut records = open(input)?;
    while records.advance().with_context(|| format!("cannot read {}", input.name()))? {
        let text = readable(records.current().bytes);
        if !text.trim().is_empty() {
            return Ok(text.into_owned());
        }
    }
    Ok(String::new())
}

fn open(input: &Input) -> anyhow::Result<Records> {
    Records::open(input, Arc::default(), &Decoders::default())
        .with_context(|| format!("cannot read {}", input.name()))
}

fn of_hub(id: &str, hub: &HubChoice) -> anyhow::Result<Event<'static>> {
    #[derive(serde::Deserialize)]
    struct Found {
        events: Vec<serde_json::Map<String, serde_json::Value>>,
    }
    let parameters = [
        ("q", format!("event.id:{id}")),
        ("from", Timestamp::MIN.to_string()),
        ("to", Timestamp::MAX.to_string()),
        ("limit", "1".to_owned()),
    ];
    let found: Found = Client::new(hub)?.get("search", &parameters)?;
    let Some(flat) = found.events.into_iter().next() else {
        bail!("the hub has no event {id}");
    };
    Ok(unflatten(flat))
}

/// The event of which this is the flat JSON form.
fn unflatten(flat: serde_json::Map<String, serde_json::Value>) -> Event<'static> {
    let text = |name: &str| flat.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let created = text("@timestamp").parse().unwrap_or_default();
    let mut event = Event::new(created, text("event.original").to_owned());
    for (name, value) in flat {
        if name != "@timestamp" && name != "event.original" {
            event.push_named(FieldName::new(name), Value::from(value));
        }
    }
    event
}

fn context(received: Timestamp) -> Context<'static> {
    Context { received, host: "", time_zone: jiff::tz::TimeZone::UTC, year: None }
}

fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}
