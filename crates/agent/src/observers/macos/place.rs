//! How far the log was read.
//!
//! `log stream` begins now and `log show` at a time, so that what one printed, the other may print
//! again: entries shortly before the newest are known by a hash.

use std::collections::{HashSet, VecDeque};

use bergfried_event::Timestamp;

/// Entries of several threads come out of order by less than this.
const WINDOW: i64 = 5 * Timestamp::SECOND;
/// The most entries of the window that are known over a restart.
const KEPT: usize = 128;
/// The most entries that are known while the agent runs, of the time in which both print.
const SEEN: usize = 16_384;

/// What was handed on.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Everything before this was handed on. None where nothing ever was.
    floor: Option<Timestamp>,
    newest: Option<Timestamp>,
    /// The newest entries, in the order of their arrival, and what tells each from others.
    window: VecDeque<(Timestamp, u64)>,
    seen: HashSet<u64>,
    order: VecDeque<u64>,
}

impl Place {
    /// Entries from this time on are new.
    pub(super) fn from(time: Option<Timestamp>) -> Place {
        Place { floor: time, ..Place::default() }
    }

    /// What [`Place::to_text`] made; none where it is something else.
    pub(super) fn from_text(text: &str) -> Option<Place> {
        let mut words = text.split(' ');
        let floor = Timestamp::from_micros(words.next()?.parse().ok()?);
        let mut place = Place::from(Some(floor));
        for word in words.take(KEPT) {
            let (after, hash) = word.split_once(':')?;
            let hash = u64::from_str_radix(hash, 16).ok()?;
            let at = Timestamp::from_micros(floor.micros().checked_add(after.parse().ok()?)?);
            place.keep(at, hash);
        }
        Some(place)
    }

    /// The time from which entries are asked for again, and those that are known from then on.
    pub(super) fn to_text(&self) -> Option<String> {
        let floor = self.floor?.micros();
        let mut text = floor.to_string();
        for (at, hash) in &self.window {
            text.push_str(&format!(" {}:{hash:x}", at.micros().saturating_sub(floor)));
        }
        Some(text)
    }

    /// From when on entries may be new.
    pub(super) fn floor(&self) -> Option<Timestamp> {
        self.floor
    }

    /// Whether an entry was handed on before; `again` where they are read again from the floor on.
    pub(super) fn knows(&self, at: Timestamp, hash: u64, again: bool) -> bool {
        self.seen.contains(&hash) || (again && self.floor.is_some_and(|floor| at < floor))
    }

    /// Whether an object was handed on that says no time.
    pub(super) fn knows_broken(&self, hash: u64) -> bool {
        self.seen.contains(&hash)
    }

    pub(super) fn take_broken(&mut self, hash: u64) {
        self.remember(hash);
    }

    /// An entry is handed on. One that claims to be of a later day than `now` moves nothing.
    pub(super) fn take(&mut self, at: Timestamp, hash: u64, now: Timestamp) {
        if at.micros() > now.micros().saturating_add(WINDOW) {
            self.remember(hash);
            return;
        }
        self.keep(at, hash);
        let newest = self.newest.unwrap_or(at).micros();
        let mut floor = self.floor.map_or(i64::MIN, Timestamp::micros).max(newest - WINDOW);
        self.window.retain(|(at, _)| at.micros() >= floor);
        while self.window.len() > KEPT {
            // Rather that many entries of one moment are told again than one of them never.
            let Some((oldest, _)) = self.window.pop_front() else { break };
            floor = floor.max(oldest.micros());
        }
        if floor > i64::MIN {
            self.floor = Some(Timestamp::from_micros(floor));
        }
    }

    fn keep(&mut self, at: Timestamp, hash: u64) {
        self.remember(hash);
        let is_newer = self.newest.is_none_or(|newest| at > newest);
        if is_newer {
            self.newest = Some(at);
        }
        let place = self.window.iter().rposition(|(other, _)| *other <= at);
        self.window.insert(place.map_or(0, |place| place + 1), (at, hash));
    }

    fn remember(&mut self, hash: u64) {
        if self.seen.insert(hash) {
            self.order.push_back(hash);
        }
        while self.order.len() > SEEN {
            let Some(oldest) = self.order.pop_front() else { break };
            self.seen.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(1_800_000_000_000_000 + micros)
    }

    #[test]
    fn nothing_is_lost_or_told_twice_over_a_restart() {
        let now = at(Timestamp::SECOND * 100_000);
        let mut place = Place::from(Some(at(0)));
        // Ten a second, every other pair out of order.
        let entries: Vec<(Timestamp, u64)> = (0..2_000_u64)
            .map(|n| {
                let n = n ^ 1;
                (at(i64::try_from(n).unwrap() * 100_000), 7 + n)
            })
            .collect();
        for (number, (time, hash)) in entries.iter().enumerate() {
            place.take(*time, *hash, now);
            if number % 97 == 0 {
                let again = Place::from_text(&place.to_text().unwrap()).unwrap();
                for (other, (time, hash)) in entries.iter().enumerate() {
                    assert_eq!(again.knows(*time, *hash, true), other <= number, "{other}");
                }
                assert_eq!(again.to_text(), place.to_text());
            }
        }
        assert!(place.window.len() <= KEPT && place.to_text().unwrap().len() < 8_000);
    }

    #[test]
    fn a_burst_in_one_moment_is_bounded_and_never_lost() {
        let now = at(Timestamp::SECOND * 100_000);
        let mut place = Place::default();
        for hash in 0..50_000 {
            place.take(at(7), hash, now);
        }
        assert!(place.window.len() <= KEPT && place.seen.len() <= SEEN);
        assert_eq!(place.seen.len(), place.order.len());
        let again = Place::from_text(&place.to_text().unwrap()).unwrap();
        assert!(again.knows(at(7), 49_999, true) && !again.knows(at(7), 50_000, true));
        assert!(again.knows(at(6), 99_999, true) && !again.knows(at(6), 99_999, false));
    }

    #[test]
    fn a_time_of_tomorrow_moves_nothing_and_garbage_is_no_place() {
        let mut place = Place::from(Some(at(0)));
        place.take(at(Timestamp::SECOND * 90_000), 1, at(0));
        assert_eq!(place.floor(), Some(at(0)));
        assert!(place.knows(at(0), 1, false));
        for text in ["", "x", "7 8", "7 1:zz", "7 1:1 "] {
            assert!(Place::from_text(text).is_none(), "{text}");
        }
    }
}
