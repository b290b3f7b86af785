//! Passwords: hashed with Argon2id, checked a few at a time, and slower after each failure, of a name
//! from an address and of an address whatever the names.
//!
//! A password is never kept. That one was right is remembered for a minute, under a hash with a key
//! that the process makes, so that who sends it with every request does not pay for Argon2 each time.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use axum::http::{StatusCode, header};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::Refusal;
use crate::error::ApiError;

/// How many are checked at once; each takes 19 MiB for some ten milliseconds.
const AT_ONCE: usize = 2;
/// How many may wait for that.
const MAX_WAITING: usize = 64;
/// The longest password, in bytes.
pub(crate) const MAX_PASSWORD: usize = 1_024;
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
const MAX_REMEMBERED: usize = 4_096;
/// How many failures of a name from an address cost nothing.
const FREE_FAILURES: u32 = 5;
/// How many of an address with any names; behind one address may be many people.
const FREE_OF_ADDRESS: u32 = 25;
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// After how long failures are forgotten.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// The hash of a password that nobody has: names that are not known take as long as others.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdC4$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

type Digest = [u8; 32];

/// Checks passwords.
#[derive(Debug)]
pub(crate) struct Passwords {
    permits: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    key: Digest,
    /// What was right, and until when that counts.
    right: Mutex<HashMap<Digest, Instant>>,
    /// The names that were right from an address, and when last. They do not wait for what others
    /// failed from there, so that nobody behind a proxy locks the others out.
    familiar: Mutex<HashMap<Digest, Instant>>,
    failures: Arc<FailureCounts>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

/// Who failed how often.
#[derive(Debug, Default)]
struct FailureCounts {
    of: Mutex<HashMap<Digest, Failures>>,
    all: AtomicU64,
}

impl FailureCounts {
    fn count(&self, guesser: &Guesser) {
        self.all.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        let mut failures = lock(&self.of);
        for who in [Some(guesser.named), guesser.address].into_iter().flatten() {
            make_room(&mut failures, MAX_REMEMBERED, |failures| failures.last);
            let entry = failures.entry(who).or_insert(Failures { count: 0, last: now });
            if now.saturating_duration_since(entry.last) > FORGOTTEN_AFTER {
                entry.count = 0;
            }
            *entry = Failures { count: entry.count.saturating_add(1), last: now };
        }
    }
}

/// Whose failures are counted together.
#[derive(Clone, Copy, Debug)]
struct Guesser {
    /// A name from an address.
    named: Digest,
    /// The address, where there is one.
    address: Option<Digest>,
}

impl Failures {
    /// How long the next try has to wait yet.
    fn pause(&self, free: u32, now: Instant) -> Duration {
        let Some(beyond) = self.count.checked_sub(free) else { return Duration::ZERO };
        let pause = Duration::from_secs(1 << beyond.min(6)).min(LONGEST_PAUSE);
        pause.saturating_sub(now.saturating_duration_since(self.last))
    }
}

impl Passwords {
    /// # Errors
    /// Where the system gives no random bytes.
    pub(crate) fn new() -> Result<Passwords, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Passwords {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::default(),
            key,
            right: Mutex::default(),
            familiar: Mutex::default(),
            failures: Arc::default(),
        })
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// 400 where it is empty or too long, 429 where too many wait.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Refusal> {
        if password.is_empty() || password.len() > MAX_PASSWORD {
            let expected = format!("a text of 1 to {MAX_PASSWORD} bytes");
            return Err(Refusal::field("password", &expected));
        }
        let hashed = self.turn().await?.work(move || hash_now(&password)).await?;
        hashed.ok_or_else(|| ApiError::internal(&"cannot hash a password").into())
    }

    /// Whether a name's password is right. `kept` is its hash, none where there is no such name.
    ///
    /// # Errors
    /// 429 after too many failures of this name from this address, or of this address where the name
    /// was never right from there, and where too many wait.
    pub(crate) async fn check(
        &self,
        name: &str,
        password: &str,
        kept: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<bool, Refusal> {
        let from = from.map(|from| network(from).to_string());
        let who = Guesser {
            named: self.digest(&[name, from.as_deref().unwrap_or_default()]),
            address: from.as_deref().map(|from| self.digest(&[from])),
        };
        self.refuse_a_pause(&who)?;
        let what = self.digest(&[name, password, kept.unwrap_or_default()]);
        if kept.is_some()
            && lock(&self.right).get(&what).is_some_and(|until| Instant::now() < *until)
        {
            return Ok(true);
        }
        let is_right = password.len() <= MAX_PASSWORD && {
            let password = password.to_owned();
            let hash = kept.unwrap_or(NOBODY).to_owned();
            let turn = self.turn().await?;
            // Who sends many guesses at once is not let in with all of them: a failure counts before the
            // next guess has its turn, also where nobody waits for the answer any more.
            self.refuse_a_pause(&who)?;
            let (failures, is_known) = (Arc::clone(&self.failures), kept.is_some());
            let check = move || {
                let is_right = is_hash_of(&hash, &password) && is_known;
                if !is_right {
                    failures.count(&who);
                }
                is_right
            };
            turn.work(check).await?
        };
        if is_right {
            let until = Instant::now() + REMEMBERED_FOR;
            let mut right = lock(&self.right);
            make_room(&mut right, MAX_REMEMBERED, |until| *until);
            right.insert(what, until);
            drop(right);
            let mut familiar = lock(&self.familiar);
            make_room(&mut familiar, MAX_REMEMBERED, |at| *at);
            familiar.insert(who.named, Instant::now());
            drop(familiar);
            lock(&self.failures.of).remove(&who.named);
        } else if password.len() > MAX_PASSWORD {
            self.failures.count(&who);
        }
        Ok(is_right)
    }

    /// How many passwords were wrong since the start.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.all.load(Ordering::Relaxed)
    }

    /// A hash of these texts that says nothing to who does not have the key.
    fn digest(&self, texts: &[&str]) -> Digest {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for text in texts {
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    fn refuse_a_pause(&self, who: &Guesser) -> Result<(), Refusal> {
        let address = who.address.filter(|_| !lock(&self.familiar).contains_key(&who.named));
        let now = Instant::now();
        let failures = lock(&self.failures.of);
        let pause = |who: Digest, free| failures.get(&who).map(|failed| failed.pause(free, now));
        let of_address = address.and_then(|address| pause(address, FREE_OF_ADDRESS));
        let pause = pause(who.named, FREE_FAILURES).max(of_address).unwrap_or_default();
        drop(failures);
        if pause.is_zero() {
            return Ok(());
        }
        let seconds = u32::try_from(pause.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Err(too_many("too many failed logins, try again later", seconds))
    }

    /// Waits for a place among the few that work at once.
    async fn turn(&self) -> Result<Turn, Refusal> {
        let waits = Waits::one_more(&self.waiting)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let permit = permit.map_err(|closed| ApiError::internal(&closed))?;
        Ok(Turn { permit, waits })
    }
}

/// A place among those that work.
struct Turn {
    permit: OwnedSemaphorePermit,
    waits: Waits,
}

impl Turn {
    /// Runs work that takes long. The place is taken until the work ends, also where nobody waits for
    /// it any more: who hangs up at once does not get more of them to run.
    async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let Turn { permit, waits } = self;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((permit, waits));
            done
        });
        done.await.map_err(|error| ApiError::internal(&error).into())
    }
}

