//! Pauses between tries: exponential with jitter, so that many do not come back at once.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);
/// A receiver may ask for more patience than [`LONGEST`], but not for ever.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next pause: from half of a ceiling that doubles up to the ceiling, but not under what the
    /// receiver asked.
    pub(crate) fn next(&mut self, asked: Option<Duration>, random: u32) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let jitter = f64::from(random) / f64::from(u32::MAX);
        ceiling.mul_f64(0.5 + jitter / 2.0).max(asked.unwrap_or_default().min(LONGEST_ASKED))
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
    fn pauses_grow_to_a_ceiling() {
        let mut backoff = Backoff::default();
        let pauses: Vec<u128> = (0..8).map(|_| backoff.next(None, u32::MAX).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(backoff.next(None, 0), Duration::from_secs(15));
        assert_eq!(backoff.next(Some(Duration::from_secs(86_400)), 0), LONGEST_ASKED);
        backoff.reset();
        assert_eq!(backoff.next(None, u32::MAX), FIRST);
    }
}
