//! Channels and routes: read from the configuration and the environment, and changed as a whole or
//! not at all while the hub runs.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bergfried_alert::Model;
use bergfried_control::Control;
use bergfried_event::{Severity, Timestamp};
use bergfried_notify::routing::{Listener, RouteFile, Routing};
use bergfried_notify::{Channel, HubState, Message};
use bergfried_telling::{Deliveries, Teller};

use crate::config::{ConfigError, HubFile, offset_in, place};
use crate::running::now;

/// How long a message under way may take once the hub stops.
const LAST_MESSAGES: Duration = Duration::from_millis(300);

/// Where channels and routes are written.
#[derive(Clone, Debug, Default)]
pub struct TellingFiles {
    /// The hub's configuration file.
    pub config: Option<PathBuf>,
    /// Channels that the environment asks for; one of the file that has the name of one takes its
    /// place.
    pub channels: Vec<Channel>,
    /// Routes that belong to these channels, asked before those of the file. A file whose own routes
    /// name a channel says all of what it is told.
    pub routes: Vec<RouteFile>,
}

/// What was set while the hub runs about the channels that have their routes from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    /// They are told of nothing.
    pub(crate) off: bool,
    /// They are told from this severity on.
    pub(crate) least: Option<Severity>,
    /// What comes then is told together at their end, such as `22:00-07:00`.
    pub(crate) quiet_hours: Option<String>,
}

impl Wishes {
    /// The route as it is wished.
    fn apply(&self, route: &mut RouteFile) {
        // One that asks for certain alerts has its own measure.
        if let (Some(least), None) = (self.least, &route.when) {
            let is_lowest = route.group_window.is_some();
            route.min_severity = match route.min_severity {
                Some(own) if !is_lowest => Some(own.max(least)),
                _ => Some(least),
            };
        }
        if let Some(hours) = &self.quiet_hours {
            route.quiet_hours = Some(hours.clone());
            if route.time_zone.is_none() {
                let zone = jiff::tz::TimeZone::system();
                route.time_zone = zone.iana_name().map(ToOwned::to_owned);
            }
        }
    }
}

/// Channels and routes that can be used.
#[derive(Debug)]
struct Loaded {
    channels: Vec<Channel>,
    routing: Routing,
}

impl TellingFiles {
    /// Reads and checks them.
    ///
    /// # Errors
    /// The first mistake, with file, line and column.
    fn load(&self, wishes: &Wishes) -> Result<Loaded, ConfigError> {
        let (text, name) = match &self.config {
            Some(path) => (HubFile::text(path)?, path.display().to_string()),
            None => (String::new(), String::new()),
        };
        let file = HubFile::parse(&text, &name)?;
        let mut channels = file.notify;
        for channel in &self.channels {
            if channels.iter().all(|known| known.name() != channel.name()) {
                channels.push(channel.clone());
            }
        }
        let named = |channel: &str| {
            let steps =
                |route: &RouteFile| route.escalate.iter().any(|step| has(&step.channels, channel));
            file.route.iter().any(|route| has(&route.channels, channel) || steps(route))
        };
        let mut routes: Vec<RouteFile> = self
            .routes
            .iter()
            .filter(|route| !route.channels.iter().any(|channel| named(channel)))
            .cloned()
            .collect();
        let mut before = routes.len();
        if file.route.is_empty() {
            routes.extend(default_route(&channels, &routes));
        } else {
            routes.extend(file.route.iter().cloned());
        }
        let mut listeners: Vec<Listener> = channels
            .iter()
            .map(|channel| Listener {
                channel: channel.name().to_owned(),
                min_severity: channel.min_severity(),
            })
            .collect();
        if wishes.off {
            let silenced: Vec<RouteFile> = routes.drain(..before).collect();
            let told = |name: &str| !silenced.iter().any(|route| has(&route.channels, name));
            listeners.retain(|listener| told(&listener.channel));
            before = 0;
        }
        for route in routes.iter_mut().take(before) {
            wishes.apply(route);
        }
        let routing = Routing::new(&routes, listeners).map_err(|error| {
            let written = error.index.checked_sub(before).filter(|_| !text.is_empty());
            let place = match written {
                Some(index) => place(&name, &text, offset_in("route", index, error.key, &text)),
                None => "the environment".to_owned(),
            };
            ConfigError { place, message: error.to_string() }
        })?;
        Ok(Loaded { channels, routing })
    }

