//! zstd (RFC 8878) with bounds on both sides.

use std::io::Read as _;

use crate::WireError;

/// Fast, and near the ratio of the default on log lines.
const LEVEL: i32 = 1;
/// The widest window taken, 8 MiB: what RFC 8878 section 3.1.1.1.2 asks every decoder to support.
const WINDOW_LOG_MAX: u32 = 23;

/// Compresses a body as one zstd frame.
pub fn compress(body: &[u8]) -> Result<Vec<u8>, WireError> {
    Ok(zstd::bulk::compress(body, LEVEL)?)
}

/// Decompresses a body; an error where it would grow past `limit` bytes.
///
/// Memory grows with what really comes out, never with what the frame claims.
pub fn decompress(body: &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(body)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    let mut plain = Vec::with_capacity(limit.min(body.len().saturating_mul(4)));
    let one_too_many = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder.take(one_too_many).read_to_end(&mut plain)?;
    if plain.len() > limit {
        return Err(WireError::TooLarge { what: "bytes decompressed", limit });
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_refused_and_a_fair_body_comes_back() {
        let body = vec![b'a'; 1 << 20];
        let small = compress(&body).unwrap();
        assert!(small.len() < 1000);
        assert_eq!(decompress(&small, 1 << 20).unwrap(), body);
        assert!(matches!(decompress(&small, (1 << 20) - 1), Err(WireError::TooLarge { .. })));
    }

    #[test]
    fn garbage_and_a_cut_frame_are_errors() {
        let whole = compress(b"some text that is long enough to be cut").unwrap();
        for bad in [&b"not zstd at all"[..], &whole[..whole.len() - 3]] {
            assert!(matches!(decompress(bad, 1000), Err(WireError::Compression(_))), "{bad:?}");
        }
    }
}
