//! One group of a correlation: its matches, what findings say of them, and how it rests as bytes.

use std::collections::VecDeque;

use bergfried_event::Timestamp;

use super::bytes::{Bytes, Malformed, put_signed, put_varint};
use super::details::{Details, MAX_IDS, Span};
use super::groups::on_heap;
use super::window::{Match, Window};
use crate::rule::{Correlation, CorrelationKind};

/// What a correlation remembers of one group.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) window: Window,
    pub(super) details: Details,
    /// When a finding was stated last.
    pub(super) stated: i64,
    /// What is to be stated next.
    pub(super) pending: Option<Pending>,
}

/// Matches of an episode that no finding states yet.
#[derive(Debug, PartialEq)]
pub(super) struct Pending {
    pub(super) span: Span,
    pub(super) event_ids: VecDeque<u64>,
}

/// The events behind a finding.
#[derive(Debug)]
pub(super) struct Evidence {
    pub(super) span: Span,
    pub(super) event_ids: Vec<u64>,
}

const HAS_FIRST: u8 = 1;
const HAS_WEIGHT: u8 = 2;
const HAS_TIMES: u8 = 4;
const HELD: u8 = 8;
const STATED: u8 = 16;

impl Group {
    pub(super) fn clear(&mut self) {
        self.window.matches.clear();
        self.details.clear();
        self.stated = 0;
        self.pending = None;
    }

    /// Takes the match at this place for one of those to be stated next, unless it was stated.
    pub(super) fn gather(&mut self, place: usize) {
        let Some(found) = self.window.matches.get_mut(place) else { return };
        if std::mem::replace(&mut found.stated, true) || found.weight == 0 {
            return;
        }
        let time = Timestamp::from_micros(found.time);
        let pending = self.pending.get_or_insert_with(|| Pending {
            span: Span { count: 0, first: time, last: time },
            event_ids: VecDeque::new(),
        });
        let span = &mut pending.span;
        span.count = span.count.saturating_add(found.weight);
        span.first = span.first.min(time);
        span.last = span.last.max(time);
        if pending.event_ids.len() >= MAX_IDS {
            pending.event_ids.pop_front();
        }
        pending.event_ids.push_back(found.event_id);
    }

    /// The events of the window that ends at this place; with `stating` they count as stated.
    pub(super) fn evidence(
        &mut self,
        correlation: &Correlation,
        place: usize,
        stating: bool,
    ) -> Evidence {
        let length = self.window.at(correlation, place).len();
        let window = (place + 1).saturating_sub(length)..=place;
        let window = self.window.matches.get_mut(window).unwrap_or_default();
        let last = window.last().copied().unwrap_or_default();
        let (mut count, mut first, mut event_ids) = (0_u64, last.first, VecDeque::new());
        for found in window {
            // A share is that of the events with one value.
            if correlation.kind == CorrelationKind::ValueShare && found.value != last.value {
                continue;
            }
            found.stated |= stating;
            if found.weight > 0 {
                count = count.saturating_add(found.weight);
                first = first.min(found.first);
                if event_ids.len() >= MAX_IDS {
                    event_ids.pop_front();
                }
                event_ids.push_back(found.event_id);
            }
        }
        let (first, last) = (Timestamp::from_micros(first), Timestamp::from_micros(last.time));
        Evidence { span: Span { count, first, last }, event_ids: event_ids.into() }
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        let ids = self.pending.as_ref().map_or(0, |pending| pending.event_ids.capacity() * 8);
        on_heap(size_of::<Group>())
            + on_heap(self.window.matches.capacity() * size_of::<Match>())
            + on_heap(ids)
            + self.details.heap()
    }

