//! Alerta's API: the contract, and the clients that speak it as they come from PyPI.

mod accounts;
mod accounts_client;
mod beats;
mod beats_client;
mod client;
mod commands;
mod contract;
mod differential;
mod homelab;
mod hostile;
mod intake;
mod lists;
mod root;
mod setups;
mod tenants;
mod webhooks;
mod webui;

use serde_json::Value;

use crate::support::http::{Answer, request};
use crate::support::hub::Hub;

/// The API of a hub, asked with a key.
pub(crate) struct Api<'a> {
    pub(crate) url: &'a str,
    pub(crate) key: String,
}

impl<'a> Api<'a> {
    /// With the hub's admin key.
    pub(crate) fn of(hub: &'a Hub) -> Api<'a> {
        Api { url: &hub.url, key: hub.key() }
    }

    /// A request; `path` is below `/api`.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let key = format!("Key {}", self.key);
        let mut headers = vec![("Authorization", key.as_str())];
        if body.is_some() {
            headers.push(("Content-Type", "application/json"));
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        request(self.url, method, &format!("/api{path}"), &headers, body.as_bytes()).unwrap()
    }

    /// A request whose answer must have this status and exactly these fields.
    pub(crate) fn expect(
        &self,
        (method, path): (&str, &str),
        body: Option<Value>,
        status: u16,
        fields: &[&str],
    ) -> Value {
        let answer = self.ask(method, path, body);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text());
        let json = answer.json();
        assert_eq!(keys(&json), fields, "{method} {path}: {json}");
        json
    }

    /// What a GET answers.
    pub(crate) fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, None);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    /// Sends an alert that must be kept; the alert as it is then.
    pub(crate) fn send(&self, alert: Value) -> Value {
        let answer = self.ask("POST", "/alert", Some(alert));
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["alert"].clone()
    }

    /// An error with this status; its message.
    pub(crate) fn refused(
        &self,
        (method, path): (&str, &str),
        body: Option<Value>,
        status: u16,
    ) -> String {
        let fields = ["code", "errors", "message", "requestId", "status"];
        let error = self.expect((method, path), body, status, &fields);
        assert_eq!((&error["code"], &error["status"]), (&status.into(), &"error".into()));
        assert!(error["requestId"].is_string(), "{error}");
        error["message"].as_str().unwrap().to_owned()
    }
}

/// The names of an object's fields, in order.
pub(crate) fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}
