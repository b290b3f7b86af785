//! Counting: how many, how many a time bucket, how many of each value.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};

use crate::block::Block;
use crate::error::StoreError;
use crate::segment::columns::from_cell;
use crate::segment::pages::ABSENT;
use crate::snapshot::Shared;
use crate::text_hash::TextHasher;
use crate::unit::{Matching, Query, Spanned, Unit, damaged, run};

/// A histogram has at most so many buckets; narrower ones are widened.
const MAX_BUCKETS: i64 = 100_000;

/// How often each text occurs.
type Counts = HashMap<String, u64, BuildHasherDefault<TextHasher>>;

/// How many events match.
pub(crate) fn count(shared: &Shared, query: &Query<'_>) -> Result<u64, StoreError> {
    let units = query.units(&shared.get())?;
    let counts = run(
        &units,
        || 0_u64,
        |_, spanned, count| {
            *count += match &spanned.unit {
                Unit::Block(block) => {
                    let mut matches = 0;
                    in_block(shared, query, block, |_, _| matches += 1)?;
                    matches
                }
                Unit::Rows { loaded, group, .. } if query.holds_for_all(spanned) => {
                    loaded.index.row_groups.get(*group).map_or(0, |group| group.rows as u64)
                }
                Unit::Rows { segment, loaded, group } => {
                    Matching::new(query, segment, loaded, *group)?.all(query)?.count() as u64
                }
            };
            Ok(())
        },
    )?;
    Ok(counts.into_iter().sum())
}

/// How many events match in each bucket of time that has any, ascending.
pub(crate) fn histogram(
    shared: &Shared,
    query: &Query<'_>,
    width: i64,
) -> Result<Vec<(Timestamp, u64)>, StoreError> {
    let units = query.units(&shared.get())?;
    let first = units.iter().map(|unit| unit.created.0.max(query.from)).min();
    let last = units.iter().map(|unit| unit.created.1.min(Timestamp::from_micros(query.to))).max();
    let span = first.zip(last).map_or(0, |(first, last)| last.since(first));
    let width = width.max(span / MAX_BUCKETS).max(1);
    let buckets = run(&units, BTreeMap::new, |_, spanned, buckets| {
        let mut tally = Tally { width, bucket: None, count: 0, buckets };
        match &spanned.unit {
            Unit::Block(block) => {
                in_block(shared, query, block, |created, _| tally.add(created, 1))?;
            }
            Unit::Rows { loaded, group, .. }
                if query.holds_for_all(spanned)
                    && spanned.created.0.floor_to(width) == spanned.created.1.floor_to(width) =>
            {
                let rows = loaded.index.row_groups.get(*group).map_or(0, |group| group.rows);
                tally.add(spanned.created.0, rows as u64);
            }
            Unit::Rows { segment, loaded, group } => {
                let mut matching = Matching::new(query, segment, loaded, *group)?;
                if !matching.is_empty() {
                    let created = matching.rows.created()?;
                    for row in matching.all(query)?.rows() {
                        if let Some(at) = created.get(row) {
                            tally.add(Timestamp::from_micros(at), 1);
                        }
                    }
                }
            }
        }
        tally.flush();
        Ok(())
    })?;
    let mut joined: BTreeMap<Timestamp, u64> = BTreeMap::new();
    for (bucket, count) in buckets.into_iter().flatten() {
        *joined.entry(bucket).or_default() += count;
    }
    Ok(joined.into_iter().collect())
}

/// Counts events into buckets; neighbours mostly share one.
struct Tally<'b> {
    width: i64,
    bucket: Option<Timestamp>,
    count: u64,
    buckets: &'b mut BTreeMap<Timestamp, u64>,
}

impl Tally<'_> {
    fn add(&mut self, created: Timestamp, count: u64) {
        let inside = self.bucket.is_some_and(|bucket| {
            let after = created.since(bucket);
            after >= 0 && after < self.width
        });
        if !inside {
            self.flush();
            self.bucket = Some(created.floor_to(self.width));
        }
        self.count += count;
    }

    fn flush(&mut self) {
        if let Some(bucket) = self.bucket
            && self.count > 0
        {
            *self.buckets.entry(bucket).or_default() += self.count;
        }
        self.count = 0;
    }
}

