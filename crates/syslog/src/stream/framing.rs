//! What is known of the message at the front of a stream, one step after another.

use memchr::{memchr2, memchr3};

use super::search::{self, Answer, Count};
use super::{ABSURD, LONGEST_START, SHORTEST};
use crate::Message;
use crate::message::is_end;

/// What a look at the front of the bytes brought.
#[derive(Debug)]
pub(super) enum Step<'w> {
    /// So many bytes are done with; look again.
    On { used: usize, message: Option<Message<'w>> },
    /// So many bytes are done with; more are needed.
    Wait { used: usize },
}

/// The message in hand.
#[derive(Clone, Copy, Debug)]
enum State {
    /// It has not begun, or how it is framed is not told yet.
    Start,
    /// A line, without its end up to `scanned`; `broken` where it follows a count that lied, so that
    /// a count ends it too.
    Line { scanned: usize, broken: bool },
    /// So many bytes after a count of `start` bytes.
    Counted { start: usize, count: usize, seen: usize, doubt: Doubt },
    /// So many bytes after a count, but without `<PRI>`; a line if an end comes before.
    Bare { start: usize, count: usize, scanned: usize },
    /// The rest of a counted message over the limit.
    PassBytes(usize),
    /// The rest of a line over the limit.
    PassLine { broken: bool },
}

/// Whether another message seems to begin inside of a counted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doubt {
    Unknown,
    None,
    At(usize),
}

/// How the message before was framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    Line,
    Counted,
    Bare,
}

/// Tells how the messages of one connection are framed.
#[derive(Debug)]
pub(super) struct Framing {
    max: usize,
    state: State,
    before: Before,
    /// Whether a line end stood before the message in hand.
    ended_before: bool,
    lies: u64,
}

impl Framing {
    pub(super) fn new(max: usize) -> Self {
        Framing { max, state: State::Start, before: Before::Nothing, ended_before: true, lies: 0 }
    }

    pub(super) fn lies(&self) -> u64 {
        self.lies
    }

    /// The most bytes that are held of one message.
    pub(super) fn most(&self) -> usize {
        self.max.saturating_add(2 * LONGEST_START)
    }

    /// How many more bytes make the message in hand whole, where that is known; `None` where a line
    /// end decides.
    pub(super) fn missing(&self, held: usize) -> Option<usize> {
        match self.state {
            State::Counted { start, count, .. } | State::Bare { start, count, .. } => {
                Some((start + count.min(self.max)).saturating_sub(held))
            }
            State::PassBytes(left) => Some(left),
            State::Start => Some(1),
            State::Line { .. } | State::PassLine { .. } => None,
        }
    }

    /// Whether a message is held only because its count is doubtful.
    pub(super) fn doubts(&self, held: usize) -> bool {
        match self.state {
            State::Counted { start, count, doubt: Doubt::At(_), .. } => {
                count <= self.max && held >= start + count
            }
            State::Bare { start, count, .. } => held >= start + count,
            _ => false,
        }
    }

    /// Takes the count of the message in hand for honest.
    pub(super) fn believe(&mut self) {
        match &mut self.state {
            State::Counted { doubt, .. } => *doubt = Doubt::None,
            State::Bare { .. } => self.before = Before::Bare,
            _ => {}
        }
    }

