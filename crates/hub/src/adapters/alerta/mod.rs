//! Alerta's API, for its command-line client, its SDK, its web console and whatever else speaks it.

mod accounts;
mod alerts;
mod blackouts;
mod bulk;
mod caller;
mod config;
mod cors;
mod counts;
mod customers;
mod document;
mod error;
mod find;
mod groups;
mod heartbeats;
mod keys;
mod lists;
mod login;
mod management;
mod markup;
mod notes;
mod oembed;
mod passwords;
mod permissions;
mod policy;
mod rate;
mod reply;
mod request;
mod resource;
mod scopes;
mod settings;
mod shadow;
mod switchboard;
mod token;
mod users;
mod views;
mod webhooks;
mod wire;

use axum::Router;
use axum::extract::Extension;
use axum::middleware::from_fn;
use axum::routing::get;
use tower_http::compression::CompressionLayer;

use crate::router::State;
pub(crate) use accounts::{Accounts, CustomerMatch, Directory, Draft, User};
pub(crate) use bulk::Tasks;
pub(crate) use caller::{Gate, Rights, peer};
pub(crate) use counts::Counts;
pub(crate) use error::{Refusal, no_such_path};
pub(crate) use find::SCANS;
pub(crate) use management::front;
pub(crate) use passwords::{Passwords, hash_now};
pub(crate) use rate::Rate;
pub(crate) use request::Base;
use request::Prefix;
pub(crate) use scopes::role_of;
pub(crate) use settings::Auth;
pub use settings::{AlertaSettings, SettingsError};
pub(crate) use switchboard::Switches;
pub(crate) use token::Signer;
pub(crate) use users::{keep as keep_user, take_out};
pub(crate) use wire::new_id;

/// Every route, as it stands below the prefix.
fn routes() -> Router<State> {
    Router::new()
        .merge(alerts::routes())
        .merge(bulk::routes())
        .merge(heartbeats::routes())
        .merge(blackouts::routes())
        .merge(config::routes())
        .merge(customers::routes())
        .merge(groups::routes())
        .merge(keys::routes())
        .merge(login::routes())
        .merge(management::routes())
        .merge(notes::routes())
        .merge(oembed::routes())
        .merge(permissions::routes())
        .merge(switchboard::routes())
        .merge(users::routes())
        .merge(views::routes())
        .merge(webhooks::routes())
}

/// Says in the words of this API that there is nothing at any other path: it stands at the root.
pub(crate) fn ending(hub: Router<State>) -> Router<State> {
    hub.fallback(no_such_path)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(from_fn(error::named))
}

/// The API below a prefix such as `/api`; below none, `/` and what is at no path are the hub's.
pub(crate) fn under(prefix: &str, settings: &AlertaSettings) -> Router<State> {
    let is_root = prefix.is_empty();
    let routes = match is_root {
        true => routes(),
        false => routes().route("/", get(management::front)).fallback(no_such_path),
    };
    let layered = |routes: Router<State>| {
        routes
            .method_not_allowed_fallback(error::no_such_method)
            .layer(from_fn(error::named))
            .layer(Extension(Prefix(prefix.into())))
            .layer(CompressionLayer::new())
            .layer(cors::layer(&settings.cors_origins))
    };
    match is_root {
        true => layered(routes),
        // With a slash at its end too.
        false => {
            let front = Router::new().route(&format!("{prefix}/"), get(management::front));
            Router::new().nest(prefix, layered(routes)).merge(layered(front))
        }
    }
}
