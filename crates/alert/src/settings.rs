//! What the owner of the hub decides about the life of alerts.

use crate::model::Model;

/// What the owner decides; the names are Alerta's, in lower case.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The words for severity and status.
    pub model: Model,
    /// Seconds after which an alert expires whose sender says nothing of it; 0: never.
    pub alert_timeout: u32,
    /// The same for heartbeats.
    pub heartbeat_timeout: u32,
    /// Milliseconds between making and receiving, above which a heartbeat is slow.
    pub heartbeat_max_latency: u32,
    /// Who says how well the senders of heartbeats are: the command `alerta` and the host that it runs on.
    pub heartbeat_origin: String,
    /// Seconds after which an acknowledgement ends; 0: never.
    pub ack_timeout: u32,
    /// Seconds after which a shelved alert comes back; 0: never.
    pub shelve_timeout: u32,
    /// The most entries of a history.
    pub history_limit: usize,
    /// Whether a changed value is worth an entry.
    pub history_on_value_change: bool,
    /// Seconds after which a closed or expired alert is deleted; 0: never.
    pub delete_expired_after: u32,
    /// Seconds after which an informational alert is deleted; 0: never.
    pub delete_info_after: u32,
    /// Events that are heartbeats (`Heartbeat`).
    pub heartbeat_events: Vec<String>,
    /// Whether blackouts are heeded.
    pub blackouts: bool,
    /// Whether an alert says in the attribute `acked-by` who acknowledged it.
    pub acked_by: bool,
    /// Whether an alert in a blackout is kept with that status, not dropped.
    pub notification_blackout: bool,
    /// Severities that a blackout lets through, where it drops.
    pub blackout_accept: Vec<String>,
    /// The environment of alerts of rules and of the hub itself.
    pub default_environment: String,
    /// How many items a page of a list has where nobody says it.
    pub default_page_size: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            model: Model::alerta(),
            alert_timeout: 86_400,
            heartbeat_timeout: 86_400,
            heartbeat_max_latency: 2_000,
            heartbeat_origin: "alerta/bergfried".to_owned(),
            ack_timeout: 0,
            shelve_timeout: 7_200,
            history_limit: 100,
            history_on_value_change: true,
            delete_expired_after: 7_200,
            delete_info_after: 43_200,
            heartbeat_events: vec!["Heartbeat".to_owned()],
            blackouts: true,
            acked_by: false,
            notification_blackout: false,
            blackout_accept: Vec::new(),
            default_environment: "Production".to_owned(),
            default_page_size: 50,
        }
    }
}
