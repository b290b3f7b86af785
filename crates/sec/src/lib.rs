//! Rule files of the Simple Event Correlator (SEC, sec(1)), read, checked and run.
//!
//! [`RuleFile::read`] turns a file into rules that cannot be wrong and says what was wrong with the
//! others; an [`Engine`] shows lines to them. Nothing here does I/O or reads a clock: time comes in
//! as whole seconds, what rules do goes out through a [`Port`], so that a file replayed does what
//! living through it did.

mod action;
mod calendar;
pub mod check;
mod context;
mod diagnostic;
mod engine;
pub mod expression;
mod needs;
mod pattern;
pub mod port;
mod read;
mod rule;
pub mod shell;
mod template;
pub mod text;
mod variables;

pub use diagnostic::{Diagnostic, Severity};
pub use engine::{
    ContextDump, Dump, Engine, Fields, FileDump, Limits, OperationDump, Options, RuleDump,
    Snapshot, Source, Statistics,
};
pub use needs::Needs;
pub use port::Port;
pub use read::{LoadOptions, PerlCompiler, SourceFile};
pub use rule::{Rule, RuleFile, RuleSet};
pub use text::Text;
