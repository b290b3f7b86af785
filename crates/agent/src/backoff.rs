//! Pauses between tries: exponential with full jitter, so that a fleet does not come back at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A hub may ask for more patience than [`LONGEST`], but not for ever.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next pause: between none and a ceiling that doubles, but not under what the hub asked.
    pub(crate) fn next(&mut self, asked: Option<Duration>, random: u32) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let jittered = ceiling.mul_f64(f64::from(random) / f64::from(u32::MAX));
        // Never zero: a hub that refuses at once must not be hammered.
        jittered.max(FIRST / 10).max(asked.unwrap_or_default().min(LONGEST_ASKED))
    }
}

/// A random number for [`Backoff::next`]; the middle where the system gives none.
pub(crate) fn random() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_ceiling_and_obey_the_hub() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|_| backoff.next(None, u32::MAX).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.next(None, 0), Duration::from_millis(50));
        assert_eq!(backoff.next(Some(Duration::from_secs(60)), 0), Duration::from_secs(60));
        assert_eq!(backoff.next(Some(Duration::from_secs(86_400)), 0), LONGEST_ASKED);
        backoff.reset();
        assert_eq!(backoff.next(None, u32::MAX), FIRST);
    }
}
