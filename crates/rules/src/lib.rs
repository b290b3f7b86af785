//! Sigma rules over events.
//!
//! [`RuleSet::load`] turns rule files into rules that cannot be wrong and says what was wrong with
//! the others; [`Engine`] shows events to them and states findings. Nothing here does I/O or reads a
//! clock: time is the time of the events, so a file replayed gives the findings that living through
//! it gave.

mod builtin;
mod class;
mod diagnostic;
mod engine;
mod fields;
mod inspect;
mod logsource;
mod rule;
mod set;
mod sigma;

pub use bergfried_matcher::Cost;
pub use builtin::builtin;
pub use class::Class;
pub use diagnostic::{Diagnostic, DiagnosticSeverity, Source};
pub use engine::{Engine, Limits, Replaced, SnapshotError, Trained, Training};
pub use fields::Fields;
pub use inspect::SeenSources;
pub use logsource::LogSources;
pub use rule::{Rule, RuleKind};
pub use set::{Options, RuleSet};
pub use sigma::Pipeline;
