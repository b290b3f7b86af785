//! Evaluates a predicate over a row group by its columns, each distinct value once.
//!
//! What columns cannot tell is left open: rows that are possible but not certain are decided by the
//! caller with [`Predicate::matches`] over the event.

use std::collections::HashMap;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::{Condition, Predicate, Target};

use super::bitmap::Bitmap;
use super::columns::from_cell;
use super::pages::{ABSENT, TextColumn};
use super::rows::{IntColumn, Rows};
use crate::error::StoreError;

/// In which rows a predicate holds.
pub(crate) struct Truth {
    /// It holds in these.
    pub(crate) certain: Bitmap,
    /// It holds in none but these.
    pub(crate) possible: Bitmap,
}

impl Truth {
    fn known(rows: Bitmap) -> Self {
        Truth { certain: rows.clone(), possible: rows }
    }

    fn open(rows: usize) -> Self {
        Truth { certain: Bitmap::filled(rows, false), possible: Bitmap::filled(rows, true) }
    }
}

/// Evaluates the predicate as far as columns tell.
pub(crate) fn evaluate(rows: &Rows<'_>, predicate: &Predicate) -> Result<Truth, StoreError> {
    let count = rows.index()?.rows;
    Ok(match predicate {
        Predicate::Constant(truth) => Truth::known(Bitmap::filled(count, *truth)),
        Predicate::Not(inner) => {
            let inner = evaluate(rows, inner)?;
            Truth { certain: inner.possible.not(), possible: inner.certain.not() }
        }
        Predicate::And(all) => {
            let mut truth = Truth::known(Bitmap::filled(count, true));
            for predicate in all {
                let next = evaluate(rows, predicate)?;
                truth.certain = truth.certain.and(&next.certain);
                truth.possible = truth.possible.and(&next.possible);
                if truth.possible.is_empty() {
                    break;
                }
            }
            truth
        }
        Predicate::Or(any) => {
            let mut truth = Truth::known(Bitmap::filled(count, false));
            for predicate in any {
                let next = evaluate(rows, predicate)?;
                truth.certain = truth.certain.or(&next.certain);
                truth.possible = truth.possible.or(&next.possible);
                if truth.certain.is_full() {
                    break;
                }
            }
            truth
        }
        Predicate::AtLeast(needed, choices) => at_least(rows, *needed, choices, count)?,
        Predicate::Atom(Target::Field(FieldName::Known(field)), condition) => {
            match atom(rows, *field, condition, count)? {
                Some(bitmap) => Truth::known(bitmap),
                None => Truth::open(count),
            }
        }
        Predicate::Atom(..) => Truth::open(count),
    })
}

/// For each row and each number up to `needed`: whether so many of the choices hold.
fn at_least(
    rows: &Rows<'_>,
    needed: usize,
    choices: &[Predicate],
    count: usize,
) -> Result<Truth, StoreError> {
    if needed > choices.len() {
        return Ok(Truth::known(Bitmap::filled(count, false)));
    }
    let none = || Truth::known(Bitmap::filled(count, false));
    // The truth that at least one, two, … of the choices so far hold.
    let mut reached: Vec<Truth> = std::iter::repeat_with(none).take(needed).collect();
    for predicate in choices {
        let mut carried = evaluate(rows, predicate)?;
        for truth in &mut reached {
            let both = Truth {
                certain: truth.certain.clone().and(&carried.certain),
                possible: truth.possible.clone().and(&carried.possible),
            };
            truth.certain = carried.certain.or(&truth.certain);
            truth.possible = carried.possible.or(&truth.possible);
            carried = both;
        }
    }
    Ok(reached.pop().unwrap_or_else(|| Truth::known(Bitmap::filled(count, true))))
}

/// The rows in which the condition holds; `None` where columns cannot tell.
fn atom(
    rows: &Rows<'_>,
    field: Field,
    condition: &Condition,
    count: usize,
) -> Result<Option<Bitmap>, StoreError> {
    if matches!(condition, Condition::SameAs { .. }) {
        return Ok(None);
    }
    let by_number = matches!(condition, Condition::Number(..));
    Ok(match field {
        Field::Timestamp if by_number => Some(ints(rows.created()?.as_ref(), condition, count)),
        Field::EventIngested if by_number => {
            Some(ints(rows.ingested()?.as_ref(), condition, count))
        }
        Field::EventId => Some(ints(rows.ids()?.as_ref(), condition, count)),
        Field::Timestamp | Field::EventIngested | Field::EventOriginal | Field::Message => None,
        field => {
            if let Some(column) = rows.whole_int(field)? {
                Some(ints(&column, condition, count))
            } else {
                rows.whole_text(field)?.map(|column| texts(&column, condition, count))
            }
        }
    })
}

fn ints(column: &IntColumn, condition: &Condition, count: usize) -> Bitmap {
    let absent = matches!(condition, Condition::Null);
    let nowhere = Event::new(Timestamp::default(), "");
    if let Condition::Number(..) | Condition::Exists | Condition::Null = condition {
        let holds = |number| condition.holds(&Value::Int(number), &nowhere);
        return Bitmap::of(column.iter().map(|number| number.map_or(absent, holds)), count);
    }
    // Text of a number is made once for each number.
    let mut known: HashMap<i64, bool> = HashMap::new();
    let holds = |number| {
        *known.entry(number).or_insert_with(|| condition.holds(&Value::Int(number), &nowhere))
    };
    let mut holds = holds;
    Bitmap::of(column.iter().map(|number| number.map_or(absent, &mut holds)), count)
}

fn texts(column: &TextColumn, condition: &Condition, count: usize) -> Bitmap {
    let absent = matches!(condition, Condition::Null);
    let nowhere = Event::new(Timestamp::default(), "");
    let truths: Vec<bool> = column
        .distinct()
        .map(|cell| match (condition, from_cell(cell)) {
            (Condition::Exists, _) => true,
            (condition, Some(value)) => condition.holds_field(Some(&value), &nowhere),
            (_, None) => false,
        })
        .collect();
    if !absent && !truths.contains(&true) {
        return Bitmap::filled(count, false);
    }
    let holds = |code: &u32| {
        if *code == ABSENT { absent } else { truths.get(*code as usize).copied().unwrap_or(false) }
    };
    Bitmap::of(column.codes.iter().map(holds), count)
}
