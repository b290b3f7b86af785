//! Chains as a person writes them, in TOML.
//!
//! Nothing is judged here but the shape; [`crate::Chains::compile`] says what is wrong with what the
//! keys hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::steps::cef::CefFile;
use crate::steps::cidr::CidrFile;
use crate::steps::csv::CsvFile;
use crate::steps::date::DateFile;
use crate::steps::dissect::DissectFile;
use crate::steps::drop::DropFile;
use crate::steps::geoip::GeoipFile;
use crate::steps::grok::GrokFile;
use crate::steps::json::JsonFile;
use crate::steps::kv::KvFile;
use crate::steps::logfmt::LogfmtFile;
use crate::steps::lookup::LookupFile;
use crate::steps::mutate::MutateFile;
use crate::steps::parse::ParseFile;
use crate::texts::Texts;

/// A chain of steps, run over every event that its condition holds for (`[[chain]]`).
///
/// Chains run in the order of the file, after the built-in parsers and before the rules.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChainFile {
    /// Its name, unique among the chains.
    pub name: String,
    /// The condition in the search language; absent: every event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The steps in their order (`[[chain.step]]`).
    #[serde(default, rename = "step", skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepFile>,
}

/// One step of a chain: at most one action, and what is done to the event where it succeeded.
///
/// A step without an action only has options, which are done wherever its condition holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepFile {
    /// The condition in the search language; absent: every event that comes to the step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Words added to `tags` where the action failed; absent: those of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag_on_failure: Option<Texts>,
    /// Fields added where the action succeeded; `%{field}` in their texts is replaced. A field that
    /// is there already becomes a list.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub add_field: BTreeMap<String, Texts>,
    /// Words added to `tags` where the action succeeded.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub add_tag: Texts,
    /// Fields removed where the action succeeded.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub remove_field: Texts,
    /// Words removed from `tags` where the action succeeded.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub remove_tag: Texts,
    /// Reads fields by patterns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grok: Option<GrokFile>,
    /// Reads fields by the text between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dissect: Option<DissectFile>,
    /// Reads pairs such as `a=1 b="2 3"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kv: Option<KvFile>,
    /// Reads columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csv: Option<CsvFile>,
    /// Reads the Common Event Format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cef: Option<CefFile>,
    /// Reads logfmt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logfmt: Option<LogfmtFile>,
    /// Reads a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<JsonFile>,
    /// Lets the built-in parsers read a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parse: Option<ParseFile>,
    /// Reads the time of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<DateFile>,
    /// Changes fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutate: Option<MutateFile>,
    /// Looks addresses up in MaxMind databases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geoip: Option<GeoipFile>,
    /// Compares addresses with networks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cidr: Option<CidrFile>,
    /// Adds fields from a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<LookupFile>,
    /// Lets the event go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drop: Option<DropFile>,
    /// Steps done where the condition holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<StepFile>,
    /// Steps done where the condition does not hold.
    #[serde(default, rename = "else", skip_serializing_if = "Vec::is_empty")]
    pub otherwise: Vec<StepFile>,
}

/// The field that steps read where they are not told another.
pub(crate) fn message() -> String {
    "message".to_owned()
}

pub(crate) fn is_message(field: &str) -> bool {
    field == "message"
}
