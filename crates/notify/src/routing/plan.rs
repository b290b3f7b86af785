//! What is to be done about something that happened to an alert.

use std::time::Duration;

use bergfried_event::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Occasion, Route, Routing, View};

/// The longest key of a bundle that is kept as it is.
const MAX_KEY: usize = 256;

/// A channel that is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The channel.
    pub channel: String,
    /// The route that says so.
    pub route: String,
    /// Not before this time.
    pub due: Timestamp,
    /// With what it goes together; alone where there is none.
    pub bundle: Option<Bundle>,
}

/// What is told together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bundle {
    /// Orders of one channel with the same key are one message.
    pub key: String,
    /// What they have in common, in words.
    pub title: String,
    /// Whether they were held back: then the message is a digest, and `title` says why.
    pub held: bool,
}

/// Something that is to be looked at again at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer {
    /// The route that wants it.
    pub route: String,
    /// What it is.
    pub kind: TimerKind,
    /// When the first message about the alert was due.
    pub since: Timestamp,
    /// When.
    pub due: Timestamp,
}

/// What a [`Timer`] leads to, where the alert is still open then and nobody acknowledged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimerKind {
    /// A step of the escalation, from 0 on.
    Escalate(u32),
    /// A reminder.
    Remind,
}

/// What is to be done about something that happened to an alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who is told.
    pub orders: Vec<Order>,
    /// Whether channels that showed the alert before, and are not among the orders, should show how it
    /// is now.
    pub refresh: bool,
    /// Whether all timers of the alert end.
    pub cancel: bool,
    /// What is to be looked at later; a timer that the alert has already stays as it is.
    pub timers: Vec<Timer>,
}

impl Routing {
    /// What is to be done about what happened to an alert at `now`.
    ///
    /// `view` is the alert as it is; of one that is over, as it was before, so that the same people
    /// hear of its end who heard of it.
    pub fn orders(&self, view: &View, occasion: Occasion, now: Timestamp) -> Plan {
        let mut plan = Plan { refresh: true, ..Plan::default() };
        match occasion {
            Occasion::New | Occasion::Reopened | Occasion::Worse => {
                for route in self.taken(view) {
                    let told = self.tell(route, &route.channels, view, now, &mut plan.orders);
                    if let Some(since) = told {
                        plan.timers.extend(route.timers(since));
                    }
                }
            }
            Occasion::Resolved => {
                plan.cancel = true;
                for route in self.taken(view).filter(|route| route.resolved) {
                    let _due = self.tell(route, &route.channels, view, now, &mut plan.orders);
                }
            }
            Occasion::Acknowledged | Occasion::Shelved => plan.cancel = true,
            Occasion::Better | Occasion::Escalated | Occasion::Reminder => {}
        }
        plan
    }

    /// What is to be done about a timer of an alert that is due, where the alert is open and nobody
    /// acknowledged it; nothing where the route is no longer there.
    ///
    /// A timer that is late, because the hub was down or its clock was changed, is done once.
    pub fn due(&self, view: &View, timer: &Timer, now: Timestamp) -> Plan {
        let mut plan = Plan::default();
        let Some(route) = self.route(&timer.route) else { return plan };
        match timer.kind {
            TimerKind::Escalate(step) => {
                let step = usize::try_from(step).ok().and_then(|step| route.escalations.get(step));
                if let Some(step) = step {
                    self.tell_at_once(route, &step.channels, view, now, &mut plan.orders);
                }
            }
            TimerKind::Remind => {
                self.tell_at_once(route, &route.channels, view, now, &mut plan.orders);
                plan.timers.extend(route.reminder(timer.since, now));
            }
        }
        plan
    }

    /// The routes that take what happened: the first that matches, and those after it where it
    /// continues.
    pub(super) fn taken<'r>(&'r self, view: &'r View) -> impl Iterator<Item = &'r Route> {
        let mut ended = false;
        self.routes.iter().filter(move |route| {
            let takes = !ended && route.matches(view);
            ended |= takes && !route.continues;
            takes
        })
    }

