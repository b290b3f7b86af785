//! Where a message goes over HTTP: an address that is itself a secret, headers that may be, and who
//! vouches for the server.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use ureq::http::{HeaderName, HeaderValue, Uri};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};

use crate::secret::{SecretText, from_file};

const MAX_URL: usize = 2048;
const MAX_HEADERS: usize = 16;
const MAX_HEADER_VALUE: usize = 4096;
/// Stands in a URL for the id of a delivery.
const DELIVERY: &str = "{delivery}";
/// Headers that belong to the connection or to the body that we send.
const OURS: [&str; 6] =
    ["connection", "content-length", "content-type", "expect", "host", "transfer-encoding"];

/// The URL of a webhook and the headers to send along.
///
/// Who knows a webhook's URL can post to it, so `Debug` shows the host alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Destination {
    url: Uri,
    /// The URL with a place for the id of a delivery, where it has one.
    pattern: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
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
        let pattern = url.0.contains(DELIVERY).then(|| url.0.clone());
        let url = parse_url("url", &url.0.replace(DELIVERY, "0"))?;
        Ok(Destination { url, pattern, headers: parse_headers(headers)? })
    }

    /// The host, which is no secret.
    pub(crate) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    /// The URL for the delivery of this id, which has only letters and digits.
    pub(crate) fn url(&self, delivery: &str) -> Uri {
        let filled = self.pattern.as_ref().map(|pattern| pattern.replace(DELIVERY, delivery));
        // It was parsed with another id in its place, so it parses.
        filled.and_then(|url| url.parse().ok()).unwrap_or_else(|| self.url.clone())
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

/// Reads the URL under `key`.
pub(crate) fn parse_url(key: &str, text: &str) -> Result<Uri, String> {
    if text.len() > MAX_URL {
        return Err(format!("`{key}` is longer than {MAX_URL} bytes"));
    }
    let url: Uri = text.parse().map_err(|_| format!("`{key}` is no URL"))?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err(format!("`{key}` must start with http:// or https://"));
    }
    if url.host().is_none_or(str::is_empty) {
        return Err(format!("`{key}` names no host"));
    }
    if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(format!("`{key}` must hold no user or password, use `headers`"));
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
        if OURS.contains(&name.as_str()) || name.as_str().starts_with("x-bergfried-") {
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

/// The certificates of a private authority, in PEM.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    pem: Arc<str>,
}

impl Authority {
    /// Reads the file under the key `ca`.
    pub(crate) fn read(path: &Path) -> Result<Authority, String> {
        let authority = Authority { pem: from_file("ca", path)?.into() };
        match authority.certificates().is_empty() {
            true => Err(format!("`ca`: {} holds no certificate", path.display())),
            false => Ok(authority),
        }
    }

    fn certificates(&self) -> Vec<Certificate<'static>> {
        let items = parse_pem(self.pem.as_bytes()).filter_map(Result::ok);
        let certificate = |item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        };
        items.filter_map(certificate).collect()
    }

    /// Each certificate in DER.
    pub(crate) fn der(&self) -> Vec<Vec<u8>> {
        self.certificates().iter().map(|certificate| certificate.der().to_vec()).collect()
    }

    /// For connections to servers that this authority vouches for.
    pub(crate) fn tls(&self) -> TlsConfig {
        let roots = RootCerts::new_with_certs(&self.certificates());
        TlsConfig::builder().root_certs(roots).build()
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}
