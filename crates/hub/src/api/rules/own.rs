//! Rules that people write and switch in the console.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use bergfried_control::{AuditChange, NewAudit};
use bergfried_rules::{Diagnostic, RuleSet, Source};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{ReloadBody, RuleBody, Scene, none, reloaded};
use crate::auth::{Admin, Person, Viewer};
use crate::error::{ApiError, ErrorBody, blocking};
use crate::request::{Body, InPath};
use crate::router::State;
use crate::rules::{keep_rules_off, write};

/// The name of a file that is not written yet.
const UNWRITTEN: &str = "rule";
/// The most bytes of an id that names a file.
const MAX_ID: usize = 64;
/// How many mistakes a refusal names.
const TOLD: usize = 5;

/// Rules as YAML.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Written {
    /// One or more documents
    source: String,
}

/// Rules to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Checked {
    /// One or more documents
    source: String,
    /// The id of the rule whose text it takes the place of
    id: Option<String>,
}

/// What is to be said of rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckBody {
    /// Whether every rule loads
    ok: bool,
    /// Mistakes and weaknesses, in the order of the text
    diagnostics: Vec<Said>,
    /// Those that load
    rules: Vec<RuleBody>,
}

/// One thing to tell the author.
#[derive(Serialize, ToSchema)]
pub(crate) struct Said {
    /// From 1
    line: usize,
    /// In characters, from 1
    column: usize,
    /// error (the rule does not load) or warning
    severity: &'static str,
    message: String,
}

impl Said {
    fn of(diagnostic: Diagnostic) -> Said {
        Said {
            line: diagnostic.line,
            column: diagnostic.column,
            severity: if diagnostic.is_error() { "error" } else { "warning" },
            message: diagnostic.message,
        }
    }
}

/// Check rules without running them
#[utoipa::path(post, path = "/api/v1/rules/check", tag = "rules", request_body = Checked,
    responses((status = 200, description = "Mistakes with line and column, and the rules that load", body = CheckBody),
        (status = 503, description = "The rule files cannot be read", body = ErrorBody)))]
pub(crate) async fn check(
    _viewer: Viewer,
    Shared(state): Shared<State>,
    Body(Checked { source, id }): Body<Checked>,
) -> Result<Json<CheckBody>, ApiError> {
    blocking(move || {
        let known =
            id.and_then(|id| state.rules.now().all.get(&id).map(|rule| rule.file().to_owned()));
        let file = known.unwrap_or_else(|| UNWRITTEN.to_owned());
        let (rules, said) = loaded(&state, &file, source)?;
        let scene = Scene::of(&state);
        let of_file = rules.rules().iter().filter(|rule| rule.file() == file);
        Ok(Json(CheckBody {
            ok: !said.iter().any(Diagnostic::is_error),
            rules: of_file.map(|rule| RuleBody::of(rule, &scene)).collect(),
            diagnostics: said.into_iter().map(Said::of).collect(),
        }))
    })
    .await
}

/// Write a rule of one's own
///
/// The file lies in the data directory's `rules` and runs at once. It holds the rule of this id, and
/// may hold those that it refers to. Rules that come from elsewhere are not changed here: give a copy
/// an id of its own, and switch the other one off.
#[utoipa::path(put, path = "/api/v1/rules/{id}/source", tag = "rules", request_body = Written,
    params(("id" = String, Path, description = "The rule's id: letters, digits, `-` and `_`")),
    responses((status = 200, description = "It runs", body = ReloadBody),
        (status = 400, description = "A mistake, with its place", body = ErrorBody),
        (status = 409, description = "A rule of this id comes from elsewhere, or other files have mistakes", body = ErrorBody)))]
