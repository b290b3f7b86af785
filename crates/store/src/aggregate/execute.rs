//! Runs an aggregation: one pass over the matching rows, by the codes of their columns.

use bergfried_event::{Event, FieldName, Timestamp, Value};

use super::figures::{Figures, Values};
use super::groups::{Finder, Groups};
use super::source::{Gathering, Source};
use super::{Aggregation, Figure, Key, Table};
use crate::error::StoreError;
use crate::limits::{Limits, Memory};
use crate::segment::bitmap::Bitmap;
use crate::segment::rows::Rows;
use crate::snapshot::Shared;
use crate::top::top;
use crate::unit::{Matching, Query, STRIDE, Spanned, Unit, damaged, in_block, run};

/// What groups and values are called where they are too many.
const WHAT: &str = "groups and values";
/// What a value of a table takes, near enough.
const CELL: usize = size_of::<Value<'_>>();

/// Figures over the matching events, by groups.
pub(crate) fn aggregate(
    shared: &Shared,
    aggregation: &Aggregation,
    limits: &Limits,
) -> Result<Table, StoreError> {
    if let Some(field) = aggregation.most_frequent() {
        aggregation.check()?;
        let Aggregation { predicate, from, to, .. } = aggregation;
        let query = Query::new(predicate, *from, *to, &[field], limits);
        return ranked(shared, &query, aggregation, field);
    }
    let mut tables = aggregate_all(shared, std::slice::from_ref(aggregation), limits)?;
    Ok(tables.pop().unwrap_or_default())
}

/// Several figures over the same events, which are looked for once.
pub(crate) fn aggregate_all(
    shared: &Shared,
    aggregations: &[Aggregation],
    limits: &Limits,
) -> Result<Vec<Table>, StoreError> {
    let Some(one) = aggregations.first() else { return Ok(Vec::new()) };
    aggregations.iter().try_for_each(Aggregation::check)?;
    if !aggregations.iter().all(|other| other.is_over_the_events_of(one)) {
        return Err(StoreError::Aggregation("figures over different events".to_owned()));
    }
    let plans: Vec<Plan<'_>> = aggregations.iter().map(Plan::new).collect();
    let fields: Vec<&FieldName<'_>> = plans.iter().flat_map(Plan::fields).collect();
    let query = Query::new(&one.predicate, one.from, one.to, &fields, limits);
    let units = query.units(&shared.get())?;
    let memory = Memory::default();
    let fresh = || -> Vec<Partial<'_>> {
        plans.iter().map(|plan| Partial::new(plan, &query, &memory)).collect()
    };
    let found = run(limits, &units, fresh, |_, spanned, partials| match &spanned.unit {
        Unit::Block(block) => {
            let damaged = |reason| damaged(shared, reason);
            let mut gathered: Vec<Gathered> = plans.iter().map(Gathered::new).collect();
            in_block(shared, &query, block, |_, event| {
                for ((gathered, plan), partial) in
                    gathered.iter_mut().zip(&plans).zip(&mut *partials)
                {
                    gathered.push(event);
                    if gathered.events >= STRIDE {
                        let full = std::mem::replace(gathered, Gathered::new(plan));
                        full.add_to(partial, damaged)?;
                    }
                }
                Ok(())
            })?;
            let mut rest = gathered.into_iter().zip(partials);
            rest.try_for_each(|(gathered, partial)| gathered.add_to(partial, damaged))
        }
        Unit::Rows { segment, loaded, group } => {
            let rows = loaded.index.row_groups.get(*group).map_or(0, |group| group.rows);
            let (known, sought): (Vec<_>, Vec<_>) =
                partials.iter_mut().partition(|partial| partial.plan.is_in_index(&query, spanned));
            for partial in known {
                partial.count(spanned.created.0, rows as u64)?;
            }
            if sought.is_empty() {
                query.answered_from_index(rows);
                return Ok(());
            }
            let mut matching = Matching::new(&query, segment, loaded, *group)?;
            if matching.is_empty() {
                return Ok(());
            }
            let found = matching.all(&query)?;
            if found.is_empty() {
                return Ok(());
            }
            sought.into_iter().try_for_each(|partial| partial.add_rows(&matching.rows, &found))
        }
    })?;
    let mut found = found.into_iter();
    let mut all = found.next().unwrap_or_else(fresh);
    for other in found {
        all.iter_mut().zip(other).try_for_each(|(all, other)| all.join(other))?;
    }
    let tables = all.into_iter().zip(aggregations).map(|(partial, aggregation)| {
        let mut table = Table { columns: aggregation.columns(), ..Table::default() };
        partial.finish(&mut table);
        table.more = aggregation.arrange(&mut table.rows);
        table.explanation = query.seen.explanation();
        table
    });
    Ok(tables.collect())
}

