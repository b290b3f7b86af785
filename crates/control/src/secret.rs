//! Secrets: made from the system's random bytes, shown once, kept only as hashes.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

use crate::error::ControlError;

/// A token or key in clear text; its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// 32 random bytes as 43 URL-safe base64 characters (RFC 4648 section 5, without padding).
    ///
    /// # Errors
    /// [`ControlError::Random`] where the operating system gives no random bytes.
    pub fn random() -> Result<Secret, ControlError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(ControlError::Random)?;
        Ok(Secret(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A secret that someone else made.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The clear text, for the one place that hands it over.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The BLAKE3 hash under which a secret is kept. Tokens carry 256 random bits, so no slow hash is
/// needed to keep them from being guessed.
pub(crate) fn hash(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// Compares two hashes in a time that does not depend on where they differ.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_secrets_are_long_url_safe_and_different() {
        let (one, other) = (Secret::random().unwrap(), Secret::random().unwrap());
        assert_eq!(one.expose().len(), 43);
        assert!(one.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
        assert_ne!(one.expose(), other.expose());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Some(Secret::new("hunter2"))), "Some(Secret(…))");
    }

    #[test]
    fn equal_hashes_compare_equal() {
        assert!(same(&hash("a"), &hash("a")));
        assert!(!same(&hash("a"), &hash("b")));
        assert!(!same(&hash("a"), b"short"));
    }
}
