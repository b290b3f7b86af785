//! The one thread through which everything passes: parse, detect, commit, answer, alert.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use bergfried_alerting::Alerting;
use bergfried_event::{Event, Field, FieldName, Finding, SourceKind, readable};
use bergfried_heimdall::Notes;
use bergfried_process::{Chains, Meter, Verdict};
use bergfried_rules::RuleSet;
use bergfried_store::{BatchId, Committed, NewBatch, Reader, StoreError, Writer};
use bergfried_wire::Batch;
use tokio::sync::broadcast;

use crate::chains::{ChainDesk, meter};
use crate::context::Zones;
use crate::counters::{Counters, add};
use crate::desk::Desk;
use crate::heard::{Heard, address_of};
use crate::hosts::{Hosts, Sightings, Source};
use crate::memory::{Memory, Rebuilt};
use crate::metrics::Figures;
use crate::origin::{add_word, mark};
use crate::outside::{Outside, act_all};
use crate::remembered::{Keeper, Remembered};
use crate::submission::{Answer, Payload, Readable, Sender, Submission};
use crate::{LiveEvent, Parts, StartError, now};

/// The most batches of one group commit.
const GROUP: usize = 64;
/// The most bytes of one group commit, before parsing.
const GROUP_BYTES: usize = 16 << 20;
/// How often work that waits for time is looked at.
const TICK: Duration = Duration::from_millis(500);
/// How long nothing is tried on a disk that was full: after each try the memory is rebuilt.
const FULL_PAUSE: Duration = Duration::from_secs(5);
/// How long a batch waits where too many findings wait to become alerts; then its sender does.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Committer {
    pub(crate) writer: Writer,
    reader: Reader,
    pub(crate) alerting: Alerting,
    /// The last sequence that the event store knows to be in the alerts.
    applied: u64,
    rules: Arc<RuleSet>,
    chains: Arc<Chains>,
    meter: Meter,
    pub(crate) memory: Memory,
    /// The batch that was committed last.
    pub(crate) last: Option<(BatchId, Committed)>,
    keeper: Keeper,
    live: broadcast::Sender<LiveEvent>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) desk: Arc<Desk>,
    chain_desk: Arc<ChainDesk>,
    zones: Zones,
    heard: Heard,
    figures: Arc<Figures>,
    /// What the figures count of the batches that are being committed.
    notes: Notes,
    hosts: Arc<Hosts>,
    /// When the disk was found full last.
    full: Option<Instant>,
    /// When findings without events could not be stored last.
    pub(crate) failed: Option<Instant>,
    /// Does what rules of SEC ask for.
    pub(crate) outside: Box<dyn Outside>,
}

/// What the pipeline's thread shares with others.
pub(crate) struct Shared {
    pub(crate) live: broadcast::Sender<LiveEvent>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) desk: Arc<Desk>,
    pub(crate) chains: Arc<ChainDesk>,
    pub(crate) figures: Arc<Figures>,
}

/// A batch that was read and awaits its commit.
struct Ready<'b> {
    batch: Readable<'b>,
    sender: Sender,
    reply: tokio::sync::oneshot::Sender<Answer>,
}

impl Committer {
    pub(crate) fn new(parts: Parts, shared: Shared) -> Result<Self, StartError> {
        let Shared { live, counters, desk, chains: chain_desk, figures } = shared;
        let Rebuilt { memory, last, next_event_id } =
            Memory::rebuilt(&parts.rules, &parts.reader, &parts.writer, &parts.remembered)?;
        let heard = Heard::new(
            Arc::clone(&parts.control),
            parts.alerting.clone(),
            Arc::clone(&parts.hosts),
            now(),
        )?;
        let mut committer = Committer {
            writer: parts.writer,
            reader: parts.reader,
            alerting: parts.alerting,
            applied: 0,
            rules: parts.rules,
            meter: meter(&parts.chains),
            chains: parts.chains,
            memory,
            last,
            keeper: Keeper::new(parts.remembered, next_event_id),
            live,
            counters,
            desk,
            chain_desk,
            zones: Zones::default(),
            heard,
            figures,
            notes: Notes::default(),
            hosts: parts.hosts,
            full: None,
            failed: None,
            outside: parts.outside,
        };
        for pending in parts.pending {
            committer.alerting.apply_findings(pending.sequence, pending.findings.into());
        }
        committer.note_applied();
        // What was counted before this start is not counted again.
        committer.desk.know_sec(committer.memory.sec());
        Ok(committer)
    }

