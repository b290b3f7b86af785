//! Looking at the host.

use std::cmp::Reverse;
use std::collections::HashMap;

use sysinfo::{Networks, Process, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

use super::disks::{Disks, FileSystem};

/// The most entries of a list.
pub(super) const MOST: usize = 32;
/// The busiest processes that are told of.
const PROCESSES: usize = 10;
/// The longest name that is told whole, in characters: anybody may call his process what he likes.
const NAME: usize = 128;

/// How a host is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Status {
    pub(super) system: Facts,
    /// Seconds since the system started, and when that was in seconds since 1970.
    pub(super) uptime: u64,
    pub(super) booted: u64,
    /// How much of all processors' time was used since the last look, from 0 to 1.
    pub(super) processor: f64,
    pub(super) cores: usize,
    /// Over 1, 5 and 15 minutes; none where the system counts none.
    pub(super) load: Option<[f64; 3]>,
    pub(super) memory: Usage,
    pub(super) swap: Usage,
    /// None where they did not answer in time.
    pub(super) disks: Option<Vec<FileSystem>>,
    pub(super) interfaces: Vec<Interface>,
    /// The busiest first.
    pub(super) processes: Vec<Busy>,
}

/// What does not change while the system runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) name: Option<String>,
    pub(super) version: Option<String>,
    pub(super) kernel: Option<String>,
    pub(super) full: Option<String>,
    pub(super) architecture: String,
}

/// Bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) total: u64,
    pub(super) used: u64,
}

impl Usage {
    /// The part that is used, from 0 to 1.
    pub(super) fn share(self) -> f64 {
        if self.total == 0 { 0.0 } else { self.used as f64 / self.total as f64 }
    }
}

/// A network interface, with bytes since it came up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Interface {
    pub(super) name: String,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// One of its addresses, an IPv4 address before others; empty where it has none.
    pub(super) address: String,
}

/// A process.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Busy {
    pub(super) name: String,
    pub(super) pid: u32,
    /// A name, or the number where the system has none in its file of users.
    pub(super) user: String,
    /// Shares of one processor's time: 2.0 is two processors all the time.
    pub(super) processor: f64,
    pub(super) memory: u64,
}

/// Remembers what shares are counted from.
pub(super) struct Looker {
    system: System,
    networks: Networks,
    disks: Disks,
    facts: Facts,
}

impl Looker {
    /// Takes the first look, which no share of time can be told from.
    pub(super) fn new() -> Result<Looker, String> {
        let failed = |error: sysinfo::Error| error.to_string();
        let mut looker = Looker {
            system: System::new().map_err(failed)?,
            networks: Networks::new().map_err(failed)?,
            disks: Disks::start().map_err(|error| error.to_string())?,
            facts: facts(),
        };
        looker.refresh();
        Ok(looker)
    }

    fn refresh(&mut self) {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        let wanted = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .with_user(UpdateKind::OnlyIfNotSet)
            .without_tasks();
        self.system.refresh_processes_specifics(ProcessesToUpdate::All, true, wanted);
    }

    /// How it is now, and was since the last look.
    pub(super) fn look(&mut self) -> Status {
        self.refresh();
        self.networks.refresh(true);
        let load = System::load_average().ok().map(|load| [load.one, load.five, load.fifteen]);
        Status {
            system: self.facts.clone(),
            uptime: System::uptime().unwrap_or_default(),
            booted: System::boot_time().unwrap_or_default(),
            processor: share(self.system.global_cpu_usage()).min(1.0),
            cores: self.system.cpus().len(),
            // Windows has no such number.
            load: load.filter(|_| cfg!(unix)),
            memory: Usage { total: self.system.total_memory(), used: self.system.used_memory() },
            swap: Usage { total: self.system.total_swap(), used: self.system.used_swap() },
            disks: self.disks.look(),
            interfaces: self.interfaces(),
            processes: self.busiest(),
        }
    }

    fn interfaces(&self) -> Vec<Interface> {
        let mut interfaces: Vec<Interface> = self
            .networks
            .iter()
            .map(|(name, about)| Interface {
                name: short(&name.to_string_lossy()),
                received: about.total_received(),
                sent: about.total_transmitted(),
                address: about
                    .ip_networks()
                    .iter()
                    .map(|network| network.addr)
                    .min_by_key(|address| !address.is_ipv4())
                    .map(|address| address.to_string())
                    .unwrap_or_default(),
            })
            .collect();
        // A host of containers has hundreds: those that carry most.
        interfaces.sort_by_key(|one| Reverse(one.received.saturating_add(one.sent)));
        interfaces.truncate(MOST);
        interfaces.sort_by(|one, other| one.name.cmp(&other.name));
        interfaces
    }

