//! What a rule file's author is told: where, how bad, and what was expected.

use std::fmt;

/// The text of one rule file; reading it is the caller's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file's name as diagnostics should show it.
    pub file: String,
    /// One or more YAML documents.
    pub text: String,
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiagnosticSeverity {
    /// The rule is loaded, but may not do what its author thinks.
    Warning,
    /// The rule is not loaded; others are.
    Error,
}

/// One thing to tell the author of a rule file. Prints as `file:line:column: message`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as in [`Source::file`].
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// Whether the rule was loaded all the same.
    pub severity: DiagnosticSeverity,
    /// What is wrong and what was expected.
    pub message: String,
}

impl Diagnostic {
    /// Whether the rule was not loaded.
    pub fn is_error(&self) -> bool {
        self.severity == DiagnosticSeverity::Error
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { file, line, column, message, .. } = self;
        write!(f, "{file}:{line}:{column}: ")?;
        if self.severity == DiagnosticSeverity::Warning {
            f.write_str("warning: ")?;
        }
        f.write_str(message)
    }
}