pub(crate) async fn save(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    Body(Written { source }): Body<Written>,
) -> Result<Json<ReloadBody>, ApiError> {
    let _alone = state.rules.changes.lock().await;
    let path = own_file(&state, &id)?;
    let (checked, text) = (state.clone(), source.clone());
    let file = path.display().to_string();
    let before = blocking(move || {
        let (rules, said) = loaded(&checked, &file, text)?;
        refuse_mistakes(&said)?;
        refuse_foreign(&checked, &rules, &file)?;
        let has_it = rules.get(&id).is_some_and(|rule| rule.file() == file);
        if !has_it {
            let id = id.escape_debug();
            return Err(ApiError::invalid(format!("the text has no rule of the id `{id}`")));
        }
        Ok(std::fs::read_to_string(&file).ok())
    })
    .await?;
    put(&state, by, "rule.write", path, before, Some(source)).await.map(Json)
}

/// Take a rule of one's own away
#[utoipa::path(delete, path = "/api/v1/rules/{id}/source", tag = "rules",
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 200, description = "Its file is gone, with all rules in it", body = ReloadBody),
        (status = 404, description = "There is no such rule", body = ErrorBody),
        (status = 409, description = "It comes from elsewhere, or other rules refer to it", body = ErrorBody)))]
pub(crate) async fn delete(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
) -> Result<Json<ReloadBody>, ApiError> {
    let _alone = state.rules.changes.lock().await;
    if state.rules.now().all.get(&id).is_none() {
        return Err(none(&id));
    }
    let path = own_file(&state, &id)?;
    let file = path.clone();
    let before = blocking(move || Ok(std::fs::read_to_string(file).ok())).await?;
    put(&state, by, "rule.delete", path, before, None).await.map(Json)
}

/// Whether a rule runs.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Switched {
    on: bool,
}

/// Switch a rule off or on
///
/// It stays so over a restart. One that another rule refers to goes on for that one's sake, and says
/// nothing by itself.
#[utoipa::path(post, path = "/api/v1/rules/{id}/state", tag = "rules", request_body = Switched,
    params(("id" = String, Path, description = "The rule's id")),
    responses((status = 200, description = "What became of it", body = ReloadBody),
        (status = 404, description = "There is no such rule", body = ErrorBody),
        (status = 409, description = "It is a rule of SEC, which only its file changes", body = ErrorBody)))]
pub(crate) async fn switch(
    Admin(by): Admin,
    Shared(state): Shared<State>,
    InPath(id): InPath<String>,
    Body(Switched { on }): Body<Switched>,
) -> Result<Json<ReloadBody>, ApiError> {
    let _alone = state.rules.changes.lock().await;
    let all = state.rules.now().all;
    let Some(title) = all.get(&id).map(|rule| rule.title().to_owned()) else {
        return match all.sec().rules().find(|rule| rule.id == id) {
            Some(rule) => Err(of_a_file(&rule.file)),
            None => Err(none(&id)),
        };
    };
    let mut off = BTreeSet::clone(&state.rules.off());
    let changes = if on { off.remove(&id) } else { off.insert(id.clone()) };
    if !changes {
        return reloaded(&state).await.map(Json);
    }
    let (control, kept, now) = (state.control.clone(), off.clone(), state.alerting.now());
    blocking(move || {
        keep_rules_off(&control, &kept)?;
        let change = AuditChange::between(&json!({"on": !on}), &json!({"on": on}))?;
        let target = format!("{id}: {title}");
        let done = NewAudit { who: by.name, action: "rule.switch".to_owned(), target, change };
        Ok(control.append_audits(&[done], now)?)
    })
    .await?;
    state.rules.switch(off);
    reloaded(&state).await.map(Json)
}

/// The rules that would run with this file, and what is to be said of it.
fn loaded(state: &State, file: &str, text: String) -> Result<(RuleSet, Vec<Diagnostic>), ApiError> {
    let source = Source { file: file.to_owned(), text };
    state
        .rules
        .with(source)
        .map_err(|error| ApiError::later(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), 5))
}

