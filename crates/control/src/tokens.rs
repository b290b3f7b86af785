//! Tokens and keys: made, checked, rotated, revoked; kept only as hashes.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::Ordering;

use bergfried_event::Timestamp;
use rusqlite::{Row, Transaction, params};
use serde::{Deserialize, Serialize};

use crate::clip;
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};
use crate::secret::{Secret, hash, same};

/// Longer texts are no token; they are refused before they are hashed.
const MAX_PRESENTED: usize = 512;
const MAX_NAME: usize = 256;
const MAX_LISTED: i64 = 1000;
/// How old the recorded last use may get before it is written anew, in microseconds.
const USE_RESOLUTION: i64 = 60 * Timestamp::SECOND;

/// What a token lets its bearer do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenKind {
    /// Send records as an agent.
    Agent,
    /// Send records and events as another hub, which is taken at its word.
    Hub,
    /// Everything.
    Admin,
    /// Report logins over the Watchtower protocol.
    Watchtower,
    /// Send and read events over Heimdall's protocol, and send records as an agent.
    Heimdall,
}

impl TokenKind {
    const ALL: [TokenKind; 5] = [
        TokenKind::Agent,
        TokenKind::Hub,
        TokenKind::Admin,
        TokenKind::Watchtower,
        TokenKind::Heimdall,
    ];

    /// The lower-case word.
    pub fn name(self) -> &'static str {
        match self {
            TokenKind::Agent => "agent",
            TokenKind::Hub => "hub",
            TokenKind::Admin => "admin",
            TokenKind::Watchtower => "watchtower",
            TokenKind::Heimdall => "heimdall",
        }
    }
}

impl fmt::Display for TokenKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The most that the bearer of a token may send; what is absent, only the hub limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenLimits {
    /// Records in a second, on average.
    #[serde(default)]
    pub max_events_per_second: Option<NonZeroU64>,
    /// Bytes in a second, decompressed, on average.
    #[serde(default)]
    pub max_bytes_per_second: Option<NonZeroU64>,
    /// Bytes of one request's body, decompressed.
    #[serde(default)]
    pub max_body: Option<NonZeroU64>,
}

impl TokenLimits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn to_columns(self) -> Result<[Option<i64>; 3], ControlError> {
        let column = |limit: Option<NonZeroU64>| {
            limit.map(|limit| stored(limit.get(), "a limit")).transpose()
        };
        Ok([
            column(self.max_events_per_second)?,
            column(self.max_bytes_per_second)?,
            column(self.max_body)?,
        ])
    }
}

/// What is known of a token: all but the token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    /// Its number.
    pub id: u64,
    /// What it is for.
    pub kind: TokenKind,
    /// Whose it is, as its maker named it.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last used, give or take a minute.
    pub last_used: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// What its bearer may send at most.
    pub limits: TokenLimits,
}

/// What came of seeding a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    /// It is new and works.
    Created,
    /// It was there and works.
    Known,
    /// It was revoked or rotated away earlier and stays dead.
    Revoked,
}

impl Control {
    /// Makes a token from random bytes; the secret is not kept and cannot be shown again.
    pub fn create_token(
        &self,
        kind: TokenKind,
        name: &str,
        now: Timestamp,
    ) -> Result<(TokenInfo, Secret), ControlError> {
        self.create_limited_token(kind, name, TokenLimits::default(), now)
    }

    /// As [`Control::create_token`], of a token whose bearer may send only so much.
    pub fn create_limited_token(
        &self,
        kind: TokenKind,
        name: &str,
        limits: TokenLimits,
        now: Timestamp,
    ) -> Result<(TokenInfo, Secret), ControlError> {
        let secret = Secret::random()?;
        let new = New { kind, name, limits };
        let info = self.write(|transaction| insert(transaction, &new, &secret, now))?;
        Ok((info, secret))
    }