/// The `k` values of a field that most matching events have, most first, then by text.
pub(crate) fn top(
    shared: &Shared,
    query: &Query<'_>,
    field: &FieldName<'_>,
    k: usize,
) -> Result<Vec<(String, u64)>, StoreError> {
    let units = query.units(&shared.get())?;
    let counts = run(&units, Counts::default, |_, spanned, counts| match &spanned.unit {
        Unit::Block(block) => in_block(shared, query, block, |_, event| {
            add_event(counts, event, field);
        }),
        Unit::Rows { segment, loaded, group } => {
            let mut matching = Matching::new(query, segment, loaded, *group)?;
            top_of_rows(query, &mut matching, field, counts)
        }
    })?;
    let mut counts = counts.into_iter();
    let mut joined: Counts = counts.next().unwrap_or_default();
    for (value, count) in counts.flatten() {
        *joined.entry(value).or_default() += count;
    }
    let mut ranked: Vec<(String, u64)> = joined.into_iter().collect();
    let order = |one: &(String, u64), other: &(String, u64)| {
        other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0))
    };
    if k < ranked.len() {
        ranked.select_nth_unstable_by(k, order);
        ranked.truncate(k);
    }
    ranked.sort_unstable_by(order);
    Ok(ranked)
}

fn top_of_rows(
    query: &Query<'_>,
    matching: &mut Matching<'_>,
    field: &FieldName<'_>,
    counts: &mut Counts,
) -> Result<(), StoreError> {
    if matching.is_empty() {
        return Ok(());
    }
    let column = match field {
        FieldName::Known(field) => matching.rows.whole_text(*field)?,
        FieldName::Other(_) => None,
    };
    let found = matching.all(query)?;
    let Some(column) = column else {
        let columns = matching.rows.columns(&query.also(field))?;
        for row in found.rows() {
            let event = columns.event(row).map_err(|reason| matching.rows.corrupt(reason))?;
            add_event(counts, &event, field);
        }
        return Ok(());
    };
    let mut by_code = vec![0_u64; column.distinct().len()];
    for row in found.rows() {
        let code = column.codes.get(row).copied().unwrap_or(ABSENT);
        if let Some(count) = by_code.get_mut(code as usize) {
            *count += 1;
        }
    }
    for (cell, count) in column.distinct().zip(by_code) {
        if count == 0 {
            continue;
        }
        if cell.starts_with('[') && *field != FieldName::Known(Field::Message) {
            let value =
                from_cell(cell).ok_or_else(|| matching.rows.corrupt("a list is damaged"))?;
            add_value(counts, &value, count);
        } else {
            add_text(counts, cell, count);
        }
    }
    Ok(())
}

fn add_event(counts: &mut Counts, event: &Event<'_>, field: &FieldName<'_>) {
    match field {
        FieldName::Known(Field::Timestamp) => add_text(counts, &event.created().to_string(), 1),
        FieldName::Known(Field::EventOriginal) => add_text(counts, event.original(), 1),
        name => {
            if let Some(value) = event.get_named(name) {
                add_value(counts, value, 1);
            }
        }
    }
}

fn add_value(counts: &mut Counts, value: &Value<'_>, count: u64) {
    match value {
        Value::Null => {}
        Value::List(values) => values.iter().for_each(|value| add_value(counts, value, count)),
        value => add_text(counts, &value.to_text(), count),
    }
}

fn add_text(counts: &mut Counts, text: &str, count: u64) {
    match counts.get_mut(text) {
        Some(known) => *known += count,
        None => {
            counts.insert(text.to_owned(), count);
        }
    }
}

fn in_block(
    shared: &Shared,
    query: &Query<'_>,
    block: &Block,
    mut visit: impl FnMut(Timestamp, &Event<'_>),
) -> Result<(), StoreError> {
    let mut walk = || -> Result<(), &'static str> {
        for (position, id) in (0..block.len()).zip(block.first_id()..) {
            let encoded = block.get(position)?;
            if let Some(event) = query.in_memory(&encoded, id)? {
                visit(encoded.created, &event);
            }
        }
        Ok(())
    };
    walk().map_err(|reason| damaged(shared, reason))
}

impl Query<'_> {
    /// Whether every event of the unit matches, without looking.
    fn holds_for_all(&self, spanned: &Spanned) -> bool {
        self.is_time_alone()
            && self.from <= spanned.created.0
            && self.to > spanned.created.1.micros()
    }
}
