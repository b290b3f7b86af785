//! `[firewall]` of the configuration.

use serde::{Deserialize, Serialize};

/// Whose rules are looked at: by rank, the one that people work with first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FirewallTool {
    /// `ufw`
    Ufw,
    /// `firewall-cmd`
    Firewalld,
    /// `iptables-save`, `ip6tables-save`, and those of the legacy tables
    Iptables,
    /// `nft`
    Nftables,
}

impl FirewallTool {
    /// All of them, by rank.
    pub const ALL: [FirewallTool; 4] = [
        FirewallTool::Ufw,
        FirewallTool::Firewalld,
        FirewallTool::Iptables,
        FirewallTool::Nftables,
    ];

    /// Its name in records and in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            FirewallTool::Ufw => "ufw",
            FirewallTool::Firewalld => "firewalld",
            FirewallTool::Iptables => "iptables",
            FirewallTool::Nftables => "nftables",
        }
    }
}

/// How the state of the host's firewall is watched.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FirewallOptions {
    /// Whether it is.
    pub enabled: bool,
    /// How often it is looked at.
    pub interval_seconds: u64,
    /// Whose rules are looked at, of those that are installed.
    pub tools: Vec<FirewallTool>,
    /// Words before the tool's own that run it as one who may, such as `["sudo", "-n"]`.
    pub command: Vec<String>,
    /// Chains, tables and zones that programs change on their own, by name or with `*`: what changes
    /// in these alone is marked as `firewall.unattended`.
    pub unattended: Vec<String>,
}

impl Default for FirewallOptions {
    fn default() -> Self {
        FirewallOptions {
            enabled: true,
            interval_seconds: 30,
            tools: FirewallTool::ALL.to_vec(),
            command: Vec::new(),
            unattended: UNATTENDED.map(str::to_owned).to_vec(),
        }
    }
}

/// fail2ban, crowdsec, sshguard, containers and virtual machines.
const UNATTENDED: [&str; 13] = [
    "f2b-*",
    "crowdsec*",
    "sshguard*",
    "DOCKER*",
    "docker*",
    "CNI-*",
    "KUBE-*",
    "cali-*",
    "CILIUM_*",
    "netavark*",
    "NETAVARK*",
    "LIBVIRT_*",
    "libvirt*",
];

impl FirewallOptions {
    /// Refuses what can never work.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.interval_seconds == 0 {
            return Err("firewall.interval_seconds must be at least 1".to_owned());
        }
        if self.command.first().is_some_and(String::is_empty) {
            return Err("firewall.command begins with an empty word, expected a program".to_owned());
        }
        for pattern in &self.unattended {
            glob::Pattern::new(pattern)
                .map_err(|error| format!("firewall.unattended: `{pattern}`: {}", error.msg))?;
        }
        Ok(())
    }
}
