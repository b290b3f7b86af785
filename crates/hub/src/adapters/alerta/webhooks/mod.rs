//! Messages of other products: each becomes alerts, or changes one that is there.
//!
//! One file each reads a product's message as its documentation describes it, without I/O; no address
//! that a message names is ever opened. What comes out goes through the same checks as an alert that
//! a client sends.

mod call;
mod cloudwatch;
mod grafana;
mod graylog;
mod newrelic;
mod pagerduty;
mod pingdom;
mod prometheus;
mod riemann;
mod route;
mod serverdensity;
mod slack;
mod stackdriver;
mod telegram;
#[cfg(test)]
mod tests;

use super::error::Refusal;
use call::{Asked, Call};
pub(super) use route::routes;

type Hook = fn(&Call<'_>) -> Result<Asked, Refusal>;

/// Every product by the name in the path.
const HOOKS: &[(&str, Hook)] = &[
    ("cloudwatch", cloudwatch::read),
    ("grafana", grafana::read),
    ("graylog", graylog::read),
    ("newrelic", newrelic::read),
    ("pagerduty", pagerduty::read),
    ("pingdom", pingdom::read),
    ("prometheus", prometheus::read),
    ("riemann", riemann::read),
    ("serverdensity", serverdensity::read),
    ("slack", slack::read),
    ("stackdriver", stackdriver::read),
    ("telegram", telegram::read),
];

fn hook(name: &str) -> Option<(&'static str, Hook)> {
    HOOKS.iter().find(|(known, _)| *known == name).copied()
}
