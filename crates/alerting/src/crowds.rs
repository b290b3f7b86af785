//! Who has to make room when there are too many alerts: the customer who has most, so that one who
//! sends without end crowds out nobody else. Whose alerts go first among those of one customer: what
//! is over, then what was quiet for longest.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use bergfried_alert::{Alert, Status};
use bergfried_event::Timestamp;

/// What is over goes first, then what was quiet for longest.
type Place = (bool, Timestamp, u64);

fn place(number: u64, alert: &Alert) -> Place {
    let over = matches!(alert.status, Status::Closed | Status::Expired | Status::Norm);
    (!over, alert.last_receive_time, number)
}

/// Alerts by the customer whose they are.
#[derive(Debug, Default)]
pub(crate) struct Crowds(BTreeMap<Option<String>, Crowd>);

/// The alerts of one customer, and about how many bytes they take.
#[derive(Debug, Default)]
struct Crowd {
    order: BTreeSet<Place>,
    bytes: usize,
}

/// What there is too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    Alerts,
    Bytes,
}

impl Crowds {
    /// An alert that takes so many bytes is among them.
    pub(crate) fn add(&mut self, number: u64, alert: &Alert, bytes: usize) {
        let crowd = match self.0.get_mut(&alert.customer) {
            Some(crowd) => crowd,
            None => self.0.entry(alert.customer.clone()).or_default(),
        };
        crowd.order.insert(place(number, alert));
        crowd.bytes = crowd.bytes.saturating_add(bytes);
    }

    /// An alert that took so many bytes is no longer among them.
    pub(crate) fn remove(&mut self, number: u64, alert: &Alert, bytes: usize) {
        let Some(crowd) = self.0.get_mut(&alert.customer) else { return };
        crowd.order.remove(&place(number, alert));
        crowd.bytes = crowd.bytes.saturating_sub(bytes);
        if crowd.order.is_empty() {
            self.0.remove(&alert.customer);
        }
    }

    /// When the alert was heard of that was heard of last; none where there is no alert.
    pub(crate) fn last_heard(&self) -> Option<Timestamp> {
        let last = |crowd: &Crowd| {
            let over = crowd.order.range(..(true, Timestamp::MIN, 0)).next_back();
            [over, crowd.order.last()].into_iter().flatten().map(|(_, heard, _)| *heard).max()
        };
        self.0.values().filter_map(last).max()
    }

    /// The numbers of the alerts in the order in which they go; `size_of` says how many bytes one takes.
    pub(crate) fn first_to_go(
        &self,
        too_many: TooMany,
        size_of: impl Fn(u64) -> usize,
    ) -> impl Iterator<Item = u64> {
        let share = |crowd: &Crowd| match too_many {
            TooMany::Alerts => crowd.order.len(),
            TooMany::Bytes => crowd.bytes,
        };
        let mut left: Vec<_> = self.0.values().map(|crowd| crowd.order.iter()).collect();
        let shares = self.0.values().enumerate().map(|(index, crowd)| (share(crowd), index));
        let mut largest: BinaryHeap<(usize, usize)> = shares.collect();
        std::iter::from_fn(move || {
            loop {
                let (share, index) = largest.pop()?;
                let next = left.get_mut(index).and_then(Iterator::next);
                let Some((_, _, number)) = next else { continue };
                let less = match too_many {
                    TooMany::Alerts => 1,
                    TooMany::Bytes => size_of(*number),
                };
                largest.push((share.saturating_sub(less), index));
                return Some(*number);
            }
        })
    }
}
