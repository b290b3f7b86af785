//! Where people are told of alerts: Slack, mail, Telegram, webhooks, programs.
//!
//! A [`Message`] is what there is to tell, a [`Channel`] where; a [`Notice`] is all that a message
//! knows of an alert, and no channel sees the alert itself.
//!
//! Rendering a message and deciding when to try again are pure; only [`Client`] touches the network
//! and starts programs.
//! The queue lives in the control store and the loop that empties it in the pipeline: nothing here
//! keeps state or is done in the background. Text from logs is neutralised on its way into a message
//! (see [`neutral`]). To add a kind of channel: one file that checks
//! its keys, renders and sends, and one line in [`Kind`].

#[cfg(test)]
mod bots;
mod channel;
mod destination;
mod document;
mod email;
mod example;
mod exec;
mod file;
mod login;
mod message;
pub mod neutral;
mod notice;
mod outline;
pub mod routing;
#[cfg(test)]
mod sample;
mod schedule;
mod secret;
mod send;
mod slack;
#[cfg(test)]
mod stub;
mod telegram;
mod template;
mod thresholds;
mod webhook;

pub use channel::{Channel, ChannelError, Kind};
pub use message::{AgentSeen, Digest, Group, HubState, Memory, Message, Report, Stored, Test};
pub use notice::{Change, Notice};
pub use schedule::{GIVE_UP_AFTER, MAX_ATTEMPTS, MAX_BACKOFF, Step, backoff, next_step};
pub use send::{Client, SendError};
pub use thresholds::Thresholds;
