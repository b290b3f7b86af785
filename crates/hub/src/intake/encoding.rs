//! Compressed bodies: what is taken, and decompression that no bomb can swell past its cap.

use std::io::Read;

use axum::http::{HeaderMap, StatusCode, header};
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use crate::error::ApiError;

/// How a body is compressed (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Identity,
    Gzip,
    /// The zlib format, as RFC 9110 defines the word.
    Deflate,
    Zstd,
}

impl Encoding {
    /// What the headers say.
    ///
    /// # Errors
    /// 415 for any encoding that is not taken, and for several on top of each other.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Encoding, ApiError> {
        let Some(value) = headers.get(header::CONTENT_ENCODING) else {
            return Ok(Encoding::Identity);
        };
        let word = value.to_str().unwrap_or("?").trim().to_ascii_lowercase();
        match word.as_str() {
            "" | "identity" => Ok(Encoding::Identity),
            "gzip" | "x-gzip" => Ok(Encoding::Gzip),
            "deflate" => Ok(Encoding::Deflate),
            "zstd" => Ok(Encoding::Zstd),
            _ => Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!(
                    "content encoding `{}` is not taken, expected gzip, zstd, deflate or identity",
                    word.escape_debug()
                ),
            )),
        }
    }

    /// The body decompressed, of at most `limit` bytes.
    ///
    /// Memory grows with what really comes out, never with what the body claims.
    ///
    /// # Errors
    /// 413 where more comes out, 400 where the body is not so compressed or ends early.
    pub(crate) fn decode(self, body: &[u8], limit: usize) -> Result<Vec<u8>, ApiError> {
        match self {
            Encoding::Identity => Ok(body.to_vec()),
            Encoding::Gzip => read(MultiGzDecoder::new(body), limit),
            Encoding::Deflate => read(ZlibDecoder::new(body), limit),
            Encoding::Zstd => {
                bergfried_wire::decompress(body, limit).map_err(|error| match error {
                    bergfried_wire::WireError::TooLarge { .. } => too_large(limit),
                    error => ApiError::invalid(error.to_string()),
                })
            }
        }
    }
}

fn read(decoder: impl Read, limit: usize) -> Result<Vec<u8>, ApiError> {
    let one_too_many = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let mut plain = Vec::new();
    decoder
        .take(one_too_many)
        .read_to_end(&mut plain)
        .map_err(|error| ApiError::invalid(format!("cannot decompress the body: {error}")))?;
    if plain.len() > limit { Err(too_large(limit)) } else { Ok(plain) }
}

fn too_large(limit: usize) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("a body has at most {limit} bytes decompressed, send less at once"),
    )
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use axum::http::HeaderValue;
    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    fn packed(encoding: Encoding, plain: &[u8]) -> Vec<u8> {
        match encoding {
            Encoding::Identity => plain.to_vec(),
            Encoding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(plain).unwrap();
                encoder.finish().unwrap()
            }
            Encoding::Zstd => bergfried_wire::compress(plain).unwrap(),
        }
    }

    const COMPRESSED: [Encoding; 3] = [Encoding::Gzip, Encoding::Deflate, Encoding::Zstd];

    #[test]
    fn bodies_come_back_and_bombs_are_refused() {
        let plain = vec![b'a'; 1 << 20];
        for encoding in COMPRESSED {
            let body = packed(encoding, &plain);
            assert!(body.len() < 100_000, "{encoding:?}");
            assert_eq!(encoding.decode(&body, plain.len()).unwrap(), plain, "{encoding:?}");
            let error = encoding.decode(&body, plain.len() - 1).unwrap_err();
            assert_eq!(error.status(), StatusCode::PAYLOAD_TOO_LARGE, "{encoding:?}");
        }
        let several = [packed(Encoding::Gzip, b"one\n"), packed(Encoding::Gzip, b"two\n")].concat();
        assert_eq!(Encoding::Gzip.decode(&several, 100).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn garbage_and_a_cut_body_are_the_senders_fault() {
        for encoding in COMPRESSED {
            let whole = packed(encoding, b"some text that is long enough to be cut");
            for bad in [&b"not compressed at all"[..], &whole[..whole.len() - 3], &whole[..5], b""]
            {
                let Err(error) = encoding.decode(bad, 1000) else {
                    panic!("{encoding:?} took {bad:?}")
                };
                assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{encoding:?} {bad:?}");
            }
        }
    }

    #[test]
    fn encodings_are_named() {
        for (value, expected) in [
            ("gzip", Some(Encoding::Gzip)),
            ("X-GZip", Some(Encoding::Gzip)),
            ("zstd", Some(Encoding::Zstd)),
            ("deflate", Some(Encoding::Deflate)),
            ("identity", Some(Encoding::Identity)),
            ("br", None),
            ("gzip, gzip", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(Encoding::of(&headers).ok(), expected, "{value}");
        }
        assert_eq!(Encoding::of(&HeaderMap::new()).unwrap(), Encoding::Identity);
    }
}
