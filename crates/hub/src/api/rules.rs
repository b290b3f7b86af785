//! The rules that run.

use axum::Json;
use axum::extract::State as Shared;
use bergfried_event::Timestamp;
use bergfried_pipeline::{Refused, RuleCounts};
use bergfried_rules::{Class, Diagnostic, Rule};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Admin;
use crate::error::{ApiError, ErrorBody};
use crate::request::InPath;
use crate::router::State;
use crate::rules::{Failure, Outcome};

/// A rule that runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleBody {
    /// Its id, a UUID in Sigma
    id: String,
    title: String,
    /// informational, low, medium, high or critical
    level: String,
    /// active, silent (only other rules hear of it), needs (a log source) or unsupported
    state: &'static str,
    /// Why it cannot fire, where that is so
    reason: String,
    /// Its log source as product/category/service; none for a correlation
    logsource: Option<String>,
    description: String,
    tags: Vec<String>,
    /// MITRE ATT&CK technique ids
    techniques: Vec<String>,
    false_positives: Vec<String>,
    /// The file and line where it is written
    file: String,
    line: usize,
}

impl RuleBody {
    fn of(rule: &Rule) -> RuleBody {
        RuleBody {
            id: rule.id().to_owned(),
            title: rule.title().to_owned(),
            level: rule.level().to_string(),
            state: match rule.class() {
                Class::Active if rule.is_silent() => "silent",
                class => class.word(),
            },
            reason: rule.class().reason().to_owned(),
            logsource: rule.logsource(),
            description: rule.description().to_owned(),
            tags: rule.tags().to_vec(),
            techniques: rule.techniques().to_vec(),
            false_positives: rule.falsepositives().to_vec(),
            file: rule.file().to_owned(),
            line: rule.line(),
        }
    }
}

/// A rule with its condition and what was counted of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleDetail {
    #[serde(flatten)]
    rule: RuleBody,
    /// Its condition in words; none for a correlation
    condition: Option<String>,
    counts: CountsBody,
}

/// What was counted of a rule since the hub's start, or since the rule first ran.
#[derive(Serialize, ToSchema)]
pub(crate) struct CountsBody {
    id: String,
    title: String,
    /// Events that it matched; of a correlation, episodes that started
    hits: u64,
    /// Findings that were stored
    findings: u64,
    /// When the hub saw the last hit
    #[schema(value_type = Option<String>)]
    last_hit: Option<Timestamp>,
    /// What its condition takes for each event, on average of a sample of them
    nanoseconds_per_event: f64,
    /// How often its condition was looked at among a thousand events
    evaluated_per_thousand: f64,
    /// Groups that it forgot because there were too many
    evicted: u64,
    /// Matches that came too late to count
    late: u64,
}

impl CountsBody {
    fn of(rule: &Rule, counts: &RuleCounts) -> CountsBody {
        CountsBody {
            id: rule.id().to_owned(),
            title: rule.title().to_owned(),
            hits: counts.hits,
            findings: counts.findings,
            last_hit: counts.last_hit,
            nanoseconds_per_event: counts.nanoseconds_per_event,
            evaluated_per_thousand: counts.evaluated_per_thousand,
            evicted: counts.evicted,
            late: counts.late,
        }
    }
}

/// Something wrong with a rule file.
#[derive(Serialize, ToSchema)]
pub(crate) struct DiagnosticBody {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

/// What became of a change of the rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct ReloadBody {
    /// `changed`; `unchanged` where the files are as they were; `kept` where they have mistakes, and
    /// the rules of before run on
    status: &'static str,
    /// Why the rules of before run on
    reason: Option<String>,
    /// When that was tried
    #[schema(value_type = Option<String>)]
    at: Option<Timestamp>,
    /// What is wrong with which file
    diagnostics: Vec<DiagnosticBody>,
    /// Rules that remember what they did before
    kept: usize,
    /// Rules over several events that start anew: new ones, and those that were changed
    anew: usize,
    /// How many rules run
    rules: usize,
}

