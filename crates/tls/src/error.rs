//! Why TLS cannot be set up; every message names the file that is at fault.

use std::io;
use std::path::PathBuf;

/// Why a TLS configuration cannot be used. A retry is of use after the file was changed.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file is longer than any PEM file is.
    #[error("cannot use {}: it is larger than 1 MiB, expected a PEM file", .0.display())]
    TooLarge(PathBuf),
    /// A file is not what its key asks for.
    #[error("cannot use {}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what was expected.
        message: String,
    },
    /// The private key belongs to another certificate.
    #[error("cannot use {}: it is not the key of the certificate in {}", key.display(), certificate.display())]
    KeyMismatch {
        /// The file with the key.
        key: PathBuf,
        /// The file with the certificate.
        certificate: PathBuf,
    },
    /// Keys that only work together.
    #[error("cannot use TLS: `{given}` needs `{missing}` too")]
    Incomplete {
        /// The key that is there.
        given: &'static str,
        /// The key that is not.
        missing: &'static str,
    },
    /// A name that no certificate can have.
    #[error("cannot check certificates for `{0}`: it is neither a host name nor an address")]
    ServerName(String),
}
