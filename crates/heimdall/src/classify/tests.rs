use proptest::prelude::*;

use bergfried_event::Timestamp;

use super::*;

fn event<'a>(fields: &[(&'static str, &'a str)]) -> Event<'a> {
    let mut event = Event::new(Timestamp::default(), "");
    for (name, text) in fields {
        let value = match text.parse::<i64>() {
            Ok(number) => Value::Int(number),
            Err(_) if text.contains(',') => Value::List(text.split(',').map(Value::from).collect()),
            Err(_) => Value::from(*text),
        };
        event.set_named(FieldName::exact(*name), value);
    }
    event
}

/// Kind, system and severity of an event with these fields.
fn is(fields: &[(&'static str, &str)]) -> Option<(EventType, OsType, u8)> {
    classify(&event(fields)).map(|class| (class.kind, class.os, class.severity.number()))
}

#[test]
fn events_are_of_the_kinds_that_their_fields_say() {
    use EventType::*;
    use OsType::*;
    let auth = ("event.category", "authentication");
    let (failure, success) = (("event.outcome", "failure"), ("event.outcome", "success"));
    let (ssh, method) = (("event.action", "ssh_login"), ("ssh.method", "password"));
    let security = ("winlog.channel", "Security");
    let pam = ("event.action", "authentication");
    for (fields, expected) in [
        (&[auth, ssh, failure, method][..], Some((LoginFail, Linux, 3))),
        (&[auth, ssh, failure], None),
        (&[auth, ssh, failure, ("ssh.method", "publickey")], None),
        (&[auth, ssh, success, method], Some((LoginSuccess, Linux, 1))),
        (&[auth, ssh, failure, method, ("host.os.type", "macos")], Some((LoginFail, Macos, 3))),
        (&[auth, ("event.action", "ssh_disconnect"), failure], None),
        (&[auth, pam, failure, ("service.name", "sshd")], None),
        (&[auth, pam, failure, ("process.name", "sudo")], None),
        (&[auth, pam, failure, ("service.name", "xscreensaver")], Some((LoginFail, Linux, 3))),
        (&[auth, ("event.action", "su"), success], Some((SudoEscalation, Linux, 2))),
        (&[auth, ("event.action", "su"), success, ("user.name", "root")], None),
        (&[auth, ("event.action", "login"), success], None),
        (
            &[("event.action", "logged-on"), success, ("service.name", "login")],
            Some((LoginSuccess, Linux, 1)),
        ),
        (&[("event.action", "logged-on"), success, ("service.name", "sudo")], None),
        (&[("event.action", "user-added-to-group"), success], Some((GroupAdd, Linux, 4))),
        (
            &[
                ("event.action", "user-added-to-group"),
                ("message", "add 'a' to shadow group 'b'"),
                success,
            ],
            None,
        ),
        (
            &[auth, ("event.action", "logged-in"), success, security],
            Some((LoginSuccess, Windows, 1)),
        ),
        (&[auth, ("event.action", "logged-in"), success, security, ("LogonType", "5")], None),
        (&[auth, ("event.action", "logged-in"), failure, ("event.module", "auditd")], None),
        (
            &[auth, ("event.action", "okta"), failure, ("event.type", "start")],
            Some((LoginFail, Linux, 3)),
        ),
        (&[auth, ("event.action", "okta"), failure], None),
        (
            &[("event.action", "executed-command"), success, ("process.name", "sudo")],
            Some((SudoEscalation, Linux, 2)),
        ),
        (
            &[("event.action", "executed-command"), failure, ("process.name", "sudo")],
            Some((SudoEscalation, Linux, 3)),
        ),
        (&[("event.action", "executed-command"), success, ("process.name", "CRON")], None),
        (&[("event.action", "executed-command"), ("process.name", "sudo")], None),
        (&[("event.action", "added-user-account"), success], Some((AccountCreate, Linux, 4))),
        (&[("event.action", "added-user-account"), failure], None),
        (
            &[("event.action", "log-cleared"), ("winlog.channel", "System")],
            Some((LogTampering, Windows, 5)),
        ),
        (
            &[
                ("event.action", "created-process"),
                ("event.category", "process"),
                ("winlog.channel", "Linux-Sysmon/Operational"),
            ],
            Some((ProcessExec, Linux, 1)),
        ),
        (
            &[
                ("event.action", "executed"),
                ("event.category", "process"),
                success,
                ("event.module", "auditd"),
            ],
            Some((ProcessExec, Linux, 1)),
        ),
        (
            &[
                ("event.action", "dns-blocked"),
                ("event.category", "network"),
                ("event.module", "pihole"),
            ],
            Some((DnsBlock, Pihole, 1)),
        ),
        (
            &[
                ("event.action", "blocked"),
                ("event.category", "network"),
                ("event.module", "pfsense"),
            ],
            Some((ConnectionBlocked, Firewall, 2)),
        ),
        (
            &[("event.action", "blocked"), ("event.category", "network"), ("event.module", "asa")],
            Some((ConnectionBlocked, Firewall, 2)),
        ),
        (&[("event.action", "blocked"), ("event.category", "process")], None),
        (
            &[
                ("event.action", "web_login"),
                ("event.category", "authentication"),
                ("event.module", "pfsense"),
                failure,
            ],
            Some((LoginFail, Firewall, 3)),
        ),
        (
            &[("event.action", "port-scan"), ("event.module", "scanlogd")],
            Some((PortScan, Linux, 4)),
        ),
        (
            &[("event.action", "alert"), ("event.module", "falco"), ("event.severity", "2")],
            Some((SystemAlert, Linux, 5)),
        ),
        (
            &[("event.action", "alert"), ("event.module", "falco"), ("event.severity", "5")],
            Some((SystemAlert, Linux, 2)),
        ),
        (&[("event.action", "status"), ("event.module", "falco"), ("event.severity", "6")], None),
        (
            &[
                ("event.action", "alert"),
                ("event.module", "suricata"),
                ("event.category", "intrusion_detection,network"),
                ("rule.category", "Detection of a Network Scan"),
                ("event.severity", "3"),
            ],
            Some((PortScan, Firewall, 3)),
        ),
        (
            &[
                ("event.action", "blocked"),
                ("event.module", "snort"),
                ("event.category", "intrusion_detection,network"),
                ("rule.category", "Web Application Attack"),
                ("event.severity", "1"),
            ],
            Some((WebAttack, Firewall, 5)),
        ),
        (&[("event.action", "found"), ("event.module", "fail2ban")], None),
        (
            &[("event.action", "banned"), ("event.module", "fail2ban")],
            Some((SystemAlert, Linux, 3)),
        ),
        (
            &[
                ("event.action", "updated"),
                ("event.module", "file_integrity"),
                ("event.category", "file,x"),
            ],
            Some((SystemAlert, Linux, 3)),
        ),
        (
            &[
                ("event.action", "updated"),
                ("event.module", "file_integrity"),
                ("tags", "package_manager,x"),
            ],
            None,
        ),
        (
            &[("event.action", "log-truncated"), ("event.module", "log_tamper")],
            Some((LogTampering, Linux, 5)),
        ),
        (&[("log.syslog.severity.code", "0")], Some((CriticalError, Linux, 5))),
        (&[("log.syslog.severity.code", "2"), ("event.action", "ssh_connection")], None),
        (&[("Level", "1"), ("winlog.channel", "System")], Some((CriticalError, Windows, 5))),
        (&[("Level", "1")], None),
        (&[("message", "nothing")], None),
    ] {
        assert_eq!(is(fields), expected, "{fields:?}");
    }
}

#[test]
fn marks_are_whole_or_made_anew() {
    let marked = [
        ("heimdall.event_type", "PORT_SCAN"),
        ("heimdall.os_type", "MACOS"),
        ("heimdall.severity", "2"),
    ];
    let mut whole = event(&marked);
    stamp(&mut whole);
    assert_eq!(whole, event(&marked));
    for torn in [0..1, 1..2, 2..3, 0..2] {
        let mut event = event(marked.get(torn).unwrap());
        stamp(&mut event);
        assert!(event.fields().is_empty(), "{event:?}");
    }
    for wrong in ["port_scan", "7"] {
        let mut event = event(&marked);
        event.set(Field::HeimdallEventType, wrong);
        event.push(Field::EventAction, "log-truncated");
        stamp(&mut event);
        assert_eq!(event.text(Field::HeimdallEventType), Some("LOG_TAMPERING"));
        assert_eq!(event.get(Field::HeimdallSeverity), Some(&Value::Int(5)));
    }
}

#[test]
fn only_marks_that_the_hub_made_are_taken_off() {
    let mut own = event(&[("event.action", "log-truncated")]);
    stamp(&mut own);
    unstamp(&mut own);
    assert_eq!(own.fields().len(), 1);
    let mut reported = event(&[("input.type", "heimdall"), ("event.action", "log-truncated")]);
    stamp(&mut reported);
    unstamp(&mut reported);
    assert_eq!(reported.text(Field::HeimdallEventType), Some("LOG_TAMPERING"));
}

#[test]
fn the_fields_of_each_kind_are_of_that_kind() {
    for kind in EventType::ALL {
        let ecs = kind.ecs();
        let words = |words: &[&'static str]| {
            Value::List(words.iter().map(|word| Value::from(*word)).collect())
        };
        let mut event = Event::new(Timestamp::default(), "");
        event.push(Field::EventModule, "heimdall");
        event.push(Field::EventCategory, words(ecs.category));
        event.push(Field::EventType, words(ecs.types));
        event.push(Field::EventAction, ecs.action);
        if let Some(outcome) = ecs.outcome {
            event.push(Field::EventOutcome, outcome);
        }
        let class = classify(&event).unwrap();
        assert_eq!((class.kind, class.severity), (*kind, kind.severity()), "{}", kind.name());
    }
}

proptest! {
    #[test]
    fn no_event_is_too_strange(
        fields in prop::collection::vec((prop::sample::select(Field::ALL), "[a-z_-]{0,12}"), 0..40),
    ) {
        let mut event = Event::new(Timestamp::default(), "");
        for (field, text) in fields {
            event.push(field, text);
        }
        stamp(&mut event);
        let stamped = event.text(Field::HeimdallEventType).and_then(EventType::from_name);
        prop_assert_eq!(stamped.is_some(), classify(&event).is_some());
    }
}