    /// Orders for the channels that want to hear of it and are not told of it already; when the first
    /// is due, where there is one.
    fn tell(
        &self,
        route: &Route,
        channels: &[String],
        view: &View,
        now: Timestamp,
        orders: &mut Vec<Order>,
    ) -> Option<Timestamp> {
        let (due, bundle) = route.time(view, now);
        self.put(route, channels, view, (due, bundle), orders).then_some(due)
    }

    /// As [`Routing::tell`], but nothing waits for others of its group.
    fn tell_at_once(
        &self,
        route: &Route,
        channels: &[String],
        view: &View,
        now: Timestamp,
        orders: &mut Vec<Order>,
    ) {
        let timed = route.outside_quiet_hours(view, now, None);
        self.put(route, channels, view, timed, orders);
    }

    fn put(
        &self,
        route: &Route,
        channels: &[String],
        view: &View,
        (due, bundle): (Timestamp, Option<Bundle>),
        orders: &mut Vec<Order>,
    ) -> bool {
        let mut any = false;
        for channel in channels {
            if view.severity < self.least(route, channel) {
                continue;
            }
            any = true;
            if orders.iter().all(|order| order.channel != *channel) {
                orders.push(Order {
                    channel: channel.clone(),
                    route: route.name.clone(),
                    due,
                    bundle: bundle.clone(),
                });
            }
        }
        any
    }
}

impl Route {
    /// When a message about this is due, and with what it goes together.
    pub(super) fn time(&self, view: &View, now: Timestamp) -> (Timestamp, Option<Bundle>) {
        let Some(group) = &self.group else { return self.outside_quiet_hours(view, now, None) };
        let shared: Vec<(&str, String)> =
            group.by.iter().map(|name| (name.as_str(), view.text(name).into_owned())).collect();
        let mut key = format!("group\u{1f}{}", self.name);
        let mut title = Vec::with_capacity(shared.len());
        for (name, value) in &shared {
            key.push('\u{1f}');
            key.push_str(value);
            title.push(format!("{name} {value}"));
        }
        let bundle = Bundle { key: short(key), title: title.join(", "), held: false };
        self.outside_quiet_hours(view, later(now, group.window), Some(bundle))
    }

    /// The time itself, or the end of the quiet hours that it lies in; then all that they held back
    /// is told together.
    fn outside_quiet_hours(
        &self,
        view: &View,
        due: Timestamp,
        bundle: Option<Bundle>,
    ) -> (Timestamp, Option<Bundle>) {
        let excepted =
            || self.quiet_except.as_ref().is_some_and(|except| except.matches(&view.event));
        match &self.quiet {
            Some(quiet) if !excepted() => {
                let free = quiet.release(due);
                match free > due {
                    true => (free, Some(held_until(&self.name, free))),
                    false => (due, bundle),
                }
            }
            _ => (due, bundle),
        }
    }

    /// What follows the first message, which is due at `since`.
    fn timers(&self, since: Timestamp) -> impl Iterator<Item = Timer> {
        let escalate = |(step, escalation): (usize, &super::Escalation)| Timer {
            route: self.name.clone(),
            kind: TimerKind::Escalate(u32::try_from(step).unwrap_or(u32::MAX)),
            since,
            due: later(since, escalation.after),
        };
        let steps: Vec<Timer> = self.escalations.iter().enumerate().map(escalate).collect();
        steps.into_iter().chain(self.reminder(since, since))
    }

    fn reminder(&self, since: Timestamp, last: Timestamp) -> Option<Timer> {
        let due = later(last, self.remind_every?);
        Some(Timer { route: self.name.clone(), kind: TimerKind::Remind, since, due })
    }
}

fn held_until(route: &str, free: Timestamp) -> Bundle {
    Bundle {
        key: format!("quiet\u{1f}{route}\u{1f}{}", free.micros()),
        title: "quiet hours".to_owned(),
        held: true,
    }
}

pub(super) fn later(time: Timestamp, span: Duration) -> Timestamp {
    time.plus_micros(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
}

/// A key of a bounded length that is as different as the key itself.
fn short(key: String) -> String {
    if key.len() <= MAX_KEY {
        return key;
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, key.as_bytes());
    digest.as_ref().iter().fold("group\u{1f}#".to_owned(), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}
