//! What a message says, before it is dressed for a channel: a headline, a text, facts, a list.
//!
//! Every text here is as it came, so whoever dresses it escapes all of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bergfried_alert::{Evidence, Status};
use bergfried_event::Severity;
use serde_json::Value;

use crate::login;
use crate::message::{AgentSeen, Digest, Group, HubState, Message, Report, Stored, Test};
use crate::notice::{Change, Notice};

/// Attributes of an alert that a message shows; the rest are in the console.
const MAX_ATTRIBUTES: usize = 6;

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outline {
    /// One short line.
    pub(crate) headline: String,
    /// One line that says it all, for a phone's lock screen.
    pub(crate) summary: String,
    /// A sentence or some.
    pub(crate) text: String,
    /// Names and values, the most important first.
    pub(crate) facts: Vec<(String, String)>,
    /// A line of a log, where there is one.
    pub(crate) example: String,
    /// Alerts, where it is about several.
    pub(crate) items: Vec<Item>,
    /// How many more alerts there are.
    pub(crate) more: u64,
    /// Where it comes from.
    pub(crate) origin: String,
    /// Where to read on.
    pub(crate) link: Option<String>,
}

/// One alert among several.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item {
    /// One line.
    pub(crate) headline: String,
    /// The alert in the console.
    pub(crate) link: Option<String>,
}

impl Outline {
    /// What `message` says.
    pub(crate) fn of(message: &Message) -> Outline {
        match message {
            Message::Alert(notice) => alert(notice),
            Message::Group(group) => self::group(group),
            Message::Digest(digest) => self::digest(digest),
            Message::Report(report) => self::report(report),
            Message::Agent(agent) => self::agent(agent),
            Message::Hub(hub) => self::hub(hub),
            Message::Test(test) => self::test(test),
        }
    }
}

fn alert(notice: &Notice) -> Outline {
    let evidence = notice.evidence.as_deref();
    let example = evidence.map_or("", |evidence| &evidence.example);
    let origin = match evidence {
        Some(evidence) => format!("{} · rule {}", notice.environment, evidence.rule_id),
        None => format!("{} · from {}", notice.environment, notice.origin),
    };
    Outline {
        headline: headline(notice),
        summary: format!("{}: {}", standing(notice), sentence(notice)),
        text: sentence(notice).to_owned(),
        facts: facts(notice),
        example: login::describe(example).unwrap_or_else(|| example.to_owned()),
        origin,
        link: notice.link.clone(),
        ..Outline::default()
    }
}

/// The alert's text, or its event where it has none.
fn sentence(notice: &Notice) -> &str {
    if notice.text.is_empty() { &notice.event } else { &notice.text }
}

fn headline(notice: &Notice) -> String {
    let prefix = match notice.change {
        Change::Reminder { after } => format!("Open for {}: ", duration(after)),
        Change::Escalated { .. } => "Escalated: ".to_owned(),
        _ => String::new(),
    };
    format!("{prefix}{}: {} on {}", standing(notice), notice.event, notice.resource)
}

/// How an alert stands, in a word or two: `HIGH`, `HIGH, ack`, `RESOLVED`.
fn standing(notice: &Notice) -> String {
    let severity = notice.severity.name().to_uppercase();
    match (notice.over, notice.status) {
        (true, _) => "RESOLVED".to_owned(),
        (false, Status::Open | Status::Unknown | Status::Unacked) => severity,
        (false, status) => format!("{severity}, {status}"),
    }
}

fn facts(notice: &Notice) -> Vec<(String, String)> {
    let mut facts = Facts::default();
    facts.add("Change", change(&notice.change));
    facts.some("By", notice.by.as_ref());
    facts.some("Comment", notice.comment.as_ref());
    match notice.evidence.as_deref() {
        Some(evidence) => of_evidence(&mut facts, evidence),
        None => of_sender(&mut facts, notice),
    }
    // What a rule found stands in the fields above.
    let known = notice.evidence.as_deref().map(Evidence::attributes).unwrap_or_default();
    let more = notice.attributes.iter().filter(|(name, value)| known.get(*name) != Some(*value));
    for (name, value) in more.take(MAX_ATTRIBUTES) {
        facts.add(name, plain(value));
    }
    facts.0
}

