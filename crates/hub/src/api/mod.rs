//! The native API, described as OpenAPI 3.1 from the handlers themselves.

pub(crate) mod alerts;
pub(crate) mod batches;
pub(crate) mod chains;
pub(crate) mod health;
pub(crate) mod inputs;
pub(crate) mod notify;
pub(crate) mod outputs;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod status;
pub(crate) mod tail;
pub(crate) mod tokens;

use axum::Json;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bergfried",
        description = "The native API of a Bergfried hub. Times are RFC 3339 in UTC. Every error \
                       is `{\"error\": \"…\"}` with a message that says what was expected.",
    ),
    paths(
        batches::receive,
        crate::adapters::raw::receive,
        search::search,
        search::histogram,
        search::top,
        tail::tail,
        alerts::list,
        alerts::show,
        alerts::close,
        rules::list,
        rules::show,
        rules::stats,
        rules::sources,
        rules::reload,
        chains::list,
        chains::reload,
        health::health,
        status::status,
        status::agents,
        inputs::list,
        tokens::list,
        tokens::create,
        tokens::revoke,
        notify::list,
        notify::test,
        notify::resend,
        outputs::list,
        serve_openapi,
    ),
    modifiers(&Security),
    security(("key" = [])),
)]
struct Api;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut Document) {
        let scheme = SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some("An admin key, or for batches an agent token"))
                .build(),
        );
        document.components.get_or_insert_default().add_security_scheme("key", scheme);
        for path in document.paths.paths.values_mut() {
            for operation in [&mut path.get, &mut path.post, &mut path.delete].into_iter().flatten()
            {
                // Only what says so itself needs no key.
                if operation.security.is_none() {
                    let refused = ResponseBuilder::new().description("No key, or a wrong one");
                    let responses = &mut operation.responses.responses;
                    responses.entry("401".to_owned()).or_insert_with(|| refused.build().into());
                }
            }
        }
    }
}

/// The description of the native API.
pub fn openapi() -> Document {
    Api::openapi()
}

/// This description, as OpenAPI 3.1
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "hub", security(()),
    responses((status = 200, description = "The OpenAPI document", body = serde_json::Value)))]
pub(crate) async fn serve_openapi() -> Json<Document> {
    Json(openapi())
}
