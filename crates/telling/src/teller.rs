//! Works out what people are to be told; writes nothing.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use bergfried_alert::{Alert, Model, Status};
use bergfried_control::{Control, ControlError, Letter, LetterBundle, Telling, TimerRow};
use bergfried_event::Timestamp;
use bergfried_notify::routing::{Bundle, Occasion, Order, Plan, Routing, Timer, TimerKind, View};
use bergfried_notify::{AgentSeen, Change, Message, Notice, Report, Stored};

use crate::report::Day;

/// The most timers that are looked at in one go; the next are looked at right after.
const TIMERS: usize = 256;

/// How an alert stood before it changed.
#[derive(Clone, Copy, Debug)]
pub struct Stood<'a> {
    /// Its status.
    pub status: Status,
    /// Its severity, in its own word.
    pub severity: &'a str,
}

/// Who changed an alert, and what they said.
#[derive(Clone, Copy, Debug, Default)]
pub struct By<'a> {
    /// Who, where a person or a key did.
    pub user: Option<&'a str>,
    /// What they said.
    pub comment: Option<&'a str>,
}

/// What was stored, as the report of a day asks for it.
pub trait Library: fmt::Debug + Send + Sync {
    /// Whether anything arrived since then. Cheap: whoever writes alerts waits for it.
    fn holds_any(&self, since: Timestamp) -> bool;

    /// What was stored between two times; none where it cannot be read. May take seconds.
    fn stored(&self, since: Timestamp, until: Timestamp) -> Option<Stored>;
}

/// Works out what is to be told, by the routing that is set.
#[derive(Debug)]
pub struct Teller {
    routing: RwLock<Arc<Routing>>,
    model: Model,
    console: Option<String>,
    /// The last day that each route told of, as far as it was asked for.
    reported: Mutex<HashMap<String, Option<String>>>,
    /// Where reports look up what was stored, once there is somewhere.
    library: OnceLock<Box<dyn Library>>,
}

impl Teller {
    /// A teller that goes by this routing; `console` is the address that messages link to.
    pub fn new(routing: Routing, model: Model, console: Option<String>) -> Teller {
        Teller {
            routing: RwLock::new(Arc::new(routing)),
            model,
            console,
            reported: Mutex::default(),
            library: OnceLock::new(),
        }
    }

    /// Lets reports say what was stored, from now on; the first one given stays.
    pub fn look_up_in(&self, library: Box<dyn Library>) {
        if self.library.set(library).is_err() {
            tracing::error!("reports look up what was stored in one place already");
        }
    }

    /// What was stored between two times, where it is known. May take long.
    pub(crate) fn stored(&self, since: Timestamp, until: Timestamp) -> Option<Stored> {
        self.library.get()?.stored(since, until)
    }

    /// What happened to alerts between two times; `each` goes over all of them.
    pub fn report(
        &self,
        each: impl Fn(&mut dyn FnMut(&Alert)),
        since: Timestamp,
        until: Timestamp,
    ) -> Report {
        let mut day = Day::new(since, until, self.console.clone());
        each(&mut |alert| day.add(&self.model, alert));
        day.finish()
    }

