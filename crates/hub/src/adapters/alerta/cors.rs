//! Which pages of other origins may use the API.

use axum::http::{HeaderValue, Method, header};
use regex::Regex;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Answers every `OPTIONS`, and lets pages of these origins read what the API says.
///
/// An origin is `*`, an origin as a browser sends it, or an expression that matches the whole of one.
pub(super) fn layer(origins: &[String]) -> CorsLayer {
    let allowed: Vec<Allowed> = origins.iter().filter_map(|origin| Allowed::read(origin)).collect();
    let is_allowed = move |origin: &HeaderValue, _: &_| {
        origin.to_str().is_ok_and(|origin| allowed.iter().any(|allowed| allowed.allows(origin)))
    };
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(is_allowed))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::LOCATION, header::HeaderName::from_static("x-request-id")])
}

enum Allowed {
    Any,
    One(String),
    Like(Regex),
}

impl Allowed {
    fn read(text: &str) -> Option<Allowed> {
        let text = text.trim();
        if text == "*" {
            return Some(Allowed::Any);
        }
        if !text.contains(['*', '\\', '?', '$', '^', '[', ']', '(', ')', '|', '+']) {
            return Some(Allowed::One(text.trim_end_matches('/').to_ascii_lowercase()));
        }
        match Regex::new(&format!("(?i)^(?:{text})$")) {
            Ok(regex) => Some(Allowed::Like(regex)),
            Err(error) => {
                tracing::warn!(origin = text, %error, "cannot use an origin of CORS_ORIGINS");
                None
            }
        }
    }

    fn allows(&self, origin: &str) -> bool {
        match self {
            Allowed::Any => true,
            Allowed::One(allowed) => origin.eq_ignore_ascii_case(allowed),
            Allowed::Like(regex) => regex.is_match(origin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_words_or_expressions() {
        for (allowed, origin, is_allowed) in [
            ("http://localhost", "http://localhost", true),
            ("http://localhost/", "http://LOCALHOST", true),
            ("http://localhost", "http://localhost:8000", false),
            ("http://localhost", "http://localhost.evil.example", false),
            ("*", "https://any.example", true),
            (r"https?://\w*\.?local\.example:?\d*/?.*", "http://a.local.example:80", true),
            (r"https?://\w+\.example", "https://a.example.evil", false),
        ] {
            let allows = Allowed::read(allowed).unwrap().allows(origin);
            assert_eq!(allows, is_allowed, "{allowed}: {origin}");
        }
        assert!(Allowed::read("http://[").is_none());
    }
}
