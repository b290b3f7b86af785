//! How many alerts each sender may send.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU64;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};

use super::caller::Caller;
use super::error::Refusal;
use crate::intake::{Bucket, wait};

/// The most senders that are told apart; past it, new ones share one account.
const MAX_SENDERS: usize = 10_000;
/// An account that was left alone for so long is as good as new.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3);

/// What every sender has sent of late.
#[derive(Debug)]
pub(crate) struct Rate {
    /// Alerts in a second; none: as many as they like.
    most: Option<NonZeroU64>,
    senders: Mutex<HashMap<Sender, Account>>,
}

/// Whose alerts are counted together.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Sender {
    /// The user of a key or a login.
    Named(String),
    /// Who says no name, by their address.
    From(IpAddr),
    Rest,
}

#[derive(Debug)]
struct Account {
    bucket: Option<Bucket>,
    used: Instant,
}

impl Rate {
    pub(crate) fn new(most: Option<NonZeroU64>) -> Self {
        Rate { most, senders: Mutex::default() }
    }

    /// Counts one more alert, with this id, of a caller.
    ///
    /// # Errors
    /// 429 where it is more than the hub takes of them; the answer says how long to wait.
    pub(super) fn charge(&self, caller: &Caller, peer: IpAddr, id: &str) -> Result<(), Refusal> {
        let sender = match &caller.name {
            Some(name) => Sender::Named(name.clone()),
            None => Sender::From(network(peer)),
        };
        let (Some(most), Err(pause)) = (self.most, self.take(sender, Instant::now())) else {
            return Ok(());
        };
        let message = format!("more than {most} alerts in a second, send it again later");
        let seconds = pause.as_secs_f64().ceil().max(1.0) as u64;
        Err(Refusal::new(StatusCode::TOO_MANY_REQUESTS, message)
            .with_id(id)
            .with_header(header::RETRY_AFTER, seconds.into()))
    }

    fn take(&self, sender: Sender, now: Instant) -> Result<(), Duration> {
        let Some(most) = self.most else { return Ok(()) };
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sender = sender;
        if senders.len() >= MAX_SENDERS && !senders.contains_key(&sender) {
            senders.retain(|_, account| now.duration_since(account.used) < FORGOTTEN_AFTER);
            if senders.len() >= MAX_SENDERS {
                sender = Sender::Rest;
            }
        }
        let account = senders.entry(sender).or_insert(Account { bucket: None, used: now });
        account.used = now;
        let pause = wait(&mut account.bucket, Some(most.get() as f64), now);
        if pause > Duration::ZERO {
            return Err(pause);
        }
        if let Some(bucket) = &mut account.bucket {
            bucket.level -= 1.0;
        }
        Ok(())
    }
}

/// The address, or the network that one machine has many addresses of.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Sender {
        Sender::Named(name.to_owned())
    }

    #[test]
    fn a_sender_has_so_many_in_a_second_and_others_have_theirs() {
        let rate = Rate::new(NonZeroU64::new(2));
        let now = Instant::now();
        for passes in [true, true, false, false] {
            assert_eq!(rate.take(named("a"), now).is_ok(), passes);
        }
        assert!(rate.take(named("b"), now).is_ok());
        let pause = rate.take(named("a"), now).unwrap_err();
        assert!(pause <= Duration::from_secs(1), "{pause:?}");
        assert!(rate.take(named("a"), now + pause).is_ok());
        assert!(rate.take(named("a"), now + pause).is_err());
        assert!((0..100).all(|_| Rate::new(None).take(named("a"), now).is_ok()));
    }

    #[test]
    fn many_senders_are_forgotten_when_they_are_silent_and_share_before() {
        let rate = Rate::new(NonZeroU64::new(1));
        let now = Instant::now();
        for number in 0..MAX_SENDERS {
            rate.take(named(&number.to_string()), now).unwrap();
        }
        assert!(rate.take(named("one more"), now).is_ok());
        assert!(rate.take(named("and one"), now).is_err());
        let later = now + FORGOTTEN_AFTER;
        assert!(rate.take(named("and one"), later).is_ok());
        assert!(rate.senders.lock().unwrap().len() < 10);
    }

    #[test]
    fn neighbours_of_version_6_are_one_sender() {
        let [one, other] = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse().unwrap());
        assert_eq!(network(one), network(other));
        assert_ne!(network("192.0.2.1".parse().unwrap()), network("192.0.2.2".parse().unwrap()));
    }
}
