//! `GET /oembed`: the counts of a list, as a piece of HTML for other pages (oEmbed 1.0), and the script
//! `/embed.js` that puts it there.

use std::fmt::Write as _;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use bergfried_alert::query;
use serde_json::json;

use super::caller::Caller;
use super::error::Refusal;
use super::find;
use super::request::{Base, Parameters};
use crate::router::State;

/// How large the piece is, where the request does not limit it, in pixels.
const SIZE: (u32, u32) = (480, 640);
/// The longest title, in characters.
const MAX_TITLE: usize = 200;

pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/oembed", get(oembed))
        .route("/oembed.json", get(oembed))
        .route("/oembed.xml", get(no_such_format))
        .route("/embed.js", get(embed))
}

/// The script that other pages name to show the piece; it says what to write beside it.
async fn embed() -> ([(HeaderName, &'static str); 1], &'static str) {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("embed.js"))
}

async fn no_such_format() -> Refusal {
    Refusal::new(StatusCode::NOT_IMPLEMENTED, "the only format is json")
}

async fn oembed(
    caller: Caller,
    base: Base,
    Shared(state): Shared<State>,
    parameters: Parameters,
) -> Result<Response, Refusal> {
    caller.require("read:oembed")?;
    if parameters.last("format").is_some_and(|format| format != "json") {
        return Err(no_such_format().await);
    }
    let url = parameters.last("url").ok_or_else(|| Refusal::field("url", "an address"))?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    if !path.ends_with("/alerts/count") {
        return Err(Refusal::not_found());
    }
    let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
    let asked = Parameters(pairs.filter(|(name, _)| name != "api-key").collect());
    let listing = find::listing(&state, &caller, &asked).await?;
    let counts = find::over(&state, listing, |state, alerts, listing| {
        Ok(query::counts(alerts, &listing.filter, &state.alerting.settings().model))
    })
    .await?;
    let title: String =
        parameters.last("title").unwrap_or("Alerts").chars().take(MAX_TITLE).collect();
    let mut html = format!("<p><b>{}</b>: {}</p><ul>", escaped(&title), counts.total);
    for (severity, count) in counts.severity.iter().filter(|(_, count)| **count > 0) {
        // Writing to a string cannot fail.
        let _infallible = write!(html, "<li>{}: {count}</li>", escaped(severity));
    }
    html.push_str("</ul>");
    let limited = |name: &str, size: u32| {
        parameters.last(name).and_then(|text| text.parse().ok()).unwrap_or(size).min(size)
    };
    let answer = json!({
        "height": limited("maxheight", SIZE.1),
        "html": html,
        "provider_name": "Bergfried",
        "provider_url": base.href(""),
        "title": title,
        "type": "rich",
        "version": "1.0",
        "width": limited("maxwidth", SIZE.0),
    });
    Ok(axum::Json(answer).into_response())
}

/// Text that HTML takes for nothing else.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_text() {
        assert_eq!(escaped("<a href='x'>\"&\n"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp; ");
    }
}
