//! Counting: how many, and how many a time bucket.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;

use crate::error::StoreError;
use crate::snapshot::Shared;
use crate::unit::{Matching, Query, Spanned, Unit, in_block, run};

/// A histogram has at most so many buckets; narrower ones are widened.
const MAX_BUCKETS: i64 = 100_000;

/// How many events match.
pub(crate) fn count(shared: &Shared, query: &Query<'_>) -> Result<u64, StoreError> {
    let units = query.units(&shared.get())?;
    let counts = run(
        query.limits,
        &units,
        || 0_u64,
        |_, spanned, count| {
            *count += match &spanned.unit {
                Unit::Block(block) => {
                    let mut matches = 0;
                    in_block(shared, query, block, |_, _| {
                        matches += 1;
                        Ok(())
                    })?;
                    matches
                }
                Unit::Rows { loaded, group, .. } if query.holds_for_all(spanned) => {
                    let rows = loaded.index.row_groups.get(*group).map_or(0, |group| group.rows);
                    query.answered_from_index(rows);
                    rows as u64
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
    let buckets = run(query.limits, &units, BTreeMap::new, |_, spanned, buckets| {
        let mut tally = Tally { width, bucket: None, count: 0, buckets };
        match &spanned.unit {
            Unit::Block(block) => {
                in_block(shared, query, block, |created, _| {
                    tally.add(created, 1);
                    Ok(())
                })?;
            }
            Unit::Rows { loaded, group, .. }
                if query.holds_for_all(spanned)
                    && spanned.created.0.floor_to(width) == spanned.created.1.floor_to(width) =>
            {
                let rows = loaded.index.row_groups.get(*group).map_or(0, |group| group.rows);
                query.answered_from_index(rows);
                tally.add(spanned.created.0, rows as u64);
            }
            Unit::Rows { segment, loaded, group } => {
                let mut matching = Matching::new(query, segment, loaded, *group)?;
                if !matching.is_empty() {
                    let created = matching.rows.created(&matching.possible()?)?;
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

impl Query<'_> {
    /// Whether every event of the unit matches, without looking.
    pub(crate) fn holds_for_all(&self, spanned: &Spanned) -> bool {
        self.is_time_alone()
            && self.from <= spanned.created.0
            && self.to > spanned.created.1.micros()
    }
}
