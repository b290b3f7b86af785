//! Which alerts are asked for.

use std::ops::{Bound, RangeBounds as _};

use bergfried_event::Timestamp;

use super::field::{Field, Held};
use super::glance::{Glance, Name};
use super::test::Node;
use super::time::millis;
use crate::alert::Alert;
use crate::status::Status;

/// How many words are compared with an alert in no time.
const CHEAP: usize = 16;

/// Which alerts are asked for; the default is every one.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Whose alerts; none: everybody's.
    customers: Option<Vec<(Name, String)>>,
    /// All of these must hold.
    pub(super) nodes: Vec<Node>,
    /// When the alert was last heard of, in milliseconds: after, and up to.
    pub(super) heard: Option<(Bound<i64>, Bound<i64>)>,
    /// Its status is among these, for each list.
    pub(super) statuses: Vec<Statuses>,
    /// A field is among these names, for each.
    pub(super) names: Vec<Names>,
}

/// Names that a field of every alert is asked to be one of, or none of.
#[derive(Clone, Debug)]
pub(super) struct Names {
    field: Field,
    names: Vec<(Name, String)>,
    negated: bool,
}

impl Names {
    /// None where a glance knows nothing of the field.
    pub(super) fn new(field: &Field, texts: &[&str], negated: bool) -> Option<Names> {
        // What has no service is what `service=` finds, and a glance does not tell it from several.
        let known = match field {
            Field::Environment | Field::Resource | Field::Event | Field::Group => true,
            Field::Service => !texts.contains(&""),
            _ => false,
        };
        known.then(|| Names { field: field.clone(), names: named(texts), negated })
    }

    fn hold(&self, alert: &Alert) -> bool {
        let is = |text: &str| self.names.iter().any(|(_, name)| name == text);
        let found = match self.field.of(alert) {
            Held::Text(text) => is(text),
            Held::List(texts) => texts.iter().any(|text| is(text)),
            _ => false,
        };
        found != self.negated
    }

    fn pass(&self, alert: &Alert, glance: &Glance) -> bool {
        match glance.name(&self.field) {
            Some(held) => self.names.iter().any(|(name, _)| *name == held) != self.negated,
            None => self.hold(alert),
        }
    }
}

fn named(texts: &[impl AsRef<str>]) -> Vec<(Name, String)> {
    texts.iter().map(|text| (Name::of(text.as_ref()), text.as_ref().to_owned())).collect()
}

/// Some of the statuses, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Statuses(u32);

impl Statuses {
    /// Those that these words name, or all others; a word that names none adds none.
    pub(super) fn named(words: &[&str], negated: bool) -> Statuses {
        let named = |status: &&Status| words.contains(&status.name());
        let bits = Status::ALL.iter().filter(named).fold(0, |bits, status| bits | bit(*status));
        Statuses(if negated { !bits } else { bits })
    }

    fn contains(self, status: Status) -> bool {
        self.0 & bit(status) != 0
    }
}

fn bit(status: Status) -> u32 {
    1 << (status as u32)
}

impl Filter {
    /// The same, for the alerts of these customers only; none: of everybody.
    #[must_use]
    pub fn for_customers(mut self, customers: Option<Vec<String>>) -> Filter {
        self.customers = customers.map(|customers| named(&customers));
        self
    }

    /// Whether anything is asked beyond whose alerts they are.
    pub fn narrows(&self) -> bool {
        !(self.nodes.is_empty()
            && self.statuses.is_empty()
            && self.names.is_empty()
            && self.heard.is_none())
    }

    /// Whether the alert belongs to a customer whose alerts are asked for.
    pub fn may_see(&self, alert: &Alert) -> bool {
        let Some(customers) = &self.customers else { return true };
        let owner = alert.customer.as_ref();
        owner.is_some_and(|owner| customers.iter().any(|(_, customer)| customer == owner))
    }

    /// Whether it may: a glance alone never says so, only that it may not.
    pub(super) fn may_see_at(&self, alert: &Alert, glance: &Glance) -> bool {
        let Some(customers) = &self.customers else { return true };
        let owner = glance.customer;
        owner.is_some_and(|owner| customers.iter().any(|(customer, _)| *customer == owner))
            && self.may_see(alert)
    }

    /// Whether looking at one alert may take long: by expressions, or by many words.
    pub fn is_costly(&self) -> bool {
        self.nodes.iter().map(Node::cost).sum::<usize>() > CHEAP
    }

    /// Whether the alert is asked for.
    pub fn matches(&self, alert: &Alert) -> bool {
        self.passes(alert.status, alert.last_receive_time)
            && self.may_see(alert)
            && self.names.iter().all(|names| names.hold(alert))
            && self.holds(alert)
    }

    /// The same, looking at the alert itself only where its glance does not say no.
    pub fn takes(&self, alert: &Alert, glance: &Glance) -> bool {
        self.passes(glance.status, glance.last_receive_time)
            && self.names.iter().all(|names| names.pass(alert, glance))
            && self.may_see_at(alert, glance)
            && self.holds(alert)
    }

    fn passes(&self, status: Status, heard: Timestamp) -> bool {
        self.statuses.iter().all(|statuses| statuses.contains(status))
            && self.heard.is_none_or(|range| range.contains(&millis(heard)))
    }

    fn holds(&self, alert: &Alert) -> bool {
        self.nodes.iter().all(|node| node.holds(alert))
    }
}
