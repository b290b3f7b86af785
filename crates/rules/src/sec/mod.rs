//! Rule files of SEC, the Simple Event Correlator (sec(1)), beside Sigma's: over the same events.
//!
//! [`Sets::load`] reads the files of each set, a [`Runner`] shows them events and lets time pass.
//! Alerts become findings; what else rules ask for comes out as [`Act`]s, where the set allows it.
//! Time is when the hub took an event, in whole seconds, and an argument: shown once more, the same
//! events give the same findings.

mod act;
mod alert;
mod hand;
mod line;
mod pack;
mod run;
mod set;

pub use act::{Act, Allow, Deed};
pub use pack::{PACKS, pack};
pub use run::{Back, Counts, Runner};
pub use set::{Purpose, SecRule, Set, Sets, Table};

/// The text of a rule file.
pub use bergfried_sec::SourceFile;
