//! Certificates and keys out of PEM files (RFC 7468).

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::error::TlsError;

/// A file of all the roots of a distribution has a quarter of this.
const MAX_FILE: u64 = 1 << 20;

/// The certificates of a file in its order: the own one first, then those that signed it.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        let certificate = certificate.map_err(|error| content(path, error.to_string()))?;
        X509Certificate::from_der(&certificate).map_err(|_| {
            content(path, format!("its certificate {} is damaged", certificates.len() + 1))
        })?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(content(path, "there is no certificate in it, expected BEGIN CERTIFICATE"));
    }
    Ok(certificates)
}

/// The private key of a file: PKCS#8, PKCS#1 (RSA) or SEC1 (elliptic curves), not encrypted.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let bytes = read(path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let is_encrypted = memmem(&bytes, b"ENCRYPTED");
        match error {
            _ if is_encrypted => content(
                path,
                "the key is encrypted, a service needs it without a passphrase (openssl pkey)",
            ),
            rustls::pki_types::pem::Error::NoItemsFound => {
                content(path, "there is no private key in it, expected BEGIN PRIVATE KEY")
            }
            error => content(path, error.to_string()),
        }
    })
}

/// The certificates of a file as those that are trusted to sign others.
pub(crate) fn roots(path: &Path) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| content(path, error.to_string()))?;
    }
    Ok(roots)
}

/// When the first certificate ceases to count, in seconds since 1970.
pub(crate) fn not_after(certificates: &[CertificateDer<'_>]) -> Option<i64> {
    let (_, certificate) = X509Certificate::from_der(certificates.first()?).ok()?;
    Some(certificate.validity().not_after.timestamp())
}

pub(crate) fn content(path: &Path, message: impl Into<String>) -> TlsError {
    TlsError::Content { path: path.to_owned(), message: message.into() }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |error| TlsError::Read { path: path.to_owned(), error };
    let mut bytes = Vec::new();
    File::open(path).map_err(failed)?.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(TlsError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}

fn memmem(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}
