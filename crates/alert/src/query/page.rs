//! One page of a list.

use std::sync::Arc;

use bergfried_event::Timestamp;
use thiserror::Error;

use super::counts::{Counts, Tally};
use super::glance::Listed;
use super::params::Listing;
use super::select::First;
use super::sort::Order;
use crate::alert::Alert;
use crate::model::Model;

/// A page that the list does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("page out of range: 1-{pages}")]
pub struct OutOfRange {
    /// How many pages there are.
    pub pages: usize,
}

/// Where a page lies in its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Which page it is, from 1.
    pub page: usize,
    /// How many items a page has.
    pub page_size: usize,
    /// How many pages there are; none where the list is empty.
    pub pages: usize,
    /// Whether a page comes after this one.
    pub more: bool,
    /// How many items the list has.
    pub total: usize,
}

impl Window {
    /// The page that is asked for of a list with so many items.
    ///
    /// # Errors
    /// Where the list has no such page; an empty list has every page from 1.
    pub fn new(listing: &Listing, total: usize) -> Result<Window, OutOfRange> {
        let pages = total.div_ceil(listing.page_size.max(1));
        let page = usize::try_from(listing.page).unwrap_or(0);
        if page < 1 || (total > 0 && page > pages) {
            return Err(OutOfRange { pages });
        }
        let page_size = listing.page_size;
        Ok(Window { page, page_size, pages, more: page < pages, total })
    }

    /// The items of the page.
    pub fn of<T>(&self, items: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        items.skip((self.page - 1).saturating_mul(self.page_size)).take(self.page_size)
    }
}

/// One page of the alerts that match.
#[derive(Clone, Debug)]
pub struct Page<'a> {
    /// Its alerts, in order.
    pub alerts: Vec<&'a Arc<Alert>>,
    /// Where it lies.
    pub window: Window,
    /// All that match, on this page and others, counted.
    pub counts: Counts,
    /// When the last of the page's alerts was heard of; none where it has none.
    pub last_time: Option<Timestamp>,
}

/// The page that is asked for.
///
/// # Errors
/// Where there is no such page.
pub fn page<'a>(
    alerts: impl Iterator<Item = impl Listed<'a>>,
    listing: &Listing,
    model: &Model,
) -> Result<Page<'a>, OutOfRange> {
    let order = Order::new(&listing.sort, model);
    let (skip, end) = listing.ends();
    let mut tally = Tally::new(model);
    type Ranked<'a> = (u128, &'a Arc<Alert>);
    let mut first = First::new(end, |one: &Ranked<'_>, other: &Ranked<'_>| {
        one.0.cmp(&other.0).then_with(|| order.compare(one.1, other.1))
    });
    for listed in alerts {
        let (alert, glance) = (listed.alert(), listed.glance(model));
        if listing.filter.takes(alert, &glance) {
            tally.add(alert, &glance);
            first.push((order.lead(alert, &glance), alert));
        }
    }
    let window = Window::new(listing, tally.total())?;
    let alerts: Vec<_> = first.after(skip).into_iter().map(|(_, alert)| alert).collect();
    let last_time = alerts.iter().map(|alert| alert.last_receive_time).max();
    Ok(Page { alerts, window, counts: tally.counts(model), last_time })
}
