//! Whether the hub is up, for whoever asks: `GET /` and `GET /health`.

use axum::Json;
use serde_json::{Value, json};

use super::time::Shown;
use crate::running::now;

/// The version of the protocol that is spoken.
const VERSION: &str = "2.0.0";

/// `GET /`, for all but browsers and the clients of other products.
pub(crate) async fn front() -> Json<Value> {
    Json(json!({
        "status": "healthy",
        "message": "Bergfried is running and speaks Heimdall's protocol",
        "version": VERSION,
    }))
}

/// `GET /health`
pub(super) async fn health() -> Json<Value> {
    Json(json!({"status": "healthy", "timestamp": Shown(now()), "api_version": VERSION}))
}