fn refuse_mistakes(said: &[Diagnostic]) -> Result<(), ApiError> {
    let mistakes: Vec<String> = said
        .iter()
        .filter(|said| said.is_error())
        .take(TOLD)
        .map(|said| format!("line {}, column {}: {}", said.line, said.column, said.message))
        .collect();
    if mistakes.is_empty() { Ok(()) } else { Err(ApiError::invalid(mistakes.join("; "))) }
}

/// Of two rules of one id only one would run.
fn refuse_foreign(state: &State, rules: &RuleSet, file: &str) -> Result<(), ApiError> {
    let all = state.rules.now().all;
    for rule in rules.rules().iter().filter(|rule| rule.file() == file) {
        let names = [Some(rule.id()), rule.name()];
        let taken = all.rules().iter().find(|other| {
            other.file() != file
                && names
                    .into_iter()
                    .flatten()
                    .any(|name| other.id() == name || other.name() == Some(name))
        });
        if let Some(other) = taken {
            return Err(elsewhere(other.id(), other.file()));
        }
    }
    Ok(())
}

/// Rules of SEC jump to one another and count one another: none is taken out of its file.
fn of_a_file(file: &str) -> ApiError {
    let file = file.escape_debug();
    let message =
        format!("this is a rule of SEC: take it out of {file}, or the file out of its set");
    ApiError::new(StatusCode::CONFLICT, message)
}

fn elsewhere(id: &str, file: &str) -> ApiError {
    let (id, file) = (id.escape_debug(), file.escape_debug());
    ApiError::new(
        StatusCode::CONFLICT,
        format!(
            "the rule `{id}` comes from {file}: give a copy an id and name of its own, and switch \
             that one off"
        ),
    )
}

/// The file of a rule of one's own: that which it is in, or a new one.
fn own_file(state: &State, id: &str) -> Result<PathBuf, ApiError> {
    let sane = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if let Some(rule) = state.rules.now().all.get(id) {
        return match state.rules.is_own(rule.file()) {
            true => Ok(PathBuf::from(rule.file())),
            false => Err(elsewhere(rule.id(), rule.file())),
        };
    }
    let Some(own) = state.rules.own() else {
        return Err(ApiError::not_found("this hub has no directory for rules of its own"));
    };
    if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(sane) {
        let message = "an id names a file here: at most 64 letters, digits, `-` and `_`";
        return Err(ApiError::invalid(message));
    }
    Ok(own.join(format!("{id}.yml")))
}

/// Writes the file, lets it run, and puts it back where that failed.
async fn put(
    state: &State,
    by: Person,
    action: &'static str,
    path: PathBuf,
    before: Option<String>,
    after: Option<String>,
) -> Result<ReloadBody, ApiError> {
    written(&path, after.clone()).await?;
    let reload = reloaded(state).await?;
    if reload.status == "kept" {
        written(&path, before).await?;
        let reason = reload.reason.unwrap_or_default();
        let first = reload.diagnostics.first();
        let first = first.map(|said| format!(" ({}:{}: {})", said.file, said.line, said.message));
        let message = format!("nothing was changed: {reason}{}", first.unwrap_or_default());
        return Err(ApiError::new(StatusCode::CONFLICT, message));
    }
    let (control, now) = (state.control.clone(), state.alerting.now());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    blocking(move || {
        let text = |text: Option<String>| text.map(|text| json!({"source": text}));
        let change = match (text(before), text(after)) {
            (Some(before), Some(after)) => AuditChange::between(&before, &after)?,
            (Some(before), None) => AuditChange::deleted(&before)?,
            (None, after) => AuditChange::created(&after)?,
        };
        let done = NewAudit { who: by.name, action: action.to_owned(), target: name, change };
        Ok(control.append_audits(&[done], now)?)
    })
    .await?;
    Ok(reload)
}

async fn written(path: &Path, text: Option<String>) -> Result<(), ApiError> {
    let path = path.to_owned();
    blocking(move || {
        write(&path, text.as_deref()).map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => ApiError::full(),
            _ => ApiError::internal(&error),
        })
    })
    .await
}
