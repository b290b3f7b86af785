//! Whether everything is as it should be, and if not, what.

use axum::Json;
use axum::extract::State as Shared;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::rules::ReloadBody;
use crate::api::{chains, notify};
use crate::auth::Viewer;
use crate::router::State;

/// Whether everything is as it should be.
#[derive(Serialize, ToSchema)]
pub(crate) struct HealthBody {
    /// `ok`, or `degraded` where something wants a person's attention
    status: &'static str,
    /// What, each in one sentence
    problems: Vec<String>,
    /// The last change of the rules, where it was not taken
    failed_reload: Option<ReloadBody>,
}

/// Whether everything is as it should be
#[utoipa::path(get, path = "/api/v1/health", tag = "hub",
    responses((status = 200, description = "The state, and what is wrong", body = HealthBody)))]
pub(crate) async fn health(_viewer: Viewer, Shared(state): Shared<State>) -> Json<HealthBody> {
    let problems = problems(&state);
    Json(HealthBody {
        status: if problems.is_empty() { "ok" } else { "degraded" },
        problems,
        failed_reload: state.rules.now().failed.as_ref().map(ReloadBody::kept),
    })
}

/// What wants a person's attention, each in one sentence.
pub(crate) fn problems(state: &State) -> Vec<String> {
    let now = state.rules.now();
    let mut problems = Vec::new();
    if let Some(failure) = &now.failed {
        let at = failure.at;
        problems.push(format!(
            "the change of the rules at {at} was not taken, those of before run: {}",
            failure.reason
        ));
    }
    let broken = now.diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).count();
    if broken > 0 {
        problems.push(format!("rule files have {broken} mistakes, what is wrong does not run"));
    }
    problems.extend(state.inputs.problems());
    problems.extend(chains::problems(state));
    problems.extend(state.tls.as_ref().and_then(|tls| tls.problem()));
    problems.extend(state.outputs.problems());
    problems.extend(notify::problems(state));
    problems
}
