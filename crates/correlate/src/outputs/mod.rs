//! Where rules write to: files, FIFOs, standard output, sockets.
//!
//! Nothing waits for a reader: what cannot be written now waits in a bounded buffer, and what does not
//! fit there is dropped and counted. Only a run that ends with its input (`--notail`) waits for the
//! reader of its standard output, as the reader of a file it is no different from.

mod all;
mod files;
mod sockets;
mod stdout;

pub use all::Outputs;
pub(crate) use files::Files;
pub(crate) use sockets::Sockets;
pub(crate) use stdout::Stdout;

/// What waits for one reader at most, in bytes.
const WAITING: usize = 4 << 20;

/// What became of all that was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Written or sent.
    pub(crate) written: u64,
    /// Dropped: nobody reads, or not quickly enough, or it failed.
    pub(crate) dropped: u64,
}
