//! A hub that runs: starts everything in order, stops it in the reverse order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bergfried_alerting::{self as alerting, Alerting, Letters};
use bergfried_collect::{Input, InputReport, Inputs, InputsError, RelpMemory};
use bergfried_control::{Control, ControlError, Seeded, TokenKind};
use bergfried_event::Timestamp;
use bergfried_output::Outputs;
use bergfried_pipeline::{Hosts, Parts, Pipeline, StartError};
use bergfried_rules::Diagnostic;
use bergfried_store::StoreError;
use bergfried_tls::TlsError;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::adapters::alerta::{Accounts, AlertaSettings, Gate, Passwords, Rate, SCANS, Signer};
use crate::adapters::elastic;
use crate::adapters::heimdall::{self, Heimdall};
use crate::adapters::watchtower::Repeats;
use crate::api::export::EXPORTS;
use crate::api::install::Installer;
use crate::api::overview::Overview;
use crate::api::stream::STREAMS;
use crate::api::turn::Searches;
use crate::auth::{Sessions, Setup};
use crate::chains::{ChainsError, LiveChains};
use crate::config::Config;
use crate::data_dir::{DataDir, FirstStart, take_given};
use crate::hosts::{self, Library};
use crate::intake::{Door, Ids};
use crate::outside::{self, Outside};
use crate::router::{HubParts, State, router};
use crate::rules::{LiveRules, RuleFileError, RuleFiles, TableError, rules_off, watch_rules};
use crate::serve::serve;
use crate::storage::{self, Storekeeper};
use crate::telling::{LiveTelling, TellingError};

