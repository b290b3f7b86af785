//! One open file: its lines from an offset on.
//!
//! Only the offset is kept between reads, never a half line: a line that is not finished yet is
//! read again from its start when the file has grown.

use std::fs::File;
use std::io;
use std::time::{Duration, Instant};

use memchr::memchr;

use super::identity::{self, HEAD, Opened, read_full_at};
use super::system;
use crate::checkpoint::{FilePosition, Fingerprint};
use crate::line::{Flow, Line, MAX_LINE};

/// How much is read at a time while lines are short.
pub(super) const CHUNK: usize = 64 * 1024;
/// Enough for the longest line and a CR LF after it.
const LONGEST: usize = MAX_LINE + 2;

#[derive(Debug)]
pub(super) struct Tail {
    pub(super) path: String,
    pub(super) dev: u64,
    pub(super) inode: u64,
    /// None once it was read to its end for good.
    file: Option<File>,
    head: Vec<u8>,
    print: Fingerprint,
    pub(super) offset: u64,
    skipping: bool,
    pub(super) rotated: bool,
    /// The size at which nothing but a half line was left.
    held_at: Option<u64>,
    /// When it was last written to as of the last look.
    pub(super) modified: (i64, i64),
    last_progress: Instant,
    /// Whether the position moved since it was last asked for.
    pub(super) dirty: bool,
}

/// Why a read ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// At the end of the file, or of this turn.
    Idle,
    /// There may be more, but it is another file's turn.
    Turn,
    /// The sink is full.
    Full,
    /// The file no longer holds what was read before: truncated, perhaps written anew.
    Replaced,
}

impl Tail {
    pub(super) fn new(path: String, opened: Opened, offset: u64, now: Instant) -> io::Result<Self> {
        let length = usize::try_from(offset).unwrap_or(HEAD).min(HEAD);
        let head = identity::head(&opened.file, length)?;
        Ok(Tail {
            path,
            dev: opened.dev,
            inode: opened.inode,
            file: Some(opened.file),
            print: Fingerprint::of(&head),
            head,
            offset,
            skipping: false,
            rotated: false,
            held_at: None,
            modified: opened.modified,
            last_progress: now,
            dirty: true,
        })
    }

    /// A file of which nothing more is expected, or which is not found again.
    pub(super) fn finished(position: &FilePosition, now: Instant) -> Self {
        Tail {
            path: position.path.clone(),
            dev: position.dev,
            inode: position.inode,
            file: None,
            head: Vec::new(),
            print: position.head.clone(),
            offset: position.offset,
            skipping: position.skipping,
            rotated: true,
            held_at: None,
            modified: position.modified,
            last_progress: now,
            dirty: !position.finished,
        }
    }

