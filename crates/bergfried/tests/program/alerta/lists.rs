//! What the API answers about many alerts: lists, pages, counts.

use serde_json::{Value, json};

use super::{Api, keys};
use crate::support::hub::Hub;

/// Six alerts: four in Production, two in Development.
fn fill(api: &Api<'_>) {
    for (resource, event, environment, severity, service, tag) in [
        ("web1", "Down", "Production", "critical", "Web", "dc1"),
        ("web2", "Down", "Production", "major", "Web", "dc1"),
        ("db1", "Slow", "Production", "minor", "Database", "dc2"),
        ("db2", "Slow", "Production", "normal", "Database", "dc2"),
        ("web1", "Down", "Development", "warning", "Web", "dc1"),
        ("db1", "Full", "Development", "informational", "Database", "dc1"),
    ] {
        api.send(json!({
            "resource": resource, "event": event, "environment": environment,
            "severity": severity, "service": [service], "tags": [tag], "group": "Servers",
            "text": format!("{resource} is {event}"), "attributes": {"rack": resource},
            "rawData": "raw", "value": "1",
        }));
    }
}

#[test]
fn lists_are_filtered_sorted_and_paged() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    let page = [
        "alerts",
        "autoRefresh",
        "lastTime",
        "message",
        "more",
        "page",
        "pageSize",
        "pages",
        "severityCounts",
        "status",
        "statusCounts",
        "total",
    ];
    let empty = api.expect(("GET", "/alerts"), None, 200, &page);
    assert_eq!((&empty["total"], &empty["pages"]), (&json!(0), &json!(0)));
    assert_eq!((&empty["message"], &empty["autoRefresh"]), (&json!("not found"), &json!(true)));
    assert!(empty["lastTime"].is_string());
    fill(&api);

    let fields: Vec<&str> = page.into_iter().filter(|name| *name != "message").collect();
    let path = "/alerts?sort-by=severity&sort-by=lastReceiveTime&page=1&page-size=4";
    let list = api.expect(("GET", path), None, 200, &fields);
    let severities: Vec<_> =
        list["alerts"].as_array().unwrap().iter().map(|alert| alert["severity"].clone()).collect();
    assert_eq!(severities, ["critical", "major", "minor", "warning"]);
    assert_eq!(
        (&list["total"], &list["pages"], &list["more"]),
        (&json!(6), &json!(2), &json!(true))
    );
    assert_eq!((&list["page"], &list["pageSize"]), (&json!(1), &json!(4)));
    assert_eq!(list["statusCounts"], json!({"open": 5, "closed": 1}));
    assert_eq!(list["severityCounts"]["critical"], 1);
    let first = &list["alerts"][0];
    assert_eq!((&first["history"], &first["rawData"]), (&json!([]), &json!(null)));
    let list = api.get("/alerts?show-history=1&show-raw-data=1&resource=db2");
    let first = &list["alerts"][0];
    assert_eq!((first["history"].as_array().unwrap().len(), &first["rawData"]), (1, &json!("raw")));
    for path in ["/alerts?page=3&page-size=4", "/alerts?page=0"] {
        let message = api.refused(("GET", path), None, 416);
        assert!(message.starts_with("page out of range: 1-"), "{message}");
    }
    for path in ["/alerts?colour=red", "/alerts?sort-by=colour", "/alerts?from-date=garbage"] {
        api.refused(("GET", path), None, 400);
    }

    let id = first["id"].as_str().unwrap().to_owned();
    for (query, total) in [
        ("environment=Production", 4),
        ("environment!=Production", 2),
        ("severity=critical&severity=major", 2),
        ("environment=Production&service=Web", 2),
        ("service!=Web", 3),
        ("service=~data", 3),
        ("resource=~WEB", 3),
        ("resource!=~web", 3),
        ("event=~%5Edo&event=~%5Efu", 4),
        ("tag=dc2", 2),
        ("tags=dc2", 2),
        ("type=exceptionAlert", 6),
        ("attributes.rack=web1", 2),
        ("attributes.rack!=web1", 4),
        ("status=closed", 1),
        ("q=severity:critical", 1),
        ("q=web1", 2),
        ("q=resource:(web1%20OR%20db2)", 3),
        ("q=duplicateCount:%3E0", 0),
        ("q=attributes.rack:db*", 3),
        (&format!("id={id}"), 1),
        (&format!("id={}", &id[..8]), 1),
        ("from-date=2020-01-01T00:00:00.000Z", 6),
        ("to-date=2020-01-01T00:00:00.000Z", 0),
    ] {
        assert_eq!(api.get(&format!("/alerts?{query}"))["total"], total, "{query}");
        assert_eq!(api.get(&format!("/alerts/count?{query}"))["total"], total, "{query}");
    }
}

