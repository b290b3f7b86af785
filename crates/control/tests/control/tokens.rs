//! Tokens: only hashes are kept, and what is revoked stays so.

use std::num::NonZeroU64;

use bergfried_control::{Secret, Seeded, TokenKind, TokenLimits};

use crate::{Store, at};

#[test]
fn a_token_works_for_its_kind_until_it_is_revoked() {
    let store = Store::new();
    let control = store.open();
    let (info, secret) = control.create_token(TokenKind::Agent, "web1", at(0)).unwrap();
    let check = |kind, text: &str| control.check_token(kind, text, at(1)).unwrap();
    assert_eq!(check(TokenKind::Agent, secret.expose()).unwrap().id, info.id);
    assert_eq!(check(TokenKind::Admin, secret.expose()), None);
    for wrong in ["", "x", &secret.expose()[1..], &"x".repeat(100_000)] {
        assert_eq!(check(TokenKind::Agent, wrong), None);
    }
    assert!(control.revoke_token(info.id, at(2)).unwrap());
    assert!(!control.revoke_token(info.id, at(3)).unwrap());
    assert_eq!(check(TokenKind::Agent, secret.expose()), None);
    assert_eq!(control.list_tokens().unwrap()[0].revoked, Some(at(2)));
}

#[test]
fn the_time_of_use_is_written_once_a_minute() {
    let control = Store::new().open();
    let (_, secret) = control.create_token(TokenKind::Agent, "web1", at(0)).unwrap();
    for (second, written) in [(10, 10), (69, 10), (70, 70), (71, 70)] {
        control.check_token(TokenKind::Agent, secret.expose(), at(second)).unwrap();
        assert_eq!(control.list_tokens().unwrap()[0].last_used, Some(at(written)), "{second}");
    }
    assert_eq!(control.unrecorded_uses(), 0);
}

#[test]
fn rotation_kills_the_old_ones_at_once_and_for_good() {
    let store = Store::new();
    let control = store.open();
    let old = Secret::new("from-the-environment");
    let seed = |control: &bergfried_control::Control| {
        control.seed_token(TokenKind::Watchtower, "environment", &old, at(0)).unwrap()
    };
    assert_eq!(seed(&control), Seeded::Created);
    assert_eq!(seed(&control), Seeded::Known);
    let (_, admin) = control.create_token(TokenKind::Admin, "first start", at(0)).unwrap();
    let (_, new) = control.replace_tokens(TokenKind::Watchtower, "rotated", at(1)).unwrap();
    drop(control);

    let control = store.open();
    assert_eq!(seed(&control), Seeded::Revoked);
    let works = |kind, secret: &Secret| {
        control.check_token(kind, secret.expose(), at(2)).unwrap().is_some()
    };
    assert!(!works(TokenKind::Watchtower, &old));
    assert!(works(TokenKind::Watchtower, &new));
    assert!(works(TokenKind::Admin, &admin));
}

#[test]
fn no_file_holds_a_secret() {
    let store = Store::new();
    let control = store.open();
    let (_, secret) = control.create_token(TokenKind::Admin, "first start", at(0)).unwrap();
    for entry in std::fs::read_dir(store.directory.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let needle = secret.expose().as_bytes();
        assert!(!bytes.windows(needle.len()).any(|window| window == needle));
    }
}

#[test]
fn an_empty_or_huge_secret_is_not_seeded() {
    let control = Store::new().open();
    for text in [String::new(), "x".repeat(513)] {
        let secret = Secret::new(text);
        assert!(control.seed_token(TokenKind::Admin, "environment", &secret, at(0)).is_err());
    }
}

#[test]
fn a_busy_writer_keeps_nobody_from_being_checked() {
    let store = Store::new();
    let control = store.open();
    let (_, secret) = control.create_token(TokenKind::Agent, "web1", at(0)).unwrap();
    control.check_token(TokenKind::Agent, secret.expose(), at(0)).unwrap().unwrap();
    let other = rusqlite::Connection::open(store.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO setting VALUES ('a', 'b');").unwrap();
    assert!(control.check_token(TokenKind::Agent, secret.expose(), at(1)).unwrap().is_some());
    assert_eq!(control.list_tokens().unwrap().len(), 1);
    other.execute_batch("ROLLBACK").unwrap();
}

#[test]
fn limits_are_kept_with_the_token() {
    let store = Store::new();
    let limits = TokenLimits {
        max_events_per_second: NonZeroU64::new(10),
        max_bytes_per_second: None,
        max_body: NonZeroU64::new(1 << 20),
    };
    let control = store.open();
    let kind = TokenKind::Agent;
    let (info, secret) = control.create_limited_token(kind, "web1", limits, at(0)).unwrap();
    assert_eq!(info.limits, limits);
    drop(control);
    let control = store.open();
    let found = control.check_token(kind, secret.expose(), at(1)).unwrap().unwrap();
    assert_eq!(found.limits, limits);
    assert_eq!(control.list_tokens().unwrap()[0].limits, limits);
    let (free, _) = control.create_token(kind, "web2", at(0)).unwrap();
    assert!(free.limits.is_empty());
    let beyond = TokenLimits { max_body: NonZeroU64::new(u64::MAX), ..TokenLimits::default() };
    assert!(control.create_limited_token(kind, "web3", beyond, at(0)).is_err());
}
