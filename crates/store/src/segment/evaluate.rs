//! Evaluates a predicate over a row group by its columns, each distinct value once.
//!
//! What columns cannot tell is left open: rows that are possible but not certain are decided by the
//! caller with [`Predicate::matches`] over the event.

use std::collections::HashMap;

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::{Condition, Predicate, Target};

use super::bitmap::Bitmap;
use super::find::holding;
use super::pages::{ABSENT, TextColumn};
use super::rows::{IntColumn, Rows};
use super::stretch::Stretches;
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

/// Evaluates the predicate as far as columns tell, over the rows that are asked for.
pub(crate) fn evaluate(
    rows: &Rows<'_>,
    predicate: &Predicate,
    asked: &Bitmap,
) -> Result<Truth, StoreError> {
    let mut truth = among(rows, predicate, asked)?;
    truth.certain = truth.certain.and(asked);
    truth.possible = truth.possible.and(asked);
    Ok(truth)
}

/// As [`evaluate`]; of rows that are not asked for it may say anything.
fn among(rows: &Rows<'_>, predicate: &Predicate, asked: &Bitmap) -> Result<Truth, StoreError> {
    let count = rows.index()?.rows;
    if asked.is_empty() {
        return Ok(Truth::known(Bitmap::filled(count, false)));
    }
    Ok(match predicate {
        Predicate::Constant(truth) => Truth::known(Bitmap::filled(count, *truth)),
        Predicate::Not(inner) => {
            let inner = among(rows, inner, asked)?;
            Truth { certain: inner.possible.not(), possible: inner.certain.not() }
        }
        Predicate::And(all) => {
            let mut truth = Truth::known(asked.clone());
            for predicate in cheapest_first(all) {
                let next = among(rows, predicate, &truth.possible)?;
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
            let mut open = asked.clone();
            for predicate in cheapest_first(any) {
                let next = among(rows, predicate, &open)?;
                truth.certain = truth.certain.or(&next.certain.and(&open));
                truth.possible = truth.possible.or(&next.possible.and(&open));
                open = asked.clone().and(&truth.certain.clone().not());
                if open.is_empty() {
                    break;
                }
            }
            truth
        }
        Predicate::AtLeast(needed, choices) => at_least(rows, *needed, choices, asked)?,
        Predicate::Atom(Target::Field(FieldName::Known(field)), condition) => {
            match atom(rows, *field, condition, asked)? {
                Some(bitmap) => Truth::known(bitmap),
                None => Truth::open(count),
            }
        }
        Predicate::Atom(..) => Truth::open(count),
    })
}

/// Those that read messages, the largest column, last: it may be needed for few rows by then.
fn cheapest_first(predicates: &[Predicate]) -> impl Iterator<Item = &Predicate> {
    let (dear, cheap): (Vec<_>, Vec<_>) =
        predicates.iter().partition(|predicate| reads_messages(predicate));
    cheap.into_iter().chain(dear)
}

fn reads_messages(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Constant(_) => false,
        Predicate::Not(inner) => reads_messages(inner),
        Predicate::And(inner) | Predicate::Or(inner) | Predicate::AtLeast(_, inner) => {
            inner.iter().any(reads_messages)
        }
        Predicate::Atom(target, _) => *target == Target::Field(FieldName::Known(Field::Message)),
    }
}

/// For each row and each number up to `needed`: whether so many of the choices hold.
fn at_least(
    rows: &Rows<'_>,
    needed: usize,
    choices: &[Predicate],
    asked: &Bitmap,
) -> Result<Truth, StoreError> {
    let count = rows.index()?.rows;
    if needed > choices.len() {
        return Ok(Truth::known(Bitmap::filled(count, false)));
    }
    let none = || Truth::known(Bitmap::filled(count, false));
    // The truth that at least one, two, … of the choices so far hold.
    let mut reached: Vec<Truth> = std::iter::repeat_with(none).take(needed).collect();
    for predicate in choices {
        let mut carried = among(rows, predicate, asked)?;
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
    asked: &Bitmap,
) -> Result<Option<Bitmap>, StoreError> {
    if matches!(condition, Condition::SameAs { .. }) {
        return Ok(None);
    }
    let count = rows.index()?.rows;
    let asked = &Stretches::of(count, asked);
    let by_number = matches!(condition, Condition::Number(..));
    Ok(match field {
        Field::Timestamp if by_number => {
            Some(ints(rows.created(asked)?.as_ref(), condition, count))
        }
        Field::EventIngested if by_number => {
            Some(ints(rows.ingested(asked)?.as_ref(), condition, count))
        }
        Field::EventId => Some(ints(rows.ids(asked)?.as_ref(), condition, count)),
        Field::Timestamp | Field::EventIngested | Field::EventOriginal => None,
        field => {
            if let Some(column) = rows.whole_int(field, asked)? {
                Some(ints(&column, condition, count))
            } else {
                let lists = field != Field::Message;
                let column = rows.whole_text(field, asked)?;
                column.map(|column| texts(&column, condition, lists, count))
            }
        }
    })
}

fn ints(column: &IntColumn, condition: &Condition, count: usize) -> Bitmap {
    let absent = matches!(condition, Condition::Null);
    let nowhere = Event::new(Timestamp::default(), "");
    if let Condition::Number(..) | Condition::Exists | Condition::Null = condition {
        let holds = |number| condition.holds(&Value::Int(number), &nowhere);
        let (first, numbers) = column.span();
        return of_read(count, absent, first, numbers.map(|number| number.map_or(absent, holds)));
    }
    // Text of a number is made once for each number.
    let mut known: HashMap<i64, bool> = HashMap::new();
    let holds = |number| {
        *known.entry(number).or_insert_with(|| condition.holds(&Value::Int(number), &nowhere))
    };
    let mut holds = holds;
    let (first, numbers) = column.span();
    of_read(count, absent, first, numbers.map(|number| number.map_or(absent, &mut holds)))
}

fn texts(column: &TextColumn, condition: &Condition, lists: bool, count: usize) -> Bitmap {
    let absent = matches!(condition, Condition::Null);
    let truths = holding(column, condition, lists);
    if !absent && !truths.contains(&true) {
        return Bitmap::filled(count, false);
    }
    let holds = |code: &u32| {
        if *code == ABSENT { absent } else { truths.get(*code as usize).copied().unwrap_or(false) }
    };
    let (first, codes) = column.span();
    of_read(count, absent, first, codes.iter().map(holds))
}

/// The rows of a column for which `holds` is true, told from the first row on that was read; whether
/// it is of rows that were not read is told by `absent`: a column without any value reads none.
fn of_read(
    count: usize,
    absent: bool,
    first: usize,
    holds: impl ExactSizeIterator<Item = bool>,
) -> Bitmap {
    let end = first + holds.len();
    let mut bitmap = Bitmap::of_span(count, first, holds);
    if absent {
        bitmap.insert_all(0..first);
        bitmap.insert_all(end..count);
    }
    bitmap
}
