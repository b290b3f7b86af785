//! The native batch format: what an agent posts to a hub, as bytes in and bytes out.
//!
//! # `POST /api/v1/batches`
//! Request headers: `Authorization: Bearer <token>`, `Content-Type: application/x-ndjson`,
//! `Content-Encoding: zstd` or `identity`. The body is newline-delimited JSON. Line 1 is the header:
//!
//! ```json
//! {"batch":"<32 hex digits>","agent":"web1","version":"0.1.0","origins":[{"kind":"file","path":"/var/log/auth.log","host":"web1","time_zone":"Europe/Berlin"}]}
//! ```
//!
//! Every further line is one record:
//!
//! | key | meaning |
//! |---|---|
//! | `o` | position in `origins` |
//! | `t` | when the agent read it, microseconds since 1970-01-01 UTC |
//! | `l` | the raw bytes, where they are UTF-8 |
//! | `b` | the raw bytes in base64 (RFC 4648, section 4, padded); exactly one of `l` and `b` |
//! | `c` | `true` where the line was cut at [`MAX_RAW`] bytes; absent otherwise |
//!
//! | answer | the sender must |
//! |---|---|
//! | 200 [`Receipt`] | forget the batch: it is durable, now or since an earlier try |
//! | 401, 403, 404, 405, 407, 408, 421, 425, 429 | keep it and try again: not the bytes are at fault |
//! | any other 4xx | not send the same bytes again |
//! | 5xx, no answer | keep it and try again, not before `Retry-After` where that is given |
//!
//! A batch without records says that the agent is alive; the hub stores it nowhere.
//!
//! A batch id is made once, before the first try, and kept through every retry, so that a hub which
//! remembers ids stores each batch once. Nothing here touches a network, a file or a clock.

mod compression;
mod decode;
mod encode;
mod receipt;

use bergfried_event::{Origin, Record};

pub use compression::{compress, decompress};
pub use decode::{Limits, decode, kinds};
pub use encode::{encode, encode_header, encode_record};
pub use receipt::{Receipt, Status};

/// The path of the batch API on a hub.
pub const PATH: &str = "/api/v1/batches";
/// The media type of an uncompressed batch.
pub const CONTENT_TYPE: &str = "application/x-ndjson";
/// The version of the format that [`encode`] writes.
pub const VERSION: &str = "0.1.0";
/// The most bytes of one record; a longer line is cut here and marked.
pub const MAX_RAW: usize = 1 << 20;

/// Records that travel, are stored and are acknowledged together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<'a> {
    /// The batch's own id; 32 hex digits in JSON.
    pub id: [u8; 16],
    /// The name of the agent that sends it.
    pub agent: String,
    /// Where the records came from.
    pub origins: Vec<Origin>,
    /// Each record with its position in `origins`, in the order in which they were read.
    pub records: Vec<(u16, Record<'a>)>,
}

/// A body that is no batch. All of these are the sender's fault: the same bytes fail again.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// A line is not what it must be.
    #[error("cannot read line {line} of the batch: {reason}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// More records or bytes than the receiver takes at once.
    #[error("cannot take the batch: more than {limit} {what}")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The most that is taken.
        limit: usize,
    },
    /// The body does not decompress.
    #[error("cannot decompress the batch: {0}")]
    Compression(#[from] std::io::Error),
}

/// The 32 lower-case hex digits of a batch id.
pub fn id_to_hex(id: &[u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(*id))
}

/// The batch id that these 32 hex digits spell.
pub fn id_from_hex(text: &str) -> Option<[u8; 16]> {
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}
