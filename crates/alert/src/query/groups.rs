//! How many alerts there are of each environment, service, group and tag.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::counts::{Counts, Tally};
use super::filter::Filter;
use super::glance::Listed;
use crate::alert::Alert;
use crate::model::Model;

/// An environment and its alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentCounts {
    /// Its name.
    pub environment: String,
    /// Its alerts that match.
    pub counts: Counts,
}

/// A service in one environment and its alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCounts {
    /// The environment's name.
    pub environment: String,
    /// The service's name.
    pub service: String,
    /// Its alerts that match.
    pub counts: Counts,
}

/// Every environment that the caller may see, with the alerts in it that match, by name.
pub fn environments<'a>(
    alerts: impl Iterator<Item = impl Listed<'a>>,
    filter: &Filter,
    model: &Model,
) -> Vec<EnvironmentCounts> {
    let mut tallies: BTreeMap<&str, Tally<'_>> = BTreeMap::new();
    for listed in alerts {
        let (alert, glance) = (listed.alert(), listed.glance(model));
        if !filter.may_see_at(alert, &glance) {
            continue;
        }
        let tally = tallies.entry(&alert.environment).or_insert_with(|| Tally::new(model));
        if filter.takes(alert, &glance) {
            tally.add(alert, &glance);
        }
    }
    let named = |(name, tally): (&str, Tally<'_>)| EnvironmentCounts {
        environment: name.to_owned(),
        counts: tally.counts(model),
    };
    tallies.into_iter().map(named).collect()
}

/// The services of the alerts that match, by environment and name.
pub fn services<'a>(
    alerts: impl Iterator<Item = impl Listed<'a>>,
    filter: &Filter,
    model: &Model,
) -> Vec<ServiceCounts> {
    let mut tallies: BTreeMap<(&str, &str), Tally<'_>> = BTreeMap::new();
    for listed in alerts {
        let (alert, glance) = (listed.alert(), listed.glance(model));
        if !filter.takes(alert, &glance) {
            continue;
        }
        each_once(&alert.service, |service| {
            let place = tallies.entry((&alert.environment, service));
            place.or_insert_with(|| Tally::new(model)).add(alert, &glance);
        });
    }
    let named = |((environment, service), tally): ((&str, &str), Tally<'_>)| ServiceCounts {
        environment: environment.to_owned(),
        service: service.to_owned(),
        counts: tally.counts(model),
    };
    tallies.into_iter().map(named).collect()
}

/// The groups of the alerts that match, by environment and name, each with the number of its alerts.
pub fn groups<'a>(
    alerts: impl Iterator<Item = &'a Arc<Alert>>,
    filter: &Filter,
) -> Vec<(String, String, usize)> {
    let mut numbers = BTreeMap::new();
    for alert in alerts.filter(|alert| filter.matches(alert)) {
        *numbers.entry((alert.environment.as_str(), alert.group.as_str())).or_insert(0) += 1;
    }
    owned(numbers)
}

/// The tags of the alerts that match, by environment and name, each with the number of its alerts.
pub fn tags<'a>(
    alerts: impl Iterator<Item = &'a Arc<Alert>>,
    filter: &Filter,
) -> Vec<(String, String, usize)> {
    let mut numbers = BTreeMap::new();
    for alert in alerts.filter(|alert| filter.matches(alert)) {
        each_once(&alert.tags, |tag| {
            *numbers.entry((alert.environment.as_str(), tag)).or_insert(0) += 1;
        });
    }
    owned(numbers)
}

/// Calls back with each name, but once with one that comes twice.
pub(super) fn each_once<'a>(names: &'a [String], mut call: impl FnMut(&'a str)) {
    for (index, name) in names.iter().enumerate() {
        if !names.iter().take(index).any(|earlier| earlier == name) {
            call(name);
        }
    }
}

fn owned(numbers: BTreeMap<(&str, &str), usize>) -> Vec<(String, String, usize)> {
    let named = |((environment, name), count): ((&str, &str), usize)| {
        (environment.to_owned(), name.to_owned(), count)
    };
    numbers.into_iter().map(named).collect()
}
