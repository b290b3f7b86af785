//! The time, in whole seconds: the system's, or that of a replay.

use rustix::time::{ClockId, clock_gettime};

use crate::options::TimeSource;

/// What tells the time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Clock {
    /// The system's clock.
    System,
    /// It stands here, and moves with the lines of a replay.
    Replay(i64),
}

impl Clock {
    /// The clock that the options want.
    pub(crate) const fn new(source: TimeSource) -> Self {
        match source {
            TimeSource::System => Self::System,
            TimeSource::Fixed(seconds) => Self::Replay(seconds),
        }
    }

    /// Seconds of the epoch.
    pub(crate) fn now(&self) -> i64 {
        match self {
            // It is asked for every line, and the kernel's own note of the time, some milliseconds
            // old at most, costs a tenth.
            Self::System => clock_gettime(ClockId::RealtimeCoarse).tv_sec,
            Self::Replay(seconds) => *seconds,
        }
    }

    /// Whether it moves by itself.
    pub(crate) const fn runs(&self) -> bool {
        matches!(self, Self::System)
    }
}

/// The time before a line of a replay, `@SECONDS `, and the line; none where there is no time.
pub(crate) fn stamped(line: &[u8]) -> Option<(i64, &[u8])> {
    let rest = line.strip_prefix(b"@")?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let seconds = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
    let after = rest.get(digits..)?;
    // A fraction counts for the second that it is in.
    let after = match after.strip_prefix(b".") {
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            fraction.get(digits..)?
        }
        None => after,
    };
    Some((seconds, after.strip_prefix(b" ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_seconds_with_a_blank_after_it() {
        for (line, expected) in [
            ("@12 a b", Some((12, "a b"))),
            ("@12.75 x", Some((12, "x"))),
            ("@12 ", Some((12, ""))),
            ("@12", None),
            ("12 a", None),
            ("@x a", None),
            ("@99999999999999999999 a", None),
        ] {
            let found = stamped(line.as_bytes());
            let expected = expected.map(|(seconds, rest): (i64, &str)| (seconds, rest.as_bytes()));
            assert_eq!(found, expected, "{line}");
        }
    }
}