    fn busiest(&self) -> Vec<Busy> {
        let mut processes: Vec<&Process> = self.system.processes().values().collect();
        let order = |one: &&Process, other: &&Process| {
            let by_processor = other.cpu_usage().total_cmp(&one.cpu_usage());
            by_processor.then(other.memory().cmp(&one.memory())).then(one.pid().cmp(&other.pid()))
        };
        if processes.len() > PROCESSES {
            processes.select_nth_unstable_by(PROCESSES, order);
            processes.truncate(PROCESSES);
        }
        processes.sort_unstable_by(order);
        let names = user_names();
        let told = processes.into_iter().map(|process| {
            let user = process.user_id().map(|user| user.to_string()).unwrap_or_default();
            Busy {
                name: short(&process.name().to_string_lossy()),
                pid: process.pid().as_u32(),
                user: names.get(&user).cloned().unwrap_or(user),
                processor: share(process.cpu_usage()),
                memory: process.memory(),
            }
        });
        told.collect()
    }
}

fn facts() -> Facts {
    Facts {
        name: System::name().ok(),
        version: System::os_version().ok(),
        kernel: System::kernel_version().ok(),
        full: System::long_os_version().ok(),
        architecture: System::cpu_arch(),
    }
}

/// Of percent, with what measuring makes of nothing.
fn share(percent: f32) -> f64 {
    if percent.is_finite() { (f64::from(percent) / 100.0).max(0.0) } else { 0.0 }
}

pub(super) fn short(name: &str) -> String {
    name.chars().take(NAME).collect()
}

/// Names by numbers, from the file alone: a directory service may keep whoever asks it waiting.
#[cfg(unix)]
fn user_names() -> HashMap<String, String> {
    let text = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let users = text.lines().filter_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        Some((parts.nth(1)?.to_owned(), short(name)))
    });
    users.collect()
}

#[cfg(not(unix))]
fn user_names() -> HashMap<String, String> {
    HashMap::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_at_work_is_the_busiest_and_all_is_within_bounds() {
        let mut looker = Looker::new().unwrap();
        // Its name comes from the one who starts it: what a file is called.
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("a\u{1b}[2Jb");
        std::fs::copy("/bin/sh", &program).unwrap();
        let mut child = std::process::Command::new(&program)
            .args(["-c", "while :; do :; done"])
            .spawn()
            .unwrap();
        // How much it gets, others on this machine decide: only in the end it is seen.
        let mut looks = (0..100).map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(300));
            looker.look()
        });
        let of_it = |one: &&Busy| one.pid == child.id() && one.processor > 0.01;
        let status = looks.find(|status| status.processes.iter().any(|one| of_it(&one)));
        let status = status.unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let busy = status.processes.iter().find(|one| one.pid == child.id()).unwrap();
        assert!(busy.memory > 0, "{busy:?}");
        assert_eq!(busy.name, "a\u{1b}[2Jb");
        let own = rustix::process::getuid().as_raw().to_string();
        assert_eq!(busy.user, user_names().get(&own).cloned().unwrap_or(own));
        assert!(status.processes.len() <= PROCESSES);
        assert!(status.processes.is_sorted_by(|one, other| one.processor >= other.processor));
        assert!(status.processor > 0.0 && status.processor <= 1.0, "{status:?}");
        assert!(status.memory.used > 0 && status.memory.used < status.memory.total);
        assert!(status.swap.used <= status.swap.total);
        assert!(status.cores > 0 && status.uptime > 0 && status.booted > 1_600_000_000);
        assert!(status.system.kernel.is_some() && !status.system.architecture.is_empty());
        let loopback = status.interfaces.iter().find(|one| one.name == "lo").unwrap();
        assert_eq!(loopback.address, "127.0.0.1");
    }

    #[test]
    fn shares_are_never_out_of_reason() {
        for (percent, expected) in
            [(0.0, 0.0), (50.0, 0.5), (250.0, 2.5), (-3.0, 0.0), (f32::NAN, 0.0)]
        {
            assert!((share(percent) - expected).abs() < 1e-9, "{percent}");
        }
        assert!((Usage { total: 0, used: 0 }).share().abs() < 1e-9);
        assert_eq!(short(&"ä".repeat(500)).chars().count(), NAME);
    }
}
