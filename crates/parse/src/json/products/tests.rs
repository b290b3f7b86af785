use bergfried_event::{SourceKind, Timestamp};
use serde_json::{Value as Json, json};

use crate::Context;

fn read(line: &str) -> Json {
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "h",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    serde_json::to_value(crate::parse(SourceKind::File, line, &context)).unwrap()
}

fn assert_fields(event: &Json, expected: &Json) {
    for (name, expected) in expected.as_object().unwrap() {
        assert_eq!(&event[name], expected, "{name} of {event:#}");
    }
}

const FALCO: &str = r#"{"hostname":"node1","output":"10:00:00.1: Critical A shell (user=root)","output_fields":{"container.id":"ee97d9c4186f","container.image.repository":"docker.io/library/alpine","evt.time":1795262300000000000,"fd.name":"192.0.2.9:43812->198.51.100.1:443","k8s.ns.name":"default","k8s.pod.name":"kubecon","proc.cmdline":"sh -c clear","proc.name":"sh","proc.pname":"runc","proc.tty":34816,"user.loginuid":-1,"user.name":"root"},"priority":"Critical","rule":"Terminal shell in container","source":"syscall","tags":["container","mitre_execution","T1059"],"time":"2026-11-21T11:58:20.478445995Z"}"#;

#[test]
fn falcos_alerts_have_its_fields_and_those_of_ecs() {
    let expected = json!({
        "@timestamp": "2026-11-21T11:58:20.478445Z",
        "host.name": "node1",
        "message": "10:00:00.1: Critical A shell (user=root)",
        "event.module": "falco",
        "event.kind": "alert",
        "event.severity": 2,
        "log.level": "crit",
        "rule.name": "Terminal shell in container",
        "falco.priority": "Critical",
        "falco.source": "syscall",
        "falco.output_fields.proc.pname": "runc",
        "falco.output_fields.user.loginuid": -1,
        "process.name": "sh",
        "process.command_line": "sh -c clear",
        "process.parent.name": "runc",
        "user.name": "root",
        "container.id": "ee97d9c4186f",
        "container.image.name": "docker.io/library/alpine",
        "orchestrator.namespace": "default",
        "orchestrator.resource.name": "kubecon",
        "orchestrator.resource.type": "pod",
        "source.ip": "192.0.2.9",
        "source.port": 43812,
        "destination.ip": "198.51.100.1",
        "destination.port": 443,
        "threat.technique.id": ["T1059"],
        "priority": null,
        "output_fields.proc.name": null,
    });
    assert_fields(&read(FALCO), &expected);
    // As its syslog output, and as Docker wraps what it prints.
    let syslog = read(&format!("Nov 21 11:58:21 node1 falco[7]: {FALCO}"));
    for name in ["rule.name", "falco.priority", "event.kind", "source.ip"] {
        assert_eq!(syslog[name], expected[name], "{name}");
    }
    let wrapped = read(
        &json!({"log": format!("{FALCO}\n"), "stream": "stdout", "time": "2026-11-21T11:58:22Z"})
            .to_string(),
    );
    for name in ["rule.name", "falco.priority", "event.kind", "source.ip"] {
        assert_eq!(wrapped[name], expected[name], "{name}");
    }
}

