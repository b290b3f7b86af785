//! What people ask of the alerts in memory: which of them, in which order, how many.
//!
//! [`listing`] reads the parameters of a request, as Alerta's clients send them, into a [`Listing`];
//! [`page`], [`counts`], [`top`] and the others answer it over any iterator of alerts. Nothing here
//! does I/O or reads a clock. Every question is bounded: its length, its depth, the size of its
//! regexes (which take time linear in the text), the length of a page.
//!
//! What an absent field is: a filter by an empty value finds it, a negated filter lets it through.
//! Times are compared in milliseconds, since that is what clients see of them.

mod counts;
mod error;
mod field;
mod filter;
mod glance;
mod groups;
mod history;
mod lucene;
mod page;
mod params;
mod select;
mod sort;
mod test;
mod time;
mod top;

pub use counts::{Counts, counts};
pub use error::QueryError;
pub use field::Field;
pub use filter::Filter;
pub use glance::{Glance, Listed};
pub use groups::{EnvironmentCounts, ServiceCounts, environments, groups, services, tags};
pub use history::{HistoryPage, history};
pub use page::{OutOfRange, Page, Window, page};
pub use params::{Listing, MAX_PAGE_SIZE, listing};
pub use sort::SortKey;
pub use top::{TopGroup, TopKind, top};

#[cfg(test)]
mod tests;
