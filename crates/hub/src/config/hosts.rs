//! The table `[hosts]`: when hosts count as silent, and whose silence becomes an alert.

use bergfried_event::Timestamp;
use bergfried_pipeline::{HostPolicy, Watch};
use bergfried_query::Pattern;
use serde::Deserialize;

/// When hosts and their agents count as silent, and whose silence becomes an alert.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostsFile {
    /// After what time (`15m`) a host of which nothing is heard counts as silent, or `never`; absent: a
    /// quarter of an hour. Agents say at least every minute that they are alive.
    #[serde(default)]
    pub silent_after: SilentAfter,
    /// Whose silence becomes an alert.
    #[serde(default)]
    pub watch: WatchWord,
    /// The most hosts without an agent of Bergfried's that are watched (1000): their names come from
    /// whoever sends lines.
    pub max_watched: Option<MaxWatched>,
    /// Hosts that have a time of their own; the first that fits a name counts.
    #[serde(default, rename = "override")]
    pub overrides: Vec<HostOverride>,
}

/// A time for the hosts of these names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostOverride {
    /// A name in any case, with `*` for any text and `?` for one character.
    pub host: String,
    /// After what time they count as silent, or `never`.
    pub silent_after: SilentAfter,
}

/// Whose silence becomes an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WatchWord {
    /// That of every host.
    #[default]
    All,
    /// That of hosts with an agent, Bergfried's or Heimdall's.
    Agents,
    /// Nobody's.
    None,
}

/// After how many seconds a host of which nothing is heard counts as silent; none: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SilentAfter(pub Option<u32>);

impl Default for SilentAfter {
    fn default() -> Self {
        SilentAfter(HostPolicy::default().silent_after)
    }
}

impl TryFrom<String> for SilentAfter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "never" {
            return Ok(SilentAfter(None));
        }
        let micros = bergfried_query::search::duration(&text);
        let seconds = micros.and_then(|micros| u32::try_from(micros / Timestamp::SECOND).ok());
        match seconds.filter(|seconds| (5..=30 * 86_400).contains(seconds)) {
            Some(seconds) => Ok(SilentAfter(Some(seconds))),
            None => Err(format!(
                "`{}` is no span of time from `5s` to `30d`, such as `15m`, and not `never`",
                text.escape_debug()
            )),
        }
    }
}

/// How many hosts are watched at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub struct MaxWatched(pub usize);

impl TryFrom<usize> for MaxWatched {
    type Error = String;

    fn try_from(most: usize) -> Result<Self, String> {
        match most {
            0..=10_000 => Ok(MaxWatched(most)),
            _ => Err(format!("`max_watched` is at most 10000, not {most}")),
        }
    }
}

impl HostsFile {
    /// What the table says, as the pipeline goes by it.
    pub fn policy(&self) -> HostPolicy {
        let before = HostPolicy::default();
        HostPolicy {
            silent_after: self.silent_after.0,
            watch: match self.watch {
                WatchWord::All => Watch::All,
                WatchWord::Agents => Watch::Agents,
                WatchWord::None => Watch::None,
            },
            overrides: self
                .overrides
                .iter()
                .map(|one| (Pattern::with_wildcards(&one.host, false), one.silent_after.0))
                .collect(),
            most_watched: self.max_watched.map_or(before.most_watched, |most| most.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_who_is_missed_after_what_time() {
        let file: HostsFile = toml::from_str(
            "silent_after = '5m'\nwatch = 'agents'\nmax_watched = 7\n\
             [[override]]\nhost = 'backup-*'\nsilent_after = '25h'\n\
             [[override]]\nhost = '*'\nsilent_after = 'never'\n",
        )
        .unwrap();
        let policy = file.policy();
        assert_eq!((policy.watch, policy.most_watched), (Watch::Agents, 7));
        assert_eq!(policy.silent_after("Backup-1"), Some(90_000));
        assert_eq!(policy.silent_after("web"), None);
        let absent = toml::from_str::<HostsFile>("").unwrap().policy();
        assert_eq!(absent.silent_after("web"), Some(900));
        assert_eq!((absent.watch, absent.most_watched), (Watch::All, 1_000));
    }
}
