//! How a rule says what its alerts look like: `bergfried: alert`.

use std::sync::Arc;

use bergfried_event::{AlertShape, Event, Field, FieldName, Finding, Timestamp};
use bergfried_rules::{Engine, Limits, RuleSet, Source};

const GOOD: &str = "title: good\nid: r1\nlogsource: {service: sshd}\ndetection:\n  sel:\n    user.name: root\n    own.field: x\n  condition: sel\n";
const MANY: &str = "---\ntitle: many\ncorrelation:\n  type: event_count\n  rules: r1\n  group-by: [source.ip]\n  timespan: 1h\n  condition: {gte: 2}\n";

fn load(text: &str) -> (RuleSet, Vec<String>) {
    let (rules, diagnostics) =
        RuleSet::load([Source { file: "r.yml".to_owned(), text: text.to_owned() }]);
    (rules, diagnostics.iter().map(ToString::to_string).collect())
}

/// What the rules state over events of these users and processes.
fn shapes(text: &str, commands: &[Option<&'static str>]) -> Vec<(Finding, Option<AlertShape>)> {
    let (rules, said) = load(text);
    assert_eq!(said, Vec::<String>::new());
    let mut engine = Engine::new(Arc::new(rules), Limits::default());
    let mut findings = Vec::new();
    for (number, command) in commands.iter().enumerate() {
        let mut event = Event::new(Timestamp::from_seconds(number as i64), "line");
        event.set(Field::EventProvider, "sshd");
        event.set(Field::ProcessName, "sshd");
        event.set(Field::HostName, "web1");
        event.set(Field::UserName, "root");
        event.set(Field::SourceIp, "203.0.113.5");
        event.set_named(FieldName::new("own.field"), "x");
        if let Some(command) = command {
            event.set(Field::ProcessCommandLine, *command);
        }
        engine.observe(&event, number as u64 + 1, &mut findings);
    }
    engine.flush(&mut findings);
    let shaped = |mut finding: Finding| {
        let shape = finding.alert.take().map(|shape| *shape);
        (finding, shape)
    };
    findings.into_iter().map(shaped).collect()
}

#[test]
fn templates_take_the_fields_of_the_event() {
    let own = "bergfried:\n  alert:\n    resource: '{source.ip}'\n    event: Ran\n    environment: Lab\n    severity: major\n    service: [SSH, '{program}']\n    group: '{own.field}'\n    correlate: Done\n    value: '{count}'\n    text: '{{{rule.name}}} {user.name} ran {process.command_line} on {host}'\n    tags: ['user:{user}', 'x:{process.parent.name}']\n    attributes: {command: '{process.command_line}', number: 5}\n    timeout: 12h\n";
    let found = shapes(&format!("{GOOD}{own}"), &[Some("{count} {user.name}"), None]);
    let text = |text: &str| Some(text.to_owned());
    let expected = AlertShape {
        resource: text("203.0.113.5"),
        event: text("Ran"),
        environment: text("Lab"),
        severity: text("major"),
        service: vec!["SSH".to_owned(), "sshd".to_owned()],
        group: text("x"),
        correlate: vec!["Done".to_owned()],
        value: text("1"),
        // What is filled in is no template.
        text: text("{good} root ran {count} {user.name} on web1"),
        // What has no value is left out.
        tags: vec!["user:root".to_owned()],
        attributes: vec![
            ("command".to_owned(), "{count} {user.name}".to_owned()),
            ("number".to_owned(), "5".to_owned()),
        ],
        timeout: Some(43_200),
    };
    assert_eq!(found[0].1.as_ref(), Some(&expected));
    let without = found[1].1.as_ref().unwrap();
    assert_eq!(without.text, text("{good} root ran - on web1"), "but a sentence goes on");
    assert_eq!(without.attributes.len(), 1);
    let json = serde_json::to_string(&expected).unwrap();
    assert_eq!(serde_json::from_str::<AlertShape>(&json).unwrap(), expected);
}

#[test]
fn correlations_fill_in_what_they_group_by() {
    let own = "bergfried:\n  alert:\n    text: '{count} by {source.ip}, {user.name}, {program}'\n    timeout: 0\n";
    let found = shapes(&format!("{GOOD}{MANY}{own}"), &[None, None]);
    let [(finding, Some(shape))] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.rule_name, "many");
    assert_eq!(shape.text.as_deref(), Some("2 by 203.0.113.5, root, sshd"));
    assert_eq!(shape.timeout, Some(0));
}

#[test]
fn a_rule_without_it_says_nothing() {
    assert!(shapes(GOOD, &[None]).iter().all(|(_, shape)| shape.is_none()));
}

#[test]
fn a_severity_may_be_the_word_of_another_system() {
    for word in ["crit", "err", "information", "medium", "cleared"] {
        let (rules, said) = load(&format!("{GOOD}bergfried:\n  alert: {{severity: {word}}}\n"));
        assert_eq!((rules.len(), said.as_slice()), (1, [].as_slice()), "{word}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (rule, alert, expected) in [
        (GOOD, "{txt: a}", "r.yml:10:3: unknown key `txt`, expected resource, event"),
        (GOOD, "{txt: a}", "did you mean `text`?"),
        (GOOD, "{text: '{usr.name}'}", "unknown placeholder `usr.name`"),
        (GOOD, "{text: '{usr.name}'}", "did you mean `user.name`?"),
        (GOOD, "{text: 'a { b'}", "a brace has no other side"),
        (GOOD, "{text: 'a } b'}", "a brace has no other side"),
        (GOOD, "{text: ''}", "`text` must not be empty"),
        (GOOD, "{text: [a]}", "`text` must be a text"),
        (GOOD, "{severity: bad}", "unknown severity `bad`, expected security"),
        (GOOD, "{timeout: soon}", "`soon` is no time span"),
        (GOOD, "{timeout: -1}", "`timeout` must be a time span"),
        (GOOD, "{attributes: {a.b: c}}", "none `.` or `$`"),
        (GOOD, "{attributes: {a: [c]}}", "the attribute `a` must be a text"),
        (GOOD, "{tags: {a: b}}", "`tags` must be a text or a list"),
        (GOOD, "text", "`alert` must be a mapping"),
        (MANY, "{text: '{process.command_line}'}", "unknown placeholder `process.command_line`"),
    ] {
        let text = match rule == MANY {
            true => format!("{GOOD}{MANY}bergfried:\n  alert: {alert}\n"),
            false => format!("{GOOD}bergfried:\n  alert: {alert}\n"),
        };
        let (_, said) = load(&text);
        let [only] = &said[..] else { panic!("{alert}: {said:?}") };
        assert!(only.contains(expected), "{only}");
        assert!(only.starts_with("r.yml:"), "{only}");
    }
    let (rules, said) = load(&format!("{GOOD}bergfried:\n  alerts: {{text: a}}\n"));
    assert_eq!(rules.len(), 0);
    assert!(said[0].contains("r.yml:10:3: unknown key `alerts`"), "{said:?}");
    assert!(said[0].contains("did you mean `alert`?"), "{said:?}");
}
