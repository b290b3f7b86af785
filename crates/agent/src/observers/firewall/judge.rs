//! What is worth saying of what the tools say now, against what was known.
//!
//! Where several tools show the same rules (ufw over iptables over nftables), one record tells of all
//! that changed in one look, in the name of the one that people work with; what changed below comes
//! in the same diff, so that nothing hides behind it.

use std::collections::{BTreeMap, BTreeSet};

use bergfried_event::Timestamp;
use glob::Pattern;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::options::FirewallTool;
use super::reader::{Readings, Unreadable};
use super::state::{State, place};
use crate::observers::diff::{changed_lines, unified};
use crate::observers::record::Record;

/// The longest diff in a record, and the most places that it names.
const LONGEST_DIFF: usize = 48 << 10;
const MOST_PLACES: usize = 32;

/// What is remembered over a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) tools: BTreeMap<FirewallTool, State>,
    /// Why tools could not be asked, as far as that was said.
    told: BTreeMap<FirewallTool, String>,
    /// Whether it was said that there is no tool.
    told_of_none: bool,
}

/// When and how a look was taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    pub(crate) at: Timestamp,
    /// The first of this start of the agent.
    pub(crate) is_first: bool,
    pub(crate) unattended: &'a [Pattern],
    /// How a tool is installed here, for hosts that have none.
    pub(crate) install: &'a str,
}

struct Changed<'a> {
    tool: FirewallTool,
    before: &'a State,
    after: &'a State,
}

impl Changed<'_> {
    /// The families that are open now.
    fn lost(&self) -> Vec<&str> {
        let after = &self.after.guards;
        // A set of rules for both families stands for either.
        let is_kept = |family: &str| after.contains(family) || after.contains("inet");
        let lost = self.before.guards.iter().filter(|family| !is_kept(family));
        let lost: Vec<&str> = lost.map(String::as_str).collect();
        // One that held for both may have been parted.
        let is_parted = lost == ["inet"] && after.contains("ip") && after.contains("ip6");
        if is_parted { Vec::new() } else { lost }
    }
}

impl Known {
    /// The records of this look; what it saw is what is known then.
    pub(crate) fn judge(&mut self, readings: &Readings, look: Look<'_>) -> Vec<Record> {
        let mut records = self.unreadable(readings, look);
        let now = states(readings);
        let changed = self.changes(&now, look);
        let action = changed.as_ref().map(|(action, _)| *action);
        records.extend(changed.map(|(_, record)| record));
        // That it was disabled says that it is inactive.
        if look.is_first && !now.is_empty() && action != Some("firewall-disabled") {
            records.extend(at_start(&now, action.is_some(), look));
        }
        for (tool, state) in now {
            self.tools.insert(tool, state.clone());
        }
        records
    }

    /// What cannot be asked, and why: said once for each reason.
    fn unreadable(&mut self, readings: &Readings, look: Look<'_>) -> Vec<Record> {
        let mut records = Vec::new();
        let removed = self.tools.keys().filter(|tool| !readings.contains_key(tool));
        let removed: Vec<(FirewallTool, Unreadable)> = removed
            .map(|tool| {
                let reason =
                    format!("{} is no longer installed, or no longer looked at", tool.name());
                let fix =
                    format!("if you did not remove it, find out who did, and {}", look.install);
                (*tool, Unreadable { reason, fix, instead: None })
            })
            .collect();
        let failed = readings.iter().filter_map(|(tool, read)| Some((*tool, read.as_ref().err()?)));
        for (tool, why) in failed.chain(removed.iter().map(|(tool, why)| (*tool, why))) {
            if self.told.get(&tool) == Some(&why.reason) {
                continue;
            }
            tracing::warn!(
                tool = tool.name(),
                reason = why.reason,
                fix = why.fix,
                "cannot read the firewall's rules"
            );
            let what = if why.instead.is_some() {
                "its files are read instead"
            } else {
                "its rules are not watched"
            };
            let message = format!("{} cannot be asked, {what}: {}", tool.name(), why.reason);
            records.push(unreadable(message, tool.name(), why, look.at));
            self.told.insert(tool, why.reason.clone());
        }
        for (tool, _) in readings.iter().filter(|(_, read)| read.is_ok()) {
            if self.told.remove(tool).is_some() {
                tracing::info!(tool = tool.name(), "the firewall's rules can be read again");
            }
        }
        if readings.is_empty() && self.tools.is_empty() && !self.told_of_none {
            let why = Unreadable {
                reason: "neither ufw, firewalld, iptables nor nftables is installed".to_owned(),
                fix: look.install.to_owned(),
                instead: None,
            };
            tracing::warn!(fix = why.fix, "no firewall to watch: {}", why.reason);
            let message = format!("no firewall to watch: {}", why.reason);
            records.push(unreadable(message, "none", &why, look.at));
        }
        self.told_of_none = readings.is_empty() && self.tools.is_empty();
        records
    }

