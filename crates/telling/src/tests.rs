//! From a change of an alert to what a channel gets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bergfried_alert::{Alert, Model, Status, Trend};
use bergfried_control::{Control, Telling};
use bergfried_event::Timestamp;
use bergfried_notify::routing::{Listener, RouteFile, Routing};
use bergfried_notify::{Channel, Memory, Message, Notice, SendError, Stored};
use proptest::prelude::*;

use crate::worker::Worker;
use crate::{By, Counts, Library, Stood, Teller};

const NAMES: [&str; 3] = ["ops", "phone", "boss"];

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    route: Vec<RouteFile>,
}

/// What a channel answers.
type Mood = Arc<Mutex<Result<Option<Memory>, SendError>>>;
type Sent = Arc<Mutex<Vec<(String, Message, Option<Memory>)>>>;

struct World {
    directory: tempfile::TempDir,
    control: Arc<Control>,
    teller: Arc<Teller>,
    workers: Vec<Worker>,
    sent: Sent,
    mood: Mood,
    now: Timestamp,
    alerts: BTreeMap<String, Alert>,
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn teller(text: &str) -> Teller {
    let file: File = toml::from_str(text).unwrap();
    let listener = |name: &&str| Listener {
        channel: (*name).to_owned(),
        min_severity: bergfried_event::Severity::Informational,
    };
    let routing = Routing::new(&file.route, NAMES.iter().map(listener).collect()).unwrap();
    Teller::new(routing, Model::alerta(), Some("https://hub.example".to_owned()))
}

fn alert(id: &str, severity: &str, status: Status) -> Alert {
    let time = at("2026-11-21T12:00:00Z");
    Alert {
        id: id.to_owned(),
        environment: "Production".to_owned(),
        resource: format!("host-{id}"),
        event: "NodeDown".to_owned(),
        severity: severity.to_owned(),
        correlate: Vec::new(),
        status,
        service: Vec::new(),
        group: "Misc".to_owned(),
        value: None,
        text: String::new(),
        tags: Vec::new(),
        attributes: BTreeMap::new(),
        origin: String::new(),
        kind: "exceptionAlert".to_owned(),
        create_time: time,
        timeout: 0,
        raw_data: None,
        customer: None,
        duplicate_count: 0,
        repeat: false,
        previous_severity: "indeterminate".to_owned(),
        trend: Trend::NoChange,
        receive_time: time,
        last_receive_id: String::new(),
        last_receive_time: time,
        update_time: time,
        history: Vec::new(),
        notes: Vec::new(),
        evidence: None,
        holds: Vec::new(),
        revision: 0,
    }
}

impl World {
    fn new(routes: &str) -> World {
        let directory = tempfile::tempdir().unwrap();
        let control = Arc::new(Control::open(&directory.path().join("control.db")).unwrap());
        let mut world = World {
            directory,
            control,
            teller: Arc::new(teller(routes)),
            workers: Vec::new(),
            sent: Sent::default(),
            mood: Arc::new(Mutex::new(Ok(None))),
            now: at("2026-11-21T12:00:00Z"),
            alerts: BTreeMap::new(),
        };
        world.employ();
        world
    }

    fn employ(&mut self) {
        self.workers = NAMES
            .iter()
            .map(|name| {
                let (sent, mood) = (Arc::clone(&self.sent), Arc::clone(&self.mood));
                Worker {
                    post: Box::new(move |channel, message, memory, _| {
                        let answer = mood.lock().unwrap().clone();
                        if answer.is_ok() {
                            let name = channel.name().to_owned();
                            sent.lock().unwrap().push((name, message.clone(), memory.cloned()));
                        }
                        answer
                    }),
                    channel: Channel::from_webhook_url(name, "https://hub.example/x").unwrap(),
                    control: Arc::clone(&self.control),
                    teller: Arc::clone(&self.teller),
                    clock: || Timestamp::from_micros(0),
                    counts: Arc::new(Counts::default()),
                    stopping: Arc::new(AtomicBool::new(false)),
                }
            })
            .collect();
    }

    /// Everything that the process knew but did not write is gone.
    fn restart(&mut self, routes: &str) {
        self.workers.clear();
        self.teller = Arc::new(teller(routes));
        self.control = Arc::new(Control::open(&self.directory.path().join("control.db")).unwrap());
        self.employ();
    }

