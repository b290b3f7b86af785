//! What became of an alert, from how it was before and how it is now.

use bergfried_alert::{Alert, Model, Status};
use serde::{Deserialize, Serialize};

/// What people may want to hear of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// It is there, and was not before.
    New,
    /// It wants attention again: it was over, put aside, or somebody looked at it and no longer does.
    Reopened,
    /// It is more severe than it was.
    Worse,
    /// It is less severe than it was.
    Better,
    /// It is over: closed, expired, or back to normal.
    Resolved,
    /// Somebody looks at it.
    Acknowledged,
    /// It was put aside for a time.
    Shelved,
    /// Nobody acknowledged it in time.
    Escalated,
    /// It is still open.
    Reminder,
}

impl Occasion {
    /// Every change.
    pub const ALL: [Occasion; 9] = [
        Occasion::New,
        Occasion::Reopened,
        Occasion::Worse,
        Occasion::Better,
        Occasion::Resolved,
        Occasion::Acknowledged,
        Occasion::Shelved,
        Occasion::Escalated,
        Occasion::Reminder,
    ];

    /// The word that a route's `when` knows it by, as `change:worse`.
    pub fn name(self) -> &'static str {
        match self {
            Occasion::New => "new",
            Occasion::Reopened => "reopened",
            Occasion::Worse => "worse",
            Occasion::Better => "better",
            Occasion::Resolved => "resolved",
            Occasion::Acknowledged => "acknowledged",
            Occasion::Shelved => "shelved",
            Occasion::Escalated => "escalated",
            Occasion::Reminder => "reminder",
        }
    }

    /// What is worth knowing between how an alert stood before, where it was there, and `after`: its
    /// status and its severity. Of several changes at once it is the most urgent.
    pub fn between(
        model: &Model,
        before: Option<(Status, &str)>,
        after: &Alert,
    ) -> Option<Occasion> {
        let is = Standing::of(model, after.status, &after.severity);
        let Some((status, severity)) = before else {
            return (is == Standing::Open).then_some(Occasion::New);
        };
        let was = Standing::of(model, status, severity);
        match (was, is) {
            (Standing::Open | Standing::Attended, Standing::Open | Standing::Attended) => {
                let (was_code, is_code) = (model.code(severity), model.code(&after.severity));
                if is_code < was_code {
                    Some(Occasion::Worse)
                } else if was == Standing::Attended && is == Standing::Open {
                    Some(Occasion::Reopened)
                } else if was == Standing::Open && is == Standing::Attended {
                    Some(Occasion::Acknowledged)
                } else {
                    (is_code > was_code).then_some(Occasion::Better)
                }
            }
            (_, Standing::Open) => Some(Occasion::Reopened),
            (Standing::Open | Standing::Attended, Standing::Aside) => Some(Occasion::Shelved),
            (Standing::Over, Standing::Over) => None,
            (_, Standing::Over) => Some(Occasion::Resolved),
            (_, Standing::Attended) => Some(Occasion::Acknowledged),
            (_, Standing::Aside) => None,
        }
    }
}

/// What an alert asks of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Attention.
    Open,
    /// Nothing: somebody looks at it.
    Attended,
    /// Nothing for a time.
    Aside,
    /// Nothing.
    Over,
}

impl Standing {
    pub(crate) fn of(model: &Model, status: Status, severity: &str) -> Standing {
        match status {
            Status::Open | Status::Unknown | Status::Unacked if model.is_normal(severity) => {
                Standing::Over
            }
            Status::Open | Status::Unknown | Status::Unacked => Standing::Open,
            Status::Assign | Status::Ack | Status::Acked => Standing::Attended,
            Status::Shelved | Status::Blackout | Status::Shlvd | Status::Dsupr | Status::Oosrv => {
                Standing::Aside
            }
            Status::Closed | Status::Expired | Status::Norm | Status::Rtnun => Standing::Over,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routing::sample::alert;

    #[test]
    fn what_became_of_an_alert() {
        let model = Model::alerta();
        let of =
            |severity: &str, status| Alert { severity: severity.to_owned(), status, ..alert() };
        use Status::{Ack, Blackout, Closed, Expired, Open, Shelved};
        for (before, after, change) in [
            (None, ("major", Open), Some(Occasion::New)),
            (None, ("normal", Closed), None),
            (None, ("major", Blackout), None),
            (Some(("major", Open)), ("major", Open), None),
            (Some(("major", Open)), ("critical", Open), Some(Occasion::Worse)),
            (Some(("major", Open)), ("warning", Open), Some(Occasion::Better)),
            (Some(("major", Open)), ("major", Ack), Some(Occasion::Acknowledged)),
            (Some(("major", Ack)), ("critical", Open), Some(Occasion::Worse)),
            (Some(("major", Ack)), ("major", Open), Some(Occasion::Reopened)),
            (Some(("major", Open)), ("major", Shelved), Some(Occasion::Shelved)),
            (Some(("major", Shelved)), ("major", Open), Some(Occasion::Reopened)),
            (Some(("major", Open)), ("normal", Closed), Some(Occasion::Resolved)),
            (Some(("major", Ack)), ("major", Expired), Some(Occasion::Resolved)),
            (Some(("major", Shelved)), ("major", Expired), Some(Occasion::Resolved)),
            (Some(("major", Closed)), ("major", Expired), None),
            (Some(("normal", Closed)), ("major", Open), Some(Occasion::Reopened)),
        ] {
            let was = before.map(|(severity, status)| (status, severity));
            let is = of(after.0, after.1);
            assert_eq!(Occasion::between(&model, was, &is), change, "{before:?} {after:?}");
        }
    }
}
