//! `/switchboard`: what an administrator switches off for a while; with the hub's start all is on again.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Html;
use axum::routing::get;
use bergfried_control::AuditChange;
use serde_json::json;

use super::caller::Caller;
use super::error::Refusal;
use super::resource::record;
use crate::router::State;

/// What can be switched off.
#[derive(Debug)]
pub(crate) struct Switches([Switch; 2]);

#[derive(Debug)]
struct Switch {
    name: &'static str,
    title: &'static str,
    is_on: AtomicBool,
}

impl Default for Switches {
    fn default() -> Self {
        let switch = |name, title| Switch { name, title, is_on: AtomicBool::new(true) };
        Switches([
            switch("auto-refresh-allow", "consoles look at their lists again by themselves"),
            switch("sender-api-allow", "alerts of senders and webhooks are taken"),
        ])
    }
}

impl Switches {
    /// Whether consoles may look at their lists again and again.
    pub(super) fn auto_refresh(&self) -> bool {
        let Switches([auto_refresh, _]) = self;
        auto_refresh.is_on.load(Relaxed)
    }

    /// Refuses what a sender says while senders are switched off.
    ///
    /// # Errors
    /// 503, with how long to wait.
    pub(super) fn take_senders(&self) -> Result<(), Refusal> {
        let Switches([_, senders]) = self;
        if senders.is_on.load(Relaxed) {
            return Ok(());
        }
        let message = "no alerts are taken now: an administrator switched `sender-api-allow` off";
        Err(Refusal::new(StatusCode::SERVICE_UNAVAILABLE, message)
            .with_header(header::RETRY_AFTER, 60_u32.into()))
    }

    /// The switches as a form; a button turns each the other way.
    fn page(&self) -> String {
        let Switches(switches) = self;
        let rows: String = switches.iter().map(Switch::row).collect();
        format!(
            "<!DOCTYPE html><title>switchboard</title><h1>switchboard</h1>\
             <form method=\"post\"><ul>{rows}</ul></form>"
        )
    }

    /// The switches that a form names, and how they shall stand.
    fn read(&self, form: &[u8]) -> Result<Vec<(&Switch, bool)>, Refusal> {
        let Switches(switches) = self;
        let names: Vec<_> = switches.iter().map(|switch| switch.name).collect();
        let mut wanted = Vec::new();
        for (name, word) in form_urlencoded::parse(form) {
            let switch = switches.iter().find(|switch| switch.name == name).ok_or_else(|| {
                let name = name.escape_debug();
                Refusal::invalid(format!(
                    "unknown switch `{name}`, expected {}",
                    names.join(" or ")
                ))
            })?;
            let is_on = match word.to_ascii_lowercase().as_str() {
                "on" => true,
                "off" => false,
                _ => return Err(Refusal::field(switch.name, "`ON` or `OFF`")),
            };
            wanted.push((switch, is_on));
        }
        match wanted.is_empty() {
            true => {
                Err(Refusal::invalid(format!("missing a switch, expected {}", names.join(" or "))))
            }
            false => Ok(wanted),
        }
    }
}

impl Switch {
    fn row(&self) -> String {
        let Switch { name, title, is_on } = self;
        let (now, other) = if is_on.load(Relaxed) { ("ON", "OFF") } else { ("OFF", "ON") };
        format!(
            "<li>{name}: {now}, {title} <button name=\"{name}\" value=\"{other}\">{other}</button>"
        )
    }
}

pub(crate) fn routes() -> Router<State> {
    let both = get(show).post(turn);
    Router::new().route("/switchboard", both.clone()).route("/management/switchboard", both)
}

async fn show(caller: Caller, Shared(state): Shared<State>) -> Result<Html<String>, Refusal> {
    caller.require("admin:management")?;
    Ok(Html(state.alerta_switches.page()))
}

async fn turn(
    caller: Caller,
    Shared(state): Shared<State>,
    headers: HeaderMap,
    form: Bytes,
) -> Result<Html<String>, Refusal> {
    caller.require("admin:management")?;
    // It is done to everyone's alerts.
    caller.require_every_customer()?;
    // A browser that logs in by itself would send the form of any page.
    let site = headers.get("sec-fetch-site").map_or(&b"none"[..], HeaderValue::as_bytes);
    if !matches!(site, b"none" | b"same-origin") {
        return Err(Refusal::forbidden("the form must be one of this page"));
    }
    for (switch, is_on) in state.alerta_switches.read(&form)? {
        let was_on = switch.is_on.swap(is_on, Relaxed);
        let change = AuditChange::between(&json!({"on": was_on}), &json!({"on": is_on}));
        record(&state, &caller, "alerta.switch", switch.name, change).await?;
    }
    Ok(Html(state.alerta_switches.page()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_names_switches_and_how_they_shall_stand() {
        let switches = Switches::default();
        let read = |form: &str| {
            let wanted = switches.read(form.as_bytes());
            wanted.map(|all| all.iter().map(|(switch, on)| (switch.name, *on)).collect::<Vec<_>>())
        };
        assert_eq!(read("sender-api-allow=OFF").unwrap(), [("sender-api-allow", false)]);
        assert_eq!(
            read("auto-refresh-allow=on&sender-api-allow=on").unwrap(),
            [("auto-refresh-allow", true), ("sender-api-allow", true)]
        );
        for (form, part) in [
            ("", "missing a switch"),
            ("console=ON", "unknown switch `console`"),
            ("sender-api-allow=maybe", "`ON` or `OFF`"),
        ] {
            let refusal = read(form).unwrap_err();
            assert!(refusal.message().contains(part), "{form}: {}", refusal.message());
        }
    }

    #[test]
    fn what_is_switched_off_is_refused_and_shown() {
        let switches = Switches::default();
        assert!(switches.auto_refresh() && switches.take_senders().is_ok());
        for (switch, is_on) in
            switches.read(b"auto-refresh-allow=OFF&sender-api-allow=OFF").unwrap()
        {
            switch.is_on.store(is_on, Relaxed);
        }
        assert!(!switches.auto_refresh());
        assert_eq!(switches.take_senders().unwrap_err().status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(switches.page().contains("name=\"sender-api-allow\" value=\"ON\""));
    }
}
