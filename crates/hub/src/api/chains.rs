//! The chains that run, and what was counted of them.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_control::{AuditChange, NewAudit};
use bergfried_event::Timestamp;
use bergfried_process::{ChainCounts, PatternCounts, StepCounts};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Admin, Viewer};
use crate::chains::Outcome;
use crate::error::{ApiError, blocking};
use crate::router::State;
use crate::running::now;

/// The chains that run.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChainsBody {
    /// When they were loaded; their counters begin there
    #[schema(value_type = String)]
    loaded: Timestamp,
    /// In the order in which they run
    chains: Vec<ChainBody>,
}

/// A chain and what was counted of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChainBody {
    name: String,
    /// Its condition in the search language
    when: Option<String>,
    /// Events for which its condition held
    held: u64,
    /// Events that it let go; they are answered, not stored
    dropped: u64,
    /// What it takes for each event, on average of a sample of them
    nanoseconds_per_event: f64,
    /// Its steps, those within others after them
    steps: Vec<StepBody>,
}

/// A step and what was counted of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct StepBody {
    /// Its place among the steps around it: `2`, `3.then.1`
    place: String,
    /// The key of its action; `if` for one with steps of its own, `options` for one without action
    kind: &'static str,
    /// Its condition in the search language
    when: Option<String>,
    /// Events for which its condition held
    tried: u64,
    /// Events for which it was done
    done: u64,
    /// Events for which it failed
    failed: u64,
    /// Events for which a pattern took more steps than it may
    too_hard: u64,
    /// What it takes for each event that comes to it, on average of a sample of them
    nanoseconds_per_event: f64,
    patterns: Vec<PatternBody>,
}

/// A pattern of a step and what was counted of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct PatternBody {
    pattern: String,
    /// How it is run: `linear`, or `backtracking` with a limit on its steps
    engine: String,
    /// Texts that it was tried on
    tried: u64,
    /// Texts that it matched
    matched: u64,
    /// Texts on which it took more steps than it may
    too_hard: u64,
    /// What it takes for each text, on average of a sample of them
    nanoseconds_per_text: f64,
}

impl From<ChainCounts> for ChainBody {
    fn from(counts: ChainCounts) -> Self {
        ChainBody {
            name: counts.name,
            when: counts.when,
            held: counts.held,
            dropped: counts.dropped,
            nanoseconds_per_event: counts.nanoseconds_per_event,
            steps: counts.steps.into_iter().map(StepBody::from).collect(),
        }
    }
}

impl From<StepCounts> for StepBody {
    fn from(counts: StepCounts) -> Self {
        StepBody {
            place: counts.place,
            kind: counts.kind,
            when: counts.when,
            tried: counts.tried,
            done: counts.done,
            failed: counts.failed,
            too_hard: counts.too_hard,
            nanoseconds_per_event: counts.nanoseconds_per_event,
            patterns: counts.patterns.into_iter().map(PatternBody::from).collect(),
        }
    }
}

impl From<PatternCounts> for PatternBody {
    fn from(counts: PatternCounts) -> Self {
        PatternBody {
            pattern: counts.pattern,
            engine: counts.engine,
            tried: counts.tried,
            matched: counts.matched,
            too_hard: counts.too_hard,
            nanoseconds_per_text: counts.nanoseconds_per_text,
        }
    }
}

/// What became of reading the chains again.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChainsReloadBody {
    /// `taken`; `kept` where they have mistakes, and the chains of before run on
    status: &'static str,
    /// What is wrong, each with file, line and column
    mistakes: Vec<String>,
    /// How many chains run
    chains: usize,
}

/// The chains that run and what was counted of each step and pattern
#[utoipa::path(get, path = "/api/v1/chains", tag = "chains",
    responses((status = 200, description = "The chains in the order in which they run", body = ChainsBody)))]
pub(crate) async fn list(_viewer: Viewer, Shared(state): Shared<State>) -> Json<ChainsBody> {
    let chains = state.pipeline.chains().into_iter().map(ChainBody::from);
    Json(ChainsBody { loaded: state.chains.loaded(), chains: chains.collect() })
}

/// Read the chains and the files that they name again
///
/// The hub also does so on SIGHUP. Chains with a mistake are not taken.
#[utoipa::path(post, path = "/api/v1/chains/reload", tag = "chains",
    responses((status = 200, description = "What became of it", body = ChainsReloadBody)))]
pub(crate) async fn reload(
    Admin(by): Admin,
    Shared(state): Shared<State>,
) -> Result<Json<ChainsReloadBody>, ApiError> {
    blocking(move || {
        let before = state.chains.outline();
        let (status, mistakes) = match state.chains.reload(&state.pipeline) {
            Outcome::Taken => ("taken", Vec::new()),
            Outcome::Kept(failure) => ("kept", failure.told.to_vec()),
        };
        let done = NewAudit {
            who: by.name,
            action: "chains.reload".to_owned(),
            target: status.to_owned(),
            change: AuditChange::between(&before, &state.chains.outline())?,
        };
        state.control.append_audits(&[done], now())?;
        Ok(Json(ChainsReloadBody { status, mistakes, chains: state.chains.chains().len() }))
    })
    .await
}

/// What wants a person's attention, each in one sentence.
pub(crate) fn problems(state: &State) -> Vec<String> {
    let mut problems = Vec::new();
    if let Some(failure) = state.chains.failed() {
        problems.push(format!(
            "the change of the chains at {} was not taken, those of before run: {}",
            failure.at,
            failure.told.first().map(String::as_str).unwrap_or_default()
        ));
    }
    for chain in state.pipeline.chains() {
        for step in chain.steps {
            let hard = step.patterns.iter().enumerate().filter(|(_, one)| one.too_hard > 0);
            for (number, pattern) in hard {
                problems.push(format!(
                    "pattern {} in step {} of the chain `{}` took more steps than it may on {} of \
                     {} texts",
                    number + 1,
                    step.place,
                    chain.name,
                    pattern.too_hard,
                    pattern.tried
                ));
            }
        }
    }
    problems
}
