//! Whether a request with a cookie comes from the console's own pages.
//!
//! Three things each keep other sites out: the cookie is `SameSite=Strict`, the browser says where the
//! request is from (`Sec-Fetch-Site`, else `Origin`), and a token that only the console's pages know
//! has to be presented.

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, header};

use super::sessions::is_csrf_token;
use crate::error::ApiError;

/// The header with the token.
pub(crate) const TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what changes something and may not come from the console.
///
/// # Errors
/// 403 that says what was expected.
pub(super) fn check(parts: &Parts, secret: &str, console: Option<&str>) -> Result<(), ApiError> {
    if [Method::GET, Method::HEAD].contains(&parts.method) {
        return Ok(());
    }
    check_site(&parts.headers, console)?;
    let token = parts.headers.get(&TOKEN).map_or(&b""[..], |token| token.as_bytes());
    match is_csrf_token(secret, token) {
        true => Ok(()),
        false => Err(ApiError::forbidden(
            "this needs the header `X-CSRF-Token` with the token of your session, see GET \
             /api/v1/session",
        )),
    }
}

/// Refuses requests of other sites' pages. `console`: the console's address, as the owner set it.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_site(headers: &HeaderMap, console: Option<&str>) -> Result<(), ApiError> {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let own = match (text(FETCH_SITE), text(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => {
            let host = text(header::HOST);
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            let is_console = console.is_some_and(|console| origin == origin_of(console));
            is_console || (authority.is_some() && authority == host)
        }
        // Programs say neither.
        (None, None) => true,
    };
    match own {
        true => Ok(()),
        false => Err(ApiError::forbidden("this request comes from another site's page")),
    }
}

/// The scheme and authority of an address.
fn origin_of(address: &str) -> &str {
    let start = address.find("://").map_or(0, |at| at.saturating_add(3));
    let path = address.get(start..).and_then(|rest| rest.find('/'));
    path.and_then(|path| address.get(..start.saturating_add(path))).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::*;
    use crate::auth::sessions::csrf_token;

    #[test]
    fn other_sites_are_refused() {
        let console = Some("https://logs.example.org/console");
        for (site, origin, passes) in [
            (None, None, true),
            (Some("same-origin"), None, true),
            (Some("none"), None, true),
            (Some("same-site"), Some("http://hub:8000"), false),
            (Some("cross-site"), None, false),
            (None, Some("http://hub:8000"), true),
            (None, Some("http://hub:8001"), false),
            (None, Some("http://evil.org"), false),
            (None, Some("null"), false),
            (None, Some("https://logs.example.org"), true),
            (None, Some("http://logs.example.org"), false),
            (None, Some("https://logs.example.org.evil.org"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("hub:8000"));
            if let Some(site) = site {
                headers.insert(FETCH_SITE, HeaderValue::from_static(site));
            }
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(check_site(&headers, console).is_ok(), passes, "{site:?} {origin:?}");
        }
    }

    #[test]
    fn what_changes_something_needs_the_token() {
        for (method, token, passes) in [
            (Method::GET, None, true),
            (Method::HEAD, None, true),
            (Method::POST, None, false),
            (Method::PUT, Some("x".to_owned()), false),
            (Method::DELETE, Some(csrf_token("other")), false),
            (Method::PATCH, Some(csrf_token("secret")), true),
        ] {
            let mut request = Request::builder().method(method.clone());
            if let Some(token) = &token {
                request = request.header(TOKEN, token);
            }
            let (parts, ()) = request.body(()).unwrap().into_parts();
            assert_eq!(check(&parts, "secret", None).is_ok(), passes, "{method} {token:?}");
        }
    }
}
