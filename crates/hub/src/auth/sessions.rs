//! Who is signed in to the console: sessions by the secret in a cookie.
//!
//! Held in memory, kept in the control store under a hash of the secret. A session is over when it was
//! not used for a time, at an age, when it is ended, and when its user has become another since: a new
//! password, other roles, inactive, gone. The token that proves that a request comes from the console's
//! own pages follows from the secret, so it is kept nowhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::{HeaderMap, header};
use bergfried_control::{Control, ControlError, Secret, SessionRow};
use bergfried_event::Timestamp;
use subtle::ConstantTimeEq as _;
use tokio::sync::watch;

use super::settings::SessionTimes;

/// The name of the cookie.
const COOKIE: &str = "bergfried_session";
/// A secret is 43 characters; longer texts are none.
const MAX_SECRET: usize = 64;
/// The most sessions of one user, and of all.
const MAX_OWN: usize = 32;
const MAX_ALL: usize = 10_000;
/// How old the noted use may get before it is written anew.
const USE_RESOLUTION: i64 = 60 * Timestamp::SECOND;

/// What the secrets of sessions are kept under.
pub(crate) type Digest = [u8; 32];

/// Everybody's sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    control: Arc<Control>,
    times: SessionTimes,
    open: Mutex<HashMap<Digest, Open>>,
    /// Rises whenever a session is ended.
    changes: watch::Sender<u64>,
}

#[derive(Clone, Debug)]
struct Open {
    row: SessionRow,
    /// The use that is written.
    written: Timestamp,
}

/// Where a session is from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) address: String,
    pub(crate) browser: String,
}

impl Sessions {
    /// Reads what the control store keeps, and forgets there what is over.
    ///
    /// # Errors
    /// Where the control store fails.
    pub(crate) fn load(
        control: Arc<Control>,
        times: SessionTimes,
        now: Timestamp,
    ) -> Result<Sessions, ControlError> {
        let rows = control.sessions()?;
        let (open, over): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| !times.is_over(row, now));
        control.delete_sessions(&over.iter().map(|row| row.id).collect::<Vec<_>>())?;
        let open = open.into_iter().map(|row| (row.hash, Open { written: row.last_used, row }));
        let open = Mutex::new(open.collect());
        Ok(Sessions { control, times, open, changes: watch::Sender::new(0) })
    }

    /// Opens a session of a user who is as `stamp` says; the longest unused one makes room.
    ///
    /// # Errors
    /// Where it cannot be kept.
    pub(crate) fn open(
        &self,
        user: &str,
        stamp: Digest,
        origin: &Origin,
        now: Timestamp,
    ) -> Result<Secret, ControlError> {
        let secret = Secret::random()?;
        let mut row = SessionRow {
            id: 0,
            hash: hash(secret.expose()),
            user: user.to_owned(),
            stamp,
            created: now,
            last_used: now,
            address: origin.address.clone(),
            browser: origin.browser.clone(),
        };
        row.id = self.control.add_session(&row)?;
        let ended = {
            let mut open = self.lock();
            let mut ended: Vec<u64> = Vec::new();
            let mut end = |open: &mut HashMap<Digest, Open>, hash: Digest| {
                ended.extend(open.remove(&hash).map(|session| session.row.id));
            };
            let over: Vec<Digest> = open
                .values()
                .filter(|session| self.times.is_over(&session.row, now))
                .map(|session| session.row.hash)
                .collect();
            for hash in over {
                end(&mut open, hash);
            }
            while let Some(hash) = surplus(&open, user) {
                end(&mut open, hash);
            }
            open.insert(row.hash, Open { written: now, row });
            ended
        };
        self.forget(&ended)?;
        Ok(secret)
    }

    /// How long sessions last.
    pub(crate) fn times(&self) -> SessionTimes {
        self.times
    }

    /// The session of this secret, which counts as used now.
    pub(crate) fn used(&self, secret: &str, now: Timestamp) -> Option<SessionRow> {
        let (row, write) = {
            let mut open = self.lock();
            let session = open.get_mut(&hash(secret))?;
            if self.times.is_over(&session.row, now) {
                return None;
            }
            session.row.last_used = session.row.last_used.max(now);
            let write = now.since(session.written) >= USE_RESOLUTION;
            if write {
                session.written = now;
            }
            (session.row.clone(), write)
        };
        // A use that cannot be written signs nobody out; the session only ends sooner after a restart.
        if write && let Err(error) = self.control.note_session_use(row.id, now) {
            tracing::warn!(%error, "cannot note that a session was used");
        }
        Some(row)
    }

    /// The session, unless it is over; that is no use of it.
    pub(crate) fn get(&self, hash: &Digest, now: Timestamp) -> Option<SessionRow> {
        let open = self.lock();
        let session = open.get(hash).filter(|session| !self.times.is_over(&session.row, now))?;
        Some(session.row.clone())
    }

    /// A user's sessions, the one used last first.
    pub(crate) fn of(&self, user: &str, now: Timestamp) -> Vec<SessionRow> {
        let open = self.lock();
        let of_user = open.values().map(|session| &session.row).filter(|row| row.user == user);
        let mut rows: Vec<_> =
            of_user.filter(|row| !self.times.is_over(row, now)).cloned().collect();
        rows.sort_by_key(|row| std::cmp::Reverse((row.last_used, row.id)));
        rows
    }

    /// Ends the sessions that `which` says; says how many they were.
    ///
    /// # Errors
    /// Where that cannot be made to last; they are over all the same until the hub ends.
    pub(crate) fn end(&self, which: impl Fn(&SessionRow) -> bool) -> Result<usize, ControlError> {
        let mut ended = Vec::new();
        self.lock().retain(|_, session| {
            let ends = which(&session.row);
            if ends {
                ended.push(session.row.id);
            }
            !ends
        });
        self.forget(&ended)?;
        Ok(ended.len())
    }

    /// Rings whenever a session was ended.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn forget(&self, ended: &[u64]) -> Result<(), ControlError> {
        if ended.is_empty() {
            return Ok(());
        }
        self.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
        self.control.delete_sessions(ended)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The session that has to go before this user can have another one: their longest unused one, or
