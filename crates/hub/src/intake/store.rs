//! Records into the pipeline, answered when they are durable.

use std::net::SocketAddr;
use std::time::Instant;

use bergfried_event::{Origin, Peer, Record};
use bergfried_pipeline::{Answer, Payload, Sender};
use bergfried_wire::Batch;

use super::repeats::{Id, WINDOW, digest};
use super::{Intake, limited};
use crate::data_dir::FIRST_START;
use crate::error::{ApiError, blocking};
use crate::router::State;
use crate::running::now;

/// The most records of one batch.
const MAX_RECORDS: usize = 50_000;
/// The most bytes of one batch. As events, with every field beside its text, a batch has several
/// times as many, of which the store takes 64 MiB.
const MAX_BYTES: usize = 8 << 20;

/// Records with their origins, as an adapter read them from a body.
pub(crate) struct Piece {
    /// Where the records came from.
    pub(crate) origins: Vec<Origin>,
    /// Each with its position in `origins`.
    pub(crate) records: Vec<(u16, Record<'static>)>,
    /// Whether the same body again is a retry of this one; see [`super::repeats`].
    pub(crate) once: bool,
}

/// What became of the records of a body: of the first `stored` ones all is durable, of the others
/// nothing, and `refused` says why.
pub(crate) struct Outcome {
    /// How many records are durable.
    pub(crate) stored: usize,
    /// Why the others are not.
    pub(crate) refused: Option<ApiError>,
}

impl Intake {
    /// An origin for records that came with this request.
    pub(crate) fn origin(&self, input: &str, mut origin: Origin) -> Origin {
        origin.input = Some(input.to_owned());
        let name = Some(&self.token.name).filter(|name| *name != FIRST_START).cloned();
        origin.peer = Some(Peer { address: Some(self.peer), name });
        origin
    }

    /// The name of a host where nothing else names it: the sender's address.
    pub(crate) fn peer_host(&self) -> String {
        self.peer.ip().to_canonical().to_string()
    }

    /// Stores records, within the token's limits; answers when they are durable or refused.
    ///
    /// One body is one batch in one commit, unless it is so large that it must be several; then they
    /// are stored in order, and the first that is refused is the last.
    ///
    /// # Errors
    /// Where the token's limits refuse all of it.
    pub(crate) async fn store(&self, state: &State, piece: Piece) -> Result<Outcome, ApiError> {
        let Piece { origins, records, once } = piece;
        let (events, bytes) = (records.len(), self.body.len());
        state.door.meter.charge(&self.token, events, bytes, Instant::now()).map_err(limited)?;
        let mut outcome = Outcome { stored: 0, refused: None };
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let mut batch = Vec::new();
            let mut size = 0;
            while let Some((_, record)) = records.peek()
                && batch.len() < MAX_RECORDS
                && (batch.is_empty() || size + record.raw.len() <= MAX_BYTES)
            {
                size += record.raw.len();
                batch.extend(records.next());
            }
            let known = once.then(|| {
                let records = batch.iter().map(|(_, record): &(u16, Record<'_>)| &*record.raw);
                digest(self.token.id, &self.target, records)
            });
            let stored = batch.len();
            match store(state, self.peer, known, origins.clone(), batch).await {
                Ok(()) => outcome.stored += stored,
                Err(error) => {
                    outcome.refused = Some(error);
                    break;
                }
            }
        }
        if outcome.stored == 0 && outcome.refused.is_some() {
            state.door.meter.give_back(&self.token, events, bytes);
        }
        Ok(outcome)
    }
}

/// Stores one batch; one that has a digest is stored once, however often it is sent.
async fn store(
    state: &State,
    peer: SocketAddr,
    digest: Option<Id>,
    origins: Vec<Origin>,
    records: Vec<(u16, Record<'static>)>,
) -> Result<(), ApiError> {
    let known = digest.and_then(|digest| state.door.repeats.id_of(&digest, peer, now()));
    let mut id = match known {
        Some(id) => id,
        None => random()?,
    };
    let mut batch = Batch { id, agent: String::new(), origins, records };
    // Where the id may be an old one, the records are kept to be stored under another.
    let spare = known.is_some().then(|| batch.clone());
    let mut answer = submit(state, batch, peer).await?;
    if let Answer::Duplicate { first_event_id, .. } = answer
        && let Some(spare) = spare
        && is_old(state, first_event_id).await?
    {
        id = random()?;
        batch = Batch { id, ..spare };
        answer = submit(state, batch, peer).await?;
    }
    match answer {
        Answer::Stored { .. } => {
            if let Some(digest) = digest {
                state.door.repeats.stored(digest, id, peer, now());
            }
            Ok(())
        }
        Answer::Duplicate { .. } => Ok(()),
        Answer::Invalid(reason) => Err(ApiError::invalid(reason)),
        Answer::Full => Err(ApiError::full()),
        Answer::Failed => Err(ApiError::not_stored()),
    }
}

async fn submit(
    state: &State,
    batch: Batch<'static>,
    peer: SocketAddr,
) -> Result<Answer, ApiError> {
    let sender = Sender { address: Some(peer.ip()), agent: None };
    let answer = state.pipeline.submit(Payload::Batch(batch), sender)?;
    answer.await.map_err(|_| ApiError::not_stored())
}

/// Whether the batch of this first event was stored longer ago than a retry would take.
async fn is_old(state: &State, first_event_id: u64) -> Result<bool, ApiError> {
    let reader = state.reader.clone();
    let first = blocking(move || Ok(reader.get(first_event_id)?)).await?;
    Ok(first.is_none_or(|first| now().since(first.ingested) >= WINDOW))
}

fn random() -> Result<Id, ApiError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|error| ApiError::internal(&error))?;
    Ok(id)
}
