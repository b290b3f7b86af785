//! What one transaction is about to change, over the book as it is: later commands of the same
//! transaction see what earlier ones did, nobody else does.

mod finish;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use bergfried_alert::exception::Exception;
use bergfried_alert::{Alert, Blackout, Incoming, Relation, relation};
use bergfried_event::{Finding, Timestamp};
use uuid::Uuid;

use crate::beats::Beat;
use crate::book::{Book, Ids, Sender, starting_with, the_only};
use crate::follow::{Happened, News, RING};
use crate::raised::Raised;
use crate::tell::Told;

pub(crate) use self::finish::{Finished, Limits, Weighed};

/// The changes of one transaction.
pub(crate) struct Draft<'b> {
    book: &'b Book,
    alerts: BTreeMap<u64, Option<Arc<Alert>>>,
    ids: Ids,
    matters: HashMap<u64, Vec<u64>>,
    beats: BTreeMap<u64, Option<Arc<Beat>>>,
    senders: HashMap<Sender, u64>,
    blackouts: BTreeMap<u64, Option<Arc<Blackout>>>,
    exceptions: BTreeMap<u64, Option<Arc<Exception>>>,
    /// Whether a blackout may cover less than it did.
    blackouts_end: bool,
    raised: Raised,
    revision: u64,
    number: u64,
    applied: Option<u64>,
    told: Vec<Told>,
    news: VecDeque<Happened>,
}

pub(crate) fn fresh_id() -> String {
    Uuid::new_v4().to_string()
}

impl<'b> Draft<'b> {
    pub(crate) fn over(book: &'b Book) -> Draft<'b> {
        Draft {
            book,
            alerts: BTreeMap::new(),
            ids: Ids::new(),
            matters: HashMap::new(),
            beats: BTreeMap::new(),
            senders: HashMap::new(),
            blackouts: BTreeMap::new(),
            exceptions: BTreeMap::new(),
            blackouts_end: false,
            raised: Raised::default(),
            revision: book.revision,
            number: book.number,
            applied: None,
            told: Vec::new(),
            news: VecDeque::new(),
        }
    }

    /// The alert as it is now, with what this transaction did to it.
    pub(crate) fn alert(&self, number: u64) -> Option<&Arc<Alert>> {
        match self.alerts.get(&number) {
            Some(changed) => changed.as_ref(),
            None => self.book.alert(number),
        }
    }

    /// Every alert as it is now.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let made = self.alerts.keys().copied().filter(|number| self.book.alert(*number).is_none());
        let all = self.book.numbers().chain(made);
        all.filter(|number| self.alert(*number).is_some()).collect()
    }

    /// The number of the one alert that an id, or the beginning of one, means.
    pub(crate) fn number_of(&self, id: &str) -> Option<u64> {
        let exact = self.ids.get(id).or_else(|| self.book.ids().get(id)).copied();
        let exact = exact.filter(|number| self.alert(*number).is_some());
        exact.or_else(|| {
            let found = starting_with(&self.ids, id).chain(starting_with(self.book.ids(), id));
            the_only(found.filter(|number| self.alert(*number).is_some()))
        })
    }

    /// The number of the stored alert that is meant, and how: a duplicate before a correlation, then
    /// what was heard of last.
    pub(crate) fn find(&self, incoming: &Incoming) -> Option<(u64, Relation)> {
        let customer = incoming.customer.as_deref();
        let Incoming { environment, resource, event, .. } = incoming;
        let matter = self.book.matter(environment, resource, event, customer);
        let drafted = self.matters.get(&matter).map_or(&[][..], Vec::as_slice);
        let about = self.book.about(matter).iter().chain(drafted).copied();
        let related = about.filter_map(|number| {
            let alert = self.alert(number)?;
            let relation = relation(alert, incoming)?;
            let is_duplicate = relation == Relation::Duplicate;
            Some(((is_duplicate, alert.last_receive_time, alert.revision), number, relation))
        });
        let (_, number, relation) = related.max_by_key(|(rank, _, _)| *rank)?;
        Some((number, relation))
    }

