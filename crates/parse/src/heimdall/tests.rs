use proptest::prelude::*;

use super::*;

const RECEIVED: &str = "2026-11-21T12:00:00Z";

fn context() -> Context<'static> {
    Context {
        received: RECEIVED.parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

/// A document of the protocol with these values in place of the ordinary ones.
fn document(changes: Json) -> String {
    let mut document = serde_json::json!({
        "event_id": "0b6f1a1e-6f0a-4a59-8d28-2b2f9a5e3c10",
        "timestamp": "2026-11-21T10:00:00Z",
        "source_host": "web1",
        "os_type": "LINUX",
        "event_type": "LOGIN_FAIL",
        "severity": 3,
        "source_ip": "192.0.2.7",
        "user": "admin",
        "raw_message": "Failed password for admin from 192.0.2.7",
    });
    for (key, value) in changes.as_object().unwrap() {
        if value.is_null() {
            document.as_object_mut().unwrap().remove(key);
        } else {
            document[key] = value.clone();
        }
    }
    document.to_string()
}

fn fields(text: &str) -> Map<String, Json> {
    let Json::Object(fields) = serde_json::to_value(parse(text, &context()).unwrap()).unwrap()
    else {
        unreachable!()
    };
    fields
}

/// The texts of these fields of the document's event.
fn texts<'n>(changes: Json, names: &[&'n str]) -> Vec<(&'n str, String)> {
    let fields = fields(&document(changes));
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    names.iter().map(|name| (*name, fields.get(*name).map(text).unwrap_or_default())).collect()
}

#[test]
fn a_line_in_a_document_gives_what_the_line_itself_gives() {
    for (os, line) in [
        (
            "LINUX",
            "Nov 21 10:00:00 web1 sshd[1]: Failed password for invalid user x from 1.2.3.4 port 5 ssh2",
        ),
        (
            "LINUX",
            "Nov 21 10:00:00 web1 sudo:    eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id",
        ),
        (
            "LINUX",
            "2026-11-21T10:00:00+00:00 web1 useradd[7]: new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/sh, from=/dev/pts/0",
        ),
        (
            "FIREWALL",
            "Nov 21 10:00:00 web1 kernel: [UFW BLOCK] IN=eth0 OUT= SRC=1.2.3.4 DST=192.0.2.1 PROTO=TCP SPT=1 DPT=22",
        ),
        (
            "WINDOWS",
            "{\"EventID\":4625,\"Channel\":\"Security\",\"TargetUserName\":\"eve\",\"IpAddress\":\"1.2.3.4\"}",
        ),
    ] {
        let found = fields(&document(serde_json::json!({
            "os_type": os, "raw_message": line, "user": "N/A", "source_ip": "N/A",
        })));
        let context = Context { host: "web1", ..context() };
        let itself = serde_json::to_value(crate::parse(SourceKind::File, line, &context)).unwrap();
        for (name, value) in itself.as_object().unwrap() {
            if !matches!(name.as_str(), "event.original" | "@timestamp") {
                assert_eq!(found.get(name), Some(value), "{name} of {line}");
            }
        }
        assert_eq!(found["heimdall.event_type"], "LOGIN_FAIL", "{line}");
    }
}

#[test]
fn what_the_document_says_counts_more_than_its_line() {
    let line = "Nov 20 09:00:00 db9 sshd[1]: Failed password for root from 1.2.3.4 port 5 ssh2";
    let names = [
        "@timestamp",
        "host.name",
        "user.name",
        "source.ip",
        "source.port",
        "event.action",
        "heimdall.event_type",
        "heimdall.severity",
        "heimdall.raw_message",
        "host.os.type",
    ];
    let found = texts(
        serde_json::json!({"raw_message": line, "event_type": "SYSTEM_ALERT", "severity": 5}),
        &names,
    );
    let expected = [
        "2026-11-21T10:00:00Z",
        "web1",
        "admin",
        "192.0.2.7",
        "5",
        "ssh_login",
        "SYSTEM_ALERT",
        "5",
        line,
        "linux",
    ];
    let expected = expected.map(str::to_owned);
    assert_eq!(found, names.into_iter().zip(expected).collect::<Vec<_>>());
}

#[test]
fn lines_without_a_header_are_read_by_their_kind() {
    let sudo = "eve : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/id";
    for (changes, name, expected) in [
        (serde_json::json!({}), "event.action", "ssh_login"),
        (serde_json::json!({}), "process.name", "sshd"),
        (serde_json::json!({}), "ssh.method", "password"),
        (
            serde_json::json!({"event_type": "SUDO_ESCALATION", "raw_message": sudo}),
            "process.command_line",
            "/bin/id",
        ),
        (serde_json::json!({"raw_message": "no entry"}), "event.action", "logon-failed"),
        (serde_json::json!({"raw_message": "no entry"}), "event.outcome", "failure"),
        (
            serde_json::json!({"os_type": "WINDOWS", "raw_message": "An account: failed"}),
            "process.name",
            "",
        ),
        (
            serde_json::json!({"os_type": "PIHOLE", "event_type": "DNS_BLOCK",
                "raw_message": "Blocked: Ads.Example.org for 10.0.0.3"}),
            "dns.question.name",
            "ads.example.org",
        ),
        (serde_json::json!({"user": "system"}), "user.name", "admin"),
        (serde_json::json!({"source_ip": "N/A"}), "source.ip", "192.0.2.7"),
        (serde_json::json!({"source_ip": "laptop.lan"}), "source.address", "laptop.lan"),
        (serde_json::json!({"source_ip": "laptop.lan"}), "source.ip", ""),
        (serde_json::json!({"severity": "4"}), "heimdall.severity", "4"),
        (serde_json::json!({"severity": 9}), "heimdall.event_type", ""),
        (serde_json::json!({"os_type": "BEOS"}), "heimdall.event_type", ""),
        (serde_json::json!({"source_host": null}), "host.name", "collector"),
        (serde_json::json!({"raw_message": null}), "event.module", "heimdall"),
    ] {
        let found = texts(changes.clone(), &[name]);
        assert_eq!(found, [(name, expected.to_owned())], "{changes}");
    }
}