/// The most frequent values of a field, for which there is a faster way.
fn ranked(
    shared: &Shared,
    query: &Query<'_>,
    aggregation: &Aggregation,
    field: &FieldName<'_>,
) -> Result<Table, StoreError> {
    let limit = aggregation.limit;
    let mut values = top(shared, query, field, limit.saturating_add(1))?;
    let more = values.len() > limit;
    values.truncate(limit);
    let int = |count| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
    Ok(Table {
        columns: aggregation.columns(),
        rows: values.into_iter().map(|(text, count)| vec![Value::from(text), int(count)]).collect(),
        more,
        explanation: query.seen.explanation(),
    })
}

/// What is read for an aggregation.
struct Plan<'a> {
    aggregation: &'a Aggregation,
    /// The keys, then the fields of figures that are no keys.
    inputs: Vec<Key>,
    /// For each figure its place among the inputs.
    figures: Vec<Option<usize>>,
}

impl<'a> Plan<'a> {
    fn new(aggregation: &'a Aggregation) -> Self {
        let mut inputs = aggregation.by.clone();
        let figures = aggregation.figures.iter().map(|figure| {
            let input = Key::Field(figure.field()?.clone());
            let known = inputs.iter().position(|known| *known == input);
            Some(known.unwrap_or_else(|| {
                inputs.push(input);
                inputs.len() - 1
            }))
        });
        let figures = figures.collect();
        Plan { aggregation, inputs, figures }
    }

    fn fields(&self) -> impl Iterator<Item = &FieldName<'static>> {
        self.inputs.iter().filter_map(|input| match input {
            Key::Field(field) => Some(field),
            Key::Time(_) => None,
        })
    }

    /// Whether the index of the row group says all that is asked of it.
    fn is_in_index(&self, query: &Query<'_>, spanned: &Spanned) -> bool {
        let only_counts = self.aggregation.figures.iter().all(|figure| *figure == Figure::Count);
        let (first, last) = spanned.created;
        only_counts
            && query.holds_for_all(spanned)
            && match self.aggregation.by.as_slice() {
                [] => true,
                [Key::Time(width)] => first.floor_to(*width) == last.floor_to(*width),
                _ => false,
            }
    }
}

/// Events in memory, their values being gathered.
struct Gathered {
    inputs: Vec<Gathering>,
    events: usize,
}

impl Gathered {
    fn new(plan: &Plan<'_>) -> Self {
        Gathered { inputs: plan.inputs.iter().map(Gathering::new).collect(), events: 0 }
    }

    fn push(&mut self, event: &Event<'_>) {
        self.inputs.iter_mut().for_each(|input| input.push(event));
        self.events += 1;
    }

    fn add_to(
        self,
        partial: &mut Partial<'_>,
        damaged: impl Fn(&'static str) -> StoreError,
    ) -> Result<(), StoreError> {
        let sources: Vec<Source> = self.inputs.into_iter().map(Gathering::source).collect();
        partial.add(&sources, 0..self.events, damaged)
    }
}

/// What one thread has found.
struct Partial<'p> {
    plan: &'p Plan<'p>,
    query: &'p Query<'p>,
    memory: &'p Memory,
    groups: Groups,
    figures: Vec<Figures>,
    /// What the memory was told of.
    size: usize,
}

