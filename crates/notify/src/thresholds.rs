//! How bad things must be to be told, in the numbers of those who come from Heimdall.
//!
//! `ALERT_CRITICAL_THRESHOLD` (5 unless given) is the severity from which on a person is told at once,
//! `ALERT_HIGH_THRESHOLD` (3 unless given) that from which on alerts are told grouped. The numbers are
//! Heimdall's, 1 to 5, and mean our five words from `informational` to `critical`.

use bergfried_event::Severity;

/// From which severity on people are told, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// From here on at once.
    pub critical: Severity,
    /// From here on grouped.
    pub high: Severity,
}

impl Thresholds {
    /// Reads what the environment says; `get` gives the value of a name.
    ///
    /// # Errors
    /// Where a value is no number from 1 to 5, or the critical one is lower than the other.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Thresholds, String> {
        let read = |name: &str, default: Severity| match get(name) {
            None => Ok(default),
            Some(text) => {
                let number = text.trim().parse::<usize>().ok().and_then(|one| one.checked_sub(1));
                let severity = number.and_then(|index| Severity::ALL.get(index).copied());
                let shown = text.escape_debug();
                severity
                    .ok_or_else(|| format!("{name} must be a number from 1 to 5, not `{shown}`"))
            }
        };
        let critical = read("ALERT_CRITICAL_THRESHOLD", Severity::Critical)?;
        let high = read("ALERT_HIGH_THRESHOLD", Severity::Medium)?;
        if critical < high {
            return Err("ALERT_CRITICAL_THRESHOLD is lower than ALERT_HIGH_THRESHOLD".to_owned());
        }
        Ok(Thresholds { critical, high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_severities() {
        let read = |critical: Option<&str>, high: Option<&str>| {
            Thresholds::read(|name| {
                let value = if name == "ALERT_HIGH_THRESHOLD" { high } else { critical };
                value.map(str::to_owned)
            })
        };
        let both = |critical, high| Ok(Thresholds { critical, high });
        assert_eq!(read(None, None), both(Severity::Critical, Severity::Medium));
        assert_eq!(read(Some("4"), Some("1")), both(Severity::High, Severity::Informational));
        for (critical, high, expected) in [
            (Some("0"), None, "ALERT_CRITICAL_THRESHOLD must be a number from 1 to 5, not `0`"),
            (Some("6"), None, "ALERT_CRITICAL_THRESHOLD must be"),
            (None, Some("high"), "ALERT_HIGH_THRESHOLD must be a number from 1 to 5, not `high`"),
            (Some("2"), None, "is lower than"),
        ] {
            let error = read(critical, high).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
