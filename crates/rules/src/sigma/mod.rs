//! The front end: Sigma YAML (rules specification 2.1) into drafts of rules.
//!
//! The only module that knows the crate `rsigma-parser`; none of its types leave it. A document is
//! checked for its shape first, because the checks know where in the file a fault stands; then its
//! selections become the parser's tree, on which pipelines work, and that the shared
//! [`Predicate`](bergfried_query::Predicate).

mod alert;
mod check;
mod collection;
mod condition;
mod correlation;
mod custom;
mod document;
mod encode;
mod fault;
pub(crate) mod file;
mod header;
mod item;
mod lint;
mod lower;
mod modifiers;
mod pcre;
mod pipeline;
mod place;
pub(crate) mod reader;
mod selection;
mod selector;

use std::collections::BTreeSet;

use bergfried_event::FieldName;
use bergfried_query::Predicate;
use rsigma_parser::Detections;
use yaml_serde::Value;

use crate::diagnostic::{Diagnostic, DiagnosticSeverity, Source};
use crate::logsource::LogSource;
use crate::rule::{AnyName, Detection};
use crate::set::Options;
use crate::shape::{Known, Shape};
use collection::{Collection, Whole};
pub(crate) use correlation::{CorrelationDraft, Reference};
use custom::FirstSeenDraft;
pub(crate) use document::Place;
pub(crate) use document::keys;
use document::{Document, get};
use fault::Fault;
pub(crate) use header::Header;
pub use pipeline::Pipeline;
pub(crate) use pipeline::Pipelines;
use pipeline::{Facts, Subject};

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
    /// The log source that a detection names, before pipelines change it.
    pub(crate) declared: LogSource,
    /// Why the rule never fires, where it cannot be carried out.
    pub(crate) unfit: Option<String>,
    /// How its alerts are to look, where it says so.
    pub(crate) shape: Option<Box<Shape>>,
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
    subject: Subject,
    detections: Detections,
}

impl FilterDraft {
    /// What the filter asks of the events of a rule that declares one log source and has another in
    /// the end. Pipelines change it as they change that rule, whose names of fields it shares.
    ///
    /// # Errors
    /// Says why it asks for nothing.
    pub(crate) fn predicate(
        &self,
        declared: &LogSource,
        logsource: &LogSource,
        options: &Options,
        pipelines: &Pipelines<'_>,
    ) -> Result<Predicate, String> {
        let mut detections = self.detections.clone();
        pipelines
            .filter(self.subject.clone(), declared, &mut detections)
            .map_err(|unfit| format!("this filter cannot be used: {}", unfit.reason))?;
        lower::predicate(&detections, options.fields.of(logsource)).map_err(|fault| fault.message())
    }
}

/// Reads the documents of one file into `read`; what is wrong with any goes to `diagnostics`.
pub(crate) fn read(
    source: &Source,
    options: &Options,
    pipelines: &Pipelines<'_>,
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
            Ok(whole) => whole.and_then(|whole| {
                read_document(&whole, &source.file, options, pipelines, &mut faults)
            }),
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
    if let Some((place, character)) = document.unprintable() {
        let message = match character {
            // What readers of files put in place of bytes that are no text.
            char::REPLACEMENT_CHARACTER => "this is no UTF-8, save the file as such".to_owned(),
            other => format!("the character U+{:04X} must be escaped", u32::from(other)),
        };
        return Err(Fault::error(place, format!("cannot read YAML: {message}")));
    }
    yaml_serde::from_str(document.text).map_err(|error| {
        Fault::error(document.failure(&error), format!("cannot read YAML: {error}"))
    })
}

