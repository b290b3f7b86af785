//! Alerts: findings folded in exactly once, read back, closed.

use std::collections::HashMap;

use bergfried_alert::{Alert, Identity, Outcome, Status, fold, identity};
use bergfried_event::{Finding, Severity, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::counters::{ALERTS_DROPPED, count};
use crate::database::Control;
use crate::error::{ControlError, loaded, stored};
use crate::outbox;

/// The most alerts that are kept; closed ones go first, then those quiet for longest.
pub const MAX_ALERTS: usize = 100_000;
/// The most alerts that one call lists.
pub const MAX_ALERTS_LISTED: usize = 1000;

/// A notification channel, and how bad an alert must be for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelFilter {
    /// The channel's name.
    pub name: String,
    /// The least severity that it wants to hear of.
    pub min_severity: Severity,
}

/// An alert that a call to [`Control::apply_findings`] changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertChange {
    /// The alert after all of the call's findings.
    pub alert: Alert,
    /// The first outcome worth telling of, else the last outcome.
    pub outcome: Outcome,
}

/// A place in the list of alerts, which is ordered by `last_seen` and id, latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// `last_seen` of the last alert of the page before.
    pub last_seen: Timestamp,
    /// Its id.
    pub id: u64,
}

/// Which alerts to list.
#[derive(Clone, Debug, Default)]
pub struct AlertFilter {
    /// Only of this status.
    pub status: Option<Status>,
    /// At least this severe.
    pub min_severity: Severity,
    /// Only with this text, in any case, in one of its names, its sentence or its example.
    pub text: Option<String>,
    /// At most so many; more than [`MAX_ALERTS_LISTED`] is taken as that.
    pub limit: usize,
    /// Only what comes after this place.
    pub before: Option<Cursor>,
}

impl Control {
    /// Folds the findings of one frame of the event store into the alerts, exactly once.
    ///
    /// Frames come with rising `sequence` numbers, from 1 on. A frame at or below
    /// [`Control::applied_sequence`] was applied before: it changes nothing and the answer is
    /// empty. Otherwise alerts, notifications and the sequence change in one transaction. For each
    /// finding worth telling of, each channel for which the alert is severe enough gets a
    /// notification.
    ///
    /// A frame without findings costs no wait for the disk: a power cut may take its sequence back,
    /// and applying it anew again finds nothing.
    pub fn apply_findings(
        &self,
        sequence: u64,
        findings: &[Finding],
        environment: &str,
        channels: &[ChannelFilter],
        now: Timestamp,
    ) -> Result<Vec<AlertChange>, ControlError> {
        let sequence = stored(sequence, "a sequence")?;
        if findings.is_empty() {
            self.write_lightly(|transaction| advance(transaction, sequence))?;
            return Ok(Vec::new());
        }
        self.write(|transaction| {
            if !advance(transaction, sequence)? {
                return Ok(Vec::new());
            }
            let mut batch = Batch::default();
            let mut queued = false;
            for finding in findings {
                let (alert, outcome) = batch.fold(transaction, finding, environment, now)?;
                if outcome.worth_telling() {
                    queued |= outbox::enqueue(transaction, channels, alert, outcome, now)?;
                }
            }
            if queued {
                outbox::enforce_caps(transaction, channels)?;
            }
            batch.save(transaction)
        })
    }

    /// The last sequence whose findings are in the alerts; 0 before the first.
    pub fn applied_sequence(&self) -> Result<u64, ControlError> {
        let connection = self.reader();
        let mut statement = connection.prepare_cached("SELECT sequence FROM applied")?;
        Ok(loaded(statement.query_row([], |row| row.get(0))?))
    }

    /// Says that the event store has no sequence above `last`: it was emptied or restored from an
    /// older copy, and its next frames are new although their numbers were applied before. True
    /// where that was so.
    pub fn lower_applied_sequence(&self, last: u64) -> Result<bool, ControlError> {
        let last = stored(last, "a sequence")?;
        self.write(|transaction| {
            let lowered = transaction
                .prepare_cached("UPDATE applied SET sequence = ?1 WHERE sequence > ?1")?
                .execute([last])?;
            Ok(lowered > 0)
        })
    }

    /// The alerts that a filter asks for, latest `last_seen` first.
    pub fn alerts(&self, filter: &AlertFilter) -> Result<Vec<Alert>, ControlError> {
        let limit = filter.limit.min(MAX_ALERTS_LISTED);
        let wanted = filter.text.as_ref().map(|text| text.to_lowercase());
        let open = filter.status.map(|status| status == Status::Open);
        let (last_seen, id) = match filter.before {
            Some(cursor) => (cursor.last_seen.micros(), stored(cursor.id, "an alert id")?),
            None => (i64::MAX, i64::MAX),
        };
        let connection = self.long_reader();
        let mut statement = connection.prepare_cached(
            "SELECT body FROM alert WHERE (?1 IS NULL OR open = ?1) AND severity >= ?2 \
             AND (last_seen, id) < (?3, ?4) ORDER BY last_seen DESC, id DESC",
        )?;
        let mut rows = statement.query(params![open, rank(filter.min_severity), last_seen, id])?;
        let mut alerts = Vec::new();
        while alerts.len() < limit
            && let Some(row) = rows.next()?
        {
            let alert = decode(row.get_ref(0)?)?;
            if wanted.as_ref().is_none_or(|wanted| mentions(&alert, wanted)) {
                alerts.push(alert);
            }
        }
        Ok(alerts)
    }

