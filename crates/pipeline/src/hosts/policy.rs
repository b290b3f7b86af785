//! When a host counts as silent, and whose silence is told.

use bergfried_event::Timestamp;
use bergfried_query::Pattern;

/// How often the time of silence a host must have been heard of without a gap before anyone is told
/// that it is silent, where its name is all that is known of it: an hour by default.
const STEADY: i64 = 4;
/// What counts as silent where silence is told of nobody.
const UNWATCHED: u32 = 15 * 60;

/// Whose silence becomes an alert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watch {
    /// That of every host: of agents from the first moment, of what is known from lines alone once
    /// it was heard of regularly.
    #[default]
    All,
    /// That of hosts with an agent, Bergfried's or Heimdall's.
    Agents,
    /// Nobody's.
    None,
}

/// When hosts count as silent, and what comes of it.
#[derive(Clone, Debug)]
pub struct HostPolicy {
    /// After how many seconds a host counts as silent; none: never.
    pub silent_after: Option<u32>,
    /// Whose silence becomes an alert.
    pub watch: Watch,
    /// Hosts that have a time of their own; the first pattern that fits a name counts.
    pub overrides: Vec<(Pattern, Option<u32>)>,
    /// The most hosts without an agent of Bergfried's whose silence is told: their names come from
    /// whoever sends lines.
    pub most_watched: usize,
}

impl Default for HostPolicy {
    fn default() -> Self {
        HostPolicy {
            silent_after: Some(UNWATCHED),
            watch: Watch::All,
            overrides: Vec::new(),
            most_watched: 1_000,
        }
    }
}

impl HostPolicy {
    /// After how many seconds this host counts as silent; none: its silence is nothing to tell.
    pub fn silent_after(&self, host: &str) -> Option<u32> {
        let own = self.overrides.iter().find(|(pattern, _)| pattern.matches(host));
        own.map_or(self.silent_after, |(_, seconds)| *seconds)
    }

    /// After how long a host is shown as silent, also where that is told to nobody.
    pub(crate) fn shown_silent_after(&self, own: Option<u32>) -> i64 {
        let seconds = own.or(self.silent_after).unwrap_or(UNWATCHED);
        i64::from(seconds) * Timestamp::SECOND
    }

    /// How long a host must have been heard of without a gap to be missed when it is silent.
    pub(crate) fn steady(&self, own: Option<u32>) -> i64 {
        self.shown_silent_after(own) * STEADY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_that_fits_decides() {
        let policy = HostPolicy {
            overrides: vec![
                (Pattern::with_wildcards("backup-*", false), Some(25 * 3_600)),
                (Pattern::with_wildcards("*-lab", false), None),
            ],
            ..HostPolicy::default()
        };
        for (host, expected) in [
            ("web1", Some(900)),
            ("BACKUP-7", Some(90_000)),
            ("backup-lab", Some(90_000)),
            ("x-lab", None),
        ] {
            assert_eq!(policy.silent_after(host), expected, "{host}");
        }
        assert_eq!(policy.steady(Some(900)), 3_600 * Timestamp::SECOND);
        assert_eq!(policy.shown_silent_after(None), 900 * Timestamp::SECOND);
    }
}