    /// Whether a hub would take this text as the channels and routes of the configuration file of this
    /// name.
    ///
    /// # Errors
    /// The first mistake, with file, line and column.
    #[cfg(test)]
    fn check(text: &str, name: &str) -> Result<(), ConfigError> {
        let directory = tempfile::tempdir()
            .map_err(|error| ConfigError { place: name.to_owned(), message: error.to_string() })?;
        let path = directory.path().join(name);
        std::fs::write(&path, text)
            .map_err(|error| ConfigError { place: name.to_owned(), message: error.to_string() })?;
        let files = TellingFiles { config: Some(path), ..TellingFiles::default() };
        files.load(&Wishes::default()).map(|_| ())
    }
}

fn has(channels: &[String], name: &str) -> bool {
    channels.iter().any(|channel| channel == name)
}

/// What is done where the file has no route: each channel that has no route of its own is told of
/// each alert that is severe enough for it.
fn default_route(channels: &[Channel], routes: &[RouteFile]) -> Option<RouteFile> {
    let has_one = |name: &str| routes.iter().any(|route| has(&route.channels, name));
    let names = channels.iter().map(Channel::name).filter(|name| !has_one(name));
    let channels: Vec<String> = names.map(ToOwned::to_owned).collect();
    (!channels.is_empty()).then(|| RouteFile {
        name: Some(bergfried_notify::routing::DEFAULT_ROUTE.to_owned()),
        channels,
        resolved: Some(false),
        ..RouteFile::default()
    })
}

/// The channels and routes that the hub goes by, and the threads that deliver.
pub(crate) struct LiveTelling {
    files: TellingFiles,
    wishes: Mutex<Wishes>,
    teller: Arc<Teller>,
    deliveries: Arc<Deliveries>,
    channels: RwLock<Arc<[Channel]>>,
    failed: Mutex<Option<Failure>>,
    console: Option<String>,
}

/// A change that was not taken.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) at: Timestamp,
    /// What is wrong where.
    pub(crate) told: String,
}

/// Why people cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum TellingError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No thread.
    #[error("cannot start a thread for a channel: {0}")]
    Thread(#[from] std::io::Error),
}

impl LiveTelling {
    /// Reads the configuration and starts a thread for each channel.
    ///
    /// # Errors
    /// Where the configuration has a mistake, or no thread can be started.
    pub(crate) fn start(
        files: TellingFiles,
        wishes: Wishes,
        model: Model,
        console: Option<String>,
        control: &Arc<Control>,
    ) -> Result<LiveTelling, TellingError> {
        let Loaded { channels, routing } = files.load(&wishes)?;
        let teller = Arc::new(Teller::new(routing, model, console.clone()));
        let control = Arc::clone(control);
        let deliveries = Deliveries::start(channels.clone(), control, Arc::clone(&teller), now)?;
        Ok(LiveTelling {
            files,
            wishes: Mutex::new(wishes),
            teller,
            deliveries: Arc::new(deliveries),
            channels: RwLock::new(channels.into()),
            failed: Mutex::default(),
            console,
        })
    }

    pub(crate) fn teller(&self) -> &Arc<Teller> {
        &self.teller
    }

    pub(crate) fn deliveries(&self) -> &Arc<Deliveries> {
        &self.deliveries
    }