fn of_evidence(facts: &mut Facts, evidence: &Evidence) {
    facts.some("Host", evidence.host.as_ref());
    facts.some("User", evidence.user.as_ref());
    facts.some("Source", evidence.source.as_ref());
    facts.add("Events", evidence.count.to_string());
    facts.add("First seen", evidence.first_seen.to_string());
    facts.add("Last seen", evidence.last_seen.to_string());
    facts.add("ATT&CK", evidence.techniques.join(", "));
    // What it was grouped by stands in the fields above.
    if evidence.matched != evidence.group {
        let pair = |(name, value): &(String, String)| format!("{name}: {value}");
        let matched: Vec<String> = evidence.matched.iter().map(pair).collect();
        facts.add("Matched", matched.join(", "));
    }
    facts.add("False positives", evidence.falsepositives.join("; "));
}

fn of_sender(facts: &mut Facts, notice: &Notice) {
    if notice.severity_word != notice.severity.name() {
        facts.add("Severity", notice.severity_word.clone());
    }
    facts.add("Status", notice.status.to_string());
    facts.some("Value", notice.value.as_ref());
    facts.add("Service", notice.service.join(", "));
    facts.add("Group", notice.group.clone());
    facts.some("Customer", notice.customer.as_ref());
    facts.add("Received", notice.times.to_string());
    facts.add("Last received", notice.last_received.to_string());
    facts.add("Tags", notice.tags.join(", "));
}

/// Names and values; what has no name or no value is left out.
#[derive(Default)]
struct Facts(Vec<(String, String)>);

impl Facts {
    fn add(&mut self, name: &str, value: String) {
        if !name.is_empty() && !value.is_empty() {
            self.0.push((name.to_owned(), value));
        }
    }

    fn some(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.add(name, value.clone());
        }
    }
}

/// A value as a person reads it: text without its quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What happened to an alert, in words.
pub(crate) fn change(change: &Change) -> String {
    match change {
        Change::New => "new".to_owned(),
        Change::Repeated => "repeated".to_owned(),
        Change::Reopened => "reopened".to_owned(),
        Change::SeverityChanged { from, to } => format!("severity {from} → {to}"),
        Change::Acknowledged => "acknowledged".to_owned(),
        Change::Unacknowledged => "no longer acknowledged".to_owned(),
        Change::Assigned => "assigned".to_owned(),
        Change::Shelved => "shelved".to_owned(),
        Change::Unshelved => "no longer shelved".to_owned(),
        Change::Closed => "closed".to_owned(),
        Change::Expired => "expired".to_owned(),
        Change::StatusChanged { from, to } => format!("status {from} → {to}"),
        Change::Noted => "note".to_owned(),
        Change::Reminder { after } => format!("still open after {}", duration(*after)),
        Change::Escalated { step, after } => {
            format!("not acknowledged within {}, step {step}", duration(*after))
        }
    }
}

/// Seconds in a unit that a person would choose.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn items(notices: &[Notice]) -> Vec<Item> {
    let item = |notice: &Notice| Item {
        headline: format!("{} ({})", headline(notice), change(&notice.change)),
        link: notice.link.clone(),
    };
    notices.iter().map(item).collect()
}

/// The console, as the links of alerts know it.
fn console(notices: &[Notice]) -> Option<String> {
    let link = notices.iter().find_map(|notice| notice.link.as_ref())?;
    Some(link.rsplit_once('/')?.0.to_owned())
}

fn group(group: &Group) -> Outline {
    let count = (group.notices.len() as u64).saturating_add(group.more);
    let worst = group.notices.iter().map(|notice| notice.severity).max().unwrap_or_default();
    let headline = format!("{}: {count} alerts, {}", worst.name().to_uppercase(), group.title);
    Outline {
        summary: headline.clone(),
        headline,
        text: format!("{count} alerts from {} to {}", group.since, group.until),
        items: items(&group.notices),
        more: group.more,
        origin: format!("grouped by {}", group.title),
        link: console(&group.notices),
        ..Outline::default()
    }
}

