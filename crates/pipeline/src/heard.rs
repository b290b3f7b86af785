//! When each agent and each host was last heard: kept for a moment and written together, not with
//! each batch.

use std::collections::HashMap;
use std::sync::Arc;

use bergfried_alerting::Alerting;
use bergfried_control::{AgentReport, Control, ControlError};
use bergfried_event::Timestamp;

use crate::hosts::{Hosts, Sightings, Watch};
use crate::now;
use crate::submission::Sender;

/// How long last-seen times wait before they are written.
const WRITE_EVERY: i64 = 5 * Timestamp::SECOND;
/// How long the alerts are not told again of an agent at most.
const LONGEST_PAUSE: i64 = 60 * Timestamp::SECOND;
/// The most agents whose last-seen times wait together.
const MAX_AGENTS: usize = 10_000;

pub(crate) struct Heard {
    control: Arc<Control>,
    alerting: Alerting,
    hosts: Arc<Hosts>,
    agents: HashMap<String, Last>,
    /// The host that each agent runs on, for batches that name none.
    runs_on: HashMap<String, String>,
    /// When the alerts were last told of an agent.
    told: HashMap<String, Timestamp>,
    written: Timestamp,
}

struct Last {
    sender: Sender,
    host: String,
    records: u64,
}

impl Heard {
    pub(crate) fn new(
        control: Arc<Control>,
        alerting: Alerting,
        hosts: Arc<Hosts>,
        now: Timestamp,
    ) -> Result<Self, ControlError> {
        let known = control.agents()?.into_iter().filter(|agent| !agent.host.is_empty());
        let runs_on = known.map(|agent| (agent.name, agent.host)).collect();
        let (agents, told) = (HashMap::new(), HashMap::new());
        Ok(Heard { control, alerting, hosts, agents, runs_on, told, written: now })
    }

    /// Notes that an agent only said that it is alive, and so its host.
    pub(crate) fn note_alive(&mut self, agent: &str, sender: Sender) {
        let mut sightings = Sightings::default();
        // An agent is named after its host where nobody named it otherwise.
        let host = self.runs_on.get(agent).map_or(agent, String::as_str);
        sightings.agent(host, address_of(&sender));
        self.hosts.heard(sightings, now());
        self.note(agent, "", sender, 0);
    }

    /// Notes a batch that was stored; one that no agent sent is passed over.
    pub(crate) fn note(&mut self, agent: &str, host: &str, sender: Sender, records: u64) {
        if sender.agent.is_none() {
            return;
        }
        if !host.is_empty() && self.runs_on.get(agent).is_none_or(|known| known != host) {
            if self.runs_on.len() >= MAX_AGENTS {
                self.runs_on.clear();
            }
            self.runs_on.insert(agent.to_owned(), host.to_owned());
        }
        if let Some(last) = self.agents.get_mut(agent) {
            last.records += records;
            last.sender = sender;
            if !host.is_empty() {
                host.clone_into(&mut last.host);
            }
        } else if self.agents.len() < MAX_AGENTS {
            self.agents.insert(agent.to_owned(), Last { sender, host: host.to_owned(), records });
        }
    }

    /// Writes where it is time to.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if now.since(self.written) >= WRITE_EVERY || now < self.written {
            self.tell(now);
            self.hosts.tell(&self.alerting, now);
            self.write();
            self.written = now;
        }
    }

    /// Tells the alerts of each agent, but not more often than it takes to notice that it is silent.
    fn tell(&mut self, now: Timestamp) {
        let policy = self.hosts.policy();
        if policy.watch == Watch::None {
            return;
        }
        self.told.retain(|_, told| now.since(*told) < LONGEST_PAUSE && *told <= now);
        for agent in self.agents.keys() {
            let host = self.runs_on.get(agent).unwrap_or(agent);
            let Some(silent_after) = policy.silent_after(host) else { continue };
            let pause = i64::from(silent_after) * Timestamp::SECOND / 10;
            if self.told.get(agent).is_none_or(|told| now.since(*told) >= pause)
                && self.alerting.agent_heard(agent, silent_after)
                && self.told.len() < MAX_AGENTS
            {
                self.told.insert(agent.clone(), now);
            }
        }
    }

    /// Writes what was noted; what cannot be written is only a time, and is let go.
    pub(crate) fn write(&mut self) {
        self.hosts.write();
        for (agent, last) in self.agents.drain() {
            let address = address_of(&last.sender);
            let report = AgentReport {
                agent: &agent,
                host: &last.host,
                version: last.sender.agent.as_deref().unwrap_or_default(),
                address: address.as_deref().unwrap_or_default(),
                records: last.records,
            };
            if let Err(error) = self.control.record_agent(report, now()) {
                tracing::warn!(%error, agent, "cannot note that an agent was heard");
            }
        }
    }
}

/// The address that it sent from, as people write it.
pub(crate) fn address_of(sender: &Sender) -> Option<String> {
    sender.address.map(|address| address.to_canonical().to_string())
}
