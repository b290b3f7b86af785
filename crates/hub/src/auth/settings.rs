//! The table `[sessions]`: how long people stay signed in.

use bergfried_control::SessionRow;
use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

/// How long people stay signed in to the console.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionsFile {
    /// After what time without a request they have to sign in again, `1s` to `365d`; absent: `12h`.
    pub idle: Option<SessionSpan>,
    /// After what time in any case, `1s` to `365d`; absent: `7d`.
    pub absolute: Option<SessionSpan>,
}

/// A number of seconds, written as `12h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SessionSpan(u32);

impl TryFrom<String> for SessionSpan {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let micros = bergfried_query::search::duration(&text);
        let seconds = micros.and_then(|micros| u32::try_from(micros / Timestamp::SECOND).ok());
        let seconds = seconds.filter(|seconds| (1..=365 * 86_400).contains(seconds));
        seconds.map(SessionSpan).ok_or_else(|| {
            let text = text.escape_debug();
            format!("`{text}` is no span of time from `1s` to `365d`, such as `12h`")
        })
    }
}

/// The same, as sessions are judged by it, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SessionTimes {
    idle: u32,
    absolute: u32,
}

impl Default for SessionTimes {
    fn default() -> Self {
        SessionTimes { idle: 12 * 3_600, absolute: 7 * 86_400 }
    }
}

impl From<SessionsFile> for SessionTimes {
    fn from(file: SessionsFile) -> Self {
        let default = SessionTimes::default();
        SessionTimes {
            idle: file.idle.map_or(default.idle, |span| span.0),
            absolute: file.absolute.map_or(default.absolute, |span| span.0),
        }
    }
}

impl SessionTimes {
    /// Whether a session is over.
    pub(crate) fn is_over(&self, session: &SessionRow, now: Timestamp) -> bool {
        let has_passed = |since: Timestamp, seconds: u32| {
            now.since(since) >= i64::from(seconds).saturating_mul(Timestamp::SECOND)
        };
        has_passed(session.last_used, self.idle) || has_passed(session.created, self.absolute)
    }

    pub(crate) fn idle_seconds(&self) -> u32 {
        self.idle
    }

    pub(crate) fn absolute_seconds(&self) -> u32 {
        self.absolute
    }
}
