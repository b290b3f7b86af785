//! Where an alert stands in its life.

use std::fmt;
use std::str::FromStr;

use bergfried_event::nearest;
use serde::{Deserialize, Serialize};

macro_rules! statuses {
    ($($variant:ident $word:literal $code:literal $about:literal),* $(,)?) => {
        /// Where an alert stands in its life, in the words of Alerta's two alarm models.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Status {
            $(#[doc = $about] #[serde(rename = $word)] $variant,)*
        }

        impl Status {
            /// Every status of both models.
            pub const ALL: &[Status] = &[$(Status::$variant),*];

            /// Those of Alerta's own model.
            pub const ALERTA: &[Status] = &[
                Status::Open,
                Status::Assign,
                Status::Ack,
                Status::Shelved,
                Status::Blackout,
                Status::Closed,
                Status::Expired,
                Status::Unknown,
            ];

            /// Those of ANSI/ISA-18.2.
            pub const ISA_18_2: &[Status] = &[
                Status::Norm,
                Status::Unacked,
                Status::Acked,
                Status::Rtnun,
                Status::Shlvd,
                Status::Dsupr,
                Status::Oosrv,
            ];

            /// The word.
            pub fn name(self) -> &'static str {
                match self { $(Status::$variant => $word),* }
            }

            /// The letter that it sorts by.
            pub fn code(self) -> char {
                match self { $(Status::$variant => $code),* }
            }
        }
    };
}

statuses! {
    Open "open" 'A' "It wants attention.",
    Assign "assign" 'B' "Somebody was given it.",
    Ack "ack" 'C' "Somebody looks at it.",
    Shelved "shelved" 'D' "It is put aside for a time.",
    Blackout "blackout" 'E' "It came in during a blackout.",
    Closed "closed" 'F' "It is over.",
    Expired "expired" 'G' "Nothing was heard of it for too long.",
    Unknown "unknown" 'H' "Nobody knows.",
    Norm "NORM" 'A' "ISA 18.2: normal.",
    Unacked "UNACK" 'B' "ISA 18.2: in alarm, not acknowledged.",
    Acked "ACKED" 'C' "ISA 18.2: in alarm, acknowledged.",
    Rtnun "RTNUN" 'D' "ISA 18.2: normal again, not acknowledged.",
    Shlvd "SHLVD" 'E' "ISA 18.2: shelved.",
    Dsupr "DSUPR" 'F' "ISA 18.2: suppressed by design.",
    Oosrv "OOSRV" 'G' "ISA 18.2: out of service.",
}

/// A word that names no status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownStatus {
    /// The word as given.
    pub word: String,
    /// What it could have been.
    pub expected: &'static [Status],
}

impl fmt::Display for UnknownStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.expected.iter().map(|status| status.name());
        write!(f, "unknown status `{}`, expected one of ", self.word.escape_debug())?;
        f.write_str(&names.clone().collect::<Vec<_>>().join(", "))?;
        match nearest(&self.word, names) {
            Some(meant) => write!(f, "; is `{meant}` meant?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownStatus {}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Status {
    type Err = UnknownStatus;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let found = Status::ALL.iter().copied().find(|status| status.name() == word);
        found.ok_or_else(|| UnknownStatus { word: word.to_owned(), expected: Status::ALL })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_reads_back() {
        for status in Status::ALL {
            assert_eq!(status.name().parse(), Ok(*status));
        }
        let error = "opn".parse::<Status>().unwrap_err().to_string();
        assert!(error.contains("is `open` meant?"), "{error}");
    }
}
