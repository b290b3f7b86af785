//! What sessions took, so that what their clients send again is known.
//!
//! The memory lives as long as the hub. After a restart it is filled from the store (`rebuilt.rs`).

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bergfried_event::readable;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::watch;

use crate::collector::Stopping;
use crate::relp::resent::{Tail, WINDOW};

/// How many sessions that ended without `close` are remembered, over all peers.
const ENDED: usize = 1_024;
/// How many sessions of one peer are compared with a new one, the newest.
const COMPARED: usize = 64;
/// How long a new session waits for one of the same peer whose connection has ended, to read what
/// is left of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who sends: what a client keeps over its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client {
    /// The name of the input.
    pub(crate) input: String,
    /// The name in the certificate, or the address without its port.
    pub(crate) who: String,
}

/// One session, open or ended.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    tail: Mutex<Tail>,
    progress: watch::Sender<Progress>,
    has_ended: watch::Sender<bool>,
    /// Its connection, for a look at whether the client is gone.
    socket: Mutex<Option<OwnedFd>>,
}

/// How many messages of a session were taken and are durable.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    taken: usize,
    durable: usize,
    /// What is not durable will not be: the hub stops.
    is_given_up: bool,
}

/// The sessions that a client may send something of again.
#[derive(Debug, Default)]
pub struct Memory {
    hasher: RandomState,
    sessions: Mutex<Sessions>,
    forgotten: AtomicU64,
}

#[derive(Debug, Default)]
struct Sessions {
    of: HashMap<Client, Vec<Arc<Session>>>,
    /// Those that ended, the earliest first.
    ended: VecDeque<Arc<Session>>,
}

impl Memory {
    /// What stands for a message: the hash of its text, as the store keeps it.
    pub(crate) fn hash(&self, message: &[u8]) -> u64 {
        self.hasher.hash_one(readable(message).as_ref())
    }

    /// A new session, and the earlier ones of its client: once those whose connections have ended
    /// have taken what was left in them. None where that lasts too long.
    pub(crate) async fn begin(
        &self,
        client: Client,
        socket: Option<OwnedFd>,
    ) -> Option<(Arc<Session>, Vec<Arc<Session>>)> {
        let earlier = self.of(&client);
        for session in &earlier {
            if session.is_gone() {
                let mut has_ended = session.has_ended.subscribe();
                let ended = has_ended.wait_for(|ended| *ended);
                tokio::time::timeout(PATIENCE, ended).await.ok()?.ok()?;
            }
        }
        let session = Arc::new(Session::new(client.clone(), Tail::default(), socket));
        let mut sessions = self.locked();
        sessions.of.entry(client).or_default().push(Arc::clone(&session));
        Some((session, earlier))
    }

    /// A session ended. After `close` its client sends nothing of it again.
    pub(crate) fn end(&self, session: &Arc<Session>, is_closed: bool) {
        session.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut sessions = self.locked();
        if is_closed || session.tail().hashes.is_empty() {
            sessions.forget(session);
        } else {
            self.forgotten.fetch_add(sessions.keep(session), Ordering::Relaxed);
        }
        drop(sessions);
        session.has_ended.send_replace(true);
    }

    /// What a session had taken was sent again: nothing of it will come once more.
    pub(crate) fn forget(&self, session: &Arc<Session>) {
        self.locked().forget(session);
    }

    /// A session of before the restart, of which the store holds these messages.
    pub(crate) fn remember(&self, client: Client, hashes: VecDeque<u64>) {
        let tail = Tail { hashes, has_gaps: true };
        let session = Arc::new(Session::new(client.clone(), tail, None));
        session.has_ended.send_replace(true);
        let mut sessions = self.locked();
        sessions.of.entry(client).or_default().push(Arc::clone(&session));
        self.forgotten.fetch_add(sessions.keep(&session), Ordering::Relaxed);
    }

    /// How many sessions were forgotten before their clients came back, for lack of room.
    pub fn forgotten(&self) -> u64 {
        self.forgotten.load(Ordering::Relaxed)
    }