fn digest(digest: &Digest) -> Outline {
    let total = digest.counts.values().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let headline = format!("Digest: {total} changes of alerts");
    let text = format!(
        "{total} changes were not told one by one ({}), from {} to {}",
        digest.reason, digest.since, digest.until
    );
    Outline {
        summary: format!("{headline}: {}", by_severity(&digest.counts)),
        headline,
        text,
        facts: severities(&digest.counts),
        items: items(&digest.notices),
        more: digest.more,
        origin: "Bergfried".to_owned(),
        link: console(&digest.notices),
        ..Outline::default()
    }
}

fn report(report: &Report) -> Outline {
    let total = |counts: &BTreeMap<Severity, u64>| -> u64 {
        counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    };
    let (new, open) = (total(&report.new), total(&report.open));
    let mut facts = Facts::default();
    if let Some(stored) = &report.stored {
        let Stored { online, silent, .. } = stored;
        facts.add("Events", stored.events.to_string());
        facts.add("Hosts", format!("{online} online, {silent} silent"));
        facts.add("By host", ranked(&stored.hosts));
        facts.add("By kind", ranked(&stored.kinds));
        facts.add("By action", ranked(&stored.actions));
        facts.add("By source", ranked(&stored.sources));
    }
    facts.add("New alerts", or_none(by_severity(&report.new)));
    facts.add("Ended", report.closed.to_string());
    facts.add("Open now", or_none(by_severity(&report.open)));
    facts.add("What most", ranked(&report.top_events));
    facts.add("Where most", ranked(&report.top_resources));
    facts.add("Silent", report.silent_agents.join(", "));
    let headline = format!("Daily report: {new} new alerts, {open} open");
    Outline {
        summary: headline.clone(),
        headline,
        text: format!("From {} to {}", report.since, report.until),
        facts: facts.0,
        items: items(&report.worst),
        origin: "Bergfried".to_owned(),
        link: report.link.clone(),
        ..Outline::default()
    }
}

fn or_none(text: String) -> String {
    if text.is_empty() { "none".to_owned() } else { text }
}

/// Counts, the worst first: `2 critical, 7 high`.
fn by_severity(counts: &BTreeMap<Severity, u64>) -> String {
    let counted = counts.iter().rev().filter(|(_, count)| **count > 0);
    let parts: Vec<String> =
        counted.map(|(severity, count)| format!("{count} {severity}")).collect();
    parts.join(", ")
}

fn severities(counts: &BTreeMap<Severity, u64>) -> Vec<(String, String)> {
    let counted = counts.iter().rev().filter(|(_, count)| **count > 0);
    counted.map(|(severity, count)| (severity.to_string(), count.to_string())).collect()
}

fn ranked(counts: &[(String, u64)]) -> String {
    let mut text = String::new();
    for (name, count) in counts {
        let separator = if text.is_empty() { "" } else { ", " };
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{separator}{name} ({count})");
    }
    text
}

fn agent(agent: &AgentSeen) -> Outline {
    let state = if agent.online { "online" } else { "offline" };
    let what = if agent.is_host { "Host" } else { "Agent" };
    let headline = format!("{what} {} is {state}", agent.name);
    let before = agent.last_seen.map(|time| format!(", last heard of at {time}"));
    Outline {
        summary: headline.clone(),
        text: format!("{headline} at {}{}", agent.time, before.unwrap_or_default()),
        headline,
        origin: "Bergfried".to_owned(),
        ..Outline::default()
    }
}

fn hub(hub: &HubState) -> Outline {
    let state = if hub.started { "started" } else { "stops" };
    let headline = format!("Bergfried on {} {state}", hub.name);
    Outline {
        summary: headline.clone(),
        text: format!("Version {} {state} at {}", hub.version, hub.time),
        headline,
        origin: "Bergfried".to_owned(),
        link: hub.link.clone(),
        ..Outline::default()
    }
}

fn test(test: &Test) -> Outline {
    let text = format!(
        "Test message from Bergfried for the notification channel {}, sent at {}",
        test.channel, test.time
    );
    Outline {
        headline: format!("Test of the channel {}", test.channel),
        summary: text.clone(),
        text,
        origin: "Bergfried".to_owned(),
        ..Outline::default()
    }
}
