//! All alerts, heartbeats and blackouts in memory, found by what they are about and by their ids.
//!
//! Only the writer changes it, and only to what is durable.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::ops::Bound;
use std::sync::Arc;

use bergfried_alert::exception::Exception;
use bergfried_alert::query::Glance;
use bergfried_alert::{Alert, Blackout, Heartbeat, Model};
use bergfried_event::Timestamp;

use crate::beats::Beat;
use crate::crowds::{Crowds, TooMany};
use crate::draft::Weighed;
use crate::numbered::Numbered;
use crate::raised::Raised;

/// The fewest characters of an id that may stand for the whole.
pub const MIN_PREFIX: usize = 8;

/// Everything that is known now.
#[derive(Debug, Default)]
pub struct Book {
    /// By row number, so in the order in which they were made; side by side, because questions over
    /// all of them are asked every few seconds.
    alerts: Numbered<Kept>,
    /// What the glances are made with.
    model: Model,
    /// The ids of alerts, and the ids that the last thing said of them came with.
    ids: Ids,
    /// Alerts by the matters that they are about; see [`Book::matters_of`].
    matters: HashMap<u64, Vec<u64>>,
    hasher: RandomState,
    /// Who makes room when there are too many.
    crowds: Crowds,
    bytes: usize,
    beats: BTreeMap<u64, Arc<Beat>>,
    /// The numbers of heartbeats by who sends them.
    senders: HashMap<Sender, u64>,
    pub(crate) blackouts: BTreeMap<u64, Arc<Blackout>>,
    pub(crate) exceptions: BTreeMap<u64, Arc<Exception>>,
    pub(crate) raised: Raised,
    pub(crate) revision: u64,
    /// The highest number that was given to a row.
    pub(crate) number: u64,
}

/// The most alerts that are found by one event that they are only correlated with.
const MOST_RELATED: usize = 256;
/// About how many bytes it takes to find an alert by one event that it is correlated with.
const PER_MATTER: usize = 128;

/// About how many bytes of memory an alert takes that has so many as JSON.
pub(crate) fn weight(alert: &Alert, json: usize) -> usize {
    json.saturating_add(alert.correlate.len().saturating_mul(PER_MATTER))
}

/// Row numbers by id; ordered, so that a prefix finds them.
pub(crate) type Ids = BTreeMap<Box<str>, u64>;

/// Who sends a heartbeat: an origin of a customer.
pub(crate) type Sender = (String, Option<String>);

/// An alert and about how many bytes it takes in memory.
#[derive(Debug)]
struct Kept {
    alert: Arc<Alert>,
    /// Kept here so that a question over all alerts need not fetch each from memory.
    glance: Glance,
    bytes: usize,
}

impl Book {
    /// Nothing is known yet.
    pub(crate) fn new(model: Model) -> Book {
        Book { model, ..Book::default() }
    }

    /// The alert with this id, or that was last received with it, or the only one whose id begins
    /// with these at least [`MIN_PREFIX`] characters.
    pub fn get(&self, id: &str) -> Option<&Arc<Alert>> {
        self.alert(self.number_of(id)?)
    }

    /// As [`Book::get`] among the alerts that somebody sees: what they do not see makes no beginning
    /// of an id ambiguous, so that they learn nothing of it.
    pub fn find(&self, id: &str, sees: impl Fn(&Alert) -> bool) -> Option<&Arc<Alert>> {
        let seen = |number: &u64| self.alert(*number).is_some_and(|alert| sees(alert));
        let number = match self.ids.get(id) {
            Some(number) => Some(*number).filter(seen),
            None => the_only(starting_with(&self.ids, id).filter(seen)),
        };
        self.alert(number?)
    }

