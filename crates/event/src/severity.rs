//! How bad a finding is, and the words that other systems use for the same scale.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::field::nearest;

/// Severity of a rule, a finding or an alert, from least to most severe.
///
/// The five words are Sigma's `level` (Sigma rules specification 2.1, "Level").
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth keeping, not worth acting on.
    #[default]
    Informational,
    /// Notable, seldom an incident.
    Low,
    /// To be looked at within a day.
    Medium,
    /// To be looked at now.
    High,
    /// An incident.
    Critical,
}

impl Severity {
    /// Every severity, least severe first.
    pub const ALL: [Severity; 5] = [
        Severity::Informational,
        Severity::Low,
        Severity::Medium,
        Severity::High,
        Severity::Critical,
    ];

    /// The lower-case word, as in Sigma's `level`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Informational => "informational",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A word that names no severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSeverity(
    /// The word as given.
    pub String,
);

impl fmt::Display for UnknownSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown severity `{}`, expected informational, low, medium, high or critical",
            self.0.escape_debug()
        )?;
        match nearest(&self.0, Severity::ALL.map(Severity::name)) {
            Some(meant) => write!(f, ", did you mean `{meant}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownSeverity {}

impl FromStr for Severity {
    type Err = UnknownSeverity;

    /// Reads one of the five words in any case, or `info` for `informational`.
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        if word.eq_ignore_ascii_case("info") {
            return Ok(Severity::Informational);
        }
        Severity::ALL
            .into_iter()
            .find(|severity| word.eq_ignore_ascii_case(severity.name()))
            .ok_or_else(|| UnknownSeverity(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for severity in Severity::ALL {
            assert_eq!(severity.name().parse(), Ok(severity));
        }
        assert_eq!("INFO".parse(), Ok(Severity::Informational));
        assert!(Severity::Critical > Severity::High);
    }

    #[test]
    fn unknown_word_is_named() {
        let error = "urgent".parse::<Severity>().unwrap_err();
        assert!(error.to_string().contains("`urgent`"), "{error}");
    }
}