    /// The alert with this id.
    pub fn alert(&self, id: u64) -> Result<Option<Alert>, ControlError> {
        let id = stored(id, "an alert id")?;
        let connection = self.reader();
        let mut statement = connection.prepare_cached("SELECT body FROM alert WHERE id = ?1")?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(|row| decode(row.get_ref(0)?)).transpose()
    }

    /// Closes an alert; the answer is the alert as it is now, or nothing where there is none.
    pub fn close_alert(
        &self,
        id: u64,
        who: &str,
        now: Timestamp,
    ) -> Result<Option<Alert>, ControlError> {
        let id = stored(id, "an alert id")?;
        self.write(|transaction| {
            let mut statement =
                transaction.prepare_cached("SELECT body FROM alert WHERE id = ?1")?;
            let mut rows = statement.query([id])?;
            let Some(row) = rows.next()? else { return Ok(None) };
            let mut alert = decode(row.get_ref(0)?)?;
            if alert.close(who, now) {
                update(transaction, &alert)?;
            }
            Ok(Some(alert))
        })
    }
}

/// The alerts that one transaction touches: each is read once and written once.
#[derive(Default)]
struct Batch {
    places: HashMap<Identity, usize>,
    changes: Vec<AlertChange>,
    created: bool,
}

impl Batch {
    fn fold(
        &mut self,
        transaction: &Transaction<'_>,
        finding: &Finding,
        environment: &str,
        now: Timestamp,
    ) -> Result<(&Alert, Outcome), ControlError> {
        let identity = identity(finding, environment);
        let place = self.places.get(&identity).copied();
        let (place, outcome) =
            match place.and_then(|place| Some((place, self.changes.get_mut(place)?))) {
                Some((place, change)) => {
                    let (alert, outcome) = fold(Some(&change.alert), finding, environment, now);
                    change.alert = alert;
                    if !change.outcome.worth_telling() {
                        change.outcome = outcome;
                    }
                    (place, outcome)
                }
                None => {
                    let existing = find(transaction, &identity)?;
                    let (mut alert, outcome) = fold(existing.as_ref(), finding, environment, now);
                    if existing.is_none() {
                        alert.id = insert(transaction, &alert)?;
                        self.created = true;
                    }
                    self.changes.push(AlertChange { alert, outcome });
                    let place = self.changes.len() - 1;
                    self.places.insert(identity, place);
                    (place, outcome)
                }
            };
        match self.changes.get(place) {
            Some(change) => Ok((&change.alert, outcome)),
            None => Err(ControlError::Corrupt("an alert vanished from its batch".to_owned())),
        }
    }

    fn save(self, transaction: &Transaction<'_>) -> Result<Vec<AlertChange>, ControlError> {
        for change in &self.changes {
            update(transaction, &change.alert)?;
        }
        if self.created {
            let kept = i64::try_from(MAX_ALERTS).unwrap_or(i64::MAX);
            let dropped = transaction
                .prepare_cached(
                    "DELETE FROM alert WHERE id IN (SELECT id FROM alert \
                     ORDER BY open DESC, last_seen DESC, id DESC LIMIT -1 OFFSET ?1)",
                )?
                .execute([kept])?;
            count(transaction, ALERTS_DROPPED, dropped)?;
        }
        Ok(self.changes)
    }
}

/// Moves the applied sequence forward; false where it was there or beyond already.
fn advance(transaction: &Transaction<'_>, sequence: i64) -> Result<bool, ControlError> {
    let moved = transaction
        .prepare_cached("UPDATE applied SET sequence = ?1 WHERE sequence < ?1")?
        .execute([sequence])?;
    Ok(moved > 0)
}

fn find(transaction: &Transaction<'_>, identity: &Identity) -> Result<Option<Alert>, ControlError> {
    let body: Option<String> = transaction
        .prepare_cached(
            "SELECT body FROM alert WHERE environment = ?1 AND resource = ?2 AND event = ?3",
        )?
        .query_row([&identity.environment, &identity.resource, &identity.event], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

/// Makes the row and gives its id; [`update`] fills it in.
fn insert(transaction: &Transaction<'_>, alert: &Alert) -> Result<u64, ControlError> {
    transaction
        .prepare_cached(
            "INSERT INTO alert (environment, resource, event, severity, open, last_seen, body) \
             VALUES (?1, ?2, ?3, 0, 1, 0, '')",
        )?
        .execute([&alert.environment, &alert.resource, &alert.event])?;
    Ok(loaded(transaction.last_insert_rowid()))
}

fn update(transaction: &Transaction<'_>, alert: &Alert) -> Result<(), ControlError> {
    transaction
        .prepare_cached(
            "UPDATE alert SET severity = ?2, open = ?3, last_seen = ?4, body = ?5 WHERE id = ?1",
        )?
        .execute(params![
            stored(alert.id, "an alert id")?,
            rank(alert.severity),
            alert.status == Status::Open,
            alert.last_seen.micros(),
            serde_json::to_string(alert)?
        ])?;
    Ok(())
}

fn decode(body: rusqlite::types::ValueRef<'_>) -> Result<Alert, ControlError> {
    let body = body.as_str().map_err(|error| ControlError::Corrupt(error.to_string()))?;
    Ok(serde_json::from_str(body)?)
}

/// The severity as a number that sorts; the file holds these numbers, so they never change.
fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Informational => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

fn mentions(alert: &Alert, wanted: &str) -> bool {
    let optional = [&alert.host, &alert.user, &alert.source, &alert.program];
    [&alert.resource, &alert.event, &alert.text, &alert.rule_id, &alert.example]
        .into_iter()
        .chain(optional.into_iter().flatten())
        .chain(&alert.users.names)
        .chain(&alert.sources.names)
        .any(|text| text.to_lowercase().contains(wanted))
}
