//! Asking the tools that this host has.
//!
//! Those that are programs in Python (ufw, firewalld) cost a fifth of a second of a processor: they are
//! asked again only where their files or the rules in the kernel changed, or after a while.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::options::{FirewallOptions, FirewallTool};
use super::state::State;
use super::{firewalld, iptables, nftables, ufw};
use crate::command::ask;
use crate::search::find;
use crate::stream::{Limits, StreamError};

const LIMITS: Limits = Limits { time: Duration::from_secs(10), output: 8 << 20 };
/// How long an answer stands while nothing shows that it could be another.
const STANDS: Duration = Duration::from_secs(600);
/// A tool that fails is asked less and less often, but at least this often.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
const FIRST_PAUSE: Duration = Duration::from_secs(30);
/// The most of ufw's rules that is read, and the most files of a directory that are looked at.
const LARGEST_FILE: u64 = 4 << 20;
const MOST_FILES: usize = 1_000;

/// Why a tool's rules are not known, and what would help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) reason: String,
    pub(crate) fix: String,
    /// What its files say in its place.
    pub(crate) instead: Option<State>,
}

pub(crate) type Readings = BTreeMap<FirewallTool, Result<State, Unreadable>>;

/// Asks tools and remembers their answers for a while.
#[derive(Debug)]
pub(crate) struct Reader {
    helper: Vec<String>,
    tools: Vec<FirewallTool>,
    directories: Vec<PathBuf>,
    /// `/etc`
    settings: PathBuf,
    /// `/proc/net`
    kernel: PathBuf,
    answers: BTreeMap<FirewallTool, Answer>,
    failures: BTreeMap<FirewallTool, Failure>,
}

#[derive(Debug)]
struct Answer {
    of: blake3::Hash,
    at: Instant,
    state: State,
}

#[derive(Debug)]
struct Failure {
    why: Unreadable,
    at: Instant,
    pause: Duration,
}

impl Reader {
    /// Programs are searched in these directories, settings and the kernel's files below this root.
    pub(crate) fn new(options: &FirewallOptions, directories: Vec<PathBuf>, root: &Path) -> Reader {
        Reader {
            helper: options.command.clone(),
            tools: options.tools.clone(),
            directories,
            settings: root.join("etc"),
            kernel: root.join("proc/net"),
            answers: BTreeMap::new(),
            failures: BTreeMap::new(),
        }
    }

    /// The tools of the configuration that are installed.
    pub(crate) fn installed(&self) -> Vec<FirewallTool> {
        let is_there = |tool: &FirewallTool| find(program(*tool), &self.directories).is_some();
        self.tools.iter().copied().filter(is_there).collect()
    }

    /// What each of them says now. What was known of iptables says which tables are its own where it
    /// cannot be asked.
    pub(crate) fn read(&mut self, known: &BTreeMap<FirewallTool, State>, now: Instant) -> Readings {
        let installed = self.installed();
        let mut readings = Readings::new();
        let mut of_iptables = known.get(&FirewallTool::Iptables).map(tables_of).unwrap_or_default();
        // From the kernel up: answers above stand as long as those below do not change.
        if installed.contains(&FirewallTool::Iptables) {
            let read = self.unless_pausing(FirewallTool::Iptables, now, |reader| {
                let (state, tables) = reader.iptables()?;
                of_iptables = tables;
                Ok(state)
            });
            readings.insert(FirewallTool::Iptables, read);
        }
        if installed.contains(&FirewallTool::Nftables) {
            let read = self.unless_pausing(FirewallTool::Nftables, now, |reader| {
                let text = reader.ask("nft", &["-s", "list", "ruleset"])?;
                Ok(nftables::state(&text, &of_iptables))
            });
            readings.insert(FirewallTool::Nftables, read);
        }
        let below = below(&readings);
        for tool in [FirewallTool::Firewalld, FirewallTool::Ufw] {
            if installed.contains(&tool) {
                let read = self.unless_pausing(tool, now, |reader| reader.above(tool, below, now));
                readings.insert(tool, read);
            }
        }
        readings
    }

