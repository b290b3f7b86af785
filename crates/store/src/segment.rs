//! Segments: immutable Parquet files, each with an index file beside it.

pub(crate) mod bitmap;
pub(crate) mod build;
pub(crate) mod columns;
pub(crate) mod evaluate;
pub(crate) mod filter;
pub(crate) mod find;
pub(crate) mod index;
pub(crate) mod layout;
pub(crate) mod open;
pub(crate) mod original;
pub(crate) mod pages;
pub(crate) mod prune;
pub(crate) mod rows;
pub(crate) mod stretch;
pub(crate) mod words;
pub(crate) mod write;
