//! Opens one input and takes compression and UTF-16 off.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Input;

const BUFFER: usize = 256 * 1024;
/// How much memory an xz stream may ask for.
const XZ_MEMORY: u64 = 256 << 20;
/// How much of the start of an input is looked at to tell what it holds.
const LOOKED_AT: usize = 4096;

/// An input as its plain bytes.
pub(super) struct Plain {
    pub(super) reader: Box<dyn BufRead + Send>,
    /// The first line of it, at most 4 KiB, without a byte order mark; `reader` begins with it.
    pub(super) start: Vec<u8>,
    /// Whether the bytes are those of the file itself.
    pub(super) as_stored: bool,
}

/// Opens the input and, where its first bytes say so, decompresses it (gzip, zstd, xz) and turns
/// UTF-16 into UTF-8.
///
/// `taken` counts the bytes read before decompression.
pub(super) fn open(input: &Input, taken: Arc<AtomicU64>) -> io::Result<Plain> {
    let raw: Box<dyn Read + Send> = match input {
        Input::Stdin => Box::new(io::stdin()),
        Input::File(path) => Box::new(File::open(path)?),
    };
    let mut raw = BufReader::with_capacity(BUFFER, Counted { inner: raw, taken });
    // A read may return less than asked for, so a pipe's first bytes are looked at as they come.
    let start = raw.fill_buf()?;
    let mut as_stored = false;
    let reader: Box<dyn BufRead + Send> = if start.starts_with(&[0x1f, 0x8b]) {
        buffered(flate2::bufread::MultiGzDecoder::new(raw))
    } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        buffered(zstd::stream::read::Decoder::with_buffer(raw)?)
    } else if start.starts_with(b"\xfd7zXZ\0") {
        let stream =
            liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, liblzma::stream::CONCATENATED)
                .map_err(io::Error::other)?;
        buffered(liblzma::bufread::XzDecoder::new_stream(raw, stream))
    } else {
        as_stored = true;
        Box::new(raw)
    };
    without_mark(reader, as_stored)
}

/// Takes the byte order mark off, and UTF-16 with it.
fn without_mark(mut reader: Box<dyn BufRead + Send>, as_stored: bool) -> io::Result<Plain> {
    let start = first_line(reader.as_mut())?;
    let marked = |mark: &[u8]| start.starts_with(mark);
    if marked(&[0xff, 0xfe]) || marked(&[0xfe, 0xff]) {
        let big = marked(&[0xfe, 0xff]);
        let rest = io::Cursor::new(start.get(2..).unwrap_or_default().to_vec()).chain(reader);
        let mut reader = buffered(Utf16 { inner: rest, big, half: None, text: Vec::new(), at: 0 });
        let start = first_line(reader.as_mut())?;
        let reader = Box::new(io::Cursor::new(start.clone()).chain(reader));
        return Ok(Plain { reader, start, as_stored: false });
    }
    let plain = start.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&start).to_vec();
    let reader = Box::new(io::Cursor::new(plain.clone()).chain(reader));
    Ok(Plain { reader, start: plain, as_stored })
}

/// Reads the first line with its ending, or so much of it as is looked at.
fn first_line(reader: &mut dyn BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    while line.len() < LOOKED_AT && !line.ends_with(b"\n") {
        let available = match reader.fill_buf() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            other => other?,
        };
        if available.is_empty() {
            break;
        }
        let room = available.get(..LOOKED_AT - line.len()).unwrap_or(available);
        let end = memchr::memchr(b'\n', room).map_or(room.len(), |end| end + 1);
        line.extend_from_slice(room.get(..end).unwrap_or(room));
        reader.consume(end);
    }
    Ok(line)
}

fn buffered(reader: impl Read + Send + 'static) -> Box<dyn BufRead + Send> {
    Box::new(BufReader::with_capacity(BUFFER, reader))
}

struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// UTF-16, which PowerShell writes, as UTF-8; half a surrogate pair becomes U+FFFD.
struct Utf16<R> {
    inner: R,
    big: bool,
    /// The first half of a surrogate pair, at the end of what was read.
    half: Option<u16>,
    text: Vec<u8>,
    at: usize,
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.text.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let ready = self.text.get(self.at..).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}

impl<R: Read> Utf16<R> {
    fn refill(&mut self) -> io::Result<bool> {
        let mut bytes = Vec::with_capacity(8192);
        self.inner.by_ref().take(8192).read_to_end(&mut bytes)?;
        let ended = bytes.is_empty();
        let (pairs, _odd) = bytes.as_chunks::<2>();
        let unit = |pair: &[u8; 2]| {
            if self.big { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) }
        };
        let mut units: Vec<u16> = self.half.take().into_iter().collect();
        units.extend(pairs.iter().map(unit));
        if !ended && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            self.half = units.pop();
        }
        self.text.clear();
        self.at = 0;
        let mut utf8 = [0; 4];
        for character in char::decode_utf16(units) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.text.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
        }
        Ok(!ended || !self.text.is_empty())
    }
}