impl ReloadBody {
    pub(crate) fn kept(failure: &Failure) -> ReloadBody {
        let told = |diagnostic: &Diagnostic| DiagnosticBody {
            file: diagnostic.file.clone(),
            line: diagnostic.line,
            column: diagnostic.column,
            message: diagnostic.message.clone(),
        };
        ReloadBody {
            status: "kept",
            reason: Some(failure.reason.clone()),
            at: Some(failure.at),
            diagnostics: failure.diagnostics.iter().map(told).collect(),
            ..ReloadBody::plain("kept")
        }
    }

    fn plain(status: &'static str) -> ReloadBody {
        ReloadBody {
            status,
            reason: None,
            at: None,
            diagnostics: Vec::new(),
            kept: 0,
            anew: 0,
            rules: 0,
        }
    }
}

/// List the rules that run
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules",
    responses((status = 200, description = "The rules in the order of their files", body = Vec<RuleBody>)))]
pub(crate) async fn list(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<RuleBody>>, ApiError> {
    Ok(Json(state.rules.now().rules.rules().iter().map(RuleBody::of).collect()))
}

/// Show one rule
#[utoipa::path(get, path = "/api/v1/rules/{id}", tag = "rules",
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 200, description = "The rule, its condition and its counts", body = RuleDetail),
        (status = 404, description = "No rule of this id runs", body = ErrorBody)))]
pub(crate) async fn show(
    _admin: Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Json<RuleDetail>, ApiError> {
    let report = state.pipeline.rules();
    let mut rules = report.rules.rules().iter().zip(&report.counts);
    let Some((rule, counts)) = rules.find(|(rule, _)| rule.id() == id) else {
        let id = id.escape_debug();
        return Err(ApiError::not_found(format!("no rule of the id `{id}` runs")));
    };
    Ok(Json(RuleDetail {
        rule: RuleBody::of(rule),
        condition: rule.predicate().map(ToString::to_string),
        counts: CountsBody::of(rule, counts),
    }))
}

/// Hits, findings and cost of each rule
#[utoipa::path(get, path = "/api/v1/rules/stats", tag = "rules",
    responses((status = 200, description = "Counts in the order of the rules", body = Vec<CountsBody>)))]
pub(crate) async fn stats(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<CountsBody>>, ApiError> {
    let report = state.pipeline.rules();
    let rules = report.rules.rules().iter().zip(&report.counts);
    Ok(Json(rules.map(|(rule, counts)| CountsBody::of(rule, counts)).collect()))
}

/// Log sources of the events seen
#[utoipa::path(get, path = "/api/v1/rules/sources", tag = "rules",
    responses((status = 200, description = "For each kind of event the words that it gives, such as \
        `service: sshd`, of those that some rule asks for", body = Vec<Vec<String>>)))]
pub(crate) async fn sources(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<Vec<String>>>, ApiError> {
    Ok(Json(state.pipeline.rules().sources))
}

/// Read the rule files again
///
/// The hub also does so by itself when a file changes. A set with a mistake is not taken.
#[utoipa::path(post, path = "/api/v1/rules/reload", tag = "rules",
    responses((status = 200, description = "What became of it", body = ReloadBody),
        (status = 503, description = "The hub is stopping", body = ErrorBody)))]
pub(crate) async fn reload(
    _admin: Admin,
    Shared(state): Shared<State>,
) -> Result<Json<ReloadBody>, ApiError> {
    let outcome = state.rules.ask().await.map_err(|_| Refused::Stopped)?;
    let body = match outcome {
        Outcome::Unchanged => ReloadBody::plain("unchanged"),
        Outcome::Changed(replaced) => {
            ReloadBody { kept: replaced.kept, anew: replaced.anew, ..ReloadBody::plain("changed") }
        }
        Outcome::Kept(failure) => ReloadBody::kept(&failure),
    };
    Ok(Json(ReloadBody { rules: state.rules.now().rules.len(), ..body }))
}
