//! The native API, described as OpenAPI 3.1 from the handlers themselves.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod backtest;
pub(crate) mod batches;
pub(crate) mod blackouts;
pub(crate) mod chains;
pub(crate) mod complete;
pub(crate) mod entities;
pub(crate) mod exceptions;
pub(crate) mod export;
pub(crate) mod facets;
pub(crate) mod health;
pub(crate) mod heartbeats;
pub(crate) mod hosts;
pub(crate) mod inputs;
pub(crate) mod install;
pub(crate) mod notify;
pub(crate) mod outputs;
pub(crate) mod overview;
pub(crate) mod query;
pub(crate) mod report;
pub(crate) mod rules;
pub(crate) mod search;
pub(crate) mod searches;
pub(crate) mod session;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod storage;
pub(crate) mod stream;
pub(crate) mod tail;
pub(crate) mod tokens;
pub(crate) mod turn;
pub(crate) mod users;

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
        query::query,
        query::explain,
        complete::complete,
        facets::fields,
        export::export,
        entities::entity,
        entities::story,
        searches::list,
        searches::create,
        searches::change,
        searches::delete,
        alerts::list,
        alerts::table::table,
        alerts::table::counts,
        alerts::bulk::act,
        alerts::show,
        heartbeats::list,
        heartbeats::send,
        heartbeats::delete,
        blackouts::list,
        blackouts::create,
        blackouts::preview,
        blackouts::delete,
        alerts::act::ack,
        alerts::act::unack,
        alerts::act::shelve,
        alerts::act::unshelve,
        alerts::act::open,
        alerts::act::close,
        alerts::act::assign,
        alerts::act::note,
        alerts::events::events,
        alerts::similar::similar,
        stream::stream,
        exceptions::list,
        exceptions::create,
        exceptions::try_out,
        exceptions::show,
        exceptions::delete,
        rules::list,
        rules::show,
        rules::stats,
        rules::sources,
        rules::reload,
        rules::coverage::coverage,
        rules::own::check,
        rules::own::save,
        rules::own::delete,
        rules::own::switch,
        backtest::run,
        chains::list,
        chains::reload,
        health::health,
        status::status,
        status::agents,
        hosts::list,
        hosts::show,
        hosts::delete,
        report::report,
        inputs::list,
        tokens::list,
        tokens::create,
        tokens::revoke,
        tokens::rotate,
        session::show,
        session::sign_in,
        session::sign_out,
        session::set_up,
        session::change_password,
        session::list,
        session::end,
        users::list,
        users::create,
        users::change,
        users::delete,
        audit::list,
        settings::show,
        notify::list,
        notify::test,
        notify::resend,
        notify::dead,
        notify::route,
        outputs::list,
        overview::overview,
        storage::show,
        storage::verify,
        storage::compact,
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
            for operation in
                [&mut path.get, &mut path.post, &mut path.put, &mut path.patch, &mut path.delete]
                    .into_iter()
                    .flatten()
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
