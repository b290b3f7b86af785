//! Which events a rule's `logsource` means: one table from Sigma's words to our events.

use std::fmt;

use bergfried_event::{Event, Field, Value, nearest};
use serde::Deserialize;

/// The `logsource` of a rule (Sigma rules specification 2.1, "Log source").
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogSource {
    pub(crate) product: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) service: Option<String>,
}

impl LogSource {
    /// The same in lower case: words are compared without regard to it.
    pub(crate) fn lower_case(self) -> LogSource {
        let lower = |word: Option<String>| word.map(|word| word.to_lowercase());
        LogSource {
            product: lower(self.product),
            category: lower(self.category),
            service: lower(self.service),
        }
    }

    /// Whether this log source has every word that the other has.
    pub(crate) fn is_within(&self, other: &LogSource) -> bool {
        let fits = |own: &Option<String>, asked: &Option<String>| asked.is_none() || own == asked;
        fits(&self.product, &other.product)
            && fits(&self.category, &other.category)
            && fits(&self.service, &other.service)
    }
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        write!(f, "{}/{}/{}", part(&self.product), part(&self.category), part(&self.service))
    }
}

/// A set of log sources: those that an event comes from, or those that a rule asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sources(u32);

/// One word of the taxonomy and how events show that they belong to it.
struct Entry {
    key: &'static str,
    word: &'static str,
    /// `process.name` of the events.
    programs: &'static [&'static str],
    /// A value of `event.category` or `event.module` of the events.
    categories: &'static [&'static str],
}

const fn entry(
    key: &'static str,
    word: &'static str,
    programs: &'static [&'static str],
    categories: &'static [&'static str],
) -> Entry {
    Entry { key, word, programs, categories }
}

const AUTH: &[&str] = &["authentication", "session", "iam"];

/// Product `linux` and service `syslog` mean every event and have no entry here.
static TABLE: &[Entry] = &[
    entry("service", "sshd", &["sshd", "sshd-session", "sshd-auth", "sshd2", "dropbear"], &[]),
    entry("service", "sudo", &["sudo"], &[]),
    entry("service", "su", &["su", "su-l"], &[]),
    entry("service", "login", &["login", "agetty"], &[]),
    entry("service", "auth", &["sshd", "sshd-session", "sshd-auth", "sudo", "su", "login"], AUTH),
    entry("service", "cron", &["cron", "crond", "CRON", "anacron", "crontab"], &[]),
    entry("service", "systemd-logind", &["systemd-logind"], &[]),
    entry("service", "vsftpd", &["vsftpd"], &[]),
    entry("service", "clamav", &["clamd", "freshclam", "clamscan", "clamav"], &[]),
    entry("service", "guacamole", &["guacd", "guacamole"], &[]),
    entry("category", "authentication", &[], &["authentication"]),
    entry("category", "process_creation", &[], &["process"]),
];

const WHOLE: &[(&str, &str)] =
    &[("product", "linux"), ("service", "syslog"), ("service", "messages")];

impl Sources {
    /// How many buckets [`Sources::bucket`] tells apart.
    pub(crate) const BUCKETS: usize = TABLE.len() + 1;

    /// The log sources that an event comes from.
    pub(crate) fn of(event: &Event<'_>) -> Sources {
        let program = event.text(Field::ProcessName).unwrap_or_default();
        let category = event.get(Field::EventCategory);
        let bits = TABLE.iter().enumerate().filter(|(_, entry)| {
            entry.programs.contains(&program)
                || !entry.categories.is_empty()
                    && category.is_some_and(|value| has_any(value, entry.categories))
        });
        let mut sources = Sources(bits.fold(0, |set, (index, _)| set | 1 << index));
        if program.is_empty() && event.text(Field::EventAction) == Some("ssh_login") {
            sources.0 |= 1;
        }
        sources
    }

    /// The log sources that a rule asks for, or the word that no source here gives.
    pub(crate) fn asked(logsource: &LogSource) -> Result<Sources, String> {
        let mut asked = Sources::default();
        let parts = [
            ("product", &logsource.product),
            ("category", &logsource.category),
            ("service", &logsource.service),
        ];
        for (key, word) in parts.into_iter().filter_map(|(key, word)| Some((key, word.as_ref()?))) {
            if WHOLE.contains(&(key, word.as_str())) {
                continue;
            }
            match TABLE.iter().position(|entry| entry.key == key && entry.word == word) {
                Some(index) => asked.0 |= 1 << index,
                None => return Err(format!("no source gives {key} `{word}`{}", hint(key, word))),
            }
        }
        Ok(asked)
    }

    /// The bucket of a rule that asks for these sources: one of them, or the bucket of all events.
    pub(crate) fn bucket(self) -> usize {
        if self.0 == 0 { TABLE.len() } else { self.0.trailing_zeros() as usize }
    }

    /// The buckets whose rules an event from these sources may meet.
    pub(crate) fn buckets(self) -> impl Iterator<Item = usize> {
        (0..Self::BUCKETS).filter(move |index| *index == TABLE.len() || self.0 & 1 << index != 0)
    }

    /// Whether these sources include all the `asked` ones.
    pub(crate) fn include(self, asked: Sources) -> bool {
        self.0 & asked.0 == asked.0
    }
}

fn hint(key: &str, word: &str) -> String {
    let known = TABLE.iter().map(|entry| (entry.key, entry.word)).chain(WHOLE.iter().copied());
    match nearest(word, known.filter(|(k, _)| *k == key).map(|(_, word)| word)) {
        Some(near) => format!(", did you mean `{near}`?"),
        None => String::new(),
    }
}

fn has_any(value: &Value<'_>, words: &[&str]) -> bool {
    match value {
        Value::Text(text) => words.contains(&text.as_ref()),
        Value::List(values) => values.iter().any(|value| has_any(value, words)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::Timestamp;

    use super::*;

    fn asked(product: Option<&str>, service: &str) -> Result<Sources, String> {
        Sources::asked(&LogSource {
            product: product.map(str::to_owned),
            category: None,
            service: Some(service.to_owned()),
        })
    }

    #[test]
    fn events_belong_to_their_program_and_category() {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set(Field::ProcessName, "useradd");
        event.set(Field::EventCategory, Value::List(vec!["iam".into()]));
        let sources = Sources::of(&event);
        assert!(sources.include(asked(Some("linux"), "auth").unwrap()));
        assert!(sources.include(asked(None, "syslog").unwrap()));
        assert!(!sources.include(asked(Some("linux"), "sshd").unwrap()));
        event.set(Field::ProcessName, "sshd-session");
        assert!(Sources::of(&event).include(asked(None, "sshd").unwrap()));
    }

    #[test]
    fn a_login_without_a_program_belongs_to_sshd() {
        let mut event = Event::new(Timestamp::from_seconds(0), "login of root");
        event.set(Field::EventAction, "ssh_login");
        assert!(Sources::of(&event).include(asked(None, "sshd").unwrap()));
    }

    #[test]
    fn words_that_nothing_gives_are_named() {
        assert_eq!(
            asked(Some("linux"), "shhd"),
            Err("no source gives service `shhd`, did you mean `sshd`?".to_owned())
        );
        assert!(asked(Some("windows"), "sshd").is_err());
    }
}
