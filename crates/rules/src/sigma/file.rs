//! A file of one YAML document that is no rule: a pipeline, or lists.

use super::document::{self, Document, Place};
use super::fault::Fault;
use super::reader::{At, Wrong};
use super::{MAX_BYTES, value};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity, Source};

/// What is wrong with a file, gathered while it is read.
pub(crate) struct Faults<'d> {
    document: &'d Document<'d>,
    found: Vec<Fault>,
}

impl Faults<'_> {
    pub(crate) fn error(&mut self, wrong: Wrong) {
        self.found.push(wrong.fault(self.document));
    }

    pub(crate) fn warn(&mut self, wrong: Wrong) {
        self.found.push(wrong.warning(self.document));
    }

    /// The line on which a value stands, from 1.
    pub(crate) fn line(&self, at: &At<'_>) -> usize {
        at.place(self.document).line
    }
}

/// What `make` makes of the file's value; errors and warnings go to `diagnostics`, and with an error
/// there is nothing. `what` the file holds is named where it holds none or too much.
pub(crate) fn read<T>(
    source: &Source,
    what: &str,
    diagnostics: &mut Vec<Diagnostic>,
    make: impl FnOnce(&At<'_>, &mut Faults<'_>) -> Option<T>,
) -> Option<T> {
    let mut found = Vec::new();
    let whole = document_of(source, what).and_then(|document| {
        let value = value(&document)?;
        Ok((document, value))
    });
    let made = match &whole {
        Ok((document, value)) => {
            let mut faults = Faults { document, found: Vec::new() };
            let made = make(&At::top(value), &mut faults);
            found = faults.found;
            made
        }
        Err(_) => None,
    };
    found.extend(whole.err());
    let failed = found.iter().any(|fault| fault.severity == DiagnosticSeverity::Error);
    diagnostics.extend(found.into_iter().map(|fault| Diagnostic {
        file: source.file.clone(),
        line: fault.place.line,
        column: fault.place.column,
        severity: fault.severity,
        message: fault.message,
    }));
    made.filter(|_| !failed)
}

fn document_of<'s>(source: &'s Source, what: &str) -> Result<Document<'s>, Fault> {
    let start = Place { line: 1, column: 1 };
    if source.text.len() > MAX_BYTES {
        let message = format!("cannot read a {what} file of over {MAX_BYTES} bytes");
        return Err(Fault::error(start, message));
    }
    let mut documents = document::split(&source.text).into_iter();
    match (documents.next(), documents.next()) {
        (Some(document), None) => Ok(document),
        (None, _) => Err(Fault::error(start, format!("there is no {what} in this file"))),
        (_, Some(second)) => {
            let message = format!("expected one {what}, write each in its own file");
            Err(Fault::error(second.start(), message))
        }
    }
}