    /// Goes on where `position` says, in a file that was recognised.
    pub(super) fn resume(
        position: &FilePosition,
        opened: Opened,
        head: Vec<u8>,
        now: Instant,
    ) -> Self {
        let moved = (opened.dev, opened.inode) != (position.dev, position.inode);
        Tail {
            dev: opened.dev,
            inode: opened.inode,
            file: Some(opened.file),
            head,
            dirty: moved,
            rotated: position.rotated,
            ..Tail::finished(position, now)
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.file.is_none()
    }

    pub(super) fn finish(&mut self) {
        self.file = None;
        self.head = Vec::new();
        self.dirty = true;
    }

    pub(super) fn skip_to_next_line(&mut self) {
        self.skipping = true;
    }

    pub(super) fn rotate(&mut self, now: Instant) {
        if !self.rotated {
            self.rotated = true;
            self.dirty = true;
            self.last_progress = now;
        }
    }

    /// Begins again at the start of a file that was truncated.
    pub(super) fn restart(&mut self) {
        self.offset = 0;
        self.head.clear();
        self.print = Fingerprint::of(&[]);
        self.skipping = false;
        self.held_at = None;
        self.dirty = true;
    }

    /// Goes on at the same offset in a copy of the file.
    pub(super) fn continue_in(&mut self, copy: Opened, now: Instant) {
        (self.dev, self.inode) = (copy.dev, copy.inode);
        self.file = Some(copy.file);
        self.held_at = None;
        self.rotate(now);
        self.dirty = true;
    }

    /// Learns how a short file begins, also past what was read: if it is copied away and truncated
    /// before it is read, the copy is known again by this.
    pub(super) fn learn_head(&mut self) {
        let Some(file) = self.file.as_ref().filter(|_| self.head.len() < HEAD) else { return };
        if let Ok(head) = identity::head(file, HEAD)
            && head.len() > self.head.len()
            && head.starts_with(&self.head)
        {
            self.print = Fingerprint::of(&head);
            self.head = head;
        }
    }

    /// Whether the other file begins as this one does.
    pub(super) fn begins_like(&self, other: &File) -> bool {
        !self.head.is_empty()
            && identity::head(other, self.head.len()).is_ok_and(|head| head == self.head)
    }

    pub(super) fn position(&self) -> FilePosition {
        FilePosition {
            path: self.path.clone(),
            dev: self.dev,
            inode: self.inode,
            head: self.print.clone(),
            offset: self.offset,
            modified: self.modified,
            skipping: self.skipping,
            rotated: self.rotated,
            finished: self.is_finished(),
        }
    }

    /// Whether it was rotated away and nothing came for so long that nothing will.
    pub(super) fn is_given_up(&self, now: Instant, grace: Duration) -> bool {
        self.rotated && now.duration_since(self.last_progress) >= grace
    }

    /// Hands lines to the sink. With `last`, a half line at the end is a line too.
    pub(super) fn read(
        &mut self,
        buffer: &mut Vec<u8>,
        last: bool,
        now: Instant,
        sink: &mut dyn FnMut(Line<'_>) -> Flow,
    ) -> io::Result<Ended> {
        let Some(file) = self.file.take() else { return Ok(Ended::Idle) };
        let ended = self.read_from(&file, buffer, last, now, sink);
        self.file = Some(file);
        if buffer.len() > CHUNK {
            buffer.truncate(CHUNK);
            buffer.shrink_to_fit();
        }
        ended
    }

    fn read_from(
        &mut self,
        file: &File,
        buffer: &mut Vec<u8>,
        last: bool,
        now: Instant,
        sink: &mut dyn FnMut(Line<'_>) -> Flow,
    ) -> io::Result<Ended> {
        const TURN: u64 = 1 << 20;
        let begun = self.offset;
        loop {
            let about = file.metadata()?;
            let size = about.len();
            if size < self.offset {
                return Ok(Ended::Replaced);
            }
            let modified = system::modified(&about);
            let touched = std::mem::replace(&mut self.modified, modified) != modified;
            if size == self.offset || (self.held_at == Some(size) && !last) {
                // Written anew to the very same length, perhaps.
                let replaced = touched && !self.still_the_same(file, 0)?;
                return Ok(if replaced { Ended::Replaced } else { Ended::Idle });
            }
            if self.offset - begun >= TURN {
                return Ok(Ended::Turn);
            }
            let read = read_full_at(file, buffer, self.offset)?;
            // Looked at after reading: what was truncated before the read shows now.
            if !self.still_the_same(file, read)? {
                return Ok(Ended::Replaced);
            }
            let full_buffer = read == buffer.len();
            let chunk = buffer.get(..read).unwrap_or_default();
            let (consumed, flow) = self.take_lines(chunk, full_buffer, last, sink);
            if consumed == 0 {
                if !full_buffer {
                    self.held_at = Some(self.offset + read as u64);
                    return Ok(Ended::Idle);
                }
                buffer.resize(LONGEST, 0);
                continue;
            }
            self.advance(chunk.get(..consumed).unwrap_or_default(), now);
            if flow == Flow::Full {
                return Ok(Ended::Full);
            }
        }
    }

    fn still_the_same(&self, file: &File, read: usize) -> io::Result<bool> {
        if file.metadata()?.len() < self.offset + read as u64 {
            return Ok(false);
        }
        Ok(self.head.is_empty() || identity::head(file, self.head.len())? == self.head)
    }

    /// Hands out the lines of a chunk; returns how many bytes are done with.
    fn take_lines(
        &mut self,
        chunk: &[u8],
        full_buffer: bool,
        last: bool,
        sink: &mut dyn FnMut(Line<'_>) -> Flow,
    ) -> (usize, Flow) {
        let mut rest = chunk;
        let mut flow = Flow::More;
        while flow == Flow::More
            && let Some((line, after)) =
                memchr(b'\n', rest).and_then(|end| Some((rest.get(..end)?, rest.get(end + 1..)?)))
        {
            rest = after;
            if std::mem::take(&mut self.skipping) {
                continue;
            }
            flow = sink(self.line(line.strip_suffix(b"\r").unwrap_or(line)));
        }
        if flow == Flow::Full || rest.len() < chunk.len() || rest.is_empty() {
            return (chunk.len() - rest.len(), flow);
        }
        // Not one line end in the chunk.
        if self.skipping {
            return (chunk.len(), flow);
        }
        let too_long = full_buffer && chunk.len() >= LONGEST;
        if too_long || (last && !full_buffer) {
            flow = sink(self.line(rest));
            self.skipping = too_long;
            return (chunk.len(), flow);
        }
        (0, flow)
    }

    fn line<'a>(&'a self, raw: &'a [u8]) -> Line<'a> {
        let kept = raw.get(..MAX_LINE).unwrap_or(raw);
        Line { path: &self.path, raw: kept, truncated: kept.len() < raw.len() }
    }

    fn advance(&mut self, consumed: &[u8], now: Instant) {
        // The head may end before this chunk, inside it, or behind it.
        let known = self.head.len().checked_sub(usize::try_from(self.offset).unwrap_or(HEAD));
        if self.head.len() < HEAD
            && let Some(new) = known.and_then(|known| consumed.get(known..))
            && !new.is_empty()
        {
            let missing = HEAD - self.head.len();
            self.head.extend_from_slice(new.get(..missing).unwrap_or(new));
            self.print = Fingerprint::of(&self.head);
        }
        self.offset += consumed.len() as u64;
        self.held_at = None;
        self.last_progress = now;
        self.dirty = true;
    }
}
