//! Sigma rules over events, and SEC's rule files beside them.
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
mod lists;
mod logsource;
mod rule;
pub mod sec;
mod set;
mod shape;
mod sigma;
mod tactics;

pub use bergfried_matcher::Cost;
pub use bergfried_policy::Mode;
pub use builtin::builtin;
pub use class::Class;
pub use diagnostic::{Diagnostic, DiagnosticSeverity, Source};
pub use engine::{
    Engine, FIRST_SEEN, LEARNT, Limits, Pairs, Replaced, SnapshotError, Trained, Training,
};
pub use fields::Fields;
pub use inspect::SeenSources;
pub use lists::{List, Lists, NetworkPolicy, Origin};
pub use logsource::LogSources;
pub use rule::{Rule, RuleKind};
pub use set::{Options, RuleSet};
pub use sigma::Pipeline;
pub use tactics::{TACTICS, Tactic, tactics_of};
