//! What the hub takes besides HTTP, and how that goes.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_collect::{ListenerReport, Snapshot};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Viewer;
use crate::error::{ApiError, blocking};
use crate::router::State;

/// All inputs.
#[derive(Serialize, ToSchema)]
pub(crate) struct InputsBody {
    inputs: Vec<InputBody>,
    /// The counters of all inputs together
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    sum: Snapshot,
    /// Messages of all inputs that named a host that their sender may not speak for
    hosts_not_allowed: u64,
}

/// One input.
#[derive(Serialize, ToSchema)]
struct InputBody {
    name: String,
    /// Where it listens: `transport`, `address`, `receive_buffer` in bytes, and the `problem` that
    /// keeps it from listening
    #[schema(value_type = Vec<serde_json::Value>)]
    listeners: Vec<ListenerReport>,
    /// Counted since the start: connections (now, ever, refused, broken), messages, bytes, what was
    /// cut, octet counts that lied, how long senders were held, what the kernel dropped
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    counters: Snapshot,
    /// Messages that named a host that their sender may not speak for
    hosts_not_allowed: u64,
}

/// List the inputs
#[utoipa::path(get, path = "/api/v1/inputs", tag = "hub",
    responses((status = 200, description = "Each configured input, where it listens and what it \
        counted since the start", body = InputsBody)))]
pub(crate) async fn list(
    _viewer: Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<InputsBody>, ApiError> {
    blocking(move || {
        let inputs: Vec<InputBody> = state
            .inputs
            .report()
            .into_iter()
            .map(|input| InputBody {
                hosts_not_allowed: state.pipeline.claimed_hosts(&input.name),
                name: input.name,
                listeners: input.listeners,
                counters: input.counters,
            })
            .collect();
        let plus = |sum: Snapshot, input: &InputBody| sum.plus(input.counters);
        Ok(Json(InputsBody {
            sum: inputs.iter().fold(Snapshot::default(), plus),
            hosts_not_allowed: inputs.iter().map(|input| input.hosts_not_allowed).sum(),
            inputs,
        }))
    })
    .await
}