#[test]
fn alerts_are_counted_in_every_way() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    fill(&api);
    let row = |path: &str, list: &str, number: usize| api.get(path)[list][number].clone();
    let counts = api.expect(
        ("GET", "/alerts/count"),
        None,
        200,
        &["autoRefresh", "severityCounts", "status", "statusCounts", "total"],
    );
    assert_eq!(counts["total"], 6);

    let environments = api.get("/environments?status=closed");
    assert_eq!(environments["total"], 2);
    let counted = ["count", "environment", "severityCounts", "statusCounts"];
    assert_eq!(keys(&environments["environments"][0]), counted);
    let of: Vec<_> = environments["environments"].as_array().unwrap().clone();
    let numbers: Vec<_> =
        of.iter().map(|e| (e["environment"].clone(), e["count"].clone())).collect();
    assert_eq!(numbers, [(json!("Development"), json!(0)), (json!("Production"), json!(1))]);

    let service = row("/services?environment=Production", "services", 0);
    assert_eq!(
        keys(&service),
        ["count", "environment", "service", "severityCounts", "statusCounts"]
    );
    assert_eq!((&service["service"], &service["count"]), (&json!("Database"), &json!(2)));
    assert_eq!(row("/alerts/groups", "groups", 1), {
        json!({"environment": "Production", "group": "Servers", "count": 4})
    });
    assert_eq!(row("/alerts/tags", "tags", 2), {
        json!({"environment": "Production", "tag": "dc2", "count": 2})
    });
    for path in ["/environments", "/services", "/alerts/groups", "/alerts/tags"] {
        let list = path.rsplit('/').next().unwrap();
        let mut fields = vec!["more", "page", "pageSize", "pages", "status", "total", list];
        fields.sort_unstable();
        api.expect(("GET", path), None, 200, &fields);
        api.refused(("GET", &format!("{path}?page=9")), None, 416);
        api.refused(("GET", &format!("{path}?colour=red")), None, 400);
    }

    for name in ["top10", "topn"] {
        let path = format!("/alerts/{name}/count?group-by=event");
        let top = api.expect(("GET", &path), None, 200, &["status", "top10", "total"]);
        let first = &top["top10"][0];
        assert_eq!(
            keys(first),
            ["count", "duplicateCount", "environments", "event", "resources", "services"]
        );
        assert_eq!((&first["event"], &first["count"]), (&json!("Down"), &json!(3)));
        assert_eq!(keys(&first["resources"][0]), ["href", "id", "resource"]);
    }
    assert_eq!(api.get("/alerts/top10/flapping")["total"], 0);
    assert!(api.get("/alerts/top10/standing?page-size=1")["total"] == 1);
    api.refused(("GET", "/alerts/top10/heaviest"), None, 404);
    let message = api.refused(("GET", "/alerts/top10/count?group-by=x'%3B--"), None, 400);
    assert!(message.contains("not supported"), "{message}");
}

#[test]
fn the_history_is_a_list_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let hub = Hub::start(directory.path());
    let api = Api::of(&hub);
    fill(&api);
    let id = api.get("/alerts?resource=web2")["alerts"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/alert/{id}/action");
    api.expect(("PUT", &path), Some(json!({"action": "ack", "text": "mine"})), 200, &["status"]);
    let history = api.get("/alerts/history");
    let newest = &history["history"][0];
    assert_eq!((&history["total"], &newest["text"]), (&json!(7), &json!("mine")));
    assert_eq!(
        keys(newest),
        [
            "attributes",
            "customer",
            "environment",
            "event",
            "group",
            "href",
            "id",
            "origin",
            "resource",
            "service",
            "severity",
            "status",
            "tags",
            "text",
            "timeout",
            "type",
            "updateTime",
            "user",
            "value",
        ]
    );
    assert_eq!((&newest["type"], &newest["status"]), (&json!("ack"), &json!("ack")));
    let times: Vec<Value> = history["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["updateTime"].clone())
        .collect();
    assert!(times.is_sorted_by(|one, other| one.as_str() >= other.as_str()), "{times:?}");
    assert_eq!(api.get("/alerts/history?environment=Development&page-size=1")["pages"], 2);
}
