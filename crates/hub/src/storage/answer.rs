//! What the hub answers of its store, for who asks it and for who reads it.

use bergfried_event::Timestamp;
use bergfried_store::{Due, Share};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::told::{Expired, Joined, Verification};
use crate::config::RetentionPlan;

/// What is stored.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct StorageBody {
    /// Events, also those in memory
    pub events: u64,
    /// Events that are in memory and in the log, in no segment yet
    pub events_in_memory: u64,
    /// Files of segments
    pub segments: usize,
    /// Bytes of segments
    pub bytes: u64,
    /// Bytes of the log
    pub wal_bytes: u64,
    /// When the first event happened
    #[schema(value_type = Option<String>)]
    pub oldest: Option<Timestamp>,
    /// When the last event happened
    #[schema(value_type = Option<String>)]
    pub newest: Option<Timestamp>,
    /// What is in segments, by day and class
    pub days: Vec<ShareBody>,
    /// How long it is kept
    pub retention: RetentionBody,
    /// What retention looks at next because of its age
    pub next: Option<DueBody>,
    /// The ledger of what came and went
    pub chain: ChainBody,
    /// How the last look went, since the hub was started
    pub verified: Option<Verification>,
    /// What was joined since then
    pub joined: Option<Joined>,
    /// When the last were
    #[schema(value_type = Option<String>)]
    pub joined_at: Option<Timestamp>,
    /// What retention removed since then
    pub removed: Option<Expired>,
    /// What was asked for and is not done: `verify` or `compact`
    pub running: Option<String>,
    /// What went wrong last since then
    pub problem: Option<ProblemBody>,
}

/// What is stored of one day and class.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ShareBody {
    /// When the events happened
    pub day: String,
    /// Why they are kept longer than others: `alerts`, or a class of the configuration
    pub class: Option<String>,
    /// How many
    pub events: u64,
    /// How much they take
    pub bytes: u64,
    /// In how many files
    pub segments: u64,
}

/// How long events are kept.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RetentionBody {
    /// Absent: for ever
    pub days: Option<u32>,
    /// The most bytes that segments may take
    pub size: Option<u64>,
    /// Of events that alerts stand on
    pub alerts_days: Option<u32>,
    /// What is kept longer or shorter
    pub classes: Vec<ClassBody>,
}

/// Events that are kept longer or shorter.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ClassBody {
    /// What the configuration calls them
    pub name: String,
    /// Which events, in the search language
    #[serde(rename = "match")]
    pub matches: String,
    /// For so many days
    pub days: u32,
}

/// What retention looks at next.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct DueBody {
    /// The day on which the hub took the events
    pub taken: String,
    /// The day on which it is time
    pub due: String,
    /// Events among which it looks for those to remove
    pub events: u64,
    /// How much the files take that they are in
    pub bytes: u64,
}

/// The ledger of what came and went.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ChainBody {
    /// How many came and went
    pub changes: u64,
    /// Its last value; written down elsewhere, it proves later that the past was not written anew
    pub head: String,
}

/// What went wrong.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemBody {
    /// When
    #[schema(value_type = String)]
    pub at: Timestamp,
    /// What, as a sentence
    pub message: String,
}

impl ShareBody {
    /// What the store says of one.
    pub fn of(share: Share) -> Self {
        let Share { day, class, events, bytes, segments } = share;
        ShareBody { day, class, events, bytes, segments }
    }
}

impl DueBody {
    pub(crate) fn of(due: Due) -> Self {
        let Due { taken, due, events, bytes } = due;
        DueBody { taken, due, events, bytes }
    }
}

impl RetentionBody {
    pub(crate) fn of(plan: &RetentionPlan) -> Self {
        let classes = plan.classes.iter().map(|class| ClassBody {
            name: class.name.0.clone(),
            matches: class.matches.0.clone(),
            days: class.days.0,
        });
        RetentionBody {
            days: plan.days,
            size: plan.size,
            alerts_days: plan.days.map(|_| plan.alerts_days),
            classes: classes.collect(),
        }
    }
}
