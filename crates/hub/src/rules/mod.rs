//! The rules that run: read from files, changed as one while the hub runs.

mod files;
mod live;
mod own;
mod sec;
mod watch;

pub use files::{RuleFileError, RuleFiles, RuleTexts, TableError, read_rules};
pub(crate) use live::{Failure, LiveRules, Outcome};

pub(crate) use own::{keep_rules_off, rules_off, write};
pub use sec::{SecFiles, read_sec};
pub(crate) use watch::start as watch_rules;
