//! A server that takes webhooks, or refuses them as it is told.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use super::wait_for;

/// What the server does with a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Take,
    /// Answers this status, with a `Retry-After` of so many seconds.
    Refuse(u16, Option<u32>),
    /// Takes the request and never answers.
    Hang,
}

#[derive(Clone, Debug)]
pub(crate) struct Webhook {
    pub(crate) at: Instant,
    pub(crate) raw: String,
    pub(crate) json: Value,
}

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    mood: Arc<Mutex<Mood>>,
    got: Arc<Mutex<Vec<Webhook>>>,
}

impl Receiver {
    pub(crate) fn start(mood: Mood) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Receiver {
            url: format!("http://{}/hooks/secret-of-the-hook", listener.local_addr().unwrap()),
            mood: Arc::new(Mutex::new(mood)),
            got: Arc::default(),
        };
        let serving = receiver.clone();
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(&stream));
            }
        });
        receiver
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Every webhook that came, whatever it was answered.
    pub(crate) fn got(&self) -> Vec<Webhook> {
        self.got.lock().unwrap().clone()
    }

    pub(crate) fn wait(&self, count: usize) -> Vec<Webhook> {
        wait_for(&format!("{count} webhooks"), || Some(self.got()).filter(|got| got.len() >= count))
    }

    fn serve(&self, stream: &TcpStream) {
        let mut reader = BufReader::new(stream);
        loop {
            let (mut length, mut line) = (0, String::new());
            while line != "\r\n" {
                line.clear();
                if !reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                    return;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            if reader.read_exact(&mut body).is_err() {
                return;
            }
            let at = Instant::now();
            let json = serde_json::from_slice(&body).unwrap();
            let raw = String::from_utf8(body).unwrap();
            let mood = *self.mood.lock().unwrap();
            self.got.lock().unwrap().push(Webhook { at, raw, json });
            let answer = match mood {
                Mood::Take => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_owned(),
                Mood::Refuse(status, after) => {
                    let after = after.map(|after| format!("Retry-After: {after}\r\n"));
                    let after = after.unwrap_or_default();
                    format!("HTTP/1.1 {status} No\r\n{after}Content-Length: 0\r\n\r\n")
                }
                Mood::Hang => {
                    // Until the other side has had enough.
                    let _ended = reader.read(&mut [0]);
                    return;
                }
            };
            if (&mut &*stream).write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}
