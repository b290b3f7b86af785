//! The index file beside a segment: what each row group holds, its filter, and the checksums by
//! which every byte that is read from the segment is checked first.
//!
//! What every search looks at comes first and is kept in memory. Behind it lie pieces that only
//! those searches read which look into a row group: where its pages are, and what is in which of
//! its stretches.

use std::path::Path;

use bergfried_event::{Field, FieldName, Timestamp};

use crate::bytes_io::{Bytes, Malformed, put_length, put_signed, put_text, put_varint};
use crate::error::StoreError;

const MAGIC: &[u8; 8] = b"BFINDEX\x02";
/// The first version had one checksum for each column of a row group, and no pieces.
const FIRST_MAGIC: &[u8; 8] = b"BFINDEX\x01";
const CHECKSUM: usize = 16;

/// A short BLAKE3.
pub(crate) type Checksum = [u8; CHECKSUM];

/// The checksum of some bytes.
pub(crate) fn checksum(bytes: &[u8]) -> Checksum {
    let mut short = [0; CHECKSUM];
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes).finalize_xof().fill(&mut short);
    short
}

/// What one row group holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowGroupIndex {
    pub(crate) rows: usize,
    pub(crate) created: (Timestamp, Timestamp),
    pub(crate) ids: (u64, u64),
    /// Fields that have a column, but also values that it cannot hold.
    pub(crate) spilled: Vec<FieldName<'static>>,
    pub(crate) checks: Checks,
    pub(crate) filter: Vec<u8>,
    /// The words and values of each stretch (see [`super::words`]).
    pub(crate) words: Option<Piece>,
}

/// By what the columns of a row group are checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checks {
    /// Each column as a whole, in files of the first version.
    Columns(Vec<Checksum>),
    /// Page by page: the piece is a [`super::layout::Layout`].
    Pages(Piece),
}

/// A part of the index file behind what every search looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    /// From the first piece on.
    start: usize,
    pub(crate) length: usize,
    pub(crate) checksum: Checksum,
}

/// The index of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    /// Bytes of Parquet metadata at the end of the file, without its length and magic.
    pub(crate) footer: usize,
    pub(crate) footer_checksum: Checksum,
    pub(crate) row_groups: Vec<RowGroupIndex>,
    /// While the index is made: the pieces, one after the other.
    pieces: Vec<u8>,
    /// Once it was read: where the first piece begins in the file.
    before_pieces: usize,
}

impl Index {
    /// Adds a piece.
    pub(crate) fn add_piece(&mut self, bytes: &[u8]) -> Piece {
        let start = self.pieces.len();
        self.pieces.extend_from_slice(bytes);
        Piece { start, length: bytes.len(), checksum: checksum(bytes) }
    }

    /// Where a piece begins in the file.
    pub(crate) fn place(&self, piece: &Piece) -> u64 {
        self.before_pieces as u64 + piece.start as u64
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        put_length(&mut out, self.footer);
        out.extend_from_slice(&self.footer_checksum);
        put_length(&mut out, self.row_groups.len());
        for group in &self.row_groups {
            put_length(&mut out, group.rows);
            put_signed(&mut out, group.created.0.micros());
            put_signed(&mut out, group.created.1.micros());
            put_varint(&mut out, group.ids.0);
            put_varint(&mut out, group.ids.1);
            put_length(&mut out, group.spilled.len());
            group.spilled.iter().for_each(|field| put_text(&mut out, field.as_str()));
            if let Checks::Pages(piece) = &group.checks {
                piece.put(&mut out);
            }
            group.words.unwrap_or_default().put(&mut out);
            put_length(&mut out, group.filter.len());
            out.extend_from_slice(&group.filter);
        }
        out.extend_from_slice(&self.pieces);
        out
    }

    /// Reads an index whose hash is known to be right.
    pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        Index::parse(bytes).map_err(|reason| StoreError::corrupt(path, reason))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut bytes = Bytes(bytes);
        let all = bytes.0.len();
        let first_version = match &bytes.array::<8>()? {
            magic if magic == MAGIC => false,
            magic if magic == FIRST_MAGIC => true,
            _ => return Err("it is no index"),
        };
        let mut index =
            Index { footer: bytes.length()?, footer_checksum: bytes.array()?, ..Index::default() };
        for _ in 0..bytes.length()? {
            let rows = bytes.length()?;
            let created = (bytes.signed()?, bytes.signed()?);
            let ids = (bytes.varint()?, bytes.varint()?);
            let mut spilled = Vec::new();
            for _ in 0..bytes.length()? {
                spilled.push(FieldName::new(bytes.text()?).into_owned());
            }
            let (checks, words) = if first_version {
                let mut columns = Vec::new();
                for _ in 0..bytes.length()? {
                    columns.push(bytes.array()?);
                }
                (Checks::Columns(columns), None)
            } else {
                let pages = Piece::read(&mut bytes)?;
                (Checks::Pages(pages), Some(Piece::read(&mut bytes)?))
            };
            let length = bytes.length()?;
            let filter = bytes.take(length)?.to_vec();
            let created = (Timestamp::from_micros(created.0), Timestamp::from_micros(created.1));
            let group = RowGroupIndex { rows, created, ids, spilled, checks, filter, words };
            index.row_groups.push(group);
        }
        index.before_pieces = all - bytes.0.len();
        let last = index
            .row_groups
            .iter()
            .flat_map(RowGroupIndex::pieces)
            .map(|piece| piece.start.checked_add(piece.length))
            .try_fold(0, |last, end| Some(last.max(end?)));
        if last != Some(bytes.0.len()) {
            return Err("its pieces do not fit");
        }
        Ok(index)
    }

    /// Bytes of memory, near enough.
    pub(crate) fn size(&self) -> usize {
        let columns = |group: &RowGroupIndex| match &group.checks {
            Checks::Columns(columns) => columns.len() * CHECKSUM,
            Checks::Pages(_) => 0,
        };
        self.row_groups.iter().map(|group| group.filter.len() + columns(group)).sum()
    }
}

