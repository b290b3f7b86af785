//! `GET /events`, `/metrics`, and what is set and deleted.

use super::*;

/// Bob's and root's tries, a sudo command, a blocked domain and a cleared log.
fn filled(hub: &Hub) {
    let events = [
        event(1, "bob", 600),
        with(with(event(2, "Root", 500), "source_ip", "198.51.100.9"), "source_host", "db"),
        with(
            with(
                with(with(event(3, "bob", 400), "event_type", "SUDO_ESCALATION"), "severity", 2),
                "source_ip",
                "N/A",
            ),
            "raw_message",
            "bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/ls",
        ),
        with(
            with(
                with(with(event(4, "system", 300), "event_type", "DNS_BLOCK"), "severity", 1),
                "os_type",
                "PIHOLE",
            ),
            "raw_message",
            "gravity blocked ads.example.com for 192.0.2.20",
        ),
        with(
            with(
                with(with(event(5, "Admin", 200), "event_type", "LOG_TAMPERING"), "severity", 5),
                "os_type",
                "WINDOWS",
            ),
            "raw_message",
            "The audit log was cleared",
        ),
    ];
    assert_eq!(ingest(hub, &events).json()["events_processed"], 5);
}

/// The numbers in the ids of what is found, newest first.
fn found(hub: &Hub, query: &str) -> Vec<u32> {
    let listed = get(hub, &format!("/events?{query}"));
    let events = listed["events"].as_array().unwrap();
    assert_eq!(listed["count"], events.len());
    let number = |event: &Value| event["event_id"].as_str().unwrap()[24..].parse().unwrap();
    events.iter().map(number).collect()
}

#[test]
fn filters_find_what_they_name() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    filled(&hub);
    let today = ago(0)[..10].to_owned();
    let long_ago = ago(86_400 * 3)[..10].to_owned();
    for (query, expected) in [
        ("", vec![5, 4, 3, 2, 1]),
        ("os_type=LINUX", vec![3, 2, 1]),
        ("os_type=LINUX&event_type=LOGIN_FAIL", vec![2, 1]),
        ("os_type=BEOS", vec![]),
        ("event_type=DNS_BLOCK", vec![4]),
        ("severity=3", vec![2, 1]),
        ("severity_min=3", vec![5, 2, 1]),
        ("severity_min=5", vec![5]),
        ("source_ip=203.0.113.7", vec![5, 4, 1]),
        ("source_ip=203.0.113", vec![]),
        ("source_ip=N/A", vec![3]),
        ("source_host=db", vec![2]),
        ("source_host=DB", vec![]),
        ("user=BO", vec![3, 1]),
        ("user=root", vec![2]),
        ("user=SYST", vec![4]),
        ("raw_message=ADS.example", vec![4]),
        ("raw_message=audit%20log", vec![5]),
        ("raw_message=event_id", vec![]),
        (&format!("start_date={long_ago}"), vec![5, 4, 3, 2, 1]),
        (&format!("end_date={long_ago}"), vec![]),
        (&format!("start_date={long_ago}&end_date={today}"), vec![5, 4, 3, 2, 1]),
        (&format!("start_date={}", ago(350)), vec![5, 4]),
        (&format!("end_date={}", ago(350)), vec![3, 2, 1]),
        ("limit=2", vec![5, 4]),
        ("limit=2&offset=2", vec![3, 2]),
        ("limit=2&offset=4", vec![1]),
        ("offset=5", vec![]),
        ("offset=9223372036854775807", vec![]),
        ("severity_min=2&offset=1&limit=1", vec![3]),
    ] {
        assert_eq!(found(&hub, query), expected, "{query}");
    }
    let page = get(&hub, "/events?offset=3&limit=1&os_type=LINUX");
    assert_eq!(
        page,
        json!({"success": true, "total_count": 3, "offset": 3, "limit": 1, "count": 0, "events": []})
    );
    for (query, kind) in [
        ("limit=10001", "less_than_equal"),
        ("limit=0", "greater_than_equal"),
        ("limit=x", "int_parsing"),
        ("offset=-1", "greater_than_equal"),
        ("severity=high", "int_parsing"),
        ("start_date=soon", "date_from_datetime_parsing"),
    ] {
        let answer = ask(&hub, "GET", &format!("/events?{query}"), "");
        assert_eq!((answer.status, &answer.json()["detail"][0]["type"]), (422, &json!(kind)));
        assert_eq!(answer.json()["detail"][0]["loc"][0], "query");
    }
}

#[test]
fn what_other_senders_sent_is_there_too() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let line = failed(&ago(60), "mail", "eve", "198.51.100.7");
    let plain = format!("{} mail cron[1]: nothing that Heimdall knows", ago(50));
    assert_eq!(hub.send("a", "mail", &[line.clone(), plain]).status, 200);
    let listed = get(&hub, "/events");
    let id = listed["events"][0]["event_id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 36);
    assert_eq!(listed["total_count"], 1);
    let stamp = line.split(' ').next().unwrap();
    let expected = json!({
        "event_id": id, "timestamp": listed["events"][0]["timestamp"], "source_host": "mail",
        "os_type": "LINUX", "event_type": "LOGIN_FAIL", "severity": 3,
        "source_ip": "198.51.100.7", "user": "eve", "raw_message": line,
    });
    assert_eq!(listed["events"], json!([expected]));
    let seconds = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
    assert_eq!(seconds(expected["timestamp"].as_str().unwrap()), seconds(stamp));
    assert_eq!(get(&hub, "/events?raw_message=password%20FOR%20eve")["total_count"], 1);
    hub.kill();
    let hub = server(directory.path());
    assert_eq!(get(&hub, "/events")["events"][0]["event_id"], id.as_str(), "stable");
}

