//! A small hub for tests: keeps batches in memory, once each, and can be told to misbehave.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use bergfried_wire::{Limits, decode, decompress, id_to_hex};

pub(crate) const TOKEN: &str = "token-of-the-test";

/// What the hub does to its n-th request.
pub(crate) type Mood = dyn Fn(u64) -> Answer + Send + Sync;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Store and say so.
    Store,
    /// Store, then hang up without a word.
    StoreAndHangUp,
    /// Do not store; this status.
    Status(u16),
}

#[derive(Clone)]
pub(crate) struct Hub {
    pub(crate) address: SocketAddr,
    stored: Arc<Mutex<Stored>>,
    pub(crate) requests: Arc<AtomicU64>,
}

#[derive(Default)]
struct Stored {
    batches: BTreeMap<String, usize>,
    duplicates: usize,
    lines: Vec<StoredLine>,
}

#[derive(Clone, Debug)]
pub(crate) struct StoredLine {
    pub(crate) path: String,
    pub(crate) raw: Vec<u8>,
    pub(crate) truncated: bool,
}

impl Hub {
    pub(crate) fn start(mood: Box<Mood>) -> Hub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let hub = Hub {
            address: listener.local_addr().unwrap(),
            stored: Arc::default(),
            requests: Arc::default(),
        };
        let (serving, mood) = (hub.clone(), Arc::<Mood>::from(mood));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (hub, mood) = (serving.clone(), Arc::clone(&mood));
                thread::spawn(move || hub.serve(stream.unwrap(), &*mood));
            }
        });
        hub
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn lines(&self) -> Vec<StoredLine> {
        self.stored.lock().unwrap().lines.clone()
    }

    pub(crate) fn line_count(&self) -> usize {
        self.stored.lock().unwrap().lines.len()
    }

    pub(crate) fn duplicates(&self) -> usize {
        self.stored.lock().unwrap().duplicates
    }

    /// Waits until so many lines are stored; panics when that takes too long.
    pub(crate) fn wait_for(&self, lines: usize, limit: Duration) {
        let begun = Instant::now();
        while self.line_count() < lines {
            assert!(
                begun.elapsed() < limit,
                "only {} of {lines} lines arrived in {limit:?}",
                self.line_count()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn serve(&self, stream: TcpStream, mood: &Mood) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut stream = stream;
        while let Some((head, body)) = read_request(&mut reader) {
            let number = self.requests.fetch_add(1, Ordering::SeqCst);
            assert!(head.starts_with("POST /api/v1/batches "), "{head}");
            assert!(head.contains(&format!("authorization: Bearer {TOKEN}")), "{head}");
            let answer = mood(number);
            let reply = match answer {
                Answer::Status(status) => format!(
                    "HTTP/1.1 {status} No\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{{}}"
                ),
                Answer::Store | Answer::StoreAndHangUp => {
                    let receipt = self.store(&body);
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{receipt}", receipt.len())
                }
            };
            if answer == Answer::StoreAndHangUp || stream.write_all(reply.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn store(&self, body: &[u8]) -> String {
        let plain = decompress(body, 64 << 20).unwrap();
        let batch = decode(&plain, &Limits::default()).unwrap();
        let id = id_to_hex(&batch.id);
        let mut stored = self.stored.lock().unwrap();
        let records = batch.records.len();
        let status = if stored.batches.insert(id.clone(), records).is_some() {
            stored.duplicates += 1;
            "duplicate"
        } else {
            for (origin, record) in &batch.records {
                stored.lines.push(StoredLine {
                    path: batch.origins[usize::from(*origin)].path.clone(),
                    raw: record.raw.to_vec(),
                    truncated: record.truncated,
                });
            }
            "stored"
        };
        format!(r#"{{"status":"{status}","batch":"{id}","records":{records}}}"#)
    }
}

/// The head with header names in lower case, and the body; None when the agent hung up.
fn read_request(reader: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        if value.is_empty() || head.is_empty() {
            head.push_str(&line);
        } else {
            head.push_str(&format!("{}:{value}", name.to_ascii_lowercase()));
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
