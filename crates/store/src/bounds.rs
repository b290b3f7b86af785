//! Between which ids and times of ingestion a predicate can hold, for statistics to rule out more.
//!
//! Only ever over-approximates: what [`Predicate::matches`] would find is never ruled out.

use bergfried_event::{Field, FieldName};
use bergfried_query::{Comparison, Condition, Predicate, Target};

/// The least and the greatest number, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) least: i64,
    pub(crate) most: i64,
}

impl Bounds {
    const ALL: Bounds = Bounds { least: i64::MIN, most: i64::MAX };

    /// Between which numbers of the field, one of those that every event has, the predicate can hold.
    pub(crate) fn of(predicate: &Predicate, field: Field) -> Bounds {
        match predicate {
            Predicate::And(all) => all.iter().fold(Bounds::ALL, |bounds, predicate| {
                let other = Bounds::of(predicate, field);
                let (least, most) = (bounds.least.max(other.least), bounds.most.min(other.most));
                Bounds { least, most }
            }),
            Predicate::Atom(target, Condition::Number(how, number))
                if *target == Target::Field(FieldName::Known(field)) =>
            {
                Bounds::compared(*how, *number)
            }
            _ => Bounds::ALL,
        }
    }

    /// Comparisons are made in floating point; one to each side of what it holds exactly is let through.
    fn compared(how: Comparison, number: f64) -> Bounds {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.is_nan() || number.abs() > EXACT {
            return Bounds::ALL;
        }
        #[expect(clippy::cast_possible_truncation, reason = "it was looked at above")]
        let (below, above) = (number.floor() as i64 - 1, number.ceil() as i64 + 1);
        match how {
            Comparison::Equal => Bounds { least: below, most: above },
            Comparison::NotEqual => Bounds::ALL,
            Comparison::Less | Comparison::LessOrEqual => Bounds { most: above, ..Bounds::ALL },
            Comparison::Greater | Comparison::GreaterOrEqual => {
                Bounds { least: below, ..Bounds::ALL }
            }
        }
    }

    /// Whether none of the numbers from `least` to `most` are within.
    pub(crate) fn rule_out(self, least: i64, most: i64) -> bool {
        most < self.least || least > self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_hold_is_ruled_out() {
        let id = |how, number| Predicate::field(Field::EventId, Condition::Number(how, number));
        let bounds = |predicate: &Predicate| {
            let bounds = Bounds::of(predicate, Field::EventId);
            (bounds.least, bounds.most)
        };
        let least = id(Comparison::Greater, 10.0);
        let both = least.clone().and(id(Comparison::LessOrEqual, 20.5));
        assert_eq!(bounds(&both), (9, 22));
        assert_eq!(bounds(&id(Comparison::Equal, 7.0)), (6, 8));
        for open in [
            Predicate::Not(Box::new(least.clone())),
            Predicate::Or(vec![least.clone(), Predicate::Constant(true)]),
            id(Comparison::Less, 1e300),
            id(Comparison::NotEqual, 3.0),
        ] {
            assert_eq!(bounds(&open), (i64::MIN, i64::MAX), "{open:?}");
        }
        assert_eq!(Bounds::of(&least, Field::Timestamp), Bounds::ALL);
        assert!(Bounds { least: 5, most: 9 }.rule_out(10, 20));
        assert!(!Bounds { least: 5, most: 9 }.rule_out(9, 20));
    }
}
