//! Sets of rule files: what a person configures, and what runs.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bergfried_query::Predicate;
use bergfried_sec::{LoadOptions, RuleFile, RuleSet, Severity, SourceFile};
use jiff::tz::TimeZone;

use super::act::Allow;
use crate::diagnostic::{Diagnostic, DiagnosticSeverity};

/// What a person says of a set of rule files.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Which events its rules see; absent: all.
    pub when: Option<Predicate>,
    /// What its rules may do.
    pub allow: Allow,
    /// Whether its rules see `SEC_STARTUP` when they start anew (`--intevents`).
    pub internal_events: bool,
    /// Whether lines are in the internal context of their source (`--intcontexts`).
    pub internal_contexts: bool,
    /// The zone in which `Calendar` rules and variables such as `%.hour` tell the time.
    pub time_zone: TimeZone,
}

impl Table {
    /// A set of this name with no wishes of its own.
    pub fn named(name: impl Into<String>) -> Table {
        Table {
            name: name.into(),
            when: None,
            allow: Allow::default(),
            internal_events: false,
            internal_contexts: false,
            time_zone: TimeZone::UTC,
        }
    }
}

/// A set of rule files that can run.
#[derive(Debug)]
pub struct Set {
    pub(super) table: Table,
    /// Its name, which many hold.
    pub(super) name: Arc<str>,
    pub(super) rules: RuleSet,
    /// For each file the hash of its text, and what was said of it.
    known: Vec<([u8; 32], Vec<Diagnostic>)>,
    described: Vec<SecRule>,
    /// Where the rules of each file begin in `described`, by the file's name.
    first: HashMap<String, usize>,
}

/// A rule, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecRule {
    /// Its id: `sec:SET:FILE:NUMBER`.
    pub id: String,
    /// What it says of itself (`desc`), else what kind of rule it is.
    pub title: String,
    /// What kind of rule it is, in SEC's words.
    pub kind: &'static str,
    /// The set.
    pub set: String,
    /// The file.
    pub file: String,
    /// The line on which it begins.
    pub line: usize,
}

/// What rules are loaded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To run: what a rule asks for and may not do is said.
    Run,
    /// To be looked at by their author.
    Check,
}

/// Sets in the order in which they were configured.
#[derive(Debug, Default)]
pub struct Sets {
    sets: Vec<Arc<Set>>,
}

impl Sets {
    /// Reads the files of each set; what is wrong is said, the other rules run. Files that are as they
    /// were `before` are not read anew, so that what their rules remember goes on. `tables` gives the
    /// text of a lookup file by its name.
    pub fn load(
        wanted: Vec<(Table, Vec<SourceFile>)>,
        before: Option<&Sets>,
        tables: &dyn Fn(&str) -> Result<String, String>,
        purpose: Purpose,
    ) -> (Sets, Vec<Diagnostic>) {
        let mut sets = Vec::with_capacity(wanted.len());
        let mut said = Vec::new();
        for (table, sources) in wanted {
            let was = before.and_then(|before| before.get(&table.name));
            let (set, told) = Set::load(table, sources, was.map(|set| &**set), tables, purpose);
            sets.push(Arc::new(set));
            said.extend(told);
        }
        (Sets { sets }, said)
    }

    /// The set of this name.
    pub fn get(&self, name: &str) -> Option<&Arc<Set>> {
        self.sets.iter().find(|set| set.table.name == name)
    }

    /// The set of this name alone.
    pub fn only(&self, name: &str) -> Option<Sets> {
        Some(Sets { sets: vec![Arc::clone(self.get(name)?)] })
    }

    /// The sets.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Set>> {
        self.sets.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// All rules of all sets.
    pub fn rules(&self) -> impl Iterator<Item = &SecRule> {
        self.sets.iter().flat_map(|set| &set.described)
    }
}

