//! What rules of SEC do beside alerts: heartbeats and the log here, the rest by whoever runs the hub.

use std::sync::Arc;

use bergfried_alerting::Alerting;
use bergfried_rules::sec::{Act, Back, Deed};

/// Does what rules ask for, and hands back what came of it. Nothing here waits: what there is no room
/// for is counted and left out.
pub trait Outside: Send {
    /// Does it, soon.
    fn act(&mut self, act: Act);

    /// What came of what was done, since the last time.
    fn back(&mut self) -> Vec<Back>;
}

/// Does nothing, for those who let rules only look.
pub struct Nothing;

impl Outside for Nothing {
    fn act(&mut self, act: Act) {
        tracing::debug!(set = %act.set, "left out what a rule asked for");
    }

    fn back(&mut self) -> Vec<Back> {
        Vec::new()
    }
}

/// Does what the events that are durable now made rules ask for.
pub(crate) fn act_all(acts: Vec<Act>, alerting: &Alerting, outside: &mut dyn Outside) {
    for act in acts {
        match act.deed {
            Deed::Heartbeat { origin, timeout } => heartbeat(&act.set, &origin, timeout, alerting),
            Deed::Log { level, text } => log(&act.set, level, &text),
            deed => outside.act(Act { set: act.set, deed }),
        }
    }
}

fn heartbeat(set: &Arc<str>, origin: &str, timeout: Option<u64>, alerting: &Alerting) {
    let timeout = timeout.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
    match alerting.heard(origin, timeout) {
        Ok(true) => {}
        Ok(false) => tracing::warn!(%set, origin, "left out a heartbeat of a rule: too many wait"),
        Err(error) => tracing::warn!(%set, origin, %error, "cannot note a heartbeat of a rule"),
    }
}

fn log(set: &Arc<str>, level: u8, text: &str) {
    match level {
        1 | 2 => tracing::error!(%set, "{}", text.escape_debug()),
        3 => tracing::warn!(%set, "{}", text.escape_debug()),
        _ => tracing::info!(%set, "{}", text.escape_debug()),
    }
}
