//! Decodes the pages of a text column into distinct texts and one code a row.
//!
//! The column reader of the `parquet` crate gives every row's text; conditions, counts and top
//! lists only need each distinct text once. So dictionary pages and codes are read here directly,
//! in the encodings that this program writes (Parquet format, "Encodings": PLAIN, RLE_DICTIONARY).

use parquet::basic::Encoding;
use parquet::column::page::{Page, PageReader};

use super::stretch::Stretches;
use crate::bytes_io::{Bytes, Malformed};

/// The code of a row that has no text.
pub(crate) const ABSENT: u32 = u32::MAX;

/// A text column of one row group, or what was read of it.
#[derive(Debug, Default)]
pub(crate) struct TextColumn {
    text: String,
    /// Where each text ends in `text`.
    ends: Vec<usize>,
    /// The first row that was read.
    first: usize,
    /// For each row from the first on that was read the number of its text, or [`ABSENT`].
    codes: Vec<u32>,
}

impl TextColumn {
    /// Reads the column; pages without any of the wanted rows are left out, their rows absent.
    pub(crate) fn read(
        mut pages: impl PageReader,
        rows: usize,
        wanted: &Stretches,
    ) -> Result<Self, String> {
        let within = wanted.span();
        let mut column = Reading::default();
        column.codes.reserve(within.len());
        let mut row = 0;
        while row < within.end
            && let Some(next) = pages.peek_next_page().map_err(|error| error.to_string())?
        {
            if let (Some(length), false) = (next.num_rows.or(next.num_levels), next.is_dict) {
                let end = row.saturating_add(length);
                if end <= rows && !wanted.overlap(&(row..end)) {
                    pages.skip_next_page().map_err(|error| error.to_string())?;
                    if !column.codes.is_empty() {
                        column.codes.resize(end - column.first, ABSENT);
                    }
                    row = end;
                    continue;
                }
            }
            let page = pages.get_next_page().map_err(|error| error.to_string())?;
            if column.codes.is_empty() {
                column.first = row;
            }
            column.page(page.ok_or("a page is missing")?, rows)?;
            row = row.max(column.first + column.codes.len());
        }
        if row < within.end {
            return Err("a column has too few rows".to_owned());
        }
        column.finish().map_err(str::to_owned)
    }

    /// The rows that were read, with some between them that may not have been.
    pub(crate) fn span(&self) -> (usize, &[u32]) {
        (self.first, &self.codes)
    }

    /// The code of a row, or [`ABSENT`].
    pub(crate) fn code(&self, row: usize) -> u32 {
        let code = row.checked_sub(self.first).and_then(|row| self.codes.get(row));
        code.copied().unwrap_or(ABSENT)
    }

    /// The texts that occur, by code.
    pub(crate) fn distinct(&self) -> impl ExactSizeIterator<Item = &str> {
        (0..self.ends.len()).map(|code| self.by_code(code))
    }

    /// The texts one after the other, and where each ends.
    pub(crate) fn all(&self) -> (&str, &[usize]) {
        (&self.text, &self.ends)
    }

    /// The text of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let code = self.code(row);
        (code != ABSENT).then(|| self.by_code(code as usize))
    }

    /// The text of a code.
    pub(crate) fn by_code(&self, code: usize) -> &str {
        let start = code.checked_sub(1).and_then(|before| self.ends.get(before)).copied();
        let end = self.ends.get(code).copied().unwrap_or(self.text.len());
        self.text.get(start.unwrap_or(0)..end).unwrap_or_default()
    }

    /// Bytes of memory, near enough.
    pub(crate) fn size(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<usize>() + self.codes.len() * 4
    }
}

/// A column while its pages are read.
#[derive(Default)]
struct Reading {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    first: usize,
    codes: Vec<u32>,
}

impl Reading {
    /// Checks all texts at once, which is faster than one by one.
    fn finish(self) -> Result<TextColumn, Malformed> {
        let text = String::from_utf8(self.bytes).map_err(|_| "text is not UTF-8")?;
        if !self.ends.iter().all(|end| text.is_char_boundary(*end)) {
            return Err("text is not UTF-8");
        }
        Ok(TextColumn { text, ends: self.ends, first: self.first, codes: self.codes })
    }

    fn page(&mut self, page: Page, rows: usize) -> Result<(), Malformed> {
        match page {
            Page::DictionaryPage { buf, num_values, .. } => {
                self.texts(&mut Bytes(&buf), num_values as usize)
            }
            Page::DataPage { buf, num_values, encoding, .. } => {
                let count = num_values as usize;
                if count > rows.saturating_sub(self.first + self.codes.len()) {
                    return Err("a column has too many rows");
                }
                let mut bytes = Bytes(&buf);
                let length = bytes.u32()? as usize;
                let levels = levels(bytes.take(length)?, count)?;
                let present = match &levels {
                    Levels::Same(level) => count * usize::from(*level == 1),
                    Levels::Each(levels) => levels.iter().filter(|level| **level == 1).count(),
                };
                let codes = match encoding {
                    Encoding::PLAIN => {
                        let first = u32::try_from(self.ends.len()).map_err(|_| "too many texts")?;
                        self.texts(&mut bytes, present)?;
                        (first..).take(present).collect()
                    }
                    Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY => {
                        let [width] = bytes.array::<1>()?;
                        runs(bytes.0, u32::from(width), present)?
                    }
                    _ => return Err("a page has an encoding that is not written here"),
                };
                self.codes_of(&levels, count, codes)
            }
            Page::DataPageV2 { .. } => Err("a page has a version that is not written here"),
        }
    }

