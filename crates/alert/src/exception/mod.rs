//! What somebody looked at and does not want to hear of again, for a time.
//!
//! An exception stands between finding and alert: a finding that a live one covers makes no alert and
//! is counted on it. What it covers is a [`Scope`]: rules, and a condition in the search language over
//! the finding seen as fields (see [`fields`]). The same scope is asked in a preview and in earnest.

pub mod fields;
mod propose;

use std::fmt;

use bergfried_event::{Event, Field, FieldName, Finding, Timestamp};
use bergfried_query::search::parse_with;
use bergfried_query::{Condition, Predicate, Target};
use serde::{Deserialize, Serialize};

pub use propose::{NotProposed, propose};

/// The most rules that an exception names.
pub const MAX_RULES: usize = 64;
/// The most bytes of a rule's id, and of an owner's name.
const MAX_WORD: usize = 512;
/// The most bytes of a condition.
pub const MAX_CONDITION: usize = 4_096;
/// The most bytes of a reason.
pub const MAX_REASON: usize = 1_024;
/// The tag of rules about tampering with what watches a host.
pub const TAMPER: &str = "bergfried.tamper";
/// The longest life of an exception: somebody must look again.
pub const MAX_LIFE: i64 = 3 * 366 * Timestamp::DAY;

/// Which findings are meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Scope {
    rules: Vec<String>,
    when: String,
    predicate: Predicate,
}

/// Why there can be no such exception, for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidException(String);

impl InvalidException {
    fn new(message: impl Into<String>) -> InvalidException {
        InvalidException(message.into())
    }
}

impl Scope {
    /// Findings of these rules (of any where there is none) that meet this condition (all where it is
    /// empty). `now` is what `now-1h` counts from.
    ///
    /// # Errors
    /// Where the condition cannot be read, looks at the text of lines, or everything would be covered.
    pub fn new(rules: Vec<String>, when: &str, now: Timestamp) -> Result<Scope, InvalidException> {
        let when = when.trim();
        if rules.len() > MAX_RULES {
            let message = format!("an exception names at most {MAX_RULES} rules");
            return Err(InvalidException(message));
        }
        if rules.iter().any(|rule| rule.trim().is_empty() || rule.len() > MAX_WORD) {
            return Err(InvalidException::new("the id of a rule is empty or too long"));
        }
        if rules.is_empty() && when.is_empty() {
            return Err(InvalidException::new(
                "an exception names a rule or has a condition, or it would cover every finding",
            ));
        }
        if when.len() > MAX_CONDITION {
            let message = format!("a condition has at most {MAX_CONDITION} bytes");
            return Err(InvalidException(message));
        }
        let predicate = parse_with(when, now, fields::NAMES).map_err(|error| {
            InvalidException(format!("cannot read the condition: {}", error.render(when)))
        })?;
        refuse_text_of_lines(&predicate)?;
        Ok(Scope { rules, when: when.to_owned(), predicate })
    }

    /// The rules; none is any rule.
    pub fn rules(&self) -> &[String] {
        &self.rules
    }

    /// The condition as it was written; empty where every finding of the rules is meant.
    pub fn when(&self) -> &str {
        &self.when
    }

    /// Whether findings of this rule may be meant.
    pub fn concerns(&self, rule_id: &str) -> bool {
        self.rules.is_empty() || self.rules.iter().any(|rule| rule == rule_id)
    }

    /// Whether this finding is meant. One tagged [`TAMPER`] is so only where its rule is named: an
    /// exception for a user or a host, whatever the rule, must not hide who blinds the watch.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.may_cover(finding) && self.predicate.matches(&fields::of_finding(finding))
    }

    /// As [`Scope::covers`], where what the finding is made into for it is known already.
    pub fn covers_seen(&self, finding: &Finding, seen: &Event<'_>) -> bool {
        self.may_cover(finding) && self.predicate.matches(seen)
    }

    fn may_cover(&self, finding: &Finding) -> bool {
        let is_of_any_rule = self.rules.is_empty();
        self.concerns(&finding.rule_id)
            && !(is_of_any_rule && finding.tags.iter().any(|tag| tag == TAMPER))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rules.as_slice() {
            [] => f.write_str("any rule")?,
            rules => write!(f, "{}", rules.join(", "))?,
        }
        match self.when.as_str() {
            "" => Ok(()),
            when => write!(f, " where {when}"),
        }
    }
}

