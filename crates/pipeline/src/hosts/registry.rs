//! The hosts that are known, bounded: what was heard of each, who goes when there are too many, and
//! whose silence is to be told. It reads no clock and writes nothing.

use std::collections::HashMap;

use bergfried_control::{HostHealth, HostRow, MAX_HOSTS};
use bergfried_event::Timestamp;
use bergfried_heimdall::OsType;

use super::HostsShed;
use super::policy::{HostPolicy, Watch};
use super::sighting::{Sighting, Sure, Via};

/// How many go at once where there are too many, so that a flood of names costs little.
const ROOM: usize = MAX_HOSTS / 20;
/// How long a host that was heard of regularly keeps its place while it is silent.
const KEPT: i64 = 7 * Timestamp::DAY;
/// How long nobody looks again for room where there was little: looking goes over all hosts, and each
/// name of a flood would ask for it.
const NO_ROOM: i64 = Timestamp::SECOND;
/// How long the alerts are not told again of a host at most.
const LONGEST_PAUSE: i64 = 60 * Timestamp::SECOND;

/// What is known of one host.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) row: HostRow,
    pub(crate) via: Via,
    /// After how many seconds it counts as silent.
    pub(crate) silent_after: Option<u32>,
    /// Whether it changed since it was written.
    dirty: bool,
    /// Whether it was heard of since the alerts were last told.
    heard: bool,
    told: Option<Timestamp>,
}

impl Entry {
    /// Whether it was heard of long and regularly enough to be missed.
    fn is_steady(&self, policy: &HostPolicy) -> bool {
        self.row.last_seen.since(self.row.steady_since) >= policy.steady(self.silent_after)
    }

    /// Whether it keeps its place when many new names come.
    fn is_settled(&self, policy: &HostPolicy, now: Timestamp) -> bool {
        let is_known = self.via == Via::Agent || self.row.watched || self.is_steady(policy);
        is_known && now.since(self.row.last_seen) < KEPT
    }

    /// Whether its agent, or its lines, were heard of lately.
    pub(crate) fn is_online(&self, policy: &HostPolicy, now: Timestamp) -> bool {
        now.since(self.row.last_seen) <= policy.shown_silent_after(self.silent_after)
    }
}

/// A host whose silence is from now on told, or no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alive {
    pub(crate) host: String,
    /// After how many seconds it counts as silent; 0: never.
    pub(crate) silent_after: u32,
}

/// The hosts that are known.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    hosts: HashMap<String, Entry>,
    policy: HostPolicy,
    /// How many hosts without an agent of Bergfried's are watched.
    watched: usize,
    gone: Vec<String>,
    /// When room was last looked for and little was there.
    full: Option<Timestamp>,
    shed: HostsShed,
}

impl Registry {
    pub(crate) fn new(rows: Vec<HostRow>, policy: HostPolicy) -> Registry {
        let mut registry = Registry { policy, ..Registry::default() };
        for row in rows {
            let via = Via::from_name(&row.heard);
            registry.watched += usize::from(row.watched);
            let silent_after = registry.policy.silent_after(&row.name);
            let entry = Entry { via, silent_after, row, dirty: false, heard: false, told: None };
            registry.hosts.insert(entry.row.name.clone(), entry);
        }
        registry
    }

    pub(crate) fn policy(&self) -> &HostPolicy {
        &self.policy
    }

    pub(crate) fn shed(&self) -> HostsShed {
        self.shed
    }

    pub(crate) fn get(&self, host: &str) -> Option<&Entry> {
        self.hosts.get(host)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.hosts.values()
    }

    /// A known host was so, unless something newer is known of it.
    pub(crate) fn recall(&mut self, host: &str, health: HostHealth) {
        if let Some(entry) = self.hosts.get_mut(host)
            && entry.row.health.as_ref().is_none_or(|known| known.event < health.event)
        {
            entry.row.health = Some(health);
            entry.dirty = true;
        }
    }

    /// Takes note of what was heard of a host at `now`; true where it is new.
    pub(crate) fn hear(&mut self, host: &str, seen: Sighting, now: Timestamp) -> bool {
        let is_new = !self.hosts.contains_key(host);
        if is_new {
            if !self.make_room(seen.via, now) {
                self.shed.refused += 1;
                return false;
            }
            self.hosts.insert(host.to_owned(), self.newcomer(host, now));
        }
        let Some(entry) = self.hosts.get_mut(host) else { return false };
        if now.since(entry.row.last_seen) >= self.policy.shown_silent_after(entry.silent_after) {
            entry.row.steady_since = now;
        }
        entry.row.last_seen = now;
        entry.row.events = entry.row.events.saturating_add(seen.events);
        if seen.via > entry.via {
            entry.via = seen.via;
            seen.via.name().clone_into(&mut entry.row.heard);
        }
        if let Some((sure, os)) = seen.os {
            learn(&mut entry.row, sure, os);
        }
        if let Some(address) = seen.address {
            entry.row.address = address;
        }
        if let Some(health) = seen.health {
            entry.row.health = Some(health);
        }
        (entry.dirty, entry.heard) = (true, true);
        is_new
    }

    fn newcomer(&self, host: &str, now: Timestamp) -> Entry {
        Entry {
            via: Via::Lines,
            silent_after: self.policy.silent_after(host),
            dirty: true,
            heard: true,
            told: None,
            row: HostRow {
                name: host.to_owned(),
                os_type: String::new(),
                os_rank: Sure::Unknown as u8,
                heard: Via::Lines.name().to_owned(),
                address: String::new(),
                first_seen: now,
                last_seen: now,
                steady_since: now,
                events: 0,
                watched: false,
                health: None,
            },
        }
    }

