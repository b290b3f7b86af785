//! The rows of a table, and how one is found.

use std::collections::{BTreeMap, HashMap};

use bergfried_event::{FieldName, nearest};
use bergfried_query::{Pattern, fold};

use super::{LookupFile, Match};
use crate::compile::Compile;
use crate::steps::networks::{Networks, address, network};

const MAX_FILE: usize = 64 << 20;
const MAX_ROWS: usize = 1_000_000;
const MAX_COLUMNS: usize = 256;
const MAX_GLOBS: usize = 10_000;
/// How many mistakes of one table are told.
const MAX_TOLD: usize = 20;

/// The fields that a row sets.
pub(super) type Row = Vec<(FieldName<'static>, Box<str>)>;

/// Keys and rows, in their order, and where each stands.
pub(super) struct Table {
    rows: Vec<(String, Row)>,
    /// The line of the first row; 0 where they stand in the configuration itself.
    first_line: usize,
}

/// The rows by what finds them.
pub(super) enum Keys {
    Exact(HashMap<String, Row>),
    Caseless(HashMap<String, Row>),
    Networks(Box<Networks<Row>>),
    Globs(Vec<(Pattern, Row)>),
}

impl Table {
    pub(super) fn of_entries(
        entries: &BTreeMap<String, String>,
        target: FieldName<'static>,
    ) -> Table {
        let row = |(key, value): (&String, &String)| {
            (key.clone(), vec![(target.clone(), value.as_str().into())])
        };
        Table { rows: entries.iter().map(row).collect(), first_line: 0 }
    }

    /// The rows of a CSV file; `None` where it cannot be used, which is told.
    pub(super) fn of_file(
        path: &str,
        file: &LookupFile,
        compile: &mut Compile<'_>,
    ) -> Option<Table> {
        let bytes = compile.at("file", |compile| compile.file(path))?;
        if bytes.len() > MAX_FILE {
            compile.at("file", |compile| {
                compile.mistake(format!("the file is larger than {MAX_FILE} bytes"));
            });
            return None;
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        let named = !file.columns.is_empty();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(!named)
            .flexible(true)
            .trim(csv::Trim::All)
            .comment(Some(b'#'))
            .from_reader(bytes);
        let columns = if named {
            file.columns.0.clone()
        } else {
            match reader.headers() {
                Ok(headers) => headers.iter().map(str::to_owned).collect(),
                Err(error) => {
                    let message = format!("cannot read the columns: {error}");
                    compile.at("file", |compile| compile.mistake(message));
                    return None;
                }
            }
        };
        let (key, fields) = chosen(&columns, file, compile)?;
        let mut table = Table { rows: Vec::new(), first_line: if named { 1 } else { 2 } };
        compile.at("file", |compile| table.read(&mut reader, key, &fields, compile));
        Some(table)
    }

    fn read(
        &mut self,
        reader: &mut csv::Reader<&[u8]>,
        key: usize,
        fields: &[(usize, FieldName<'static>)],
        compile: &mut Compile<'_>,
    ) {
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    compile.mistake(format!("cannot read a row: {error}"));
                    return;
                }
            };
            if self.rows.len() >= MAX_ROWS {
                compile.mistake(format!("the file has more than {MAX_ROWS} rows"));
                return;
            }
            let cell = |index: usize| record.get(index).filter(|cell| !cell.is_empty());
            let Some(key) = cell(key) else {
                let line = record.position().map_or(0, csv::Position::line);
                compile.mistake(format!("the row in line {line} has no key"));
                return;
            };
            let row = fields
                .iter()
                .filter_map(|(index, name)| Some((name.clone(), cell(*index)?.into())))
                .collect();
            self.rows.push((key.to_owned(), row));
        }
    }

    /// The rows by their keys; `None` where a key cannot be used, which is told.
    pub(super) fn keyed(self, how: Match, compile: &mut Compile<'_>) -> Option<Keys> {
        let (rows, first_line) = (self.rows, self.first_line);
        let mut wrong = Vec::new();
        let keys = match how {
            Match::Exact | Match::Caseless => {
                let mut found = HashMap::with_capacity(rows.len());
                for (index, (key, row)) in rows.into_iter().enumerate() {
                    let key = if how == Match::Exact { key } else { fold(&key).into_owned() };
                    if let Some(_before) = found.insert(key.clone(), row) {
                        wrong.push((index, key, "is there twice"));
                    }
                }
                if how == Match::Exact { Keys::Exact(found) } else { Keys::Caseless(found) }
            }
            Match::Network => {
                let mut networks = Networks::new();
                for (index, (key, row)) in rows.into_iter().enumerate() {
                    match network(&key) {
                        None => wrong.push((index, key, "is no network")),
                        Some(network) => {
                            if !networks.insert(network, row) {
                                wrong.push((index, key, "is there twice"));
                            }
                        }
                    }
                }
                Keys::Networks(Box::new(networks))
            }
            Match::Glob => {
                if rows.len() > MAX_GLOBS {
                    compile.mistake(format!("there are more than {MAX_GLOBS} keys with wildcards"));
                    return None;
                }
                let pattern = |key: &str| Pattern::with_wildcards(key, false);
                Keys::Globs(rows.into_iter().map(|(key, row)| (pattern(&key), row)).collect())
            }
        };
        let any_wrong = !wrong.is_empty();
        for (index, key, reason) in wrong.into_iter().take(MAX_TOLD) {
            let key = key.escape_debug();
            compile.mistake(match first_line {
                0 => format!("the key `{key}` {reason}"),
                first => format!("the key `{key}` of row {} {reason}", index + first),
            });
        }
        (!any_wrong).then_some(keys)
    }
}

/// The column of the key, and the columns that become fields.
fn chosen(
    columns: &[String],
    file: &LookupFile,
    compile: &mut Compile<'_>,
) -> Option<(usize, Vec<(usize, FieldName<'static>)>)> {
    if columns.len() > MAX_COLUMNS {
        compile.mistake(format!("the file has more than {MAX_COLUMNS} columns"));
        return None;
    }
    let place = |name: &str, compile: &mut Compile<'_>| {
        let found = columns.iter().position(|column| column == name);
        if found.is_none() {
            let mut message = format!("the file has no column `{}`", name.escape_debug());
            if let Some(meant) = nearest(name, columns.iter().map(String::as_str)) {
                message.push_str(&format!(", did you mean `{meant}`?"));
            }
            compile.mistake(message);
        }
        found
    };
    let key = match &file.key {
        Some(name) => compile.at("key", |compile| place(name, compile))?,
        None => 0,
    };
    let fields = if file.fields.is_empty() {
        let others = columns.iter().enumerate().filter(|(index, _)| *index != key);
        let each = others.map(|(index, name)| {
            Some((index, compile.at("file", |compile| compile.writable_here(name))?))
        });
        each.collect::<Option<Vec<_>>>()?
    } else {
        compile.at("fields", |compile| {
            let each = file.fields.iter().map(|(column, field)| {
                compile.at(column, |compile| {
                    Some((place(column, compile)?, compile.writable_here(field)?))
                })
            });
            each.collect::<Option<Vec<_>>>()
        })?
    };
    Some((key, fields))
}

impl Keys {
    /// The row whose key fits the text.
    pub(super) fn get(&self, text: &str) -> Option<&Row> {
        match self {
            Keys::Exact(rows) => rows.get(text),
            Keys::Caseless(rows) => rows.get(&*fold(text)),
            Keys::Networks(networks) => networks.get(address(text)?),
            Keys::Globs(globs) => {
                let folded = fold(text);
                globs.iter().find(|(glob, _)| glob.matches_folded(&folded)).map(|(_, row)| row)
            }
        }
    }
}
