//! The commands, one file each.

pub(crate) mod agent;
pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod blackout;
pub(crate) mod correlate;
pub(crate) mod db;
pub(crate) mod exceptions;
pub(crate) mod heartbeat;
pub(crate) mod hosts;
pub(crate) mod hub;
pub(crate) mod import;
pub(crate) mod manual;
pub(crate) mod notify;
pub(crate) mod parse;
pub(crate) mod printed;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod telling;
pub(crate) mod tokens;
pub(crate) mod up;
pub(crate) mod users;
