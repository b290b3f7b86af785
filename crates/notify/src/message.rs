//! What is sent over a channel: about one alert, several, an agent, the hub, or nothing but a test.

use std::collections::BTreeMap;

use bergfried_alert::Status;
use bergfried_event::{Severity, Timestamp};
use ring::digest;
use serde::{Deserialize, Serialize};

use crate::notice::{Change, Notice};

/// One message; what the outbox keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// About one alert.
    Alert(Box<Notice>),
    /// Several alerts that belong together.
    Group(Group),
    /// What else happened, where a channel is told of no more than so much.
    Digest(Digest),
    /// What happened in a day.
    Report(Box<Report>),
    /// An agent or host fell silent or is heard of again.
    Agent(AgentSeen),
    /// The hub itself started or stops.
    Hub(HubState),
    /// Somebody wants to know whether messages arrive.
    Test(Test),
}

/// Several alerts that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What they have in common, in words: `host web1`.
    pub title: String,
    /// The alerts, the worst first; those that do not fit a message are counted there.
    pub notices: Vec<Notice>,
    /// How many more there were than are kept.
    pub more: u64,
    /// When the first of them was to be told.
    pub since: Timestamp,
    /// When the last of them was.
    pub until: Timestamp,
}

/// What happened while a channel was not to be told of each thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    /// Why they were held back, in words: `more than 20 messages an hour`, `quiet hours`.
    pub reason: String,
    /// When the first of them was held back.
    pub since: Timestamp,
    /// When the last of them was.
    pub until: Timestamp,
    /// How many changes, by severity.
    pub counts: BTreeMap<Severity, u64>,
    /// The alerts, the worst first; at most as many as the sender likes to keep.
    pub notices: Vec<Notice>,
    /// How many more there were than are kept.
    pub more: u64,
}

/// What happened in a day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// From when on.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Alerts that are new, by severity.
    pub new: BTreeMap<Severity, u64>,
    /// Alerts that ended.
    pub closed: u64,
    /// Alerts that are open now, by severity.
    pub open: BTreeMap<Severity, u64>,
    /// What happened most, and how often.
    pub top_events: Vec<(String, u64)>,
    /// What it happened to most, and how often.
    pub top_resources: Vec<(String, u64)>,
    /// Agents and hosts of which nothing is heard.
    pub silent_agents: Vec<String>,
    /// The worst of what is open.
    pub worst: Vec<Notice>,
    /// What was stored, where it is known; it is looked up when the report is sent.
    #[serde(default)]
    pub stored: Option<Stored>,
    /// The console.
    pub link: Option<String>,
}

impl Report {
    /// Whether nothing happened to alerts and none is open.
    pub fn is_quiet(&self) -> bool {
        self.new.is_empty()
            && self.closed == 0
            && self.open.is_empty()
            && self.top_events.is_empty()
    }
}

/// What was stored in a span of time, and who sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// How many events.
    pub events: u64,
    /// Hosts with the most events.
    pub hosts: Vec<(String, u64)>,
    /// Heimdall's kinds of events.
    pub kinds: Vec<(String, u64)>,
    /// The actions that came most.
    pub actions: Vec<(String, u64)>,
    /// The addresses that most events came from.
    pub sources: Vec<(String, u64)>,
    /// How many hosts speak now.
    pub online: u64,
    /// How many hosts are silent now.
    pub silent: u64,
}

/// An agent or host fell silent or is heard of again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSeen {
    /// The agent's name, or the host's.
    pub name: String,
    /// Whether it is a host without an agent of this program.
    #[serde(default)]
    pub is_host: bool,
    /// Whether it is heard of.
    pub online: bool,
    /// When it was last heard of before.
    pub last_seen: Option<Timestamp>,
    /// When that was noticed.
    pub time: Timestamp,
}

/// The hub itself started or stops.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubState {
    /// The name of its machine.
    pub name: String,
    /// Whether it started; else it stops.
    pub started: bool,
    /// Its version.
    pub version: String,
    /// When.
    pub time: Timestamp,
    /// The console.
    pub link: Option<String>,
}

/// Somebody wants to know whether messages arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// The channel's name.
    pub channel: String,
    /// When the test was asked for.
    pub time: Timestamp,
}

impl Message {
    /// The id of the alert that it is about, where it is about one.
    ///
    /// The [`Memory`] of a message belongs to this id and to the channel.
    pub fn about(&self) -> Option<&str> {
        match self {
            Message::Alert(notice) => Some(&notice.id),
            _ => None,
        }
    }

    /// Whether it tells how an alert went on that people were told of before, so that a channel may
    /// change what it wrote then.
    pub(crate) fn continues(&self) -> bool {
        match self {
            Message::Alert(notice) => !matches!(notice.change, Change::New | Change::Reopened),
            _ => false,
        }
    }

