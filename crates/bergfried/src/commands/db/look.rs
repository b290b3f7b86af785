//! `db status`, `db verify` and `db compact`: of a hub that runs through its API, else of its files.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use bergfried_hub::storage::answer::{
    ChainBody, DueBody, Joined, ShareBody, StorageBody, Verification,
};
use serde_json::{Value, json};

use super::{STOP, at_rest, now, work};
use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::plain;

/// How often a running hub is asked whether it is done.
const ROUND: Duration = Duration::from_millis(300);

pub(super) fn status(hub: &HubChoice, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(keeper) = at_rest(hub)? else {
        let storage: StorageBody = Client::new(hub)?.get("storage", &[])?;
        shares(&storage.days, out)?;
        let (events, bytes) = (storage.events_in_memory, storage.wal_bytes);
        writeln!(out, "  in memory      {events} events, the log has {bytes} bytes")?;
        if let Some(DueBody { taken, due, events, .. }) = storage.next {
            let (taken, due) = (plain(&taken), plain(&due));
            writeln!(out, "  retention      on {due}: looks at {events} events taken on {taken}")?;
        }
        return chain(&storage.chain, out);
    };
    let days: Vec<ShareBody> = keeper.shares().into_iter().map(ShareBody::of).collect();
    shares(&days, out)?;
    let (changes, head) = keeper.chain();
    chain(&ChainBody { changes, head }, out)
}

fn shares(days: &[ShareBody], out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{:<12}{:>12}{:>16}{:>10}  class", "day", "events", "bytes", "segments")?;
    let mut sum = (0, 0, 0);
    for ShareBody { day, class, events, bytes, segments } in days {
        let class = plain(class.as_deref().unwrap_or("-"));
        writeln!(out, "{:<12}{events:>12}{bytes:>16}{segments:>10}  {class}", plain(day))?;
        sum = (sum.0 + events, sum.1 + bytes, sum.2 + segments);
    }
    writeln!(out, "{:<12}{:>12}{:>16}{:>10}\n", "all", sum.0, sum.1, sum.2)?;
    Ok(())
}

fn chain(chain: &ChainBody, out: &mut dyn Write) -> anyhow::Result<()> {
    let head = if chain.head.is_empty() { "-".to_owned() } else { plain(&chain.head) };
    writeln!(out, "  chain          {} changes, {head}", chain.changes)?;
    Ok(())
}

pub(super) fn verify(
    hub: &HubChoice,
    known: &str,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let verified = match at_rest(hub)? {
        Some(keeper) => {
            let known = known.to_ascii_lowercase();
            Verification::of(keeper.verify(&known, &STOP), now())
        }
        None => {
            let client = Client::new(hub)?;
            let before: StorageBody = client.get("storage", &[])?;
            let before = before.verified.map(|one| one.at);
            let storage = ask(&client, "verify", &json!({ "known": known }))?;
            match storage.verified.filter(|one| Some(one.at) != before) {
                Some(verified) => verified,
                None => bail!("the hub did not come to an end with it, its log says why"),
            }
        }
    };
    if !verified.whole {
        let problem = verified.problem.unwrap_or_default();
        writeln!(out, "not whole: {}", plain(&problem))?;
        return Ok(ExitCode::FAILURE);
    }
    let Verification { segments, events, changes, expired, archived, .. } = verified;
    writeln!(out, "whole: {segments} segments with {events} events, {changes} changes")?;
    writeln!(out, "  removed        {expired} events by retention, {archived} to archives")?;
    writeln!(out, "  chain          {}", plain(&verified.head.unwrap_or_default()))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn compact(hub: &HubChoice, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut joined = Joined::default();
    match at_rest(hub)? {
        Some(keeper) => {
            while let Some(compacted) = keeper.compact(true, work())? {
                joined.add(&compacted);
            }
        }
        None => {
            let client = Client::new(hub)?;
            let before: StorageBody = client.get("storage", &[])?;
            let after = ask(&client, "compact", &json!({}))?;
            let trouble = |storage: &StorageBody| storage.problem.as_ref().map(|one| one.at);
            if let Some(problem) = &after.problem
                && trouble(&after) != trouble(&before)
            {
                bail!("{}", plain(&problem.message));
            }
            let (before, after) =
                (before.joined.unwrap_or_default(), after.joined.unwrap_or_default());
            joined.joins = after.joins.saturating_sub(before.joins);
            joined.segments = after.segments.saturating_sub(before.segments);
        }
    }
    writeln!(out, "{} segments became {}", joined.segments, joined.joins)?;
    Ok(())
}

/// Asks a running hub for something, and waits until it is done.
fn ask(client: &Client, what: &str, body: &Value) -> anyhow::Result<StorageBody> {
    let _begun: Value = client.post(&format!("storage/{what}"), Some(body))?;
    loop {
        let storage: StorageBody = client.get("storage", &[])?;
        if storage.running.is_none() {
            return Ok(storage);
        }
        std::thread::sleep(ROUND);
    }
}
