//! The table of log sources, as it stands in a file.

use std::collections::BTreeMap;

use bergfried_event::Timestamp;
use bergfried_query::{Predicate, search};
use serde::Deserialize;

use super::{Comes, Entry, Part, Table};
use crate::diagnostic::{Diagnostic, DiagnosticSeverity};

/// The most bytes of a table.
const MAX_BYTES: usize = 1 << 20;
/// How often terms may stand within one another.
const MAX_NESTING: usize = 8;
const TOO_LONG: &str = "the condition is too long or its terms name one another";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    terms: BTreeMap<String, String>,
    sources: Vec<FileEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
    #[serde(default)]
    product: Texts,
    #[serde(default)]
    category: Texts,
    #[serde(default)]
    service: Texts,
    when: Option<Texts>,
    needs: Option<String>,
}

/// One text, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    One(String),
    More(Vec<String>),
}

impl Default for Texts {
    fn default() -> Self {
        Texts::More(Vec::new())
    }
}

impl Texts {
    fn list(self) -> Vec<String> {
        match self {
            Texts::One(text) => vec![text],
            Texts::More(texts) => texts,
        }
    }
}

/// The table in this text; `terms` are those that it may use beside its own.
pub(super) fn table(
    file: &str,
    text: &str,
    terms: &BTreeMap<String, String>,
) -> Result<Table, Vec<Diagnostic>> {
    let diagnostic = |(line, column): (usize, usize), message: String| Diagnostic {
        file: file.to_owned(),
        line,
        column,
        severity: DiagnosticSeverity::Error,
        message,
    };
    if text.len() > MAX_BYTES {
        let message = format!("the table of log sources is over {MAX_BYTES} bytes long");
        return Err(vec![diagnostic((1, 1), message)]);
    }
    let read: File = yaml_serde::from_str(text).map_err(|error| {
        let place = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        vec![diagnostic(place, format!("cannot read the table of log sources: {error}"))]
    })?;
    let mut table = Table { entries: Vec::new(), terms: terms.clone() };
    table.terms.extend(read.terms);
    let places = places(text);
    let mut faults = Vec::new();
    for (index, file_entry) in read.sources.into_iter().enumerate() {
        match entry(file_entry, &table.terms) {
            Ok(entry) => table.entries.push(entry),
            Err(message) => {
                faults.push(diagnostic(places.get(index).copied().unwrap_or((1, 1)), message));
            }
        }
    }
    if faults.is_empty() { Ok(table) } else { Err(faults) }
}

fn entry(file: FileEntry, terms: &BTreeMap<String, String>) -> Result<Entry, String> {
    let parts = [
        (Part::Product, file.product),
        (Part::Category, file.category),
        (Part::Service, file.service),
    ];
    let words: Vec<(Part, String)> = parts
        .into_iter()
        .flat_map(|(part, texts)| texts.list().into_iter().map(move |text| (part, text)))
        .map(|(part, text)| (part, text.to_lowercase()))
        .collect();
    if words.is_empty() {
        return Err("an entry must name a product, a category or a service".to_owned());
    }
    let comes = match (file.when, file.needs) {
        (Some(when), None) => Comes::When(any(when.list(), terms)?),
        (None, Some(needs)) => Comes::Needs(needs.trim().to_owned()),
        _ => return Err("an entry must have either `when` or `needs`".to_owned()),
    };
    Ok(Entry { words, comes })
}

/// The condition that holds where any of these texts does.
fn any(texts: Vec<String>, terms: &BTreeMap<String, String>) -> Result<Predicate, String> {
    if texts.is_empty() {
        return Err("`when` must hold at least one condition".to_owned());
    }
    let condition = |text: String| {
        let whole = expand(&text, terms, 0)?;
        // No condition of a table speaks of the time at which it is read.
        search::parse(&whole, Timestamp::from_seconds(0))
            .map_err(|error| format!("cannot read the condition: {}", error.render(&whole)))
    };
    let mut predicates = texts.into_iter().map(condition).collect::<Result<Vec<_>, _>>()?;
    match (predicates.len(), predicates.pop()) {
        (1, Some(only)) => Ok(only),
        (_, last) => Ok(Predicate::Or(predicates.into_iter().chain(last).collect())),
    }
}

/// The text with the terms that it names put in, each in parentheses.
fn expand(text: &str, terms: &BTreeMap<String, String>, nesting: usize) -> Result<String, String> {
    if nesting > MAX_NESTING || text.len() > search::MAX_LENGTH {
        return Err(TOO_LONG.to_owned());
    }
    let mut pieces = text.split('$');
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // Terms that name one another often would grow without end before they are read.
        if whole.len() > search::MAX_LENGTH {
            return Err(TOO_LONG.to_owned());
        }
        let is_name = |character: char| character.is_ascii_lowercase() || character == '_';
        let (name, rest) = piece.split_at(piece.find(|c| !is_name(c)).unwrap_or(piece.len()));
        if name.is_empty() {
            // The end of a line in a regular expression.
            whole.push('$');
            whole.push_str(rest);
            continue;
        }
        let term = terms.get(name).ok_or_else(|| {
            format!("no term is named `{}`, expected one of `terms`", name.escape_debug())
        })?;
        whole.push('(');
        whole.push_str(&expand(term, terms, nesting + 1)?);
        whole.push(')');
        whole.push_str(rest);
    }
    Ok(whole)
}

/// Where the entries of the list `sources` start, for lists that have a line for each.
fn places(text: &str) -> Vec<(usize, usize)> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| !line.starts_with("sources:"));
    lines.next();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut places = Vec::new();
    let mut depth = None;
    for (index, line) in
        lines.take_while(|(_, line)| !line.starts_with(|c: char| c.is_alphabetic()))
    {
        let starts = line.trim_start().starts_with("- ");
        if starts && *depth.get_or_insert(indent(line)) == indent(line) {
            places.push((index + 1, indent(line) + 1));
        }
    }
    places
}
