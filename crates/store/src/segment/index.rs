//! The index file beside a segment: what each row group holds, its filter, and the checksums by
//! which every byte that is read from the segment is checked first.

use std::path::Path;

use bergfried_event::{Field, FieldName, Timestamp};

use crate::bytes_io::{Bytes, Malformed, put_length, put_signed, put_text, put_varint};
use crate::error::StoreError;

const MAGIC: &[u8; 8] = b"BFINDEX\x01";
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
    /// One for each column.
    pub(crate) chunks: Vec<Checksum>,
    pub(crate) filter: Vec<u8>,
}

/// The index of a segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index {
    /// Bytes of Parquet metadata at the end of the file, without its length and magic.
    pub(crate) footer: usize,
    pub(crate) footer_checksum: Checksum,
    pub(crate) row_groups: Vec<RowGroupIndex>,
}

impl Index {
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
            put_length(&mut out, group.chunks.len());
            group.chunks.iter().for_each(|chunk| out.extend_from_slice(chunk));
            put_length(&mut out, group.filter.len());
            out.extend_from_slice(&group.filter);
        }
        out
    }

    /// Reads an index whose hash is known to be right.
    pub(crate) fn read(path: &Path, bytes: &[u8]) -> Result<Self, StoreError> {
        Index::parse(bytes).map_err(|reason| StoreError::corrupt(path, reason))
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut bytes = Bytes(bytes);
        if bytes.array::<8>()? != *MAGIC {
            return Err("it is no index");
        }
        let mut index = Index {
            footer: bytes.length()?,
            footer_checksum: bytes.array()?,
            row_groups: Vec::new(),
        };
        for _ in 0..bytes.length()? {
            let rows = bytes.length()?;
            let created = (bytes.signed()?, bytes.signed()?);
            let ids = (bytes.varint()?, bytes.varint()?);
            let mut spilled = Vec::new();
            for _ in 0..bytes.length()? {
                spilled.push(FieldName::new(bytes.text()?).into_owned());
            }
            let mut chunks = Vec::new();
            for _ in 0..bytes.length()? {
                chunks.push(bytes.array()?);
            }
            let length = bytes.length()?;
            let filter = bytes.take(length)?.to_vec();
            let created = (Timestamp::from_micros(created.0), Timestamp::from_micros(created.1));
            index.row_groups.push(RowGroupIndex { rows, created, ids, spilled, chunks, filter });
        }
        Ok(index)
    }

    /// Bytes of memory, near enough.
    pub(crate) fn size(&self) -> usize {
        self.row_groups.iter().map(|group| group.filter.len() + group.chunks.len() * CHECKSUM).sum()
    }
}

impl RowGroupIndex {
    /// Whether the field has values that its column cannot hold.
    pub(crate) fn has_spilled(&self, field: Field) -> bool {
        self.spilled.contains(&FieldName::Known(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_and_refuses_every_cut() {
        let index = Index {
            footer: 77,
            footer_checksum: checksum(b"footer"),
            row_groups: vec![RowGroupIndex {
                rows: 9,
                created: (Timestamp::MIN, Timestamp::MAX),
                ids: (1, u64::MAX),
                spilled: vec![Field::UserName.into()],
                chunks: vec![checksum(b"a"), checksum(b"b")],
                filter: vec![1, 2, 3],
            }],
        };
        let bytes = index.to_bytes();
        let path = Path::new("x");
        assert_eq!(Index::read(path, &bytes).unwrap(), index);
        for end in 0..bytes.len() {
            assert!(Index::read(path, &bytes[..end]).is_err(), "{end}");
        }
    }
}
