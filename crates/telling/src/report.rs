//! What happened in a day, from the alerts as they are.

use std::collections::{BTreeMap, HashMap};

use bergfried_alert::{Alert, Model, Status};
use bergfried_event::Timestamp;
use bergfried_notify::routing::Occasion;
use bergfried_notify::{Change, Notice, Report};

/// The most names that a list of a report has.
const MAX_TOP: usize = 5;

/// The most agents that a report names.
const MAX_SILENT: usize = 50;

/// Gathers a report, alert by alert.
#[derive(Debug)]
pub struct Day {
    report: Report,
    events: HashMap<String, u64>,
    resources: HashMap<String, u64>,
    worst: Vec<Notice>,
    console: Option<String>,
}

impl Day {
    /// Begins the report of what happened between two times.
    pub(crate) fn new(since: Timestamp, until: Timestamp, console: Option<String>) -> Day {
        let report = Report { since, until, link: console.clone(), ..Report::default() };
        Day {
            report,
            events: HashMap::new(),
            resources: HashMap::new(),
            worst: Vec::new(),
            console,
        }
    }

    /// Takes an alert into account.
    pub fn add(&mut self, model: &Model, alert: &Alert) {
        let within = |time: Timestamp| self.report.since <= time && time < self.report.until;
        let severity = model.as_rule(&alert.severity);
        let is_open = Occasion::between(model, None, alert).is_some();
        if within(alert.create_time) && !model.is_normal(&alert.severity) {
            *self.report.new.entry(severity).or_default() += 1;
        }
        if matches!(alert.status, Status::Closed | Status::Expired | Status::Norm)
            && within(alert.update_time)
        {
            self.report.closed = self.report.closed.saturating_add(1);
        }
        if within(alert.last_receive_time) {
            count(&mut self.events, &alert.event);
            count(&mut self.resources, &alert.resource);
        }
        if is_open {
            *self.report.open.entry(severity).or_default() += 1;
            self.note_open(model, alert);
        }
    }

    /// Keeps the worst of what is open, and of those that are as bad the latest.
    fn note_open(&mut self, model: &Model, alert: &Alert) {
        if let Some(agent) = alert.agent().or_else(|| alert.host())
            && self.report.silent_agents.len() < MAX_SILENT
        {
            self.report.silent_agents.push(agent.to_owned());
        }
        let key = |notice: &Notice| (notice.severity, notice.last_received);
        let candidate = (model.as_rule(&alert.severity), alert.last_receive_time);
        let is_full = self.worst.len() >= MAX_TOP;
        if is_full && self.worst.last().is_some_and(|least| key(least) >= candidate) {
            return;
        }
        let notice = Notice::new(alert, model, Change::New, alert.last_receive_time)
            .linked(self.console.as_deref());
        self.worst.push(notice);
        self.worst.sort_by_key(|notice| std::cmp::Reverse(key(notice)));
        self.worst.truncate(MAX_TOP);
    }

    /// The report.
    pub(crate) fn finish(mut self) -> Report {
        self.report.top_events = top(self.events);
        self.report.top_resources = top(self.resources);
        self.report.silent_agents.sort_unstable();
        self.report.worst = self.worst;
        self.report
    }
}

fn count(counts: &mut HashMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}

/// The names that came most often; of those that came as often, in the order of the alphabet.
fn top(counts: HashMap<String, u64>) -> Vec<(String, u64)> {
    let sorted: BTreeMap<(std::cmp::Reverse<u64>, String), ()> =
        counts.into_iter().map(|(name, count)| ((std::cmp::Reverse(count), name), ())).collect();
    sorted.into_keys().take(MAX_TOP).map(|(count, name)| (name, count.0)).collect()
}
