//! Where the pages of a row group's columns are, and the checksum of each.

use super::index::{Checksum, checksum};
use crate::bytes_io::{Bytes, Malformed, put_length};

/// A page of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PagePlace {
    /// Its bytes with its header; pages of a column follow each other.
    pub(crate) size: usize,
    /// Its rows; a dictionary has none.
    pub(crate) rows: usize,
    pub(crate) checksum: Checksum,
}

/// The pages of each column; none of a column without any value, which need not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) columns: Vec<Vec<PagePlace>>,
}

impl PagePlace {
    /// The place of a page with these bytes.
    pub(crate) fn of(bytes: &[u8], rows: usize) -> Self {
        PagePlace { size: bytes.len(), rows, checksum: checksum(bytes) }
    }
}

impl Layout {
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_length(&mut out, self.columns.len());
        for pages in &self.columns {
            put_length(&mut out, pages.len());
            for page in pages {
                put_length(&mut out, page.size);
                put_length(&mut out, page.rows);
                out.extend_from_slice(&page.checksum);
            }
        }
        out
    }

    /// Reads the layout of a row group with so many rows, whose checksum is known to be right.
    pub(crate) fn read(bytes: &[u8], rows: usize) -> Result<Self, Malformed> {
        let mut bytes = Bytes(bytes);
        let mut layout = Layout::default();
        for _ in 0..bytes.length()? {
            let mut pages = Vec::new();
            let mut left = rows;
            for _ in 0..bytes.length()? {
                let (size, rows) = (bytes.length()?, bytes.length()?);
                left = left.checked_sub(rows).ok_or("a column has too many rows")?;
                pages.push(PagePlace { size, rows, checksum: bytes.array()? });
            }
            if left > 0 && !pages.is_empty() {
                return Err("a column has too few rows");
            }
            layout.columns.push(pages);
        }
        if bytes.0.is_empty() { Ok(layout) } else { Err("more follows its pages") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_refuses_what_does_not_fit() {
        let pages =
            vec![PagePlace::of(b"texts", 0), PagePlace::of(b"codes", 5), PagePlace::of(b"", 4)];
        let layout = Layout { columns: vec![pages, Vec::new(), vec![PagePlace::of(b"x", 9)]] };
        let bytes = layout.to_bytes();
        assert_eq!(Layout::read(&bytes, 9), Ok(layout));
        for rows in [8, 10] {
            assert!(Layout::read(&bytes, rows).is_err(), "{rows}");
        }
        for end in 0..bytes.len() {
            assert!(Layout::read(&bytes[..end], 9).is_err(), "{end}");
        }
    }
}
