//! Steps that count, as the store counts.

use std::collections::HashMap;

use bergfried_event::{FieldName, Timestamp, Value};
use bergfried_query::pipeline::{Figure as Asked, Pipeline, Step};
use bergfried_store::{Aggregation, Figure, Key, Limits, Reader, Sort, Table};

use super::{Answer, MAX_CHART_ROWS, MAX_ROWS, MAX_SERIES, QueryError, shape};

/// The table of a pipeline whose first step counts; `None` where it has no such step.
pub(super) fn figures(
    reader: &Reader,
    pipeline: &Pipeline,
    (from, to): (Timestamp, Timestamp),
    limits: &Limits,
) -> Result<Option<Answer>, QueryError> {
    let Some((first, rest)) = pipeline.steps.split_first() else { return Ok(None) };
    let Some((by, figures)) = asked(first) else { return Ok(None) };
    let columns = first.columns().unwrap_or_default();
    let mut plan = Plan::of(first, by.len());
    let chart = matches!(first, Step::Timechart { by: Some(_), .. });
    // A chart joins its rare values after the store has counted them all.
    let taken = if chart { 0 } else { plan.take(rest, &columns) };
    let aggregation = Aggregation {
        predicate: pipeline.predicate.clone(),
        from,
        to,
        by,
        figures,
        order: plan.order,
        limit: if chart { usize::MAX } else { plan.limit },
    };
    let table = reader.aggregate(&aggregation, limits)?;
    let Table { mut columns, mut rows, more, explanation } = table;
    for (column, name) in columns.iter_mut().zip(first.columns().unwrap_or_default()) {
        column.name = name;
    }
    if chart {
        rows = joined(rows);
    }
    let more = more && !plan.cut;
    if rows.len() > MAX_CHART_ROWS || more && matches!(first, Step::Timechart { .. }) {
        return Err(QueryError::TooMuch(
            "the chart would have too many points: make its buckets wider, or narrow the time"
                .to_owned(),
        ));
    }
    let mut answer = Answer { columns, rows, more, explanation };
    shape::apply(&mut answer, rest.get(taken..).unwrap_or_default());
    Ok(Some(answer))
}

/// The keys and figures of a step that counts.
fn asked(step: &Step) -> Option<(Vec<Key>, Vec<Figure>)> {
    let keys = |fields: &[FieldName<'static>]| fields.iter().cloned().map(Key::Field).collect();
    Some(match step {
        Step::Top { fields, .. } | Step::Rare { fields, .. } => (keys(fields), vec![Figure::Count]),
        Step::Count { by } => (keys(by), vec![Figure::Count]),
        Step::Timechart { span, by } => {
            let time = std::iter::once(Key::Time(*span));
            (time.chain(by.iter().cloned().map(Key::Field)).collect(), vec![Figure::Count])
        }
        Step::Stats { figures, by } => (keys(by), figures.iter().map(figure).collect()),
        Step::Fields(_) | Step::Sort(_) | Step::Head(_) => return None,
    })
}

fn figure(asked: &Asked) -> Figure {
    match asked {
        Asked::Count => Figure::Count,
        Asked::Distinct(field) => Figure::Distinct(field.clone()),
        Asked::Sum(field) => Figure::Sum(field.clone()),
        Asked::Avg(field) => Figure::Avg(field.clone()),
        Asked::Min(field) => Figure::Min(field.clone()),
        Asked::Max(field) => Figure::Max(field.clone()),
        Asked::Percentile(field, hundredths) => {
            Figure::Percentile(field.clone(), f64::from(*hundredths) / 100.0)
        }
    }
}

/// In which order the store gives rows, and how many.
struct Plan {
    order: Vec<Sort>,
    limit: usize,
    /// Whether the limit is the person's own.
    cut: bool,
}

impl Plan {
    /// What the step itself says; its figures stand behind so many keys.
    fn of(step: &Step, keys: usize) -> Plan {
        let by_count = |descending| vec![Sort { column: keys, descending }];
        let (order, limit) = match step {
            Step::Top { limit, .. } => (by_count(true), Some(*limit)),
            Step::Rare { limit, .. } => (by_count(false), Some(*limit)),
            Step::Count { .. } => (by_count(true), None),
            _ => (Vec::new(), None),
        };
        Plan { order, limit: limit.unwrap_or(MAX_ROWS), cut: limit.is_some() }
    }

    /// Takes over the sorts and the cut that stand right behind; returns how many steps these are.
    fn take(&mut self, steps: &[Step], columns: &[String]) -> usize {
        if self.cut {
            return 0;
        }
        let mut taken = 0;
        for step in steps {
            match step {
                Step::Sort(keys) => {
                    let mut order: Vec<Sort> = keys
                        .iter()
                        .filter_map(|key| {
                            let column = columns.iter().position(|name| *name == key.column)?;
                            Some(Sort { column, descending: key.descending })
                        })
                        .collect();
                    // What these leave equal stays as it was.
                    order.append(&mut self.order);
                    self.order = order;
                    taken += 1;
                }
                Step::Head(limit) => {
                    (self.limit, self.cut) = (*limit, true);
                    return taken + 1;
                }
                _ => break,
            }
        }
        taken
    }
}

/// The rows of a timechart by a field, with the values that occur least counted together as null.
fn joined(rows: Vec<Vec<Value<'static>>>) -> Vec<Vec<Value<'static>>> {
    let mut totals: HashMap<String, i64> = HashMap::new();
    for row in &rows {
        if let [_, Value::Text(value), Value::Int(count)] = row.as_slice() {
            *totals.entry(value.to_string()).or_default() += count;
        }
    }
    if totals.len() <= MAX_SERIES {
        return rows;
    }
    let mut ranked: Vec<(String, i64)> = totals.into_iter().collect();
    ranked.sort_unstable_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    ranked.truncate(MAX_SERIES);
    let kept: HashMap<String, i64> = ranked.into_iter().collect();
    let mut joined: Vec<Vec<Value<'static>>> = Vec::new();
    let mut rest: Option<(i64, i64)> = None;
    let flush = |rest: &mut Option<(i64, i64)>, joined: &mut Vec<Vec<Value<'static>>>| {
        if let Some((time, count)) = rest.take() {
            joined.push(vec![Value::Int(time), Value::Null, Value::Int(count)]);
        }
    };
    // The store gives rows in the order of their times.
    for row in rows {
        let [Value::Int(time), Value::Text(value), Value::Int(count)] = row.as_slice() else {
            continue;
        };
        let time = *time;
        if rest.is_some_and(|(before, _)| before != time) {
            flush(&mut rest, &mut joined);
        }
        if kept.contains_key(value.as_ref()) {
            joined.push(row);
        } else {
            let counted = rest.map_or(0, |(_, counted)| counted);
            rest = Some((time, counted + count));
        }
    }
    flush(&mut rest, &mut joined);
    joined
}
