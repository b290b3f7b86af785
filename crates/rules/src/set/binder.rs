//! Turns what was read into rules: looks references up, refuses what refers to nothing, applies
//! pipelines to correlations and filters to detections.

use std::collections::BTreeMap;

use bergfried_event::nearest;
use bergfried_query::Predicate;

use super::Options;
use super::bound::{Referred, rule};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity};
use crate::fields::Fields;
use crate::logsource::LogSource;
use crate::rule::Rule;
use crate::sigma::{CorrelationDraft, Draft, DraftBody, FilterDraft, Pipelines, Place, Reference};

/// Turns drafts into rules: looks references up, applies filters.
pub(super) struct Binder<'d> {
    drafts: Vec<Draft>,
    /// Ids and names of the drafts.
    known: BTreeMap<String, usize>,
    diagnostics: &'d mut Vec<Diagnostic>,
}

impl<'d> Binder<'d> {
    /// Takes the drafts in, at most `most` of them.
    pub(super) fn new(all: Vec<Draft>, most: usize, diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        let mut binder = Binder { drafts: Vec::new(), known: BTreeMap::new(), diagnostics };
        for draft in all {
            if binder.drafts.len() < most {
                binder.add(draft);
            } else {
                let message = format!("cannot load over {most} rules");
                binder.error(&draft.file, draft.place, message);
            }
        }
        binder
    }

    fn add(&mut self, draft: Draft) {
        let index = self.drafts.len();
        let mut names = vec![draft.header.id.clone()];
        names.extend(draft.header.name.clone().filter(|name| *name != draft.header.id));
        let taken = names.iter().find_map(|name| Some((name, *self.known.get(name)?)));
        if let Some((name, other)) = taken
            && let Some(first) = self.drafts.get(other)
        {
            let message = format!(
                "duplicate id or name `{}`, first used at {}:{}",
                name.escape_debug(),
                first.file,
                first.place.line
            );
            self.error(&draft.file, draft.place, message);
            return;
        }
        self.known.extend(names.into_iter().map(|name| (name, index)));
        self.drafts.push(draft);
    }

    fn error(&mut self, file: &str, place: Place, message: String) {
        self.report(DiagnosticSeverity::Error, file, place, message);
    }

    fn report(&mut self, severity: DiagnosticSeverity, file: &str, place: Place, message: String) {
        let (line, column) = (place.line, place.column);
        self.diagnostics.push(Diagnostic {
            file: file.to_owned(),
            line,
            column,
            severity,
            message,
        });
    }

    /// Takes out correlations that refer to what is not there, to themselves, or in a circle; then
    /// those that referred to these, and so on.
    pub(super) fn refuse_dangling(&mut self) {
        loop {
            let sound = self.sound();
            let mut refused = Vec::new();
            for (index, draft) in self.drafts.iter().enumerate() {
                if let DraftBody::Correlation(correlation) = &draft.body
                    && !sound.get(index).copied().unwrap_or(false)
                {
                    refused.push((index, draft.file.clone(), self.complaint(index, correlation)));
                }
            }
            // Those that only refer to a refused one are told so in the next round.
            let dangling =
                |(_, _, (_, circle, _)): &&(usize, String, (Place, bool, String))| !circle;
            let chosen: Vec<_> = if refused.iter().any(|entry| dangling(&entry)) {
                refused.into_iter().filter(|entry| dangling(&entry)).collect()
            } else {
                refused
            };
            if chosen.is_empty() {
                return;
            }
            for (index, file, (place, _, message)) in chosen.into_iter().rev() {
                self.error(&file, place, message);
                self.remove(index);
            }
        }
    }