    /// Whether it should call people, not just show them something.
    pub fn is_loud(&self) -> bool {
        match self {
            Message::Alert(notice) => notice.loud,
            Message::Group(group) => group.notices.iter().any(|notice| notice.loud),
            Message::Agent(agent) => !agent.online,
            Message::Test(_) => true,
            Message::Digest(_) | Message::Report(_) | Message::Hub(_) => false,
        }
    }

    /// What a system of incidents should make of it: `trigger`, `acknowledge` or `resolve`.
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Message::Alert(notice) if notice.over => "resolve",
            Message::Alert(notice) => match notice.status {
                Status::Ack | Status::Assign | Status::Shelved | Status::Acked | Status::Shlvd => {
                    "acknowledge"
                }
                _ => "trigger",
            },
            Message::Agent(agent) if agent.online => "resolve",
            _ => "trigger",
        }
    }

    /// What messages about the same matter have in common, for systems that fold them.
    pub(crate) fn key(&self) -> String {
        match self {
            Message::Alert(notice) => format!("alert-{}", notice.id),
            Message::Group(group) => format!("group-{}", group.since.micros()),
            Message::Digest(digest) => format!("digest-{}", digest.since.micros()),
            Message::Report(report) => format!("report-{}", report.since.micros()),
            Message::Agent(agent) => format!("agent-{}", agent.name),
            Message::Hub(hub) => format!("hub-{}", hub.name),
            Message::Test(test) => format!("test-{}", test.time.micros()),
        }
    }

    /// The id of its delivery over a channel of this name: the same at every attempt, so that a
    /// server can tell that it got it before. Letters and digits.
    pub(crate) fn delivery(&self, channel: &str) -> String {
        let document = serde_json::to_vec(self).unwrap_or_default();
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(channel.as_bytes());
        context.update(b"\n");
        context.update(&document);
        context.finish().as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// How bad the worst is that it tells.
    pub fn severity(&self) -> Severity {
        let worst = |notices: &[Notice]| {
            notices.iter().map(|notice| notice.severity).max().unwrap_or_default()
        };
        match self {
            Message::Alert(notice) => notice.severity,
            Message::Group(group) => worst(&group.notices),
            Message::Digest(digest) => {
                let counted = digest.counts.iter().filter(|(_, count)| **count > 0);
                let counted = counted.map(|(severity, _)| *severity).max().unwrap_or_default();
                counted.max(worst(&digest.notices))
            }
            Message::Agent(agent) if !agent.online => Severity::Medium,
            Message::Report(_) | Message::Agent(_) | Message::Hub(_) | Message::Test(_) => {
                Severity::Informational
            }
        }
    }
}

/// What a channel wants to be reminded of when it is next told of the same alert, so that it can
/// change its message or answer to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Memory {
    /// A message in Slack.
    Slack {
        /// The id of the channel that it stands in.
        channel: String,
        /// Its id there.
        ts: String,
    },
    /// A message in Telegram.
    Telegram {
        /// The chat that it stands in.
        chat: String,
        /// Its id there.
        message: i64,
    },
    /// The first mail about an alert.
    Email {
        /// Its Message-ID.
        first: String,
        /// Its subject, which the thread keeps.
        subject: String,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{example, sample};

    fn reads_back(message: &Message) {
        let kept = serde_json::to_string(message).unwrap();
        assert_eq!(&serde_json::from_str::<Message>(&kept).unwrap(), message, "{kept}");
    }

    #[test]
    fn every_kind_reads_back_from_the_outbox() {
        example::every_kind().iter().for_each(reads_back);
        for memory in [
            Memory::Slack { channel: "C1".to_owned(), ts: "1.0".to_owned() },
            Memory::Telegram { chat: "-7".to_owned(), message: i64::MAX },
            Memory::Email { first: "<a@b>".to_owned(), subject: "é".to_owned() },
        ] {
            let kept = serde_json::to_string(&memory).unwrap();
            assert_eq!(serde_json::from_str::<Memory>(&kept).unwrap(), memory);
        }
    }

    #[test]
    fn how_bad_it_is_and_what_is_to_be_done() {
        let all = example::every_kind();
        let told: Vec<_> =
            all.iter().map(|one| (one.severity().name(), one.action(), one.is_loud())).collect();
        assert_eq!(
            told,
            [
                ("high", "trigger", true),
                ("informational", "resolve", false),
                ("high", "acknowledge", true),
                ("high", "trigger", true),
                ("high", "trigger", false),
                ("informational", "trigger", false),
                ("informational", "trigger", false),
                ("medium", "trigger", true),
                ("informational", "trigger", false),
                ("informational", "trigger", true),
            ]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn any_text_reads_back(text in any::<String>()) {
            reads_back(&sample::hostile(&text));
        }
    }
}
