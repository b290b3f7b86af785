//! When a notification that failed is tried again, and when it is given up.

use std::time::Duration;

use bergfried_event::Timestamp;

use crate::send::SendError;

/// The longest pause that doubling leads to.
pub const MAX_BACKOFF: Duration = Duration::from_secs(600);
/// After so many failed attempts a notification becomes a dead letter; at full jitter that is about
/// a day, so that a channel may be away for a night.
pub const MAX_ATTEMPTS: u32 = 300;
/// A notification that has been queued for so long becomes a dead letter at its next failure.
pub const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 3600);

/// What to do with a notification that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Try again at this time.
    RetryAt(Timestamp),
    /// Make it a dead letter.
    GiveUp,
}

/// What to do after the failure `error`, which was attempt number `attempts` (from 1 on) at a
/// notification queued at `created`.
///
/// The server's `Retry-After` is kept to, however small the jitter; `random` is any number.
pub fn next_step(
    attempts: u32,
    created: Timestamp,
    now: Timestamp,
    error: &SendError,
    random: u64,
) -> Step {
    let age = Duration::from_micros(u64::try_from(now.since(created)).unwrap_or(0));
    if !error.retryable || attempts >= MAX_ATTEMPTS || age >= GIVE_UP_AFTER {
        return Step::GiveUp;
    }
    let pause = backoff(attempts, random).max(error.retry_after.unwrap_or_default());
    let micros = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
    Step::RetryAt(now.plus_micros(micros))
}

/// The pause after failed attempt number `attempts` (from 1 on): anything from 0 to 1 s after the
/// first, to twice as much after each further one, to [`MAX_BACKOFF`] ("full jitter").
///
/// `random` is any number; the same number gives the same pause.
pub fn backoff(attempts: u32, random: u64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(20);
    let longest = Duration::from_secs(1 << doublings).min(MAX_BACKOFF);
    let micros = u64::try_from(longest.as_micros()).unwrap_or(u64::MAX);
    Duration::from_micros(random % micros.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(retryable: bool, retry_after: Option<u64>) -> SendError {
        let retry_after = retry_after.map(Duration::from_secs);
        SendError { retryable, retry_after, message: String::new() }
    }

    #[test]
    fn the_pause_doubles_to_ten_minutes() {
        for (attempts, seconds) in
            [(0, 1), (1, 1), (2, 2), (5, 16), (10, 512), (11, 600), (99, 600)]
        {
            let longest = Duration::from_secs(seconds);
            let micros = seconds * 1_000_000;
            assert_eq!(backoff(attempts, micros), longest);
            assert_eq!(backoff(attempts, 0), Duration::ZERO);
            assert_eq!(backoff(attempts, micros / 2), longest / 2);
            for random in [1, 12345, u64::MAX, u64::MAX / 3] {
                assert!(backoff(attempts, random) <= longest);
            }
        }
    }

    #[test]
    fn retries_end() {
        let start = Timestamp::from_seconds(1_700_000_000);
        let after = |seconds: i64| start.plus_micros(seconds * Timestamp::SECOND);
        let cases = [
            (1, 0, error(true, None), Step::RetryAt(after(0))),
            (1, 0, error(true, Some(30)), Step::RetryAt(after(30))),
            (MAX_ATTEMPTS - 1, 0, error(true, None), Step::RetryAt(after(0))),
            (MAX_ATTEMPTS, 0, error(true, None), Step::GiveUp),
            (1, 0, error(false, None), Step::GiveUp),
            (2, 86_399, error(true, None), Step::RetryAt(after(86_399))),
            (2, 86_400, error(true, Some(5)), Step::GiveUp),
            (1, -50, error(true, None), Step::RetryAt(after(-50))),
        ];
        for (attempts, age, error, expected) in cases {
            assert_eq!(next_step(attempts, start, after(age), &error, 0), expected, "{attempts}");
        }
    }
}
