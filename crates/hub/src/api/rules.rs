//! The rules that there are, and what those that run do.

pub(crate) mod coverage;
mod noise;
pub(crate) mod own;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_control::AuditChange;
use bergfried_event::Timestamp;
use bergfried_heimdall::{Severity, kind_of_rule};
use bergfried_pipeline::{Refused, RuleCounts, SecReport};
use bergfried_rules::sec::SecRule;
use bergfried_rules::{Class, Diagnostic, Rule, RuleKind};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::{Admin, Viewer, audit};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::InPath;
use crate::router::State;
use crate::rules::{Failure, LiveRules, Outcome};

use self::noise::Noise;

/// A rule.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleBody {
    /// Its id, a UUID in Sigma
    id: String,
    title: String,
    /// informational, low, medium, high or critical
    level: String,
    /// detection, first_seen, correlation, or sec: a rule of the Simple Event Correlator
    kind: &'static str,
    /// active, silent (only other rules hear of it), off (people switched it off), needs (a log
    /// source) or unsupported
    state: &'static str,
    /// Why it cannot fire, where that is so
    reason: String,
    /// Its log source as product/category/service; none for a correlation or a rule of SEC
    logsource: Option<String>,
    description: String,
    tags: Vec<String>,
    /// MITRE ATT&CK technique ids
    techniques: Vec<String>,
    false_positives: Vec<String>,
    heimdall: HeimdallBody,
    /// The file and line where it is written
    file: String,
    line: usize,
    /// Whether it was written in the console, and may be changed there
    own: bool,
    /// Events that it matched since the hub's start; of a correlation, episodes that started
    hits: u64,
    /// Those of the last 24 hours, or since the hub's start
    hits_day: u64,
    /// When the hub saw the last hit
    #[schema(value_type = Option<String>)]
    last_hit: Option<Timestamp>,
    /// Its alerts that are new since a day, of those that the hub still has
    alerts_per_day: u64,
    /// Its alerts that are neither closed nor expired
    open_alerts: u64,
    /// What its condition takes for each event, on average of a sample of them
    nanoseconds_per_event: f64,
    /// Exceptions that count and name it
    exceptions: usize,
}

/// What a rule finds, in Heimdall's words
#[derive(Serialize, ToSchema)]
pub(crate) struct HeimdallBody {
    /// One of its 15 kinds, such as LOGIN_FAIL
    event_type: &'static str,
    /// From 1 (information) to 5 (critical)
    severity: u8,
}

impl HeimdallBody {
    fn of(rule: &Rule) -> HeimdallBody {
        HeimdallBody {
            event_type: kind_of_rule(rule.file(), rule.tags()).name(),
            severity: Severity::from(rule.level()).number(),
        }
    }
}

impl RuleBody {
    fn of(rule: &Rule, scene: &Scene) -> RuleBody {
        let id = rule.id();
        let counts = scene.counts.get(id);
        let noise = scene.noise.of_rule(id);
        RuleBody {
            id: id.to_owned(),
            title: rule.title().to_owned(),
            level: rule.level().to_string(),
            kind: match rule.kind() {
                RuleKind::Detection => "detection",
                RuleKind::FirstSeen => "first_seen",
                RuleKind::Correlation => "correlation",
            },
            state: match rule.class() {
                _ if scene.off.contains(id) => "off",
                Class::Active if rule.is_silent() => "silent",
                class => class.word(),
            },
            reason: rule.class().reason().to_owned(),
            logsource: rule.logsource(),
            description: rule.description().to_owned(),
            tags: rule.tags().to_vec(),
            techniques: rule.techniques().to_vec(),
            false_positives: rule.falsepositives().to_vec(),
            heimdall: HeimdallBody::of(rule),
            file: rule.file().to_owned(),
            line: rule.line(),
            own: scene.rules.is_own(rule.file()),
            hits: counts.map_or(0, |counts| counts.hits),
            hits_day: counts.map_or(0, |counts| counts.hits_by_hour.iter().sum()),
            last_hit: counts.and_then(|counts| counts.last_hit),
            alerts_per_day: noise.new,
            open_alerts: noise.open,
            nanoseconds_per_event: counts.map_or(0.0, |counts| counts.nanoseconds_per_event),
            exceptions: noise.exceptions,
        }
    }
}