    /// For each draft whether everything it refers to, directly or not, ends in detections.
    fn sound(&self) -> Vec<bool> {
        let mut sound: Vec<bool> =
            self.drafts.iter().map(|draft| matches!(draft.body, DraftBody::Detection(_))).collect();
        loop {
            let mut changed = false;
            for (index, draft) in self.drafts.iter().enumerate() {
                if sound.get(index) != Some(&false) {
                    continue;
                }
                if let DraftBody::Correlation(correlation) = &draft.body {
                    let bound = correlation.rules.iter().all(|reference| {
                        self.known
                            .get(&reference.rule)
                            .is_some_and(|rule| sound.get(*rule).copied().unwrap_or(false))
                    });
                    if bound && let Some(slot) = sound.get_mut(index) {
                        *slot = true;
                        changed = true;
                    }
                }
            }
            if !changed {
                return sound;
            }
        }
    }

    fn complaint(&self, index: usize, correlation: &CorrelationDraft) -> (Place, bool, String) {
        let missing = |reference: &&Reference| !self.known.contains_key(&reference.rule);
        if let Some(reference) = correlation.rules.iter().find(missing) {
            return (reference.place, false, self.missing(&reference.rule));
        }
        let place =
            self.drafts.get(index).map_or(Place { line: 1, column: 1 }, |draft| draft.place);
        (place, true, "correlations refer to one another in a circle".to_owned())
    }

    fn missing(&self, rule: &str) -> String {
        let hint = nearest(rule, self.known.keys().map(String::as_str))
            .map(|near| format!(", did you mean `{near}`?"))
            .unwrap_or_default();
        format!("no rule has the id or name `{}`{hint}", rule.escape_debug())
    }

    fn remove(&mut self, index: usize) {
        self.drafts.remove(index);
        self.known.retain(|_, rule| *rule != index);
        for rule in self.known.values_mut().filter(|rule| **rule > index) {
            *rule -= 1;
        }
    }

    /// Renames the fields of correlations as pipelines do.
    pub(super) fn transform(&mut self, pipelines: &Pipelines<'_>) {
        for index in 0..self.drafts.len() {
            let logsources = self.referred_logsources(index);
            let Some(draft) = self.drafts.get_mut(index) else { continue };
            let DraftBody::Correlation(correlation) = &mut draft.body else { continue };
            if let Err(unfit) = correlation.transform(pipelines, logsources) {
                let (file, place) = (draft.file.clone(), draft.place);
                let message = unfit.to_string();
                draft.unfit = Some(unfit.reason);
                self.report(DiagnosticSeverity::Warning, &file, place, message);
            }
        }
    }

    /// The log sources of the rules that a correlation refers to, as written and as transformed.
    fn referred_logsources(&self, index: usize) -> Vec<LogSource> {
        let Some(DraftBody::Correlation(correlation)) =
            self.drafts.get(index).map(|draft| &draft.body)
        else {
            return Vec::new();
        };
        let rules =
            correlation.rules.iter().filter_map(|reference| self.known.get(&reference.rule));
        let logsources = rules.flat_map(|rule| {
            let declared = self.drafts.get(*rule).map(|draft| draft.declared.clone());
            declared.into_iter().chain([self.logsource(*rule)])
        });
        logsources.collect()
    }

    pub(super) fn bind(self, fields: &Fields) -> Vec<Rule> {
        let mut silent = vec![false; self.drafts.len()];
        let mut generated = vec![false; self.drafts.len()];
        for draft in &self.drafts {
            if let DraftBody::Correlation(correlation) = &draft.body {
                let flags = if correlation.generate { &mut generated } else { &mut silent };
                for rule in correlation.rules.iter().filter_map(|r| self.known.get(&r.rule)) {
                    if let Some(flag) = flags.get_mut(*rule) {
                        *flag = true;
                    }
                }
            }
        }
        let target = |(index, draft): (usize, &Draft)| Referred {
            id: draft.header.id.clone(),
            name: draft.header.name.clone(),
            logsource: self.logsource(index),
        };
        let referred: Vec<Referred> = self.drafts.iter().enumerate().map(target).collect();
        let known = self.known;
        let flags =
            silent.into_iter().zip(generated).map(|(silent, generated)| silent && !generated);
        self.drafts
            .into_iter()
            .zip(flags)
            .map(|(draft, silent)| rule(draft, silent, &known, &referred, fields))
            .collect()
    }

