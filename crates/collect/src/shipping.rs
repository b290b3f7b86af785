//! From chunks to batches to the pipeline: in order, several under way, until they are stored.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bergfried_pipeline::{Answer, Payload, Pipeline, Refused, Sender};
use bergfried_wire::Batch;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::gathered::{Gathered, Queued, Shipment, halves};

/// How many batches are under way at most, so that the pipeline never waits for the next.
const UNDER_WAY: usize = 8;
/// How many are under way, at most, when one is handed over that is awaited and could still grow:
/// one that is made durable, and one that is read meanwhile.
const AWAITED: usize = 2;
/// How long the first record of a batch waits for others where nothing is under way.
const LINGER: Duration = Duration::from_millis(4);
/// How long nothing is tried after the store refused.
const PAUSE: Duration = Duration::from_millis(500);

/// Where batches go: the pipeline, or what stands for it in a test.
pub trait Sink: Send + Sync + 'static {
    /// Hands a batch over, waiting for a place in the queue; the answer comes later.
    fn submit(
        &self,
        batch: Arc<Batch<'static>>,
    ) -> impl Future<Output = Result<oneshot::Receiver<Answer>, Refused>> + Send;
}

impl Sink for Arc<Pipeline> {
    async fn submit(
        &self,
        batch: Arc<Batch<'static>>,
    ) -> Result<oneshot::Receiver<Answer>, Refused> {
        self.submit_waiting(Payload::Shared(batch), Sender { address: None, agent: None }).await
    }
}

/// What keeps records from being stored, and whether the hub stops.
#[derive(Debug)]
pub(crate) struct Troubles {
    now: Mutex<Option<&'static str>>,
    lost: AtomicU64,
    stopping: watch::Sender<bool>,
}

impl Default for Troubles {
    fn default() -> Self {
        Troubles {
            now: Mutex::default(),
            lost: AtomicU64::default(),
            stopping: watch::Sender::new(false),
        }
    }
}

impl Troubles {
    pub(crate) fn now(&self) -> Option<&'static str> {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that the store can never take.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    fn set(&self, trouble: Option<&'static str>) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}

/// What became of one try.
enum Outcome {
    Stored,
    /// The same bytes fail again.
    Never(String),
    /// Why a later try may work.
    Later(&'static str),
}

/// A shipment whose answer is awaited.
struct UnderWay {
    shipment: Shipment,
    answer: oneshot::Receiver<Answer>,
}

pub(crate) struct Ship<S> {
    sink: S,
    queue: mpsc::UnboundedReceiver<Queued>,
    troubles: Arc<Troubles>,
    stopping: watch::Receiver<bool>,
    gathered: Gathered,
    under_way: VecDeque<UnderWay>,
}

impl<S: Sink> Ship<S> {
    pub(crate) fn new(
        sink: S,
        queue: mpsc::UnboundedReceiver<Queued>,
        troubles: Arc<Troubles>,
    ) -> Self {
        let stopping = troubles.stopping.subscribe();
        let (gathered, under_way) = (Gathered::default(), VecDeque::new());
        Ship { sink, queue, troubles, stopping, gathered, under_way }
    }

    /// Works until the hub stops and everything that was taken is stored or given up.
    pub(crate) async fn run(mut self) {
        let linger = tokio::time::sleep(LINGER);
        tokio::pin!(linger);
        let (mut stopping, mut ended) = (false, false);
        while !(ended && self.gathered.is_empty() && self.under_way.is_empty()) {
            let idle = self.under_way.is_empty();
            tokio::select! {
                outcome = next_outcome(&mut self.under_way), if !idle => {
                    self.answered(outcome).await;
                }
                queued = self.queue.recv(), if !ended && !self.gathered.is_full() => {
                    match queued {
                        Some(queued) => {
                            if self.gathered.is_empty() {
                                linger.as_mut().reset(Instant::now() + LINGER);
                            }
                            self.gather(queued);
                        }
                        None => ended = true,
                    }
                }
                () = &mut linger, if idle && !self.gathered.is_empty() => self.ship().await,
                () = stop(&mut self.stopping), if !stopping => {
                    stopping = true;
                    self.queue.close();
                }
            }
            if self.is_due(ended) {
                self.ship().await;
            }
        }
    }

