//! People are told: what happens to alerts becomes letters in the control store, and a thread for
//! each channel delivers them.
//!
//! A [`Teller`] works out what is to be told, for whoever writes the change to write it in the same
//! transaction. [`Deliveries`] are the threads: a channel that is slow or dead delays no other, and
//! nothing waits for one of them. A letter is forgotten after it was delivered, so one that was under
//! way when the program died is sent again.

mod compose;
mod report;
mod teller;
#[cfg(test)]
mod tests;
mod worker;

pub use report::Day;
pub use teller::{By, Library, Stood, Teller};
pub use worker::{Counts, Deliveries, Post, Prepared};
