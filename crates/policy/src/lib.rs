//! Which hosts an event reaches for, and whether a site allows that.
//!
//! A destination is an address of a connection, a URL, or a host that a command line names in the way
//! of the program that it runs. Each is compared with the places that a site trusts and with its
//! policy; what comes of it are fields of the event, which rules ask for. Nothing here looks a name up,
//! keeps anything between events or fails: what is no host says nothing.

mod command;
mod event;
mod host;
mod place;
mod policy;
mod tool;
mod url;
mod word;

pub use event::{Judge, UNLISTED, VERDICT, VERDICT_REASON};
pub use host::Host;
pub use place::{Place, Places};
pub use policy::{Mode, Policy, Ports};

/// Shows every destination that a command line names to `found`: its host, and its port where it has
/// one. `executable` is the program that runs it, where that is known by more than the first word.
pub fn destinations(
    words: &[&str],
    executable: Option<&str>,
    found: &mut dyn FnMut(Host, Option<u16>),
) {
    command::command(words, executable, found);
}

/// As [`destinations`], of a command line that is one text.
pub fn destinations_of_text(text: &str, found: &mut dyn FnMut(Host, Option<u16>)) {
    command::text(text, found);
}
