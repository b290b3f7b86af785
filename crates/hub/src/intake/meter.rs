//! How much the bearer of each token sends: counted, and held to the token's limits.
//!
//! A limit is a rate over time, not a size: a bucket holds what may be sent in one second and fills
//! at the token's rate. A request passes while the bucket holds anything and takes all that it
//! brings, also more than there was: so a large body is possible under a small rate, and what
//! follows waits until the debt is paid. How long that is, the refusal says.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bergfried_control::{TokenInfo, TokenLimits};
use serde::Serialize;

/// The most tokens that are counted; past it, the one that was used least is forgotten.
const MAX_TOKENS: usize = 100_000;
/// A longer wait is not asked for: by then the limits may be others.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// What a token's bearer has sent since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Sent {
    /// Requests that were taken up.
    pub(crate) requests: u64,
    /// Records in them.
    pub(crate) events: u64,
    /// Bytes of their bodies, decompressed.
    pub(crate) bytes: u64,
    /// Requests that were refused by the token's limits.
    pub(crate) limited: u64,
}

/// Counts and limits of every token that was used since the start.
#[derive(Default)]
pub(crate) struct Meter {
    tokens: Mutex<HashMap<u64, Account>>,
    /// What holds for tokens that have no limit of their own.
    defaults: TokenLimits,
}

#[derive(Default)]
struct Account {
    sent: Sent,
    events: Option<Bucket>,
    bytes: Option<Bucket>,
}

/// Units that may be sent now; below zero, a debt.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) level: f64,
    at: Instant,
}

impl Meter {
    pub(crate) fn new(defaults: TokenLimits) -> Self {
        Meter { tokens: Mutex::default(), defaults }
    }

    /// The token's limits, with the defaults where it has none.
    pub(crate) fn limits(&self, token: &TokenInfo) -> TokenLimits {
        let own = token.limits;
        TokenLimits {
            max_events_per_second: own
                .max_events_per_second
                .or(self.defaults.max_events_per_second),
            max_bytes_per_second: own.max_bytes_per_second.or(self.defaults.max_bytes_per_second),
            max_body: own.max_body.or(self.defaults.max_body),
        }
    }

    /// Whether the bearer may send now; else how long it must wait. Takes nothing.
    pub(crate) fn admit(&self, token: &TokenInfo, now: Instant) -> Result<(), Duration> {
        self.take(token, 0, 0, now)
    }

    /// Takes so many events and bytes, or says how long the bearer must wait.
    pub(crate) fn charge(
        &self,
        token: &TokenInfo,
        events: usize,
        bytes: usize,
        now: Instant,
    ) -> Result<(), Duration> {
        self.take(token, events as u64, bytes as u64, now)
    }

    fn take(
        &self,
        token: &TokenInfo,
        events: u64,
        bytes: u64,
        now: Instant,
    ) -> Result<(), Duration> {
        let limits = self.limits(token);
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= MAX_TOKENS && !tokens.contains_key(&token.id) {
            let least = tokens.iter().min_by_key(|(_, account)| account.sent.requests);
            if let Some(id) = least.map(|(id, _)| *id) {
                tokens.remove(&id);
            }
        }
        let account = tokens.entry(token.id).or_default();
        let events_rate = limits.max_events_per_second.map(|rate| rate.get() as f64);
        let bytes_rate = limits.max_bytes_per_second.map(|rate| rate.get() as f64);
        let wait = wait(&mut account.events, events_rate, now).max(wait(
            &mut account.bytes,
            bytes_rate,
            now,
        ));
        if wait > Duration::ZERO {
            account.sent.limited += 1;
            return Err(wait.min(LONGEST_WAIT));
        }
        if events > 0 || bytes > 0 {
            account.sent.requests += 1;
            account.sent.events += events;
            account.sent.bytes += bytes;
            for (bucket, amount) in [(&mut account.events, events), (&mut account.bytes, bytes)] {
                if let Some(bucket) = bucket {
                    bucket.level -= amount as f64;
                }
            }
        }
        Ok(())
    }

