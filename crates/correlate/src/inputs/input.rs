//! One input: a file that grows, is cut, moved away and made again; a FIFO; or standard input.

use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::ops::Range;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// The longest line, in bytes; what is longer is cut.
pub(crate) const LINE: usize = 1 << 20;
/// How much is read at once where nobody says.
pub(crate) const BLOCK: usize = 256 << 10;

/// Where reading begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begin {
    Start,
    End,
    At(u64),
}

/// How an input is opened.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(crate) block: usize,
    pub(crate) read_write_fifo: bool,
    /// Whether the end of an input is the end of it.
    pub(crate) ends: bool,
}

/// What reading came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// More bytes.
    Data,
    /// Nothing yet.
    Nothing,
    /// The end of what there is to read; nothing more comes.
    End,
    /// The last writer of a pipe has gone.
    NoWriter,
    /// The file was cut, or is another one now, and must be opened anew.
    Truncated,
    Recreated,
    Failed(String),
}

enum Source {
    Stdin,
    File(File),
}

/// What it is read from.
struct Opened {
    source: Source,
    kind: Kind,
    identity: (u64, u64),
    /// How many bytes were read of a regular file, and where reading began.
    offset: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Regular,
    Fifo,
    /// A pipe, a terminal, a device.
    Stream,
}

/// An input.
pub(crate) struct Input {
    pub(super) name: Vec<u8>,
    /// The internal context that was named for it.
    pub(super) context: Option<Vec<u8>>,
    /// Whether a pattern that is watched found it.
    pub(super) found: bool,
    /// Whether a rule added it.
    pub(super) added: bool,
    opened: Option<Opened>,
    buffer: Vec<u8>,
    /// What was not handed out yet begins here.
    start: usize,
    /// Up to here there is no line feed.
    scanned: usize,
    /// The line that is handed out.
    line: Range<usize>,
    /// Whether the rest of a line that was too long is left out.
    skipping: bool,
    /// Whether the line that is handed out was too long.
    pub(super) was_cut: bool,
    /// There was nothing to read when it was last tried.
    pub(super) resting: bool,
    /// It was read to its end, and that is all.
    pub(super) done: bool,
    /// The second when it last had data or was closed.
    pub(super) last: i64,
    /// Whether it was said to be silent.
    pub(super) silent: bool,
    /// When a closed one is tried again, in seconds.
    pub(super) next_open: i64,
    /// Before this second it is left alone.
    pub(super) next_check: i64,
}

impl Input {
    pub(super) const fn new(name: Vec<u8>, context: Option<Vec<u8>>, now: i64) -> Self {
        Self {
            name,
            context,
            found: false,
            added: false,
            opened: None,
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            line: 0..0,
            skipping: false,
            was_cut: false,
            resting: false,
            done: false,
            last: now,
            silent: false,
            next_open: 0,
            next_check: 0,
        }
    }

    pub(super) fn path(&self) -> &Path {
        Path::new(std::ffi::OsStr::from_bytes(&self.name))
    }

    /// Whether it is open.
    pub(crate) const fn is_open(&self) -> bool {
        self.opened.is_some()
    }

    /// Opens it; what was read of a last line without a line feed is kept.
    pub(super) fn open(&mut self, begin: Begin, how: How) -> io::Result<()> {
        self.opened = None;
        self.resting = false;
        let opened = if self.name == b"-" { stdin()? } else { open(self.path(), begin, how)? };
        self.opened = Some(opened);
        Ok(())
    }

    pub(super) fn close(&mut self, now: i64) {
        self.opened = None;
        self.last = now;
    }