    /// The tables that iptables keeps in the kernel's newer tables come along: nft shows them too.
    fn iptables(&self) -> Result<(State, Vec<String>), StreamError> {
        let mut printed = Vec::new();
        for (family, legacy, name, legacy_name, tables) in [
            ("ip", "legacy ip", "iptables-save", "iptables-legacy-save", "ip_tables_names"),
            ("ip6", "legacy ip6", "ip6tables-save", "ip6tables-legacy-save", "ip6_tables_names"),
        ] {
            let Some(text) = self.ask_if_there(name)? else { continue };
            let is_legacy = !text.is_empty() && !text.contains("(nf_tables)");
            printed.push((if is_legacy { legacy } else { family }, text));
            // Hosts with both kinds have programs for both; the kernel has the file where it has tables.
            if !is_legacy
                && self.kernel.join(tables).exists()
                && let Some(text) = self.ask_if_there(legacy_name)?
            {
                printed.push((legacy, text));
            }
        }
        let printed: Vec<iptables::Printed<'_>> =
            printed.iter().map(|(family, text)| iptables::Printed { family, text }).collect();
        Ok((iptables::state(&printed), iptables::names(&printed)))
    }

    /// ufw and firewalld, which rule through the tools below.
    fn above(
        &mut self,
        tool: FirewallTool,
        below: Option<blake3::Hash>,
        now: Instant,
    ) -> Result<State, StreamError> {
        let files = match tool {
            FirewallTool::Ufw => vec![self.settings.join("ufw"), self.settings.join("default/ufw")],
            _ => vec![self.settings.join("firewalld"), self.settings.join("firewalld/zones")],
        };
        let of = below.map(|below| stamp(&files, below));
        if let Some(answer) = self.answers.get(&tool)
            && Some(answer.of) == of
            && now.duration_since(answer.at) < STANDS
        {
            return Ok(answer.state.clone());
        }
        let state = match tool {
            FirewallTool::Ufw => ufw::state(&self.ask("ufw", &["status", "verbose"])?),
            _ => self.firewalld()?,
        };
        if let Some(of) = of {
            self.answers.insert(tool, Answer { of, at: now, state: state.clone() });
        }
        Ok(state)
    }

    fn firewalld(&self) -> Result<State, StreamError> {
        match self.ask("firewall-cmd", &["--state"]) {
            Ok(_) => Ok(firewalld::state(&self.ask("firewall-cmd", &["--list-all-zones"])?)),
            Err(StreamError::Failed { said, .. }) if said.contains("not running") => {
                Ok(State::default())
            }
            Err(error) => Err(error),
        }
    }

    fn ask(&self, name: &str, arguments: &[&str]) -> Result<String, StreamError> {
        let path = find(name, &self.directories).unwrap_or_else(|| PathBuf::from(name));
        ask(&self.helper, &path, arguments, LIMITS)
    }

    fn ask_if_there(&self, name: &str) -> Result<Option<String>, StreamError> {
        let there = find(name, &self.directories);
        there.map(|path| ask(&self.helper, &path, &[], LIMITS)).transpose()
    }

    fn unless_pausing(
        &mut self,
        tool: FirewallTool,
        now: Instant,
        read: impl FnOnce(&mut Reader) -> Result<State, StreamError>,
    ) -> Result<State, Unreadable> {
        let before = self.failures.get(&tool);
        if let Some(failure) = before.filter(|before| now.duration_since(before.at) < before.pause)
        {
            return Err(Unreadable { instead: self.files_of(tool), ..failure.why.clone() });
        }
        let pause = before.map_or(FIRST_PAUSE, |before| (before.pause * 2).min(LONGEST_PAUSE));
        match read(self) {
            Ok(state) => {
                self.failures.remove(&tool);
                Ok(state)
            }
            Err(error) => {
                self.answers.remove(&tool);
                let why = Unreadable {
                    reason: error.to_string(),
                    fix: self.fix(tool, &error),
                    instead: None,
                };
                self.failures.insert(tool, Failure { why: why.clone(), at: now, pause });
                Err(Unreadable { instead: self.files_of(tool), ..why })
            }
        }
    }

