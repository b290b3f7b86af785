//! Steps that shape a table: sort, head, fields.

use std::cmp::Ordering;

use bergfried_event::Value;
use bergfried_query::number;
use bergfried_query::pipeline::Step;

use super::Answer;

/// Applies the steps, one after the other; those that count change nothing here.
pub(super) fn apply(answer: &mut Answer, steps: &[Step]) {
    for step in steps {
        match step {
            Step::Sort(keys) => {
                let keys: Vec<(usize, bool)> = keys
                    .iter()
                    .filter_map(|key| Some((place(answer, &key.column)?, key.descending)))
                    .collect();
                answer.rows.sort_by(|one, other| {
                    let orders = keys.iter().map(|(column, descending)| {
                        compare(one.get(*column), other.get(*column), *descending)
                    });
                    orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
                });
            }
            Step::Head(limit) if answer.rows.len() >= *limit => {
                answer.rows.truncate(*limit);
                answer.more = false;
            }
            Step::Fields(names) => {
                let places: Vec<usize> =
                    names.iter().filter_map(|name| place(answer, name)).collect();
                let picked = |place: &usize, from: &[Value<'static>]| from.get(*place).cloned();
                for row in &mut answer.rows {
                    *row = places.iter().filter_map(|place| picked(place, row)).collect();
                }
                answer.columns =
                    places.iter().filter_map(|place| answer.columns.get(*place).cloned()).collect();
            }
            _ => {}
        }
    }
}

fn place(answer: &Answer, name: &str) -> Option<usize> {
    answer.columns.iter().position(|column| column.name == name)
}

/// Numbers before texts; null last either way.
fn compare(one: Option<&Value<'_>>, other: Option<&Value<'_>>, descending: bool) -> Ordering {
    let (Some(one), Some(other)) = (one, other) else { return Ordering::Equal };
    let order = match (one, other) {
        (Value::Null, Value::Null) => return Ordering::Equal,
        (Value::Null, _) => return Ordering::Greater,
        (_, Value::Null) => return Ordering::Less,
        (Value::Int(one), Value::Int(other)) => one.cmp(other),
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            let of = |value| number(value).unwrap_or(f64::NAN);
            of(one).total_cmp(&of(other))
        }
        (Value::Int(_) | Value::Float(_), _) => Ordering::Less,
        (_, Value::Int(_) | Value::Float(_)) => Ordering::Greater,
        (one, other) => one.to_text().cmp(&other.to_text()),
    };
    if descending { order.reverse() } else { order }
}
