//! Routes as they are configured, in words, for whoever looks at them.

use serde::Serialize;

use super::Routing;

/// A route in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Described {
    /// Its name.
    pub route: String,
    /// Which alerts it takes; none: each.
    pub when: Option<String>,
    /// Whom it tells, and of which severity at least.
    pub channels: Vec<(String, String)>,
    /// What else is agreed: what is told together, when nobody is told, what follows.
    pub agreed: Vec<String>,
    /// Whether the routes after it are asked too.
    pub continues: bool,
}

impl Routing {
    /// Each route in words, in the order in which they are asked.
    pub fn described(&self) -> Vec<Described> {
        let of = |route: &super::Route| {
            let channels = route.channels.iter();
            let channels = channels
                .map(|channel| (channel.clone(), self.least(route, channel).to_string()))
                .collect();
            Described {
                route: route.name.clone(),
                when: route.when.as_ref().map(ToString::to_string),
                channels,
                agreed: route.agreed(),
                continues: route.continues,
            }
        };
        self.routes.iter().map(of).collect()
    }
}
