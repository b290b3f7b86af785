//! Senders that should be heard of, with what people were last told of each.

use std::sync::Arc;

use bergfried_alert::{Heartbeat, Pulse, Settings};
use bergfried_control::{BookHeartbeat, BookRow, ControlError};
use bergfried_event::Timestamp;

use crate::book::Sender;

/// The most senders that are remembered; one more is refused, so that nobody can push one out that
/// would be missed.
pub(crate) const MAX_BEATS: usize = 20_000;
/// The most of them that are agents: their names come from whoever has an agent's token.
pub(crate) const MAX_AGENTS: usize = 10_000;
/// How long a sender has to be heard of after the hub could not hear: since a start, or while the
/// clock jumped.
const GRACE: i64 = 60 * Timestamp::SECOND;
/// The least time between two messages that a sender is silent still.
const SILENT_STILL: i64 = 60 * Timestamp::SECOND;

/// A sender as it was last heard of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Beat {
    pub(crate) heartbeat: Arc<Heartbeat>,
    /// What people were last told.
    pub(crate) told: Pulse,
    pub(crate) told_at: Timestamp,
}

impl Beat {
    pub(crate) fn sender(&self) -> Sender {
        (self.heartbeat.origin.clone(), self.heartbeat.customer.clone())
    }

    pub(crate) fn row(&self, number: u64) -> Result<BookHeartbeat, ControlError> {
        Ok(BookHeartbeat {
            row: BookRow { number, body: Some(serde_json::to_string(&*self.heartbeat)?) },
            told: self.told.name().to_owned(),
            told_at: self.told_at.micros(),
        })
    }

    pub(crate) fn read(stored: &BookHeartbeat) -> Result<Beat, serde_json::Error> {
        let body = stored.row.body.as_deref().unwrap_or_default();
        let told = Pulse::ALL.into_iter().find(|pulse| pulse.name() == stored.told);
        Ok(Beat {
            heartbeat: Arc::new(serde_json::from_str(body)?),
            told: told.unwrap_or(Pulse::Ok),
            told_at: Timestamp::from_micros(stored.told_at),
        })
    }

    /// When people are next to be told that it is silent. The alert of a sender that stays silent
    /// must not expire, so it is said again before that.
    pub(crate) fn due(&self, settings: &Settings, listening_since: Timestamp) -> Option<Timestamp> {
        let silent = self.heartbeat.due()?;
        if self.told == Pulse::Expired && self.told_at >= silent {
            let lasts = i64::from(settings.alert_timeout) * Timestamp::SECOND;
            return (lasts > 0).then(|| self.told_at.plus_micros((lasts / 2).max(SILENT_STILL)));
        }
        let patience = (i64::from(self.heartbeat.timeout) * Timestamp::SECOND).min(GRACE);
        Some(silent.max(listening_since.plus_micros(patience)))
    }
}
