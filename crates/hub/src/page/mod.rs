//! The console: files that `ui/` was built into, part of the program.
//!
//! They hold no data; the console asks the native API. In a debug build they are read from `ui/dist`
//! as they are then.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use rust_embed::{Embed, EmbeddedFile};

use crate::error::ApiError;

#[derive(Embed)]
#[folder = "../../ui/dist"]
#[allow_missing = true]
struct Built;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
const INDEX: &str = "index.html";
/// The names of these change with what is in them.
const HASHED: &str = "assets/";

/// `/`, as browsers ask for it.
pub(crate) async fn front() -> Response {
    Redirect::to("/ui/").into_response()
}

/// `/alerts/{id}`, which letters to people link to.
pub(crate) async fn alert(uri: Uri) -> Response {
    Redirect::to(&format!("/ui{}", uri.path())).into_response()
}

/// `/ui` and `/ui/`.
pub(crate) async fn index(headers: HeaderMap) -> Response {
    serve(INDEX, &headers)
}

/// A file of the console; what is none is a page of it, which the console itself finds.
pub(crate) async fn file(Path(path): Path<String>, headers: HeaderMap) -> Response {
    let is_file = path.starts_with(HASHED) || Built::get(&path).is_some();
    serve(if is_file { &path } else { INDEX }, &headers)
}

fn serve(path: &str, headers: &HeaderMap) -> Response {
    let Some(file) = Built::get(path) else {
        let message = if path == INDEX {
            "this program was built without the console: `make build` builds it"
        } else {
            "there is no such file of the console"
        };
        return ApiError::not_found(message).into_response();
    };
    let tag = tag(&file);
    let is_known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| *known == tag);
    let cache =
        if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common: [(HeaderName, HeaderValue); 7] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind(path))),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
        (header::ETAG, tag),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    if takes_gzip(headers)
        && let Some(small) = Built::get(&format!("{path}.gz"))
    {
        return ([(header::CONTENT_ENCODING, "gzip")], common, small.data.into_owned())
            .into_response();
    }
    (common, file.data.into_owned()).into_response()
}

/// What is in the file, as an entity tag.
fn tag(file: &EmbeddedFile) -> HeaderValue {
    let digits: String =
        file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::from_str(&format!("\"{digits}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or("").split(',').any(|one| {
        let (coding, quality) = one.split_once(';').unwrap_or((one, ""));
        coding.trim().eq_ignore_ascii_case("gzip") && quality.trim() != "q=0"
    })
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}
