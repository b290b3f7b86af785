//! Who is told of what, when, and together with what. Pure: alerts and times come in, orders go out.
//!
//! A [`Routing`] is the ordered list of routes of a configuration. Something that happens to an alert
//! becomes a [`Plan`]: an [`Order`] for each channel that is to be told, and [`Timer`]s for what
//! follows when nobody acknowledges it. Orders of one `bundle` that are due become one message when
//! they are sent, and the hourly limit of a route is kept to at that moment too (see [`budget`]):
//! what goes beyond it waits, and is sent as one digest.

pub mod budget;
mod daily;
mod describe;
mod explain;
pub mod fields;
mod file;
mod occasion;
mod plan;
mod quiet;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bergfried_event::{FieldName, Severity};
use bergfried_query::Predicate;
use jiff::civil::Time;
use jiff::tz::TimeZone;

pub use daily::DueReport;
pub use describe::Described;
pub use explain::{Asked, Explained, Told};
pub use fields::View;
pub use file::{EscalationFile, RouteError, RouteFile};
pub use occasion::Occasion;
pub use plan::{Bundle, Order, Plan, Timer, TimerKind};
pub use quiet::QuietHours;

/// The most routes of a configuration.
pub const MAX_ROUTES: usize = 200;
/// The name of the route that is there where no other is.
pub const DEFAULT_ROUTE: &str = "default";

/// A channel, as far as routes look at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// The channel's name.
    pub channel: String,
    /// The least severity that it wants to hear of, where a route says none.
    pub min_severity: Severity,
}

/// Every route, in the order in which they are asked.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    routes: Vec<Route>,
    listeners: Vec<Listener>,
}

/// A route that cannot be wrong.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    name: String,
    when: Option<Predicate>,
    channels: Vec<String>,
    continues: bool,
    min_severity: Option<Severity>,
    group: Option<Grouping>,
    max_per_hour: Option<u32>,
    quiet: Option<QuietHours>,
    quiet_except: Option<Predicate>,
    resolved: bool,
    remind_every: Option<Duration>,
    escalations: Vec<Escalation>,
    daily: Option<Daily>,
    hub_status: bool,
}

/// What alerts must share to be told together, and for how long the first waits for the others.
#[derive(Clone, Debug)]
struct Grouping {
    by: Vec<FieldName<'static>>,
    window: Duration,
}

/// Who is told where nobody has acknowledged an alert so long after its first message.
#[derive(Clone, Debug)]
struct Escalation {
    after: Duration,
    channels: Vec<String>,
}

/// When a day is told of.
#[derive(Clone, Debug)]
struct Daily {
    time: Time,
    zone: TimeZone,
}

impl Routing {
    /// Checks the routes of a configuration with these channels. Without a route, every channel is
    /// told of each alert that is severe enough for it.
    ///
    /// # Errors
    /// The first route that cannot be used, and why.
    pub fn new(files: &[RouteFile], listeners: Vec<Listener>) -> Result<Routing, RouteError> {
        let mut routes: Vec<Route> = Vec::with_capacity(files.len());
        for (index, file) in files.iter().enumerate() {
            let route = file.check(index, &listeners)?;
            let refused =
                |key, reason| Err(RouteError { index, name: route.name.clone(), key, reason });
            if index >= MAX_ROUTES {
                return refused(None, format!("there are more than {MAX_ROUTES} routes"));
            }
            if routes.iter().any(|before| before.name == route.name) {
                return refused(Some("name"), "another route has this name".to_owned());
            }
            routes.push(route);
        }
        if routes.is_empty() && !listeners.is_empty() {
            routes.push(default_route(&listeners));
        }
        Ok(Routing { routes, listeners })
    }

    /// Whether nobody is ever told of anything.
    pub fn is_silent(&self) -> bool {
        self.routes.is_empty()
    }

    /// The names of the routes, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.routes.iter().map(|route| route.name.as_str())
    }

    /// The channels that are told when the hub starts and stops, each with its route.
    pub fn hub_status(&self) -> Vec<(&str, &str)> {
        let mut found: Vec<(&str, &str)> = Vec::new();
        for route in self.routes.iter().filter(|route| route.hub_status) {
            for channel in &route.channels {
                if !found.iter().any(|(_, known)| known == channel) {
                    found.push((&route.name, channel));
                }
            }
        }
        found
    }

    fn route(&self, name: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.name == name)
    }

    /// The least severity that a channel is told of by a route.
    fn least(&self, route: &Route, channel: &str) -> Severity {
        route.min_severity.unwrap_or_else(|| {
            let listener = self.listeners.iter().find(|listener| listener.channel == channel);
            listener.map_or(Severity::Informational, |listener| listener.min_severity)
        })
    }
}

impl Route {
    fn matches(&self, view: &View) -> bool {
        self.min_severity.is_none_or(|least| view.severity >= least)
            && self.when.as_ref().is_none_or(|when| when.matches(&view.event))
    }
}

/// What is done where no route is configured.
fn default_route(listeners: &[Listener]) -> Route {
    Route {
        name: DEFAULT_ROUTE.to_owned(),
        when: None,
        channels: listeners.iter().map(|listener| listener.channel.clone()).collect(),
        continues: false,
        min_severity: None,
        group: None,
        max_per_hour: None,
        quiet: None,
        quiet_except: None,
        resolved: false,
        remind_every: None,
        escalations: Vec::new(),
        daily: None,
        hub_status: false,
    }
}
