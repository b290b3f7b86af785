//! Syslog over a stream: TCP, or TLS once its handshake is done.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use bergfried_event::Origin;
use bergfried_syslog::Splitter;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::time::Instant;

use crate::chunk::Chunk;
use crate::collector::{Lane, Stopping};
use crate::counters::add;
use crate::intake::{Intake, now, record, stopped};
use crate::relp;
use crate::room::{Gate, Holding, fit};

/// How much is read at once.
const BUFFER: usize = 64 << 10;
/// How long a message waits for what follows it where that decides how long it is.
const SETTLE: Duration = Duration::from_millis(200);
/// How long a large part of a message may wait for the rest where others need the memory.
const LARGE: Duration = Duration::from_secs(30);
/// How often a connection is read once more when the hub stops.
const LAST_READS: usize = 64;

thread_local! {
    /// One for each thread, not for each connection: an idle connection holds no buffer.
    static READ: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into_boxed_slice());
}

/// Why a connection ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    /// It was reset, or its encryption failed.
    #[error(transparent)]
    Broken(#[from] io::Error),
    /// It brought nothing for as long as it may.
    #[error("nothing came for too long")]
    Idle,
    /// The hub stops.
    #[error(transparent)]
    Stopping(#[from] Stopping),
}

impl From<relp::Fault> for Ended {
    fn from(fault: relp::Fault) -> Self {
        match fault {
            relp::Fault::Broken(error) => Ended::Broken(error),
            relp::Fault::Idle => Ended::Idle,
            relp::Fault::Stopping(stopping) => Ended::Stopping(stopping),
            fault => Ended::Broken(io::Error::other(fault)),
        }
    }
}

/// Takes what the stream brings until it ends or the hub stops; waits while there is no room.
pub(crate) async fn serve_stream<S: AsyncRead + Unpin>(
    mut stream: S,
    origin: &Arc<Origin>,
    intake: &Intake,
) -> Result<(), Ended> {
    let mut splitter = Splitter::new(intake.input.max_message);
    let served = read_all(&mut stream, &mut splitter, origin, intake).await;
    let mut rest = Chunk::default();
    let received = now();
    splitter.finish(&mut |message| rest.push(origin, record(&message, received)));
    add(&intake.counters().lying_counts, splitter.lies());
    hand_over(rest, intake).await?;
    served
}

async fn read_all<S: AsyncRead + Unpin>(
    stream: &mut S,
    splitter: &mut Splitter,
    origin: &Arc<Origin>,
    intake: &Intake,
) -> Result<(), Ended> {
    let mut stopping = intake.stopping.clone();
    let mut is_settled = true;
    let mut holding = Holding::new(intake.collector.unfinished());
    let mut heard = Instant::now();
    loop {
        let mut chunk = Chunk::default();
        let mut gate = intake.collector.gate();
        let idle = intake.input.idle_timeout;
        let wait = match is_settled {
            false => Some(SETTLE),
            true if holding.is_large() => Some(idle.map_or(LARGE, |idle| idle.min(LARGE))),
            true => idle,
        };
        let step = tokio::select! {
            step = within(wait, read(stream, splitter, origin, &mut gate, &mut chunk)) => step,
            () = stopped(&mut stopping) => break,
        };
        match step {
            Some(Ok(0)) => return Ok(()),
            Some(Ok(_)) => {
                heard = Instant::now();
                is_settled = splitter.held() == 0;
                if !holding.note(splitter.held()) {
                    give_up(splitter, origin, &mut chunk, intake);
                    holding.note(splitter.held());
                }
                hand_over(chunk, intake).await?;
            }
            Some(Err(error)) => return Err(error),
            // It is the hub that brings nothing forward.
            None if gate.is_shut() => heard = Instant::now(),
            None if !is_settled => {
                let received = now();
                splitter.settle(&mut |message| chunk.push(origin, record(&message, received)));
                is_settled = true;
                holding.note(splitter.held());
                drop(gate);
                hand_over(chunk, intake).await?;
            }
            None if idle.is_some_and(|idle| heard.elapsed() >= idle) => return Err(Ended::Idle),
            None => {
                if holding.is_in_the_way() {
                    give_up(splitter, origin, &mut chunk, intake);
                    holding.note(splitter.held());
                    drop(gate);
                    hand_over(chunk, intake).await?;
                }
            }
        }
    }
    // What has arrived before the stop is taken; more is not waited for.
    for _ in 0..LAST_READS {
        let mut chunk = Chunk::default();
        let mut gate = intake.collector.gate();
        let read = read(stream, splitter, origin, &mut gate, &mut chunk);
        let Ok(Ok(1..)) = tokio::time::timeout(Duration::ZERO, read).await else { break };
        hand_over(chunk, intake).await?;
    }
    Ok(())
}

/// Gives out what is held of a message, cut, and passes over its rest.
fn give_up(splitter: &mut Splitter, origin: &Arc<Origin>, chunk: &mut Chunk, intake: &Intake) {
    let received = now();
    splitter.give_up(&mut |message| {
        add(&intake.counters().given_up, 1);
        chunk.push(origin, record(&message, received));
    });
}

/// Reads what is there once there is room for it, and adds the messages that it completes; zero
/// bytes are the end.
async fn read<S: AsyncRead + Unpin>(
    stream: &mut S,
    splitter: &mut Splitter,
    origin: &Arc<Origin>,
    gate: &mut Gate<'_>,
    chunk: &mut Chunk,
) -> Result<usize, Ended> {
    poll_fn(|context| {
        let place = ready!(gate.poll(context))?;
        READ.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
            let received = now();
            splitter.push(buffer.filled(), &mut |message| {
                chunk.push(origin, record(&message, received));
            });
            chunk.place = Some(fit(place, chunk.cost()));
            Poll::Ready(Ok(buffer.filled().len()))
        })
    })
    .await
}

async fn hand_over(chunk: Chunk, intake: &Intake) -> Result<(), Stopping> {
    if chunk.is_empty() {
        return Ok(());
    }
    // Syslog has no answer: nobody waits for the ticket.
    drop(intake.collector.take_chunk(chunk, Lane::Stream).await?);
    Ok(())
}

/// What the work gives, or none when it takes longer.
async fn within<T>(limit: Option<Duration>, work: impl Future<Output = T>) -> Option<T> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, work).await.ok(),
        None => Some(work.await),
    }
}