    /// Writes the group as few bytes; `key` is needed to read them.
    pub(super) fn pack(&self, correlation: &Correlation, key: &str, out: &mut Vec<u8>) {
        let kind = correlation.kind;
        put_varint(out, self.window.matches.len() as u64);
        let (mut time, mut id) = (0_i64, 0_u64);
        for found in &self.window.matches {
            let flag = |is: bool, flag: u8| if is { flag } else { 0 };
            out.push(
                flag(found.first != found.time, HAS_FIRST)
                    | flag(found.weight != 1, HAS_WEIGHT)
                    | flag(found.times != 1, HAS_TIMES)
                    | flag(found.held, HELD)
                    | flag(found.stated, STATED),
            );
            put_signed(out, found.time.wrapping_sub(time));
            put_signed(out, found.event_id.wrapping_sub(id).cast_signed());
            if found.first != found.time {
                put_signed(out, found.time.wrapping_sub(found.first));
            }
            if found.weight != 1 {
                put_varint(out, found.weight);
            }
            if found.times != 1 {
                put_varint(out, found.times);
            }
            if has_value(kind) {
                out.extend_from_slice(&found.value.to_le_bytes());
            }
            if kind.asks_for_presence() {
                out.push(found.step);
            }
            (time, id) = (found.time, found.event_id);
        }
        self.details.pack(key, out);
        put_signed(out, self.stated);
        let Some(Pending { span, event_ids }) = &self.pending else {
            put_varint(out, 0);
            return;
        };
        // A pending statement has events, so nought says that there is none.
        put_varint(out, span.count.max(1));
        put_signed(out, span.first.micros());
        put_signed(out, span.last.micros());
        put_varint(out, event_ids.len() as u64);
        let mut id = 0_u64;
        for next in event_ids {
            put_signed(out, next.wrapping_sub(id).cast_signed());
            id = *next;
        }
    }

    /// Becomes the group that was packed.
    ///
    /// # Errors
    /// Where the bytes are not those of a group of this correlation.
    pub(super) fn unpack(
        &mut self,
        correlation: &Correlation,
        key: &str,
        packed: &[u8],
    ) -> Result<(), Malformed> {
        self.clear();
        let mut bytes = Bytes(packed);
        let (mut time, mut id) = (0_i64, 0_u64);
        for place in 0..bytes.length()? {
            let flags = bytes.byte()?;
            let next = time.wrapping_add(bytes.signed()?);
            if place > 0 && next < time {
                return Err(Malformed);
            }
            time = next;
            id = id.wrapping_add(bytes.signed()?.cast_unsigned());
            let optional = |bytes: &mut Bytes<'_>, flag: u8| match flags & flag {
                0 => Ok(1),
                _ => bytes.varint(),
            };
            let first = match flags & HAS_FIRST {
                0 => time,
                _ => time.wrapping_sub(bytes.signed()?),
            };
            let found = Match {
                time,
                first,
                event_id: id,
                weight: optional(&mut bytes, HAS_WEIGHT)?,
                times: optional(&mut bytes, HAS_TIMES)?,
                value: if has_value(correlation.kind) { bytes.u64()? } else { 0 },
                step: if correlation.kind.asks_for_presence() { bytes.byte()? } else { 0 },
                held: flags & HELD != 0,
                stated: flags & STATED != 0,
            };
            if usize::from(found.step) >= correlation.steps.len() {
                return Err(Malformed);
            }
            self.window.matches.push(found);
        }
        self.details.unpack(key, &mut bytes)?;
        self.stated = bytes.signed()?;
        let count = bytes.varint()?;
        if count > 0 {
            let first = Timestamp::from_micros(bytes.signed()?);
            let last = Timestamp::from_micros(bytes.signed()?);
            let length = bytes.length()?;
            let mut event_ids = VecDeque::with_capacity(length.min(MAX_IDS));
            let mut id = 0_u64;
            for _ in 0..length {
                id = id.wrapping_add(bytes.signed()?.cast_unsigned());
                event_ids.push_back(id);
            }
            self.pending = Some(Pending { span: Span { count, first, last }, event_ids });
        }
        if bytes.0.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// Whether the condition looks at a value of each event.
fn has_value(kind: CorrelationKind) -> bool {
    !matches!(
        kind,
        CorrelationKind::EventCount | CorrelationKind::Temporal | CorrelationKind::TemporalOrdered
    )
}