#[test]
fn odd_alerts_of_falco_are_alerts() {
    for (line, name, expected) in [
        (
            r#"{"output":"x","priority":"Error","rule":"r","time":"2021-04-13T20:58:00.746609046Z+2","output_fields":{"evt.time":1618347519000000000,"fd.name":"/bin/hack"}}"#,
            "@timestamp",
            json!("2021-04-13T20:58:39Z"),
        ),
        (
            r#"{"output":"x","priority":"Error","rule":"r","output_fields":{"fd.name":"/bin/hack"}}"#,
            "file.path",
            json!("/bin/hack"),
        ),
        (
            r#"{"output":"x","priority":"Error","rule":"r","time":"2021-04-13T20:58:00.5Z+2","output_fields":{"evt.time":1618347519000000}}"#,
            "@timestamp",
            json!("2021-04-13T20:58:39Z"),
        ),
        (
            r#"{"output":"x","priority":"Error","rule":"r","time":"2021-04-13T20:58:00Z","output_fields":{"evt.time":7}}"#,
            "@timestamp",
            json!("2021-04-13T20:58:00Z"),
        ),
        (
            r#"{"output":"x","priority":"Debug","rule":"r","output_fields":null}"#,
            "event.severity",
            json!(7),
        ),
        (
            r#"{"output":"x","priority":"Warning","rule":"r","output_fields":{"user.name":"<NA>","container.id":"host"}}"#,
            "user.name",
            Json::Null,
        ),
        (
            r#"{"output":"x","priority":"Warning","rule":"r","output_fields":{"container.id":"host"}}"#,
            "container.id",
            Json::Null,
        ),
        (
            r#"{"output":"m","priority":"Informational","rule":"Falco internal: metrics snapshot","source":"internal","output_fields":{"a":1}}"#,
            "event.kind",
            json!("event"),
        ),
        (
            r#"{"priority":"Warning","rule":"r","message":"of another program"}"#,
            "event.module",
            Json::Null,
        ),
        (r#"{"output":"x","priority":"P1","rule":"r"}"#, "event.module", Json::Null),
    ] {
        assert_eq!(read(line)[name], expected, "{line}");
    }
}

#[test]
fn suricatas_records_have_ecs_beside_its_names() {
    assert_fields(
        &read(
            r#"{"timestamp":"2026-11-21T09:35:01.575088+0000","flow_id":112424506237238,"in_iface":"eth0","event_type":"alert","src_ip":"192.0.2.146","src_port":52340,"dest_ip":"2001:0db8:0000:0000:0000:0000:0000:0001","dest_port":80,"proto":"TCP","alert":{"action":"blocked","gid":1,"signature_id":2013504,"rev":5,"signature":"LOCAL user agent","category":"Misc activity","severity":3},"http":{"hostname":"example.org","url":"/a","http_method":"GET"},"app_proto":"http"}"#,
        ),
        &json!({
            "@timestamp": "2026-11-21T09:35:01.575088Z", "event.module": "suricata", "event.kind": "alert",
            "event.action": "blocked", "event.severity": 3, "rule.name": "LOCAL user agent", "rule.id": "2013504",
            "source.ip": "192.0.2.146", "destination.ip": "2001:db8::1", "destination.port": 80,
            "network.transport": "tcp", "network.protocol": "http", "url.domain": "example.org",
            "http.request.method": "GET", "event_type": "alert", "message": "LOCAL user agent",
        }),
    );
    for (line, name, expected) in [
        (
            r#"{"timestamp":"2026-11-21T09:35:01Z","flow_id":1,"event_type":"dns","src_ip":"192.0.2.1","dest_ip":"192.0.2.53","proto":"UDP","dns":{"type":"query","rrname":"x.example","rrtype":"A"}}"#,
            "dns.question.name",
            json!("x.example"),
        ),
        (
            r#"{"timestamp":"2026-11-21T09:35:01Z","flow_id":1,"event_type":"dns","dns":{"version":3,"queries":[{"rrname":"y.example","rrtype":"A"}]}}"#,
            "dns.question.name",
            json!("y.example"),
        ),
        (
            r#"{"timestamp":"2026-11-21T09:35:01Z","flow_id":1,"event_type":"tls","tls":{"sni":"z.example"}}"#,
            "tls.client.server_name",
            json!("z.example"),
        ),
        (
            r#"{"timestamp":"2026-11-21T09:35:01Z","event_type":"stats","stats":{"uptime":1}}"#,
            "event.kind",
            json!("metric"),
        ),
        (r#"{"event_type":"alert","text":"of another program"}"#, "event.module", Json::Null),
    ] {
        assert_eq!(read(line)[name], expected, "{line}");
    }
}

#[test]
fn dockers_events_name_the_container() {
    let plain = r#"{"Type":"container","Action":"exec_create: sh -c id","Actor":{"ID":"acedfab12345","Attributes":{"image":"nginx:latest","name":"web","exitCode":"1"}},"scope":"local","time":1795262300,"timeNano":1795262300673509492}"#;
    let expected = json!({
        "@timestamp": "2026-11-21T11:58:20.673509Z", "event.module": "docker", "event.action": "exec_create",
        "process.command_line": "sh -c id", "container.id": "acedfab12345", "container.name": "web",
        "container.image.name": "nginx:latest", "event.outcome": "failure",
    });
    assert_fields(&read(plain), &expected);
    assert_fields(&read(&format!(r#"{{"integration":"docker","docker":{plain}}}"#)), &expected);
}

#[test]
fn pi_holes_statuses_decide_what_was_blocked() {
    let blocked = [1, 4, 5, 6, 7, 8, 9, 10, 11, 15, 16, 18];
    let others = [
        (0, "dns-query"),
        (2, "dns-allowed"),
        (3, "dns-cached"),
        (12, "dns-allowed"),
        (13, "dns-allowed"),
        (14, "dns-allowed"),
        (17, "dns-cached"),
        (19, "dns-query"),
        (-1, "dns-query"),
    ];
    for (status, action) in blocked.map(|status| (status, "dns-blocked")).into_iter().chain(others)
    {
        let row = json!({"pihole": {"id": 1, "timestamp": 1_795_000_002, "status": status}});
        let event = read(&row.to_string());
        assert_eq!(event["event.action"], action, "{status}");
        assert_eq!(event["pihole.status"], status);
        assert_eq!(event["pihole.status_text"].is_string(), (0..19).contains(&status), "{status}");
        let denied = event["event.type"] == json!(["protocol", "denied"]);
        assert_eq!(denied, action == "dns-blocked", "{status}");
    }
}