    /// Makes room for one more: names that were never heard of regularly go first, the one silent for
    /// longest before the others. A new name that lines alone bring pushes out no host that is heard
    /// of regularly.
    fn make_room(&mut self, via: Via, now: Timestamp) -> bool {
        if self.hosts.len() < MAX_HOSTS {
            return true;
        }
        let is_full = |full: Timestamp| full <= now && now.since(full) < NO_ROOM;
        if via != Via::Agent && self.full.is_some_and(is_full) {
            return false;
        }
        let mut order: Vec<(bool, Timestamp, &str)> = self
            .hosts
            .values()
            .map(|entry| {
                let is_settled = entry.is_settled(&self.policy, now);
                (is_settled, entry.row.last_seen, entry.row.name.as_str())
            })
            .collect();
        order.sort_unstable();
        let strangers = order.iter().take_while(|(is_settled, ..)| !is_settled).count();
        self.full = (strangers < ROOM).then_some(now);
        let going = match (strangers, via) {
            (0, Via::Agent) => 1,
            (0, Via::Lines | Via::Heimdall) => return false,
            (strangers, _) => strangers.min(ROOM),
        };
        let going: Vec<String> =
            order.into_iter().take(going).map(|(_, _, name)| name.to_owned()).collect();
        for name in going {
            self.remove(&name);
            self.gone.push(name);
        }
        true
    }

    fn remove(&mut self, host: &str) -> Option<Entry> {
        let entry = self.hosts.remove(host)?;
        self.watched -= usize::from(entry.row.watched);
        Some(entry)
    }

    /// Forgets a host; false where there is none of this name.
    pub(crate) fn forget(&mut self, host: &str) -> bool {
        self.remove(host).is_some()
    }

    /// What is to be written: the hosts that changed, and those that went.
    pub(crate) fn changes(&mut self) -> (Vec<HostRow>, Vec<String>) {
        let mut changed = Vec::new();
        for entry in self.hosts.values_mut() {
            if std::mem::take(&mut entry.dirty) {
                changed.push(entry.row.clone());
            }
        }
        // One that came back meanwhile is there.
        let gone = std::mem::take(&mut self.gone);
        (changed, gone.into_iter().filter(|name| !self.hosts.contains_key(name)).collect())
    }

    /// What could not be written is to be written again.
    pub(crate) fn not_written(&mut self, rows: &[HostRow], gone: Vec<String>) {
        for row in rows {
            if let Some(entry) = self.hosts.get_mut(&row.name) {
                entry.dirty = true;
            }
        }
        self.gone.extend(gone);
        self.gone.truncate(MAX_HOSTS);
    }

    /// The hosts that the alerts are to be told of: each that is watched and was heard of, but not
    /// more often than it takes to notice that it is silent.
    pub(crate) fn alive(&mut self, now: Timestamp) -> Vec<Alive> {
        let Registry { hosts, policy, watched, shed, .. } = self;
        let mut alive = Vec::new();
        for entry in hosts.values_mut().filter(|entry| entry.heard) {
            let wanted = match (policy.watch, entry.via, entry.silent_after) {
                // The heartbeat of its agent tells.
                (_, Via::Agent, _) | (Watch::None, ..) | (Watch::Agents, Via::Lines, _) => None,
                (_, _, silent_after) => silent_after,
            };
            let silent_after = match (wanted, entry.row.watched) {
                (None, false) => {
                    entry.heard = false;
                    continue;
                }
                (None, true) => {
                    *watched -= 1;
                    (entry.row.watched, entry.dirty) = (false, true);
                    0
                }
                (Some(seconds), true) => seconds,
                (Some(seconds), false) => {
                    if !entry.is_steady(policy) {
                        entry.heard = false;
                        continue;
                    }
                    if *watched >= policy.most_watched {
                        shed.unwatched += 1;
                        entry.heard = false;
                        continue;
                    }
                    *watched += 1;
                    (entry.row.watched, entry.dirty) = (true, true);
                    seconds
                }
            };
            let pause = (i64::from(silent_after) * Timestamp::SECOND / 10).min(LONGEST_PAUSE);
            if entry.told.is_some_and(|told| told <= now && now.since(told) < pause) {
                continue;
            }
            (entry.told, entry.heard) = (Some(now), false);
            alive.push(Alive { host: entry.row.name.clone(), silent_after });
        }
        alive
    }

    /// Lets the alerts be told again of a host of which they could not be.
    pub(crate) fn not_told(&mut self, alive: &Alive) {
        if let Some(entry) = self.hosts.get_mut(&alive.host) {
            (entry.told, entry.heard) = (None, true);
            if alive.silent_after == 0 && !entry.row.watched {
                // That it is watched no more is still to be told.
                entry.row.watched = true;
                self.watched += 1;
            }
        }
    }

    /// Misses a host from now on where its agent says that it lives, without an hour of waiting.
    pub(crate) fn watch(&mut self, host: &str) {
        let is_full = self.watched >= self.policy.most_watched;
        if let Some(entry) = self.hosts.get_mut(host)
            && entry.via != Via::Agent
            && !entry.row.watched
            && !is_full
            && self.policy.watch != Watch::None
            && entry.silent_after.is_some()
        {
            (entry.row.watched, entry.dirty, entry.heard) = (true, true, true);
            self.watched += 1;
        }
    }
}

/// Takes a system as the host's where it is at least as sure as what was known.
fn learn(row: &mut HostRow, sure: Sure, os: OsType) {
    if sure >= Sure::from_rank(row.os_rank) {
        os.name().clone_into(&mut row.os_type);
        row.os_rank = sure as u8;
    }
}

#[cfg(test)]
#[path = "registry/tests.rs"]
mod tests;
