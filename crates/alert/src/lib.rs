//! Findings folded into alerts: one alert for each (environment, resource, event).
//!
//! Pure: the time comes in as an argument, and the same findings in the same order always give the
//! same alert. Text that an attacker can write (users, hosts, lines) is kept as it came, cut to a
//! length; whoever shows an alert neutralises it for the place where it is shown.

mod alert;
mod fold;
mod seen;

pub use alert::{
    Alert, Change, ChangeKind, MAX_EVENT_IDS, MAX_EXAMPLE, MAX_GROUP, MAX_HISTORY, MAX_NAME,
    MAX_TECHNIQUES, Status,
};
pub use fold::{Identity, Outcome, fold, identity};
pub use seen::{MAX_SEEN, Seen};
