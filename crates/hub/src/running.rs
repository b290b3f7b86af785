//! A hub that runs: starts everything in order, stops it in the reverse order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bergfried_collect::{Input, InputReport, Inputs, InputsError, RelpMemory};
use bergfried_control::{Control, ControlError, Seeded, TokenKind};
use bergfried_event::Timestamp;
use bergfried_output::Outputs;
use bergfried_pipeline::{Channels, Parts, Pipeline, StartError};
use bergfried_rules::Diagnostic;
use bergfried_store::StoreError;
use bergfried_tls::TlsError;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::adapters::watchtower::Repeats;
use crate::chains::{ChainsError, LiveChains};
use crate::config::Config;
use crate::data_dir::{DataDir, FirstStart, take_given};
use crate::intake::Door;
use crate::router::{State, router};
use crate::rules::{LiveRules, RuleFileError, TableError, watch_rules};
use crate::serve::serve;

/// How many searches run at once; each uses up to two threads.
const SEARCHES: usize = 4;

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
    outputs: Arc<Outputs>,
    live_rules: Arc<LiveRules>,
    live_chains: Arc<LiveChains>,
    rules_thread: std::thread::JoinHandle<()>,
    address: SocketAddr,
    url: String,
    local_url: String,
    data_dir: DataDir,
    first_start: FirstStart,
    diagnostics: Arc<[Diagnostic]>,
    rules: usize,
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
        let live_rules = Arc::new(LiveRules::load(config.rules)?);
        let now_running = live_rules.now();
        let live_chains = Arc::new(LiveChains::load(config.chains)?);
        let control = Arc::new(Control::open(&data_dir.control())?);
        let first_start = data_dir.first_start(&control, config.admin_key.as_ref(), now())?;
        if let Some(token) = &config.watchtower_token {
            let seeded = take_given(&control, TokenKind::Watchtower, token, now())?;
            if seeded == Seeded::Revoked {
                tracing::warn!("the Watchtower token given was rotated away, it stays dead");
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

        let channels = Arc::new(config.channels);
        let pipeline = Arc::new(Pipeline::start(Parts {
            writer,
            reader: reader.clone(),
            pending,
            control: Arc::clone(&control),
            chains: live_chains.chains(),
            rules: Arc::clone(&now_running.rules),
            remembered: data_dir.remembered(),
            channels: Channels {
                list: channels.as_ref().clone(),
                console: Some(config.console_url.unwrap_or_else(|| url.clone())),
            },
            environment: config.environment,
        })?);
        let outputs = Arc::new(Outputs::start(config.outputs, &reader, &data_dir.outputs(), now)?);
        let inputs = {
            let _within = runtime.enter();
            Inputs::start(config.inputs, Arc::clone(&pipeline), relp)?
        };
        let (stopping, stopped) = watch::channel(false);
        let state = State {
            pipeline: Arc::clone(&pipeline),
            outputs: Arc::clone(&outputs),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            logins_to: config.logins_to.map(Arc::from),
            repeats: Arc::new(Repeats::remembered(&reader, now())?),
            document_ids: Arc::default(),
            door: Arc::new(Door::new(config.token_limits)),
            reader,
            control,
            rules: Arc::clone(&live_rules),
            chains: Arc::clone(&live_chains),
            channels,
            inputs: inputs.view(),
            tls: tls.clone(),
            started: now(),
            stopping: stopped.clone(),
        };
        let rules_thread = watch_rules(Arc::clone(&live_rules), Arc::clone(&pipeline))
            .map_err(HubError::Runtime)?;
        let server = runtime.spawn(serve(listener, tls, router(state), stopped));
        Ok(Hub {
            runtime,
            server,
            inputs,
            stopping,
            pipeline,
            outputs,
            live_rules,
            live_chains,
            rules_thread,
            address,
            url,
            local_url,
            data_dir,
            first_start,
            diagnostics: now_running.diagnostics,
            rules: now_running.rules.len(),
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

    /// A handle that lets the hub read its rule files and its chains again and open the files of its
    /// outputs anew, for whoever waits for signals.
    pub fn reload(&self) -> impl Fn() + Send + use<> {
        let rules = Arc::clone(&self.live_rules);
        let chains = Arc::clone(&self.live_chains);
        let pipeline = Arc::clone(&self.pipeline);
        let outputs = Arc::clone(&self.outputs);
        move || {
            outputs.reopen();
            drop(rules.ask());
            // What became of it is in the log and in `/api/v1/health`.
            let _told = chains.reload(&pipeline);
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
        self.pipeline.stop();
        self.outputs.stop();
        self.runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    }
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
