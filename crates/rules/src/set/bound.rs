//! A rule out of its draft: a correlation with the rules that it refers to, and their fields.

use std::collections::BTreeMap;

use crate::class::Class;
use crate::fields::Fields;
use crate::logsource::LogSource;
use crate::rule::{AnyName, Body, Correlation, Rule, Step, techniques};
use crate::sigma::{CorrelationDraft, Draft, DraftBody};

/// What a correlation must know of a rule that it refers to.
pub(super) struct Referred {
    pub(super) id: String,
    pub(super) name: Option<String>,
    pub(super) logsource: LogSource,
}

/// The rule that a draft has become.
pub(super) fn rule(
    draft: Draft,
    silent: bool,
    known: &BTreeMap<String, usize>,
    referred: &[Referred],
    fields: &Fields,
) -> Rule {
    let body = match draft.body {
        DraftBody::Correlation(correlation) => {
            Body::Correlation(bind_correlation(correlation, known, referred, fields))
        }
        DraftBody::Detection(detection) => Body::Detection(detection),
    };
    let header = draft.header;
    Rule {
        techniques: techniques(&header.tags),
        id: header.id,
        name: header.name,
        title: header.title,
        level: header.level,
        description: header.description,
        author: header.author,
        references: header.references,
        falsepositives: header.falsepositives,
        tags: header.tags,
        fields: header.fields,
        file: draft.file,
        line: draft.place.line,
        silent,
        shape: draft.shape,
        class: draft.unfit.map_or(Class::Active, Class::Unsupported),
        body,
    }
}

fn bind_correlation(
    draft: CorrelationDraft,
    known: &BTreeMap<String, usize>,
    referred: &[Referred],
    fields: &Fields,
) -> Correlation {
    let steps = draft.rules.iter().filter_map(|reference| {
        let rule = *known.get(&reference.rule)?;
        let Referred { id, name, logsource } = referred.get(rule)?;
        let resolve = |field: &String| {
            let alias = draft.aliases.get(field).and_then(|rules| {
                rules.get(id).or_else(|| name.as_ref().and_then(|name| rules.get(name)))
            });
            AnyName(fields.of(logsource).fields(alias.unwrap_or(field)))
        };
        Some(Step {
            rule,
            group_by: draft.group_by.iter().map(resolve).collect(),
            values: draft.values.iter().map(resolve).collect(),
        })
    });
    let steps: Vec<Step> = steps.collect();
    // Where the rules call a field by different names, a finding shows that of the first.
    let group_names = draft.group_by.iter().enumerate().map(|(index, field)| {
        let first = steps.first().and_then(|step| step.group_by.get(index)?.0.first());
        match first.filter(|_| !draft.aliases.contains_key(field)) {
            Some(name) => name.as_str().to_owned(),
            None => field.clone(),
        }
    });
    Correlation {
        kind: draft.kind,
        group_names: group_names.collect(),
        steps,
        timespan: draft.timespan,
        threshold: draft.threshold,
    }
}
