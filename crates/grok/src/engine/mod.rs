//! The engine: expressions as instructions, and the machine that follows them.
//!
//! It tries ways in the order in which Oniguruma does and goes back to the last choice where one
//! fails. Two things keep it fast: for each choice it is known which bytes can come next in each way,
//! so most choices are none; and runs of one set of characters are taken at once. One thing keeps it
//! linear: see [`memo`].

mod compile;
mod first;
mod machine;
mod memo;
mod program;
mod required;

pub(crate) use machine::{Machine, Scratch, Stop};
pub(crate) use program::Program;
