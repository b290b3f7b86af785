//! Where `alert`, `heartbeat` and `notify` go: to a hub over Alerta's API, by a thread with a bounded
//! queue, or without a hub to the log as JSON.

use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bergfried_sec::port::Alert;
use serde_json::{Map, Value, json};
use ureq::Agent;

use crate::log::{Log, level};

/// How many messages wait for the hub at most.
const QUEUE: usize = 10_000;
/// How long a request may take.
const REQUEST: Duration = Duration::from_secs(10);
/// The longest pause between attempts.
const PAUSE: Duration = Duration::from_secs(30);
/// How long what waits is still sent for at the end.
const END: Duration = Duration::from_secs(5);
/// How many messages of the thread wait for the log at most.
const MESSAGES: usize = 100;
/// Attributes of alerts that Alerta knows; others are put among its own `attributes`.
const KNOWN: [&str; 12] = [
    "resource",
    "event",
    "environment",
    "severity",
    "correlate",
    "service",
    "group",
    "value",
    "text",
    "tags",
    "origin",
    "type",
];

/// Where alerts go.
pub(crate) struct Hub {
    link: Option<Link>,
    host: String,
    told: u64,
    dropped: u64,
}

struct Link {
    queue: Option<SyncSender<Post>>,
    thread: JoinHandle<()>,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    sent: AtomicU64,
    refused: AtomicU64,
    ending: AtomicBool,
    messages: Mutex<Vec<String>>,
}

/// A message for the hub.
struct Post {
    path: &'static str,
    body: String,
}

impl Hub {
    /// Alerts go to the log.
    pub(crate) fn none() -> Self {
        Self { link: None, host: host(), told: 0, dropped: 0 }
    }

    /// Alerts go to the hub at this address, with the key in this file.
    ///
    /// # Errors
    /// Where the file cannot be read or the thread not be started.
    pub(crate) fn connect(address: &str, token_file: &std::path::Path) -> Result<Self, String> {
        let token = fs::read_to_string(token_file)
            .map_err(|error| format!("cannot read {}: {error}", token_file.display()))?;
        let token = token.trim().to_owned();
        if token.is_empty() || !token.chars().all(|letter| letter.is_ascii_graphic()) {
            return Err(format!("{} holds no key", token_file.display()));
        }
        let address = address.trim_end_matches('/').to_owned();
        if !address.starts_with("http://") && !address.starts_with("https://") {
            return Err(format!("{address} is no address of a hub, expected http:// or https://"));
        }
        let (queue, posts) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let sender = Sender { agent: agent(), address, token, shared: Arc::clone(&shared) };
        let thread = thread::Builder::new()
            .name("hub".to_owned())
            .spawn(move || sender.run(&posts))
            .map_err(|error| format!("cannot start the thread for the hub: {error}"))?;
        Ok(Self { link: Some(Link { queue: Some(queue), thread, shared }), ..Self::none() })
    }

    /// Tells an alert.
    pub(crate) fn alert(&mut self, alert: &Alert, log: &mut Log) {
        let (mut body, mut attributes) = (Map::new(), Map::new());
        for (name, value) in &alert.attributes {
            let text = String::from_utf8_lossy(value).into_owned();
            match name.as_str() {
                "service" | "tags" | "correlate" => {
                    let list = text.split(',').map(str::trim).filter(|one| !one.is_empty());
                    body.insert(name.clone(), list.map(Value::from).collect());
                }
                "timeout" => {
                    if let Ok(seconds) = text.trim().parse::<u32>() {
                        body.insert(name.clone(), seconds.into());
                    }
                }
                known if KNOWN.contains(&known) => {
                    body.insert(name.clone(), text.into());
                }
                other => {
                    let own = other.strip_prefix("attributes.").unwrap_or(other);
                    attributes.insert(own.to_owned(), text.into());
                }
            }
        }
        let (file, rule) = &alert.rule;
        attributes.insert("rule".to_owned(), format!("{file}:{}", rule + 1).into());
        body.insert("attributes".to_owned(), attributes.into());
        let host = &self.host;
        for (name, value) in [
            ("resource", Value::from(host.as_str())),
            ("event", "SecAlert".into()),
            ("environment", "Production".into()),
            ("service", json!(["sec"])),
            ("origin", format!("bergfried-correlate/{host}").into()),
        ] {
            body.entry(name).or_insert(value);
        }
        self.tell("/api/alert", body.into(), log);
    }