    /// Whether an id is another alert's already, so that nothing else may go by it.
    pub(crate) fn is_taken(&self, id: &str, by_other_than: Option<u64>) -> bool {
        let holder = self.ids.get(id).or_else(|| self.book.ids().get(id));
        holder.is_some_and(|number| Some(*number) != by_other_than)
    }

    /// Puts a new alert in.
    pub(crate) fn insert(&mut self, alert: Alert, now: Timestamp) -> u64 {
        let number = self.next_number();
        self.raised.count(&alert, now);
        self.alerts.insert(number, Some(Arc::new(alert)));
        self.touched(number, true);
        number
    }

    /// Changes an alert in place; nothing where there is none.
    pub(crate) fn edit<T>(
        &mut self,
        number: u64,
        change: impl FnOnce(&mut Alert) -> T,
    ) -> Option<T> {
        let drafted = match self.alerts.entry(number) {
            Entry::Occupied(entry) => entry.into_mut().as_mut()?,
            Entry::Vacant(entry) => {
                entry.insert(Some(Arc::clone(self.book.alert(number)?))).as_mut()?
            }
        };
        let alert = Arc::make_mut(drafted);
        let event = alert.event.clone();
        let result = change(alert);
        let moved = event != alert.event;
        self.touched(number, moved);
        Some(result)
    }

    /// As [`Draft::edit`]; where `change` fails the alert stays as it is.
    pub(crate) fn try_edit<E>(
        &mut self,
        number: u64,
        change: impl FnOnce(&mut Alert) -> Result<(), E>,
    ) -> Option<Result<(), E>> {
        let mut alert = Alert::clone(self.alert(number)?);
        if let Err(error) = change(&mut alert) {
            return Some(Err(error));
        }
        self.alerts.insert(number, Some(Arc::new(alert)));
        self.touched(number, false);
        Some(Ok(()))
    }

