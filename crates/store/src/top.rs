//! The values of a field that occur most.
//!
//! Joining the counts of all row groups into one map costs more than making them, since most values
//! are rare. So only counts from a cutoff up are joined first. When the k-th of those sums is more
//! than all that the others could have hidden below the cutoff, only the few values near it need
//! their exact sums. The answer is exact either way.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use bergfried_event::{Event, Field, FieldName, Value};

use crate::error::StoreError;
use crate::limits::Memory;
use crate::segment::columns::from_cell;
use crate::segment::pages::TextColumn;
use crate::segment::stretch::Stretches;
use crate::snapshot::Shared;
use crate::text_hash::TextHasher;
use crate::unit::{Matching, Query, Unit, in_block, run};

/// How often each text occurs.
type Counts<T> = HashMap<T, u64, BuildHasherDefault<TextHasher>>;

/// Columns are kept for ranking up to this size a thread; past it their counts are joined at once.
const KEPT_BYTES: usize = 128 << 20;
/// What a counted text takes beside its bytes, near enough.
const ENTRY: usize = 48;
const CUTOFFS: [u64; 6] = [64, 32, 16, 8, 4, 2];

/// The `k` values of a field that most matching events have, most first, then by text.
pub(crate) fn top(
    shared: &Shared,
    query: &Query<'_>,
    field: &FieldName<'_>,
    k: usize,
) -> Result<Vec<(String, u64)>, StoreError> {
    if k == 0 {
        return Ok(Vec::new());
    }
    let units = query.units(&shared.get())?;
    let memory = Memory::default();
    let tallies = run(query.limits, &units, Tally::default, |_, spanned, tally| {
        let before = tally.bytes + tally.kept;
        match &spanned.unit {
            Unit::Block(block) => in_block(shared, query, block, |_, event| {
                tally.add_event(event, field);
                Ok(())
            })?,
            Unit::Rows { segment, loaded, group } => {
                let mut matching = Matching::new(query, segment, loaded, *group)?;
                tally.add_rows(query, &mut matching, field)?;
            }
        }
        memory.moved(before, tally.bytes + tally.kept, "values", query.limits)
    })?;
    let mut joined = Tally::default();
    for tally in tallies {
        joined.columns.extend(tally.columns);
        if joined.counts.is_empty() {
            joined.counts = tally.counts;
        } else {
            tally.counts.iter().for_each(|(text, count)| joined.add_text(text, *count));
        }
    }
    Ok(joined.rank(k).into_iter().map(|(text, count)| (text.to_owned(), count)).collect())
}

/// Counts of one thread.
#[derive(Default)]
struct Tally {
    counts: Counts<String>,
    columns: Vec<Counted>,
    kept: usize,
    /// Of what is counted as texts, near enough.
    bytes: usize,
}

/// A column of a row group, and how often each of its texts occurs.
struct Counted {
    column: Arc<TextColumn>,
    counts: Vec<u64>,
}

impl Counted {
    /// The texts that occur as often as the range says.
    fn between(&self, range: std::ops::Range<u64>) -> impl Iterator<Item = (&str, u64)> {
        let counts = self.counts.iter().enumerate();
        counts
            .filter(move |(_, count)| range.contains(count))
            .map(|(code, count)| (self.column.by_code(code), *count))
    }
}

impl Tally {
    fn add_rows(
        &mut self,
        query: &Query<'_>,
        matching: &mut Matching<'_>,
        field: &FieldName<'_>,
    ) -> Result<(), StoreError> {
        if matching.is_empty() {
            return Ok(());
        }
        let found = matching.all(query)?;
        let some = Stretches::of(matching.rows.index()?.rows, &found);
        let column = match field {
            FieldName::Known(field) => matching.rows.whole_text(*field, &some)?,
            FieldName::Other(_) => None,
        };
        let Some(column) = column else {
            let columns = matching.rows.columns(&query.also(field), &some)?;
            for row in found.rows() {
                let event = columns.event(row).map_err(|reason| matching.rows.corrupt(reason))?;
                self.add_event(&event, field);
            }
            return Ok(());
        };
        let mut counts = vec![0_u64; column.distinct().len()];
        let mut count = |code: u32| {
            if let Some(count) = counts.get_mut(code as usize) {
                *count += 1;
            }
        };
        if found.count() == matching.rows.index()?.rows {
            column.span().1.iter().copied().for_each(&mut count);
        } else {
            found.rows().for_each(|row| count(column.code(row)));
        }
        let may_be_lists = *field != FieldName::Known(Field::Message);
        for (cell, count) in column.distinct().zip(&mut counts) {
            if may_be_lists && cell.starts_with('[') {
                let value = from_cell(cell);
                let value = value.ok_or_else(|| matching.rows.corrupt("a list is damaged"))?;
                self.add_value(&value, std::mem::take(count));
            }
        }
        let counted = Counted { column, counts };
        let size = counted.column.size() + counted.counts.len() * size_of::<u64>();
        if self.kept + size <= KEPT_BYTES.min(query.limits.memory / 4) {
            self.kept += size;
            self.columns.push(counted);
        } else {
            counted.between(1..u64::MAX).for_each(|(text, count)| self.add_text(text, count));
        }
        Ok(())
    }

    fn add_event(&mut self, event: &Event<'_>, field: &FieldName<'_>) {
        match field {
            FieldName::Known(Field::Timestamp) => self.add_text(&event.created().to_string(), 1),
            FieldName::Known(Field::EventOriginal) => self.add_text(event.original(), 1),
            name => {
                if let Some(value) = event.get_named(name) {
                    self.add_value(value, 1);
                }
            }
        }
    }

