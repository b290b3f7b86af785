//! The commands, one file each.

pub(crate) mod agent;
pub(crate) mod alerts;
pub(crate) mod hub;
pub(crate) mod import;
pub(crate) mod manual;
pub(crate) mod notify;
pub(crate) mod parse;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod tokens;
pub(crate) mod up;
