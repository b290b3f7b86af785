//! One line of comma-separated values.

use super::Pairs;

/// How a line is written, and what its columns are called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// The names, from the first column on. An empty name leaves its column out.
    pub names: Vec<String>,
    /// What separates columns, an ASCII character. Default `,`.
    pub separator: u8,
    /// What may stand around a value, twice for once within it; none: quotes mean nothing. Default
    /// `"`.
    pub quote: Option<u8>,
    /// Whether columns past the names are called `column4` and so on. Default true.
    pub autogenerate: bool,
    /// Whether columns without a value are left out. Default false.
    pub skip_empty: bool,
    /// Whether a line of just the names is passed over. Default false.
    pub skip_header: bool,
}

impl Default for Columns {
    fn default() -> Columns {
        Columns {
            names: Vec::new(),
            separator: b',',
            quote: Some(b'"'),
            autogenerate: true,
            skip_empty: false,
            skip_header: false,
        }
    }
}

impl Columns {
    /// Adds the columns of the first line of a text; false where there is none.
    pub fn read<'t>(&self, text: &'t str, pairs: &mut Pairs<'t>) -> bool {
        let mut reader = ::csv::ReaderBuilder::new();
        reader
            .has_headers(false)
            .flexible(true)
            .delimiter(self.separator)
            .quoting(self.quote.is_some())
            .quote(self.quote.unwrap_or(b'"'))
            .buffer_capacity(text.len().clamp(1, 8192));
        let mut record = ::csv::StringRecord::new();
        let read = reader.from_reader(text.as_bytes()).read_record(&mut record);
        if !matches!(read, Ok(true)) {
            return false;
        }
        if self.skip_header && record.iter().eq(self.names.iter().map(String::as_str)) {
            return true;
        }
        for (index, value) in record.iter().enumerate() {
            if self.skip_empty && value.is_empty() {
                continue;
            }
            match self.names.get(index) {
                Some(name) if name.is_empty() => {}
                Some(name) => pairs.push(name.clone(), value.to_owned()),
                None if self.autogenerate => {
                    pairs.push(format!("column{}", index + 1), value.to_owned());
                }
                None => {}
            }
        }
        true
    }
}