    /// Whether what is gathered is to be handed over without waiting for more.
    fn is_due(&self, ended: bool) -> bool {
        let most = match self.gathered.is_full() || ended {
            true => UNDER_WAY,
            false if self.gathered.is_awaited() => AWAITED,
            false => return false,
        };
        !self.gathered.is_empty() && self.under_way.len() < most
    }

    /// Adds this chunk, and what waits behind it.
    fn gather(&mut self, queued: Queued) {
        self.gathered.add(queued);
        while !self.gathered.is_full() {
            let Ok(queued) = self.queue.try_recv() else { break };
            self.gathered.add(queued);
        }
    }

    async fn ship(&mut self) {
        let shipment = self.gathered.ship();
        match self.sink.submit(Arc::clone(&shipment.batch)).await {
            Ok(answer) => self.under_way.push_back(UnderWay { shipment, answer }),
            Err(refused) => self.recover(shipment, later(refused)).await,
        }
    }

    async fn answered(&mut self, outcome: Outcome) {
        let Some(UnderWay { shipment, .. }) = self.under_way.pop_front() else { return };
        match outcome {
            Outcome::Stored => shipment.stored(),
            refused => self.recover(shipment, refused).await,
        }
    }

    /// Stores what was refused, one batch after the other in the order in which they came, before
    /// anything else is handed over.
    async fn recover(&mut self, shipment: Shipment, outcome: Outcome) {
        let mut refused = vec![(shipment, outcome)];
        for UnderWay { shipment, answer } in std::mem::take(&mut self.under_way) {
            match read(answer.await) {
                Outcome::Stored => shipment.stored(),
                outcome => refused.push((shipment, outcome)),
            }
        }
        for (shipment, outcome) in refused {
            self.insist(shipment, outcome).await;
        }
        self.troubles.set(None);
    }

    /// Tries again until everything of it is stored, or the hub stops.
    async fn insist(&mut self, shipment: Shipment, first: Outcome) {
        // What is left of it, the next last.
        let mut parts = vec![Arc::clone(&shipment.batch)];
        let mut known = Some(first);
        while let Some(part) = parts.pop() {
            let outcome = match known.take() {
                Some(outcome) => outcome,
                None => self.try_once(&part).await,
            };
            match outcome {
                Outcome::Stored => {}
                Outcome::Never(reason) => match halves(&part) {
                    Some([before, after]) => parts.extend([after, before]),
                    None => {
                        self.troubles.lost.fetch_add(1, Ordering::Relaxed);
                        tracing::error!(reason, "cannot store a record, it is lost");
                    }
                },
                Outcome::Later(trouble) => {
                    self.troubles.set(Some(trouble));
                    parts.push(part);
                    if *self.stopping.borrow() {
                        let records: usize = parts.iter().map(|part| part.records.len()).sum();
                        tracing::error!(records, trouble, "the hub stops, cannot store records");
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = stop(&mut self.stopping) => {}
                    }
                }
            }
        }
        shipment.stored();
    }

    async fn try_once(&self, batch: &Arc<Batch<'static>>) -> Outcome {
        match self.sink.submit(Arc::clone(batch)).await {
            Ok(answer) => read(answer.await),
            Err(refused) => later(refused),
        }
    }
}

/// The answer to the batch that has been under way longest; waits for ever where none is.
async fn next_outcome(under_way: &mut VecDeque<UnderWay>) -> Outcome {
    match under_way.front_mut() {
        Some(first) => read((&mut first.answer).await),
        None => std::future::pending().await,
    }
}

/// Returns once the hub stops.
async fn stop(stopping: &mut watch::Receiver<bool>) {
    // It fails where the sender is gone, and then nobody is left to serve.
    let _stopping = stopping.wait_for(|stopping| *stopping).await;
}

fn read(answer: Result<Answer, oneshot::error::RecvError>) -> Outcome {
    match answer {
        Ok(Answer::Stored { .. } | Answer::Duplicate { .. }) => Outcome::Stored,
        Ok(Answer::Invalid(reason)) => Outcome::Never(reason),
        Ok(Answer::Full) => Outcome::Later("the disk is full"),
        Ok(Answer::Failed) | Err(_) => Outcome::Later("the event store fails"),
    }
}

fn later(refused: Refused) -> Outcome {
    match refused {
        Refused::Busy => Outcome::Later("the hub is busy"),
        Refused::Stopped => Outcome::Later("the hub has stopped"),
    }
}
