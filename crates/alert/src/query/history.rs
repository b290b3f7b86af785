//! What changed in the alerts that match, over all of them.

use std::cmp::Reverse;
use std::sync::Arc;

use super::page::{OutOfRange, Window};
use super::params::Listing;
use super::select::First;
use crate::alert::Alert;
use crate::history::Entry;

/// One page of the history of the alerts that match.
#[derive(Clone, Debug)]
pub struct HistoryPage<'a> {
    /// Its entries, the newest first, each with its alert.
    pub entries: Vec<(&'a Arc<Alert>, &'a Entry)>,
    /// Where it lies.
    pub window: Window,
}

/// The page that is asked for of the history of the alerts that match, newest first.
///
/// # Errors
/// Where there is no such page.
pub fn history<'a>(
    alerts: impl Iterator<Item = &'a Arc<Alert>>,
    listing: &Listing,
) -> Result<HistoryPage<'a>, OutOfRange> {
    type Placed<'a> = (usize, &'a Arc<Alert>, &'a Entry);
    let (skip, end) = listing.ends();
    let mut total = 0_usize;
    let mut first = First::new(end, |one: &Placed<'_>, other: &Placed<'_>| {
        let key = |placed: &Placed<'_>| Reverse((placed.2.time, placed.0));
        key(one).cmp(&key(other)).then_with(|| one.1.id.cmp(&other.1.id))
    });
    for alert in alerts.filter(|alert| listing.filter.matches(alert)) {
        total += alert.history.len();
        for (place, entry) in alert.history.iter().enumerate() {
            first.push((place, alert, entry));
        }
    }
    let window = Window::new(listing, total)?;
    let entries = first.after(skip).into_iter().map(|(_, alert, entry)| (alert, entry)).collect();
    Ok(HistoryPage { entries, window })
}