/// One of those who wait.
struct Waits(Arc<AtomicUsize>);

impl Waits {
    fn one_more(waiting: &Arc<AtomicUsize>) -> Result<Waits, Refusal> {
        let waits = Waits(Arc::clone(waiting));
        if waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            return Err(too_many("too many log in at once, try again", 1));
        }
        Ok(waits)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Who is counted as one sender: an address, or the 64 bits of an IPv6 network, within which anyone
/// has as many addresses as they like.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

fn too_many(message: &str, seconds: u32) -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, message)
        .with_header(header::RETRY_AFTER, seconds.into())
}

/// As [`Passwords::hash`], on a thread that may take its time.
pub(crate) fn hash_now(password: &str) -> Option<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).ok()?;
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

fn is_hash_of(hash: &str, password: &str) -> bool {
    PasswordHash::new(hash)
        .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Drops the oldest where a map is full.
fn make_room<K: Copy + Eq + Hash, V>(map: &mut HashMap<K, V>, most: usize, age: fn(&V) -> Instant) {
    if map.len() < most {
        return;
    }
    let oldest = map.iter().min_by_key(|(_, value)| age(value)).map(|(key, _)| *key);
    if let Some(oldest) = oldest {
        map.remove(&oldest);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_right_password_is_right_and_others_get_slower() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash("pa:ss wörd".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$"), "{kept}");
        let check =
            async |name, password| passwords.check(name, password, Some(kept.as_str()), None).await;
        assert!(check("ann", "pa:ss wörd").await.unwrap());
        assert!(check("ann", "pa:ss wörd").await.unwrap(), "remembered");
        assert!(!check("ann", "pa:ss").await.unwrap());
        assert!(check("ann", "pa:ss wörd").await.unwrap(), "one failure costs nothing");
        for _ in 0..=FREE_FAILURES {
            if check("ann", "guess").await.is_err() {
                break;
            }
        }
        let refused = check("ann", "pa:ss wörd").await.unwrap_err();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
        assert!(check("bob", "pa:ss wörd").await.unwrap(), "only that name waits");
        assert!(!passwords.check("eve", "pa:ss wörd", None, None).await.unwrap());
        assert_eq!(passwords.failed(), u64::from(FREE_FAILURES) + 1);
        assert!(passwords.hash(String::new()).await.is_err());
        assert!(passwords.hash("x".repeat(MAX_PASSWORD + 1)).await.is_err());
    }

    #[tokio::test]
    async fn who_hangs_up_does_not_make_more_work_run_at_once() {
        let passwords = Passwords::new().unwrap();
        let (begun, begins) = std::sync::mpsc::channel();
        let (end, ends) = std::sync::mpsc::channel::<()>();
        let turn = passwords.turn().await.unwrap();
        let work = turn.work(move || {
            begun.send(()).unwrap();
            let _ended = ends.recv();
        });
        // Polled once, as when a client sends a request and closes the connection.
        assert!(tokio::time::timeout(Duration::ZERO, work).await.is_err());
        begins.recv().unwrap();
        assert_eq!(passwords.permits.available_permits(), AT_ONCE - 1);
        assert_eq!(passwords.waiting.load(Ordering::Relaxed), 1);
        drop(end);
        let all = u32::try_from(AT_ONCE).unwrap();
        drop(passwords.permits.acquire_many(all).await.unwrap());
    }

    #[tokio::test]
    async fn guesses_that_come_together_are_slowed_as_well() {
        let passwords = Arc::new(Passwords::new().unwrap());
        let kept: Arc<str> = passwords.hash("right".to_owned()).await.unwrap().into();
        let begun = Instant::now();
        let guesses: Vec<_> = (0..MAX_WAITING)
            .map(|number| {
                let (passwords, kept) = (Arc::clone(&passwords), Arc::clone(&kept));
                let guess = number.to_string();
                tokio::spawn(async move { passwords.check("ann", &guess, Some(&kept), None).await })
            })
            .collect();
        for guess in guesses {
            let _refused = guess.await.unwrap();
        }
        // A slow machine hashes for so long that a pause, a second or more, ends meanwhile.
        let pauses = begun.elapsed().as_secs() + 1;
        let most = u64::from(FREE_FAILURES) + AT_ONCE as u64 * pauses;
        assert!(passwords.failed() <= most, "{}", passwords.failed());
    }

    #[tokio::test]
    async fn an_address_that_tries_many_names_is_slowed() {
        let passwords = Passwords::new().unwrap();
        let kept = passwords.hash("right".to_owned()).await.unwrap();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let check = async |name: &str, password: &str, from: IpAddr| {
            passwords.check(name, password, Some(kept.as_str()), Some(from)).await
        };
        assert!(check("ann", "right", address).await.unwrap());
        let mut refused = None;
        for number in 0..2 * FREE_OF_ADDRESS {
            refused = check(&format!("name {number}"), "guess", address).await.err();
            if refused.is_some() {
                break;
            }
        }
        assert_eq!(refused.map(|refused| refused.status()), Some(StatusCode::TOO_MANY_REQUESTS));
        assert_eq!(passwords.failed(), u64::from(FREE_OF_ADDRESS));
        assert!(check("bob", "right", address).await.is_err(), "not even with the right one");
        assert!(check("ann", "right", address).await.unwrap(), "known from there");
        assert!(check("bob", "right", "192.0.2.2".parse().unwrap()).await.unwrap());
    }

    #[test]
    fn addresses_of_one_network_are_one_sender() {
        for (one, other, same) in [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
            ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
        ] {
            let is_same = network(one.parse().unwrap()) == network(other.parse().unwrap());
            assert_eq!(is_same, same, "{one} {other}");
        }
    }

    #[test]
    fn names_that_are_not_known_take_as_long() {
        assert!(PasswordHash::new(NOBODY).is_ok());
        let kept = hash_now("x").unwrap();
        let parameters = |hash: &str| hash.split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(NOBODY), parameters(&kept));
    }

    #[test]
    fn pauses_grow_and_end() {
        let now = Instant::now();
        for (count, seconds) in [(0, 0), (4, 0), (5, 1), (6, 2), (8, 8), (11, 60), (4_000, 60)] {
            let failures = Failures { count, last: now };
            let pause = |at| failures.pause(FREE_FAILURES, at);
            assert_eq!(pause(now), Duration::from_secs(seconds), "{count}");
            assert_eq!(pause(now + LONGEST_PAUSE), Duration::ZERO);
        }
    }

    #[test]
    fn maps_stay_within_their_bound() {
        let start = Instant::now();
        let mut map = HashMap::new();
        for number in 0_u64..100 {
            make_room(&mut map, 10, |at| *at);
            map.insert(number, start + Duration::from_secs(number));
        }
        assert_eq!(map.len(), 10);
        assert!(map.keys().all(|number| *number >= 90));
    }
}
