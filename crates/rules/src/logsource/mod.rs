//! Which events a rule's `logsource` means, by one table from Sigma's words to our events.
//!
//! A log source is a set of words; an event has every word whose condition holds for it, and a rule
//! meets the events that have all the words it asks for. The table is data
//! (`rules/log-sources.yml`); a person may lay another over it.

mod atoms;
mod read;
mod tell;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use bergfried_event::nearest;
use bergfried_query::Predicate;
use serde::Deserialize;

use crate::diagnostic::Diagnostic;
pub(crate) use tell::{Teller, Told};

static BUILTIN: LazyLock<Arc<Table>> = LazyLock::new(|| {
    let text = include_str!("../../../../rules/log-sources.yml");
    Arc::new(read::table("rules/log-sources.yml", text, &BTreeMap::new()).unwrap_or_default())
});

/// The `logsource` of a rule (Sigma rules specification 2.1, "Log source"), in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LogSource {
    pub(crate) product: Option<String>,
    pub(crate) category: Option<String>,
    pub(crate) service: Option<String>,
}

/// Which part of a log source a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Part {
    Product,
    Category,
    Service,
}

impl Part {
    const ALL: [Part; 3] = [Part::Product, Part::Category, Part::Service];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Product => "product",
            Part::Category => "category",
            Part::Service => "service",
        }
    }

    /// The field by which who collected an event may say this part.
    fn field(self) -> &'static str {
        match self {
            Part::Product => "logsource.product",
            Part::Category => "logsource.category",
            Part::Service => "logsource.service",
        }
    }
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

    fn word(&self, part: Part) -> Option<&str> {
        match part {
            Part::Product => self.product.as_deref(),
            Part::Category => self.category.as_deref(),
            Part::Service => self.service.as_deref(),
        }
    }

    /// The words, with the part that each is.
    pub(crate) fn words(&self) -> impl Iterator<Item = (Part, &str)> {
        Part::ALL.into_iter().filter_map(|part| Some((part, self.word(part)?)))
    }
}

impl fmt::Display for LogSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".to_owned());
        write!(f, "{}/{}/{}", part(&self.product), part(&self.category), part(&self.service))
    }
}

/// Which events carry which log sources. Cheap to copy.
#[derive(Clone, Debug)]
pub struct LogSources(Arc<Table>);

#[derive(Debug, Default)]
struct Table {
    entries: Vec<Entry>,
    /// Parts of conditions, as text.
    terms: BTreeMap<String, String>,
}

/// Words, and the events that have them.
#[derive(Clone, Debug)]
struct Entry {
    /// In the order of the parts; at least one word.
    words: Vec<(Part, String)>,
    comes: Comes,
}

/// How events of an entry come to be.
#[derive(Clone, Debug)]
enum Comes {
    /// The events that meet this.
    When(Predicate),
    /// No event here can be told to be one; what would bring such events.
    Needs(String),
}

impl Default for LogSources {
    /// The table of this repository.
    fn default() -> Self {
        LogSources(Arc::clone(&BUILTIN))
    }
}

impl LogSources {
    /// The built-in table with that of a file (YAML, as `rules/log-sources.yml`) laid over it: an
    /// entry replaces the built-in ones of the same words, others are added.
    ///
    /// # Errors
    /// Says what in the file cannot be used, and where.
    pub fn read(file: &str, text: &str) -> Result<LogSources, Vec<Diagnostic>> {
        let mut table = read::table(file, text, &BUILTIN.terms)?;
        let own: Vec<Vec<(Part, String)>> =
            table.entries.iter().map(|entry| entry.words.clone()).collect();
        let kept = BUILTIN.entries.iter().filter(|entry| !own.contains(&entry.words));
        table.entries.extend(kept.cloned());
        Ok(LogSources(Arc::new(table)))
    }

    /// Whether some event can come from this log source.
    ///
    /// # Errors
    /// Says what would bring such events.
    pub(crate) fn carry(&self, asked: &LogSource) -> Result<(), String> {
        for (part, word) in asked.words() {
            let mut missing = None;
            let told =
                self.giving(part, word).filter(|entry| entry.goes_with(asked)).any(|entry| {
                    match &entry.comes {
                        Comes::When(_) => true,
                        Comes::Needs(what) => {
                            missing = Some(format!("{} `{word}` needs {what}", part.name()));
                            false
                        }
                    }
                });
            if !told {
                return Err(missing.unwrap_or_else(|| self.unknown(part, word)));
            }
        }
        Ok(())
    }

    fn giving(&self, part: Part, word: &str) -> impl Iterator<Item = &Entry> {
        let gives = move |entry: &&Entry| entry.words.iter().any(|(p, w)| *p == part && w == word);
        self.0.entries.iter().filter(gives)
    }

    fn unknown(&self, part: Part, word: &str) -> String {
        let words = || self.0.entries.iter().flat_map(|entry| &entry.words);
        let near = nearest(word, words().filter(|(p, _)| *p == part).map(|(_, w)| w.as_str()));
        let (name, field) = (part.name(), part.field());
        match near.filter(|near| *near != word) {
            Some(near) => format!("no source gives {name} `{word}`, did you mean `{near}`?"),
            None => format!("no source gives {name} `{word}` but events with `{field}: {word}`"),
        }
    }
}

impl Entry {
    /// Whether a rule may ask for these words and those: one part is never two words.
    fn goes_with(&self, asked: &LogSource) -> bool {
        let words = |part| self.words.iter().filter(move |(p, _)| *p == part);
        asked.words().all(|(part, word)| {
            words(part).next().is_none() || words(part).any(|(_, own)| own == word)
        })
    }
}

#[cfg(test)]
mod tests;
