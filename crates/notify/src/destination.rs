//! Where a message goes: an address that is itself a secret, and headers that may be.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use ureq::http::{HeaderName, HeaderValue, Uri};

const MAX_URL: usize = 2048;
const MAX_HEADERS: usize = 16;
const MAX_HEADER_VALUE: usize = 4096;
/// Headers that belong to the connection or to the body that we send.
const OURS: [&str; 6] =
    ["connection", "content-length", "content-type", "expect", "host", "transfer-encoding"];

/// The URL of a webhook and the headers to send along.
///
/// Who knows a webhook's URL can post to it, so `Debug` shows the host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    url: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// Text of the configuration that is a secret; its `Debug` shows nothing of it.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretText(pub(crate) String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

impl Destination {
    /// Takes an `http` or `https` URL with a host, of at most 2048 bytes, and up to 16 headers.
    ///
    /// # Errors
    /// A text for a person that names the fault but never the URL or a header's value.
    pub(crate) fn new(
        url: &SecretText,
        headers: &BTreeMap<String, SecretText>,
    ) -> Result<Destination, String> {
        Ok(Destination { url: parse_url(&url.0)?, headers: parse_headers(headers)? })
    }

    /// The host, which is no secret.
    pub fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    pub(crate) fn url(&self) -> &Uri {
        &self.url
    }

    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination").field("host", &self.host()).finish_non_exhaustive()
    }
}

fn parse_url(text: &str) -> Result<Uri, String> {
    if text.len() > MAX_URL {
        return Err(format!("`url` is longer than {MAX_URL} bytes"));
    }
    let url: Uri = text.parse().map_err(|_| "`url` is no URL".to_owned())?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err("`url` must start with http:// or https://".to_owned());
    }
    if url.host().is_none_or(str::is_empty) {
        return Err("`url` names no host".to_owned());
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("`url` must hold no user or password, use `headers`".to_owned());
    }
    Ok(url)
}

fn parse_headers(
    headers: &BTreeMap<String, SecretText>,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    if headers.len() > MAX_HEADERS {
        return Err(format!("`headers` has more than {MAX_HEADERS} entries"));
    }
    let mut parsed = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let shown = name.escape_debug();
        let name: HeaderName = name.parse().map_err(|_| format!("`{shown}` is no header name"))?;
        if OURS.contains(&name.as_str()) {
            return Err(format!("header `{shown}` cannot be set"));
        }
        if value.0.len() > MAX_HEADER_VALUE {
            return Err(format!("header `{shown}` is longer than {MAX_HEADER_VALUE} bytes"));
        }
        let mut value: HeaderValue =
            value.0.parse().map_err(|_| format!("header `{shown}` has no valid value"))?;
        value.set_sensitive(true);
        parsed.push((name, value));
    }
    Ok(parsed)
}
