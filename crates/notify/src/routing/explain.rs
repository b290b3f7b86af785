//! The dry run: which routes something would take, and why.

use bergfried_event::{FieldName, Severity, Timestamp};
use bergfried_query::{Explanation, Node};
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{Route, Routing, View};

/// What one route makes of an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explained {
    /// The route.
    pub route: String,
    /// Whether it takes the alert.
    pub takes: bool,
    /// Whether it was not asked, because one before it took the alert and does not continue.
    pub skipped: bool,
    /// What it asked and what it saw.
    pub asked: Vec<Asked>,
    /// Who would be told by it.
    pub channels: Vec<Told>,
    /// What would follow where nobody acknowledges it.
    pub then: Vec<String>,
    /// How many messages it may send over each channel in an hour.
    pub max_per_hour: Option<u32>,
    /// Whether the routes after it are asked too.
    pub continues: bool,
}

/// A condition of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The condition in words.
    pub condition: String,
    /// What answered it.
    pub saw: String,
    /// Whether it held.
    pub held: bool,
}

/// What would become of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The channel.
    pub channel: String,
    /// Whether it would be told.
    pub told: bool,
    /// When.
    pub due: Option<Timestamp>,
    /// Why then, or why not.
    pub why: String,
}

impl Routing {
    /// What each route would make of an alert at `now`, in their order.
    pub fn explain(&self, view: &View, now: Timestamp) -> Vec<Explained> {
        let mut ended = false;
        let mut told: Vec<&str> = Vec::new();
        let mut explained = Vec::with_capacity(self.routes.len());
        for route in &self.routes {
            let matches = route.matches(view);
            let takes = matches && !ended;
            let mut channels = Vec::new();
            if takes {
                for channel in &route.channels {
                    channels.push(self.channel(route, channel, view, now, &mut told));
                }
            }
            explained.push(Explained {
                route: route.name.clone(),
                takes,
                skipped: ended,
                asked: asked(route, view),
                channels,
                then: if takes { route.then() } else { Vec::new() },
                max_per_hour: route.max_per_hour,
                continues: route.continues,
            });
            ended |= takes && !route.continues;
        }
        explained
    }

    fn channel<'r>(
        &self,
        route: &'r Route,
        channel: &'r str,
        view: &View,
        now: Timestamp,
        told: &mut Vec<&'r str>,
    ) -> Told {
        let not = |why: String| Told { channel: channel.to_owned(), told: false, due: None, why };
        let least = self.least(route, channel);
        if view.severity < least {
            return not(format!("it wants {least} or worse, this is {}", view.severity));
        }
        if told.contains(&channel) {
            return not("a route before told it".to_owned());
        }
        told.push(channel);
        let (due, bundle) = route.time(view, now);
        let why = match bundle {
            None if due <= now => "at once".to_owned(),
            None => "later".to_owned(),
            Some(bundle) if bundle.held => format!("{}: in a digest at their end", bundle.title),
            Some(bundle) => format!("together with others of {}", bundle.title),
        };
        Told { channel: channel.to_owned(), told: true, due: Some(due), why }
    }
}

impl Route {
    /// What is agreed besides who is told of what.
    pub(super) fn agreed(&self) -> Vec<String> {
        let together = self.group.as_ref().map(|group| {
            let by: Vec<&str> = group.by.iter().map(FieldName::as_str).collect();
            format!("one message for the same {} within {}", by.join(", "), words(group.window))
        });
        let limit = self.max_per_hour.map(|limit| format!("at most {limit} messages an hour"));
        let quiet = self.quiet.as_ref().map(|quiet| match &self.quiet_except {
            Some(except) => format!("quiet {quiet}, except {except}"),
            None => format!("quiet {quiet}"),
        });
        let zone = |zone: &TimeZone| zone.iana_name().unwrap_or("UTC").to_owned();
        let daily = self.daily.as_ref().map(|daily| {
            format!("a report each day at {} {}", daily.time.strftime("%H:%M"), zone(&daily.zone))
        });
        let hub = self.hub_status.then(|| "told when the hub starts and stops".to_owned());
        let agreed = [together, limit, quiet].into_iter().flatten();
        agreed.chain(self.then()).chain([daily, hub].into_iter().flatten()).collect()
    }

    fn then(&self) -> Vec<String> {
        let steps = self.escalations.iter().map(|step| {
            let names = step.channels.join(", ");
            format!("{names} told where nobody acknowledged it in {}", words(step.after))
        });
        let reminder = self.remind_every.map(|every| format!("a reminder every {}", words(every)));
        let resolved = self.resolved.then(|| "told when it is over".to_owned());
        steps.chain(reminder).chain(resolved).collect()
    }
}

fn words(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        seconds if seconds % 3_600 == 0 => format!("{} h", seconds / 3_600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn asked(route: &Route, view: &View) -> Vec<Asked> {
    let mut asked = Vec::new();
    if let Some(least) = route.min_severity {
        asked.push(severity(least, view.severity));
    }
    if let Some(when) = &route.when {
        flatten(&when.explain(&view.event), false, &mut asked);
    }
    asked
}

fn severity(least: Severity, is: Severity) -> Asked {
    Asked {
        condition: format!("severity {least} or worse"),
        saw: is.to_string(),
        held: is >= least,
    }
}

/// The questions of a condition, one after the other.
fn flatten(explanation: &Explanation, negated: bool, asked: &mut Vec<Asked>) {
    match &explanation.node {
        Node::Constant => {}
        Node::All(inner) | Node::Any(inner) | Node::AtLeast(_, inner) => {
            for one in inner {
                flatten(one, negated, asked);
            }
        }
        Node::Not(inner) => flatten(inner, !negated, asked),
        Node::Atom { asked: question, saw } => asked.push(Asked {
            condition: if negated { format!("not {question}") } else { question.clone() },
            saw: saw.clone(),
            held: explanation.held != negated,
        }),
    }
}
