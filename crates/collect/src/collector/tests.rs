use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bergfried_event::{SourceKind, Timestamp};
use bergfried_pipeline::{Answer, Refused};
use bergfried_wire::Batch;

use super::*;

/// A store whose disk may be full.
#[derive(Clone, Default)]
struct Disk {
    /// How many of the next batches are refused.
    refusals: Arc<AtomicU64>,
    /// A record that can never be stored.
    poison: Option<&'static [u8]>,
    /// Answers wait while it is held.
    gate: Arc<tokio::sync::Mutex<()>>,
    stored: Arc<Mutex<Stored>>,
}

#[derive(Default)]
struct Stored {
    ids: HashSet<[u8; 16]>,
    records: Vec<(String, String)>,
    batches: usize,
}

impl Disk {
    fn try_store(&self, batch: &Batch<'_>) -> Answer {
        let refuse = |left: u64| left.checked_sub(1);
        if self.refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, refuse).is_ok() {
            return Answer::Full;
        }
        if batch.records.iter().any(|(_, record)| Some(record.raw.as_ref()) == self.poison) {
            return Answer::Invalid("poison".to_owned());
        }
        let mut stored = self.stored.lock().unwrap();
        assert!(stored.ids.insert(batch.id), "an id of its own");
        stored.batches += 1;
        for (origin, record) in &batch.records {
            let host = batch.origins[usize::from(*origin)].host.clone();
            stored.records.push((host, String::from_utf8_lossy(&record.raw).into_owned()));
        }
        let events = batch.records.len() as u64;
        Answer::Stored { batch: batch.id, first_event_id: 0, events }
    }

    fn texts(&self) -> Vec<String> {
        self.stored.lock().unwrap().records.iter().map(|(_, text)| text.clone()).collect()
    }
}

impl Sink for Disk {
    async fn submit(
        &self,
        batch: Arc<Batch<'static>>,
    ) -> Result<oneshot::Receiver<Answer>, Refused> {
        let (reply, answer) = oneshot::channel();
        let disk = self.clone();
        // One after the other, as the pipeline answers.
        let gate = Arc::clone(&self.gate).lock_owned();
        tokio::spawn(async move {
            let _turn = gate.await;
            reply.send(disk.try_store(&batch)).unwrap();
        });
        Ok(answer)
    }
}

fn origin(host: &str) -> Arc<Origin> {
    Arc::new(Origin::new(SourceKind::Syslog, "syslog/tcp", host))
}

fn record(text: &str) -> Record<'static> {
    let raw = Cow::Owned(text.as_bytes().to_vec());
    Record { raw, received: Timestamp::from_seconds(0), truncated: false }
}

#[tokio::test]
async fn records_of_many_connections_share_a_batch_and_keep_their_origin() {
    let disk = Disk::default();
    let shipping = Shipping::start(disk.clone());
    let collector = shipping.collector();
    let hosts: Vec<_> = (0..40).map(|index| origin(&format!("h{index}"))).collect();
    let mut tickets = Vec::new();
    for round in 0..3 {
        for host in &hosts {
            let records = vec![record(&format!("{} {round}", host.host))];
            tickets.push(collector.take(host, records).await.unwrap());
        }
    }
    for ticket in tickets {
        ticket.await.unwrap();
    }
    let stored = disk.stored.lock().unwrap();
    assert_eq!(stored.records.len(), 120);
    for (host, text) in &stored.records {
        assert_eq!(text.split_once(' ').unwrap().0, host);
    }
    assert!(stored.batches <= 3, "{} batches", stored.batches);
    assert_eq!(collector.counters().snapshot().messages, 120);
}

#[tokio::test(start_paused = true)]
async fn only_what_nobody_awaits_waits_for_more() {
    let shipping = Shipping::start(Disk::default());
    let collector = shipping.collector();
    let begun = tokio::time::Instant::now();
    for _ in 0..100 {
        collector.take(&origin("h"), vec![record("awaited")]).await.unwrap().await.unwrap();
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
    let mut chunk = Chunk::default();
    chunk.push(&origin("h"), record("not awaited"));
    collector.take_chunk(chunk, Lane::Stream).await.unwrap().await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(4));
}