    fn codes_of(
        &mut self,
        levels: &Levels,
        count: usize,
        codes: Vec<u32>,
    ) -> Result<(), Malformed> {
        let greatest = codes.iter().copied().max();
        if greatest.is_some_and(|greatest| greatest as usize >= self.ends.len()) {
            return Err("a code has no text");
        }
        match levels {
            Levels::Each(levels) if codes.len() < count => {
                let mut codes = codes.into_iter();
                let level =
                    |level: &u32| if *level == 1 { codes.next().unwrap_or(ABSENT) } else { ABSENT };
                self.codes.extend(levels.iter().map(level));
            }
            _ if codes.len() == count => self.codes.extend(codes),
            _ => self.codes.resize(self.codes.len() + count, ABSENT),
        }
        Ok(())
    }

    fn texts(&mut self, bytes: &mut Bytes<'_>, count: usize) -> Result<(), Malformed> {
        self.bytes.reserve(bytes.0.len());
        for _ in 0..count {
            let length = bytes.u32()? as usize;
            self.bytes.extend_from_slice(bytes.take(length)?);
            self.ends.push(self.bytes.len());
        }
        Ok(())
    }
}

/// For each row whether it has a text.
enum Levels {
    /// The same of all.
    Same(u32),
    Each(Vec<u32>),
}

fn levels(bytes: &[u8], count: usize) -> Result<Levels, Malformed> {
    let mut run = Bytes(bytes);
    let header = run.length()?;
    if header & 1 == 0 && header >> 1 >= count && count > 0 {
        let [level] = run.array::<1>()?;
        return Ok(Levels::Same(u32::from(level)));
    }
    runs(bytes, 1, count).map(Levels::Each)
}

/// Reads `count` numbers of `width` bits in Parquet's hybrid of runs and bit-packing.
fn runs(bytes: &[u8], width: u32, count: usize) -> Result<Vec<u32>, Malformed> {
    if width > 32 {
        return Err("a bit width is too large");
    }
    let mut bytes = Bytes(bytes);
    let mut out: Vec<u32> = Vec::with_capacity(count);
    let byte_width = width.div_ceil(8) as usize;
    while out.len() < count {
        let header = bytes.length()?;
        let left = count - out.len();
        if header & 1 == 0 {
            let mut value = [0; 4];
            value.iter_mut().zip(bytes.take(byte_width)?).for_each(|(to, from)| *to = *from);
            let run = header >> 1;
            if run == 0 {
                return Err("a run is empty");
            }
            out.extend(std::iter::repeat_n(u32::from_le_bytes(value), run.min(left)));
        } else {
            let size = (header >> 1).checked_mul(width as usize).ok_or("a run is too large")?;
            // The last run of a page may be cut to the bytes that it needs.
            let size = size.min(bytes.0.len());
            unpack(bytes.take(size)?, width, left.min((header >> 1).saturating_mul(8)), &mut out)?;
        }
    }
    Ok(out)
}

fn unpack(packed: &[u8], width: u32, count: usize, out: &mut Vec<u32>) -> Result<(), Malformed> {
    if (packed.len() as u64) * 8 < u64::from(width) * count as u64 {
        return Err("a run ends early");
    }
    // Each number lies within the eight bytes from the one that it begins in; behind the last ones
    // zeros stand in for what is not there.
    let mut tail = [0; 16];
    let whole = packed.len().saturating_sub(8);
    let last = packed.get(whole..).unwrap_or_default();
    tail.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
    let (mask, width) = ((1_u64 << width) - 1, width as usize);
    out.extend((0..count).map(|number| {
        let bit = number * width;
        let (byte, shift) = (bit / 8, bit % 8);
        let word = match packed.get(byte..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(word) => u64::from_le_bytes(*word),
            None => tail
                .get(byte - whole..)
                .and_then(|rest| rest.first_chunk::<8>())
                .map_or(0, |word| u64::from_le_bytes(*word)),
        };
        u32::try_from(word >> shift & mask).unwrap_or(0)
    }));
    Ok(())
}

#[cfg(test)]
impl TextColumn {
    /// A column of these distinct texts, without rows.
    pub(crate) fn of_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut column = TextColumn::default();
        for text in texts {
            column.text.push_str(text);
            column.ends.push(column.text.len());
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_and_packed_numbers_mix() {
        // Three times 5 as a run, then 8 numbers of 3 bits: 0 to 7 (the format's own example).
        let bytes = [6, 5, 3, 0x88, 0xc6, 0xfa];
        assert_eq!(runs(&bytes, 3, 11).unwrap(), [5, 5, 5, 0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(runs(&bytes, 3, 5).unwrap(), [5, 5, 5, 0, 1]);
        assert!(runs(&bytes, 3, 12).is_err());
        assert!(runs(&bytes[..5], 3, 11).is_err());
        assert!(runs(&[0, 0], 8, 1).is_err());
        assert!(runs(&[], 33, 1).is_err());
        assert_eq!(runs(&[8], 0, 4).unwrap(), [0; 4]);
    }

    proptest::proptest! {
        #[test]
        fn packed_numbers_are_unpacked(
            width in 0..=32_u32, numbers in proptest::collection::vec(proptest::num::u32::ANY, 0..70),
        ) {
            let mask = ((1_u64 << width) - 1) as u32;
            let numbers: Vec<u32> = numbers.into_iter().map(|number| number & mask).collect();
            let mut packed = vec![0; (numbers.len() * width as usize).div_ceil(8)];
            for bit in 0..numbers.len() * width as usize {
                let (number, place) = (bit / width as usize, bit % width as usize);
                packed[bit / 8] |= u8::try_from(numbers[number] >> place & 1).unwrap() << (bit % 8);
            }
            let mut out = Vec::new();
            proptest::prop_assert!(unpack(&packed, width, numbers.len(), &mut out).is_ok());
            proptest::prop_assert_eq!(out, numbers);
        }
    }
}
