//! Shows stored events to rules once more, in the order in which they happened.
//!
//! The store is asked only for events that some detection of the rules holds over, a day at a time.
//! Bounded by events and by time, and ended by whoever asked: what was cut is said.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use bergfried_event::{Field, Timestamp};
use bergfried_query::{Condition, Pattern, Predicate};
use bergfried_rules::{RuleKind, RuleSet};
use bergfried_store::{Limits, Reader, Stop, StoreError, StoredEvent};

/// How many events pass between looks at the clock.
pub(crate) const STRIDE: u64 = 64;
pub(crate) const TOO_MANY: &str = "there were too many events";
pub(crate) const TOO_LONG: &str = "it took too long";

/// How far history is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    /// The most events that are shown to the rules.
    pub(crate) events: u64,
    /// The longest that it takes.
    pub(crate) time: Duration,
    /// Set when the time is over by whoever minds it, or when nobody waits for the answer any more.
    pub(crate) stop: Stop,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { events: 2_000_000, time: Duration::from_secs(10), stop: Stop::default() }
    }
}

/// Where it ended before its time, and why.
pub(crate) type Cut = Option<(Timestamp, &'static str)>;

/// Sets its flag when it goes: a handler that holds it is dropped when its client goes away.
pub(crate) struct GivesUp(pub(crate) Stop);

impl Drop for GivesUp {
    fn drop(&mut self) {
        self.0.set();
    }
}

/// Hands over what the rules would have seen from `from` to `to`, and before it what they look back
/// at: of what was never seen before all that is stored.
///
/// # Errors
/// Where the store cannot be read.
pub(crate) fn replay(
    reader: &Reader,
    rules: &RuleSet,
    (from, to): (Timestamp, Timestamp),
    bounds: &Bounds,
    mut show: impl FnMut(&StoredEvent),
) -> Result<Cut, StoreError> {
    let wanted = rules.any_detection().and(not_repeated());
    let ends = Instant::now() + bounds.time;
    let is_over = || bounds.stop.is_set() || Instant::now() >= ends;
    let reader = reader.within(&Limits { stop: bounds.stop.clone(), ..Limits::default() });
    let Some(oldest) = reader.stats().oldest else { return Ok(None) };
    let remembers_all = rules.rules().iter().any(|rule| rule.kind() == RuleKind::FirstSeen);
    let back = if remembers_all { oldest } else { from.plus_micros(-rules.longest_window()) };
    let mut day = back.max(oldest);
    let (mut shown, mut cut, mut reached) = (0_u64, None, day);
    while day < to && cut.is_none() {
        let next = day.plus_micros(Timestamp::DAY).min(to);
        if is_over() {
            return Ok(Some((day, TOO_LONG)));
        }
        let replayed = reader.replay_matching(&wanted, day, next, |stored| {
            reached = stored.event.created();
            if shown >= bounds.events {
                cut = Some((reached, TOO_MANY));
            } else if shown.is_multiple_of(STRIDE) && is_over() {
                cut = Some((reached, TOO_LONG));
            } else {
                shown += 1;
                show(&stored);
                return ControlFlow::Continue(());
            }
            ControlFlow::Break(())
        });
        match replayed {
            Err(StoreError::Cancelled) => cut = Some((reached, TOO_LONG)),
            other => _ = other?,
        }
        (day, reached) = (next, next);
    }
    Ok(cut)
}

/// The rules never saw what another way had brought before.
pub(crate) fn not_repeated() -> Predicate {
    let repeated = Condition::Text(Pattern::with_wildcards("repeated", false));
    Predicate::Not(Box::new(Predicate::field(Field::LogFlags, repeated)))
}