    /// Takes over a secret that was set elsewhere, such as in the environment.
    ///
    /// Seeding twice changes nothing, and a secret that was revoked stays so: a restart with the
    /// old environment does not bring a rotated token back.
    pub fn seed_token(
        &self,
        kind: TokenKind,
        name: &str,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Seeded, ControlError> {
        if secret.expose().is_empty() || secret.expose().len() > MAX_PRESENTED {
            let reason = "it must have 1 to 512 bytes";
            return Err(ControlError::Invalid { what: "a token", reason });
        }
        self.write(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT revoked FROM token WHERE kind = ?1 AND hash = ?2")?;
            let mut rows = statement.query(params![kind.name(), hash(secret.expose())])?;
            if let Some(row) = rows.next()? {
                let revoked: Option<i64> = row.get(0)?;
                return Ok(if revoked.is_some() { Seeded::Revoked } else { Seeded::Known });
            }
            insert(transaction, &New::unlimited(kind, name), secret, now)?;
            Ok(Seeded::Created)
        })
    }

    /// Rotation: makes a token and revokes all others of its kind, at one stroke.
    pub fn replace_tokens(
        &self,
        kind: TokenKind,
        name: &str,
        now: Timestamp,
    ) -> Result<(TokenInfo, Secret), ControlError> {
        let secret = Secret::random()?;
        let info = self.write(|transaction| {
            transaction.execute(
                "UPDATE token SET revoked = ?2 WHERE kind = ?1 AND revoked IS NULL",
                params![kind.name(), now.micros()],
            )?;
            insert(transaction, &New::unlimited(kind, name), &secret, now)
        })?;
        self.token_changes.fetch_add(1, Ordering::AcqRel);
        Ok((info, secret))
    }

    /// Makes a token of the same kind, name and limits as a live one, which is revoked at the same
    /// stroke; none where there is no live one of this id.
    pub fn rotate_token(
        &self,
        id: u64,
        now: Timestamp,
    ) -> Result<Option<(TokenInfo, Secret)>, ControlError> {
        let secret = Secret::random()?;
        let id = stored(id, "a token id")?;
        let info = self.write(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT id, kind, name, created, last_used, revoked, events_per_second, \
                 bytes_per_second, largest_body FROM token WHERE id = ?1 AND revoked IS NULL",
            )?;
            let mut rows = statement.query([id])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let old = token_info(row)?;
            transaction.execute(
                "UPDATE token SET revoked = ?2 WHERE id = ?1",
                params![id, now.micros()],
            )?;
            let new = New { kind: old.kind, name: &old.name, limits: old.limits };
            insert(transaction, &new, &secret, now).map(Some)
        })?;
        self.token_changes.fetch_add(1, Ordering::AcqRel);
        Ok(info.map(|info| (info, secret)))
    }

    /// The live token of this kind that `presented` is, if any.
    ///
    /// Every live token of the kind is compared in constant time. The time of use is written at
    /// most once a minute; a failure to write it refuses nobody and is counted
    /// ([`Control::unrecorded_uses`]), so that a full disk locks no administrator out.
    pub fn check_token(
        &self,
        kind: TokenKind,
        presented: &str,
        now: Timestamp,
    ) -> Result<Option<TokenInfo>, ControlError> {
        if presented.is_empty() || presented.len() > MAX_PRESENTED {
            return Ok(None);
        }
        let found = self.find_token(kind, &hash(presented))?;
        if let Some(info) = &found
            && info.last_used.is_none_or(|used| now.since(used) >= USE_RESOLUTION)
            && self.record_use(info.id, now).is_err()
        {
            self.unrecorded_uses.fetch_add(1, Ordering::Relaxed);
        }
        Ok(found)
    }

    fn find_token(
        &self,
        kind: TokenKind,
        presented: &[u8; 32],
    ) -> Result<Option<TokenInfo>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, kind, name, created, last_used, revoked, events_per_second, \
             bytes_per_second, largest_body, hash FROM token \
             WHERE kind = ?1 AND revoked IS NULL",
        )?;
        let mut rows = statement.query([kind.name()])?;
        let mut found = None;
        while let Some(row) = rows.next()? {
            let kept: [u8; 32] = row.get(9)?;
            if same(&kept, presented) {
                found = Some(token_info(row)?);
            }
        }
        Ok(found)
    }

    /// Whether any live token is of this kind.
    pub fn has_token(&self, kind: TokenKind) -> Result<bool, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM token WHERE kind = ?1 AND revoked IS NULL)",
        )?;
        Ok(statement.query_row([kind.name()], |row| row.get(0))?)
    }

    fn record_use(&self, id: u64, now: Timestamp) -> Result<(), ControlError> {
        let id = stored(id, "a token id")?;
        self.write_lightly(|transaction| {
            transaction
                .prepare_cached("UPDATE token SET last_used = ?2 WHERE id = ?1")?
                .execute(params![id, now.micros()])?;
            Ok(())
        })
    }

    /// How often the time of a token's use could not be written since the start.
    pub fn unrecorded_uses(&self) -> u64 {
        self.unrecorded_uses.load(Ordering::Relaxed)
    }

    /// Rises with every revocation, so that whoever remembers a token knows when to ask again.
    pub fn token_changes(&self) -> u64 {
        self.token_changes.load(Ordering::Acquire)
    }

    /// The newest 1000 tokens, revoked ones too, newest first.
    pub fn list_tokens(&self) -> Result<Vec<TokenInfo>, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached(
            "SELECT id, kind, name, created, last_used, revoked, events_per_second, \
             bytes_per_second, largest_body FROM token \
             ORDER BY id DESC LIMIT ?1",
        )?;
        let mut rows = statement.query([MAX_LISTED])?;
        let mut tokens = Vec::new();
        while let Some(row) = rows.next()? {
            tokens.push(token_info(row)?);
        }
        Ok(tokens)
    }

    /// Revokes a token at once; false where there is no such live token.
    pub fn revoke_token(&self, id: u64, now: Timestamp) -> Result<bool, ControlError> {
        let id = stored(id, "a token id")?;
        let revoked = self.write(|transaction| {
            let changed = transaction.execute(
                "UPDATE token SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL",
                params![id, now.micros()],
            )?;
            Ok(changed > 0)
        })?;
        self.token_changes.fetch_add(1, Ordering::AcqRel);
        Ok(revoked)
    }
}

