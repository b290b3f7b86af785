//! Clients that send, break and send again, against a store that can be held.

use std::sync::Mutex;

use bergfried_event::{Peer, SourceKind};
use bergfried_pipeline::{Answer, Refused};
use bergfried_wire::Batch;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::collector::Shipping;
use crate::shipping::Sink;

/// A store that keeps the texts of its records; nothing becomes durable while its gate is held.
#[derive(Clone, Default)]
struct Disk {
    gate: Arc<tokio::sync::Mutex<()>>,
    stored: Arc<Mutex<Vec<String>>>,
}

impl Sink for Disk {
    async fn submit(
        &self,
        batch: Arc<Batch<'static>>,
    ) -> Result<oneshot::Receiver<Answer>, Refused> {
        let (reply, answer) = oneshot::channel();
        let disk = self.clone();
        tokio::spawn(async move {
            let _open = disk.gate.lock().await;
            let texts = batch.records.iter().map(|(_, record)| &record.raw);
            let texts = texts.map(|raw| String::from_utf8(raw.to_vec()).unwrap());
            disk.stored.lock().unwrap().extend(texts);
            let events = batch.records.len() as u64;
            let _gone = reply.send(Answer::Stored { batch: batch.id, first_event_id: 0, events });
        });
        Ok(answer)
    }
}

struct Hub {
    disk: Disk,
    shipping: Shipping,
    memory: Arc<Memory>,
    stop: watch::Sender<bool>,
}

impl Hub {
    fn new() -> Hub {
        let disk = Disk::default();
        Hub {
            shipping: Shipping::start(disk.clone()),
            disk,
            memory: Arc::default(),
            stop: watch::Sender::new(false),
        }
    }

    fn connect(&self) -> (DuplexStream, JoinHandle<Result<(), Fault>>) {
        let (ours, theirs) = tokio::io::duplex(4_096);
        let collector = self.shipping.collector();
        let (memory, stopping) = (Arc::clone(&self.memory), self.stop.subscribe());
        let served = tokio::spawn(async move {
            let address = "192.0.2.1:40000".parse().ok();
            let origin = Arc::new(Origin {
                peer: Some(Peer { address, name: None }),
                ..Origin::new(SourceKind::Syslog, crate::relp::PATH, "192.0.2.1")
            });
            let terms = Terms {
                collector: &collector,
                memory: &memory,
                max_message: 1_000,
                idle_timeout: None,
                stopping,
            };
            serve(theirs, None, &origin, terms).await
        });
        (ours, served)
    }

    fn stored(&self) -> Vec<String> {
        self.disk.stored.lock().unwrap().clone()
    }
}

const OPEN: &str = "1 open 14 relp_version=0\n";

fn syslog(txnr: u32, text: &str) -> String {
    format!("{txnr} syslog {} {text}\n", text.len())
}

/// Reads until what was read ends so.
async fn heard(stream: &mut DuplexStream, end: &str) -> String {
    let mut heard = Vec::new();
    let mut byte = [0];
    while !heard.ends_with(end.as_bytes()) {
        stream.read_exact(&mut byte).await.unwrap();
        heard.push(byte[0]);
    }
    String::from_utf8(heard).unwrap()
}