    /// What can be waited for: a regular file cannot.
    pub(super) fn waits_for(&self) -> Option<BorrowedFd<'_>> {
        let opened = self.opened.as_ref()?;
        match (&opened.source, opened.kind) {
            (Source::File(_), Kind::Regular) => None,
            (Source::File(file), _) => Some(file.as_fd()),
            (Source::Stdin, Kind::Regular) => None,
            (Source::Stdin, _) => Some(rustix::stdio::stdin()),
        }
    }

    /// The line that [`Input::advance`] found.
    pub(crate) fn line(&self) -> &[u8] {
        self.buffer.get(self.line.clone()).unwrap_or_default()
    }

    /// Its name, as the command line or a rule gave it.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// The internal context that was named for its lines.
    pub(crate) fn context(&self) -> Option<&[u8]> {
        self.context.as_deref()
    }

    /// Goes to the next whole line among what was read.
    pub(super) fn advance(&mut self) -> bool {
        let unread = self.buffer.get(self.scanned..).unwrap_or_default();
        match memchr::memchr(b'\n', unread) {
            Some(length) => {
                let end = self.scanned + length;
                self.line = self.start..end.min(self.start + LINE);
                self.start = end + 1;
                self.was_cut |= self.line.end < end;
                self.scanned = self.start;
                true
            }
            None => {
                self.scanned = self.buffer.len();
                false
            }
        }
    }

    /// What was read of a line that is too long: it is cut here, and its rest left out.
    pub(super) fn cut(&mut self) -> bool {
        if self.buffer.len() - self.start <= LINE {
            return false;
        }
        self.line = self.start..self.start + LINE;
        self.was_cut = true;
        self.start = self.buffer.len();
        self.scanned = self.start;
        self.skipping = true;
        true
    }

    /// The last line, where it has no line feed.
    pub(super) fn rest(&mut self) -> bool {
        let left = self.start < self.buffer.len();
        self.line = self.start..self.buffer.len();
        self.start = self.buffer.len();
        self.scanned = self.start;
        left
    }

    /// Reads more, without waiting.
    pub(super) fn fill(&mut self, how: How) -> Filled {
        let Some(opened) = &mut self.opened else { return Filled::Nothing };
        // What was handed out makes room for what comes.
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        let old = self.buffer.len();
        self.buffer.resize(old + how.block, 0);
        let room = self.buffer.get_mut(old..).unwrap_or_default();
        let read = opened.read(room);
        self.buffer.truncate(old + read.as_ref().copied().unwrap_or(0));
        match read {
            Ok(0) => opened.at_end(self.name.as_slice(), how),
            Ok(count) => {
                opened.offset += count as u64;
                if self.skipping {
                    self.skip();
                }
                Filled::Data
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock) => Filled::Nothing,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Filled::Nothing,
            Err(error) => Filled::Failed(error.to_string()),
        }
    }

    /// Leaves out the rest of a line that was too long.
    fn skip(&mut self) {
        match memchr::memchr(b'\n', &self.buffer) {
            Some(end) => {
                self.buffer.drain(..=end);
                self.skipping = false;
            }
            None => self.buffer.clear(),
        }
    }
}

impl Opened {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::File(file) => file.read(room),
            Source::Stdin => {
                // Others may share standard input: it is asked instead of being told not to wait.
                let stdin = rustix::stdio::stdin();
                let mut asked = [PollFd::from_borrowed_fd(stdin, PollFlags::IN)];
                let none = Timespec { tv_sec: 0, tv_nsec: 0 };
                if poll(&mut asked, Some(&none))? == 0 {
                    return Err(io::ErrorKind::WouldBlock.into());
                }
                Ok(rustix::io::read(stdin, room)?)
            }
        }
    }

    /// What it means that nothing more can be read.
    fn at_end(&self, name: &[u8], how: How) -> Filled {
        match (self.kind, &self.source) {
            (Kind::Regular, Source::File(file)) => {
                let path = Path::new(std::ffi::OsStr::from_bytes(name));
                let here = file.metadata();
                if here.as_ref().is_ok_and(|here| here.len() < self.offset) && !how.ends {
                    return Filled::Truncated;
                }
                if how.ends {
                    return Filled::End;
                }
                match fs::metadata(path) {
                    Ok(there) if (there.dev(), there.ino()) != self.identity => Filled::Recreated,
                    // Without a name, it is kept until there is a file of its name again.
                    _ => Filled::Nothing,
                }
            }
            (Kind::Regular, Source::Stdin) if !how.ends => Filled::Nothing,
            (Kind::Regular, Source::Stdin) => Filled::End,
            (Kind::Fifo | Kind::Stream, _) => Filled::NoWriter,
        }
    }
}

fn stdin() -> io::Result<Opened> {
    let stat = rustix::fs::fstat(rustix::stdio::stdin())?;
    let kind = match rustix::fs::FileType::from_raw_mode(stat.st_mode) {
        rustix::fs::FileType::RegularFile => Kind::Regular,
        _ => Kind::Stream,
    };
    Ok(Opened { source: Source::Stdin, kind, identity: (0, 0), offset: 0 })
}

fn open(path: &Path, begin: Begin, how: How) -> io::Result<Opened> {
    let is_fifo = fs::metadata(path).is_ok_and(|file| file.file_type().is_fifo());
    let mut file = fs::OpenOptions::new()
        .read(true)
        .write(is_fifo && how.read_write_fifo)
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(path)?;
    let metadata = file.metadata()?;
    let kind = match metadata.file_type() {
        kind if kind.is_file() => Kind::Regular,
        kind if kind.is_fifo() => Kind::Fifo,
        kind if kind.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        _ => Kind::Stream,
    };
    let offset = match (kind, begin) {
        (Kind::Regular, Begin::End) => file.seek(SeekFrom::End(0))?,
        (Kind::Regular, Begin::At(offset)) => {
            file.seek(SeekFrom::Start(offset.min(metadata.len())))?
        }
        _ => 0,
    };
    let identity = (metadata.dev(), metadata.ino());
    Ok(Opened { source: Source::File(file), kind, identity, offset })
}
