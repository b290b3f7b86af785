//! Where people are told of alerts: Slack and generic JSON webhooks.
//!
//! Rendering a message and deciding when to try again are pure; only [`Client`] touches the network.
//! The queue lives in the control store and the loop that empties it in the pipeline: nothing here
//! waits, keeps state or starts a thread. Text from logs is neutralised on its way into a message
//! (see [`neutral`]). To add a kind of channel: one file that renders, one line in [`Kind`].

mod channel;
mod destination;
mod login;
pub mod neutral;
#[cfg(test)]
mod sample;
mod schedule;
mod send;
mod slack;
mod webhook;

pub use channel::{Channel, ChannelError, Kind, Payload};
pub use destination::Destination;
pub use schedule::{GIVE_UP_AFTER, MAX_ATTEMPTS, MAX_BACKOFF, Step, backoff, next_step};
pub use send::{Client, SendError};
