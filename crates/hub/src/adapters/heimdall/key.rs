//! Who may: extractors that let a handler run only for the bearer of the right key.
//!
//! Heimdall has one key for all, in the header `api-key`: `SIEM_API_KEY`, or a token of the kind
//! `heimdall`. Here an admin key may do all that it may, and the tokens of agents may send. What
//! removes needs an admin key, which may stand in Watchtower's `X-Admin-Api-Key` beside the
//! key of the client.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use bergfried_control::{TokenInfo, TokenKind};

use crate::adapters::detail::Detail;
use crate::adapters::watchtower::ADMIN_KEY;
use crate::error::blocking;
use crate::intake::Intake;
use crate::router::State;
use crate::running::now;

/// The header of the key.
pub(super) const API_KEY: &str = "api-key";

/// The kinds of tokens that are known here, the likeliest first.
const KNOWN: [TokenKind; 4] =
    [TokenKind::Heimdall, TokenKind::Agent, TokenKind::Admin, TokenKind::Hub];

/// The bearer of a key that may send: events, heartbeats, how a host is.
pub(super) struct Sender(pub(super) TokenInfo);

/// The bearer of Heimdall's key or of an admin key, who may read and set.
pub(super) struct Keyholder(pub(super) TokenInfo);

/// The bearer of an admin key.
pub(super) struct Administrator(pub(super) TokenInfo);

impl FromRequestParts<State> for Sender {
    type Rejection = Detail;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Detail> {
        bearer(state, &parts.headers).await.map(Sender)
    }
}

impl FromRequestParts<State> for Keyholder {
    type Rejection = Detail;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Detail> {
        let token = bearer(state, &parts.headers).await?;
        match token.kind {
            TokenKind::Heimdall | TokenKind::Admin => Ok(Keyholder(token)),
            _ => Err(Detail::forbidden("The token of an agent may send, and nothing else")),
        }
    }
}

impl FromRequestParts<State> for Administrator {
    type Rejection = Detail;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Detail> {
        let presented = presented(&parts.headers, &[ADMIN_KEY, API_KEY]);
        let token = known(state, presented).await?;
        match token.kind {
            TokenKind::Admin => Ok(Administrator(token)),
            _ => Err(Detail::forbidden("This needs an admin key")),
        }
    }
}

/// The body of a request of somebody who may send, within the limits of the token. Nothing of a
/// stranger's is kept.
pub(super) async fn sent(state: &State, request: Request) -> Result<Intake, Detail> {
    let (mut parts, body) = request.into_parts();
    let sender = Sender::from_request_parts(&mut parts, state).await;
    let request = Request::from_parts(parts, body);
    match sender {
        Ok(Sender(token)) => Ok(Intake::of(token, request, state).await?),
        Err(refused) => {
            Intake::forget(request).await;
            Err(refused)
        }
    }
}

/// Whose the key is in Heimdall's header.
async fn bearer(state: &State, headers: &HeaderMap) -> Result<TokenInfo, Detail> {
    known(state, presented(headers, &[API_KEY])).await
}

/// The key in the first of these headers that holds one.
fn presented<'h>(headers: &'h HeaderMap, names: &[&'static str]) -> Option<&'h HeaderValue> {
    names.iter().filter_map(|name| headers.get(*name)).find(|value| !value.is_empty())
}

/// Whose the key is that was presented.
async fn known(state: &State, presented: Option<&HeaderValue>) -> Result<TokenInfo, Detail> {
    let Some(presented) = presented else {
        return Err(Detail::unauthorized("Missing API key"));
    };
    // A key that is no text is a wrong one.
    let presented = presented.to_str().unwrap_or_default().to_owned();
    let control = state.control.clone();
    let found = blocking(move || {
        for kind in KNOWN {
            if let Some(token) = control.check_token(kind, &presented, now())? {
                return Ok(Some(token));
            }
        }
        Ok(None)
    });
    found.await?.ok_or_else(|| Detail::forbidden("Invalid API key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_header_that_holds_a_key_counts() {
        let headers = |pairs: &[(&'static str, &'static str)]| -> HeaderMap {
            let each = |(name, value): &(&'static str, &'static str)| {
                ((*name).parse().unwrap(), HeaderValue::from_static(value))
            };
            pairs.iter().map(each).collect()
        };
        for (pairs, expected, for_all) in [
            (&[][..], None, None),
            (&[("api-key", "a")], Some("a"), Some("a")),
            (&[("X-Admin-Api-Key", "b")], Some("b"), None),
            (&[("api-key", "a"), ("X-Admin-Api-Key", "b")], Some("b"), Some("a")),
            (&[("api-key", "a"), ("X-Admin-Api-Key", "")], Some("a"), Some("a")),
            (&[("api-key", ""), ("X-Admin-Api-Key", "b")], Some("b"), None),
        ] {
            let headers = headers(pairs);
            let found = |names: &[&'static str]| {
                presented(&headers, names).map(|value| value.to_str().unwrap().to_owned())
            };
            assert_eq!(found(&[ADMIN_KEY, API_KEY]).as_deref(), expected, "{pairs:?}");
            assert_eq!(found(&[API_KEY]).as_deref(), for_all, "{pairs:?}");
        }
    }
}
