//! Where events are sent on, and how far each output has come.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_output::OutputReport;

use crate::auth::Viewer;
use crate::router::State;

/// List the outputs
#[utoipa::path(get, path = "/api/v1/outputs", tag = "hub",
    responses((status = 200, description = "Each output with its counters: what was sent, how far it \
        is behind, since when it fails and why", body = Vec<serde_json::Value>)))]
pub(crate) async fn list(_viewer: Viewer, Shared(state): Shared<State>) -> Json<Vec<OutputReport>> {
    Json(state.outputs.report())
}
