use super::*;
use serde_json::json;

fn heartbeat(latency: i64, timeout: u32) -> Heartbeat {
    let receive_time = Timestamp::from_seconds(1_800_000_000);
    Heartbeat {
        id: "one".to_owned(),
        origin: "backup/web1".to_owned(),
        tags: vec!["nightly".to_owned()],
        attributes: BTreeMap::new(),
        create_time: receive_time.plus_micros(-latency * 1_000),
        receive_time,
        timeout,
        customer: Some("acme".to_owned()),
    }
}

#[test]
fn silence_and_latency_are_judged() {
    let settings = Settings::default();
    for (latency, timeout, later, expected) in [
        (0, 60, 0, Pulse::Ok),
        (2_000, 60, 0, Pulse::Ok),
        (2_001, 60, 0, Pulse::Slow),
        (0, 60, 60_000_000, Pulse::Ok),
        (0, 60, 60_000_001, Pulse::Expired),
        (9_000, 60, 61_000_000, Pulse::Expired),
        (-9_000, 60, 0, Pulse::Ok),
        (0, 60, -5_000_000, Pulse::Ok),
        (0, 0, 1_000_000 * Timestamp::DAY, Pulse::Ok),
    ] {
        let heartbeat = heartbeat(latency, timeout);
        let now = heartbeat.receive_time.plus_micros(later);
        let case = (latency, timeout, later);
        assert_eq!(heartbeat.pulse(&settings, now), expected, "{case:?}");
        let silent = heartbeat.due().is_some_and(|due| due <= now);
        assert_eq!(silent, expected == Pulse::Expired, "{case:?}");
    }
    assert_eq!(heartbeat(1_500, 60).latency(), 1_500);
    let early = heartbeat(0, 60);
    assert_eq!(early.since(early.receive_time.plus_micros(-1)), 0);
}

#[test]
fn alerts_have_the_values_of_the_client() {
    let settings = Settings::default();
    let failing = heartbeat(3_500, 300);
    let at = |seconds: i64| failing.receive_time.plus_micros(seconds * Timestamp::SECOND);
    for (pulse, now, event, severity, value, text) in [
        (Pulse::Ok, at(1), "HeartbeatOK", "normal", "", "Heartbeat OK"),
        (
            Pulse::Slow,
            at(1),
            "HeartbeatSlow",
            "major",
            "3500ms",
            "Heartbeat took more than 2000ms to be processed",
        ),
        (
            Pulse::Expired,
            at(3_725),
            "HeartbeatFail",
            "major",
            "1:02:05",
            "Heartbeat not received in 300 seconds",
        ),
    ] {
        let alert = failing.alert(&settings, pulse, "new".to_owned(), now);
        assert_eq!(alert.event, event);
        assert_eq!(alert.severity, severity);
        assert_eq!(alert.value.as_deref(), Some(value));
        assert_eq!(alert.text, text);
        assert_eq!(alert.resource, "backup/web1");
        assert_eq!(alert.environment, "Production");
        assert_eq!(alert.service, ["Alerta"]);
        assert_eq!(alert.group, "System");
        assert_eq!(alert.kind, "heartbeatAlert");
        assert_eq!(alert.origin, settings.heartbeat_origin);
        assert_eq!(alert.correlate, ["HeartbeatFail", "HeartbeatSlow", "HeartbeatOK"]);
        assert_eq!(alert.tags, ["nightly"]);
        assert_eq!(alert.customer.as_deref(), Some("acme"));
    }
}

#[test]
fn attributes_shape_the_alert() {
    let settings = Settings::default();
    let shaped = |attributes: Value| {
        let mut heartbeat = heartbeat(0, 60);
        heartbeat.attributes = serde_json::from_value(attributes).unwrap();
        let now = heartbeat.receive_time;
        heartbeat.alert(&settings, Pulse::Expired, "new".to_owned(), now)
    };
    let alert = shaped(json!({
        "environment": "Development", "severity": "critical", "service": ["Web", "Mail"],
        "group": "Network", "rack": 7,
    }));
    assert_eq!(alert.environment, "Development");
    assert_eq!(alert.severity, "critical");
    assert_eq!(alert.service, ["Web", "Mail"]);
    assert_eq!(alert.group, "Network");
    assert_eq!(alert.attributes, BTreeMap::from([("rack".to_owned(), json!(7))]));
    // What is of no use falls back instead of making an alert that nothing can read.
    let odd = json!({"environment": 3, "severity": "dreadful", "service": "Web", "group": ""});
    let alert = shaped(odd);
    assert_eq!(alert.environment, "Production");
    assert_eq!(alert.severity, "major");
    assert_eq!(alert.service, ["Web"]);
    assert_eq!(alert.group, "System");
    assert!(alert.attributes.is_empty());
}

#[test]
fn what_cannot_shape_an_alert_is_unfit() {
    let model = Settings::default().model;
    let check = |attributes: &Value| {
        let mut heartbeat = heartbeat(0, 60);
        heartbeat.attributes = serde_json::from_value(attributes.clone()).unwrap();
        heartbeat.fit(&model).map(|fit| json!(fit.attributes)).map_err(|unfit| unfit.to_string())
    };
    for fit in [
        json!({}),
        json!({"environment": "Lab", "severity": "crit", "service": ["Web"], "group": "Night"}),
        json!({"environment": null, "severity": null, "service": null, "group": null}),
        json!({"environment": "", "service": [], "rack": {"row": 7}}),
    ] {
        assert_eq!(check(&fit), Ok(fit));
    }
    assert_eq!(check(&json!({"service": "Web"})), Ok(json!({"service": ["Web"]})));
    for (unfit, part) in [
        (json!({"severity": "dreadful"}), "`dreadful`, expected one of security, critical"),
        (json!({"severity": ""}), "unknown severity ``"),
        (json!({"severity": 1}), "`severity` a text of at most 512 bytes"),
        (json!({"environment": ["Lab"]}), "`environment` a text"),
        (json!({"group": "x".repeat(MAX_NAME + 1)}), "`group` a text"),
        (json!({"service": {}}), "`service` a list of at most 128 texts"),
        (json!({"service": ["Web", 1]}), "`service` a list"),
        (json!({"service": vec!["Web"; MAX_LIST + 1]}), "`service` a list"),
        (json!({"rack": "x".repeat(70_000)}), "too much in `attributes`"),
    ] {
        let message = check(&unfit).unwrap_err();
        assert!(message.contains(part), "{unfit}: {message}");
    }
}

#[test]
fn durations_read_as_the_client_writes_them() {
    for (seconds, expected) in [
        (0, "0:00:00"),
        (59, "0:00:59"),
        (36_061, "10:01:01"),
        (86_400, "1 day, 0:00:00"),
        (200_000, "2 days, 7:33:20"),
    ] {
        assert_eq!(clock(seconds), expected);
    }
}