    pub(crate) fn channels(&self) -> Arc<[Channel]> {
        Arc::clone(&self.channels.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last change, where it was not taken.
    pub(crate) fn failed(&self) -> Option<Failure> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes by these wishes from now on.
    pub(crate) fn wish(&self, wishes: Wishes) {
        *self.wishes.lock().unwrap_or_else(PoisonError::into_inner) = wishes;
        self.reload();
    }

    /// Reads the configuration again and goes by what it says; where it has a mistake, what was before
    /// stays.
    pub(crate) fn reload(&self) {
        // Held, so that what was read last is in effect last.
        let wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = self.files.load(&wishes).map_err(TellingError::from).and_then(|loaded| {
            let Loaded { channels, routing } = loaded;
            let count = channels.len();
            // What can fail comes first.
            let prepared = self.deliveries.prepare(channels.clone())?;
            self.teller.replace(routing);
            *self.channels.write().unwrap_or_else(PoisonError::into_inner) = channels.into();
            self.deliveries.replace(prepared);
            Ok(count)
        });
        let failure = match taken {
            Ok(channels) => {
                tracing::info!(channels, "the channels and routes were read again");
                None
            }
            Err(error) => {
                tracing::error!("{error}");
                tracing::error!("the channels and routes of before stay");
                Some(Failure { at: now(), told: error.to_string() })
            }
        };
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Tells those who want to know that the hub started or stops.
    pub(crate) fn tell_hub(&self, control: &Control, name: &str, started: bool) {
        let routing = self.teller.routing();
        let message = Message::Hub(HubState {
            name: name.to_owned(),
            started,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time: now(),
            link: self.console.clone(),
        });
        let telling = self.teller.message(&routing.hub_status(), &message, now());
        if let Err(error) = control.write_telling(&telling, now()) {
            tracing::error!(%error, "cannot tell that the hub starts or stops");
        }
        self.deliveries.ring();
    }

    /// Ends the threads; what is under way gets a moment.
    pub(crate) fn stop(&self) {
        self.deliveries.stop(LAST_MESSAGES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_routes_have_the_place_of_their_key() {
        let channel = "[[notify]]\nname = 'ops'\ntype = 'slack'\nurl = 'https://example.org/x'\n";
        let good = "[[route]]\nchannels = ['ops']\n";
        TellingFiles::check(&format!("{channel}{good}"), "hub.toml").unwrap();
        TellingFiles::check(channel, "hub.toml").unwrap();
        for (text, line, part) in [
            (format!("{channel}[[route]]\nchannels=['opps']"), "hub.toml:6:1", "is `ops` meant?"),
            (format!("{channel}{good}  when = 'severty:high'"), "hub.toml:7:3", "`severity`"),
            (format!("{channel}{good}{good}max_per_hour=0"), "hub.toml:9:1", "from 1"),
            (format!("{channel}{good}chanels=['x']"), "hub.toml:7:1", "is `channels` meant?"),
            (good.to_owned(), "hub.toml:2:1", "there is no [[notify]]"),
        ] {
            let error = TellingFiles::check(&text, "hub.toml").unwrap_err();
            assert!(error.place.ends_with(line), "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn channels_of_the_environment_have_their_own_routes() {
        let slack = Channel::from_webhook_url("slack", "https://example.org/x").unwrap();
        let chat = Channel::from_webhook_url("telegram", "https://example.org/y").unwrap();
        let route = RouteFile {
            name: Some("telegram-critical".to_owned()),
            channels: vec!["telegram".to_owned()],
            continues: true,
            ..RouteFile::default()
        };
        let files = TellingFiles { config: None, channels: vec![slack, chat], routes: vec![route] };
        let loaded = files.load(&Wishes::default()).unwrap();
        assert_eq!(loaded.routing.names().collect::<Vec<_>>(), ["telegram-critical", "default"]);

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hub.toml");
        std::fs::write(&path, "[[route]]\nname='mine'\nchannels=['telegram']").unwrap();
        let files = TellingFiles { config: Some(path), ..files };
        let loaded = files.load(&Wishes::default()).unwrap();
        assert_eq!(loaded.routing.names().collect::<Vec<_>>(), ["mine"]);
    }
}