    /// ufw's settings, which everyone may read, and its rules, which some may.
    fn files_of(&self, tool: FirewallTool) -> Option<State> {
        if tool != FirewallTool::Ufw {
            return None;
        }
        let read = |name: &str| bounded(&self.settings.join(name));
        let rules =
            ["ufw/user.rules", "ufw/user6.rules"].into_iter().filter_map(read).collect::<Vec<_>>();
        let defaults = read("default/ufw").unwrap_or_default();
        Some(ufw::state_of_files(&read("ufw/ufw.conf")?, &defaults, &rules))
    }

    fn fix(&self, tool: FirewallTool, error: &StreamError) -> String {
        let path = find(program(tool), &self.directories).unwrap_or_default();
        let line = format!("{} {}", path.display(), arguments(tool)).trim_end().to_owned();
        if let (StreamError::Start { .. }, Some(helper)) = (error, self.helper.first()) {
            return format!(
                "name a program that there is in `command` under [firewall], not `{helper}`"
            );
        }
        if !matches!(error, StreamError::Failed { .. }) || rustix::process::geteuid().is_root() {
            return format!("run `{line}` on the host and see what it says");
        }
        if self.helper.is_empty() {
            return format!(
                "set `command = [\"sudo\", \"-n\"]` under [firewall] and let the agent's user run \
                 `{line}` in sudoers, or give the agent CAP_NET_ADMIN (enough for nft and iptables)"
            );
        }
        format!("let the agent's user run `{line}` by `{}`", self.helper.join(" "))
    }
}

fn program(tool: FirewallTool) -> &'static str {
    match tool {
        FirewallTool::Ufw => "ufw",
        FirewallTool::Firewalld => "firewall-cmd",
        FirewallTool::Iptables => "iptables-save",
        FirewallTool::Nftables => "nft",
    }
}

fn arguments(tool: FirewallTool) -> &'static str {
    match tool {
        FirewallTool::Ufw => "status verbose",
        FirewallTool::Firewalld => "--list-all-zones",
        FirewallTool::Iptables => "",
        FirewallTool::Nftables => "-s list ruleset",
    }
}

/// The tables that the lines of a state of iptables name: `ip filter`.
fn tables_of(state: &State) -> Vec<String> {
    let mut tables: Vec<String> = Vec::new();
    for line in state.text.lines() {
        let place = super::state::place(line);
        if let Some((table, _)) = place.rsplit_once(' ')
            && tables.last().is_none_or(|last| last != table)
        {
            tables.push(table.to_owned());
        }
    }
    tables
}

/// One value of all that was read below, where all of it could be.
fn below(readings: &Readings) -> Option<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    for state in readings.values() {
        hasher.update(state.as_ref().ok()?.text.as_bytes());
    }
    (!readings.is_empty()).then(|| hasher.finalize())
}

/// One value of what is below and of how these files, and those in these directories, stand.
fn stamp(paths: &[PathBuf], below: blake3::Hash) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(below.as_bytes());
    for path in paths {
        let inside = fs::read_dir(path).into_iter().flatten().flatten().take(MOST_FILES);
        let mut all: Vec<PathBuf> = inside.map(|entry| entry.path()).collect();
        all.push(path.clone());
        all.sort();
        for file in all {
            let Ok(about) = fs::metadata(&file) else { continue };
            hasher.update(file.as_os_str().as_encoded_bytes());
            for number in [about.ctime(), about.ctime_nsec(), about.mtime()] {
                hasher.update(&number.to_le_bytes());
            }
            hasher.update(&about.len().to_le_bytes());
            hasher.update(&about.ino().to_le_bytes());
        }
    }
    hasher.finalize()
}

fn bounded(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    (about.is_file() && about.len() <= LARGEST_FILE).then(|| fs::read_to_string(path).ok())?
}
