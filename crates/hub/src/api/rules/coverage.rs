//! Which tactics and techniques of MITRE ATT&CK the rules look for.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_rules::{TACTICS, tactics_of};
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Viewer;
use crate::router::State;

/// The matrix of ATT&CK, as far as rules speak of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Coverage {
    /// Rules that speak by themselves
    rules: usize,
    /// Those of them that run and whose log source is known here
    active: usize,
    /// Those without a technique among their tags
    untagged: usize,
    /// The tactics in the order of the matrix, also those that no rule looks for
    tactics: Vec<TacticBody>,
}

/// A tactic with its techniques.
#[derive(Serialize, ToSchema)]
pub(crate) struct TacticBody {
    /// As in tags, such as `credential-access`; empty for techniques of rules that name no tactic
    tag: String,
    /// Such as TA0006, where ATT&CK knows it
    id: Option<&'static str>,
    name: String,
    techniques: Vec<Technique>,
}

/// A technique with the rules that look for it.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Technique {
    /// Such as T1110.001
    id: String,
    rules: Vec<Covering>,
}

/// A rule that looks for a technique.
#[derive(Serialize, ToSchema)]
pub(crate) struct Covering {
    id: String,
    title: String,
    /// Whether it runs and its log source is known here
    active: bool,
}

/// Show what of ATT&CK the rules look for
///
/// A rule's tags do not say which of its techniques serves which of its tactics, so each stands under
/// all of them.
#[utoipa::path(get, path = "/api/v1/rules/coverage", tag = "rules",
    responses((status = 200, description = "Tactics with their techniques and rules", body = Coverage)))]
pub(crate) async fn coverage(_viewer: Viewer, Shared(state): Shared<State>) -> Json<Coverage> {
    let (all, off) = (state.rules.now().all, state.rules.off());
    let mut by_tactic: BTreeMap<String, BTreeMap<String, Technique>> = BTreeMap::new();
    let (mut rules, mut running, mut untagged) = (0, 0, 0);
    for rule in all.rules().iter().filter(|rule| !rule.is_silent()) {
        let active = rule.class().is_active() && !off.contains(rule.id());
        rules += 1;
        running += usize::from(active);
        untagged += usize::from(rule.techniques().is_empty());
        for tactic in tactics_of(rule) {
            let techniques = by_tactic.entry(tactic).or_default();
            for id in rule.techniques() {
                let technique = techniques.entry(id.clone()).or_default();
                technique.id.clone_from(id);
                technique.rules.push(Covering {
                    id: rule.id().to_owned(),
                    title: rule.title().to_owned(),
                    active,
                });
            }
        }
    }
    let mut tactics = Vec::new();
    for known in TACTICS {
        let techniques = by_tactic.remove(known.tag);
        if known.retired && techniques.is_none() {
            continue;
        }
        tactics.push(TacticBody {
            tag: known.tag.to_owned(),
            id: Some(known.id),
            name: known.name.to_owned(),
            techniques: techniques.unwrap_or_default().into_values().collect(),
        });
    }
    // Tactics of other matrices, and rules that name none.
    for (tag, techniques) in by_tactic {
        let name = if tag.is_empty() { "No tactic named".to_owned() } else { tag.clone() };
        let techniques = techniques.into_values().collect();
        tactics.push(TacticBody { tag, id: None, name, techniques });
    }
    Json(Coverage { rules, active: running, untagged, tactics })
}