    fn set(&mut self, id: &str, severity: &str, status: Status) -> Vec<Telling> {
        let after = alert(id, severity, status);
        let before = self.alerts.get(id).cloned();
        let stood =
            before.as_ref().map(|alert| Stood { status: alert.status, severity: &alert.severity });
        let telling = self.teller.changed(stood, &after, By::default(), self.now);
        self.control.write_telling(&telling, self.now).unwrap();
        self.alerts.insert(id.to_owned(), after);
        telling
    }

    fn pass(&mut self, seconds: i64) {
        self.now = self.now.plus_micros(seconds * Timestamp::SECOND);
    }

    /// What the scheduler does.
    fn time(&self) {
        let find = |id: &str| self.alerts.get(id).map(|alert| Arc::new(alert.clone()));
        let each = |look: &mut dyn FnMut(&Alert)| self.alerts.values().for_each(look);
        let telling = self.teller.due(&self.control, find, each, self.now).unwrap();
        self.control.write_telling(&telling, self.now).unwrap();
        self.teller.written(&telling);
    }

    fn deliver(&self) {
        for worker in &self.workers {
            while worker.step(self.now).unwrap() {}
        }
    }

    /// What was sent since this was last asked: channel and what kind of message about what.
    fn said(&self) -> Vec<String> {
        self.deliver();
        let sent = std::mem::take(&mut *self.sent.lock().unwrap());
        sent.iter().map(|(channel, message, _)| format!("{channel} {}", shape(message))).collect()
    }
}

fn ids(notices: &[Notice]) -> String {
    notices.iter().map(|notice| notice.id.as_str()).collect::<Vec<_>>().join(",")
}

fn shape(message: &Message) -> String {
    match message {
        Message::Alert(notice) => {
            let change = serde_json::to_value(&notice.change).unwrap();
            format!("{} {}", notice.id, change["kind"].as_str().unwrap())
        }
        Message::Group(group) => format!("group {} [{}]", group.title, ids(&group.notices)),
        Message::Digest(digest) => format!("digest {} [{}]", digest.reason, ids(&digest.notices)),
        Message::Report(report) => {
            let new = report.new.values().sum::<u64>();
            let stored = report.stored.as_ref();
            let stored = stored.map(|stored| format!(" {} stored", stored.events));
            format!("report {new} new{}", stored.unwrap_or_default())
        }
        other => format!("{other:?}"),
    }
}

use Status::{Ack, Closed, Open, Shelved};

#[test]
fn an_alert_is_told_of_when_it_comes_gets_worse_and_ends() {
    let mut world = World::new("[[route]]\nchannels=['ops']");
    world.set("a", "warning", Open);
    world.set("a", "warning", Open);
    world.set("a", "critical", Open);
    world.set("a", "critical", Ack);
    world.set("a", "normal", Closed);
    assert_eq!(world.said(), ["ops a new", "ops a severity_changed", "ops a closed"]);
    let sent = world.control.letters_waiting().unwrap();
    assert_eq!(sent, []);
}

#[test]
fn a_channel_that_shows_an_alert_shows_how_it_is_now() {
    let mut world = World::new("[[route]]\nchannels=['ops','phone']");
    let memory = Memory::Slack { channel: "C".to_owned(), ts: "1.2".to_owned() };
    *world.mood.lock().unwrap() = Ok(Some(memory.clone()));
    world.set("a", "major", Open);
    world.deliver();
    world.sent.lock().unwrap().clear();
    // Of several changes that were not shown yet only the last is.
    world.set("a", "major", Ack);
    world.set("a", "major", Open);
    world.sent.lock().unwrap().clear();
    world.set("a", "major", Ack);
    world.deliver();
    let sent = std::mem::take(&mut *world.sent.lock().unwrap());
    let kinds: Vec<(String, bool)> = sent
        .iter()
        .map(|(channel, message, remembered)| {
            assert_eq!(remembered.as_ref(), Some(&memory));
            (
                format!("{channel} {}", shape(message)),
                matches!(message, Message::Alert(n) if n.loud),
            )
        })
        .collect();
    let unacked = |name: &str| (format!("{name} a unacknowledged"), true);
    let acked = |name: &str| (format!("{name} a acknowledged"), false);
    assert_eq!(kinds, [unacked("ops"), acked("ops"), unacked("phone"), acked("phone")]);
    // A mail cannot be changed, so it is not sent again.
    let mail = Memory::Email { first: "<1@x>".to_owned(), subject: "a".to_owned() };
    *world.mood.lock().unwrap() = Ok(Some(mail));
    world.set("b", "major", Open);
    assert_eq!(world.said(), ["ops b new", "phone b new"]);
    world.set("b", "major", Ack);
    assert!(world.said().is_empty());
    // A deleted alert is forgotten.
    let forget = world.teller.deleted("b");
    world.control.write_telling(&[forget], world.now).unwrap();
    assert_eq!(world.control.shown("ops", "b").unwrap(), None);
}

#[test]
fn letters_of_a_clock_that_was_ahead_are_sent_when_it_is_right() {
    let mut world = World::new("[[route]]\nchannels=['ops']");
    let right = world.now;
    world.pass(10 * 365 * 86_400);
    world.set("a", "major", Open);
    world.now = right;
    assert!(world.said().is_empty());
    for worker in &world.workers {
        worker.hurry(right);
    }
    assert_eq!(world.said(), ["ops a new"]);
}

#[test]
fn a_message_that_shows_a_fault_ends_no_channel() {
    let mut world = World::new("[[route]]\nchannels=['ops']");
    world.set("a", "major", Open);
    let well = std::mem::replace(
        &mut world.workers[0].post,
        Box::new(|_, _, _, _| panic!("a fault, on purpose")),
    );
    assert!(world.workers[0].step(world.now).unwrap());
    let given_up = world.control.letters_given_up(10).unwrap();
    assert!(given_up[0].error.contains("fault"), "{given_up:?}");
    world.workers[0].post = well;
    world.set("b", "major", Open);
    assert_eq!(world.said(), ["ops b new"]);
}

#[test]
fn what_waits_of_a_large_alert_is_small() {
    let mut large = alert("a", "major", Open);
    large.text = "ü".repeat(10_000);
    large.tags = (0..128).map(|number| format!("{number:0500}")).collect();
    large.attributes = (0..100).map(|n| (format!("{n:03}"), "x".repeat(600).into())).collect();
    let change = bergfried_notify::Change::New;
    let notice = Notice::new(&large, &Model::alerta(), change, large.create_time);
    assert!(notice.text.ends_with('…') && notice.text.len() <= 4_096);
    assert_eq!((notice.tags.len(), notice.attributes.len()), (32, 13));
    assert!(serde_json::to_string(&notice).unwrap().len() < 32 * 1024);
}

#[test]
fn what_belongs_together_is_one_message() {
    let routes = "[[route]]\nchannels=['ops']\ngroup_by=['event']\ngroup_window='2m'";
    let mut world = World::new(routes);
    world.set("a", "minor", Open);
    world.pass(60);
    world.set("b", "critical", Open);
    world.set("a", "minor", Ack);
    assert!(world.said().is_empty(), "the window is open");
    world.pass(60);
    assert_eq!(world.said(), ["ops group event NodeDown [b,a]"]);
    world.set("c", "minor", Open);
    world.pass(119);
    assert!(world.said().is_empty());
    world.pass(1);
    assert_eq!(world.said(), ["ops c new"], "one alone is no group");
}

#[test]
fn beyond_the_hourly_limit_comes_a_digest() {
    let mut world = World::new("[[route]]\nname='r'\nchannels=['ops']\nmax_per_hour=2");
    for id in ["a", "b", "c", "d"] {
        world.set(id, "major", Open);
        world.pass(60);
    }
    assert_eq!(world.said(), ["ops a new", "ops b new"]);
    world.pass(600);
    world.set("e", "critical", Open);
    assert!(world.said().is_empty());
    let waiting = &world.control.letters_waiting().unwrap()[0];
    assert_eq!((waiting.queued, waiting.held), (3, 3));
    world.restart("[[route]]\nname='r'\nchannels=['ops']\nmax_per_hour=2");
    world.pass(3_600);
    assert_eq!(world.said(), ["ops digest more than 2 messages an hour [e,c,d]"]);
}

#[test]
fn quiet_hours_end_with_a_digest_and_let_through_what_is_critical() {
    let routes = "[[route]]\nchannels=['ops']\nquiet_hours='22:00-07:00'\n\
                  quiet_except='severity:critical'\ntime_zone='Europe/Berlin'";
    let mut world = World::new(routes);
    // The night in which the clock is put back: it ends at 07:00 CET, an hour later than in summer.
    world.now = at("2026-10-24T21:00:00Z");
    world.set("a", "major", Open);
    world.set("b", "critical", Open);
    world.set("c", "minor", Open);
    assert_eq!(world.said(), ["ops b new"]);
    world.now = at("2026-10-25T05:59:59Z");
    assert!(world.said().is_empty());
    world.pass(1);
    assert_eq!(world.said(), ["ops digest quiet hours [a,c]"]);
}

#[test]
fn who_does_not_acknowledge_is_reminded_and_others_are_told() {
    let routes = "[[route]]\nchannels=['ops']\nremind_every='1h'\n\
                  escalate=[{after='15m',channels=['phone']},{after='30m',channels=['boss']}]";
    let mut world = World::new(routes);
    world.set("a", "major", Open);
    world.set("b", "major", Open);
    world.set("c", "major", Open);
    assert_eq!(world.said().len(), 3);
    world.set("b", "major", Ack);
    world.set("c", "normal", Closed);
    assert_eq!(world.said(), ["ops c closed"]);
    world.pass(15 * 60);
    world.restart(routes);
    world.time();
    world.time();
    assert_eq!(world.said(), ["phone a escalated"], "once, and not for what is acknowledged");
    world.pass(45 * 60);
    world.time();
    assert_eq!(world.said(), ["ops a reminder", "boss a escalated"]);
    // Two days without power: one reminder, not forty-eight.
    world.pass(48 * 3_600);
    world.restart(routes);
    world.time();
    world.time();
    assert_eq!(world.said(), ["ops a reminder"]);
    world.set("a", "major", Shelved);
    world.pass(48 * 3_600);
    world.time();
    assert!(world.said().is_empty());
    world.set("a", "major", Open);
    assert_eq!(world.said(), ["ops a unshelved"]);
    world.pass(15 * 60);
    world.time();
    assert_eq!(world.said(), ["phone a escalated"], "it begins anew");
    assert_eq!(world.teller.next_due(&world.control, world.now).unwrap(), {
        Some(world.now.plus_micros(15 * 60 * Timestamp::SECOND))
    });
}

#[test]
fn a_day_is_told_of_once_whatever_happens() {
    let routes = "[[route]]\nname='r'\nchannels=['ops']\ndaily_report='14:00'";
    let mut world = World::new(routes);
    world.time();
    world.set("a", "major", Open);
    assert_eq!(world.said(), ["ops a new"]);
    assert_eq!(
        world.teller.next_due(&world.control, world.now).unwrap(),
        Some(at("2026-11-21T14:00:00Z"))
    );
    world.pass(2 * 3_600);
    // Not written: nothing happened.
    let find = |_: &str| None;
    let each = |_: &mut dyn FnMut(&Alert)| {};
    world.teller.due(&world.control, find, each, world.now).unwrap();
    world.time();
    world.restart(routes);
    world.time();
    world.time();
    assert_eq!(world.said(), ["ops report 1 new"]);
    // The clock is put back an hour, and comes to the same time again.
    world.pass(-3_600);
    world.time();
    world.pass(3_600);
    world.time();
    assert!(world.said().is_empty());
    world.pass(24 * 3_600);
    world.time();
    assert_eq!(world.said(), ["ops report 0 new"], "it is still open");
}

/// A store with this many events of each day, or one that cannot be read.
#[derive(Debug)]
struct Shelf(Option<u64>);

impl Library for Shelf {
    fn holds_any(&self, _since: Timestamp) -> bool {
        self.0 != Some(0)
    }

