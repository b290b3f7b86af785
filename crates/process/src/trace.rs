//! What each step did to one event, for a person who asks.

use bergfried_event::{Event, Value};

/// What chains did to one event, step by step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Every step that was come to, in order; those within others after them.
    pub steps: Vec<StepTrace>,
}

/// What one step did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTrace {
    /// The name of its chain.
    pub chain: String,
    /// Its place among the steps around it, counted from 1: `2`, `3.then.1`. Empty for the chain as
    /// such.
    pub place: String,
    /// The key of its action (`grok`), `if` for one with steps of its own, `options` for one without
    /// an action.
    pub kind: &'static str,
    /// Its condition as written.
    pub when: Option<String>,
    /// What became of it.
    pub result: StepResult,
    /// What became of each of its patterns that was tried.
    pub patterns: Vec<PatternTrace>,
    /// Fields that are other than before.
    pub changes: Vec<Change>,
    /// How long it took, the steps within it included.
    pub nanoseconds: u64,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepResult {
    /// Its condition does not hold.
    NotHeld,
    /// It was done.
    Done,
    /// The field that it reads is not there, so there was nothing to do.
    Nothing(String),
    /// It could not be done, for this reason.
    Failed(String),
    /// A pattern took more steps than it may.
    TooHard(String),
    /// It let the event go.
    Dropped,
}

/// What became of one pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct PatternTrace {
    /// Its place in the list, counted from 1.
    pub number: usize,
    /// The field that it was tried on.
    pub field: String,
    /// The pattern as written.
    pub pattern: String,
    /// How it is run.
    pub engine: String,
    /// What came of it.
    pub result: PatternResult,
    /// How long it took.
    pub nanoseconds: u64,
}

/// What came of trying a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternResult {
    /// It matched.
    Matched,
    /// It did not match.
    NotMatched,
    /// It took more steps than it may.
    TooHard,
}

/// A field that is other than before.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// What it held, where it was there.
    pub before: Option<Value<'static>>,
    /// What it holds, where it is there.
    pub after: Option<Value<'static>>,
}

/// What is other in `after` than in `before`.
pub(crate) fn changes(before: &Event<'_>, after: &Event<'_>) -> Vec<Change> {
    let mut found = Vec::new();
    if before.created() != after.created() {
        found.push(Change {
            name: "@timestamp".to_owned(),
            before: Some(Value::from(before.created().to_string())),
            after: Some(Value::from(after.created().to_string())),
        });
    }
    for (name, value) in before.fields() {
        let now = after.get_named(name);
        if now != Some(value) {
            found.push(Change {
                name: name.as_str().to_owned(),
                before: Some(value.clone().into_owned()),
                after: now.map(|value| value.clone().into_owned()),
            });
        }
    }
    for (name, value) in after.fields() {
        if before.get_named(name).is_none() {
            found.push(Change {
                name: name.as_str().to_owned(),
                before: None,
                after: Some(value.clone().into_owned()),
            });
        }
    }
    found
}