impl<'p> Partial<'p> {
    fn new(plan: &'p Plan<'p>, query: &'p Query<'p>, memory: &'p Memory) -> Self {
        let groups = Groups::new(&plan.aggregation.by);
        let figures = plan.aggregation.figures.iter().map(Figures::new);
        let mut figures: Vec<Figures> = figures.collect();
        figures.iter_mut().for_each(|figure| figure.grow(groups.len()));
        Partial { plan, query, memory, groups, figures, size: 0 }
    }

    fn add_rows(&mut self, rows: &Rows<'_>, found: &Bitmap) -> Result<(), StoreError> {
        let inputs = self.plan.inputs.iter();
        let sources: Result<Vec<Source>, StoreError> =
            inputs.map(|input| Source::of_rows(rows, input, found)).collect();
        self.add(&sources?, found.rows(), |reason| rows.corrupt(reason))
    }

    /// Adds these rows of the sources.
    fn add(
        &mut self,
        sources: &[Source],
        rows: impl Iterator<Item = usize>,
        damaged: impl Fn(&'static str) -> StoreError,
    ) -> Result<(), StoreError> {
        let keys = sources.get(..self.plan.aggregation.by.len()).unwrap_or_default();
        let mut finder = Finder::new(keys);
        let inputs = self.plan.figures.iter();
        let mut values: Vec<Values<'_>> =
            inputs.map(|input| Values::new(input.and_then(|input| sources.get(input)))).collect();
        let mut pairs = Vec::with_capacity(STRIDE);
        for row in rows {
            if !finder.find(&mut self.groups, row, &mut pairs).map_err(&damaged)? {
                return Err(self.too_much());
            }
            if pairs.len() >= STRIDE {
                self.add_pairs(&pairs, &mut values).map_err(&damaged)?;
                pairs.clear();
                self.note_size()?;
            }
        }
        self.add_pairs(&pairs, &mut values).map_err(&damaged)?;
        self.note_size()
    }

    fn add_pairs(
        &mut self,
        pairs: &[(usize, u32)],
        values: &mut [Values<'_>],
    ) -> Result<(), &'static str> {
        for (figure, values) in self.figures.iter_mut().zip(values) {
            figure.grow(self.groups.len());
            figure.add(pairs, values)?;
        }
        Ok(())
    }

    /// Counts events that happened at this time, unseen.
    fn count(&mut self, at: Timestamp, events: u64) -> Result<(), StoreError> {
        let group = match self.plan.aggregation.by.first() {
            Some(Key::Time(width)) => self.groups.of_time(at.floor_to(*width).micros()),
            _ => 0,
        };
        for figure in &mut self.figures {
            figure.grow(self.groups.len());
            figure.count(group, events);
        }
        self.note_size()
    }

    fn note_size(&mut self) -> Result<(), StoreError> {
        self.query.limits.check()?;
        let row = CELL * (1 + self.plan.aggregation.by.len() + self.figures.len());
        let figures = self.figures.iter().map(Figures::size).sum::<usize>();
        let size = self.groups.len() * row + self.groups.size() + figures;
        let before = std::mem::replace(&mut self.size, size);
        self.memory.moved(before, size, WHAT, self.query.limits)
    }

    fn too_much(&self) -> StoreError {
        StoreError::TooMuch { what: WHAT, limit: self.query.limits.memory }
    }

    fn join(&mut self, other: Partial<'_>) -> Result<(), StoreError> {
        let groups = self.groups.join(&other.groups);
        for (figure, other) in self.figures.iter_mut().zip(other.figures) {
            figure.grow(self.groups.len());
            figure.join(other, &groups);
        }
        self.memory.moved(other.size, 0, WHAT, self.query.limits)?;
        self.note_size()
    }

    fn finish(self, table: &mut Table) {
        let groups = self.groups.len();
        let keys = self.plan.aggregation.by.len();
        table.rows = self.groups.into_keys();
        for (number, figure) in self.figures.into_iter().enumerate() {
            let (values, approximate) = figure.finish(groups);
            if let Some(column) = table.columns.get_mut(keys + number) {
                column.approximate = approximate;
            }
            table.rows.iter_mut().zip(values).for_each(|(row, value)| row.push(value));
        }
    }
}
