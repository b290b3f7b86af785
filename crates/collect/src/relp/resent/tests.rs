//! Tables of what fits, and a simulated client and hub that break at any point.

use proptest::prelude::*;

use super::*;

fn tail(text: &str, has_gaps: bool) -> Tail {
    Tail { hashes: text.bytes().map(u64::from).collect(), has_gaps }
}

/// What becomes of a session that begins so: `.` for new, the tail's number for resent, `?` where
/// it is not certain yet.
fn judged(tails: &[Tail], first: &str, now: bool) -> String {
    let mut beginning = Beginning::after(tails.to_vec());
    first.bytes().for_each(|byte| beginning.push(u64::from(byte)));
    match beginning.verdicts(now) {
        None => "?".to_owned(),
        Some(verdicts) => verdicts
            .iter()
            .map(|verdict| match verdict {
                Verdict::New => ".".to_owned(),
                Verdict::Resent(index) => index.to_string(),
            })
            .collect(),
    }
}

#[test]
fn only_a_run_to_the_end_is_resent() {
    for (tails, first, so_far, in_the_end) in [
        // Nothing is remembered, or nothing fits.
        (&[][..], "ab", "..", ".."),
        (&[tail("abc", false)], "x", ".", "."),
        // The end of it, all of it, and what follows.
        (&[tail("abc", false)], "c", "0", "0"),
        (&[tail("abc", false)], "abcd", "000.", "000."),
        // Not its end: it may go on, or does not.
        (&[tail("abc", false)], "ab", "?", ".."),
        (&[tail("abc", false)], "abd", "...", "..."),
        // The same line again and again: the longest run that fits.
        (&[tail("xaaa", false)], "aa", "?", "00"),
        (&[tail("xaaa", false)], "aab", "00.", "00."),
        (&[tail("xaaa", false)], "aaaa", "000.", "000."),
        (&[tail("abab", false)], "abab", "0000", "0000"),
        (&[tail("abab", false)], "abc", "00.", "00."),
        // Several sessions of one peer: the one that fits, or one after the other.
        (&[tail("ab", false), tail("cd", false)], "dx", "1.", "1."),
        (&[tail("ab", false), tail("cd", false)], "bcdx", "011.", "011."),
        (&[tail("ab", false), tail("xab", false)], "xabz", "111.", "111."),
        // Rebuilt: what the chains dropped is missing in it.
        (&[tail("abc", true)], "x", "?", "."),
        (&[tail("abc", true)], "bxcy", "0.0.", "0.0."),
        (&[tail("abc", true)], "xb", "?", ".."),
        (&[tail("ab", true), tail("cd", true)], "bxcd", "0.11", "0.11"),
        (&[tail("", true)], "x", ".", "."),
    ] {
        assert_eq!(judged(tails, first, false), so_far, "{tails:?} {first}");
        assert_eq!(judged(tails, first, true), in_the_end, "{tails:?} {first}");
    }
}

#[test]
fn no_more_than_a_window_is_held() {
    let mut beginning = Beginning::after(vec![tail("abc", true)]);
    for number in 0..WINDOW as u64 {
        assert_eq!(beginning.verdicts(false), None);
        beginning.push(1_000 + number);
    }
    assert_eq!(beginning.verdicts(false), Some(vec![Verdict::New; WINDOW]));
}

proptest! {
    #[test]
    fn runs_are_what_trying_every_place_finds(
        first in proptest::collection::vec(0u64..3, 1..12),
        tail in proptest::collection::vec(0u64..3, 0..20),
    ) {
        let lengths = (1..=first.len().min(tail.len())).rev();
        let length = lengths.clone().find(|length| tail.ends_with(&first[..*length])).unwrap_or(0);
        let may_go_on = tail.len() > first.len()
            && tail[..tail.len() - 1].windows(first.len()).any(|window| window == first);
        prop_assert_eq!(Run::of(&first, &tail), Run { length, may_go_on });
    }
}

/// A message that the hub took in a session and that is not durable yet.
#[derive(Clone, Copy)]
struct Taken {
    message: u64,
    session: usize,
}

/// A client as librelp has it, the wire, and a hub.
struct World {
    window: usize,
    /// Whether the chains drop every fifth message.
    drops: bool,
    next: u64,
    count: u64,
    unacked: VecDeque<u64>,
    to_hub: VecDeque<u64>,
    to_client: VecDeque<u64>,
    /// The session's beginning, while it is not certain what is new, with what it holds.
    beginning: Option<Beginning>,
    /// The sessions whose tails the beginning looks at.
    earlier: Vec<usize>,
    held: Vec<u64>,
    session: usize,
    /// What each session took, in order; empty once it cannot be sent again.
    tails: Vec<Tail>,
    not_durable: VecDeque<Taken>,
    /// What is to be answered, and the session that must be durable first.
    answers: VecDeque<(u64, usize)>,
    stored: Vec<Taken>,
}

impl World {
    fn new(window: usize, drops: bool, count: u64) -> World {
        World {
            window,
            drops,
            next: 0,
            count,
            unacked: VecDeque::new(),
            to_hub: VecDeque::new(),
            to_client: VecDeque::new(),
            beginning: None,
            earlier: Vec::new(),
            held: Vec::new(),
            session: 0,
            tails: vec![Tail::default()],
            not_durable: VecDeque::new(),
            answers: VecDeque::new(),
            stored: Vec::new(),
        }
    }