/// A token to make.
struct New<'a> {
    kind: TokenKind,
    name: &'a str,
    limits: TokenLimits,
}

impl<'a> New<'a> {
    fn unlimited(kind: TokenKind, name: &'a str) -> Self {
        New { kind, name, limits: TokenLimits::default() }
    }
}

fn insert(
    transaction: &Transaction<'_>,
    new: &New<'_>,
    secret: &Secret,
    now: Timestamp,
) -> Result<TokenInfo, ControlError> {
    let name = clip(new.name, MAX_NAME);
    let [events, bytes, body] = new.limits.to_columns()?;
    transaction.execute(
        "INSERT INTO token \
         (kind, name, hash, created, events_per_second, bytes_per_second, largest_body) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![new.kind.name(), name, hash(secret.expose()), now.micros(), events, bytes, body],
    )?;
    Ok(TokenInfo {
        id: loaded(transaction.last_insert_rowid()),
        kind: new.kind,
        name: name.to_owned(),
        created: now,
        last_used: None,
        revoked: None,
        limits: new.limits,
    })
}

fn token_info(row: &Row<'_>) -> Result<TokenInfo, ControlError> {
    let word: String = row.get(1)?;
    let kind = TokenKind::ALL.into_iter().find(|kind| kind.name() == word);
    let kind = kind.ok_or_else(|| ControlError::Corrupt(format!("unknown token kind {word:?}")))?;
    let limit = |column: usize| -> Result<Option<NonZeroU64>, ControlError> {
        Ok(row.get::<_, Option<i64>>(column)?.and_then(|limit| NonZeroU64::new(loaded(limit))))
    };
    Ok(TokenInfo {
        id: loaded(row.get(0)?),
        kind,
        name: row.get(2)?,
        created: Timestamp::from_micros(row.get(3)?),
        last_used: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_micros),
        revoked: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_micros),
        limits: TokenLimits {
            max_events_per_second: limit(6)?,
            max_bytes_per_second: limit(7)?,
            max_body: limit(8)?,
        },
    })
}