impl RuleBody {
    fn of_sec(rule: &SecRule, counts: &RuleCounts, scene: &Scene) -> RuleBody {
        let noise = scene.noise.of_rule(&rule.id);
        RuleBody {
            id: rule.id.clone(),
            title: rule.title.clone(),
            // Each alert of it says for itself how bad it is.
            level: bergfried_event::Severity::Informational.to_string(),
            kind: "sec",
            state: "active",
            reason: String::new(),
            logsource: None,
            description: format!("{} of the set {}", rule.kind, rule.set),
            tags: Vec::new(),
            techniques: Vec::new(),
            false_positives: Vec::new(),
            heimdall: HeimdallBody {
                event_type: kind_of_rule(&rule.file, &[]).name(),
                severity: Severity::from(bergfried_event::Severity::Informational).number(),
            },
            file: rule.file.clone(),
            line: rule.line,
            own: false,
            hits: counts.hits,
            hits_day: counts.hits_by_hour.iter().sum(),
            last_hit: counts.last_hit,
            alerts_per_day: noise.new,
            open_alerts: noise.open,
            nanoseconds_per_event: 0.0,
            exceptions: noise.exceptions,
        }
    }
}

/// What is known of all rules at one time.
struct Scene {
    rules: Arc<LiveRules>,
    off: Arc<BTreeSet<String>>,
    counts: HashMap<String, RuleCounts>,
    sec: SecReport,
    noise: Noise,
}

impl Scene {
    fn of(state: &State) -> Scene {
        let report = state.pipeline.rules();
        let ids = report.rules.rules().iter().map(|rule| rule.id().to_owned());
        Scene {
            rules: Arc::clone(&state.rules),
            off: state.rules.off(),
            counts: ids.zip(report.counts).collect(),
            sec: report.sec,
            noise: Noise::of(&state.alerting),
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
    /// Hits of each of the last 24 hours, the present one last
    hits_by_hour: Vec<u64>,
    /// Who wrote it
    author: String,
    /// Where to read more
    references: Vec<String>,
    /// The rules that it refers to, or that refer to it
    related: Vec<Related>,
    /// The text of its file
    source: String,
}

/// Another rule that one has to do with.
#[derive(Serialize, ToSchema)]
pub(crate) struct Related {
    id: String,
    title: String,
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
        Self::named(rule.id(), rule.title(), counts)
    }

    fn of_sec(rule: &SecRule, counts: &RuleCounts) -> CountsBody {
        Self::named(&rule.id, &rule.title, counts)
    }

    fn named(id: &str, title: &str, counts: &RuleCounts) -> CountsBody {
        CountsBody {
            id: id.to_owned(),
            title: title.to_owned(),
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

/// List the rules
#[utoipa::path(get, path = "/api/v1/rules", tag = "rules",
    responses((status = 200, description = "The rules in the order of their files, also those that are \
        switched off", body = Vec<RuleBody>)))]
pub(crate) async fn list(
    _viewer: Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<RuleBody>>, ApiError> {
    let scene = Scene::of(&state);
    let all = state.rules.now().all;
    let sigma = all.rules().iter().map(|rule| RuleBody::of(rule, &scene));
    let sec = scene.sec.rules.iter().map(|(rule, counts)| RuleBody::of_sec(rule, counts, &scene));
    Ok(Json(sigma.chain(sec).collect()))
}

/// Show one rule
#[utoipa::path(get, path = "/api/v1/rules/{id}", tag = "rules",
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 200, description = "The rule, its condition, its source and its counts", body = RuleDetail),
        (status = 404, description = "There is no rule of this id", body = ErrorBody)))]
