//! From an alert to the exception that somebody who looked at it may want.

use std::fmt::Write as _;

use bergfried_event::{Field, FieldName, Finding, Timestamp, Value};

use super::fields::of_evidence;
use super::{InvalidException, Scope};
use crate::alert::Alert;
use crate::bounds::MAX_NAME;

/// The fields of an exception where nobody names any.
const USUAL: [&str; 2] = ["user.name", "host.name"];

/// Why there is no exception to propose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProposed {
    /// No rule found it.
    #[error("no rule found this alert: silence what is sent from outside with a blackout")]
    NoFinding,
    /// Its findings have no such field.
    #[error("the findings of this alert have no `{field}`, they have: {known}")]
    NoField {
        /// The field as it was named.
        field: String,
        /// The fields that there are.
        known: String,
    },
    /// Only the beginning of the value is known.
    #[error("`{field}` is too long to be known whole, and others may begin with the same")]
    Cut {
        /// The field.
        field: String,
    },
    /// It has neither user nor host, and nobody named another field.
    #[error("the findings of this alert have neither user nor host, name fields: {known}")]
    NothingUsual {
        /// The fields that there are.
        known: String,
    },
    /// What it would be is no exception.
    #[error(transparent)]
    Invalid(#[from] InvalidException),
}

/// The alert's rule, where these fields are as they are in the alert; without names its user and host,
/// as far as it has them.
///
/// # Errors
/// Where no rule found the alert, or it lacks one of the fields.
pub fn propose(alert: &Alert, names: &[String], now: Timestamp) -> Result<Scope, NotProposed> {
    let evidence = alert.evidence.as_deref().ok_or(NotProposed::NoFinding)?;
    let seen = of_evidence(evidence);
    let known = || {
        let names: Vec<&str> = seen.fields().iter().map(|(name, _)| name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    let value_of = |name: &str| {
        let value = match seen.get_named(&FieldName::new(name.to_owned()))? {
            Value::List(values) => values.first()?.to_text().into_owned(),
            value => value.to_text().into_owned(),
        };
        Some(value)
    };
    let mut conditions = Vec::new();
    for name in names {
        let no_field = || NotProposed::NoField { field: name.clone(), known: known() };
        conditions.push((name.as_str(), value_of(name).ok_or_else(no_field)?));
    }
    if names.is_empty() {
        conditions.extend(USUAL.iter().filter_map(|name| Some((*name, value_of(name)?))));
        if conditions.is_empty() {
            return Err(NotProposed::NothingUsual { known: known() });
        }
    }
    let mut when = String::new();
    for (name, value) in &conditions {
        if is_cut(value) {
            return Err(NotProposed::Cut { field: (*name).to_owned() });
        }
        if !when.is_empty() {
            when.push(' ');
        }
        condition(&FieldName::new((*name).to_owned()), value, &mut when);
    }
    Ok(Scope::new(vec![evidence.rule_id.clone()], &when, now)?)
}

/// Whether a value may go on behind what is known of it.
fn is_cut(value: &str) -> bool {
    value.chars().count() >= Finding::MAX_MATCHED_VALUE || value.len() >= MAX_NAME
}

/// Writes that a field is just this text.
fn condition(name: &FieldName<'_>, value: &str, out: &mut String) {
    match name {
        FieldName::Known(field) => out.push_str(field.name()),
        FieldName::Other(name) => quote(name, out),
    }
    out.push(':');
    // In a phrase words of such a field would do.
    if matches!(name, FieldName::Known(Field::ProcessCommandLine)) {
        exactly(value, out);
    } else {
        quote(value, out);
    }
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// An expression that only this text meets, without white space or a slash, which would end it.
fn exactly(text: &str, out: &mut String) {
    out.push_str("/^");
    for character in text.chars() {
        if character.is_alphanumeric() || matches!(character, '_' | '-' | '=' | ',' | ':' | ';') {
            out.push(character);
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(out, "\\x{{{:x}}}", u32::from(character));
        }
    }
    out.push_str("$/");
}