    /// Takes what is held as the whole message, cut, and passes over the rest of it; none where
    /// nothing worth it is held.
    pub(super) fn give_up<'w>(&mut self, held: &'w [u8]) -> Option<Message<'w>> {
        match self.state {
            State::Line { broken, .. } => {
                self.state = State::PassLine { broken };
                Message::of(held, self.max, true)
            }
            State::Counted { start, count, .. } | State::Bare { start, count, .. } => {
                let is_bare = matches!(self.state, State::Bare { .. });
                let body = held.get(start..).filter(|body| body.len() < count)?;
                self.done(if is_bare { Before::Bare } else { Before::Counted }, false);
                self.state = State::PassBytes(count - body.len());
                Message::of(body, self.max, true)
            }
            State::Start | State::PassBytes(_) | State::PassLine { .. } => None,
        }
    }

    /// Looks at the bytes from where the message in hand begins; never at none.
    pub(super) fn step<'w>(&mut self, window: &'w [u8], ended: bool) -> Step<'w> {
        match self.state {
            State::Start => self.start(window, ended),
            State::Line { scanned, broken } => self.line(window, scanned, broken, ended),
            State::Counted { start, count, seen, doubt } => {
                self.counted(window, (start, count, seen), doubt, ended)
            }
            State::Bare { start, count, scanned } => {
                self.bare(window, start, count, scanned, ended)
            }
            State::PassBytes(left) => {
                let used = left.min(window.len());
                self.state = match left - used {
                    0 => State::Start,
                    left => State::PassBytes(left),
                };
                Step::On { used, message: None }
            }
            State::PassLine { broken } => self.pass_line(window, broken, ended),
        }
    }

    fn start<'w>(&mut self, window: &'w [u8], ended: bool) -> Step<'w> {
        let ends = window.iter().take_while(|byte| is_end(**byte)).count();
        if ends > 0 {
            self.ended_before = true;
            return Step::On { used: ends, message: None };
        }
        let count = match search::count(window) {
            Count::Unclear if !ended => return Step::Wait { used: 0 },
            count => count,
        };
        if let Count::Is { count, length, priority: true } = count
            && count > ABSURD
        {
            self.lies += 1;
            self.state = State::Line { scanned: 0, broken: true };
            return Step::On { used: length, message: None };
        }
        self.state = self.believed(count).unwrap_or_else(|| {
            let counted = matches!(self.before, Before::Counted | Before::Bare);
            let remains = counted && !self.ended_before && window.first() != Some(&b'<');
            self.lies += u64::from(remains);
            State::Line { scanned: 0, broken: remains }
        });
        Step::On { used: 0, message: None }
    }

    /// How the message behind a number and a space goes, where the number counts it.
    fn believed(&self, count: Count) -> Option<State> {
        let Count::Is { count, length: start, priority } = count else { return None };
        let count = usize::try_from(count).ok()?;
        // The shortest message is `<0>`: a smaller number is a piece of something else.
        if count < SHORTEST {
            return None;
        }
        if priority {
            return Some(State::Counted { start, count, seen: 0, doubt: Doubt::Unknown });
        }
        let may_be_bare = count <= self.max && self.before != Before::Line;
        may_be_bare.then_some(State::Bare { start, count, scanned: start })
    }

    fn counted<'w>(
        &mut self,
        window: &'w [u8],
        (start, count, seen): (usize, usize, usize),
        doubt: Doubt,
        ended: bool,
    ) -> Step<'w> {
        let held = count.min(self.max);
        let here = window.len().saturating_sub(start);
        let body = window.get(start..start + held.min(here)).unwrap_or_default();
        // Among lines, another line inside is proof enough: who can write a line end into a line
        // must not make a count that swallows the lines behind.
        if self.before == Before::Line
            && let Some(at) = search::line_inside(body, seen)
        {
            return self.broken_off(start, body, at);
        }
        if here < held && !ended {
            let seen = here.saturating_sub(LONGEST_START);
            self.state = State::Counted { start, count, seen, doubt };
            return Step::Wait { used: 0 };
        }
        let doubt = match doubt {
            Doubt::Unknown => search::inside(body, self.max).map_or(Doubt::None, Doubt::At),
            known => known,
        };
        let is_whole = here >= count;
        if let Doubt::At(at) = doubt {
            let after = window.get(start + count..).unwrap_or_default();
            let fits = match search::follows(after) {
                // Over the limit or cut short, the end is out of sight: the start inside counts.
                _ if !is_whole || count > self.max => Answer::No,
                Answer::Unclear if ended => Answer::Yes,
                answer => answer,
            };
            match fits {
                Answer::Unclear => {
                    self.state = State::Counted { start, count, seen: here, doubt };
                    return Step::Wait { used: 0 };
                }
                Answer::No => return self.broken_off(start, body, at),
                Answer::Yes => {}
            }
        }
        let ended_inside = body.last().is_some_and(|byte| is_end(*byte));
        self.done(Before::Counted, ended_inside);
        if count > held {
            self.state = State::PassBytes(count - held);
        }
        let message = Message::of(body, self.max, here < count || count > held);
        Step::On { used: start + body.len(), message }
    }

    /// A counted message that ends where another begins inside of it.
    fn broken_off<'w>(&mut self, start: usize, body: &'w [u8], at: usize) -> Step<'w> {
        self.lies += 1;
        self.done(Before::Counted, true);
        let message = Message::of(body.get(..at).unwrap_or_default(), self.max, false);
        Step::On { used: start + at, message }
    }

    fn bare<'w>(
        &mut self,
        window: &'w [u8],
        start: usize,
        count: usize,
        scanned: usize,
        ended: bool,
    ) -> Step<'w> {
        let end = start + count;
        let body = window.get(..end.min(window.len())).unwrap_or_default();
        let unseen = body.get(scanned..).unwrap_or_default();
        let line_end = memchr2(b'\n', 0, unseen).map(|at| scanned + at);
        let is_line = match line_end {
            Some(at) if at + 1 < end => true,
            _ if body.len() < end && ended => true,
            _ if body.len() < end => {
                self.state = State::Bare { start, count, scanned: body.len() };
                return Step::Wait { used: 0 };
            }
            _ if self.before == Before::Bare => false,
            // The first of its kind: another count behind it is the proof.
            _ => match search::count(window.get(end..).unwrap_or_default()) {
                Count::Is { .. } => false,
                Count::Unclear if ended => window.len() > end,
                Count::Unclear => {
                    self.state = State::Bare { start, count, scanned: end - 1 };
                    return Step::Wait { used: 0 };
                }
                Count::No => true,
            },
        };
        if is_line {
            self.state = State::Line { scanned: line_end.unwrap_or(scanned), broken: false };
            return Step::On { used: 0, message: None };
        }
        self.done(Before::Bare, line_end.is_some());
        let message = Message::of(body.get(start..).unwrap_or_default(), self.max, false);
        Step::On { used: end, message }
    }

    fn line<'w>(
        &mut self,
        window: &'w [u8],
        scanned: usize,
        broken: bool,
        ended: bool,
    ) -> Step<'w> {
        // A line of the full length may still have CR and LF behind it.
        let limit = self.max + 2;
        let seen = window.get(..limit.min(window.len())).unwrap_or_default();
        match line_end(seen, scanned, broken.then_some(1), self.max) {
            End::Line(at) => {
                self.done(Before::Line, true);
                let message = Message::of(seen.get(..at).unwrap_or_default(), self.max, false);
                Step::On { used: at + 1, message }
            }
            End::Count(at) => {
                self.done(Before::Line, true);
                let message = Message::of(seen.get(..at).unwrap_or_default(), self.max, false);
                Step::On { used: at, message }
            }
            End::None { .. } if seen.len() == limit => {
                self.state = State::PassLine { broken };
                Step::On { used: self.max, message: Message::of(seen, self.max, true) }
            }
            End::None { .. } if ended => {
                self.done(Before::Line, true);
                Step::On { used: window.len(), message: Message::of(seen, self.max, false) }
            }
            End::None { scanned } => {
                self.state = State::Line { scanned, broken };
                Step::Wait { used: 0 }
            }
        }
    }

    fn pass_line<'w>(&mut self, window: &'w [u8], broken: bool, ended: bool) -> Step<'w> {
        match line_end(window, 0, broken.then_some(0), self.max) {
            End::Line(at) => {
                self.done(Before::Line, true);
                Step::On { used: at + 1, message: None }
            }
            End::Count(at) => {
                self.done(Before::Line, true);
                Step::On { used: at, message: None }
            }
            End::None { .. } if broken && !ended => {
                Step::Wait { used: window.len().saturating_sub(LONGEST_START) }
            }
            End::None { .. } => Step::On { used: window.len(), message: None },
        }
    }

    fn done(&mut self, before: Before, ended: bool) {
        self.state = State::Start;
        self.before = before;
        self.ended_before = ended;
    }
}

