//! The secret with which the first administrator is made, where there is none.
//!
//! Made anew by each start that finds no administrator, shown once, kept nowhere, and worth nothing as
//! soon as there is one.

use bergfried_control::{ControlError, Secret};
use subtle::ConstantTimeEq as _;

use super::people;
use crate::adapters::alerta::{Auth, Directory};

/// The way in of the first administrator.
#[derive(Debug)]
pub(crate) struct Setup(Option<Secret>);

impl Setup {
    /// # Errors
    /// Where the system gives no random bytes.
    pub(crate) fn new(auth: &Auth, directory: &Directory) -> Result<Setup, ControlError> {
        let open = !people::has_administrator(auth, directory);
        Ok(Setup(open.then(Secret::random).transpose()?))
    }

    /// The secret, for the one place that shows it.
    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.0.as_ref()
    }

    /// Whether this is the secret.
    pub(crate) fn is(&self, presented: &str) -> bool {
        let same = |secret: &Secret| -> bool {
            secret.expose().as_bytes().ct_eq(presented.as_bytes()).into()
        };
        self.0.as_ref().is_some_and(same)
    }
}
