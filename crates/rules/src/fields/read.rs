//! The table of names, as it stands in a file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{SourceNames, Table};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity};
use crate::logsource::LogSource;

/// The most bytes of a table.
const MAX_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct File {
    prefixes: Vec<String>,
    spellings: BTreeMap<String, String>,
    originals: Vec<String>,
    names: BTreeMap<String, OneOrMore>,
    sources: Vec<FileSource>,
    known: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileSource {
    logsource: LogSource,
    names: BTreeMap<String, OneOrMore>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Why a table cannot be read, and where in its text.
pub(super) struct Unreadable {
    line: usize,
    column: usize,
    message: String,
}

impl Unreadable {
    pub(super) fn diagnostic(self, file: &str) -> Diagnostic {
        Diagnostic {
            file: file.to_owned(),
            line: self.line,
            column: self.column,
            severity: DiagnosticSeverity::Error,
            message: self.message,
        }
    }
}

fn unreadable(message: String) -> Unreadable {
    Unreadable { line: 1, column: 1, message }
}

/// The table in this text.
pub(super) fn table(text: &str) -> Result<Table, Unreadable> {
    if text.len() > MAX_BYTES {
        return Err(unreadable(format!("the table of fields is over {MAX_BYTES} bytes long")));
    }
    let file: File = yaml_serde::from_str(text).map_err(|error| {
        let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        Unreadable { line, column, message: format!("cannot read the table of fields: {error}") }
    })?;
    let mut sources = Vec::new();
    for source in file.sources {
        let logsource = source.logsource.lower_case();
        if logsource == LogSource::default() {
            return Err(unreadable("`logsource` names no product, category or service".to_owned()));
        }
        sources.push(SourceNames { logsource, names: names(source.names)? });
    }
    let mut prefixes = file.prefixes;
    prefixes.sort_by_key(|prefix| std::cmp::Reverse(prefix.len()));
    Ok(Table {
        prefixes,
        spellings: file.spellings,
        originals: file.originals.iter().map(|product| product.to_lowercase()).collect(),
        names: names(file.names)?,
        sources,
        known: file.known,
    })
}

fn names(file: BTreeMap<String, OneOrMore>) -> Result<BTreeMap<String, Vec<String>>, Unreadable> {
    file.into_iter()
        .map(|(name, fields)| match fields {
            OneOrMore::One(field) => Ok((name, vec![field])),
            OneOrMore::More(fields) if !fields.is_empty() => Ok((name, fields)),
            OneOrMore::More(_) => {
                Err(unreadable(format!("`{}` must mean at least one field", name.escape_debug())))
            }
        })
        .collect()
}