enum End {
    /// A line end stands here.
    Line(usize),
    /// The count of another message begins here.
    Count(usize),
    /// Neither; looking on from `scanned` is enough.
    None { scanned: usize },
}

/// Where a line ends: at LF or NUL, or before a count and `<PRI>` from `counts_from` on.
fn line_end(bytes: &[u8], scanned: usize, counts_from: Option<usize>, max: usize) -> End {
    let mut from = scanned;
    loop {
        let rest = bytes.get(from..).unwrap_or_default();
        let found = match counts_from {
            Some(_) => memchr3(b'\n', 0, b'<', rest),
            None => memchr2(b'\n', 0, rest),
        };
        let Some(at) = found.map(|at| from + at) else {
            return End::None { scanned: bytes.len() };
        };
        let here = bytes.get(at..).unwrap_or_default();
        if here.first() != Some(&b'<') {
            return End::Line(at);
        }
        // What comes behind must not decide where the count begins, for it may not be here yet.
        let before = bytes.get(..at).unwrap_or_default();
        match search::priority(here) {
            Answer::Unclear => return End::None { scanned: at },
            Answer::Yes if before.last() == Some(&b' ') => {
                let start = search::count_before(before, at, max);
                if let Some(start) = start.filter(|start| Some(*start) >= counts_from) {
                    return End::Count(start);
                }
            }
            _ => {}
        }
        from = at + 1;
    }
}
