//! All inputs of a hub, from their start to their stop.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use bergfried_pipeline::Pipeline;
use bergfried_tls::{ServerSide, TlsError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::addresses::Addresses;
use crate::collector::{Collector, Shipping, ShippingView};
use crate::config::{Input, Transport};
use crate::counters::{Counters, Snapshot};
use crate::intake::Intake;
use crate::listener::{Listener, ListenerReport};
use crate::relp::Memory as RelpMemory;
use crate::{datagrams, tcp};

/// How long connections may take to hand over what they have read once the hub stops.
const GRACE: Duration = Duration::from_millis(800);

/// How many TLS handshakes of one input are under way at once; each costs some hundred
/// microseconds of a processor.
const HANDSHAKES: usize = 128;

/// All inputs of a hub. Dropping them without [`Inputs::stop`] leaves them to end alone.
pub struct Inputs {
    running: Arc<[Running]>,
    shipping: Shipping,
    stopping: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

struct Running {
    intake: Arc<Intake>,
    listeners: Vec<Arc<Listener>>,
}

/// Answers how the inputs are; cheap to clone.
#[derive(Clone)]
pub struct InputsView {
    running: Arc<[Running]>,
    shipping: ShippingView,
}

/// Why the inputs cannot start.
#[derive(Debug, thiserror::Error)]
pub enum InputsError {
    /// Certificate files.
    #[error("cannot use TLS for input `{input}`: {error}")]
    Tls {
        /// The input's name.
        input: String,
        /// What is wrong with them.
        error: TlsError,
    },
    /// No thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// One input as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct InputReport {
    /// Its name.
    pub name: String,
    /// Where it listens.
    pub listeners: Vec<ListenerReport>,
    /// What was counted since the start.
    pub counters: Snapshot,
}

impl Inputs {
    /// Starts them, and the task that hands over what they take. `relp` is what RELP clients may
    /// send again.
    ///
    /// A listener whose address is taken does not keep the others from starting: it says so, and is
    /// tried again every few seconds. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Where certificate files cannot be used, or no thread can be started.
    pub fn start(
        inputs: Vec<Input>,
        pipeline: Arc<Pipeline>,
        relp: RelpMemory,
    ) -> Result<Inputs, InputsError> {
        let relp = Arc::new(relp);
        if !inputs.is_empty() {
            raise_descriptors();
        }
        let shipping = Shipping::start(pipeline);
        let (stopping, stopped) = watch::channel(false);
        let own_host = rustix::system::uname().nodename().to_string_lossy().trim().to_owned();
        let mut threads = Vec::new();
        let mut running = Vec::new();
        for input in inputs {
            let collector = shipping.collector().counting(Arc::new(Counters::default()));
            let one = start_one(
                input,
                collector,
                &relp,
                stopped.clone(),
                own_host.clone(),
                &mut threads,
            )?;
            running.push(one);
        }
        Ok(Inputs { running: running.into(), shipping, stopping, threads })
    }

    /// The collector, for whatever takes records besides the configured inputs.
    pub fn collector(&self) -> Collector {
        self.shipping.collector()
    }

    /// Whoever is asked how the inputs are.
    pub fn view(&self) -> InputsView {
        InputsView { running: Arc::clone(&self.running), shipping: self.shipping.view() }
    }

    /// Takes no connection more, hands over what was read, and returns when that is durable or was
    /// tried once more in vain.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        let ended = async {
            for running in self.running.iter() {
                let all = running.intake.input.max_connections;
                let all = u32::try_from(all).unwrap_or(u32::MAX);
                // It fails only where it is closed, and it never is.
                let _ended = running.intake.room.acquire_many(all).await;
            }
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("connections still waited for room when the hub stopped");
        }
        let joined = tokio::task::spawn_blocking(move || {
            self.threads.into_iter().all(|thread| thread.join().is_ok())
        });
        // A full disk may hold the threads; stopping the shipping lets them go.
        let stop = self.shipping.stop();
        tokio::pin!(joined);
        let early = tokio::time::timeout(GRACE, &mut joined).await;
        stop.await;
        let joined = match early {
            Ok(joined) => joined,
            Err(_late) => joined.await,
        };
        if !joined.is_ok_and(|all| all) {
            tracing::error!("a thread that takes datagrams ended by a panic");
        }
    }
}

fn start_one(
    input: Input,
    collector: Collector,
    relp: &Arc<RelpMemory>,
    stopping: watch::Receiver<bool>,
    own_host: String,
    threads: &mut Vec<JoinHandle<()>>,
) -> Result<Running, InputsError> {
    let room = Arc::new(Semaphore::new(input.max_connections));
    let addresses = Arc::new(Addresses::new(input.max_connections_per_address));
    let tls = input.tls.clone().map(|tls| tls.open(&[])).transpose();
    let tls = tls.map_err(|error| InputsError::Tls { input: input.name.clone(), error })?;
    let (handshakes, relp) = (Semaphore::new(HANDSHAKES), Arc::clone(relp));
    let intake = Arc::new(Intake {
        input,
        collector,
        tls,
        handshakes,
        relp,
        room,
        addresses,
        stopping,
        own_host,
    });
    let listeners: Vec<_> =
        intake.input.places.iter().map(|place| Arc::new(Listener::new(place.clone()))).collect();
    for listener in &listeners {
        let (one, intake) = (Arc::clone(listener), Arc::clone(&intake));
        match listener.place.transport {
            Transport::Udp | Transport::Unix => {
                threads.push(datagrams::start(one, intake, Handle::current())?);
            }
            Transport::Tcp | Transport::Tls | Transport::Relp | Transport::RelpTls => {
                let opened = tcp::open(listener);
                tokio::spawn(tcp::listen(one, intake, opened));
            }
        }
    }
    Ok(Running { intake, listeners })
}

impl InputsView {
    /// Each input as it is now, in the order of the configuration.
    pub fn report(&self) -> Vec<InputReport> {
        self.running.iter().map(Running::report).collect()
    }

    /// What wants a person's attention, each in one sentence.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if let Some(trouble) = self.shipping.trouble() {
            problems.push(format!("{trouble}: senders wait, datagrams may be lost"));
        }
        match self.shipping.lost() {
            0 => {}
            lost => problems.push(format!("{lost} records could never be stored and are lost")),
        }
        for running in self.running.iter() {
            let problem = running.intake.tls.as_ref().and_then(ServerSide::problem);
            let name = &running.intake.input.name;
            problems.extend(problem.map(|problem| format!("input `{name}`: {problem}")));
        }
        for input in self.report() {
            let name = &input.name;
            for listener in &input.listeners {
                let ListenerReport { transport, address, .. } = listener;
                if let Some(problem) = &listener.problem {
                    let place = format!("input `{name}` does not listen on {transport} {address}");
                    problems.push(format!("{place}: {problem}"));
                }
                if listener.drops_now {
                    let drops = input.counters.kernel_drops;
                    problems.push(format!(
                        "the kernel dropped datagrams of input `{name}` on {address} within the \
                         last five minutes ({drops} since the start): they come faster than the \
                         hub takes them, or its receive buffer is too small"
                    ));
                }
            }
        }
        problems
    }
}

impl Running {
    fn report(&self) -> InputReport {
        for listener in &self.listeners {
            listener.count_drops(self.intake.counters());
        }
        InputReport {
            name: self.intake.input.name.clone(),
            listeners: self.listeners.iter().map(|listener| listener.report()).collect(),
            counters: self.intake.counters().snapshot(),
        }
    }
}

/// Lets the process open as many files as it may: each connection is one.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current == limit.maximum {
        return;
    }
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise the number of files that may be open");
    }
}
