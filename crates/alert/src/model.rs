//! The words for how bad an alert is, and what they mean.

use std::fmt;

use bergfried_event::{Severity, nearest};

use crate::bounds::MAX_NAME;
use crate::status::{Status, UnknownStatus};

/// The most severities that a model may tell apart.
const MAX_SEVERITIES: usize = 64;

/// The rules by which the status of an alert changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Machine {
    /// Alerta's own.
    Alerta,
    /// Those of ANSI/ISA-18.2.
    Isa182,
}

/// An alarm model: its severities, its statuses and the rules by which they change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// `ALERTA` or `ISA_18_2`.
    pub name: &'static str,
    /// The rules by which the status changes.
    pub machine: Machine,
    /// Each severity and the number that the model shows for it; see [`Model::code`] for comparing.
    pub severities: Vec<(String, u16)>,
    /// The severity of an alert that is over.
    pub normal: String,
    /// The severity that a new alert is said to have had before.
    pub previous: String,
}

/// Words that mean the same, in several systems; a word of the model itself comes first.
const SYNONYMS: &[&[&str]] = &[
    &["critical", "crit", "fatal", "emerg", "emergency", "panic", "alert"],
    &["major", "high", "error", "err"],
    &["minor", "medium"],
    &["warning", "warn", "low"],
    &["informational", "information", "info", "notice", "advisory"],
    &["normal", "ok", "cleared", "clear", "good", "none"],
];

impl Default for Model {
    fn default() -> Self {
        Model::alerta()
    }
}

impl Model {
    /// Alerta's own model.
    pub fn alerta() -> Model {
        let words = [
            ("security", 0),
            ("critical", 1),
            ("major", 2),
            ("minor", 3),
            ("warning", 4),
            ("indeterminate", 5),
            ("informational", 6),
            ("normal", 7),
            ("ok", 7),
            ("cleared", 7),
            ("debug", 8),
            ("trace", 9),
            ("unknown", 10),
        ];
        Model {
            name: "ALERTA",
            machine: Machine::Alerta,
            severities: words.map(|(word, code)| (word.to_owned(), code)).to_vec(),
            normal: "normal".to_owned(),
            previous: "indeterminate".to_owned(),
        }
    }

    /// The model of ANSI/ISA-18.2.
    pub fn isa_18_2() -> Model {
        let words =
            [("Critical", 5), ("High", 4), ("Medium", 3), ("Low", 2), ("Advisory", 1), ("OK", 0)];
        Model {
            name: "ISA_18_2",
            machine: Machine::Isa182,
            severities: words.map(|(word, code)| (word.to_owned(), code)).to_vec(),
            normal: "OK".to_owned(),
            previous: "OK".to_owned(),
        }
    }

    /// The model of this name (`ALARM_MODEL`).
    pub fn named(name: &str) -> Option<Model> {
        [Model::alerta(), Model::isa_18_2()].into_iter().find(|model| model.name == name)
    }

    /// The same rules with other words for severities (`SEVERITY_MAP`, `DEFAULT_NORMAL_SEVERITY`,
    /// `DEFAULT_PREVIOUS_SEVERITY`).
    ///
    /// Without `normal` the model's own word stays where it is among the new ones, else the most
    /// harmless is taken; without `previous` likewise, else the normal one.
    ///
    /// # Errors
    /// Says which word is missing or wrong.
    pub fn with_severities(
        self,
        mut severities: Vec<(String, u16)>,
        normal: Option<&str>,
        previous: Option<&str>,
    ) -> Result<Model, String> {
        if severities.is_empty() {
            return Err("cannot do without any severity".to_owned());
        }
        if severities.len() > MAX_SEVERITIES {
            return Err(format!("cannot tell more than {MAX_SEVERITIES} severities apart"));
        }
        let mut model = Model { severities: Vec::new(), ..self };
        severities.sort_by_key(|(_, code)| model.badness(*code));
        for (place, (word, _)) in severities.iter().enumerate() {
            if word.is_empty() || word.len() > MAX_NAME {
                return Err(format!("the word for a severity has 1 to {MAX_NAME} bytes"));
            }
            if severities.iter().skip(place + 1).any(|(other, _)| other == word) {
                return Err(format!("the severity `{}` is there twice", word.escape_debug()));
            }
        }
        let most_harmless = severities.last().map(|(word, _)| word.clone()).unwrap_or_default();
        model.severities = severities;
        let known = |word: &str| model.severities.iter().any(|(known, _)| known == word);
        let chosen = |what: &str, asked: Option<&str>, own: &str, fallback: &str| match asked {
            Some(word) if known(word) => Ok(word.to_owned()),
            Some(word) => {
                let word = word.escape_debug();
                Err(format!("the {what} severity `{word}` is none of the severities"))
            }
            None if known(own) => Ok(own.to_owned()),
            None => Ok(fallback.to_owned()),
        };
        let normal = chosen("normal", normal, &model.normal, &most_harmless)?;
        let previous = chosen("previous", previous, &model.previous, &normal)?;
        Ok(Model { normal, previous, ..model })
    }

