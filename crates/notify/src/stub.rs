//! A server for tests that answers as it is told and keeps what it was asked.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::Value;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The header lines, names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

type Answers = dyn FnMut(&Asked) -> String + Send;

/// Runs until the test ends.
pub(crate) struct Stub {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Stub {
    /// Answers over plain HTTP, each time with a whole answer, status line first.
    pub(crate) fn start(answer: impl FnMut(&Asked) -> String + Send + 'static) -> Stub {
        Stub::serve(None, Box::new(answer))
    }

    /// The same over TLS, with this certificate and key in PEM.
    pub(crate) fn start_tls(certificate: &[u8], key: &[u8]) -> Stub {
        let chain = CertificateDer::pem_slice_iter(certificate).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Stub::serve(Some(Arc::new(config)), Box::new(|_| ok("{}")))
    }

    fn serve(tls: Option<Arc<rustls::ServerConfig>>, mut answer: Box<Answers>) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https://localhost" } else { "http://127.0.0.1" };
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                match &tls {
                    None => talk(stream, &kept, &mut answer),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(Arc::clone(config)).unwrap();
                        talk(rustls::StreamOwned::new(connection, stream), &kept, &mut answer);
                    }
                }
            }
        });
        Stub { url: format!("{scheme}:{port}"), asked }
    }

    /// What was asked since the last time.
    pub(crate) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

/// An answer of success.
pub(crate) fn ok(body: &str) -> String {
    answer("200 OK", "", body)
}

/// An answer; `headers` are whole lines.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

/// One request and its answer.
fn talk(mut stream: impl Read + Write, kept: &Mutex<Vec<Asked>>, answer: &mut Answers) {
    let Some(asked) = read(&mut stream) else { return };
    let answer = answer(&asked);
    // Kept before it is answered, so that a test finds it when the sender is done.
    kept.lock().unwrap().push(asked);
    let _gone = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}

fn read(stream: &mut impl Read) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let count = stream.read(&mut buffer).ok()?;
        bytes.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let mut words = lines.next()?.split(' ');
            let header = |line: &str| {
                let (name, value) = line.split_once(": ")?;
                Some((name.to_lowercase(), value.to_owned()))
            };
            let asked = Asked {
                method: words.next()?.to_owned(),
                path: words.next()?.to_owned(),
                headers: lines.filter_map(header).collect(),
                body: body.to_owned(),
            };
            let length: usize = asked.header("content-length").parse().unwrap_or(0);
            if body.len() >= length {
                return Some(asked);
            }
        }
        if count == 0 {
            return None;
        }
    }
}
