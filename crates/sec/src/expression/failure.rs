//! Why a part of an expression has no value.

/// Why a part of an expression has no value. The rest is worked out all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Failure {
    /// Arithmetic with text that is no number.
    #[error("cannot calculate with what is no number")]
    NoNumber,
    /// `/` or `%` with zero.
    #[error("cannot divide by zero")]
    Division,
    /// Whole numbers have 64 bits, decimals an end too.
    #[error("cannot hold a number that large")]
    Overflow,
    /// Texts are at most 1 MiB long.
    #[error("cannot make a text longer than 1 MiB")]
    TooLong,
    /// One evaluation looks at 32 MiB at most.
    #[error("cannot look at more than 32 MiB of text for one expression")]
    TooMuchWork,
    /// `json` of something else.
    #[error("cannot read the text as JSON")]
    NoJson,
}