    /// Works until the queue is empty and its sender gone.
    pub(crate) fn run(mut self, waiting: &Receiver<Submission>) {
        loop {
            self.take_rules();
            self.take_chains();
            match waiting.recv_timeout(TICK) {
                Ok(first) => {
                    let mut size = size_of(&first.payload);
                    let mut group = vec![first];
                    while group.len() < GROUP && size < GROUP_BYTES {
                        let Ok(next) = waiting.try_recv() else { break };
                        size += size_of(&next.payload);
                        group.push(next);
                    }
                    self.take(group);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.tick();
        }
        self.heard.write();
        self.note_applied();
        if self.keeper.is_behind(self.writer.next_event_id()) || !self.memory.sec().is_empty() {
            self.remember();
        }
        self.keeper.wait();
        if let Err(error) = self.writer.close() {
            tracing::error!(%error, "cannot close the event store");
        }
    }

    /// Changes the rules where others were left.
    fn take_rules(&mut self) {
        let Some((rules, done)) = self.desk.take() else { return };
        let replaced = self.memory.replace(Arc::clone(&rules));
        self.desk.replaced(Arc::clone(&rules), self.memory.engine());
        self.desk.count_sec(self.memory.sec(), now());
        self.rules = rules;
        // Who left them may not wait for the answer.
        let _unasked = done.send(replaced);
    }

    /// Changes the chains where others were left.
    fn take_chains(&mut self) {
        let Some(chains) = self.chain_desk.take() else { return };
        self.meter = meter(&chains);
        self.chains = chains;
        self.chain_desk.count(&self.chains, self.meter.counts());
    }

    fn take(&mut self, group: Vec<Submission>) {
        let mut bodies = Vec::with_capacity(group.len());
        let mut waiting = Vec::with_capacity(group.len());
        for submission in group {
            // Taken: another batch may wait in its place.
            drop(submission.place);
            let (body, batch) = match submission.payload {
                Payload::Wire(body) => (body, None),
                Payload::Batch(batch) => (Vec::new(), Some(Readable::Own(batch))),
                Payload::Shared(batch) => (Vec::new(), Some(Readable::Shared(batch))),
            };
            bodies.push(body);
            waiting.push((batch, submission.sender, submission.reply));
        }
        let mut ready: Vec<Ready<'_>> = Vec::with_capacity(waiting.len());
        let mut repeated: Vec<Ready<'_>> = Vec::new();
        let mut ids = HashSet::new();
        for (body, (batch, sender, reply)) in bodies.iter().zip(waiting) {
            let batch = match batch {
                Some(batch) => batch,
                None => match bergfried_wire::decode(body, &bergfried_wire::Limits::default()) {
                    Ok(mut batch) => {
                        // Who took it and who brought it is not for the sender to say.
                        for origin in &mut batch.origins {
                            (origin.input, origin.peer) = (None, None);
                        }
                        Readable::Own(batch)
                    }
                    Err(error) => {
                        add(&self.counters.invalid, 1);
                        answer(reply, Answer::Invalid(error.to_string()));
                        continue;
                    }
                },
            };
            if batch.records.is_empty() && sender.agent.is_some() {
                // It only says that it is alive.
                self.heard.note_alive(&batch.agent, sender);
                let first_event_id = self.writer.next_event_id();
                answer(reply, Answer::Stored { batch: batch.id, first_event_id, events: 0 });
            } else if let Some(committed) = self.writer.seen(&BatchId(batch.id)) {
                add(&self.counters.duplicates, 1);
                answer(reply, duplicate(&batch, &committed));
            } else if ids.insert(batch.id) {
                ready.push(Ready { batch, sender, reply });
            } else {
                repeated.push(Ready { batch, sender, reply });
            }
        }
        self.commit(ready);
        for Ready { batch, reply, .. } in repeated {
            match self.writer.seen(&BatchId(batch.id)) {
                Some(committed) => {
                    add(&self.counters.duplicates, 1);
                    answer(reply, duplicate(&batch, &committed));
                }
                None => answer(reply, Answer::Failed),
            }
        }
    }

    fn commit(&mut self, ready: Vec<Ready<'_>>) {
        if ready.is_empty() {
            return;
        }
        if self.is_full() {
            self.refuse(ready, &Answer::Full);
            return;
        }
        if !self.alerting.has_room(PATIENCE) {
            self.refuse(ready, &Answer::Failed);
            return;
        }
        let ingested = now();
        let mut due = self.due(ingested);
        // Events borrow from the chains that set their fields.
        let chains = Arc::clone(&self.chains);
        let first_id = self.writer.next_event_id();
        let mut next_id = first_id;
        let mut batches = Vec::with_capacity(ready.len());
        self.notes.clear();
        let mut sightings = Sightings::default();
        for Ready { batch, sender, .. } in &ready {
            let agent_host = sender.agent.as_ref().and_then(|_| batch.origins.first());
            let source = Source { agent_host: agent_host.map(|origin| origin.host.as_str()) };
            if let Some(host) = source.agent_host {
                sightings.agent(host, address_of(sender));
            }
            let mut events = self.parse(batch, &chains);
            let mut findings = std::mem::take(&mut due);
            for event in &mut events {
                if self.memory.judge(event, next_id, ingested, &mut findings) {
                    add(&self.counters.repeated, 1);
                    bergfried_heimdall::unstamp(event);
                }
                self.notes.push(event);
                sightings.see(event, next_id, source, ingested);
                next_id += 1;
            }
            self.memory.end_batch(&mut findings);
            self.desk.look(self.memory.engine(), &events);
            batches.push(NewBatch {
                id: BatchId(batch.id),
                ingested,
                events,
                findings: findings.into(),
            });
        }
        let watched = self.for_watchers(first_id, &batches);
        let stored: Vec<(u64, Arc<[Finding]>)> = batches
            .iter()
            .map(|batch| (batch.events.len() as u64, Arc::clone(&batch.findings)))
            .collect();
        match self.writer.append(batches) {
            Ok(committed) => {
                self.figures.take(&self.notes, ingested);
                self.hosts.heard(sightings, ingested);
                for ((Ready { batch, sender, reply }, committed), stored) in
                    ready.into_iter().zip(committed).zip(stored)
                {
                    self.committed(batch, sender, reply, &committed, stored);
                }
                for event in watched {
                    // Nobody may be watching any more; then the event is simply not shown.
                    let _unwatched = self.live.send(event);
                }
                self.desk.count(self.memory.engine(), ingested);
                self.desk.count_sec(self.memory.sec(), ingested);
                let acts = self.memory.sec().take_acts();
                act_all(acts, &self.alerting, &mut *self.outside);
                self.chain_desk.count(&self.chains, self.meter.counts());
                self.note_applied();
            }
            Err(error) => self.not_committed(ready, &error),
        }
    }

    fn committed(
        &mut self,
        batch: Readable<'_>,
        sender: Sender,
        reply: tokio::sync::oneshot::Sender<Answer>,
        committed: &Committed,
        (events, findings): (u64, Arc<[Finding]>),
    ) {
        let records = batch.records.len() as u64;
        add(&self.counters.batches, 1);
        self.counters.events.fetch_add(events, Ordering::Relaxed);
        self.counters.dropped.fetch_add(records.saturating_sub(events), Ordering::Relaxed);
        add(&self.counters.findings, findings.len());
        self.desk.stored(&findings);
        let host = batch.origins.first().map(|origin| origin.host.as_str());
        self.heard.note(&batch.agent, host.unwrap_or_default(), sender, records);
        if !findings.is_empty() {
            self.alerting.apply_findings(committed.sequence, findings);
        }
        self.last = Some((BatchId(batch.id), *committed));
        let first_event_id = committed.first_event_id;
        answer(reply, Answer::Stored { batch: batch.id, first_event_id, events });
    }

    /// Nothing was stored: the senders keep their batches, and the rules forget what they saw.
    fn not_committed(&mut self, ready: Vec<Ready<'_>>, error: &StoreError) {
        tracing::error!(%error, batches = ready.len(), "cannot store batches");
        self.forget();
        if matches!(error, StoreError::TooLarge { .. }) && ready.len() > 1 {
            // One of them is at fault; the others must not suffer for it.
            for one in ready {
                self.commit(vec![one]);
            }
            return;
        }
        let answer = match error {
            StoreError::Full { .. } => {
                self.full = Some(Instant::now());
                Answer::Full
            }
            StoreError::TooLarge { .. } => Answer::Invalid(error.to_string()),
            _ => Answer::Failed,
        };
        self.refuse(ready, &answer);
    }

    /// Lets the rules forget what was not stored.
    pub(crate) fn forget(&mut self) {
        self.keeper.wait();
        match Memory::rebuilt(&self.rules, &self.reader, &self.writer, self.keeper.path()) {
            Ok(rebuilt) => self.memory = rebuilt.memory,
            Err(error) => tracing::error!(%error, "cannot rebuild the state of the rules"),
        }
    }

    /// Whether the disk was found full a moment ago.
    pub(crate) fn is_full(&self) -> bool {
        self.full.is_some_and(|since| since.elapsed() < FULL_PAUSE)
    }

    /// Whether findings without events could not be stored a moment ago.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some_and(|since| since.elapsed() < FULL_PAUSE)
    }

    fn refuse(&self, ready: Vec<Ready<'_>>, refusal: &Answer) {
        add(&self.counters.not_stored, ready.len());
        for Ready { reply, .. } in ready {
            answer(reply, refusal.clone());
        }
    }

    fn parse<'b>(&mut self, batch: &'b Batch<'b>, chains: &'b Chains) -> Vec<Event<'b>> {
        let mut contexts: Vec<_> =
            batch.origins.iter().map(|origin| (self.zones.context(origin), origin)).collect();
        let mut events = Vec::with_capacity(batch.records.len());
        for (origin, record) in &batch.records {
            let Some((context, origin)) = contexts.get_mut(usize::from(*origin)) else { continue };
            context.received = record.received;
            let mut event = match readable(&record.raw) {
                std::borrow::Cow::Borrowed(text) => {
                    bergfried_parse::parse(origin.kind, text, context)
                }
                std::borrow::Cow::Owned(text) => {
                    bergfried_parse::parse(origin.kind, &text, context).into_owned()
                }
            };
            if mark(&mut event, origin) {
                self.counters.claimed.add(origin.input.as_deref().unwrap_or_default());
            }
            // An event of another hub names the agent that read it.
            if !batch.agent.is_empty() && origin.kind != SourceKind::Event {
                event.set_named(FieldName::Known(Field::AgentName), batch.agent.as_str());
            }
            if record.truncated {
                add(&self.counters.cut, 1);
                add_word(&mut event, Field::LogFlags, "truncated");
            }
            if chains.apply(&mut event, context, &mut self.meter) == Verdict::Keep {
                bergfried_heimdall::stamp(&mut event);
                events.push(event);
            }
        }
        events
    }

    fn for_watchers(&self, first_id: u64, batches: &[NewBatch<'_>]) -> Vec<LiveEvent> {
        if self.live.receiver_count() == 0 {
            return Vec::new();
        }
        batches
            .iter()
            .flat_map(|batch| &batch.events)
            .zip(first_id..)
            .map(|(event, id)| LiveEvent { id, event: Arc::new(event.clone().into_owned()) })
            .collect()
    }

    /// Lets the event store forget which findings are durably in the alerts.
    pub(crate) fn note_applied(&mut self) {
        let applied = self.alerting.applied();
        if applied <= self.applied {
            return;
        }
        match self.writer.findings_applied(applied) {
            Ok(()) => self.applied = applied,
            Err(error) => tracing::error!(%error, "cannot note that findings are applied"),
        }
    }

    /// Lets what the rules remember outlive the process.
    fn remember(&mut self) {
        let Some(last) = self.last else { return };
        self.keeper.keep(Remembered {
            last,
            next_event_id: self.writer.next_event_id(),
            rules: self.memory.snapshot(),
        });
    }

    fn tick(&mut self) {
        let now = now();
        self.note_applied();
        self.heard.tick(now);
        self.pass_time(now);
        if self.keeper.is_due(self.writer.next_event_id()) {
            self.remember();
        }
        if let Err(error) = self.writer.tick(now) {
            tracing::error!(%error, "cannot seal a segment");
        }
    }
}

fn size_of(payload: &Payload) -> usize {
    match payload {
        Payload::Wire(body) => body.len(),
        Payload::Batch(batch) => raw_size(batch),
        Payload::Shared(batch) => raw_size(batch),
    }
}

fn raw_size(batch: &Batch<'_>) -> usize {
    batch.records.iter().map(|(_, record)| record.raw.len()).sum()
}

fn duplicate(batch: &Batch<'_>, committed: &Committed) -> Answer {
    Answer::Duplicate {
        batch: batch.id,
        first_event_id: committed.first_event_id,
        events: batch.records.len() as u64,
    }
}

/// The sender may have gone; the batch is stored (or not) all the same.
fn answer(reply: tokio::sync::oneshot::Sender<Answer>, answer: Answer) {
    let _gone = reply.send(answer);
}
