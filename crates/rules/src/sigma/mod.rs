//! The front end: Sigma YAML (rules specification 2.1) into drafts of rules.
//!
//! The only module that knows the crates `rsigma-parser` and `rsigma-ir`; none of their types leave
//! it. A document is checked for its shape first, because the checks know where in the file a fault
//! stands; then parsed, lowered into the intermediate form and from there into the shared
//! [`Predicate`](bergfried_query::Predicate).

mod check;
mod correlation;
mod custom;
mod document;
mod encode;
mod fault;
mod header;
mod lower;
mod matcher;

use bergfried_query::Predicate;
use rsigma_ir::LowerOptions;
use rsigma_parser::{SigmaCollection, SigmaRule};

use crate::diagnostic::{Diagnostic, DiagnosticSeverity, Source};
use crate::fields::Names;
use crate::logsource::{LogSource, Sources};
use crate::rule::Detection;
use crate::set::Options;
pub(crate) use correlation::{CorrelationDraft, Reference};
use document::Document;
pub(crate) use document::Place;
use fault::Fault;
pub(crate) use header::Header;

/// The most bytes of one rule file.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// The most brackets open at once: the time of the reader of YAML grows with their square.
const MAX_BRACKETS: usize = 1_000;

/// One document of a rule file, not yet bound to the rules that it refers to.
pub(crate) struct Draft {
    pub(crate) header: Header,
    pub(crate) file: String,
    pub(crate) place: Place,
    pub(crate) body: DraftBody,
}

pub(crate) enum DraftBody {
    Detection(Detection),
    Correlation(CorrelationDraft),
}

/// The documents of a file that could be read.
#[derive(Default)]
pub(crate) struct Documents {
    pub(crate) rules: Vec<Draft>,
    pub(crate) filters: Vec<FilterDraft>,
}

/// A condition to be added to other rules (Sigma filters specification 2.1).
pub(crate) struct FilterDraft {
    pub(crate) file: String,
    /// `None` means every rule of the log source.
    pub(crate) rules: Option<Vec<Reference>>,
    pub(crate) logsource: LogSource,
    pub(crate) predicate: Predicate,
}

/// Reads the documents of one file into `read`; what is wrong with any goes to `diagnostics`.
pub(crate) fn read(
    source: &Source,
    options: &Options,
    read: &mut Documents,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut report = |fault: Fault| {
        diagnostics.push(Diagnostic {
            file: source.file.clone(),
            line: fault.place.line,
            column: fault.place.column,
            severity: fault.severity,
            message: fault.message,
        });
    };
    if source.text.len() > MAX_BYTES {
        let place = Place { line: 1, column: 1 };
        report(Fault::error(place, format!("cannot read a rule file of over {MAX_BYTES} bytes")));
        return;
    }
    for document in document::split(&source.text) {
        let mut faults = Vec::new();
        let found = read_document(&document, &source.file, options, &mut faults);
        let failed = faults.iter().any(|fault| fault.severity == DiagnosticSeverity::Error);
        match found.filter(|_| !failed) {
            Some(Found::Rule(draft)) => read.rules.push(*draft),
            Some(Found::Filter(filter)) => read.filters.push(filter),
            None => {}
        }
        faults.into_iter().for_each(&mut report);
    }
}

/// What one document is.
enum Found {
    Rule(Box<Draft>),
    Filter(FilterDraft),
}

fn read_document(
    document: &Document<'_>,
    file: &str,
    options: &Options,
    faults: &mut Vec<Fault>,
) -> Option<Found> {
    if document.open_brackets() > MAX_BRACKETS {
        let message = format!("over {MAX_BRACKETS} brackets are open at once");
        faults.push(Fault::error(document.start(), message));
        return None;
    }
    let value: yaml_serde::Value = match yaml_serde::from_str(document.text) {
        Ok(value) => value,
        Err(error) => {
            let place = document.failure(&error);
            faults.push(Fault::error(place, format!("cannot read YAML: {error}")));
            return None;
        }
    };
    check::check(document, &value, faults);
    if faults.iter().any(|fault| fault.severity == DiagnosticSeverity::Error) {
        return None;
    }
    let collection = match rsigma_parser::parse_sigma_yaml(document.text) {
        Ok(collection) => collection,
        Err(error) => {
            faults.push(Fault::error(document.start(), error.to_string()));
            return None;
        }
    };
    for error in &collection.errors {
        faults.push(Fault::error(document.start(), error.clone()));
    }
    match find(document, &value, file, options, collection, faults) {
        Ok(found) => Some(found),
        Err(fault) => {
            faults.extend(fault);
            None
        }
    }
}