/// Whoever writes a line chooses its text, so what is in it must not switch a rule off.
fn refuse_text_of_lines(predicate: &Predicate) -> Result<(), InvalidException> {
    let of_lines = |name: &FieldName<'_>| {
        matches!(name, FieldName::Known(Field::Message | Field::EventOriginal))
    };
    if looks_anywhere(predicate) || predicate.fields().into_iter().any(of_lines) {
        return Err(InvalidException::new(
            "a condition cannot look at the text of lines, which whoever writes them chooses: \
             name a field, such as user.name:backup",
        ));
    }
    Ok(())
}

fn looks_anywhere(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::Constant(_) => false,
        Predicate::And(inner) | Predicate::Or(inner) | Predicate::AtLeast(_, inner) => {
            inner.iter().any(looks_anywhere)
        }
        Predicate::Not(inner) => looks_anywhere(inner),
        Predicate::Atom(target, condition) => {
            *target == Target::Anything && *condition != Condition::Exists
        }
    }
}

/// Findings that make no alert until it expires.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Exception {
    /// Its id, a UUID.
    pub id: String,
    /// Which findings.
    pub scope: Scope,
    /// Who answers for it.
    pub owner: String,
    /// Why they mean nothing.
    pub reason: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// How many findings it kept from becoming alerts.
    pub hits: u64,
    /// When it did so last.
    pub last_hit: Option<Timestamp>,
}

impl Exception {
    /// An exception that was never used yet.
    ///
    /// # Errors
    /// Without an owner or a reason, or where it ends before it begins or only after [`MAX_LIFE`].
    pub fn new(
        id: String,
        scope: Scope,
        owner: &str,
        reason: &str,
        expires: Timestamp,
        now: Timestamp,
    ) -> Result<Exception, InvalidException> {
        let (owner, reason) = (owner.trim(), reason.trim());
        if owner.is_empty() || owner.len() > MAX_WORD {
            let message = format!("an exception needs an owner, of at most {MAX_WORD} bytes");
            return Err(InvalidException(message));
        }
        if reason.is_empty() || reason.len() > MAX_REASON {
            let message = format!("an exception needs a reason, of at most {MAX_REASON} bytes");
            return Err(InvalidException(message));
        }
        if expires <= now {
            return Err(InvalidException::new("an exception must expire in the future"));
        }
        if expires.since(now) > MAX_LIFE {
            return Err(InvalidException::new("an exception must expire within three years"));
        }
        Ok(Exception {
            id,
            scope,
            owner: owner.to_owned(),
            reason: reason.to_owned(),
            created: now,
            expires,
            hits: 0,
            last_hit: None,
        })
    }

    /// Whether it still counts.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// Notes that it kept a finding from becoming an alert.
    pub fn hit(&mut self, now: Timestamp) {
        self.hits = self.hits.saturating_add(1);
        self.last_hit = self.last_hit.max(Some(now));
    }
}

/// An exception as JSON.
#[derive(Serialize, Deserialize)]
struct Written {
    id: String,
    rules: Vec<String>,
    when: String,
    owner: String,
    reason: String,
    created: Timestamp,
    expires: Timestamp,
    hits: u64,
    last_hit: Option<Timestamp>,
}

impl From<Exception> for Written {
    fn from(exception: Exception) -> Written {
        let Exception { id, scope, owner, reason, created, expires, hits, last_hit } = exception;
        let Scope { rules, when, .. } = scope;
        Written { id, rules, when, owner, reason, created, expires, hits, last_hit }
    }
}

impl TryFrom<Written> for Exception {
    type Error = InvalidException;

    fn try_from(written: Written) -> Result<Exception, InvalidException> {
        let Written { id, rules, when, owner, reason, created, expires, hits, last_hit } = written;
        // By the time at which it was made, so that it always means what it meant then.
        let scope = Scope::new(rules, &when, created)?;
        Ok(Exception { id, scope, owner, reason, created, expires, hits, last_hit })
    }
}

#[cfg(test)]
mod tests;
