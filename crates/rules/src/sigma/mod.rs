//! The front end: Sigma YAML (rules specification 2.1) into drafts of rules.
//!
//! The only module that knows the crates `rsigma-parser` and `rsigma-ir`; none of their types leave
//! it. A document is checked for its shape first, because the checks know where in the file a fault
//! stands; then its selections become the parser's tree, on which pipelines work, and that the shared
//! [`Predicate`](bergfried_query::Predicate).

mod check;
mod collection;
mod correlation;
mod custom;
mod document;
mod encode;
mod fault;
mod header;
mod item;
mod lower;
mod modifiers;
mod pcre;
mod selection;
mod selector;

use std::collections::BTreeSet;

use bergfried_event::FieldName;
use bergfried_query::Predicate;
use rsigma_parser::Detections;
use yaml_serde::Value;

use crate::diagnostic::{Diagnostic, DiagnosticSeverity, Source};
use crate::logsource::LogSource;
use crate::rule::Detection;
use crate::set::Options;
use collection::{Collection, Whole};
pub(crate) use correlation::{CorrelationDraft, Reference};
pub(crate) use document::Place;
use document::{Document, get};
use fault::Fault;
pub(crate) use header::Header;

/// The most bytes of one rule file.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// The most brackets open at once: the time of the reader of YAML grows with their square.
const MAX_BRACKETS: usize = 1_000;

/// The most names of fields of one rule that are looked for in the table, to tell slips of the hand.
const MAX_LOOKED_UP: usize = 256;

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
    pub(crate) place: Place,
    /// `None` means every rule of the log source.
    pub(crate) rules: Option<Vec<Reference>>,
    pub(crate) logsource: LogSource,
    detections: Detections,
}

impl FilterDraft {
    /// What the filter asks of the events of a rule of this log source, whose names of fields it
    /// shares.
    ///
    /// # Errors
    /// Says why it asks for nothing.
    pub(crate) fn predicate(
        &self,
        logsource: &LogSource,
        options: &Options,
    ) -> Result<Predicate, String> {
        lower::predicate(&self.detections, options.fields.of(logsource))
            .map_err(|fault| fault.message())
    }
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
    let mut collection = Collection::default();
    let mut documents = document::split(&source.text).into_iter().peekable();
    while let Some(document) = documents.next() {
        let mut faults = Vec::new();
        let whole = value(&document)
            .and_then(|value| collection.complete(document, value, documents.peek().is_some()));
        let found = match whole {
            Ok(whole) => {
                whole.and_then(|whole| read_document(&whole, &source.file, options, &mut faults))
            }
            Err(fault) => {
                faults.push(fault);
                None
            }
        };
        let failed = faults.iter().any(|fault| fault.severity == DiagnosticSeverity::Error);
        match found.filter(|_| !failed) {
            Some(Found::Rule(draft)) => read.rules.push(*draft),
            Some(Found::Filter(filter)) => read.filters.push(*filter),
            None => {}
        }
        faults.into_iter().for_each(&mut report);
    }
}

/// What one document is.
enum Found {
    Rule(Box<Draft>),
    Filter(Box<FilterDraft>),
}

/// The YAML of a document.
fn value(document: &Document<'_>) -> Result<Value, Fault> {
    if document.open_brackets() > MAX_BRACKETS {
        let message = format!("over {MAX_BRACKETS} brackets are open at once");
        return Err(Fault::error(document.start(), message));
    }
    yaml_serde::from_str(document.text).map_err(|error| {
        Fault::error(document.failure(&error), format!("cannot read YAML: {error}"))
    })
}

fn read_document(
    whole: &Whole<'_>,
    file: &str,
    options: &Options,
    faults: &mut Vec<Fault>,
) -> Option<Found> {
    check::check(&whole.document, &whole.value, faults);
    if faults.iter().any(|fault| fault.severity == DiagnosticSeverity::Error) {
        return None;
    }
    match find(whole, file, options, faults) {
        Ok(found) => Some(found),
        Err(fault) => {
            faults.push(fault);
            None
        }
    }
}

fn find(
    whole: &Whole<'_>,
    file: &str,
    options: &Options,
    faults: &mut Vec<Fault>,
) -> Result<Found, Fault> {
    let Whole { document, value, .. } = whole;
    let rule = |body: DraftBody| {
        let (header, place) = (header(whole), document.start());
        Found::Rule(Box::new(Draft { header, file: file.to_owned(), place, body }))
    };
    let logsource = logsource(value);
    let names = options.fields.of(&logsource);
    if get(value, "correlation").is_some() {
        return Ok(rule(DraftBody::Correlation(correlation::draft(document, value)?)));
    }
    if let Some(section) = get(value, "filter") {
        let detections = selection::detections(section);
        lower::predicate(&detections, names).map_err(|fault| fault.at(document, "filter"))?;
        let rules = selection::filtered(section)
            .map(|rules| correlation::references(document, &["filter", "rules"], &rules));
        let (file, place) = (file.to_owned(), document.start());
        let filter = FilterDraft { file, place, rules, logsource, detections };
        return Ok(Found::Filter(Box::new(filter)));
    }
    let section = get(value, "detection").unwrap_or(&Value::Null);
    let predicate = lower::predicate(&selection::detections(section), names)
        .map_err(|fault| fault.at(document, "detection"))?;
    let first_seen = custom::first_seen(document, value, names)?;
    warn_of_fields(document, &logsource, options, &predicate, faults);
    Ok(rule(DraftBody::Detection(Detection { logsource, predicate, first_seen })))
}

/// The header; rules that share keys and so what they are known by are told apart by a number.
fn header(whole: &Whole<'_>) -> Header {
    let mut header = Header::of(&whole.value);
    if whole.is_named_by_others && whole.number > 1 {
        header.id = format!("{}/{}", header.id, whole.number);
        header.name = None;
    }
    header
}

fn logsource(value: &Value) -> LogSource {
    let section = get(value, "logsource");
    let word = |key: &str| Some(get(section?, key)?.as_str()?.to_owned());
    LogSource { product: word("product"), category: word("category"), service: word("service") }
        .lower_case()
}

fn warn_of_fields(
    document: &Document<'_>,
    logsource: &LogSource,
    options: &Options,
    predicate: &Predicate,
    faults: &mut Vec<Fault>,
) {
    if let Err(reason) = options.log_sources.carry(logsource) {
        let message = format!("this rule can never fire here: {reason}");
        faults.push(Fault::warning(document.key(&["logsource"]), message));
        return;
    }
    let names = options.fields.of(logsource);
    let named: BTreeSet<&FieldName<'static>> = predicate.fields().into_iter().collect();
    for name in named.into_iter().take(MAX_LOOKED_UP) {
        if let Some(near) = names.misspelt(name.as_str()) {
            let place = document.word(&["detection"], name.as_str());
            let message = format!("no event has a field `{name}`, did you mean `{near}`?");
            faults.push(Fault::warning(place, message));
        }
    }
}