#[tokio::test(start_paused = true)]
async fn answers_follow_what_is_durable() {
    let hub = Hub::new();
    let (mut client, served) = hub.connect();
    let gate = hub.disk.gate.lock().await;
    client
        .write_all(format!("{OPEN}{}{}", syslog(2, "a"), syslog(3, "b")).as_bytes())
        .await
        .unwrap();
    assert!(heard(&mut client, "commands=syslog\n").await.starts_with("1 rsp "));
    let mut byte = [0];
    let none = tokio::time::timeout(Duration::from_secs(60), client.read_exact(&mut byte));
    assert!(none.await.is_err(), "nothing is answered before it is durable");
    client.write_all(b"4 close 0\n").await.unwrap();
    drop(gate);
    assert_eq!(
        heard(&mut client, "serverclose 0\n").await,
        "2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 0\n0 serverclose 0\n"
    );
    served.await.unwrap().unwrap();
    assert_eq!(hub.stored(), ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_stored_once() {
    let hub = Hub::new();
    let gate = hub.disk.gate.lock().await;
    let (mut client, served) = hub.connect();
    client
        .write_all(format!("{OPEN}{}{}", syslog(2, "a"), syslog(3, "b")).as_bytes())
        .await
        .unwrap();
    heard(&mut client, "syslog\n").await;
    drop(client);
    let (mut client, again) = hub.connect();
    let resent = [syslog(2, "a"), syslog(3, "b"), syslog(4, "c")].concat();
    client.write_all(format!("{OPEN}{resent}").as_bytes()).await.unwrap();
    heard(&mut client, "syslog\n").await;
    let mut byte = [0];
    let none = tokio::time::timeout(Duration::from_secs(60), client.read_exact(&mut byte));
    assert!(none.await.is_err(), "the first session's messages are not durable yet");
    drop(gate);
    assert_eq!(
        heard(&mut client, "4 rsp 6 200 OK\n").await,
        "2 rsp 6 200 OK\n3 rsp 6 200 OK\n4 rsp 6 200 OK\n"
    );
    assert!(matches!(served.await.unwrap(), Err(Fault::Unclosed)));
    // The same lines after a close are new ones.
    client.write_all(b"5 close 0\n").await.unwrap();
    heard(&mut client, "serverclose 0\n").await;
    again.await.unwrap().unwrap();
    let (mut client, _) = hub.connect();
    client.write_all(format!("{OPEN}{}", syslog(2, "c")).as_bytes()).await.unwrap();
    heard(&mut client, "2 rsp 6 200 OK\n").await;
    assert_eq!(hub.stored(), ["a", "b", "c", "c"]);
    assert_eq!(hub.shipping.collector().counters().snapshot().resent, 2);
}

#[tokio::test(start_paused = true)]
async fn a_line_that_comes_again_but_does_not_end_the_run_is_stored() {
    let hub = Hub::new();
    let (mut client, served) = hub.connect();
    client
        .write_all(format!("{OPEN}{}{}", syslog(2, "a"), syslog(3, "b")).as_bytes())
        .await
        .unwrap();
    heard(&mut client, "3 rsp 6 200 OK\n").await;
    drop(client);
    assert!(served.await.unwrap().is_err());
    let (mut client, _) = hub.connect();
    client.write_all(format!("{OPEN}{}", syslog(2, "a")).as_bytes()).await.unwrap();
    heard(&mut client, "2 rsp 6 200 OK\n").await;
    assert_eq!(hub.stored(), ["a", "b", "a"]);
}

#[tokio::test(start_paused = true)]
async fn a_client_waits_while_nothing_becomes_durable() {
    let hub = Hub::new();
    let gate = hub.disk.gate.lock().await;
    let (mut client, _served) = hub.connect();
    client.write_all(OPEN.as_bytes()).await.unwrap();
    let text = "x".repeat(900);
    let mut sent = 0;
    for txnr in 2.. {
        let message = syslog(txnr, &text);
        let wait = Duration::from_secs(10);
        if tokio::time::timeout(wait, client.write_all(message.as_bytes())).await.is_err() {
            break;
        }
        sent += message.len();
        assert!(sent < 2 << 20, "it is read without a bound");
    }
    drop(gate);
}

#[tokio::test(start_paused = true)]
async fn faults_and_the_stop_are_said() {
    let hub = Hub::new();
    for bytes in ["<13>no relp\n", "1 open 14 relp_version=0\n7 syslog 1 x\n"] {
        let (mut client, served) = hub.connect();
        client.write_all(bytes.as_bytes()).await.unwrap();
        heard(&mut client, "0 serverclose 0\n").await;
        assert!(matches!(served.await.unwrap(), Err(Fault::Protocol(_))));
    }
    let (mut client, served) = hub.connect();
    client.write_all(format!("{OPEN}{}", syslog(2, "a")).as_bytes()).await.unwrap();
    heard(&mut client, "2 rsp 6 200 OK\n").await;
    hub.stop.send_replace(true);
    heard(&mut client, "0 serverclose 0\n").await;
    assert!(matches!(served.await.unwrap(), Err(Fault::Stopping(_))));
    assert_eq!(hub.stored(), ["a"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_uncertain_is_held_only_so_long() {
    let hub = Hub::new();
    let (mut client, served) = hub.connect();
    let same = |count: u32| (2..2 + count).map(|txnr| syslog(txnr, "same")).collect::<String>();
    client.write_all(format!("{OPEN}{}", same(100)).as_bytes()).await.unwrap();
    heard(&mut client, "101 rsp 6 200 OK\n").await;
    drop(client);
    assert!(served.await.unwrap().is_err());
    // A drop now and then, each of which might be one of them again.
    let (mut client, _served) = hub.connect();
    client.write_all(OPEN.as_bytes()).await.unwrap();
    heard(&mut client, "syslog\n").await;
    let begun = Instant::now();
    let mut byte = [0];
    for txnr in 2..60 {
        client.write_all(syslog(txnr, "same").as_bytes()).await.unwrap();
        let wait = Duration::from_millis(600);
        if tokio::time::timeout(wait, client.read_exact(&mut byte)).await.is_ok() {
            break;
        }
    }
    assert!(begun.elapsed() < HELD_TIME + Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn room_is_taken_before_it_is_read_and_comes_back() {
    let hub = Hub::new();
    let collector = hub.shipping.collector();
    let gate = hub.disk.gate.lock().await;
    let chunks = std::iter::from_fn(|| {
        let mut chunk = Chunk::default();
        let raw = vec![b'x'; 1 << 20].into();
        let record = Record { raw, received: now(), truncated: false };
        chunk.push(&Arc::new(Origin::new(SourceKind::Syslog, "syslog/tcp", "h")), record);
        Some(chunk)
    });
    for chunk in chunks {
        let taken = collector.take_chunk(chunk, Lane::Stream);
        if tokio::time::timeout(Duration::from_secs(1), taken).await.is_err() {
            break;
        }
    }
    let mut fill = Chunk::default();
    let raw = vec![b'x'; 900 << 10].into();
    let record = Record { raw, received: now(), truncated: false };
    fill.push(&Arc::new(Origin::new(SourceKind::Syslog, "syslog/tcp", "h")), record);
    let _last =
        tokio::time::timeout(Duration::from_secs(1), collector.take_chunk(fill, Lane::Stream))
            .await;
    let (mut client, _served) = hub.connect();
    // The pipe between takes 4 KiB: nothing of it is read.
    let text = syslog(2, &"x".repeat(900));
    client.write_all(format!("{OPEN}{text}").as_bytes()).await.unwrap();
    let mut byte = [0];
    let none = tokio::time::timeout(Duration::from_secs(60), client.read_exact(&mut byte));
    assert!(none.await.is_err(), "it is not read while there is no room");
    drop(gate);
    heard(&mut client, "2 rsp 6 200 OK\n").await;
}
