//! Which messages at the beginning of a session were stored already in an earlier one.
//!
//! A RELP client that loses its connection sends what was not acknowledged once more, in its order,
//! as the first messages of its next session. Some of it may be stored: the answer did not arrive.
//! What was taken of a session is always a prefix of what its client sent, so what is sent again
//! and stored is a run that ends exactly where the earlier session's memory ends. Pure; the rules
//! and their limits are in docs/decisions/0008-collector.md.

use std::collections::VecDeque;

/// How many messages of one session are remembered, and how many are held at most until it is
/// certain whether they were stored. A client whose window is larger may see some stored twice.
pub(crate) const WINDOW: usize = 1_024;

/// The last messages of an earlier session, as hashes, in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tail {
    pub(crate) hashes: VecDeque<u64>,
    /// Whether messages may be missing between them: it was rebuilt from the store, which does not
    /// hold what the chains dropped.
    pub(crate) has_gaps: bool,
}

/// What a held message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is to be stored.
    New,
    /// It is stored, or about to be, by the session whose tail has this place in the list.
    Resent(usize),
}

/// The beginning of a session, as long as it is not certain what is new.
#[derive(Debug)]
pub(crate) struct Beginning {
    tails: Vec<Tail>,
    held: Vec<u64>,
}

impl Beginning {
    /// A session of a peer whose earlier sessions left these tails.
    pub(crate) fn after(mut tails: Vec<Tail>) -> Beginning {
        for tail in &mut tails {
            tail.hashes.make_contiguous();
        }
        Beginning { tails, held: Vec::new() }
    }

    /// Takes the next message.
    pub(crate) fn push(&mut self, hash: u64) {
        self.held.push(hash);
    }

    /// The verdicts of all held messages in their order, once they are certain; every message after
    /// them is new. With `now` what is uncertain is taken as new.
    pub(crate) fn verdicts(&self, now: bool) -> Option<Vec<Verdict>> {
        let is_final = now || self.held.len() >= WINDOW;
        let mut verdicts = vec![Verdict::New; self.held.len()];
        let mut used = vec![false; self.tails.len()];
        if !self.mark_runs(&mut verdicts, &mut used, is_final) {
            return None;
        }
        for (index, tail) in self.tails.iter().enumerate().filter(|(_, tail)| tail.has_gaps) {
            let ends_here = tail.hashes.back().is_none_or(|last| self.held.contains(last));
            if !ends_here && !is_final {
                return None;
            }
            self.mark_scattered(index, tail, &mut verdicts);
        }
        Some(verdicts)
    }

    /// Marks runs without gaps, one after the other from the beginning: each the longest one that
    /// reaches the end of a tail. False where a run may still go on.
    fn mark_runs(&self, verdicts: &mut [Verdict], used: &mut [bool], is_final: bool) -> bool {
        let mut from = 0;
        loop {
            let rest = self.held.get(from..).unwrap_or_default();
            let mut longest = (0, 0);
            for (index, tail) in self.tails.iter().enumerate() {
                if tail.has_gaps || used.get(index) == Some(&true) {
                    continue;
                }
                let run = Run::of(rest, tail.hashes.as_slices().0);
                if run.may_go_on && !is_final {
                    return false;
                }
                if run.length > longest.0 {
                    longest = (run.length, index);
                }
            }
            let (length, index) = longest;
            if length == 0 {
                return true;
            }
            for verdict in verdicts.iter_mut().skip(from).take(length) {
                *verdict = Verdict::Resent(index);
            }
            if let Some(used) = used.get_mut(index) {
                *used = true;
            }
            from += length;
        }
    }

    /// Marks the longest end of a tail whose messages all are here in its order.
    fn mark_scattered(&self, index: usize, tail: &Tail, verdicts: &mut [Verdict]) {
        let mut here = self.held.iter().zip(verdicts.iter_mut()).rev();
        for wanted in tail.hashes.iter().rev() {
            let found = here.find(|(hash, verdict)| *hash == wanted && **verdict == Verdict::New);
            let Some((_, verdict)) = found else { return };
            *verdict = Verdict::Resent(index);
        }
    }
}

/// How the beginning of a session fits a tail.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    /// The most first messages that are the tail's last ones.
    length: usize,
    /// Whether all messages lie together in the tail before its end, so that those that come next
    /// may reach it.
    may_go_on: bool,
}

impl Run {
    /// Knuth, Morris and Pratt's search for `first` in `tail`, in linear time whatever repeats.
    fn of(first: &[u64], tail: &[u64]) -> Run {
        if first.is_empty() {
            return Run { length: 0, may_go_on: !tail.is_empty() };
        }
        let mut borders = Vec::with_capacity(first.len());
        for hash in first {
            let border = match borders.is_empty() {
                true => 0,
                false => extended(first, &borders, borders.last().copied().unwrap_or(0), *hash),
            };
            borders.push(border);
        }
        let mut may_go_on = false;
        let mut matched = 0;
        for (index, hash) in tail.iter().enumerate() {
            if matched == first.len() {
                matched = borders.last().copied().unwrap_or(0);
            }
            matched = extended(first, &borders, matched, *hash);
            may_go_on |= matched == first.len() && index + 1 < tail.len();
        }
        Run { length: matched, may_go_on }
    }
}

/// The longest beginning of `first` that ends with `hash`, where `matched` ended before it.
fn extended(first: &[u64], borders: &[usize], mut matched: usize, hash: u64) -> usize {
    loop {
        if first.get(matched) == Some(&hash) {
            return matched + 1;
        }
        if matched == 0 {
            return 0;
        }
        matched = borders.get(matched - 1).copied().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests;