#[tokio::test(start_paused = true)]
async fn what_is_awaited_goes_on_while_one_is_made_durable_and_then_grows() {
    let disk = Disk::default();
    let shipping = Shipping::start(disk.clone());
    let collector = shipping.collector();
    let shut = Arc::clone(&disk.gate).lock_owned().await;
    let mut tickets = Vec::new();
    for text in ["a", "b", "c", "d", "e"] {
        tickets.push(collector.take(&origin("h"), vec![record(text)]).await.unwrap());
        // The clock goes on when nothing else is left to do.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    drop(shut);
    for ticket in tickets {
        ticket.await.unwrap();
    }
    assert_eq!(disk.texts(), ["a", "b", "c", "d", "e"]);
    assert_eq!(disk.stored.lock().unwrap().batches, 3, "a, b, and the rest");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_makes_wait_and_loses_nothing() {
    let disk = Disk::default();
    disk.refusals.store(3, Ordering::SeqCst);
    let shipping = Shipping::start(disk.clone());
    let collector = shipping.collector();
    let host = origin("h");
    let ticket = collector.take(&host, vec![record("first")]).await.unwrap();
    let mut ticket = std::pin::pin!(ticket);
    assert!(tokio::time::timeout(Duration::from_millis(600), &mut ticket).await.is_err());
    assert_eq!(shipping.view().trouble(), Some("the disk is full"));
    let second = collector.take(&host, vec![record("second")]).await.unwrap();
    ticket.await.unwrap();
    second.await.unwrap();
    assert_eq!(shipping.view().trouble(), None);
    assert_eq!(disk.texts(), ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn order_is_kept_while_a_disk_is_full() {
    let disk = Disk::default();
    let shipping = Shipping::start(disk.clone());
    let collector = shipping.collector();
    let host = origin("h");
    let shut = Arc::clone(&disk.gate).lock_owned().await;
    let text = |index: usize| format!("{index:06} {}", "x".repeat(1_000));
    let mut last = None;
    for chunk in 0..50 {
        let records = (0..200).map(|index| record(&text(chunk * 200 + index))).collect();
        last = Some(collector.take(&host, records).await.unwrap());
    }
    disk.refusals.store(20, Ordering::SeqCst);
    drop(shut);
    last.unwrap().await.unwrap();
    let stored = disk.texts();
    assert_eq!(stored.len(), 10_000);
    assert!(stored.is_sorted());
}

#[tokio::test(start_paused = true)]
async fn who_brings_more_than_there_is_room_for_waits() {
    let disk = Disk::default();
    let shipping = Shipping::start(disk.clone());
    let collector = shipping.collector();
    let host = origin("h");
    let shut = Arc::clone(&disk.gate).lock_owned().await;
    let large = "x".repeat(1 << 20);
    let mut taken = 0;
    let wait = Duration::from_secs(1);
    while let Ok(ticket) =
        tokio::time::timeout(wait, collector.take(&host, vec![record(&large)])).await
    {
        drop(ticket.unwrap());
        taken += 1;
        assert!(taken < 100, "no end");
    }
    assert_eq!(taken, 47, "48 MiB hold 47 records of a little more than 1 MiB");
    let mut datagram = Chunk::default();
    datagram.push(&host, record("datagram"));
    let datagram = collector.take_chunk(datagram, Lane::Datagram).await.unwrap();
    drop(shut);
    datagram.await.unwrap();
    collector.take(&host, vec![record("after")]).await.unwrap().await.unwrap();
    assert_eq!(disk.texts().len(), taken + 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_cannot_be_stored_costs_no_other() {
    let disk = Disk { poison: Some(b"bad"), ..Disk::default() };
    let shipping = Shipping::start(disk.clone());
    let collector = shipping.collector();
    let texts = ["a", "b", "bad", "c", "d"];
    let records = texts.iter().map(|text| record(text)).collect();
    collector.take(&origin("h"), records).await.unwrap().await.unwrap();
    assert_eq!(disk.texts(), ["a", "b", "c", "d"]);
    assert_eq!(shipping.view().lost(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stop_stores_what_was_taken_and_refuses_the_rest() {
    let disk = Disk::default();
    let shipping = Shipping::start(disk.clone());
    let collector = shipping.collector();
    let ticket = collector.take(&origin("h"), vec![record("taken")]).await.unwrap();
    shipping.stop().await;
    ticket.await.unwrap();
    assert_eq!(disk.texts(), ["taken"]);
    assert_eq!(collector.take(&origin("h"), vec![record("late")]).await.unwrap_err(), Stopping);
}

#[tokio::test(start_paused = true)]
async fn a_stop_does_not_wait_for_a_disk_that_stays_full() {
    let disk = Disk::default();
    disk.refusals.store(u64::MAX, Ordering::SeqCst);
    let shipping = Shipping::start(disk.clone());
    let ticket = shipping.collector().take(&origin("h"), vec![record("x")]).await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    shipping.stop().await;
    assert_eq!(ticket.await, Err(Stopping));
}