    fn step(&mut self, choice: u8) {
        match choice {
            0..=79 if self.next < self.count && self.unacked.len() < self.window => {
                self.unacked.push_back(self.next);
                self.to_hub.push_back(self.next);
                self.next += 1;
            }
            80..=139 => self.receive(),
            140..=179 => self.commit(),
            180..=209 => self.answer(),
            210..=239 => {
                if let Some(message) = self.to_client.pop_front() {
                    assert_eq!(self.unacked.pop_front(), Some(message), "answers are in order");
                }
            }
            // The client sends all of it at once, so that quiet means that there is no more.
            240..=243 if self.to_hub.is_empty() && !self.held.is_empty() => self.settle(true),
            244..=249 => self.lose_connection(choice.is_multiple_of(2)),
            250..=251 => self.kill(),
            252 => self.close(),
            _ => {}
        }
    }

    fn receive(&mut self) {
        let Some(message) = self.to_hub.pop_front() else { return };
        match &mut self.beginning {
            Some(beginning) => {
                beginning.push(message);
                self.held.push(message);
                self.settle(false);
            }
            None => self.take(message, self.session),
        }
    }

    /// As the listener does when verdicts are certain, or time is up.
    fn settle(&mut self, now: bool) {
        let Some(verdicts) = self.beginning.as_ref().and_then(|begun| begun.verdicts(now)) else {
            return;
        };
        self.beginning = None;
        for (message, verdict) in std::mem::take(&mut self.held).into_iter().zip(verdicts) {
            match verdict {
                Verdict::New => self.take(message, self.session),
                Verdict::Resent(index) => {
                    let earlier = self.earlier[index];
                    self.tails[self.session].hashes.push_back(message);
                    self.answers.push_back((message, earlier));
                    self.tails[earlier].hashes.clear();
                }
            }
        }
    }

    fn take(&mut self, message: u64, session: usize) {
        self.tails[session].hashes.push_back(message);
        self.not_durable.push_back(Taken { message, session });
        self.answers.push_back((message, session));
    }

    fn commit(&mut self) {
        let Some(taken) = self.not_durable.pop_front() else { return };
        if !(self.drops && taken.message % 5 == 0) {
            self.stored.push(taken);
        }
    }

    /// Answers what is durable, in order.
    fn answer(&mut self) {
        let Some((message, session)) = self.answers.front().copied() else { return };
        let waits = self.not_durable.iter().any(|taken| {
            taken.message == message || (session != self.session && taken.session == session)
        });
        if !waits {
            self.answers.pop_front();
            self.to_client.push_back(message);
        }
    }

    /// What was on the wire arrives, or not; the client connects again.
    fn lose_connection(&mut self, arrives: bool) {
        if arrives {
            while !self.to_hub.is_empty() {
                self.receive();
            }
        }
        self.connect();
    }

    /// The client says that it closes; everything is answered, and it connects again.
    fn close(&mut self) {
        while !self.to_hub.is_empty() {
            self.receive();
        }
        self.settle(true);
        while !self.not_durable.is_empty() {
            self.commit();
        }
        while !self.answers.is_empty() {
            self.answer();
        }
        assert_eq!(std::mem::take(&mut self.to_client), self.unacked, "all is answered");
        self.unacked.clear();
        self.tails[self.session].hashes.clear();
        self.connect();
    }

    fn kill(&mut self) {
        self.not_durable.clear();
        for tail in &mut self.tails {
            *tail = Tail { hashes: VecDeque::new(), has_gaps: true };
        }
        for taken in &self.stored {
            self.tails[taken.session].hashes.push_back(taken.message);
        }
        self.connect();
    }

    fn connect(&mut self) {
        self.to_client.clear();
        self.answers.clear();
        self.held.clear();
        self.to_hub = self.unacked.clone();
        self.tails.push(Tail::default());
        self.session = self.tails.len() - 1;
        self.earlier = (0..self.session).filter(|at| !self.tails[*at].hashes.is_empty()).collect();
        let tails = self.earlier.iter().map(|at| self.tails[*at].clone()).collect();
        self.beginning = Some(Beginning::after(tails));
    }

    fn finish(&mut self) {
        while self.next < self.count || !self.unacked.is_empty() {
            for choice in [0, 80, 140, 180, 210] {
                self.step(choice);
            }
            self.step(240);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn distinct_messages_are_stored_once_whatever_breaks(
        choices in proptest::collection::vec(any::<u8>(), 0..1_500),
        window in 1usize..40,
        drops in any::<bool>(),
    ) {
        let mut world = World::new(window, drops, 200);
        choices.iter().for_each(|choice| world.step(*choice));
        world.finish();
        let mut stored: Vec<u64> = world.stored.iter().map(|taken| taken.message).collect();
        let order = stored.is_sorted();
        stored.sort_unstable();
        let wanted: Vec<u64> = (0..200).filter(|message| !(drops && message % 5 == 0)).collect();
        prop_assert_eq!(stored, wanted);
        prop_assert!(order, "in the client's order");
    }
}
