//! Chains of steps that read more out of an event, or change it.
//!
//! [`ChainFile`] is what a person writes, [`Chains`] what runs: after the built-in parsers, before
//! the rules. An event never becomes larger than its bounds, a pattern never runs longer than its
//! limit, and no step can change what the hub knows of the way on which a record came.
//!
//! Nothing here does I/O or reads a clock; files and clocks come in as arguments.

mod chains;
mod compile;
mod config;
mod diagnostic;
mod joda;
mod meter;
mod name;
mod options;
pub mod readers;
mod report;
mod scene;
mod steps;
mod template;
mod texts;
mod trace;

pub use chains::{Chains, Verdict};
pub use compile::Files;
pub use config::{ChainFile, StepFile};
pub use diagnostic::{Diagnostic, Part};
pub use meter::{Counts, Meter};
pub use report::{ChainCounts, PatternCounts, StepCounts};
pub use steps::cef::CefFile;
pub use steps::cidr::CidrFile;
pub use steps::csv::CsvFile;
pub use steps::date::DateFile;
pub use steps::dissect::DissectFile;
pub use steps::drop::DropFile;
pub use steps::geoip::GeoipFile;
pub use steps::grok::{FieldNames, GrokFile};
pub use steps::json::JsonFile;
pub use steps::kv::{Blanks, KvFile, Letters};
pub use steps::logfmt::LogfmtFile;
pub use steps::lookup::{LookupFile, Match};
pub use steps::mutate::MutateFile;
pub use steps::parse::{Form, ParseFile};
pub use steps::{KINDS, Kind};
pub use template::Template;
pub use texts::Texts;
pub use trace::{Change, PatternResult, PatternTrace, StepResult, StepTrace, Trace};
