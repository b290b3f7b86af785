//! A line as a source hands it out.

/// The longest line in bytes; what comes after is passed over up to the next line end.
pub const MAX_LINE: usize = 1 << 20;

/// A line as read, without its line end (LF or CR LF).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The path it was written to (also after that file was rotated away), or the source's name.
    pub path: &'a str,
    /// Its bytes, at most [`MAX_LINE`].
    pub raw: &'a [u8],
    /// Whether it was longer than [`MAX_LINE`].
    pub truncated: bool,
}

/// What a sink says after it took a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// There is room for another.
    More,
    /// This was the last; read again later.
    Full,
}

/// Where a source that was never read before begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// The last 10 MiB of a file from a line start on (all of a smaller one); the last 10,000
    /// entries of the journal.
    #[default]
    Recent,
    /// Everything that is there.
    Start,
    /// Only what is written from now on.
    End,
}
