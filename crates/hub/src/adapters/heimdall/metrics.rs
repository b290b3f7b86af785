//! `GET /metrics`: the figures of the last 24 hours, which the pipeline counts as events come.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State as Shared;
use bergfried_heimdall::Metrics;
use serde_json::{Value, json};

use super::key::Keyholder;
use crate::router::State;
use crate::running::now;

pub(super) async fn metrics(_key: Keyholder, Shared(state): Shared<State>) -> Json<Value> {
    Json(document(&state.pipeline.metrics(now())))
}

fn document(metrics: &Metrics) -> Value {
    let by_os: BTreeMap<_, _> =
        metrics.by_os.iter().map(|(os, count)| (os.name(), *count)).collect();
    let minute = |at: bergfried_event::Timestamp| {
        // `2026-03-01T12:00:00Z` to its minute.
        at.to_string().chars().take(16).collect::<String>().replace('T', " ")
    };
    let mut document = json!({
        "success": true,
        "total_alerts_24h": metrics.total,
        "threats_by_os": by_os,
        "most_blocked_domain": metrics.most_blocked_domain,
        "top_attacking_ips": metrics.top_ips.iter()
            .map(|(ip, count)| json!({"ip": ip, "count": count}))
            .collect::<Vec<_>>(),
        "events_per_minute": metrics.per_minute.iter()
            .map(|(at, os, count)| {
                json!({"minute": minute(*at), "os_type": os.name(), "count": count})
            })
            .collect::<Vec<_>>(),
    });
    // Only until what was stored before the start is counted.
    if !metrics.complete
        && let Some(document) = document.as_object_mut()
    {
        document.insert("complete".to_owned(), json!(false));
    }
    document
}

#[cfg(test)]
mod tests {
    use bergfried_heimdall::OsType;

    use super::*;

    #[test]
    fn figures_have_the_documented_shape() {
        let metrics = Metrics {
            total: 3,
            by_os: [(OsType::Linux, 2), (OsType::Pihole, 1)].into(),
            most_blocked_domain: Some("ads.example".to_owned()),
            top_ips: vec![("203.0.113.7".to_owned(), 2)],
            per_minute: vec![("2026-03-01T12:34:00Z".parse().unwrap(), OsType::Linux, 2)],
            complete: true,
            ..Metrics::default()
        };
        assert_eq!(
            document(&metrics),
            json!({
                "success": true, "total_alerts_24h": 3,
                "threats_by_os": {"LINUX": 2, "PIHOLE": 1}, "most_blocked_domain": "ads.example",
                "top_attacking_ips": [{"ip": "203.0.113.7", "count": 2}],
                "events_per_minute": [
                    {"minute": "2026-03-01 12:34", "os_type": "LINUX", "count": 2},
                ],
            })
        );
        let none = document(&Metrics::default());
        assert_eq!(
            (&none["most_blocked_domain"], &none["complete"]),
            (&Value::Null, &json!(false))
        );
    }
}
