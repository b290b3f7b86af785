//! Takes records from networks and local sockets and hands them to the pipeline.
//!
//! A [`Collector`] stands between connections and the pipeline: it gathers what many of them bring
//! into batches, keeps several batches under way, and lets whoever brings more than there is room
//! for wait. Nothing is dropped for lack of room. What the records say is read by the pipeline,
//! never here.

mod addresses;
mod chunk;
mod collector;
mod config;
mod counters;
mod datagrams;
mod gathered;
mod handshake;
mod inputs;
mod intake;
mod kernel;
mod listener;
mod relp;
mod room;
mod senders;
mod shipping;
mod stream;
mod tcp;
mod unix;

pub use chunk::Chunk;
pub use collector::{Collector, Lane, Shipping, Stopping, Ticket};
pub use config::{Input, InputError, InputFile, Kind, OneOrMore, SenderFile, Transport};
pub use counters::{Counters, Snapshot};
pub use inputs::{InputReport, Inputs, InputsError, InputsView};
pub use listener::ListenerReport;
pub use relp::Memory as RelpMemory;
pub use shipping::Sink;
