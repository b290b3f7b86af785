//! An address that stays while the hub behind it comes and goes on ports of its own.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::http::address;

pub(crate) struct Relay {
    pub(crate) url: String,
    to: Arc<Mutex<String>>,
}

impl Relay {
    /// Leads nowhere yet: connections are ended at once.
    pub(crate) fn start() -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = Arc::new(Mutex::new(String::new()));
        let target = Arc::clone(&to);
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let target = target.lock().unwrap().clone();
                let Ok(far) = TcpStream::connect(target) else { continue };
                pass(near.try_clone().unwrap(), far.try_clone().unwrap());
                pass(far, near);
            }
        });
        Relay { url, to }
    }

    pub(crate) fn lead_to(&self, url: &str) {
        *self.to.lock().unwrap() = address(url).to_owned();
    }
}

/// Hands bytes on until either side ends, then ends both.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let mut piece = [0; 65_536];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            if to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        let _ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}