/// anybody's.
fn surplus(open: &HashMap<Digest, Open>, user: &str) -> Option<Digest> {
    let own = || open.values().filter(|session| session.row.user == user);
    let longest_unused = |one: &&Open| (one.row.last_used, one.row.id);
    let surplus = match (own().count() >= MAX_OWN, open.len() >= MAX_ALL) {
        (true, _) => own().min_by_key(longest_unused),
        (false, true) => open.values().min_by_key(longest_unused),
        (false, false) => None,
    };
    surplus.map(|session| session.row.hash)
}

/// The hash under which a secret is kept; it carries 256 random bits, so that no slow one is needed.
pub(crate) fn hash(secret: &str) -> Digest {
    blake3::derive_key("bergfried 2026-11 hash of a session", secret.as_bytes())
}

/// What requests that change something present besides the cookie.
pub(crate) fn csrf_token(secret: &str) -> String {
    let token = blake3::derive_key("bergfried 2026-11 csrf token of a session", secret.as_bytes());
    blake3::Hash::from(token).to_hex().to_string()
}

/// Whether this is the token that goes with the secret; how long it takes does not say how nearly.
pub(crate) fn is_csrf_token(secret: &str, presented: &[u8]) -> bool {
    csrf_token(secret).as_bytes().ct_eq(presented).into()
}

/// The secret in the cookie of a request.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
    let mut secrets =
        pairs.filter(|(name, _)| name.trim() == COOKIE).map(|(_, value)| value.trim());
    secrets.next().filter(|secret| (1..=MAX_SECRET).contains(&secret.len()))
}

/// The header that gives a browser the secret, or with none takes it away.
pub(crate) fn set_cookie(secret: Option<&Secret>, times: SessionTimes, secure: bool) -> String {
    let (value, age) = match secret {
        Some(secret) => (secret.expose(), times.absolute_seconds()),
        None => ("", 0),
    };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests;
