//! The tables of `lookup`: CSV files, read once when the rules are loaded.

use std::collections::HashMap;
use std::sync::Arc;

/// The longest file of a table.
const LONGEST: usize = 64 * 1024 * 1024;

/// The most rows of a table.
const ROWS: usize = 1_000_000;

/// What one column says of each key.
pub(super) type Column = HashMap<Box<[u8]>, Box<[u8]>, foldhash::quality::RandomState>;

/// The tables that expressions name, kept while rules are loaded so that none is read twice.
pub struct Tables<'a> {
    read: &'a dyn Fn(&str) -> Result<String, String>,
    columns: HashMap<(String, Wanted), Arc<Column>>,
}

/// Which column is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    /// By its name in the first row.
    Named(String),
    /// By its number from 1; the first row is one like the others.
    Number(usize),
}

impl<'a> Tables<'a> {
    /// Tables whose text a function gives by the file's name.
    pub fn new(read: &'a dyn Fn(&str) -> Result<String, String>) -> Self {
        Self { read, columns: HashMap::new() }
    }

    pub(super) fn column(&mut self, file: &str, wanted: Wanted) -> Result<Arc<Column>, String> {
        let place = (file.to_owned(), wanted);
        if let Some(known) = self.columns.get(&place) {
            return Ok(Arc::clone(known));
        }
        let text = (self.read)(file)
            .map_err(|error| format!("cannot read the table `{file}`: {error}"))?;
        let column = column(&text, &place.1)
            .map_err(|error| format!("cannot use the table `{file}`: {error}"))?;
        let column = Arc::new(column);
        self.columns.insert(place, Arc::clone(&column));
        Ok(column)
    }
}

fn column(text: &str, wanted: &Wanted) -> Result<Column, String> {
    if text.len() > LONGEST {
        return Err(format!("it is longer than {} MiB", LONGEST / 1024 / 1024));
    }
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let mut row = csv::ByteRecord::new();
    let index = match wanted {
        Wanted::Number(number) => number.saturating_sub(1),
        Wanted::Named(name) => {
            let there = rows.read_byte_record(&mut row).map_err(|error| error.to_string())?;
            let place = row.iter().position(|cell| there && cell == name.as_bytes());
            place.ok_or_else(|| {
                let names: Vec<String> =
                    row.iter().map(|cell| format!("`{}`", String::from_utf8_lossy(cell))).collect();
                format!("its first row names no column `{name}`, it has {}", names.join(", "))
            })?
        }
    };
    let mut column = Column::default();
    let mut count = 0;
    while rows.read_byte_record(&mut row).map_err(|error| error.to_string())? {
        count += 1;
        if count > ROWS {
            return Err(format!("it has more than {ROWS} rows"));
        }
        if let (Some(key), Some(value)) = (row.get(0), row.get(index)) {
            column.insert(key.into(), value.into());
        }
    }
    Ok(column)
}
