//! What there is the most of.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use super::field::{Field, Held};
use super::glance::{Glance, Listed, Name};
use super::groups::each_once;
use super::params::Listing;
use super::select::First;
use super::test::text_of;
use crate::alert::Alert;
use crate::model::Model;

/// What the alerts of a group are weighed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopKind {
    /// How many there are.
    Count,
    /// How often their severity changed.
    Flapping,
    /// How long they have been heard of, together.
    Standing,
}

/// Alerts that have the grouping field in common.
#[derive(Clone, Debug)]
pub struct TopGroup<'a> {
    /// What they have in common.
    pub name: String,
    /// How many there are, or how often their severity changed ([`TopKind::Flapping`]).
    pub count: u64,
    /// Their duplicates.
    pub duplicate_count: u64,
    /// Their environments.
    pub environments: BTreeSet<&'a str>,
    /// Their services.
    pub services: BTreeSet<&'a str>,
    /// The alerts, the first hundred at most.
    pub alerts: Vec<&'a Arc<Alert>>,
}

/// The most alerts that a group shows.
const SHOWN: usize = 100;

impl FromStr for TopKind {
    type Err = ();

    fn from_str(word: &str) -> Result<TopKind, ()> {
        match word {
            "count" => Ok(TopKind::Count),
            "flapping" => Ok(TopKind::Flapping),
            "standing" => Ok(TopKind::Standing),
            _ => Err(()),
        }
    }
}

/// The heaviest groups of the alerts that match, as many as a page has, the heaviest first.
///
/// An alert that has several values of the field (services, tags) is in the group of each; one that
/// has none is in no group. What never flapped is in no group of [`TopKind::Flapping`].
pub fn top<'a>(
    alerts: impl Iterator<Item = impl Listed<'a>>,
    listing: &Listing,
    kind: TopKind,
    model: &Model,
) -> Vec<TopGroup<'a>> {
    let field = &listing.group_by;
    let mut places: HashMap<Name, usize> = HashMap::new();
    let mut sums: Vec<Sum<'a>> = Vec::new();
    let mut members = Vec::new();
    for listed in alerts {
        let (alert, glance) = (listed.alert(), listed.glance(model));
        if !listing.filter.takes(alert, &glance) {
            continue;
        }
        let (count, weight) = weigh(kind, &glance);
        if count == 0 {
            continue;
        }
        let mut add = |name: Name| {
            let place = *places.entry(name).or_insert(sums.len());
            if place == sums.len() {
                sums.push(Sum { name, first: alert, count: 0, weight: 0, duplicates: 0 });
            }
            if let Some(sum) = sums.get_mut(place) {
                sum.count += count;
                sum.weight = sum.weight.saturating_add(weight);
                sum.duplicates = sum.duplicates.saturating_add(glance.duplicate_count);
                members.push((place, listed));
            }
        };
        match glance.name(field) {
            Some(name) => add(name),
            None => each_name(field.of(alert), |name| add(Name::of(&name))),
        }
    }
    let mut first = First::new(listing.page_size, |one: &Ranked<'_>, other: &Ranked<'_>| {
        let key = |ranked: &Ranked<'_>| Reverse((ranked.0.weight, ranked.0.duplicates));
        let names = || one.0.name_in(field).cmp(&other.0.name_in(field));
        key(one).cmp(&key(other)).then_with(names)
    });
    sums.iter().enumerate().for_each(|(place, sum)| first.push((sum, place)));
    let mut ranks: Vec<Option<usize>> = vec![None; sums.len()];
    let mut groups = Vec::new();
    for (sum, place) in first.after(0) {
        if let Some(rank) = ranks.get_mut(place) {
            *rank = Some(groups.len());
        }
        let group = TopGroup {
            name: sum.name_in(field).into_owned(),
            count: sum.count,
            duplicate_count: sum.duplicates,
            environments: BTreeSet::new(),
            services: BTreeSet::new(),
            alerts: Vec::new(),
        };
        groups.push((group, HashSet::new()));
    }
    for (place, listed) in members {
        let rank = ranks.get(place).copied().flatten();
        let Some((group, seen)) = rank.and_then(|rank| groups.get_mut(rank)) else { continue };
        // Whoever is not shown and adds no name need not be fetched.
        if seen.insert(listed.glance(model).surroundings()) {
            let alert = listed.alert();
            group.environments.insert(&alert.environment);
            group.services.extend(alert.service.iter().map(String::as_str));
        }
        if group.alerts.len() < SHOWN {
            group.alerts.push(listed.alert());
        }
    }
    groups.into_iter().map(|(group, _)| group).collect()
}

/// A group and its place.
type Ranked<'a> = (&'a Sum<'a>, usize);

struct Sum<'a> {
    name: Name,
    /// One that has the name in the grouping field.
    first: &'a Arc<Alert>,
    count: u64,
    weight: u64,
    duplicates: u64,
}

impl<'a> Sum<'a> {
    /// The group's name in letters.
    fn name_in(&self, field: &Field) -> Cow<'a, str> {
        let mut found = Cow::Borrowed("");
        each_name(field.of(self.first), |name| {
            if found.is_empty() && Name::of(&name) == self.name {
                found = name;
            }
        });
        found
    }
}

/// What an alert counts, and what it weighs.
fn weigh(kind: TopKind, glance: &Glance) -> (u64, u64) {
    match kind {
        TopKind::Count => (1, 1),
        TopKind::Flapping => {
            let changes = glance.severity_changes.into();
            (changes, changes)
        }
        TopKind::Standing => {
            let micros = glance.last_receive_time.since(glance.create_time);
            (1, micros.max(0).cast_unsigned())
        }
    }
}

fn each_name<'a>(held: Held<'a>, mut call: impl FnMut(Cow<'a, str>)) {
    match held {
        Held::Text(text) => call(Cow::Borrowed(text)),
        Held::List(names) => each_once(names, |name| call(Cow::Borrowed(name))),
        Held::Any(value) => call(text_of(value)),
        Held::Nothing | Held::Number(_) | Held::Time(_) | Held::Flag(_) => {}
    }
}
