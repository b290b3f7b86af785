//! Answers of Alerta's API: JSON whose keys are in the order of their names.

use std::collections::BTreeMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// `{"status":"ok"}` and these fields.
pub(crate) fn ok<const N: usize>(fields: [(&'static str, Value); N]) -> Response {
    with_status(StatusCode::OK, fields)
}

/// As [`ok`], with another code.
pub(crate) fn with_status<const N: usize>(
    code: StatusCode,
    fields: [(&'static str, Value); N],
) -> Response {
    let mut body = BTreeMap::from(fields);
    body.entry("status").or_insert_with(|| json!("ok"));
    (code, axum::Json(body)).into_response()
}

/// As [`ok`], with fields that are gathered one by one.
pub(crate) fn of_fields(fields: Vec<(&'static str, Value)>) -> Response {
    let mut body: BTreeMap<_, _> = fields.into_iter().collect();
    body.entry("status").or_insert_with(|| json!("ok"));
    axum::Json(body).into_response()
}

/// 201 with these fields, and where the new thing is.
pub(crate) fn created<const N: usize>(
    location: &str,
    fields: [(&'static str, Value); N],
) -> Response {
    let mut response = with_status(StatusCode::CREATED, fields);
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