    fn add_value(&mut self, value: &Value<'_>, count: u64) {
        match value {
            Value::List(_) => {
                let mut texts = BTreeSet::new();
                gather(value, &mut texts);
                texts.iter().for_each(|text| self.add_text(text, count));
            }
            Value::Null => {}
            value => self.add_text(&value.to_text(), count),
        }
    }

    fn add_text(&mut self, text: &str, count: u64) {
        if count == 0 {
            return;
        }
        match self.counts.get_mut(text) {
            Some(known) => *known += count,
            None => {
                self.bytes += text.len() + ENTRY;
                self.counts.insert(text.to_owned(), count);
            }
        }
    }

    fn rank(&self, k: usize) -> Vec<(&str, u64)> {
        for cutoff in CUTOFFS {
            let sums = self.sums(cutoff);
            let hidden = self.columns.len() as u64 * (cutoff - 1);
            let Some(least) = kth(&sums, k).filter(|least| *least > hidden) else { continue };
            let near = sums.into_iter().filter(|(_, sum)| sum + hidden >= least).collect();
            return first(self.completed(near, cutoff), k);
        }
        first(self.sums(1), k)
    }

    /// The sum of each text's counts from `cutoff` up.
    fn sums(&self, cutoff: u64) -> Counts<&str> {
        let mut sums: Counts<&str> =
            self.counts.iter().map(|(text, count)| (text.as_str(), *count)).collect();
        for column in &self.columns {
            for (text, count) in column.between(cutoff..u64::MAX) {
                *sums.entry(text).or_default() += count;
            }
        }
        sums
    }

    /// Adds to these sums the counts below `cutoff`; two threads share the columns.
    fn completed<'t>(&'t self, sums: Counts<&'t str>, cutoff: u64) -> Counts<&'t str> {
        let (some, others) = self.columns.split_at(self.columns.len() / 2);
        let zeros: Counts<&str> = sums.keys().map(|text| (*text, 0)).collect();
        let (mut sums, more) = std::thread::scope(|scope| {
            let more =
                std::thread::Builder::new().spawn_scoped(scope, || add_below(some, zeros, cutoff));
            let sums = add_below(others, sums, cutoff);
            match more.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(more)) => (sums, more),
                // Without a thread this one does it all.
                _ => (add_below(some, sums, cutoff), Counts::default()),
            }
        });
        for (text, count) in more {
            *sums.entry(text).or_default() += count;
        }
        sums
    }
}

/// The different values of a list; an event counts once for each.
fn gather<'v>(value: &'v Value<'_>, texts: &mut BTreeSet<Cow<'v, str>>) {
    match value {
        Value::List(values) => values.iter().for_each(|value| gather(value, texts)),
        Value::Null => {}
        value => {
            texts.insert(value.to_text());
        }
    }
}

fn add_below<'t>(
    columns: &'t [Counted],
    mut sums: Counts<&'t str>,
    cutoff: u64,
) -> Counts<&'t str> {
    for column in columns {
        for (text, count) in column.between(1..cutoff) {
            if let Some(sum) = sums.get_mut(text) {
                *sum += count;
            }
        }
    }
    sums
}

/// The k-th greatest sum.
fn kth(sums: &Counts<&str>, k: usize) -> Option<u64> {
    let mut sums: Vec<u64> = sums.values().copied().collect();
    let place = sums.len().checked_sub(k)?;
    Some(*sums.select_nth_unstable(place).1)
}

/// The first `k`, most first, then by text.
fn first(sums: Counts<&str>, k: usize) -> Vec<(&str, u64)> {
    let mut ranked: Vec<(&str, u64)> = sums.into_iter().collect();
    let order = |one: &(&str, u64), other: &(&str, u64)| {
        other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0))
    };
    if k < ranked.len() {
        ranked.select_nth_unstable_by(k, order);
        ranked.truncate(k);
    }
    ranked.sort_unstable_by(order);
    ranked
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cutting_off_rare_values_changes_nothing(
            // Value 0 occurs most, as in life; in how many columns, and how often in each.
            columns in prop::collection::vec(prop::collection::vec((0_u64..40, 0_u64..9), 30), 0..6),
            loose in prop::collection::vec((0_u64..40, 1_u64..50), 0..5),
            k in 1_usize..12,
        ) {
            let mut tally = Tally::default();
            let mut naive = std::collections::BTreeMap::new();
            for (value, count) in loose {
                tally.add_text(&value.to_string(), count);
                *naive.entry(value.to_string()).or_insert(0) += count;
            }
            for column in columns {
                let sums: std::collections::BTreeMap<String, u64> = column
                    .into_iter()
                    .map(|(value, noise)| (value.to_string(), 300 / (value + 1) + noise))
                    .collect();
                for (text, count) in &sums {
                    *naive.entry(text.clone()).or_insert(0) += count;
                }
                let texts = Arc::new(TextColumn::of_texts(sums.keys().map(String::as_str)));
                let counts = sums.values().copied().collect();
                tally.columns.push(Counted { column: texts, counts });
            }
            naive.retain(|_, count| *count > 0);
            let mut expected: Vec<(&str, u64)> =
                naive.iter().map(|(text, count)| (text.as_str(), *count)).collect();
            expected.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
            expected.truncate(k);
            prop_assert_eq!(tally.rank(k), expected);
        }
    }
}