    /// The statuses that an alert may have, in the order in which they sort.
    pub fn statuses(&self) -> &'static [Status] {
        match self.machine {
            Machine::Alerta => Status::ALERTA,
            Machine::Isa182 => Status::ISA_18_2,
        }
    }

    /// The status that is meant where a sender says none.
    pub fn default_status(&self) -> Status {
        match self.machine {
            Machine::Alerta => Status::Open,
            Machine::Isa182 => Status::Norm,
        }
    }

    /// The status of an alert that comes in during a blackout and is kept.
    pub fn blackout_status(&self) -> Status {
        match self.machine {
            Machine::Alerta => Status::Blackout,
            Machine::Isa182 => Status::Dsupr,
        }
    }

    /// The status of this model with this name.
    ///
    /// # Errors
    /// Where there is none; the error lists the names.
    pub fn status(&self, word: &str) -> Result<Status, UnknownStatus> {
        let statuses = self.statuses();
        let found = statuses.iter().copied().find(|status| status.name() == word);
        found.ok_or_else(|| UnknownStatus { word: word.to_owned(), expected: statuses })
    }

    /// The word of this model that is meant: the word itself, or one that other systems use for it.
    ///
    /// # Errors
    /// Where it is neither; the error lists the words.
    pub fn severity(&self, word: &str) -> Result<&str, UnknownSeverity> {
        let words = || self.severities.iter().map(|(name, _)| name.as_str());
        let in_any_case = |wanted: &str| words().find(|name| name.eq_ignore_ascii_case(wanted));
        let synonym = || {
            let same =
                |group: &&&[&str]| group.iter().any(|other| other.eq_ignore_ascii_case(word));
            SYNONYMS.iter().find(same)?.iter().find_map(|other| in_any_case(other))
        };
        words()
            .find(|name| *name == word)
            .or_else(|| in_any_case(word))
            .or_else(synonym)
            .ok_or_else(|| UnknownSeverity {
                word: word.to_owned(),
                expected: words().map(str::to_owned).collect(),
            })
    }

    /// A number for comparing severities: the lower, the worse; the highest for a word that is none.
    pub fn code(&self, severity: &str) -> u16 {
        let found = self.severities.iter().find(|(name, _)| name == severity);
        found.map_or(u16::MAX, |(_, code)| self.badness(*code))
    }

    /// The lower, the worse, whichever way the model counts.
    fn badness(&self, code: u16) -> u16 {
        match self.machine {
            Machine::Alerta => code,
            Machine::Isa182 => (u16::MAX - 1).saturating_sub(code),
        }
    }

    /// Whether an alert of this severity is over.
    pub fn is_normal(&self, severity: &str) -> bool {
        self.code(severity) == self.code(&self.normal)
    }

    /// The word for a severity of a rule.
    pub fn of_rule(&self, severity: Severity) -> &str {
        let word = match severity {
            Severity::Critical => "critical",
            Severity::High => "major",
            Severity::Medium => "minor",
            Severity::Low => "warning",
            Severity::Informational => "informational",
        };
        self.severity(word).unwrap_or_else(|_| self.as_bad_as(severity))
    }

    /// A word of the user's own for a severity of a rule: as far down among those that are not over.
    fn as_bad_as(&self, severity: Severity) -> &str {
        let normal = self.code(&self.normal);
        let words = || self.severities.iter().filter(|(word, _)| self.code(word) < normal);
        let rank = Severity::ALL.iter().rev().position(|other| *other == severity).unwrap_or(0);
        let place = rank * words().count() / Severity::ALL.len();
        words().nth(place).map_or(self.previous.as_str(), |(word, _)| word)
    }

    /// The severity of a rule that is as bad as this word; what is over or unknown is informational.
    pub fn as_rule(&self, severity: &str) -> Severity {
        let code = self.code(severity);
        let at_least = |severity: Severity| code <= self.code(self.of_rule(severity));
        let mut worst_first = Severity::ALL.into_iter().rev();
        worst_first.find(|severity| at_least(*severity)).unwrap_or_default()
    }
}

/// A word that names no severity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownSeverity {
    /// The word as given.
    pub word: String,
    /// The words that there are.
    pub expected: Vec<String>,
}

impl fmt::Display for UnknownSeverity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown severity `{}`, expected one of ", self.word.escape_debug())?;
        f.write_str(&self.expected.join(", "))?;
        match nearest(&self.word, self.expected.iter().map(String::as_str)) {
            Some(meant) => write!(f, "; is `{meant}` meant?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownSeverity {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_others_are_understood() {
        let model = Model::alerta();
        for (word, meant) in [
            ("critical", "critical"),
            ("Critical", "critical"),
            ("information", "informational"),
            ("err", "major"),
            ("crit", "critical"),
            ("emerg", "critical"),
            ("ok", "ok"),
        ] {
            assert_eq!(model.severity(word), Ok(meant));
        }
        let error = model.severity("majr").unwrap_err().to_string();
        assert!(error.contains("expected one of security, critical"), "{error}");
        assert!(error.contains("is `major` meant?"), "{error}");
    }

    #[test]
    fn rules_and_alerts_agree_how_bad_it_is() {
        let model = Model::alerta();
        for severity in Severity::ALL {
            assert_eq!(model.as_rule(model.of_rule(severity)), severity);
        }
        assert_eq!(model.as_rule("security"), Severity::Critical);
        assert_eq!(model.as_rule("normal"), Severity::Informational);
    }
}
