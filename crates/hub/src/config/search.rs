//! The table `[search]`: what one search may take.

use std::time::Duration;

use serde::Deserialize;

/// What one search may take.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchFile {
    /// For how long (`30s`) a search may run.
    pub timeout: Option<SearchTime>,
    /// How many MiB (256) the groups, values and events of a search may take in memory.
    pub memory_mib: Option<SearchMemory>,
}

/// For how long a search may run, one second to an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SearchTime(Duration);

impl TryFrom<String> for SearchTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let micros = bergfried_query::search::duration(&text);
        let time = micros.and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros);
        let range = Duration::from_secs(1)..=Duration::from_secs(3_600);
        time.filter(|time| range.contains(time)).map(SearchTime).ok_or_else(|| {
            format!("`{}` is no span of time from `1s` to `1h`, such as `30s`", text.escape_debug())
        })
    }
}

/// How many MiB a search may take, 16 to 65,536.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub struct SearchMemory(usize);

impl TryFrom<i64> for SearchMemory {
    type Error = String;

    fn try_from(mib: i64) -> Result<Self, String> {
        let most = usize::try_from(mib).ok().filter(|mib| (16..=65_536).contains(mib));
        let bytes = most.and_then(|mib| mib.checked_mul(1 << 20));
        bytes.map(SearchMemory).ok_or_else(|| format!("`{mib}` is not 16 to 65536"))
    }
}

/// What one search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchLimits {
    /// For how long it may run, and before that wait for its turn.
    pub time: Duration,
    /// The most bytes of its groups, values and events.
    pub memory: usize,
}

impl Default for SearchLimits {
    /// Half a minute, 256 MiB.
    fn default() -> Self {
        SearchLimits { time: Duration::from_secs(30), memory: 256 << 20 }
    }
}

impl SearchFile {
    /// With what is absent as it is by default.
    pub fn limits(&self) -> SearchLimits {
        let default = SearchLimits::default();
        SearchLimits {
            time: self.timeout.map_or(default.time, |SearchTime(time)| time),
            memory: self.memory_mib.map_or(default.memory, |SearchMemory(bytes)| bytes),
        }
    }
}