    /// What happened, and the record of it.
    fn changes(
        &self,
        now: &BTreeMap<FirewallTool, &State>,
        look: Look<'_>,
    ) -> Option<(&'static str, Record)> {
        let nothing = State::default();
        let is_new = self.tools.is_empty();
        let changed: Vec<Changed<'_>> = now
            .iter()
            .filter_map(|(tool, after)| {
                // A tool that was installed since speaks for the first time: what it has is new, unless
                // nothing was known at all.
                let before = match self.tools.get(tool) {
                    Some(before) => before,
                    None if is_new || !after.is_active() => return None,
                    None => &nothing,
                };
                let comparable = before.from_files == after.from_files || before == &nothing;
                let differs =
                    before.guards != after.guards || (comparable && before.text != after.text);
                differs.then_some(Changed { tool: *tool, before, after })
            })
            .collect();
        let lost = changed.iter().find(|one| !one.lost().is_empty());
        let gained = changed.iter().find(|one| !one.before.is_active() && one.after.is_active());
        let (action, speaks) = match (lost, gained, changed.first()) {
            (Some(one), _, _) => ("firewall-disabled", one),
            (None, Some(one), _) => ("firewall-enabled", one),
            (None, None, Some(one)) => ("firewall-changed", one),
            (None, None, None) => return None,
        };
        let (diff, lines) = difference(&changed);
        let through: BTreeSet<String> =
            changed.iter().flat_map(|one| to_host(&one.after.text)).collect();
        let unattended = action == "firewall-changed"
            && changed.iter().all(|one| one.tool >= FirewallTool::Firewalld)
            && lines.iter().all(|line| is_unattended(line, look.unattended, &through));
        let places: BTreeSet<&str> = lines
            .iter()
            .map(|line| place(line))
            .filter(|place| !place.is_empty())
            .take(MOST_PLACES)
            .collect();
        let name = speaks.tool.name();
        let mut message = match action {
            "firewall-disabled" => {
                let lost = speaks.lost();
                let of =
                    if lost == ["all"] { String::new() } else { format!(" ({})", lost.join(", ")) };
                format!("{name} was disabled: it no longer filters what reaches this host{of}")
            }
            "firewall-enabled" => format!("{name} was enabled"),
            _ if unattended => {
                format!("rules of {name} were changed where programs change them on their own")
            }
            _ => format!("rules of {name} were changed"),
        };
        if action == "firewall-disabled"
            && let Some((other, _)) = now.iter().find(|(_, state)| state.is_active())
        {
            message.push_str(&format!(", {} still does", other.name()));
        }
        if look.is_first {
            message.push_str(" while the agent was not running");
        }
        let tools: Vec<Value> = changed.iter().map(|one| one.tool.name().into()).collect();
        let record = record("change", action, message, look.at)
            .with("firewall.product", name)
            .with("firewall.products", tools)
            .with("firewall.active", now.values().any(|state| state.is_active()))
            .with("firewall.unattended", unattended)
            .with("firewall.while_down", look.is_first)
            .with("firewall.places", places.into_iter().map(Value::from).collect::<Vec<_>>())
            .with("firewall.diff", diff);
        Some((action, record))
    }
}

/// What each tool, or what stands in its place, says.
fn states(readings: &Readings) -> BTreeMap<FirewallTool, &State> {
    readings
        .iter()
        .filter_map(|(tool, read)| {
            let state = match read {
                Ok(state) => state,
                Err(why) => why.instead.as_ref()?,
            };
            Some((*tool, state))
        })
        .collect()
}