/// Why a hub cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The data directory.
    #[error("cannot use the data directory {}: {error}", path.display())]
    DataDir {
        /// The directory or a file in it.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another hub runs on this data directory.
    #[error("cannot use the data directory {}: another hub is using it", .0.display())]
    Held(PathBuf),
    /// The administrator gave a key that was revoked.
    #[error("the admin key given was revoked earlier, choose another one")]
    RevokedKey,
    /// The address.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// The address as configured.
        address: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The certificate for HTTPS.
    #[error("cannot use the table [tls]")]
    Tls(#[from] TlsError),
    /// The runtime.
    #[error("cannot start the server: {0}")]
    Runtime(io::Error),
    /// Rules.
    #[error(transparent)]
    Rules(#[from] RuleFileError),
    /// Tables and pipelines by which rules are read.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// Chains.
    #[error(transparent)]
    Chains(#[from] ChainsError),
    /// The event store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The control store.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// Inputs.
    #[error(transparent)]
    Inputs(#[from] InputsError),
    /// The pipeline.
    #[error(transparent)]
    Pipeline(#[from] StartError),
    /// Alerts.
    #[error(transparent)]
    Alerting(#[from] alerting::StartError),
    /// Channels and routes.
    #[error(transparent)]
    Telling(#[from] TellingError),
    /// Outputs.
    #[error(transparent)]
    Outputs(#[from] bergfried_output::StartError),
}

/// A running hub. Dropping it stops it hard; [`Hub::stop`] stops it properly.
pub struct Hub {
    runtime: Runtime,
    server: JoinHandle<()>,
    inputs: Inputs,
    stopping: watch::Sender<bool>,
    pipeline: Arc<Pipeline>,
    alerting: Alerting,
    outputs: Arc<Outputs>,
    live_rules: Arc<LiveRules>,
    live_chains: Arc<LiveChains>,
    telling: Arc<LiveTelling>,
    control: Arc<Control>,
    rules_thread: std::thread::JoinHandle<()>,
    storage: Arc<Storekeeper>,
    storage_thread: std::thread::JoinHandle<()>,
    address: SocketAddr,
    url: String,
    local_url: String,
    data_dir: DataDir,
    first_start: FirstStart,
    diagnostics: Arc<[Diagnostic]>,
    rules: usize,
    gate: Arc<Gate>,
    setup: Arc<Setup>,
}

impl Hub {
    /// Opens the stores, recovers what was durable, and listens.
    ///
    /// # Errors
    /// Where the data directory is held or broken, the address taken, rules or their tables
    /// cannot be read, or chains have a mistake.
    pub fn start(config: Config) -> Result<Hub, HubError> {
        let data_dir = DataDir::hold(&config.data_dir)?;
        let tls = config.tls.map(|files| files.open(&["http/1.1"])).transpose()?.map(Arc::new);
        let control = Arc::new(Control::open(&data_dir.control())?);
        let own = Some(data_dir.rules());
        let rules = RuleFiles { own, ..config.rules };
        let live_rules = Arc::new(LiveRules::load(rules, rules_off(&control)?)?);
        let now_running = live_rules.now();
        let live_chains = Arc::new(LiveChains::load(config.chains)?);
        let first_start = data_dir.first_start(&control, config.admin_key.as_ref(), now())?;
        if let Some(token) = &config.watchtower_token {
            let seeded = take_given(&control, TokenKind::Watchtower, token, now())?;
            if seeded == Seeded::Revoked {
                tracing::warn!("the Watchtower token given was rotated away, it stays dead");
            }
        }
        if let Some(key) = &config.heimdall_key {
            let seeded = take_given(&control, TokenKind::Heimdall, key, now())?;
            if seeded == Seeded::Revoked {
                tracing::warn!("the Heimdall key given was revoked, it stays dead");
            }
        }
        let (writer, reader, pending) =
            bergfried_store::open(&data_dir.events(), bergfried_store::Options::default())?;

        // Read before anything can be stored: what RELP clients may send again is the newest.
        let relp = match config.inputs.iter().any(Input::speaks_relp) {
            true => RelpMemory::rebuilt(&reader, writer.next_event_id())?,
            false => RelpMemory::default(),
        };

        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .max_blocking_threads(16)
            .build()
            .map_err(HubError::Runtime)?;
        let listen = config.listen;
        let failed = |error| HubError::Listen { address: listen, error };
        let listener = runtime.block_on(TcpListener::bind(listen)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let url = url_of(if tls.is_some() { "https" } else { "http" }, address);
        // Commands of this machine need no certificate, see `serve.rs`.
        let local_url = url_of("http", address);
        data_dir.note_address(&local_url)?;

        let settings = config.alerta.alert.clone();
        let heimdall_settings = heimdall::Settings::load(&control)?;
        let forgotten = heimdall::Forgotten::load(&control)?;
        let telling = Arc::new(LiveTelling::start(
            config.telling,
            heimdall_settings.now().wishes(),
            settings.model.clone(),
            Some(config.console_url.clone().unwrap_or_else(|| url.clone())),
            &control,
        )?);
        let alerting = Alerting::start(alerting::Parts {
            last_sequence: Some(writer.next_sequence().saturating_sub(1)),
            teller: Box::new(Letters::new(
                Arc::clone(telling.teller()),
                Arc::clone(telling.deliveries()),
                Arc::clone(&control),
                alerting::clock(),
            )),
            ..alerting::Parts::new(Arc::clone(&control), settings)
        })?;
        runtime.block_on(hosts::forget_unwatched(&alerting, &config.hosts));
        let hosts = Arc::new(Hosts::load(Arc::clone(&control), config.hosts)?);
        if let Err(error) = hosts.recall(&reader) {
            tracing::error!(%error, "cannot read what hosts said of themselves last");
        }
        let library = Library::new(reader.clone(), Arc::clone(&hosts));
        telling.teller().look_up_in(Box::new(library));
        let storage = Arc::new(Storekeeper::new(storage::Parts {
            keeper: writer.keeper(),
            reader: reader.clone(),
            alerting: alerting.clone(),
            control: Arc::clone(&control),
            plan: config.retention,
        }));
        let outside = Outside::start(outside::Parts {
            control: Arc::clone(&control),
            telling: Arc::clone(&telling),
            settings: alerting.settings().clone(),
        })
        .map_err(HubError::Runtime)?;
        let pipeline = Arc::new(Pipeline::start(Parts {
            writer,
            reader: reader.clone(),
            pending,
            control: Arc::clone(&control),
            alerting: alerting.clone(),
            hosts: Arc::clone(&hosts),
            chains: live_chains.chains(),
            rules: Arc::clone(&now_running.rules),
            remembered: data_dir.remembered(),
            outside: Box::new(outside),
        })?);
        let outputs = Arc::new(Outputs::start(config.outputs, &reader, &data_dir.outputs(), now)?);
        let inputs = {
            let _within = runtime.enter();
            Inputs::start(config.inputs, Arc::clone(&pipeline), relp)?
        };
        let gate = Arc::new(gate(&control, &config.alerta)?);
        let kept_control = Arc::clone(&control);
        let sessions = Arc::new(Sessions::load(Arc::clone(&control), config.sessions, now())?);
        let setup = Arc::new(Setup::new(&config.alerta.auth, &gate.accounts.now())?);
        let (stopping, stopped) = watch::channel(false);
        let known = heimdall::Known::read(reader.clone(), now(), stopped.clone())
            .map_err(HubError::Runtime)?;
        let state = State::new(HubParts {
            pipeline: Arc::clone(&pipeline),
            alerting: alerting.clone(),
            outputs: Arc::clone(&outputs),
            hosts,
            storage: Arc::clone(&storage),
            searches: Searches::new(config.search),
            installer: Installer::new(config.console_url.clone()),
            overview: Overview::default(),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            streams: Arc::new(Semaphore::new(STREAMS)),
            previews: Arc::new(Semaphore::new(1)),
            scans: Arc::new(Semaphore::new(SCANS)),
            logins_to: config.logins_to.map(Arc::from),
            repeats: Arc::new(Repeats::remembered(&reader, now())?),
            document_ids: Arc::new(Ids::new(elastic::REMEMBERED)),
            heimdall: Arc::new(Heimdall::new(heimdall_settings, forgotten, known)),
            door: Arc::new(Door::new(config.token_limits)),
            reader,
            control,
            rules: Arc::clone(&live_rules),
            chains: Arc::clone(&live_chains),
            telling: Arc::clone(&telling),
            inputs: inputs.view(),
            tls: tls.clone(),
            alerta_rate: Arc::new(Rate::new(config.alerta.max_alerts_per_second)),
            alerta_counts: Arc::default(),
            alerta_switches: Arc::default(),
            alerta: Arc::new(config.alerta),
            bulk_tasks: Arc::default(),
            gate: Arc::clone(&gate),
            sessions,
            setup: Arc::clone(&setup),
            console_url: config.console_url,
            started: now(),
            stopping: stopped.clone(),
        });
        let rules_thread = watch_rules(Arc::clone(&live_rules), Arc::clone(&pipeline))
            .map_err(HubError::Runtime)?;
        let storage_thread = storage.start().map_err(HubError::Runtime)?;
        telling.tell_hub(&kept_control, &url, true);
        let server = runtime.spawn(serve(listener, tls, router(state), stopped));
        Ok(Hub {
            runtime,
            server,
            inputs,
            stopping,
            pipeline,
            alerting,
            outputs,
            live_rules,
            live_chains,
            telling,
            control: kept_control,
            rules_thread,
            storage,
            storage_thread,
            address,
            url,
            local_url,
            data_dir,
            first_start,
            diagnostics: now_running.diagnostics,
            rules: now_running.rules.len(),
            gate,
            setup,
        })
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The console's URL, as far as the hub knows its own name.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path and fragment of the console's page where the first administrator is made, where there
    /// is none; the fragment is a secret of this start.
    pub fn setup_path(&self) -> Option<String> {
        self.setup.secret().map(|secret| format!("/ui/setup#{}", secret.expose()))
    }

    /// The URL under which this machine reaches it, without TLS.
    pub fn local_url(&self) -> &str {
        &self.local_url
    }

    /// What it takes besides HTTP, and where.
    pub fn inputs(&self) -> Vec<InputReport> {
        self.inputs.view().report()
    }

    /// Its data directory.
    pub fn data_dir(&self) -> &DataDir {
        &self.data_dir
    }

    /// Which secrets this start made.
    pub fn first_start(&self) -> &FirstStart {
        &self.first_start
    }

    /// What is wrong with the rules that the hub was started with; those without a mistake run.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// How many rules it was started with.
    pub fn rules(&self) -> usize {
        self.rules
    }

    /// A handle that lets the hub read its rule files, chains, channels and routes again and open the files of its
    /// outputs anew, for whoever waits for signals.
    pub fn reload(&self) -> impl Fn() + Send + use<> {
        let rules = Arc::clone(&self.live_rules);
        let chains = Arc::clone(&self.live_chains);
        let telling = Arc::clone(&self.telling);
        let pipeline = Arc::clone(&self.pipeline);
        let outputs = Arc::clone(&self.outputs);
        move || {
            outputs.reopen();
            drop(rules.ask());
            // What became of it is in the log and in `/api/v1/health`.
            let _told = chains.reload(&pipeline);
            telling.reload();
        }
    }

    /// Ends streams and requests, stores what was taken, and returns when all of it is durable.
    pub fn stop(self) {
        self.stopping.send_replace(true);
        if let Err(error) = self.runtime.block_on(self.server) {
            tracing::error!(%error, "the server ended by a panic");
        }
        self.runtime.block_on(self.inputs.stop());
        self.live_rules.bell().stop();
        if self.rules_thread.join().is_err() {
            tracing::error!("the thread of the rules ended by a panic");
        }
        // Before the pipeline gives the store away.
        self.storage.stop();
        if self.storage_thread.join().is_err() {
            tracing::error!("the thread of the store ended by a panic");
        }
        self.pipeline.stop();
        self.alerting.stop();
        self.telling.tell_hub(&self.control, &self.url, false);
        self.telling.stop();
        self.gate.accounts.write_uses();
        self.outputs.stop();
        self.runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    }
}

/// Who may use Alerta's API.
fn gate(control: &Arc<Control>, settings: &AlertaSettings) -> Result<Gate, HubError> {
    let auth = &settings.auth;
    if !auth.required {
        tracing::warn!(
            "Alerta's API asks nobody who they are: whoever reaches this hub reads and changes \
             alerts; AUTH_REQUIRED in the file of --alerta-config ends that"
        );
    }
    if auth.email_verification {
        tracing::warn!(
            "EMAIL_VERIFICATION: no mail is sent from here, so an administrator has to set \
             email_verified before someone who signed up can log in"
        );
    }
    let accounts = Accounts::load(Arc::clone(control))?;
    let passwords = Passwords::new().map_err(ControlError::Random)?;
    let signer = Signer::open(auth.secret_key.as_ref(), settings.audience(), control)?;
    Ok(Gate::new(accounts, passwords, signer, auth))
}

fn url_of(scheme: &str, mut address: SocketAddr) -> String {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("{scheme}://{address}")
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}
