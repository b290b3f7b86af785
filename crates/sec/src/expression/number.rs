//! Numbers of expressions: whole ones of 64 bits, and decimals. Nothing overflows in silence.

use std::cmp::Ordering;
use std::fmt;

use super::failure::Failure;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A whole one.
    Integer(i64),
    /// Any other; never infinite, never "not a number".
    Decimal(f64),
}

/// A way to make a number of two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// The longest text that is looked at as a number.
const LONGEST: usize = 64;

impl Number {
    /// Reads an optional sign and digits with at most one point among them; nothing else looks like a
    /// number.
    pub fn read(text: &[u8]) -> Option<Self> {
        let digits = match text {
            [b'+' | b'-', rest @ ..] => rest,
            _ => text,
        };
        let points = digits.iter().filter(|byte| **byte == b'.').count();
        let good = digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.');
        if !good || points > 1 || digits.len() == points || text.len() > LONGEST {
            return None;
        }
        let text = std::str::from_utf8(text).ok()?;
        if points == 0
            && let Ok(integer) = text.parse()
        {
            return Some(Self::Integer(integer));
        }
        Self::decimal(text.parse().ok()?).ok()
    }

    /// A decimal, where it is a number at all.
    pub(super) fn decimal(decimal: f64) -> Result<Self, Failure> {
        if decimal.is_finite() { Ok(Self::Decimal(decimal)) } else { Err(Failure::Overflow) }
    }

    /// The nearest decimal.
    pub(super) const fn to_decimal(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Decimal(decimal) => decimal,
        }
    }

    /// The whole number that it is, if it is one.
    pub(super) fn to_integer(self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(integer),
            // 2^63 itself is out of range; both bounds are exact as decimals.
            Self::Decimal(decimal) => (decimal.fract() == 0.0
                && (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&decimal))
            .then_some(decimal as i64),
        }
    }

    /// Which of two is greater, exactly: also where a decimal cannot hold the whole number.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => left.cmp(&right),
            // Finite ones always compare.
            (Self::Decimal(left), Self::Decimal(right)) => {
                left.partial_cmp(&right).unwrap_or(Ordering::Equal)
            }
            (Self::Integer(left), Self::Decimal(right)) => mixed(left, right),
            (Self::Decimal(left), Self::Integer(right)) => mixed(right, left).reverse(),
        }
    }

    /// What an operator makes of two.
    pub(super) fn apply(self, operator: Operator, other: Self) -> Result<Self, Failure> {
        let zero = other.to_decimal() == 0.0;
        match (operator, self, other) {
            (Operator::Divide | Operator::Remainder, ..) if zero => Err(Failure::Division),
            (Operator::Add, Self::Integer(left), Self::Integer(right)) => {
                whole(left.checked_add(right))
            }
            (Operator::Subtract, Self::Integer(left), Self::Integer(right)) => {
                whole(left.checked_sub(right))
            }
            (Operator::Multiply, Self::Integer(left), Self::Integer(right)) => {
                whole(left.checked_mul(right))
            }
            (Operator::Divide, Self::Integer(left), Self::Integer(right))
                if left.checked_rem(right) == Some(0) =>
            {
                whole(left.checked_div(right))
            }
            (Operator::Remainder, Self::Integer(left), Self::Integer(right)) => {
                let (left, right) = (i128::from(left), i128::from(right));
                let rest = left % right;
                let rest = if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest };
                whole(i64::try_from(rest).ok())
            }
            (operator, left, right) => {
                let (left, right) = (left.to_decimal(), right.to_decimal());
                Self::decimal(match operator {
                    Operator::Add => left + right,
                    Operator::Subtract => left - right,
                    Operator::Multiply => left * right,
                    Operator::Divide => left / right,
                    Operator::Remainder => {
                        let rest = left % right;
                        if rest != 0.0 && (rest < 0.0) != (right < 0.0) {
                            rest + right
                        } else {
                            rest
                        }
                    }
                })
            }
        }
    }

    /// The same with the other sign.
    pub(super) fn negative(self) -> Result<Self, Failure> {
        match self {
            Self::Integer(integer) => whole(integer.checked_neg()),
            Self::Decimal(decimal) => Ok(Self::Decimal(-decimal)),
        }
    }

    /// The same without its sign.
    pub(super) fn absolute(self) -> Result<Self, Failure> {
        match self {
            Self::Integer(integer) => whole(integer.checked_abs()),
            Self::Decimal(decimal) => Ok(Self::Decimal(decimal.abs())),
        }
    }

    /// Rounded to so many digits behind the point; halves go away from zero.
    pub(super) fn round(self, digits: u8) -> Result<Self, Failure> {
        let Self::Decimal(decimal) = self else { return Ok(self) };
        let scale = 10_f64.powi(i32::from(digits));
        let scaled = (decimal * scale).round();
        // What is too great to be scaled has no digits behind the point.
        let rounded = Self::Decimal(if scaled.is_finite() { scaled / scale } else { decimal });
        Ok(rounded.to_integer().map_or(rounded, Self::Integer))
    }

    /// The nearest whole number below (`floor`) or above.
    pub(super) fn to_whole(self, below: bool) -> Self {
        let Self::Decimal(decimal) = self else { return self };
        let whole = Self::Decimal(if below { decimal.floor() } else { decimal.ceil() });
        whole.to_integer().map_or(whole, Self::Integer)
    }
}

fn whole(integer: Option<i64>) -> Result<Number, Failure> {
    integer.map(Number::Integer).ok_or(Failure::Overflow)
}

fn mixed(integer: i64, decimal: f64) -> Ordering {
    match (integer as f64).partial_cmp(&decimal) {
        // Where they are the same as decimals, the decimal is whole and far within 128 bits.
        None | Some(Ordering::Equal) => i128::from(integer).cmp(&(decimal as i128)),
        Some(order) => order,
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => integer.fmt(formatter),
            // Zero with a sign is zero.
            Self::Decimal(decimal) => (decimal + 0.0).fmt(formatter),
        }
    }
}