impl Piece {
    fn put(&self, out: &mut Vec<u8>) {
        put_length(out, self.start);
        put_length(out, self.length);
        out.extend_from_slice(&self.checksum);
    }

    fn read(bytes: &mut Bytes<'_>) -> Result<Self, Malformed> {
        Ok(Piece { start: bytes.length()?, length: bytes.length()?, checksum: bytes.array()? })
    }
}

impl RowGroupIndex {
    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        let pages = match &self.checks {
            Checks::Pages(piece) => Some(piece),
            Checks::Columns(_) => None,
        };
        pages.into_iter().chain(&self.words)
    }

    /// Whether the field has values that its column cannot hold.
    pub(crate) fn has_spilled(&self, field: Field) -> bool {
        self.spilled.contains(&FieldName::Known(field))
    }
}

#[cfg(test)]
impl Index {
    /// Its bytes as the first version wrote them, of row groups that are checked by columns.
    pub(crate) fn to_first_version(&self) -> Vec<u8> {
        let mut out = FIRST_MAGIC.to_vec();
        put_length(&mut out, self.footer);
        out.extend_from_slice(&self.footer_checksum);
        put_length(&mut out, self.row_groups.len());
        for group in &self.row_groups {
            put_length(&mut out, group.rows);
            put_signed(&mut out, group.created.0.micros());
            put_signed(&mut out, group.created.1.micros());
            put_varint(&mut out, group.ids.0);
            put_varint(&mut out, group.ids.1);
            put_length(&mut out, group.spilled.len());
            group.spilled.iter().for_each(|field| put_text(&mut out, field.as_str()));
            let Checks::Columns(columns) = &group.checks else { continue };
            put_length(&mut out, columns.len());
            columns.iter().for_each(|column| out.extend_from_slice(column));
            put_length(&mut out, group.filter.len());
            out.extend_from_slice(&group.filter);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(checks: Checks, words: Option<Piece>) -> RowGroupIndex {
        RowGroupIndex {
            rows: 9,
            created: (Timestamp::MIN, Timestamp::MAX),
            ids: (1, u64::MAX),
            spilled: vec![Field::UserName.into()],
            checks,
            filter: vec![1, 2, 3],
            words,
        }
    }

    #[test]
    fn reads_back_and_refuses_every_cut() {
        let mut index =
            Index { footer: 77, footer_checksum: checksum(b"footer"), ..Index::default() };
        for (pages, words) in [(&b"where pages are"[..], &b"words"[..]), (b"more", b"")] {
            let (pages, words) = (index.add_piece(pages), index.add_piece(words));
            index.row_groups.push(group(Checks::Pages(pages), Some(words)));
        }
        let bytes = index.to_bytes();
        let path = Path::new("x");
        let read = Index::read(path, &bytes).unwrap();
        assert_eq!(read.row_groups, index.row_groups);
        assert_eq!((read.footer, read.footer_checksum), (77, checksum(b"footer")));
        for piece in read.row_groups.iter().flat_map(RowGroupIndex::pieces) {
            let start = usize::try_from(read.place(piece)).unwrap();
            assert_eq!(checksum(&bytes[start..start + piece.length]), piece.checksum);
        }
        for end in 0..bytes.len() {
            assert!(Index::read(path, &bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn reads_the_first_version() {
        let columns = vec![checksum(b"a"), checksum(b"b")];
        let mut index = Index { footer: 77, ..Index::default() };
        index.row_groups.push(group(Checks::Columns(columns.clone()), None));
        let bytes = index.to_first_version();
        let read = Index::read(Path::new("x"), &bytes).unwrap();
        assert_eq!(read.row_groups, [group(Checks::Columns(columns), None)]);
        for end in 0..bytes.len() {
            assert!(Index::read(Path::new("x"), &bytes[..end]).is_err(), "{end}");
        }
    }
}
