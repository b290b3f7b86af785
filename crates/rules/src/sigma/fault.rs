//! What is wrong with a document, before the file's name is known.

use bergfried_event::nearest;

use super::document::Place;
use crate::diagnostic::DiagnosticSeverity;

/// One thing wrong at one place.
pub(crate) struct Fault {
    pub(crate) place: Place,
    pub(crate) severity: DiagnosticSeverity,
    pub(crate) message: String,
}

impl Fault {
    pub(crate) fn error(place: Place, message: impl Into<String>) -> Fault {
        Fault { place, severity: DiagnosticSeverity::Error, message: message.into() }
    }

    pub(crate) fn warning(place: Place, message: impl Into<String>) -> Fault {
        Fault { place, severity: DiagnosticSeverity::Warning, message: message.into() }
    }
}

/// ``unknown level `hihg`, expected low or high, did you mean `high`?``
pub(crate) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    let expected = match known {
        [] => String::new(),
        [only] => format!(", expected {only}"),
        [most @ .., last] => format!(", expected {} or {last}", most.join(", ")),
    };
    let near = nearest(word, known.iter().copied());
    let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
    format!("unknown {what} `{}`{expected}{hint}", word.escape_debug())
}
