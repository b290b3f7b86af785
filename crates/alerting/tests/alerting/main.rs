//! The book of alerts over its whole life: written, timed, restarted, and with a disk that is full.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod bounds;
mod exceptions;
mod life;
mod time;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bergfried_alert::{Alert, Heartbeat, Incoming, Received, Settings, Status};
use bergfried_alerting::{Alerting, Clock, Parts, Receipt};
use bergfried_control::Control;
use bergfried_event::{Finding, Severity, Timestamp};

/// A clock that stands where it is put.
#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Hands {
    fn at(seconds: i64) -> Hands {
        Hands(Arc::new(AtomicI64::new(seconds * Timestamp::SECOND)))
    }

    fn forward(&self, seconds: i64) {
        self.0.fetch_add(seconds * Timestamp::SECOND, Ordering::SeqCst);
    }

    fn clock(&self) -> Clock {
        let hands = Arc::clone(&self.0);
        Arc::new(move || Timestamp::from_micros(hands.load(Ordering::SeqCst)))
    }

    fn now(&self) -> Timestamp {
        (self.clock())()
    }
}

/// A hub's alerting on a directory that outlives it.
struct Bench {
    directory: tempfile::TempDir,
    hands: Hands,
    settings: Settings,
    max_alerts: usize,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            directory: tempfile::tempdir().unwrap(),
            hands: Hands::at(1_700_000_000),
            settings: Settings::default(),
            max_alerts: 100_000,
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("control.sqlite")
    }

    fn start(&self) -> (Alerting, Arc<Control>) {
        let control = Arc::new(Control::open(&self.file()).unwrap());
        let mut parts = Parts::new(Arc::clone(&control), self.settings.clone());
        parts.clock = self.hands.clock();
        parts.max_alerts = self.max_alerts;
        (Alerting::start(parts).unwrap(), control)
    }

    fn incoming(&self, resource: &str, event: &str, severity: &str) -> Incoming {
        Incoming {
            id: uuid::Uuid::new_v4().to_string(),
            environment: "Production".to_owned(),
            resource: resource.to_owned(),
            event: event.to_owned(),
            severity: severity.to_owned(),
            correlate: Vec::new(),
            status: Status::Open,
            service: vec!["sshd".to_owned()],
            group: "Misc".to_owned(),
            value: None,
            text: String::new(),
            tags: Vec::new(),
            attributes: BTreeMap::new(),
            origin: "test".to_owned(),
            kind: "exceptionAlert".to_owned(),
            create_time: self.hands.now(),
            timeout: 86_400,
            raw_data: None,
            customer: None,
            evidence: None,
        }
    }

    fn heartbeat(&self, origin: &str, timeout: u32) -> Heartbeat {
        Heartbeat {
            id: uuid::Uuid::new_v4().to_string(),
            origin: origin.to_owned(),
            tags: Vec::new(),
            attributes: BTreeMap::new(),
            create_time: self.hands.now(),
            receive_time: self.hands.now(),
            timeout,
            customer: None,
        }
    }
}

/// Runs what is async; the writer has a thread of its own.
fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn kept(receipt: Receipt) -> (Arc<Alert>, Received) {
    match receipt {
        Receipt::Kept { alert, received } => (alert, received),
        Receipt::Suppressed { id } => panic!("{id} was suppressed"),
    }
}

fn finding(host: &str, severity: Severity) -> Finding {
    let at = Timestamp::from_seconds(1_700_000_000);
    Finding {
        rule_id: "rule-1".to_owned(),
        rule_name: "Password guessing".to_owned(),
        severity,
        host: Some(host.to_owned()),
        user: Some("root".to_owned()),
        source: None,
        program: Some("sshd".to_owned()),
        count: 5,
        first_seen: at,
        last_seen: at,
        techniques: Vec::new(),
        tags: Vec::new(),
        falsepositives: Vec::new(),
        group: Vec::new(),
        matched: Vec::new(),
        example: "line".to_owned(),
        event_ids: vec![1],
        alert: None,
    }
}

/// Everything of the book that must survive a restart.
fn everything(alerting: &Alerting) -> (u64, Vec<Alert>, Vec<Heartbeat>) {
    let book = alerting.read();
    let alerts = book.iter().map(|alert| Alert::clone(alert)).collect();
    let heartbeats = book.heartbeats().map(|heartbeat| Heartbeat::clone(heartbeat)).collect();
    (book.revision(), alerts, heartbeats)
}

/// Waits until something is so; the writer works on its own.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !is_so() {
        assert!(std::time::Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}
