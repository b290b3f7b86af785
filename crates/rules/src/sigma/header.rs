//! What a document says about itself.

use bergfried_event::Severity;
use rsigma_ir::IrRuleMetadata;
use rsigma_parser::Level;

/// Title, id and the like of any Sigma document.
pub(crate) struct Header {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) title: String,
    pub(crate) level: Severity,
    pub(crate) description: String,
    pub(crate) author: String,
    pub(crate) references: Vec<String>,
    pub(crate) falsepositives: Vec<String>,
    pub(crate) tags: Vec<String>,
}

impl Header {
    pub(crate) fn of(metadata: &IrRuleMetadata) -> Header {
        let id = metadata.id.clone().or_else(|| metadata.name.clone());
        Header {
            id: id.unwrap_or_else(|| metadata.title.clone()),
            name: metadata.name.clone(),
            title: metadata.title.clone(),
            level: metadata.level.map_or(Severity::Medium, severity),
            description: metadata.description.clone().unwrap_or_default(),
            author: metadata.author.clone().unwrap_or_default(),
            references: metadata.references.clone(),
            falsepositives: metadata.falsepositives.clone(),
            tags: metadata.tags.clone(),
        }
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::Informational => Severity::Informational,
        Level::Low => Severity::Low,
        Level::Medium => Severity::Medium,
        Level::High => Severity::High,
        Level::Critical => Severity::Critical,
    }
}
