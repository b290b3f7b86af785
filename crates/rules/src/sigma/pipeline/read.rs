//! A pipeline file read: its keys, its variables and its list of transformations.

use bergfried_event::nearest;

use super::Pipeline;
use super::placeholder::Values;
use super::read_transformation::transformations;
use crate::diagnostic::{Diagnostic, Source};
use crate::sigma::document::keys;
use crate::sigma::file::{self, Faults};
use crate::sigma::reader::{At, Wrong};

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
    file::read(source, "pipeline", diagnostics, |top, faults| {
        pipeline_of(top, &source.file, faults)
    })
}

fn pipeline_of(top: &At<'_>, file: &str, faults: &mut Faults<'_>) -> Option<Pipeline> {
    if !top.value.is_mapping() {
        faults.error(top.wrong("a pipeline must be a mapping of keys such as `transformations`"));
        return None;
    }
    let mut read = Pipeline {
        name: file.to_owned(),
        priority: 0,
        vars: Values::new(),
        placeholders: Values::new(),
        transformations: Vec::new(),
    };
    for part in [top.only(KEYS), header(top, &mut read)] {
        part.unwrap_or_else(|wrong| faults.error(wrong));
    }
    if keys(top.value).all(|key| !matches!(key, "transformations" | "placeholders")) {
        faults.error(top.wrong("missing `transformations` (or `placeholders`)"));
    }
    if let Some(list) = top.get("transformations") {
        let mut wrongs = Vec::new();
        read.transformations = transformations(&list, 0, &mut wrongs);
        wrongs.into_iter().for_each(|wrong| faults.error(wrong));
    }
    for wrong in strange_ids(top) {
        faults.warn(wrong);
    }
    for key in ["postprocessing", "finalizers"] {
        if let Some(at) = top.get(key) {
            let message =
                format!("`{key}` is left out: rules are matched here, no queries are made");
            faults.warn(at.wrong(message));
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