    /// The routing that is set.
    pub fn routing(&self) -> Arc<Routing> {
        Arc::clone(&self.routing.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Goes by another routing from now on.
    pub fn replace(&self, routing: Routing) {
        *self.routing.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(routing);
    }

    /// The words for severities.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// What is to be told of an alert that changed at `now`; `before` is how it stood, where it was
    /// there. Empty where nothing is worth telling, as of one that was merely said again.
    pub fn changed(
        &self,
        before: Option<Stood<'_>>,
        alert: &Alert,
        by: By<'_>,
        now: Timestamp,
    ) -> Vec<Telling> {
        let stood = before.map(|stood| (stood.status, stood.severity));
        let Some(occasion) = Occasion::between(&self.model, stood, alert) else {
            return Vec::new();
        };
        let routing = self.routing();
        if routing.is_silent() {
            return Vec::new();
        }
        let view = match (occasion, before) {
            (Occasion::Resolved, Some(before)) => {
                let as_before = Alert { severity: before.severity.to_owned(), ..alert.clone() };
                View::of(&self.model, &as_before, occasion)
            }
            _ => View::of(&self.model, alert, occasion),
        };
        let plan = routing.orders(&view, occasion, now);
        let change = change(occasion, before, alert);
        let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
        let agent = self.agent(occasion, alert, now);
        let notice = Notice::new(alert, &self.model, change, now)
            .by(owned(by.user), owned(by.comment))
            .linked(self.console.as_deref());
        let is_call = matches!(occasion, Occasion::New | Occasion::Reopened | Occasion::Worse);
        self.told(&alert.id, plan, Notice { loud: is_call, ..notice }, agent)
    }

    /// What is to be forgotten with an alert that was deleted.
    pub fn deleted(&self, id: &str) -> Telling {
        Telling::Forget(id.to_owned())
    }

    /// A message on channels that are told of it whatever it is, such as those that want to know when
    /// the hub starts.
    pub fn message(&self, to: &[(&str, &str)], message: &Message, now: Timestamp) -> Vec<Telling> {
        let Some(body) = json(message) else { return Vec::new() };
        let letter = |(route, channel): &(&str, &str)| {
            Telling::Letter(Letter {
                channel: (*channel).to_owned(),
                route: (*route).to_owned(),
                bundle: None,
                alert: None,
                body: body.clone(),
                due: now,
            })
        };
        to.iter().map(letter).collect()
    }

    /// What is to be told because its time has come: steps of escalations, reminders, the reports of
    /// a day. `alert` finds an alert by its id, `each` goes over all of them.
    ///
    /// What is told here is done for good only when it is written: until then the same is due again.
    ///
    /// # Errors
    /// Where the timers cannot be read.
    pub fn due(
        &self,
        control: &Control,
        alert: impl Fn(&str) -> Option<Arc<Alert>>,
        each: impl Fn(&mut dyn FnMut(&Alert)),
        now: Timestamp,
    ) -> Result<Vec<Telling>, ControlError> {
        let routing = self.routing();
        let mut telling = Vec::new();
        for row in control.timers_due(now, TIMERS)? {
            let found = alert(&row.alert);
            telling.extend(self.timer(&routing, row, found.as_deref(), now));
        }
        for report in routing.reports(|route| self.last_day(control, route), now) {
            if report.told {
                let found = self.report(&each, report.since, report.until);
                let library = self.library.get();
                let came = || library.is_some_and(|library| library.holds_any(report.since));
                if !found.is_quiet() || came() {
                    let to: Vec<(&str, &str)> = report
                        .channels
                        .iter()
                        .map(|channel| (report.route.as_str(), channel.as_str()))
                        .collect();
                    telling.extend(self.message(&to, &Message::Report(Box::new(found)), now));
                }
            }
            telling.push(Telling::Reported { route: report.route, day: report.day });
        }
        Ok(telling)
    }

    /// Takes note of what became durable of what [`Teller::due`] gave.
    pub fn written(&self, telling: &[Telling]) {
        for one in telling {
            if let Telling::Reported { route, day } = one {
                let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
                reported.insert(route.clone(), Some(day.clone()));
            }
        }
    }

    /// When [`Teller::due`] has to be asked next.
    ///
    /// # Errors
    /// Where the timers cannot be read.
    pub fn next_due(
        &self,
        control: &Control,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, ControlError> {
        let routing = self.routing();
        let report = match routing.reports(|route| self.last_day(control, route), now).is_empty() {
            true => routing.next_report(now),
            false => Some(now),
        };
        Ok([control.next_timer()?, report].into_iter().flatten().min())
    }

    fn timer(
        &self,
        routing: &Routing,
        row: TimerRow,
        alert: Option<&Alert>,
        now: Timestamp,
    ) -> Vec<Telling> {
        let TimerRow { alert: id, route, kind, since, due } = row;
        let done = Telling::Done { alert: id, route: route.clone(), kind: kind.clone() };
        let (Some(alert), Ok(kind)) = (alert, serde_json::from_str::<TimerKind>(&kind)) else {
            return vec![done];
        };
        // One that somebody looks at, or that is over, had its timers cancelled; this is for those
        // that were set before a model or a routing was changed.
        if Occasion::between(&self.model, None, alert).is_none() {
            return vec![done];
        }
        let occasion = match kind {
            TimerKind::Escalate(_) => Occasion::Escalated,
            TimerKind::Remind => Occasion::Reminder,
        };
        let view = View::of(&self.model, alert, occasion);
        let plan = routing.due(&view, &Timer { route, kind, since, due }, now);
        let after = u64::try_from(now.since(since) / Timestamp::SECOND).unwrap_or(0);
        let change = match kind {
            TimerKind::Escalate(step) => Change::Escalated { step: step.saturating_add(1), after },
            TimerKind::Remind => Change::Reminder { after },
        };
        let notice = Notice::new(alert, &self.model, change, now).linked(self.console.as_deref());
        let mut telling = vec![done];
        telling.extend(self.told(&alert.id, plan, Notice { loud: true, ..notice }, None));
        telling
    }

    /// The message that an agent or host fell silent or is heard of again, where that happened.
    fn agent(&self, occasion: Occasion, alert: &Alert, now: Timestamp) -> Option<Message> {
        let (name, is_host) = match (alert.agent(), alert.host()) {
            (Some(agent), _) => (agent, false),
            (None, host) => (host?, true),
        };
        let well = self.model.is_normal(&alert.severity);
        let online = match occasion {
            Occasion::New | Occasion::Reopened => false,
            // One that somebody closed may be silent still.
            Occasion::Resolved if well => true,
            _ => return None,
        };
        let last_seen = alert.agent_heard().filter(|_| !online);
        let name = name.to_owned();
        Some(Message::Agent(AgentSeen { name, is_host, online, last_seen, time: now }))
    }

    /// A plan, in the form in which it is written.
    /// What is told of it alone is `alone`, where there is a better message than that of an alert.
    fn told(&self, id: &str, plan: Plan, notice: Notice, alone: Option<Message>) -> Vec<Telling> {
        let Plan { orders, refresh, cancel, timers } = plan;
        let mut telling = Vec::with_capacity(orders.len() + timers.len() + 2);
        if cancel {
            telling.push(Telling::Cancel(id.to_owned()));
        }
        if refresh {
            let quiet = Message::Alert(Box::new(Notice { loud: false, ..notice.clone() }));
            let but = orders.iter().map(|order| order.channel.clone()).collect();
            if let Some(body) = json(&quiet) {
                telling.push(Telling::Refresh { alert: id.to_owned(), body, but });
            }
        }
        if let Some(body) = json(&Message::Alert(Box::new(notice))) {
            telling.extend(orders.into_iter().map(|order| {
                let Order { channel, route, due, bundle } = order;
                let bundle = bundle.map(stored);
                let alone = alone.as_ref().filter(|_| bundle.is_none());
                let (alert, alone) = (Some(id.to_owned()), alone.and_then(json));
                let body = alone.unwrap_or_else(|| body.clone());
                Telling::Letter(Letter { channel, route, bundle, alert, body, due })
            }));
        }
        telling.extend(timers.into_iter().filter_map(|timer| {
            let kind = json(&timer.kind)?;
            let Timer { route, since, due, .. } = timer;
            Some(Telling::Timer(TimerRow { alert: id.to_owned(), route, kind, since, due }))
        }));
        telling
    }

    /// The last day that a route told of. What cannot be read counts as told today: rather one report
    /// less than one twice.
    fn last_day(&self, control: &Control, route: &str) -> Option<String> {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = reported.get(route) {
            return known.clone();
        }
        match control.reported(route) {
            Ok(day) => {
                reported.insert(route.to_owned(), day.clone());
                day
            }
            Err(error) => {
                tracing::error!(route, %error, "cannot read which day was told of last");
                Some("9999-12-31".to_owned())
            }
        }
    }
}

pub(crate) fn stored(bundle: Bundle) -> LetterBundle {
    let Bundle { key, title, held } = bundle;
    LetterBundle { key, title, held }
}

/// Our own types always have a form in JSON.
fn json(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_string(value)
        .inspect_err(|error| tracing::error!(%error, "cannot write a message"))
        .ok()
}

fn change(occasion: Occasion, before: Option<Stood<'_>>, alert: &Alert) -> Change {
    let was = before.map(|before| before.status);
    match occasion {
        Occasion::New => Change::New,
        Occasion::Reopened => match was {
            Some(Status::Ack | Status::Acked | Status::Assign) => Change::Unacknowledged,
            Some(Status::Shelved | Status::Shlvd) => Change::Unshelved,
            _ => Change::Reopened,
        },
        Occasion::Worse | Occasion::Better => Change::SeverityChanged {
            from: before.map(|before| before.severity.to_owned()).unwrap_or_default(),
            to: alert.severity.clone(),
        },
        Occasion::Resolved if alert.status == Status::Expired => Change::Expired,
        Occasion::Resolved => Change::Closed,
        Occasion::Acknowledged if alert.status == Status::Assign => Change::Assigned,
        Occasion::Acknowledged => Change::Acknowledged,
        Occasion::Shelved => Change::Shelved,
        Occasion::Escalated => Change::Escalated { step: 1, after: 0 },
        Occasion::Reminder => Change::Reminder { after: 0 },
    }
}
