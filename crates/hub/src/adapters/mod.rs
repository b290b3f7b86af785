//! Protocols of other products, one folder each: they translate into and out of the native model,
//! and never shape it.

pub(crate) mod elastic;
pub(crate) mod otlp;
pub(crate) mod raw;
pub(crate) mod watchtower;