/// # Errors
/// `None` where the parser's own errors say why there is no document.
fn find(
    document: &Document<'_>,
    value: &yaml_serde::Value,
    file: &str,
    options: &Options,
    collection: SigmaCollection,
    faults: &mut Vec<Fault>,
) -> Result<Found, Option<Fault>> {
    let at_start = |message: String| Some(Fault::error(document.start(), message));
    let rule = |header: Header, body: DraftBody| {
        let place = document.start();
        Found::Rule(Box::new(Draft { header, file: file.to_owned(), place, body }))
    };
    if let Some(parsed) = collection.rules.into_iter().next() {
        let ir = lower_rule(document, &parsed)?;
        let logsource = logsource(&parsed.logsource);
        let names = options.fields.of(&logsource);
        let predicate = lower::predicate(&ir.detections, &ir.conditions, names)
            .map_err(|fault| fault.at(document))?;
        let first_seen = custom::first_seen(document, value, names)?;
        warn_of_fields(document, &logsource, names, &predicate, faults);
        let detection = Detection { logsource, predicate, first_seen };
        return Ok(rule(Header::of(&ir.metadata), DraftBody::Detection(detection)));
    }
    if let Some(parsed) = collection.correlations.into_iter().next() {
        let ir = rsigma_ir::lower::lower_correlation(&parsed)
            .map_err(|error| at_start(error.to_string()))?;
        let draft = correlation::draft(document, value, &ir)?;
        return Ok(rule(Header::of(&ir.metadata), DraftBody::Correlation(draft)));
    }
    if let Some(parsed) = collection.filters.into_iter().next() {
        let ir = rsigma_ir::lower::lower_filter(&parsed, &LowerOptions::default())
            .map_err(|error| at_start(error.to_string()))?;
        let logsource = ir.logsource.as_ref().map(logsource).unwrap_or_default();
        let names = options.fields.of(&logsource);
        let predicate = lower::predicate(&ir.detections, &ir.conditions, names)
            .map_err(|fault| fault.at(document))?;
        let rules = match &ir.rules {
            rsigma_parser::FilterRuleTarget::Any => None,
            rsigma_parser::FilterRuleTarget::Specific(rules) => {
                Some(correlation::references(document, &["filter", "rules"], rules))
            }
        };
        return Ok(Found::Filter(FilterDraft {
            file: file.to_owned(),
            rules,
            logsource,
            predicate,
        }));
    }
    Err(None)
}

/// Lowers a rule; on failure finds the selection that is at fault by lowering each alone.
fn lower_rule(
    document: &Document<'_>,
    rule: &SigmaRule,
) -> Result<rsigma_ir::IrRule, Option<Fault>> {
    let options = LowerOptions::default();
    rsigma_ir::lower_rule(rule, &options).map_err(|error| {
        let faulty = rule.detection.named.iter().filter(|(_, detection)| {
            rsigma_ir::lower::lower_detection(detection, &options).is_err()
        });
        let place = match faulty.min_by_key(|(name, _)| *name) {
            Some((name, _)) => document.key(&["detection", name]),
            None => document.key(&["detection", "condition"]),
        };
        Some(Fault::error(place, error.to_string()))
    })
}

fn logsource(parsed: &rsigma_parser::LogSource) -> LogSource {
    LogSource {
        product: parsed.product.clone(),
        category: parsed.category.clone(),
        service: parsed.service.clone(),
    }
    .lower_case()
}

fn warn_of_fields(
    document: &Document<'_>,
    logsource: &LogSource,
    names: Names<'_>,
    predicate: &Predicate,
    faults: &mut Vec<Fault>,
) {
    if let Err(reason) = Sources::asked(logsource) {
        let message = format!("this rule can never fire here: {reason}");
        faults.push(Fault::warning(document.key(&["logsource"]), message));
        return;
    }
    for name in predicate.fields() {
        if let Some(near) = names.misspelt(name.as_str()) {
            let place = document.word(&["detection"], name.as_str());
            let message = format!("no event has a field `{name}`, did you mean `{near}`?");
            faults.push(Fault::warning(place, message));
        }
    }
}