    /// Tells that an origin is alive.
    pub(crate) fn heartbeat(&mut self, origin: &[u8], timeout: Option<u64>, log: &mut Log) {
        let mut body = json!({ "origin": String::from_utf8_lossy(origin), "tags": ["sec"] });
        if let (Some(seconds), Some(body)) = (timeout, body.as_object_mut()) {
            body.insert("timeout".to_owned(), seconds.into());
        }
        self.tell("/api/heartbeat", body, log);
    }

    /// Tells people something: an alert with the channel as a tag, by which a route sends it on.
    pub(crate) fn notify(&mut self, channel: &[u8], text: &[u8], log: &mut Log) {
        let channel = String::from_utf8_lossy(channel).into_owned();
        let body = json!({
            "resource": self.host, "event": "SecNotice", "environment": "Production",
            "severity": "informational", "service": ["sec"], "tags": [format!("channel:{channel}")],
            "text": String::from_utf8_lossy(text), "attributes": { "channel": channel },
            "origin": format!("bergfried-correlate/{}", self.host),
        });
        self.tell("/api/alert", body, log);
    }

    fn tell(&mut self, path: &'static str, body: Value, log: &mut Log) {
        self.told += 1;
        let body = body.to_string();
        let Some(Link { queue: Some(queue), .. }) = &self.link else {
            return log.say(level::NOTICE, &body);
        };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            queue.try_send(Post { path, body })
        {
            self.dropped += 1;
            if self.dropped.is_power_of_two() {
                let text = format!("the hub takes too little: {} messages dropped", self.dropped);
                log.say(level::WARNING, &text);
            }
        }
    }

    /// Logs what the thread has to say.
    pub(crate) fn hear(&self, log: &mut Log) {
        if let Some(link) = &self.link {
            let mut messages = link.shared.messages.lock().unwrap_or_else(PoisonError::into_inner);
            for message in messages.drain(..) {
                log.say(level::WARNING, &message);
            }
        }
    }

    /// Sends what waits, as far as that is soon done.
    pub(crate) fn end(&mut self, log: &mut Log) {
        let Some(link) = &mut self.link else { return };
        link.queue = None;
        link.shared.ending.store(true, Ordering::Relaxed);
        let since = Instant::now();
        while !link.thread.is_finished() && since.elapsed() < END {
            thread::sleep(Duration::from_millis(10));
        }
        self.hear(log);
    }

    /// How many were told, sent, and lost.
    pub(crate) fn counts(&self) -> (u64, u64, u64) {
        let (sent, refused) = self.link.as_ref().map_or((0, 0), |link| {
            let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            (load(&link.shared.sent), load(&link.shared.refused))
        });
        (self.told, sent, self.dropped + refused)
    }
}

struct Sender {
    agent: Agent,
    address: String,
    token: String,
    shared: Arc<Shared>,
}

impl Sender {
    fn run(&self, posts: &Receiver<Post>) {
        loop {
            match posts.recv_timeout(REQUEST) {
                Ok(post) => self.deliver(&post),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Sends one message until it is taken or refused.
    fn deliver(&self, post: &Post) {
        let mut pause = Duration::from_secs(1);
        let mut told = false;
        loop {
            match self.send(post) {
                Ok(taken) => {
                    let shared = &self.shared;
                    let counter = if taken { &shared.sent } else { &shared.refused };
                    counter.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                Err(error) if !told => {
                    told = true;
                    self.say(format!("cannot reach the hub, trying again: {error}"));
                }
                Err(_) => {}
            }
            let since = Instant::now();
            while since.elapsed() < pause {
                if self.shared.ending.load(Ordering::Relaxed) {
                    self.shared.refused.fetch_add(1, Ordering::Relaxed);
                    return;
                }
                thread::sleep(Duration::from_millis(50));
            }
            pause = (pause * 2).min(PAUSE);
        }
    }

    /// Whether the hub took it; an error is worth another attempt.
    fn send(&self, post: &Post) -> Result<bool, String> {
        let answer = self
            .agent
            .post(format!("{}{}", self.address, post.path))
            .header("Authorization", format!("Key {}", self.token))
            .header("Content-Type", "application/json")
            .send(post.body.as_str())
            .map_err(|error| error.to_string())?;
        match answer.status().as_u16() {
            200..=299 => Ok(true),
            status @ (408 | 429 | 500..) => Err(format!("it answered {status}")),
            status => {
                self.say(format!("the hub refused a message to {}: {status}", post.path));
                Ok(false)
            }
        }
    }

    fn say(&self, message: String) {
        let mut messages = self.shared.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if messages.len() < MESSAGES {
            messages.push(message);
        }
    }
}

fn agent() -> Agent {
    Agent::config_builder()
        .timeout_global(Some(REQUEST))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("bergfried-correlate/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
