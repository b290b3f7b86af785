//! Starting and stopping the two threads.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use bergfried_source::{FileOptions, Files, Journal, Socket};

use crate::audit::Audit;
use crate::config::{Config, host_name, time_zone};
use crate::error::AgentError;
use crate::intake::{Host, Intake};
use crate::observers;
use crate::outbox::outbox;
use crate::plan;
use crate::spool;
use crate::stats::Stats;
use crate::stop::Stop;
use crate::uplink::Uplink;
use crate::writers::Writers;

/// TLS handshakes are what needs it.
const UPLINK_STACK: usize = 512 << 10;
/// How long a request under way may take to end once the agent is stopped.
const LAST_REQUEST: Duration = Duration::from_millis(1200);

/// Runs the agent until it is stopped; returns within two seconds of that and loses nothing.
pub fn run(config: Config, stop: &Stop) -> Result<(), AgentError> {
    run_counted(config, stop, &Stats::default())
}

/// As [`run`], keeping up counters that the caller can look at meanwhile.
pub fn run_counted(config: Config, stop: &Stop, stats: &Stats) -> Result<(), AgentError> {
    let (writer, reader, checkpoint) = spool::open(&config.state_dir, config.spool_bytes, stats)?;
    let now = Instant::now();
    let journal = plan::follows_journal(&config)
        .then(|| Journal::new(config.journal_options(), checkpoint.journal.clone(), now));
    let options = FileOptions {
        patterns: config.patterns(),
        from: config.from,
        rotated_grace: config.rotated_grace,
    };
    let files = Files::new(options, &checkpoint, now);
    let host = Host { name: config.name.clone().unwrap_or_else(host_name), time_zone: time_zone() };
    let audit = Audit::new(&config.audit, &host.name, stats);
    let gauge = reader.gauge();
    let uplink = Uplink::new(&config, host.name.clone(), reader, stats, stop)?;
    let writers = Writers::new(config.integrity.is_some());
    let (outbox, observed) = outbox()
        .map_err(|source| AgentError::System { what: "make a queue for observers", source })?;
    let observers = observers::start(&config, &outbox, stop, &writers, &gauge, &checkpoint.others)?;
    let socket = config.audit.socket.as_ref();
    let socket = socket.map(|path| Socket::new(path.display().to_string(), now));
    let mut intake = Intake {
        files,
        journal,
        audit,
        socket,
        observed,
        writers,
        writer,
        batch: Intake::new_batch(host),
        stats: stats.clone(),
        stop: stop.clone(),
    };
    intake.restore(&checkpoint);
    let (done, sending) = mpsc::channel::<()>();
    let thread = thread::Builder::new()
        .name("uplink".to_owned())
        .stack_size(UPLINK_STACK)
        .spawn(move || {
            // Dropped at the end, also at that of a panic.
            let _done = done;
            uplink.run();
        })
        .map_err(|source| AgentError::System { what: "start a thread", source })?;
    let read = intake.run(&|| !thread.is_finished());
    observers::end(observers);
    if !stop.is_stopped() {
        read?;
        return Err(AgentError::Thread("uplink"));
    }
    // A request that takes longer is left to its time limit: its batch stays in the spool and is
    // sent again under the same id.
    if sending.recv_timeout(LAST_REQUEST) == Err(mpsc::RecvTimeoutError::Timeout) {
        tracing::info!("a batch was under way when the agent stopped; it is sent again later");
    }
    read
}
