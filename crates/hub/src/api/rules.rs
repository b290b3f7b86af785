//! The rules that run.

use axum::Json;
use axum::extract::State as Shared;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Admin;
use crate::error::ApiError;
use crate::router::State;

/// A rule that runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleBody {
    /// Its id, a UUID in Sigma
    id: String,
    title: String,
    /// informational, low, medium, high or critical
    level: String,
    description: String,
    tags: Vec<String>,
    /// MITRE ATT&CK technique ids
    techniques: Vec<String>,
    false_positives: Vec<String>,
    /// The file and line where it is written
    file: String,
    line: usize,
}

/// List the rules that run
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules",
    responses((status = 200, description = "The rules in the order of their files", body = Vec<RuleBody>)))]
pub(crate) async fn list(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<RuleBody>>, ApiError> {
    let rules = state.rules.rules().iter().map(|rule| RuleBody {
        id: rule.id().to_owned(),
        title: rule.title().to_owned(),
        level: rule.level().to_string(),
        description: rule.description().to_owned(),
        tags: rule.tags().to_vec(),
        techniques: rule.techniques().to_vec(),
        false_positives: rule.falsepositives().to_vec(),
        file: rule.file().to_owned(),
        line: rule.line(),
    });
    Ok(Json(rules.collect()))
}
