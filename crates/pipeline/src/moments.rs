//! What rules of SEC find when time passes, or when a command answers: findings that belong to no
//! batch.
//!
//! Each is committed as a batch of its own without events, before the next event is. The batch is named
//! after the finding and its place between two events, so that a hub that was killed and finds the same
//! once more does not say it twice.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bergfried_event::{Finding, Timestamp};
use bergfried_store::{BatchId, NewBatch};

use crate::commit::Committer;
use crate::counters::add;
use crate::outside::act_all;

impl Committer {
    /// Lets time pass for rules while no event comes.
    pub(crate) fn pass_time(&mut self, now: Timestamp) {
        if self.memory.sec().is_empty() || self.cannot_store() {
            return;
        }
        let mut findings = Vec::new();
        self.memory.sec().advance(now, Some(&mut findings));
        let mut batches = self.unsaid(findings, now);
        let mut findings = Vec::new();
        for back in self.outside.back() {
            self.memory.sec().back(back, now, &mut findings);
        }
        // What a command says is not said again: no second hub would hear it.
        batches.extend(findings.into_iter().map(|finding| batch(random_id(), finding, now)));
        self.commit_moments(batches, now);
    }

    /// Whether nothing can be stored for now, so that time has to wait.
    fn cannot_store(&self) -> bool {
        self.is_full() || self.has_failed() || !self.alerting.has_room(Duration::ZERO)
    }

    /// The findings that time brought before the next event is, without those that were committed
    /// before the hub was killed.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<Finding> {
        if self.memory.sec().is_empty() {
            return Vec::new();
        }
        let mut findings = Vec::new();
        self.memory.sec().advance(now, Some(&mut findings));
        let batches = self.unsaid(findings, now).into_iter();
        batches.flat_map(|batch| batch.findings.to_vec()).collect()
    }

    fn unsaid(&self, findings: Vec<Finding>, now: Timestamp) -> Vec<NewBatch<'static>> {
        let place = self.writer.next_event_id();
        let ids = ids(place, &findings);
        let batches = ids.into_iter().zip(findings).map(|(id, finding)| batch(id, finding, now));
        batches.filter(|batch| self.writer.seen(&batch.id).is_none()).collect()
    }

    fn commit_moments(&mut self, batches: Vec<NewBatch<'static>>, now: Timestamp) {
        let acts = self.memory.sec().take_acts();
        if !batches.is_empty() {
            let ids: Vec<BatchId> = batches.iter().map(|batch| batch.id).collect();
            let findings: Vec<Arc<[Finding]>> =
                batches.iter().map(|batch| Arc::clone(&batch.findings)).collect();
            match self.writer.append(batches) {
                Ok(committed) => {
                    for ((id, committed), findings) in ids.into_iter().zip(committed).zip(findings)
                    {
                        add(&self.counters.findings, findings.len());
                        self.desk.stored(&findings);
                        self.alerting.apply_findings(committed.sequence, findings);
                        self.last = Some((id, committed));
                    }
                }
                // Time is found again, and the rules act then.
                Err(error) => {
                    tracing::error!(%error, "cannot store what rules found as time passed");
                    self.forget();
                    self.failed = Some(Instant::now());
                    return;
                }
            }
        }
        act_all(acts, &self.alerting, &mut *self.outside);
        self.desk.count_sec(self.memory.sec(), now);
        self.note_applied();
    }
}

fn batch(id: BatchId, finding: Finding, now: Timestamp) -> NewBatch<'static> {
    NewBatch { id, ingested: now, events: Vec::new(), findings: Arc::from([finding]) }
}

/// A name for each finding at this place between two events. Those that are alike are counted.
fn ids(place: u64, findings: &[Finding]) -> Vec<BatchId> {
    let mut known: Vec<[u8; 32]> = Vec::with_capacity(findings.len());
    let mut ids = Vec::with_capacity(findings.len());
    for finding in findings {
        // A finding is always JSON.
        let text = serde_json::to_vec(finding).unwrap_or_default();
        let hash = *blake3::hash(&text).as_bytes();
        let alike = known.iter().filter(|known| **known == hash).count() as u64;
        known.push(hash);
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"bergfried sec moment");
        hasher.update(&place.to_le_bytes());
        hasher.update(&hash);
        hasher.update(&alike.to_le_bytes());
        let mut id = [0; 16];
        hasher.finalize_xof().fill(&mut id);
        ids.push(BatchId(id));
    }
    ids
}

fn random_id() -> BatchId {
    let mut id = [0; 16];
    if let Err(error) = getrandom::fill(&mut id) {
        tracing::error!(%error, "cannot name a batch by chance");
    }
    BatchId(id)
}