#[test]
fn times_that_cannot_be_are_those_of_the_receipt() {
    for (timestamp, expected) in [
        (serde_json::json!("2026-11-21T11:00:00+01:00"), "2026-11-21T10:00:00Z"),
        (serde_json::json!("2026-11-21 10:00:00.5"), "2026-11-21T10:00:00.500000Z"),
        (serde_json::json!("1795255200"), "2026-11-21T10:00:00Z"),
        (serde_json::json!(1_795_255_200), "2026-11-21T10:00:00Z"),
        (serde_json::json!(1_795_255_200.25), "2026-11-21T10:00:00.250000Z"),
        (serde_json::json!("2026-11-23T10:00:00Z"), RECEIVED),
        (serde_json::json!("1970-01-01T00:00:00Z"), RECEIVED),
        (serde_json::json!("soon"), RECEIVED),
        (serde_json::json!([1]), RECEIVED),
        (Json::Null, RECEIVED),
    ] {
        let found = texts(serde_json::json!({"timestamp": timestamp}), &["@timestamp"]);
        assert_eq!(found, [("@timestamp", expected.to_owned())], "{timestamp}");
    }
}

#[test]
fn a_line_cannot_forge_what_the_document_says() {
    let forged = serde_json::json!({
        "host.name": "dc1", "heimdall.event_type": "DNS_BLOCK", "heimdall.event_id": "x",
        "heimdall.os_type": "MACOS", "host.os.type": "windows", "message": "hi",
    });
    let names = [
        "host.name",
        "heimdall.event_type",
        "heimdall.event_id",
        "heimdall.os_type",
        "host.os.type",
    ];
    let id = "0b6f1a1e-6f0a-4a59-8d28-2b2f9a5e3c10";
    let expected = ["web1", "LOGIN_FAIL", id, "LINUX", "linux"].map(str::to_owned);
    let found = texts(serde_json::json!({"raw_message": forged.to_string()}), &names);
    assert_eq!(found, names.into_iter().zip(expected).collect::<Vec<_>>());
}

proptest! {
    /// A document of each kind comes back as it was sent, and its fields alone say the same.
    #[test]
    fn documents_come_back_in_the_same_words(
        kind in prop::sample::select(EventType::ALL),
        os in prop::sample::select(OsType::ALL),
        severity in 1_i64..=5,
    ) {
        let text = document(serde_json::json!({
            "event_type": kind.name(), "os_type": os.name(), "severity": severity,
            "raw_message": "in words of its own", "user": "eve",
        }));
        let mut event = parse(&text, &context()).unwrap();
        bergfried_heimdall::stamp(&mut event);
        prop_assert_eq!(event.text(Field::HeimdallEventType), Some(kind.name()));
        prop_assert_eq!(event.text(Field::HeimdallOsType), Some(os.name()));
        prop_assert_eq!(event.get(Field::HeimdallSeverity), Some(&Value::Int(severity)));
        let class = bergfried_heimdall::classify(&event).unwrap();
        prop_assert_eq!(class.kind, kind);
        prop_assert_eq!(event.text(Field::UserName), Some("eve"));
    }

    /// No document fails, and none has a field twice.
    #[test]
    fn no_document_is_too_strange(
        values in prop::collection::btree_map(
            prop::sample::select(vec![
                "event_id", "timestamp", "source_host", "os_type", "event_type", "severity",
                "source_ip", "user", "raw_message", "status",
            ]),
            prop_oneof![
                "\\PC{0,40}".prop_map(Json::from),
                any::<i64>().prop_map(Json::from),
                any::<f64>().prop_map(Json::from),
                prop::sample::select(EventType::ALL).prop_map(|kind| kind.name().into()),
                Just(Json::Null),
                Just(serde_json::json!({"a": [1, {}]})),
                Just(serde_json::json!([[[]]])),
            ],
            0..10,
        ),
    ) {
        let text = serde_json::to_string(&values).unwrap();
        let event = parse(&text, &context()).unwrap();
        let mut names: Vec<&FieldName<'_>> = event.fields().iter().map(|(name, _)| name).collect();
        names.sort();
        let count = names.len();
        names.dedup();
        prop_assert_eq!(names.len(), count, "{:?}", event);
        prop_assert_eq!(event.original(), text.as_str());
    }
}