    /// Gives a changed alert the next revision, and makes it found by what it is about now.
    fn touched(&mut self, number: u64, moved: bool) {
        let Some(Some(alert)) = self.alerts.get_mut(&number) else { return };
        self.revision = self.revision.saturating_add(1);
        Arc::make_mut(alert).revision = self.revision;
        for id in [&alert.id, &alert.last_receive_id] {
            let holder = self.ids.get(id.as_str()).or_else(|| self.book.ids().get(id.as_str()));
            if holder.is_none() {
                self.ids.insert(id.as_str().into(), number);
            }
        }
        if moved {
            for matter in self.book.matters_of(alert) {
                let numbers = self.matters.entry(matter).or_default();
                if !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
        }
    }

    pub(crate) fn delete(&mut self, number: u64) {
        self.mourn(number);
        self.alerts.insert(number, None);
    }

    /// Lets followers know that an alert is no more.
    fn mourn(&mut self, number: u64) {
        if let Some(alert) = self.alert(number) {
            let (id, customer) = (alert.id.clone(), alert.customer.clone());
            self.happened(News::Deleted { id, customer });
        }
    }

    /// Lets followers know of a finding that an exception covers.
    pub(crate) fn suppressed(&mut self, finding: &Finding, exception: &Exception) {
        let (finding, exception) = (Arc::new(finding.clone()), exception.id.clone());
        self.happened(News::Suppressed { finding, exception });
    }

    /// Lets followers know of a finding.
    pub(crate) fn found(&mut self, finding: &Finding) {
        self.happened(News::Finding(Arc::new(finding.clone())));
    }

    fn happened(&mut self, news: News) {
        self.revision = self.revision.saturating_add(1);
        self.news.push_back(Happened { id: self.revision, news });
        if self.news.len() > RING {
            self.news.pop_front();
        }
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.number = self.number.saturating_add(1);
        self.number
    }

    pub(crate) fn tell(&mut self, told: Told) {
        self.told.push(told);
    }

    pub(crate) fn applied(&mut self, sequence: u64) {
        self.applied = self.applied.max(Some(sequence));
    }

    pub(crate) fn beat(&self, number: u64) -> Option<&Arc<Beat>> {
        match self.beats.get(&number) {
            Some(changed) => changed.as_ref(),
            None => self.book.beat(number),
        }
    }

    pub(crate) fn beat_of(&self, sender: &Sender) -> Option<(u64, &Arc<Beat>)> {
        let number = self.senders.get(sender).copied().or_else(|| self.book.beat_of(sender))?;
        Some((number, self.beat(number)?))
    }

    /// The number of the heartbeat with this id.
    pub(crate) fn beat_number(&self, id: &str) -> Option<u64> {
        let has_it = |beat: &Beat| beat.heartbeat.id == id;
        let changed = self.beats.iter();
        let found = changed.filter_map(|(number, beat)| Some((number, beat.as_ref()?)));
        let found = found.chain(self.book.beats()).find(|(_, beat)| has_it(beat));
        found.map(|(number, _)| *number).filter(|number| self.beat(*number).is_some())
    }

    /// How many heartbeats there may be at most after this transaction.
    pub(crate) fn beat_count(&self) -> usize {
        self.book.beats().len() + self.senders.len()
    }

    /// How many of them are of agents, as far as they were there before this transaction.
    pub(crate) fn agent_count(&self) -> usize {
        let is_agent = |beat: &&Arc<Beat>| beat.heartbeat.agent().is_some();
        self.book.beats().values().filter(is_agent).count() + self.senders.len()
    }

    pub(crate) fn put_beat(&mut self, number: u64, beat: Option<Beat>) {
        if let Some(beat) = &beat
            && self.book.beat(number).is_none()
        {
            self.senders.insert(beat.sender(), number);
        }
        self.beats.insert(number, beat.map(Arc::new));
    }

    /// Every blackout as it is now.
    pub(crate) fn blackouts(&self) -> impl Iterator<Item = (u64, &Arc<Blackout>)> {
        let stored =
            self.book.blackouts.iter().filter(|(number, _)| !self.blackouts.contains_key(number));
        let changed = self
            .blackouts
            .iter()
            .filter_map(|(number, blackout)| Some((number, blackout.as_ref()?)));
        stored.chain(changed).map(|(number, blackout)| (*number, blackout))
    }

    pub(crate) fn put_blackout(&mut self, number: u64, blackout: Option<Arc<Blackout>>) {
        let is_new = !self.book.blackouts.contains_key(&number);
        self.blackouts_end |= !is_new || blackout.is_none();
        self.blackouts.insert(number, blackout);
    }

    /// Every exception as it is now, in the order in which they were made.
    pub(crate) fn exceptions(&self) -> impl Iterator<Item = (u64, &Arc<Exception>)> {
        let changed = |number: &u64| self.exceptions.get(number);
        let stored = self.book.exceptions.iter().filter_map(move |(number, exception)| {
            Some((*number, changed(number).map_or(Some(exception), Option::as_ref)?))
        });
        let made = self.exceptions.iter().filter_map(|(number, exception)| {
            let is_new = !self.book.exceptions.contains_key(number);
            Some((*number, exception.as_ref().filter(|_| is_new)?))
        });
        stored.chain(made)
    }

    pub(crate) fn put_exception(&mut self, number: u64, exception: Option<Arc<Exception>>) {
        self.exceptions.insert(number, exception);
    }

    /// Notes that a blackout begins or ends by the clock.
    pub(crate) fn blackout_is_due(&mut self) {
        self.blackouts_end = true;
    }

    /// Whether there may be alerts that no blackout covers any more.
    pub(crate) fn may_end_blackouts(&self) -> bool {
        self.blackouts_end
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.alerts.is_empty()
            && self.beats.is_empty()
            && self.blackouts.is_empty()
            && self.exceptions.is_empty()
            && self.applied.is_none()
    }
}