    /// Gives back what was charged for a request that was then not stored for no fault of its
    /// sender's, who will send it again.
    pub(crate) fn give_back(&self, token: &TokenInfo, events: usize, bytes: usize) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(account) = tokens.get_mut(&token.id) else { return };
        let (events, bytes) = (events as u64, bytes as u64);
        account.sent.requests = account.sent.requests.saturating_sub(1);
        account.sent.events = account.sent.events.saturating_sub(events);
        account.sent.bytes = account.sent.bytes.saturating_sub(bytes);
        for (bucket, amount) in [(&mut account.events, events), (&mut account.bytes, bytes)] {
            if let Some(bucket) = bucket {
                bucket.level += amount as f64;
            }
        }
    }

    /// What the bearer of this token has sent since the start.
    pub(crate) fn sent(&self, id: u64) -> Sent {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.get(&id).map(|account| account.sent).unwrap_or_default()
    }
}

/// Fills the bucket up to now; how long until it holds something.
pub(crate) fn wait(bucket: &mut Option<Bucket>, rate: Option<f64>, now: Instant) -> Duration {
    let Some(rate) = rate else {
        *bucket = None;
        return Duration::ZERO;
    };
    let bucket = bucket.get_or_insert(Bucket { level: rate, at: now });
    let passed = now.saturating_duration_since(bucket.at).as_secs_f64();
    bucket.level = (bucket.level + passed * rate).min(rate);
    bucket.at = now;
    if bucket.level > 0.0 {
        return Duration::ZERO;
    }
    // Until at least one unit may pass.
    let seconds = (1.0 - bucket.level) / rate;
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use bergfried_control::TokenKind;
    use bergfried_event::Timestamp;

    use super::*;

    fn token(id: u64, events: u64, bytes: u64) -> TokenInfo {
        TokenInfo {
            id,
            kind: TokenKind::Agent,
            name: "web".to_owned(),
            created: Timestamp::from_seconds(0),
            last_used: None,
            revoked: None,
            limits: TokenLimits {
                max_events_per_second: NonZeroU64::new(events),
                max_bytes_per_second: NonZeroU64::new(bytes),
                max_body: None,
            },
        }
    }

    #[test]
    fn over_a_minute_no_more_passes_than_the_rate_allows() {
        let (meter, start) = (Meter::default(), Instant::now());
        let limited = token(1, 100, 0);
        let mut passed = 0;
        for millis in (0..60_000).step_by(7) {
            let now = start + Duration::from_millis(millis);
            if meter.charge(&limited, 30, 3_000, now).is_ok() {
                passed += 30;
            }
        }
        assert!((5_900..=6_130).contains(&passed), "{passed}");
        let sent = meter.sent(1);
        assert_eq!((sent.events, sent.requests), (passed, passed / 30));
        assert_eq!(sent.limited, 60_000_u64.div_ceil(7) - sent.requests);
    }

    #[test]
    fn a_large_body_passes_and_the_next_one_waits_as_long_as_it_is_told() {
        let (meter, start) = (Meter::default(), Instant::now());
        let limited = token(1, 0, 1_000);
        meter.charge(&limited, 1, 11_000, start).unwrap();
        let wait = meter.charge(&limited, 1, 10, start).unwrap_err();
        assert!((10.0..10.1).contains(&wait.as_secs_f64()), "{wait:?}");
        assert!(meter.admit(&limited, start + wait - Duration::from_millis(10)).is_err());
        assert!(meter.charge(&limited, 1, 10, start + wait).is_ok());
        assert_eq!(meter.sent(1).limited, 2);
    }

    #[test]
    fn what_was_not_stored_is_given_back() {
        let (meter, start) = (Meter::default(), Instant::now());
        let limited = token(1, 10, 0);
        for _ in 0..100 {
            meter.charge(&limited, 50, 10, start).unwrap();
            meter.give_back(&limited, 50, 10);
        }
        assert_eq!(meter.sent(1), Sent::default());
    }

    #[test]
    fn tokens_without_limits_are_only_counted_unless_there_are_defaults() {
        let start = Instant::now();
        let free = Meter::default();
        for _ in 0..1_000 {
            free.charge(&token(1, 0, 0), 1_000_000, 1 << 30, start).unwrap();
        }
        let defaults = Meter::new(token(0, 10, 0).limits);
        defaults.charge(&token(1, 0, 0), 11, 1, start).unwrap();
        assert!(defaults.admit(&token(1, 0, 0), start).is_err());
        assert!(defaults.admit(&token(2, 0, 0), start).is_ok(), "each has its own");
        assert!(defaults.charge(&token(3, 1_000, 0), 900, 1, start).is_ok());
        assert!(defaults.admit(&token(3, 1_000, 0), start).is_ok(), "its own limit counts");
    }
}
