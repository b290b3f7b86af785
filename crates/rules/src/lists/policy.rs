//! What lists say of hosts: which are trusted, and the site's policy.

use std::ops::RangeInclusive;

use bergfried_event::nearest;
use bergfried_policy::{Judge, Mode, Place, Places, Policy, Ports};
use yaml_serde::Value;

use super::{List, Lists, NetworkPolicy, Origin};
use crate::sigma::file::Faults;
use crate::sigma::reader::{At, Wrong};

/// The lists whose values are hosts or networks.
const PLACES: [&str; 2] = ["safe_hosts", "safe_networks"];
const KEYS: &[&str] = &["mode", "hosts", "networks", "ports"];

/// Lays what the file says over a policy: each key takes the place of the one below.
pub(super) fn read(at: &At<'_>, origin: Origin, policy: &mut NetworkPolicy) -> Result<(), Wrong> {
    at.only(KEYS)?;
    if let Some(mode) = at.word("mode", &Mode::ALL)? {
        policy.mode = mode;
    }
    for (key, slot) in [("hosts", &mut policy.hosts), ("networks", &mut policy.networks)] {
        if let Some(list) = at.get(key) {
            *slot = several(&list)?.iter().map(place).collect::<Result<_, _>>()?;
        }
    }
    if let Some(list) = at.get("ports") {
        policy.ports = several(&list)?.iter().map(ports).collect::<Result<_, _>>()?;
    }
    policy.from.push(origin);
    Ok(())
}

/// Refuses values of a list of hosts that are none.
pub(super) fn check(name: &str, at: &At<'_>) -> Result<(), Wrong> {
    if PLACES.contains(&name) {
        for item in several(at)? {
            Place::read(item.text()?).map_err(|message| item.wrong(message))?;
        }
    }
    Ok(())
}

/// The judge of these lists; what cannot be used of the policy is told at its place.
pub(super) fn judge(lists: &Lists, at: Option<&At<'_>>, faults: &mut Faults<'_>) -> Judge {
    let mut safe = Places::default();
    for list in PLACES.iter().filter_map(|name| lists.get(name)) {
        safe.extend(places(list));
    }
    let policy = lists.network_policy();
    let mut listed = Places::default();
    for text in policy.hosts.iter().chain(&policy.networks) {
        let Some(name) = reference(text) else {
            // Was read before.
            listed.extend(Place::read(text).ok());
            continue;
        };
        match lists.get(name) {
            Some(list) => listed.extend(places(list)),
            None => {
                let near = nearest(name, lists.iter().map(|(name, _)| name));
                let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                if let Some(at) = at {
                    faults.error(at.wrong(format!("there is no list `{name}`{hint}")));
                }
            }
        }
    }
    let ports = Ports(policy.ports.clone());
    Judge::new(safe, Policy { mode: policy.mode, places: listed, ports })
}

/// Those values of a list that are places; a list made for something else may have others.
fn places(list: &List) -> impl Iterator<Item = Place> + '_ {
    list.values.iter().filter_map(|value| Place::read(value.as_str()?).ok())
}

/// The name of a list in `%name%`.
fn reference(text: &str) -> Option<&str> {
    text.strip_prefix('%')?.strip_suffix('%').filter(|name| !name.is_empty())
}

/// A value alone, or those of a list.
fn several<'v>(at: &At<'v>) -> Result<Vec<At<'v>>, Wrong> {
    match at.value {
        Value::Sequence(_) => at.list(),
        _ => Ok(vec![at.clone()]),
    }
}

/// A host, a network, or a list's name in `%name%`.
fn place(at: &At<'_>) -> Result<String, Wrong> {
    let text = at.text()?;
    if reference(text).is_none() {
        Place::read(text).map_err(|message| at.wrong(message))?;
    }
    Ok(text.to_owned())
}

/// A port, or a range such as `8000-8100`.
fn ports(at: &At<'_>) -> Result<RangeInclusive<u16>, Wrong> {
    let wrong = || at.wrong("expected a port from 0 to 65535, or a range such as 8000-8100");
    let text = match at.value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return Err(wrong()),
    };
    let (first, last) = text.split_once('-').unwrap_or((&text, &text));
    let port = |text: &str| text.trim().parse::<u16>().map_err(|_| wrong());
    let range = port(first)?..=port(last)?;
    if range.is_empty() { Err(wrong()) } else { Ok(range) }
}