fn read_document(
    whole: &Whole<'_>,
    file: &str,
    options: &Options,
    pipelines: &Pipelines<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Found> {
    check::check(&whole.document, &whole.value, faults);
    if faults.iter().any(|fault| fault.severity == DiagnosticSeverity::Error) {
        return None;
    }
    if options.lint {
        lint::lint(&whole.document, &whole.value, faults);
    }
    match find(whole, file, options, pipelines, faults) {
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
    pipelines: &Pipelines<'_>,
    faults: &mut Vec<Fault>,
) -> Result<Found, Fault> {
    let Whole { document, value, .. } = whole;
    let logsource = logsource(value);
    let mut header = header(whole);
    if get(value, "correlation").is_some() {
        let draft = correlation::draft(document, value)?;
        let shape = alert::shape(document, value, &Known::Correlation(&draft.group_by))?;
        let body = DraftBody::Correlation(draft);
        return Ok(Found::Rule(Box::new(Draft {
            header,
            file: file.to_owned(),
            place: document.start(),
            declared: logsource,
            unfit: None,
            shape,
            body,
        })));
    }
    if let Some(section) = get(value, "filter") {
        let detections = selection::detections(section);
        if !pipeline::expands(&detections) {
            lower::predicate(&detections, options.fields.of(&logsource))
                .map_err(|fault| fault.at(document, "filter"))?;
        }
        let rules = selection::filtered(section)
            .map(|rules| correlation::references(document, &["filter", "rules"], &rules));
        let (file, place) = (file.to_owned(), document.start());
        let subject = Subject::of(value);
        let filter = FilterDraft { file, place, rules, logsource, subject, detections };
        return Ok(Found::Filter(Box::new(filter)));
    }
    let mut facts = Facts { logsource: logsource.clone(), fields: header.fields, keys: Vec::new() };
    let (detection, unfit) = detect(whole, &mut facts, options, pipelines, faults)?;
    header.fields = facts.fields;
    let named = detection.predicate.fields();
    let names = options.fields.of(&detection.logsource);
    let field = |name: &str| {
        let fields = names.fields(name);
        let known = |field: &FieldName<'static>| {
            matches!(field, FieldName::Known(_)) || named.contains(&field)
        };
        fields.iter().any(known).then_some(AnyName(fields))
    };
    let shape = alert::shape(document, value, &Known::Detection(&field))?;
    Ok(Found::Rule(Box::new(Draft {
        header,
        file: file.to_owned(),
        place: document.start(),
        declared: logsource,
        unfit,
        shape,
        body: DraftBody::Detection(detection),
    })))
}

/// What a rule detects as pipelines leave it, or why it never fires.
fn detect(
    whole: &Whole<'_>,
    facts: &mut Facts,
    options: &Options,
    pipelines: &Pipelines<'_>,
    faults: &mut Vec<Fault>,
) -> Result<(Detection, Option<String>), Fault> {
    let Whole { document, value, .. } = whole;
    let mut detections = selection::detections(get(value, "detection").unwrap_or(&Value::Null));
    let mut first_seen = custom::first_seen(document, value)?;
    facts.keys = first_seen.as_ref().map(FirstSeenDraft::names).unwrap_or_default();
    let unfit = pipelines.rule(value, &mut detections, facts).err();
    let logsource = facts.logsource.clone();
    let names = options.fields.of(&logsource);
    let predicate = match &unfit {
        None => {
            let predicate = lower::predicate(&detections, names)
                .map_err(|fault| fault.at(document, "detection"))?;
            warn_of_fields(document, &logsource, options, &predicate, faults);
            predicate
        }
        Some(unfit) => {
            let place = match &unfit.word {
                Some(word) => document.word(&["detection"], word),
                None => document.start(),
            };
            faults.push(Fault::warning(place, unfit.to_string()));
            Predicate::Constant(false)
        }
    };
    if let Some(first_seen) = &mut first_seen {
        first_seen.rename(std::mem::take(&mut facts.keys));
    }
    let first_seen = first_seen.map(|first_seen| first_seen.resolve(names));
    Ok((Detection { logsource, predicate, first_seen }, unfit.map(|unfit| unfit.reason)))
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
    // Names that a pipeline made are no slips of the rule's author.
    let written = named.into_iter().filter(|name| document.mentions(name.as_str()));
    for name in written.take(MAX_LOOKED_UP) {
        if let Some(near) = names.misspelt(name.as_str()) {
            let place = document.word(&["detection"], name.as_str());
            let message = format!("no event has a field `{name}`, did you mean `{near}`?");
            faults.push(Fault::warning(place, message));
        }
    }
}