    fn stored(&self, _since: Timestamp, _until: Timestamp) -> Option<Stored> {
        self.0.map(|events| Stored { events, ..Stored::default() })
    }
}

#[test]
fn a_day_without_alerts_is_told_of_where_anything_came() {
    let routes = "[[route]]\nname='r'\nchannels=['ops']\ndaily_report='14:00'";
    for (shelf, expected) in [
        (Some(Shelf(Some(7))), vec!["ops report 0 new 7 stored"]),
        (Some(Shelf(None)), vec!["ops report 0 new"]),
        (Some(Shelf(Some(0))), vec![]),
        (None, vec![]),
    ] {
        let mut world = World::new(routes);
        let told = format!("{shelf:?}");
        if let Some(shelf) = shelf {
            world.teller.look_up_in(Box::new(shelf));
        }
        world.time();
        world.pass(2 * 3_600);
        world.time();
        assert_eq!(world.said(), expected, "{told}");
    }
}

#[test]
fn a_busy_channel_is_left_alone_and_a_dead_one_given_up() {
    let mut world = World::new("[[route]]\nchannels=['ops']");
    let error = |retryable, seconds: Option<u64>| SendError {
        retryable,
        retry_after: seconds.map(Duration::from_secs),
        message: "the server answered 429".to_owned(),
    };
    world.set("a", "major", Open);
    *world.mood.lock().unwrap() = Err(error(true, Some(120)));
    assert!(world.said().is_empty());
    *world.mood.lock().unwrap() = Ok(None);
    world.pass(119);
    assert!(world.said().is_empty());
    world.pass(2);
    assert_eq!(world.said(), ["ops a new"]);

    *world.mood.lock().unwrap() = Err(error(false, None));
    world.set("b", "major", Open);
    assert!(world.said().is_empty());
    let dead = world.control.letters_given_up(10).unwrap();
    assert_eq!((dead.len(), dead[0].attempts), (1, 1));
    assert_eq!(dead[0].alert_id.as_deref(), Some("b"));
    *world.mood.lock().unwrap() = Ok(None);
    let resent = world.control.resend_letter(dead[0].id, world.now).unwrap();
    assert_eq!(resent.as_ref(), Some(&dead[0]));
    assert_eq!(world.control.resend_letter(dead[0].id, world.now).unwrap(), None);
    assert_eq!(world.said(), ["ops b new"]);

    // A channel that is taken out of the configuration.
    world.set("c", "major", Open);
    assert_eq!(world.control.letters_without_channel(&["phone"]).unwrap(), 1);
    assert_eq!(world.control.letters_given_up(10).unwrap().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever routes there are and whatever happens: what a route wants to be told is in a message
    /// that was sent, or a dead letter.
    #[test]
    fn nothing_that_a_route_wants_is_lost(
        limit in proptest::option::of(1_u32..4),
        window in proptest::option::of(1_i64..300),
        quiet in any::<bool>(),
        continues in any::<bool>(),
        happenings in prop::collection::vec((0_u8..5, 0_u8..5, 0_i64..2_000, 0_u8..4), 1..25),
    ) {
        let mut routes = format!("[[route]]\nname='r'\nchannels=['ops']\ncontinue={continues}\n");
        if let Some(limit) = limit {
            routes += &format!("max_per_hour={limit}\n");
        }
        if let Some(window) = window {
            routes += &format!("group_by=['event']\ngroup_window='{window}s'\n");
        }
        if quiet {
            routes += "quiet_hours='12:10-12:40'\n";
        }
        routes += "[[route]]\nname='s'\nchannels=['phone']\nwhen='severity:critical'\n";
        let mut world = World::new(&routes);
        let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
        for (id, what, seconds, mood) in happenings {
            let (severity, status) = [
                ("major", Open), ("critical", Open), ("major", Ack), ("normal", Closed),
                ("major", Shelved),
            ][usize::from(what)];
            for telling in world.set(&id.to_string(), severity, status) {
                if let Telling::Letter(letter) = telling {
                    wanted.insert((letter.channel, letter.alert.unwrap()));
                }
            }
            *world.mood.lock().unwrap() = match mood {
                0 => Err(SendError {
                    retryable: true, retry_after: None, message: "no".to_owned(),
                }),
                1 => Err(SendError {
                    retryable: false, retry_after: None, message: "never".to_owned(),
                }),
                _ => Ok(None),
            };
            // A retry may be due at once, so not until nothing is due.
            for worker in &world.workers {
                for _ in 0..3 {
                    worker.step(world.now).unwrap();
                }
            }
            world.pass(seconds);
        }
        *world.mood.lock().unwrap() = Ok(None);
        for _ in 0..40 {
            world.deliver();
            world.pass(3_600);
        }
        prop_assert_eq!(world.control.letters_waiting().unwrap().iter().map(|b| b.queued).sum::<u64>(), 0);
        let mut told: BTreeSet<(String, String)> = BTreeSet::new();
        for (channel, message, _) in world.sent.lock().unwrap().iter() {
            let notices: Vec<&Notice> = match message {
                Message::Alert(notice) => vec![notice],
                Message::Group(group) => group.notices.iter().collect(),
                Message::Digest(digest) => digest.notices.iter().collect(),
                other => panic!("{other:?}"),
            };
            told.extend(notices.iter().map(|notice| (channel.clone(), notice.id.clone())));
        }
        for dead in world.control.letters_given_up(1_000).unwrap() {
            told.insert((dead.channel, dead.alert_id.unwrap()));
        }
        prop_assert_eq!(told, wanted);
    }
}
