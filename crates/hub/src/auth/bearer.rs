//! Secrets that a request presents, and the tokens that they are.
//!
//! A secret is presented in any of the forms that senders know: `Authorization: Bearer` (RFC 6750,
//! section 2.1), `ApiKey` as clients of Elasticsearch send it (base64 of `id:key`, or the bare key),
//! `Basic` (RFC 7617) with the secret as password whoever the user is, and `X-API-Key`. None of
//! them says more than the secret: a user or key id beside it is not looked at.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bergfried_control::{TokenInfo, TokenKind};

use crate::error::{ApiError, blocking};
use crate::router::State;

/// The live token of one of these kinds that the request presents.
///
/// # Errors
/// 401 where it presents none, or none that is live.
pub(super) async fn bearer(
    state: &State,
    kinds: &[TokenKind],
    headers: &HeaderMap,
    expected: &str,
) -> Result<TokenInfo, ApiError> {
    let presented = presented(headers);
    let is_admin = kinds.contains(&TokenKind::Admin);
    if presented.is_empty() {
        let what = if is_admin { "key" } else { "token" };
        return Err(ApiError::unauthorized(format!("no {what}: send {expected}")));
    }
    for secret in presented {
        for kind in kinds {
            if let Some(token) = check(state, *kind, secret.clone()).await? {
                return Ok(token);
            }
        }
    }
    Err(ApiError::unauthorized(if is_admin {
        "wrong key: this needs an admin key"
    } else {
        "wrong token: this needs an agent token"
    }))
}

/// The secrets that these headers may mean, the likeliest first; at most two.
pub(crate) fn presented(headers: &HeaderMap) -> Vec<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = text(header::AUTHORIZATION).and_then(|value| value.trim().split_once(' '));
    let secrets = match authorization {
        Some((scheme, secret)) if scheme.eq_ignore_ascii_case("bearer") => {
            vec![secret.trim().to_owned()]
        }
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("apikey") => {
            let inside = decoded(key).and_then(|pair| Some(pair.split_once(':')?.1.to_owned()));
            inside.into_iter().chain([key.trim().to_owned()]).collect()
        }
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            let pair = decoded(pair).unwrap_or_default();
            match pair.split_once(':') {
                // `curl -u TOKEN:` names the token as the user.
                Some((user, "")) => vec![user.to_owned()],
                Some((_, password)) => vec![password.to_owned()],
                None => Vec::new(),
            }
        }
        _ => text(header::HeaderName::from_static("x-api-key"))
            .map(str::to_owned)
            .into_iter()
            .collect(),
    };
    secrets.into_iter().filter(|secret| !secret.is_empty()).collect()
}

fn decoded(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).ok()?;
    String::from_utf8(bytes).ok()
}

/// The live token of this kind that was presented, if any.
pub(crate) async fn check(
    state: &State,
    kind: TokenKind,
    presented: String,
) -> Result<Option<TokenInfo>, ApiError> {
    let control = state.control.clone();
    blocking(move || Ok(control.check_token(kind, &presented, crate::running::now())?)).await
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(name: &'static str, value: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        presented(&headers)
    }

    #[test]
    fn a_secret_is_found_in_every_form() {
        let pair = STANDARD.encode("elastic:s3cret");
        for (name, value, secrets) in [
            ("authorization", "Bearer s3cret".to_owned(), vec!["s3cret"]),
            ("authorization", "bearer  s3cret ".to_owned(), vec!["s3cret"]),
            ("authorization", format!("ApiKey {pair}"), vec!["s3cret", &pair]),
            ("authorization", format!("ApiKey {}", pair.trim_end_matches('=')), {
                vec!["s3cret", pair.trim_end_matches('=')]
            }),
            ("authorization", "ApiKey s3cret".to_owned(), vec!["s3cret"]),
            ("authorization", format!("Basic {pair}"), vec!["s3cret"]),
            ("authorization", format!("Basic {}", STANDARD.encode("s3cret:")), vec!["s3cret"]),
            ("authorization", format!("Basic {}", STANDARD.encode("a:b:c")), vec!["b:c"]),
            ("x-api-key", "s3cret".to_owned(), vec!["s3cret"]),
        ] {
            assert_eq!(of(name, &value), secrets, "{name}: {value}");
        }
    }

    #[test]
    fn what_is_no_secret_presents_none() {
        for value in ["", "Bearer", "Bearer ", "Basic !!", "Basic OnM=x", "Basic Og==", "Digest a"]
        {
            assert_eq!(of("authorization", value), Vec::<String>::new(), "{value}");
        }
        assert_eq!(of("x-api-key", ""), Vec::<String>::new());
    }
}
