//! What is right in SEC's eyes and yet hardly meant: rules that are never reached, patterns that never
//! match or are slow, variables that are never set, contexts that nothing creates, log text at places
//! of a command line where it cannot be made safe.
//!
//! Each is a warning with the file and the line of its rule, in one sentence that says what to do.
//! Only what is certain is said of rules; what a command line could name (contexts of inputs) is said
//! with that reserve.

mod contexts;
mod patterns;
mod reach;
mod sets;
mod shell;
#[cfg(test)]
mod tests;
mod uses;
mod variables;

use crate::diagnostic::{Diagnostic, Severity};
use crate::rule::{Rule, RuleFile, RuleSet};

/// Looks over rules that were loaded, in the order of their files and lines. `contexts` are those that
/// inputs give to their lines (`--input=FILE=CONTEXT`).
pub fn check(rules: &RuleSet, contexts: &[&[u8]]) -> Vec<Diagnostic> {
    let mut warnings = Warnings::default();
    reach::check(rules, &mut warnings);
    patterns::check(rules, &mut warnings);
    variables::check(rules, &mut warnings);
    contexts::check(rules, contexts, &mut warnings);
    sets::check(rules, &mut warnings);
    shell::check(rules, &mut warnings);
    warnings.sorted()
}

/// The most warnings about one set of rules.
const MOST: usize = 10_000;

#[derive(Default)]
struct Warnings {
    /// With the place of the file among the others.
    found: Vec<(usize, Diagnostic)>,
}

impl Warnings {
    /// Adds a warning about a rule of a file, once.
    fn about(&mut self, (at, file): (usize, &RuleFile), rule: &Rule, message: String) {
        self.add((at, file), rule.line, message);
    }

    fn add(&mut self, (at, file): (usize, &RuleFile), line: usize, message: String) {
        let warning = (
            at,
            Diagnostic { file: file.name().to_owned(), line, severity: Severity::Warning, message },
        );
        if self.found.len() < MOST
            && !self.found.iter().rev().take(64).any(|known| *known == warning)
        {
            self.found.push(warning);
        }
    }

    fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|(at, warning)| (*at, warning.line));
        self.found.into_iter().map(|(_, warning)| warning).collect()
    }
}

/// The files of a set with their places.
fn files(rules: &RuleSet) -> impl Iterator<Item = (usize, &RuleFile)> {
    rules.files.iter().map(|file| &**file).enumerate()
}
