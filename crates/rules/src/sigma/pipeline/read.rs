//! A pipeline file read: its keys, its variables and its list of transformations.

use bergfried_event::nearest;
use yaml_serde::Value;

use super::Pipeline;
use super::placeholder::Values;
use super::read_transformation::transformations;
use super::reader::{At, Wrong};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity, Source};
use crate::sigma::document::{self, Document, Place, keys};
use crate::sigma::fault::Fault;
use crate::sigma::{MAX_BRACKETS, MAX_BYTES};

const KEYS: &[&str] = &[
    "name",
    "priority",
    "allowed_backends",
    "vars",
    "transformations",
    "postprocessing",
    "finalizers",
    "placeholders",
];

/// Reads the file; errors and warnings go to `diagnostics`, and with an error there is no pipeline.
pub(super) fn pipeline(source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Option<Pipeline> {
    let mut faults = Vec::new();
    let read = document_of(source).and_then(|document| {
        let value = parse(&document)?;
        Ok(pipeline_of(&document, &value, &source.file, &mut faults))
    });
    let pipeline = read.unwrap_or_else(|fault| {
        faults.push(fault);
        None
    });
    let failed = faults.iter().any(|fault| fault.severity == DiagnosticSeverity::Error);
    diagnostics.extend(faults.into_iter().map(|fault| Diagnostic {
        file: source.file.clone(),
        line: fault.place.line,
        column: fault.place.column,
        severity: fault.severity,
        message: fault.message,
    }));
    pipeline.filter(|_| !failed)
}

fn document_of(source: &Source) -> Result<Document<'_>, Fault> {
    let start = Place { line: 1, column: 1 };
    if source.text.len() > MAX_BYTES {
        let message = format!("cannot read a pipeline file of over {MAX_BYTES} bytes");
        return Err(Fault::error(start, message));
    }
    let mut documents = document::split(&source.text).into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) if document.open_brackets() <= MAX_BRACKETS => Ok(document),
        (Some(document), None) => {
            let message = format!("over {MAX_BRACKETS} brackets are open at once");
            Err(Fault::error(document.start(), message))
        }
        (None, _) => Err(Fault::error(start, "there is no pipeline in this file")),
        (_, Some(second)) => {
            Err(Fault::error(second.start(), "expected one pipeline, write each in its own file"))
        }
    }
}

fn parse(document: &Document<'_>) -> Result<Value, Fault> {
    yaml_serde::from_str(document.text).map_err(|error| {
        Fault::error(document.failure(&error), format!("cannot read YAML: {error}"))
    })
}

fn pipeline_of(
    document: &Document<'_>,
    value: &Value,
    file: &str,
    faults: &mut Vec<Fault>,
) -> Option<Pipeline> {
    let top = At::top(value);
    let mut take = |wrong: Wrong| faults.push(wrong.fault(document));
    if !value.is_mapping() {
        take(top.wrong("a pipeline must be a mapping of keys such as `transformations`"));
        return None;
    }
    let mut read = Pipeline {
        name: file.to_owned(),
        priority: 0,
        vars: Values::new(),
        placeholders: Values::new(),
        transformations: Vec::new(),
    };
    for part in [top.only(KEYS), header(&top, &mut read)] {
        part.unwrap_or_else(&mut take);
    }
    if keys(value).all(|key| !matches!(key, "transformations" | "placeholders")) {
        take(top.wrong("missing `transformations` (or `placeholders`)"));
    }
    if let Some(list) = top.get("transformations") {
        let mut wrongs = Vec::new();
        read.transformations = transformations(&list, 0, &mut wrongs);
        wrongs.into_iter().for_each(&mut take);
    }
    for wrong in strange_ids(&top) {
        faults.push(wrong.warning(document));
    }
    for key in ["postprocessing", "finalizers"] {
        if let Some(at) = top.get(key) {
            let message =
                format!("`{key}` is left out: rules are matched here, no queries are made");
            faults.push(at.wrong(message).warning(document));
        }
    }
    Some(read)
}

/// Conditions on transformations that are called almost as one of this file is. Others may be those
/// of another pipeline.
fn strange_ids(top: &At<'_>) -> Vec<Wrong> {
    let (mut ids, mut asked) = (Vec::new(), Vec::new());
    if let Some(list) = top.get("transformations") {
        collect_ids(&list, &mut ids, &mut asked);
    }
    let strange = |at: &At<'_>| {
        let asked = at.value.as_str().filter(|asked| !ids.contains(asked))?;
        let near = nearest(asked, ids.iter().copied())?;
        let message = format!(
            "no transformation here has the id `{}`, did you mean `{near}`?",
            asked.escape_debug()
        );
        Some(at.wrong(message))
    };
    asked.iter().filter_map(strange).collect()
}

fn collect_ids<'v>(list: &At<'v>, ids: &mut Vec<&'v str>, asked: &mut Vec<At<'v>>) {
    for item in list.list().unwrap_or_default() {
        ids.extend(item.get("id").and_then(|id| id.value.as_str()));
        for kind in ["rule_conditions", "detection_item_conditions", "field_name_conditions"] {
            let Some(conditions) = item.get(kind) else { continue };
            let named = conditions.entries().unwrap_or_default().into_iter().map(|(_, at)| at);
            let all = conditions.list().unwrap_or_default().into_iter().chain(named);
            asked.extend(all.filter_map(|condition| condition.get("processing_item_id")));
        }
        if let Some(inner) = item.get("items") {
            collect_ids(&inner, ids, asked);
        }
    }
}

fn header(top: &At<'_>, read: &mut Pipeline) -> Result<(), Wrong> {
    if let Some(name) = top.text_of("name")? {
        name.clone_into(&mut read.name);
    }
    if let Some(at) = top.get("priority") {
        let priority = at.value.as_i64();
        read.priority = priority.ok_or_else(|| at.wrong("`priority` must be a whole number"))?;
    }
    if let Some(at) = top.get("allowed_backends") {
        at.texts()?;
    }
    read.vars = values(top, "vars")?;
    read.placeholders = values(top, "placeholders")?;
    Ok(())
}

/// A mapping of names to a value or a list of values.
fn values(top: &At<'_>, key: &str) -> Result<Values, Wrong> {
    let Some(at) = top.get(key).filter(|at| !at.value.is_null()) else { return Ok(Values::new()) };
    let entry = |(name, at): (&str, At<'_>)| Ok((name.to_owned(), at.scalars()?));
    at.entries()?.into_iter().map(entry).collect()
}