fn at_start(now: &BTreeMap<FirewallTool, &State>, said: bool, look: Look<'_>) -> Option<Record> {
    let active = now.iter().find(|(_, state)| state.is_active());
    let names: Vec<&str> = now.keys().map(|tool| tool.name()).collect();
    let (tool, action, message) = match active {
        Some((tool, _)) if !said => {
            (tool, "firewall-state", format!("the firewall is active, by {}", tool.name()))
        }
        Some(_) => return None,
        None => {
            let tool = now.keys().next()?;
            let message = format!(
                "the firewall is inactive: nothing filters what reaches this host (asked: {})",
                names.join(", ")
            );
            (tool, "firewall-inactive", message)
        }
    };
    let tools: Vec<Value> = names.into_iter().map(Value::from).collect();
    let record = record("info", action, message, look.at)
        .with("firewall.product", tool.name())
        .with("firewall.products", tools)
        .with("firewall.active", active.is_some());
    Some(record)
}

fn difference(changed: &[Changed<'_>]) -> (String, Vec<String>) {
    let mut diff = String::new();
    let mut lines = Vec::new();
    for one in changed {
        let (before, after) = (told(one.before), told(one.after));
        let left = LONGEST_DIFF.saturating_sub(diff.len());
        diff.push_str(&unified(one.tool.name(), &before, &after, left));
        lines.extend(changed_lines(&before, &after).into_iter().map(str::to_owned));
    }
    (diff, lines)
}

/// The text of a state; where there is none, that.
fn told(state: &State) -> String {
    if state.text.is_empty() { "no rules\n".to_owned() } else { state.text.clone() }
}

/// Whether programs change such lines on their own: those of their chains, tables and zones, those that
/// lead there, and what moves in sets as packets and time go by. Not one that lets packets in to the
/// host: a name is chosen easily.
fn is_unattended(line: &str, patterns: &[Pattern], to_host: &BTreeSet<String>) -> bool {
    let place = place(line);
    let rule = line.get(place.len()..).unwrap_or_default();
    if to_host.contains(place)
        && rule.split([' ', ';']).any(|word| ["ACCEPT", "accept"].contains(&word))
    {
        return false;
    }
    let names = place.split(' ').chain(leads_to(rule));
    place.ends_with(" (moving)")
        || names.into_iter().any(|word| patterns.iter().any(|one| one.matches(word)))
}

/// The chains that a rule sends packets to.
fn leads_to(rule: &str) -> impl Iterator<Item = &str> {
    let mut words = rule.split_whitespace();
    std::iter::from_fn(move || {
        words.find(|word| ["-j", "-g", "jump", "goto"].contains(word)).and_then(|_| words.next())
    })
}

/// The chains that packets to the host may come through.
fn to_host(text: &str) -> BTreeSet<String> {
    let mut next: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut waiting = Vec::new();
    for line in text.lines() {
        let place = place(line);
        let rule = line.get(place.len()..).unwrap_or_default();
        let Some((table, chain)) = place.rsplit_once(' ') else { continue };
        if chain == "INPUT" || rule.contains(" hook input ") {
            waiting.push(place.to_owned());
        }
        let targets = leads_to(rule).map(|target| format!("{table} {target}"));
        next.entry(place).or_default().extend(targets);
    }
    let mut reached = BTreeSet::new();
    while let Some(chain) = waiting.pop() {
        let further = next.get(chain.as_str()).into_iter().flatten();
        waiting.extend(further.filter(|target| !reached.contains(*target)).cloned());
        reached.insert(chain);
    }
    reached
}

fn unreadable(message: String, product: &str, why: &Unreadable, at: Timestamp) -> Record {
    record("info", "firewall-unreadable", message, at)
        .with("firewall.product", product)
        .with("firewall.reason", why.reason.as_str())
        .with("firewall.fix", why.fix.as_str())
}

fn record(kind: &str, action: &str, message: String, at: Timestamp) -> Record {
    Record::new("firewall", ("configuration", kind), action, message, at)
}
