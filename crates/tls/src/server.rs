//! The side that takes connections.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ServerConfig, SupportedProtocolVersion, version};
use serde::Deserialize;

use crate::error::TlsError;
use crate::pem;
use crate::watched::Watched;

/// How long before its end a certificate is spoken of.
const SOON: i64 = 7 * 86_400;

/// The certificate files of a listener, as a person names them.
///
/// ```toml
/// certificate = "/etc/bergfried/hub.pem"   # the own one first, then those that signed it
/// key = "/etc/bergfried/hub.key"           # PKCS#8, PKCS#1 or SEC1, without a passphrase
/// client_ca = "/etc/bergfried/senders.pem" # whose certificates clients may show
/// client_certificate = "required"          # the default with client_ca; or "optional", "none"
/// min_tls = "1.3"                          # the default is "1.2"
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerTls {
    /// A PEM file with the certificate of this host and those that signed it.
    pub certificate: PathBuf,
    /// A PEM file with its private key.
    pub key: PathBuf,
    /// A PEM file with the certificates of the CAs that sign those of clients.
    pub client_ca: Option<PathBuf>,
    /// Whether clients must show a certificate. Default: `required` with `client_ca`, else `none`.
    pub client_certificate: Option<ClientCertificate>,
    /// The oldest version of TLS that is spoken. Default: 1.2.
    #[serde(default)]
    pub min_tls: MinVersion,
}

/// Whether clients must show a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificate {
    /// They are not asked for one.
    None,
    /// One that is shown must be good; none need be.
    Optional,
    /// Without a good one there is no connection.
    Required,
}

/// The oldest version of TLS that is spoken; older ones than 1.2 do not exist here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum MinVersion {
    /// TLS 1.2 (RFC 5246) and 1.3 (RFC 8446).
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3 alone.
    #[serde(rename = "1.3")]
    Tls13,
}

impl MinVersion {
    fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];
        const NEWEST: &[&SupportedProtocolVersion] = &[&version::TLS13];
        match self {
            MinVersion::Tls12 => BOTH,
            MinVersion::Tls13 => NEWEST,
        }
    }
}

/// What a listener makes its connections with.
pub struct ServerSide {
    files: Watched<Loaded>,
    certificate: PathBuf,
}

struct Loaded {
    config: Arc<ServerConfig>,
    not_after: Option<i64>,
}

impl ServerTls {
    /// Whether clients must show a certificate, where nothing is said of it too.
    pub fn asks_clients(&self) -> ClientCertificate {
        self.client_certificate.unwrap_or(match self.client_ca {
            Some(_) => ClientCertificate::Required,
            None => ClientCertificate::None,
        })
    }

    /// Reads the files. `alpn` are the protocols spoken inside, as `http/1.1`; empty: not said.
    ///
    /// # Errors
    /// Where a file cannot be read, holds no certificate or key, or they do not belong together.
    pub fn open(self, alpn: &'static [&'static str]) -> Result<ServerSide, TlsError> {
        let certificate = self.certificate.clone();
        let paths = [Some(&self.certificate), Some(&self.key), self.client_ca.as_ref()];
        let paths = paths.into_iter().flatten().cloned().collect();
        let files = Watched::new(paths, move || self.load(alpn))?;
        let side = ServerSide { files, certificate };
        if let Some(problem) = side.problem() {
            tracing::warn!(problem, "a certificate needs attention");
        }
        Ok(side)
    }

    fn load(&self, alpn: &[&str]) -> Result<Loaded, TlsError> {
        let chain = pem::certificates(&self.certificate)?;
        let key = pem::private_key(&self.key)?;
        let not_after = pem::not_after(&chain);
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(self.min_tls.versions())
            .map_err(|error| pem::content(&self.certificate, error.to_string()))?;
        let builder = match self.verifier()? {
            Some(verifier) => builder.with_client_cert_verifier(verifier),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
                key: self.key.clone(),
                certificate: self.certificate.clone(),
            },
            rustls::Error::General(said) => pem::content(&self.key, said),
            error => pem::content(&self.certificate, error.to_string()),
        })?;
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(Loaded { config: Arc::new(config), not_after })
    }

    fn verifier(&self) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
        let asked = self.asks_clients();
        if asked == ClientCertificate::None {
            return match &self.client_ca {
                // A key without effect would look like a protection.
                Some(ca) => Err(pem::content(
                    ca,
                    "`client_ca` has no effect with client_certificate = \"none\"",
                )),
                None => Ok(None),
            };
        }
        let Some(ca) = &self.client_ca else {
            return Err(TlsError::Incomplete { given: "client_certificate", missing: "client_ca" });
        };
        let provider = Arc::new(ring::default_provider());
        let mut builder =
            WebPkiClientVerifier::builder_with_provider(Arc::new(pem::roots(ca)?), provider);
        if asked == ClientCertificate::Optional {
            builder = builder.allow_unauthenticated();
        }
        builder.build().map(Some).map_err(|error| pem::content(ca, error.to_string()))
    }
}

impl ServerSide {
    /// The configuration for a connection that is made now; cheap.
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.files.get().config)
    }

    /// What an administrator should know: changed files that cannot be used, a certificate that
    /// has expired or will within a week.
    pub fn problem(&self) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let not_after = self.files.get().not_after;
        self.files.problem().or_else(|| {
            let left = not_after?.saturating_sub(now);
            let path = self.certificate.display();
            match left {
                ..0 => Some(format!("the certificate in {path} has expired")),
                0..SOON => {
                    Some(format!("the certificate in {path} expires within {} h", left / 3_600 + 1))
                }
                _ => None,
            }
        })
    }

    #[cfg(test)]
    pub(crate) fn look_now(&self) {
        self.files.look_now();
    }
}
