//! How the alert of a finding is to look, where its rule says so.

use serde::{Deserialize, Serialize};

/// What a rule says about the alert of its findings; what it leaves out is as for any rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertShape {
    /// What the alert is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What happened there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Where it belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// How bad it is, in a word for the severity of alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// What suffers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<String>,
    /// What kind of thing it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Events that are the same matter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub correlate: Vec<String>,
    /// The measured value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// One sentence for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Tags beside those of any finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Attributes beside those of any finding, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<(String, String)>,
    /// Seconds after which the alert expires; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<u32>,
}