    fn of(&self, client: &Client) -> Vec<Arc<Session>> {
        let sessions = self.locked();
        let all = sessions.of.get(client).map(Vec::as_slice).unwrap_or_default();
        all.get(all.len().saturating_sub(COMPARED)..).unwrap_or_default().to_vec()
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sessions {
    fn forget(&mut self, session: &Arc<Session>) {
        if let Some(of) = self.of.get_mut(&session.client) {
            of.retain(|known| !Arc::ptr_eq(known, session));
            if of.is_empty() {
                self.of.remove(&session.client);
            }
        }
        self.ended.retain(|known| !Arc::ptr_eq(known, session));
    }

    /// Keeps an ended session, in place of the one that ended first; gives how many had to go.
    fn keep(&mut self, session: &Arc<Session>) -> u64 {
        self.ended.push_back(Arc::clone(session));
        let mut gone = 0;
        while self.ended.len() > ENDED {
            let Some(oldest) = self.ended.pop_front() else { break };
            self.forget(&oldest);
            gone += 1;
        }
        gone
    }
}

impl Session {
    fn new(client: Client, tail: Tail, socket: Option<OwnedFd>) -> Session {
        Session {
            client,
            tail: Mutex::new(tail),
            progress: watch::Sender::new(Progress::default()),
            has_ended: watch::Sender::new(false),
            socket: Mutex::new(socket),
        }
    }

    /// What it took last.
    pub(crate) fn tail(&self) -> Tail {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes messages that are handed over now, in their order.
    pub(crate) fn took(&self, hashes: Vec<u64>) {
        let messages = hashes.len();
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        for hash in hashes {
            if tail.hashes.len() >= WINDOW {
                tail.hashes.pop_front();
            }
            tail.hashes.push_back(hash);
        }
        drop(tail);
        self.progress.send_modify(|progress| progress.taken += messages);
    }

    /// So many of them are durable.
    pub(crate) fn stored(&self, messages: usize) {
        self.progress.send_modify(|progress| progress.durable += messages);
    }

    /// The others of them will not be durable.
    pub(crate) fn give_up(&self) {
        self.progress.send_modify(|progress| progress.is_given_up = true);
    }

    /// Returns when everything that it took so far is durable; what it takes meanwhile, if it lives
    /// on, is not waited for.
    pub(crate) async fn durable(&self) -> Result<(), Stopping> {
        let mut progress = self.progress.subscribe();
        let taken = progress.borrow().taken;
        let is_over = |progress: &Progress| progress.durable >= taken || progress.is_given_up;
        let reached = progress.wait_for(is_over).await.map_err(|_| Stopping)?;
        if reached.durable >= taken { Ok(()) } else { Err(Stopping) }
    }

    /// Whether the client has ended the connection and that was not noticed yet, because what came
    /// before still waits to be read.
    fn is_gone(&self) -> bool {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(socket) = socket.as_ref() else { return false };
        let mut polled = [PollFd::new(socket, PollFlags::RDHUP)];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut polled, Some(&at_once)).is_ok_and(|ready| ready > 0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    fn client(who: &str) -> Client {
        Client { input: "home".to_owned(), who: who.to_owned() }
    }

    #[tokio::test]
    async fn sessions_are_kept_until_they_are_closed_or_repeated() {
        let memory = Memory::default();
        let (first, earlier) = memory.begin(client("a"), None).await.unwrap();
        assert!(earlier.is_empty());
        first.took((0..WINDOW as u64 + 3).collect());
        first.stored(WINDOW + 1);
        let tail = first.tail();
        assert_eq!((tail.hashes.len(), tail.hashes.front()), (WINDOW, Some(&3)));
        let (second, earlier) = memory.begin(client("a"), None).await.unwrap();
        assert!(Arc::ptr_eq(&earlier[0], &first), "also one that is open");
        memory.end(&second, false);
        memory.end(&first, false);
        assert_eq!(memory.begin(client("b"), None).await.unwrap().1.len(), 0);
        let (third, earlier) = memory.begin(client("a"), None).await.unwrap();
        assert_eq!(earlier.len(), 1, "one that took nothing is not kept");
        tokio::select! {
            biased;
            _ = first.durable() => panic!("two are under way"),
            () = std::future::ready(()) => first.stored(2),
        }
        first.durable().await.unwrap();
        first.took(vec![1]);
        let waiting = first.durable();
        tokio::pin!(waiting);
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("one is under way"),
            () = std::future::ready(()) => {}
        }
        first.took(vec![2]);
        first.stored(1);
        waiting.await.expect("what came later is not waited for");
        first.give_up();
        assert_eq!(first.durable().await, Err(Stopping), "nor what will not be");
        memory.forget(&first);
        third.took(vec![7]);
        memory.end(&third, true);
        assert!(memory.of(&client("a")).is_empty());
        for number in 0..=ENDED {
            memory.remember(client(&number.to_string()), VecDeque::from([1]));
        }
        assert_eq!((memory.forgotten(), memory.of(&client("0")).len()), (1, 0));
        assert_eq!(memory.of(&client("1")).len(), 1);
    }

    #[tokio::test]
    async fn a_new_session_waits_for_what_is_left_of_one_that_is_gone() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let taken = listener.accept().unwrap().0;
        let memory = Memory::default();
        let (first, _) = memory.begin(client("a"), Some(OwnedFd::from(taken))).await.unwrap();
        peer.write_all(b"unread").unwrap();
        assert!(memory.begin(client("a"), None).await.is_some(), "it lives");
        peer.shutdown(Shutdown::Write).unwrap();
        let begun = memory.begin(client("a"), None);
        tokio::pin!(begun);
        tokio::select! {
            biased;
            _ = &mut begun => panic!("something is left to be read"),
            () = std::future::ready(()) => memory.end(&first, false),
        }
        assert!(begun.await.is_some());
    }
}
