//! Opens what a person names on the command line: files, directories, compressed files, `-`.
//!
//! Never holds more than one line (and the decompressor's window) of a file in memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bergfried_event::Timestamp;

/// The longest line that is read whole, in bytes; what comes after is skipped and counted.
pub(crate) const MAX_LINE: usize = 1 << 20;

const BUFFER: usize = 256 * 1024;
/// How much memory an xz stream may ask for.
const XZ_MEMORY: u64 = 256 << 20;

/// Where lines come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl Input {
    pub(crate) fn from_argument(argument: &Path) -> Input {
        if argument.as_os_str() == "-" { Input::Stdin } else { Input::File(argument.to_owned()) }
    }

    /// As a person would name it.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::Stdin => "standard input".to_owned(),
            Input::File(path) => path.display().to_string(),
        }
    }
}

impl Input {
    /// When a file was last changed, but not after `now`; what year-less stamps are read against.
    pub(crate) fn last_written(&self, now: Timestamp) -> Timestamp {
        let Input::File(path) = self else { return now };
        path.metadata()
            .and_then(|metadata| metadata.modified())
            .ok()
            .and_then(|time| jiff::Timestamp::try_from(time).ok())
            .map_or(now, |time| Timestamp::from(time).min(now))
    }
}

/// A path that could not be read, and why.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) name: String,
    pub(crate) error: io::Error,
}

/// The files under the arguments, directories walked in name order; links to directories are not
/// followed, so that no walk is endless.
pub(crate) fn expand(arguments: &[PathBuf]) -> (Vec<Input>, Vec<Unreadable>) {
    let (mut inputs, mut unreadable) = (Vec::new(), Vec::new());
    for argument in arguments {
        match Input::from_argument(argument) {
            Input::File(path) if path.is_dir() => walk(&path, &mut inputs, &mut unreadable),
            input => inputs.push(input),
        }
    }
    (inputs, unreadable)
}

fn walk(directory: &Path, inputs: &mut Vec<Input>, unreadable: &mut Vec<Unreadable>) {
    let listed = std::fs::read_dir(directory)
        .and_then(|entries| entries.collect::<io::Result<Vec<std::fs::DirEntry>>>());
    let mut entries = match listed {
        Ok(entries) => entries,
        Err(error) => {
            unreadable.push(Unreadable { name: directory.display().to_string(), error });
            return;
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(&entry.path(), inputs, unreadable),
            Ok(kind) if kind.is_file() || (kind.is_symlink() && entry.path().is_file()) => {
                inputs.push(Input::File(entry.path()));
            }
            Ok(_) => {}
            Err(error) => {
                unreadable.push(Unreadable { name: entry.path().display().to_string(), error });
            }
        }
    }
}

/// The lines of one input, one at a time.
pub(crate) struct Lines {
    reader: Box<dyn BufRead>,
    line: Vec<u8>,
    cut: bool,
}

impl Lines {
    /// Opens the input and, where its first bytes say so, decompresses it (gzip, zstd, xz).
    ///
    /// `taken` counts the bytes read before decompression.
    pub(crate) fn open(input: &Input, taken: Arc<AtomicU64>) -> io::Result<Lines> {
        let raw: Box<dyn Read> = match input {
            Input::Stdin => Box::new(io::stdin().lock()),
            Input::File(path) => Box::new(File::open(path)?),
        };
        let mut raw = BufReader::with_capacity(BUFFER, Counted { inner: raw, taken });
        // A read may return less than asked for, so a pipe's first bytes are looked at as they come.
        let start = raw.fill_buf()?;
        let reader: Box<dyn BufRead> = if start.starts_with(&[0x1f, 0x8b]) {
            buffered(flate2::bufread::MultiGzDecoder::new(raw))
        } else if start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
            buffered(zstd::stream::read::Decoder::with_buffer(raw)?)
        } else if start.starts_with(b"\xfd7zXZ\0") {
            let stream = liblzma::stream::Stream::new_stream_decoder(
                XZ_MEMORY,
                liblzma::stream::CONCATENATED,
            )
            .map_err(io::Error::other)?;
            buffered(liblzma::bufread::XzDecoder::new_stream(raw, stream))
        } else {
            Box::new(raw)
        };
        Ok(Lines { reader, line: Vec::new(), cut: false })
    }

    /// The next line without its ending (`\n` or `\r\n`), or nothing at the end.
    ///
    /// A line longer than [`MAX_LINE`] is cut there; [`Lines::was_cut`] tells.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        self.cut = false;
        let mut any = false;
        loop {
            let available = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                other => other?,
            };
            if available.is_empty() {
                return Ok(any.then(|| trimmed(&self.line)));
            }
            any = true;
            let end = memchr::memchr(b'\n', available);
            let taken = available.get(..end.unwrap_or(available.len())).unwrap_or(available);
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.cut |= taken.len() > room;
            self.line.extend_from_slice(taken.get(..room).unwrap_or(taken));
            let used = taken.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                return Ok(Some(trimmed(&self.line)));
            }
        }
    }

    /// Whether the line last read was cut.
    pub(crate) fn was_cut(&self) -> bool {
        self.cut
    }

    /// The line last read.
    pub(crate) fn current(&self) -> &[u8] {
        trimmed(&self.line)
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn buffered(reader: impl Read + 'static) -> Box<dyn BufRead> {
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

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read_all(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let mut lines = Lines::open(&Input::File(file.path().to_owned()), Arc::default()).unwrap();
        let mut read = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            read.push(line.to_vec());
        }
        read
    }

    #[test]
    fn plain_and_compressed_lines_are_the_same() {
        let text = b"one\r\n\ntwo\nhalf";
        let expected: Vec<Vec<u8>> =
            [&b"one"[..], b"", b"two", b"half"].iter().map(|line| line.to_vec()).collect();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(text).unwrap();
        let mut xz = liblzma::write::XzEncoder::new(Vec::new(), 1);
        xz.write_all(text).unwrap();
        for bytes in [
            text.to_vec(),
            gz.finish().unwrap(),
            zstd::encode_all(&text[..], 1).unwrap(),
            xz.finish().unwrap(),
        ] {
            assert_eq!(read_all(&bytes), expected);
        }
        assert!(read_all(b"").is_empty());
    }

    #[test]
    fn endless_lines_are_cut() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; MAX_LINE + 5]).unwrap();
        file.write_all(b"\nnext\n").unwrap();
        let mut lines = Lines::open(&Input::File(file.path().to_owned()), Arc::default()).unwrap();
        assert_eq!(lines.next_line().unwrap().map(<[u8]>::len), Some(MAX_LINE));
        assert!(lines.was_cut());
        assert_eq!(lines.next_line().unwrap(), Some(&b"next"[..]));
        assert!(!lines.was_cut());
    }

    #[test]
    fn a_broken_archive_is_an_error_not_an_end() {
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&b"line\n".repeat(100_000)).unwrap();
        let whole = gz.finish().unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&whole[..whole.len() / 2]).unwrap();
        let mut lines = Lines::open(&Input::File(file.path().to_owned()), Arc::default()).unwrap();
        let error = loop {
            match lines.next_line() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("a cut archive ended as if it were whole"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }
}
