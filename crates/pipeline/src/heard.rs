//! When each agent was last heard: kept for a moment and written together, not with each batch.

use std::collections::HashMap;
use std::sync::Arc;

use bergfried_control::{AgentReport, Control};
use bergfried_event::Timestamp;

use crate::now;
use crate::submission::Sender;

/// How long last-seen times wait before they are written.
const WRITE_EVERY: i64 = 5 * Timestamp::SECOND;
/// The most agents whose last-seen times wait together.
const MAX_AGENTS: usize = 10_000;

pub(crate) struct Heard {
    control: Arc<Control>,
    agents: HashMap<String, Last>,
    written: Timestamp,
}

struct Last {
    sender: Sender,
    host: String,
    records: u64,
}

impl Heard {
    pub(crate) fn new(control: Arc<Control>, now: Timestamp) -> Self {
        Heard { control, agents: HashMap::new(), written: now }
    }

    /// Notes a batch that was stored; one that no agent sent is passed over.
    pub(crate) fn note(&mut self, agent: &str, host: &str, sender: Sender, records: u64) {
        if sender.agent.is_none() {
            return;
        }
        if let Some(last) = self.agents.get_mut(agent) {
            last.records += records;
            last.sender = sender;
        } else if self.agents.len() < MAX_AGENTS {
            self.agents.insert(agent.to_owned(), Last { sender, host: host.to_owned(), records });
        }
    }

    /// Writes where it is time to.
    pub(crate) fn tick(&mut self, now: Timestamp) {
        if now.since(self.written) >= WRITE_EVERY {
            self.write();
            self.written = now;
        }
    }

    /// Writes what was noted; what cannot be written is only a time, and is let go.
    pub(crate) fn write(&mut self) {
        for (agent, last) in self.agents.drain() {
            let address = last.sender.address.map(|address| address.to_string());
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
