//! The little of an alert that most questions look at.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::num::NonZeroU64;
use std::sync::{Arc, LazyLock};

use bergfried_event::Timestamp;

use super::field::Field;
use crate::alert::Alert;
use crate::history::EntryKind;
use crate::model::Model;
use crate::status::Status;

/// What most questions look at, small enough to be kept beside many alerts.
///
/// A question over 100,000 alerts takes as long as fetching each of them from memory does; whoever
/// keeps glances spares it that for all but the alerts of the page. Make a new one whenever the alert
/// changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glance {
    /// The place of the severity among the model's, or [`Glance::NO_PLACE`].
    pub(super) place: u16,
    /// What the severity sorts by.
    pub(super) code: u16,
    pub(super) status: Status,
    pub(super) last_receive_time: Timestamp,
    pub(super) create_time: Timestamp,
    pub(super) duplicate_count: u64,
    /// How often the severity changed, as far as the history goes back.
    pub(super) severity_changes: u32,
    environment: Name,
    resource: Name,
    event: Name,
    group: Name,
    /// Of the only service its own name, else one name for all of them together.
    services: Name,
    has_one_service: bool,
    /// None where there is none.
    pub(super) customer: Option<Name>,
}

/// What stands for a text: 64 bits of a hash with a key of this process, which nobody outside knows, so
/// that nobody can make texts that share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name(NonZeroU64);

impl Name {
    pub(super) fn of(text: &str) -> Name {
        Name::hashed(text)
    }

    /// One for several texts together, in their order. Each text of them is hashed with its end, so that
    /// others do not add up to the same.
    fn of_all(texts: &[String]) -> Name {
        Name::hashed(texts)
    }

    fn hashed(named: impl Hash) -> Name {
        static KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Name(NonZeroU64::new(KEY.hash_one(named)).unwrap_or(NonZeroU64::MIN))
    }
}

impl Glance {
    /// The severity is none of the model's.
    pub(super) const NO_PLACE: u16 = u16::MAX;

    /// A glance at an alert as it is now.
    pub fn at(alert: &Alert, model: &Model) -> Glance {
        let mut severities = model.severities.iter().zip(0_u16..);
        let found = severities.find(|((word, _), _)| *word == alert.severity);
        let changes = alert.history.iter().filter(|entry| entry.kind == EntryKind::Severity);
        Glance {
            place: found.map_or(Self::NO_PLACE, |(_, place)| place),
            code: found.map_or(u16::MAX, |((_, code), _)| *code),
            status: alert.status,
            last_receive_time: alert.last_receive_time,
            create_time: alert.create_time,
            duplicate_count: alert.duplicate_count,
            severity_changes: u32::try_from(changes.count()).unwrap_or(u32::MAX),
            environment: Name::of(&alert.environment),
            resource: Name::of(&alert.resource),
            event: Name::of(&alert.event),
            group: Name::of(&alert.group),
            services: match alert.service.as_slice() {
                [only] => Name::of(only),
                several_or_none => Name::of_all(several_or_none),
            },
            has_one_service: alert.service.len() == 1,
            customer: alert.customer.as_deref().map(Name::of),
        }
    }

    /// The one name that a field has; none where the alert itself has to be asked.
    pub(super) fn name(&self, field: &Field) -> Option<Name> {
        match field {
            Field::Environment => Some(self.environment),
            Field::Resource => Some(self.resource),
            Field::Event => Some(self.event),
            Field::Group => Some(self.group),
            Field::Service => self.has_one_service.then_some(self.services),
            _ => None,
        }
    }

    /// Its environment and its services; alerts for which these are the same have the same.
    pub(super) fn surroundings(&self) -> (Name, Name, bool) {
        (self.environment, self.services, self.has_one_service)
    }
}

/// An alert, alone or with a [`Glance`] that was kept beside it.
pub trait Listed<'a>: Copy {
    /// The alert.
    fn alert(self) -> &'a Arc<Alert>;

    /// The glance at it.
    fn glance(self, model: &Model) -> Glance;
}

impl<'a> Listed<'a> for &'a Arc<Alert> {
    fn alert(self) -> &'a Arc<Alert> {
        self
    }

    fn glance(self, model: &Model) -> Glance {
        Glance::at(self, model)
    }
}

impl<'a> Listed<'a> for (&'a Arc<Alert>, &'a Glance) {
    fn alert(self) -> &'a Arc<Alert> {
        self.0
    }

    fn glance(self, _: &Model) -> Glance {
        *self.1
    }
}