impl Set {
    fn load(
        table: Table,
        sources: Vec<SourceFile>,
        before: Option<&Set>,
        tables: &dyn Fn(&str) -> Result<String, String>,
        purpose: Purpose,
    ) -> (Set, Vec<Diagnostic>) {
        let mut rules = RuleSet::default();
        let mut known = Vec::with_capacity(sources.len());
        for source in sources {
            let hash = *blake3::hash(&source.text).as_bytes();
            let same = before.and_then(|before| before.file(&source.name, &hash));
            let (file, said) = match same {
                Some((file, said)) => (Arc::clone(file), said.clone()),
                None => {
                    let mut options = LoadOptions { fields: true, perl: None, bufsize: 0, tables };
                    let (file, said) = RuleFile::read(&source, &mut options);
                    (Arc::new(file), said.into_iter().map(diagnostic).collect())
                }
            };
            rules.files.push(file);
            known.push((hash, said));
        }
        let mut said: Vec<Diagnostic> = known.iter().flat_map(|(_, said)| said.clone()).collect();
        match purpose {
            Purpose::Run => said.extend(refused(&rules, table.allow)),
            Purpose::Check => {
                said.extend(bergfried_sec::check::check(&rules, &[]).into_iter().map(diagnostic))
            }
        }
        said.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        let (described, first) = described(&table.name, &rules);
        let name = Arc::from(table.name.as_str());
        (Set { table, name, rules, known, described, first }, said)
    }

    fn file(&self, name: &str, hash: &[u8; 32]) -> Option<(&Arc<RuleFile>, &Vec<Diagnostic>)> {
        let mut files = self.rules.files.iter().zip(&self.known);
        let (file, (_, said)) =
            files.find(|(file, (known, _))| file.name() == name && known == hash)?;
        Some((file, said))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.table.name
    }

    /// Whether what the rules of the other remember can go on here.
    pub(super) fn is_like(&self, other: &Set) -> bool {
        let (own, other) = (&self.table, &other.table);
        own.internal_contexts == other.internal_contexts && own.time_zone == other.time_zone
    }

    /// Whether the other has the very same files.
    pub(super) fn has_rules_of(&self, other: &Set) -> bool {
        let (own, other) = (&self.rules.files, &other.rules.files);
        own.len() == other.len()
            && own.iter().zip(other).all(|(own, other)| Arc::ptr_eq(own, other))
    }

    /// The rule of this number, from 0, in the file.
    pub(super) fn rule(&self, file: &str, number: usize) -> Option<&SecRule> {
        self.described.get(self.first.get(file)?.checked_add(number)?)
    }
}

fn described(set: &str, rules: &RuleSet) -> (Vec<SecRule>, HashMap<String, usize>) {
    let mut described = Vec::new();
    let mut first = HashMap::new();
    let mut labels = HashSet::new();
    for file in &rules.files {
        first.entry(file.name().to_owned()).or_insert(described.len());
        let last = file.name().rsplit('/').next().unwrap_or_default();
        // Two files of one name are told apart by their whole names.
        let label = if labels.insert(last) { last } else { file.name() };
        for (index, rule) in file.rules().iter().enumerate() {
            let title = match rule.description.trim() {
                "" => format!("{} in line {} of {last}", rule.kind(), rule.line),
                title => title.to_owned(),
            };
            described.push(SecRule {
                id: format!("sec:{set}:{label}:{}", index + 1),
                title,
                kind: rule.kind(),
                set: set.to_owned(),
                file: file.name().to_owned(),
                line: rule.line,
            });
        }
    }
    (described, first)
}

/// What rules ask for that they may not do.
fn refused(rules: &RuleSet, allow: Allow) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    for file in &rules.files {
        for (number, rule) in file.rules().iter().enumerate() {
            let needs = file.needs(number);
            for (asked, what, how) in [
                (
                    needs.command && !allow.shell,
                    "a command",
                    "unless its table has allow = [\"shell\"]",
                ),
                (needs.file && !allow.write, "a file", "unless its table has allow = [\"write\"]"),
                (
                    needs.socket && !allow.network,
                    "a socket",
                    "unless its table has allow = [\"network\"]",
                ),
                (needs.process, "other inputs or a signal", "in the hub"),
            ] {
                if asked {
                    said.push(Diagnostic {
                        file: file.name().to_owned(),
                        line: rule.line,
                        column: 1,
                        severity: DiagnosticSeverity::Warning,
                        message: format!("the rule asks for {what}, which it is refused {how}"),
                    });
                }
            }
        }
    }
    said
}

fn diagnostic(said: bergfried_sec::Diagnostic) -> Diagnostic {
    Diagnostic {
        file: said.file,
        line: said.line,
        column: 1,
        severity: match said.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
        },
        message: said.message,
    }
}
