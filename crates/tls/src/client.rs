//! The side that makes connections.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;

use crate::error::TlsError;
use crate::pem;
use crate::verify::{Pinned, Unverified};
use crate::watched::Watched;

/// How a receiver's certificate is checked, and what is shown to it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientTls {
    /// A PEM file with the CAs that are trusted. Default: Mozilla's, built in.
    pub ca: Option<PathBuf>,
    /// A PEM file with the certificate to show and those that signed it. Default: none is shown.
    pub certificate: Option<PathBuf>,
    /// A PEM file with its private key.
    pub key: Option<PathBuf>,
    /// The name that the receiver's certificate must have. Default: the host that is connected to.
    pub server_name: Option<String>,
    /// Whether the receiver's certificate is checked. Default: true. Without, anyone between here
    /// and there can read and change what is sent.
    #[serde(default = "yes")]
    pub verify: bool,
}

fn yes() -> bool {
    true
}

impl Default for ClientTls {
    fn default() -> Self {
        ClientTls { ca: None, certificate: None, key: None, server_name: None, verify: true }
    }
}

/// What connections are made with.
pub struct ClientSide {
    files: Watched<Arc<ClientConfig>>,
    server_name: Option<ServerName<'static>>,
}

impl ClientTls {
    /// Reads the files.
    ///
    /// # Errors
    /// Where a file cannot be read, holds no certificate or key, they do not belong together, or
    /// `server_name` is no name.
    pub fn open(self) -> Result<ClientSide, TlsError> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => {
                return Err(TlsError::Incomplete { given: "certificate", missing: "key" });
            }
            (None, Some(_)) => {
                return Err(TlsError::Incomplete { given: "key", missing: "certificate" });
            }
            _ => {}
        }
        let server_name = self.server_name.as_deref().map(server_name).transpose()?;
        let paths = [&self.ca, &self.certificate, &self.key];
        let paths = paths.into_iter().flatten().cloned().collect();
        let files = Watched::new(paths, move || self.load().map(Arc::new))?;
        Ok(ClientSide { files, server_name })
    }

    fn load(&self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::ServerName(error.to_string()))?;
        let builder = if self.verify {
            builder.with_root_certificates(match &self.ca {
                Some(ca) => pem::roots(ca)?,
                None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
            })
        } else {
            let unverified = Arc::new(Unverified(provider));
            builder.dangerous().with_custom_certificate_verifier(unverified)
        };
        let (Some(certificate), Some(key)) = (&self.certificate, &self.key) else {
            return Ok(builder.with_no_client_auth());
        };
        let chain = pem::certificates(certificate)?;
        builder.with_client_auth_cert(chain, pem::private_key(key)?).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => {
                TlsError::KeyMismatch { key: key.clone(), certificate: certificate.clone() }
            }
            rustls::Error::General(said) => pem::content(key, said),
            error => pem::content(certificate, error.to_string()),
        })
    }
}

impl ClientSide {
    /// Trusts the server that shows the first certificate of this file, whatever its name, its age
    /// and who signed it: the certificate itself is known.
    ///
    /// # Errors
    /// Where the file cannot be read or holds no certificate.
    pub fn pinned(path: PathBuf) -> Result<ClientSide, TlsError> {
        let make = {
            let path = path.clone();
            move || Pinned::config(&path).map(Arc::new)
        };
        Ok(ClientSide { files: Watched::new(vec![path], make)?, server_name: None })
    }

    /// The configuration for a connection that is made now; cheap.
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.files.get())
    }

    /// The name that the receiver's certificate must have, when `host` is connected to.
    ///
    /// # Errors
    /// Where `host` is neither a host name nor an address.
    pub fn server_name(&self, host: &str) -> Result<ServerName<'static>, TlsError> {
        match &self.server_name {
            Some(name) => Ok(name.clone()),
            None => server_name(host),
        }
    }

    /// What an administrator should know: changed files that cannot be used.
    pub fn problem(&self) -> Option<String> {
        self.files.problem()
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, TlsError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    ServerName::try_from(bare.to_owned()).map_err(|_| TlsError::ServerName(host.to_owned()))
}