    /// The log source of a rule; of a correlation that of the first detection that it refers to.
    fn logsource(&self, mut index: usize) -> LogSource {
        for _ in 0..=self.drafts.len() {
            match self.drafts.get(index).map(|draft| &draft.body) {
                Some(DraftBody::Detection(detection)) => return detection.logsource.clone(),
                Some(DraftBody::Correlation(correlation)) => {
                    let first = correlation.rules.first();
                    let Some(next) = first.and_then(|first| self.known.get(&first.rule)) else {
                        break;
                    };
                    index = *next;
                }
                None => break,
            }
        }
        LogSource::default()
    }

    /// Adds a filter's condition to the rules that it names (Sigma filters specification 2.1).
    pub(super) fn apply(
        &mut self,
        filter: &FilterDraft,
        options: &Options,
        pipelines: &Pipelines<'_>,
    ) {
        let Some(references) = &filter.rules else {
            for index in 0..self.drafts.len() {
                if self.is_covered(index, filter) {
                    self.narrow(index, filter, filter.place, options, pipelines);
                }
            }
            return;
        };
        for reference in references {
            let complaint = match self.known.get(&reference.rule).copied() {
                None => self.missing(&reference.rule),
                Some(index) if self.is_covered(index, filter) => {
                    self.narrow(index, filter, reference.place, options, pipelines);
                    continue;
                }
                Some(index) => self.not_covered(index, filter),
            };
            self.error(&filter.file, reference.place, complaint);
        }
    }

    /// Whether the rule is a detection whose log source has every word of the filter's.
    fn is_covered(&self, index: usize, filter: &FilterDraft) -> bool {
        matches!(self.drafts.get(index), Some(Draft { body: DraftBody::Detection(_), declared, .. })
            if declared.is_within(&filter.logsource))
    }

    fn not_covered(&self, index: usize, filter: &FilterDraft) -> String {
        match self.drafts.get(index) {
            Some(Draft { body: DraftBody::Detection(_), declared, .. }) => format!(
                "the filter is for the log source `{}`, that of the rule is `{declared}`",
                filter.logsource
            ),
            _ => {
                "a filter cannot narrow a correlation, name the rules that it refers to".to_owned()
            }
        }
    }

    fn narrow(
        &mut self,
        index: usize,
        filter: &FilterDraft,
        place: Place,
        options: &Options,
        pipelines: &Pipelines<'_>,
    ) {
        let Some(Draft { body: DraftBody::Detection(detection), declared, .. }) =
            self.drafts.get_mut(index)
        else {
            return;
        };
        match filter.predicate(declared, &detection.logsource, options, pipelines) {
            Ok(predicate) => {
                let before = std::mem::replace(&mut detection.predicate, Predicate::Constant(true));
                detection.predicate = before.and(predicate);
            }
            Err(message) => self.error(&filter.file, place, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Source;
    use crate::sigma::{self, Documents};

    #[test]
    fn rules_past_the_most_are_errors() {
        let rule = |title: &str| {
            format!(
                "title: {title}\nlogsource: {{service: sshd}}\ndetection: {{s: {{a: b}}, condition: s}}\n"
            )
        };
        let text = ["one", "two", "three"].map(rule).join("---\n");
        let source = Source { file: "r.yml".to_owned(), text };
        let (options, mut diagnostics) = (Options::default(), Vec::new());
        let (pipelines, mut documents) =
            (Pipelines::new(&[], &options.lists), Documents::default());
        sigma::read(&source, &options, &pipelines, &mut documents, &mut diagnostics);
        let binder = Binder::new(documents.rules, 2, &mut diagnostics);
        assert_eq!(binder.drafts.len(), 2);
        let said: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(said[0].contains("r.yml:9:1: cannot load over 2 rules"), "{said:?}");
        assert_eq!(said.len(), 1, "{said:?}");
    }
}
