//! Grok: patterns by name that read a line of text into fields.
//!
//! [`Patterns`] are definitions by name: the standard set of Logstash, and a user's own. A [`Grok`]
//! is one expression made of them, compiled; [`Grok::captures`] reads a text with it. The syntax is
//! that of Logstash's grok filter on top of Oniguruma's regular expressions as Ruby configures them:
//! `.` also matches line ends, `^` and `$` are those of lines, `\d`, `\w`, `\s` and `\h` know ASCII
//! alone, `\b` and bracket classes such as `[:alpha:]` know Unicode.
//!
//! Expressions run on an engine of their own that backtracks as Oniguruma does, so what matches and
//! what is captured is the same, with lookaround, atomic groups and all. It remembers where it
//! failed as soon as a text costs more than most do, so that time stays linear; only expressions
//! with backreferences cannot be remembered, and a limit on steps ends those.
//!
//! Nothing here does I/O or reads a clock.

mod engine;
mod error;
mod grok;
mod number;
mod patterns;
mod standard;
mod syntax;

pub use error::{GrokError, Place};
pub use grok::{Captures, Engine, FieldKind, Grok, GrokField, Options, Outcome};
pub use number::{float, integer};
pub use patterns::Patterns;
pub use standard::Names;