pub(crate) async fn show(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Json<RuleDetail>, ApiError> {
    blocking(move || {
        let scene = Scene::of(&state);
        let all = state.rules.now().all;
        let found = all.rules().iter().enumerate().find(|(_, rule)| rule.id() == id);
        let Some((index, rule)) = found else { return show_sec(&state, &scene, &id) };
        let counts = scene.counts.get(rule.id()).cloned().unwrap_or_default();
        let text = state.rules.text(rule.file());
        let referring = all.rules().iter().enumerate();
        let referring = referring.filter(|(other, _)| all.referred(*other).contains(&index));
        let referred = all.referred(index).into_iter().filter_map(|other| all.rules().get(other));
        let related = referred
            .chain(referring.map(|(_, rule)| rule))
            .map(|rule| Related { id: rule.id().to_owned(), title: rule.title().to_owned() });
        Ok(Json(RuleDetail {
            rule: RuleBody::of(rule, &scene),
            condition: rule.predicate().map(ToString::to_string),
            hits_by_hour: counts.hits_by_hour.to_vec(),
            counts: CountsBody::of(rule, &counts),
            author: rule.author().to_owned(),
            references: rule.references().to_vec(),
            related: related.collect(),
            source: text.map_err(|error| ApiError::internal(&error))?.unwrap_or_default(),
        }))
    })
    .await
}

/// A rule of SEC.
fn show_sec(state: &State, scene: &Scene, id: &str) -> Result<Json<RuleDetail>, ApiError> {
    let found = scene.sec.rules.iter().find(|(rule, _)| rule.id == id);
    let (rule, counts) = found.ok_or_else(|| none(id))?;
    let text = state.rules.text(&rule.file).map_err(|error| ApiError::internal(&error))?;
    Ok(Json(RuleDetail {
        rule: RuleBody::of_sec(rule, counts, scene),
        condition: None,
        hits_by_hour: counts.hits_by_hour.to_vec(),
        counts: CountsBody::of_sec(rule, counts),
        author: String::new(),
        references: Vec::new(),
        related: Vec::new(),
        source: text.unwrap_or_default(),
    }))
}

fn none(id: &str) -> ApiError {
    ApiError::not_found(format!("there is no rule of the id `{}`", id.escape_debug()))
}

/// Hits, findings and cost of each rule
#[utoipa::path(get, path = "/api/v1/rules/stats", tag = "rules",
    responses((status = 200, description = "Counts in the order of the rules", body = Vec<CountsBody>)))]
pub(crate) async fn stats(
    _viewer: Viewer,
    Shared(state): Shared<State>,
) -> Result<Json<Vec<CountsBody>>, ApiError> {
    let report = state.pipeline.rules();
    let rules = report.rules.rules().iter().zip(&report.counts);
    let sigma = rules.map(|(rule, counts)| CountsBody::of(rule, counts));
    let sec = report.sec.rules.iter().map(|(rule, counts)| CountsBody::of_sec(rule, counts));
    Ok(Json(sigma.chain(sec).collect()))
}

/// Log sources of the events seen
#[utoipa::path(get, path = "/api/v1/rules/sources", tag = "rules",
    responses((status = 200, description = "For each kind of event the words that it gives, such as \
        `service: sshd`, of those that some rule asks for", body = Vec<Vec<String>>)))]
pub(crate) async fn sources(
    _viewer: Viewer,
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
    Admin(by): Admin,
    Shared(state): Shared<State>,
) -> Result<Json<ReloadBody>, ApiError> {
    let before = state.rules.now().outline();
    let body = reloaded(&state).await?;
    let change = AuditChange::between(&before, &state.rules.now().outline());
    audit(&state, &by.name, "rules.reload", body.status, change).await?;
    Ok(Json(body))
}

/// Lets the rule files be read again, and says what became of it.
async fn reloaded(state: &State) -> Result<ReloadBody, ApiError> {
    let outcome = state.rules.ask().await.map_err(|_| Refused::Stopped)?;
    let body = match outcome {
        Outcome::Unchanged => ReloadBody::plain("unchanged"),
        Outcome::Changed(replaced) => {
            ReloadBody { kept: replaced.kept, anew: replaced.anew, ..ReloadBody::plain("changed") }
        }
        Outcome::Kept(failure) => ReloadBody::kept(&failure),
    };
    Ok(ReloadBody { rules: state.rules.now().rules.len(), ..body })
}
