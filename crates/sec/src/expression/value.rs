//! What expressions work with.

use std::borrow::Cow;

use super::number::Number;
use crate::text::Text;

/// What an expression gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'e> {
    /// Nothing: an unset variable, a key that is not in a table, a failed calculation.
    Undefined,
    /// True or false.
    Truth(bool),
    /// A number.
    Number(Number),
    /// Text.
    Bytes(Cow<'e, [u8]>),
}

impl<'e> Value<'e> {
    /// Whether it is true, as SEC has it: nothing, an empty text and `0` are false.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Undefined => false,
            Self::Truth(truth) => *truth,
            Self::Number(number) => number.to_decimal() != 0.0,
            Self::Bytes(bytes) => !matches!(&**bytes, b"" | b"0"),
        }
    }

    /// The number that it is or looks like.
    pub fn number(&self) -> Option<Number> {
        match self {
            Self::Undefined => None,
            Self::Truth(truth) => Some(Number::Integer(i64::from(*truth))),
            Self::Number(number) => Some(*number),
            Self::Bytes(bytes) => Number::read(bytes),
        }
    }

    /// Its text: of nothing none, of true `1`, of false `0`.
    pub fn into_bytes(self) -> Cow<'e, [u8]> {
        match self {
            Self::Undefined => Cow::Borrowed(b""),
            Self::Truth(true) => Cow::Borrowed(b"1"),
            Self::Truth(false) => Cow::Borrowed(b"0"),
            Self::Number(number) => Cow::Owned(number.to_string().into_bytes()),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// Its text, which is data wherever it goes.
    pub fn into_text(self) -> Text {
        Text::data(self.into_bytes())
    }
}

impl From<bool> for Value<'_> {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<i64> for Value<'_> {
    fn from(integer: i64) -> Self {
        Self::Number(Number::Integer(integer))
    }
}

impl From<Number> for Value<'_> {
    fn from(number: Number) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Cow::Owned(bytes))
    }
}
