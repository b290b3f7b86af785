//! How many messages a route may send over a channel in an hour, and what becomes of the rest.

use bergfried_event::Timestamp;

use super::{Bundle, Routing};

const HOUR: i64 = 3_600 * Timestamp::SECOND;

/// Whether a message may be sent now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may.
    Send,
    /// Everything of its route waits until this time, and is sent then as one digest.
    Hold(Timestamp, Bundle),
}

impl Routing {
    /// How many messages a route may send over one channel in an hour; none: as many as it likes.
    pub fn limit(&self, route: &str) -> Option<u32> {
        self.route(route)?.max_per_hour
    }

    /// Whether a message of this route may be sent at `now`; `sent` are the times of the messages of
    /// this route over this channel in the last hour, in any order.
    ///
    /// A time that lies in the future, because the clock was put back, counts as now: nothing waits
    /// for longer than an hour and the quiet hours after it.
    pub fn may_send(&self, route: &str, sent: &[Timestamp], now: Timestamp) -> Verdict {
        let Some(limit) = self.limit(route) else { return Verdict::Send };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut recent: Vec<Timestamp> = sent
            .iter()
            .map(|time| (*time).min(now))
            .filter(|time| now.since(*time) < HOUR)
            .collect();
        if recent.len() < limit {
            return Verdict::Send;
        }
        recent.sort_unstable();
        // So many must leave the hour before there is room for one more.
        let leaving = recent.len().saturating_sub(limit);
        let oldest = recent.get(leaving).copied().unwrap_or(now);
        let free = oldest.plus_micros(HOUR);
        let quiet = self.route(route).and_then(|route| route.quiet.as_ref());
        let free = quiet.map_or(free, |quiet| quiet.release(free));
        let bundle = Bundle {
            key: format!("limit\u{1f}{route}"),
            title: format!("more than {limit} messages an hour"),
            held: true,
        };
        Verdict::Hold(free, bundle)
    }
}
