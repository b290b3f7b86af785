//! Protocols of other products, one folder each: they translate into and out of the native model,
//! and never shape it.

pub(crate) mod alerta;
mod detail;
pub(crate) mod elastic;
pub(crate) mod falco;
pub(crate) mod heimdall;
pub(crate) mod otlp;
mod query;
pub(crate) mod raw;
pub(crate) mod watchtower;
