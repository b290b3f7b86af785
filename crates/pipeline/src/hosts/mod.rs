//! Which hosts there are, and whether they speak: fed with what was stored, read by whoever asks.
//!
//! Times are those of arrival, whatever lines claim. A new host is durable before what it sent is
//! answered; times and counts of the others are written together every few seconds, so that a crash
//! loses some of them and never a host.

mod policy;
mod registry;
mod sighting;

use std::net::IpAddr;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bergfried_alerting::Alerting;
use bergfried_control::{Control, ControlError, HostHealth};
use bergfried_event::{Field, Timestamp};
use bergfried_heimdall::OsType;
use bergfried_query::{Comparison, Condition, Part, Pattern, Predicate};
use bergfried_store::{Reader, StoreError};

pub use policy::{HostPolicy, Watch};
use registry::{Entry, Registry};
pub use sighting::Via;
use sighting::{Sighting, Sure};
pub(crate) use sighting::{Sightings, Source};

/// What is younger than this may not have been written when the program was killed.
const UNWRITTEN: i64 = 30 * Timestamp::SECOND;

/// A host as it is now.
#[derive(Clone, Debug)]
pub struct HostState {
    /// Its name, as events have it.
    pub name: String,
    /// The kind of system that it is, where something said so.
    pub os_type: Option<OsType>,
    /// How it is heard.
    pub via: Via,
    /// The address that was last sent from, where one is known.
    pub address: Option<String>,
    /// When something of it arrived first.
    pub first_seen: Timestamp,
    /// When something of it arrived last.
    pub last_seen: Timestamp,
    /// How many events of it were stored.
    pub events: u64,
    /// Whether it was heard of lately.
    pub online: bool,
    /// After how many seconds it counts as silent; none: never.
    pub silent_after: Option<u32>,
    /// Whether its silence becomes an alert.
    pub watched: bool,
    /// How it was when it last said so.
    pub health: Option<HostHealth>,
}

/// What was shed of hosts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostsShed {
    /// Names for which there was no place.
    pub refused: u64,
    /// Times that a host was heard of that would be watched if there were not too many already.
    pub unwatched: u64,
}

/// The hosts that are known.
#[derive(Debug)]
pub struct Hosts {
    control: Arc<Control>,
    registry: Mutex<Registry>,
    /// Held while hosts are written, so that none is written as it was before.
    writing: Mutex<()>,
}

impl Hosts {
    /// The hosts that the control store knows, judged by this policy.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn load(control: Arc<Control>, policy: HostPolicy) -> Result<Hosts, ControlError> {
        let registry = Mutex::new(Registry::new(control.hosts()?, policy));
        Ok(Hosts { control, registry, writing: Mutex::default() })
    }

    /// Takes up what hosts said of themselves right before a crash: it was durable, but not yet written
    /// down here.
    ///
    /// # Errors
    /// Where the events cannot be read.
    pub fn recall(&self, reader: &Reader) -> Result<(), StoreError> {
        let Some(written) = self.registry().iter().map(|entry| entry.row.last_seen).max() else {
            return Ok(());
        };
        let since = written.plus_micros(-UNWRITTEN);
        let status = Pattern::new([Part::Literal(sighting::STATUS.to_owned())], true);
        #[expect(clippy::cast_precision_loss, reason = "microseconds of these centuries fit")]
        let late = Condition::Number(Comparison::GreaterOrEqual, since.micros() as f64);
        let said = Predicate::field(Field::EventDataset, Condition::Text(status))
            .and(Predicate::field(Field::EventIngested, late));
        let from = since.plus_micros(-Timestamp::DAY);
        reader.replay_matching(&said, from, Timestamp::MAX, |stored| {
            if let Some(host) = stored.event.text(Field::HostName) {
                let health = sighting::health_of(&stored.event, stored.id, stored.ingested);
                self.registry().recall(host, health);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// Every host, in the order of names.
    pub fn list(&self, now: Timestamp) -> Vec<HostState> {
        let registry = self.registry();
        let mut hosts: Vec<HostState> =
            registry.iter().map(|entry| state(entry, registry.policy(), now)).collect();
        drop(registry);
        hosts.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        hosts
    }

    /// The host of this name.
    pub fn get(&self, host: &str, now: Timestamp) -> Option<HostState> {
        let registry = self.registry();
        registry.get(host).map(|entry| state(entry, registry.policy(), now))
    }

    /// An agent of another product says that it lives on this host. Waits for the disk where the host
    /// is new.
    pub fn heartbeat(
        &self,
        host: &str,
        os: Option<OsType>,
        address: Option<IpAddr>,
        now: Timestamp,
    ) {
        let mut seen = Sighting::new(Via::Heimdall);
        seen.os = os.map(|os| (Sure::Said, os));
        seen.address = address.map(|address| address.to_canonical().to_string());
        let is_new = {
            let mut registry = self.registry();
            let is_new = registry.hear(host, seen, now);
            registry.watch(host);
            is_new
        };
        if is_new {
            self.write();
        }
    }

    /// Forgets a host; false where there is none of this name. What is stored of it stays, and it is
    /// known anew when it is heard of again. Waits for the disk.
    ///
    /// # Errors
    /// Where it could not be written.
    pub fn forget(&self, host: &str) -> Result<bool, ControlError> {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let was_known = self.registry().forget(host);
        Ok(self.control.forget_host(host)? || was_known)
    }

    /// By what hosts are judged.
    pub fn policy(&self) -> HostPolicy {
        self.registry().policy().clone()
    }

    /// What was shed since the start.
    pub fn shed(&self) -> HostsShed {
        self.registry().shed()
    }

    /// Takes in what the events of a commit, which is durable, say of hosts; new ones are durable
    /// when it returns.
    pub(crate) fn heard(&self, sightings: Sightings, now: Timestamp) {
        let mut is_new = false;
        {
            let mut registry = self.registry();
            for (host, seen) in sightings.take() {
                is_new |= registry.hear(&host, seen, now);
            }
        }
        if is_new {
            self.write();
        }
    }

    /// Tells the alerts of hosts that were heard of and are watched.
    pub(crate) fn tell(&self, alerting: &Alerting, now: Timestamp) {
        let alive = self.registry().alive(now);
        for alive in alive {
            if !alerting.host_heard(&alive.host, alive.silent_after) {
                // Its queue is full: once more later.
                self.registry().not_told(&alive);
            }
        }
    }

    /// Writes what changed; what cannot be written now is written later.
    pub(crate) fn write(&self) {
        let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (changed, gone) = self.registry().changes();
        if changed.is_empty() && gone.is_empty() {
            return;
        }
        let rows: Vec<_> = changed.iter().collect();
        if let Err(error) = self.control.write_hosts(&rows, &gone) {
            tracing::warn!(%error, hosts = rows.len(), "cannot write which hosts were heard");
            self.registry().not_written(&changed, gone);
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn state(entry: &Entry, policy: &HostPolicy, now: Timestamp) -> HostState {
    let row = &entry.row;
    let has_agent = entry.via == Via::Agent && policy.watch != Watch::None;
    HostState {
        name: row.name.clone(),
        os_type: OsType::from_name(&row.os_type),
        via: entry.via,
        address: (!row.address.is_empty()).then(|| row.address.clone()),
        first_seen: row.first_seen,
        last_seen: row.last_seen,
        events: row.events,
        online: entry.is_online(policy, now),
        silent_after: entry.silent_after,
        watched: row.watched || (has_agent && entry.silent_after.is_some()),
        health: row.health.clone(),
    }
}