    /// Every alert, in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Alert>> + Clone {
        self.alerts.iter().map(|kept| &kept.alert)
    }

    /// The same with a glance at each, for questions over all of them.
    pub fn listed(&self) -> impl Iterator<Item = (&Arc<Alert>, &Glance)> + Clone {
        self.alerts.iter().map(|kept| (&kept.alert, &kept.glance))
    }

    /// When the alert was heard of that was heard of last; none where there is no alert.
    pub fn last_heard(&self) -> Option<Timestamp> {
        self.crowds.last_heard()
    }

    /// How many alerts there are.
    pub fn len(&self) -> usize {
        self.alerts.len()
    }

    /// Whether there is no alert.
    pub fn is_empty(&self) -> bool {
        self.alerts.len() == 0
    }

    /// About how many bytes the alerts take in memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Rises with every change of any alert.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// How many alerts were raised in the 24 hours that end so many days before `now`, 0 or 1, by the
    /// rule; an empty name: by no rule of this hub. Also those count that are no more.
    pub fn raised_in_day(&self, days_before: u8, now: Timestamp) -> BTreeMap<&str, u64> {
        self.raised.in_day(days_before, now)
    }

    /// Every heartbeat, in the order in which their senders were first heard.
    pub fn heartbeats(&self) -> impl Iterator<Item = &Arc<Heartbeat>> + Clone {
        self.beats.values().map(|beat| &beat.heartbeat)
    }

    /// The heartbeat with this id.
    pub fn heartbeat(&self, id: &str) -> Option<&Arc<Heartbeat>> {
        self.heartbeats().find(|heartbeat| heartbeat.id == id)
    }

    /// Every blackout, in the order in which they were made.
    pub fn blackouts(&self) -> impl Iterator<Item = &Arc<Blackout>> + Clone {
        self.blackouts.values()
    }

    /// The blackout with this id.
    pub fn blackout(&self, id: &str) -> Option<&Arc<Blackout>> {
        self.blackouts().find(|blackout| blackout.id == id)
    }

    /// Every exception, in the order in which they were made.
    pub fn exceptions(&self) -> impl Iterator<Item = &Arc<Exception>> + Clone {
        self.exceptions.values()
    }

    /// The exception with this id, or the only one whose id begins with these at least
    /// [`MIN_PREFIX`] characters.
    pub fn exception(&self, id: &str) -> Option<&Arc<Exception>> {
        let begins =
            |exception: &&Arc<Exception>| id.len() >= MIN_PREFIX && exception.id.starts_with(id);
        let exact = self.exceptions().find(|exception| exception.id == id);
        exact.or_else(|| {
            let mut found = self.exceptions().filter(begins);
            found.next().filter(|_| found.next().is_none())
        })
    }

    /// Some alerts and the glances at them, from after the one of this number on, with their own
    /// numbers: for who looks at all of them but must not keep the writer waiting for that long.
    pub fn listed_after(
        &self,
        number: Option<u64>,
    ) -> impl Iterator<Item = (u64, &Arc<Alert>, Glance)> {
        let after = self.alerts.after(number);
        after.map(|(number, kept)| (number, &kept.alert, kept.glance))
    }

    pub(crate) fn alert(&self, number: u64) -> Option<&Arc<Alert>> {
        self.alerts.get(number).map(|kept| &kept.alert)
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.alerts.after(None).map(|(number, _)| number)
    }

    pub(crate) fn size_of(&self, number: u64) -> usize {
        self.alerts.get(number).map_or(0, |kept| kept.bytes)
    }

    /// The number of the one alert that an id or the beginning of one means.
    pub(crate) fn number_of(&self, id: &str) -> Option<u64> {
        match self.ids.get(id) {
            Some(number) => Some(*number),
            None => the_only(starting_with(&self.ids, id)),
        }
    }

    pub(crate) fn beat(&self, number: u64) -> Option<&Arc<Beat>> {
        self.beats.get(&number)
    }

    pub(crate) fn beats(&self) -> &BTreeMap<u64, Arc<Beat>> {
        &self.beats
    }

    pub(crate) fn beat_of(&self, sender: &Sender) -> Option<u64> {
        self.senders.get(sender).copied()
    }

    pub(crate) fn put_beat(&mut self, number: u64, beat: Option<Arc<Beat>>) {
        if let Some(before) = self.beats.remove(&number) {
            self.senders.remove(&before.sender());
        }
        if let Some(beat) = beat {
            self.senders.insert(beat.sender(), number);
            self.beats.insert(number, beat);
        }
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Names a matter: what [`bergfried_alert::relation`] compares but for the severity. Hashed with
    /// a key of this process, so nobody can make matters that collide; who looks one up still has to
    /// ask `relation`.
    pub(crate) fn matter(
        &self,
        environment: &str,
        resource: &str,
        event: &str,
        customer: Option<&str>,
    ) -> u64 {
        self.hasher.hash_one((environment, resource, event, customer))
    }

    /// The matters under which an alert is found: its event and each that correlates with it.
    pub(crate) fn matters_of(&self, alert: &Alert) -> Vec<u64> {
        let events = std::iter::once(&alert.event).chain(&alert.correlate);
        let mut matters: Vec<u64> = events.map(|event| self.matter_of(alert, event)).collect();
        matters.sort_unstable();
        matters.dedup();
        matters
    }

    fn matter_of(&self, alert: &Alert, event: &str) -> u64 {
        self.matter(&alert.environment, &alert.resource, event, alert.customer.as_deref())
    }

    /// The numbers of the alerts that may be about a matter.
    pub(crate) fn about(&self, matter: u64) -> &[u64] {
        self.matters.get(&matter).map_or(&[], Vec::as_slice)
    }

    /// Alerts in the order in which they go when there are too many.
    pub(crate) fn first_to_go(&self, too_many: TooMany) -> impl Iterator<Item = u64> {
        self.crowds.first_to_go(too_many, |number| self.size_of(number))
    }

    /// Puts an alert in the place of what was there, or takes it out.
    pub(crate) fn put(&mut self, number: u64, alert: Weighed) {
        let before = self.alert(number).cloned();
        let after = alert.as_ref().map(|(alert, _)| &**alert);
        self.index_ids(number, before.as_deref(), after);
        self.index_matters(number, before.as_deref(), after);
        let took = self.size_of(number);
        if let Some(before) = &before {
            self.crowds.remove(number, before, took);
        }
        if let Some((after, takes)) = &alert {
            self.crowds.add(number, after, *takes);
        }
        self.bytes = self.bytes.saturating_sub(took);
        let kept = alert.map(|(alert, bytes)| {
            let glance = Glance::at(&alert, &self.model);
            Kept { alert, glance, bytes }
        });
        self.bytes = self.bytes.saturating_add(kept.as_ref().map_or(0, |kept| kept.bytes));
        self.alerts.put(number, kept);
    }

    fn index_ids(&mut self, number: u64, before: Option<&Alert>, after: Option<&Alert>) {
        let stays =
            |id: &str| after.is_some_and(|alert| alert.id == id || alert.last_receive_id == id);
        let had = before.map(|alert| [&alert.id, &alert.last_receive_id]);
        for id in had.into_iter().flatten().filter(|id| !stays(id)) {
            if self.ids.get(id.as_str()) == Some(&number) {
                self.ids.remove(id.as_str());
            }
        }
        let has = after.map(|alert| [&alert.id, &alert.last_receive_id]);
        for id in has.into_iter().flatten() {
            if !self.ids.contains_key(id.as_str()) {
                self.ids.insert(id.as_str().into(), number);
            }
        }
    }

    fn index_matters(&mut self, number: u64, before: Option<&Alert>, after: Option<&Alert>) {
        if let (Some(before), Some(after)) = (before, after)
            && before.event == after.event
            && before.correlate == after.correlate
        {
            return;
        }
        for matter in before.map(|alert| self.matters_of(alert)).unwrap_or_default() {
            if let Some(numbers) = self.matters.get_mut(&matter) {
                numbers.retain(|other| *other != number);
                if numbers.is_empty() {
                    self.matters.remove(&matter);
                }
            }
        }
        let Some(after) = after else { return };
        let own = self.matter_of(after, &after.event);
        for matter in self.matters_of(after) {
            let numbers = self.matters.entry(matter).or_default();
            // What an alert is, is always found; what it is correlated with as well, unless a sender
            // correlates everything with the same.
            if matter == own || numbers.len() < MOST_RELATED {
                numbers.push(number);
            }
        }
    }
}

/// What stands under ids that begin with `prefix`, where it is long enough to be one.
pub(crate) fn starting_with<'a>(
    ids: &'a Ids,
    prefix: &'a str,
) -> impl Iterator<Item = u64> + use<'a> {
    let from = (Bound::Included(prefix), Bound::Unbounded);
    let long_enough = prefix.len() >= MIN_PREFIX;
    ids.range::<str, _>(from)
        .take_while(move |(id, _)| long_enough && id.starts_with(prefix))
        .map(|(_, number)| *number)
}

/// The number that all of these are, where they are one.
pub(crate) fn the_only(mut numbers: impl Iterator<Item = u64>) -> Option<u64> {
    let first = numbers.next()?;
    numbers.all(|number| number == first).then_some(first)
}