#[test]
fn metrics_count_the_last_day() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let none = get(&hub, "/metrics");
    assert_eq!((&none["total_alerts_24h"], &none["threats_by_os"]), (&json!(0), &json!({})));
    assert_eq!(none["most_blocked_domain"], Value::Null);
    filled(&hub);
    let told = get(&hub, "/metrics");
    assert_eq!((&told["success"], &told["total_alerts_24h"]), (&json!(true), &json!(5)));
    assert_eq!(told["threats_by_os"], json!({"LINUX": 3, "PIHOLE": 1, "WINDOWS": 1}));
    assert_eq!(told["most_blocked_domain"], "ads.example.com");
    let addresses = told["top_attacking_ips"].as_array().unwrap();
    assert_eq!(addresses[0], json!({"ip": "203.0.113.7", "count": 3}));
    assert!(addresses.iter().all(|one| one["ip"] != "N/A"));
    let minutes = told["events_per_minute"].as_array().unwrap();
    assert_eq!(minutes.iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>(), 5);
    let minute = minutes[0]["minute"].as_str().unwrap();
    assert!(minute.len() == 16 && minute.as_bytes()[10] == b' ', "{minute}");
}

#[test]
fn what_is_set_is_kept_and_checked() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    let mut config = json!({
        "severity_threshold": 4, "inactive_threshold_minutes": 15, "check_interval_seconds": 60,
        "enable_alerts": true, "quiet_hours": null, "telegram_configured": false,
    });
    assert_eq!(get(&hub, "/alert-config"), json!({"success": true, "config": config}));
    for (path, key, value) in [
        ("severity-threshold?threshold=2", "severity_threshold", json!(2)),
        ("inactive-threshold?minutes=30", "inactive_threshold_minutes", json!(30)),
        ("quiet-hours?quiet_hours=22:00-07:00", "quiet_hours", json!("22:00-07:00")),
        ("enable?enabled=false", "enable_alerts", json!(false)),
    ] {
        config[key] = value;
        let answer = ask(&hub, "POST", &format!("/alert-config/{path}"), "");
        assert_eq!(
            (answer.status, answer.json()),
            (200, json!({"success": true, "config": config})),
            "{path}"
        );
    }
    for (path, status, part) in [
        ("severity-threshold?threshold=6", 400, "between 1 and 5"),
        ("severity-threshold?threshold=0", 400, "between 1 and 5"),
        ("severity-threshold?threshold=x", 422, "int_parsing"),
        ("severity-threshold", 422, "Field required"),
        ("inactive-threshold?minutes=0", 400, "between 1 and"),
        ("quiet-hours?quiet_hours=25:00-07:00", 400, "HH:MM-HH:MM"),
        ("quiet-hours", 422, "quiet_hours"),
        ("enable?enabled=perhaps", 422, "bool_parsing"),
    ] {
        let answer = ask(&hub, "POST", &format!("/alert-config/{path}"), "");
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        assert!(answer.text().contains(part), "{path}: {}", answer.text());
    }
    assert_eq!(ask(&hub, "GET", "/alert-config/enable", "").status, 405);
    hub.kill();
    let hub = server(directory.path());
    assert_eq!(get(&hub, "/alert-config")["config"], config);
}

#[test]
fn a_deleted_host_is_forgotten_and_its_new_events_are_not() {
    let directory = tempfile::tempdir().unwrap();
    let hub = server(directory.path());
    filled(&hub);
    let refused = ask(&hub, "DELETE", "/hosts/web", "");
    let needs = json!({"detail": "This needs an admin key"});
    assert_eq!((refused.status, refused.json()), (403, needs));
    let deleted = ask_with(&hub, Some(ADMIN), "DELETE", "/hosts/web", "");
    assert_eq!((deleted.status, &deleted.json()["events_hidden"]), (200, &json!(4)));
    assert_eq!(deleted.json()["success"], true);
    let audited = hub.audited("heimdall.host.delete");
    assert_eq!(
        (&audited["target"], &audited["before"]["events_shown"]),
        (&json!("web"), &json!(4))
    );
    assert_eq!(found(&hub, ""), [2]);
    assert_eq!(found(&hub, "offset=0&source_host=web"), [0; 0]);
    assert_eq!(hub.stored(), 5, "nothing is removed from the store");
    ingest(&hub, &[event(7, "bob", 1)]);
    assert_eq!(found(&hub, ""), [7, 2]);
    let again = ask_with(&hub, Some(ADMIN), "DELETE", "/hosts/nowhere", "");
    assert_eq!((again.status, again.json()), (404, json!({"detail": "Host not found"})));
    hub.kill();
    let hub = server(directory.path());
    assert_eq!(found(&hub, ""), [7, 2]);
}
