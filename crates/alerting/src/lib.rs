//! The one writer of alerts: what is said of them, what people do with them and what time does to
//! them happens here, one after the other, durable before it is answered.
//!
//! [`Alerting`] is the handle that everybody works with. All alerts, heartbeats and blackouts are in
//! memory as the [`Book`], which anybody may read; one thread changes it, after the change is
//! durable in the control store. How an alert changes is not decided here but in `bergfried-alert`.

mod alerting;
mod beats;
mod book;
mod change;
mod command;
mod crowds;
mod draft;
mod error;
mod exceptions;
mod follow;
mod letters;
mod load;
mod numbered;
mod queue;
mod raised;
mod receive;
mod schedule;
mod tell;
mod time;
mod writer;

pub use alerting::{Alerting, Clock, Parts, clock};
pub use book::{Book, MIN_PREFIX};
pub use command::{Change, Changed, Housekept, Receipt};
pub use error::{ChangeError, Failed, StartError};
pub use follow::{Followed, Happened, News};
pub use letters::Letters;
pub use tell::{Before, Cause, Silent, Teller, Told};
