use std::collections::BTreeMap;

use bergfried_event::{Finding, Severity};
use proptest::prelude::*;

use super::*;
use crate::{Alert, Settings, of_finding, receive};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn finding() -> Finding {
    let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    Finding {
        rule_id: "r-1".to_owned(),
        rule_name: "Sudo by a service".to_owned(),
        severity: Severity::High,
        host: Some("web1".to_owned()),
        user: Some("backup".to_owned()),
        source: None,
        program: Some("sudo".to_owned()),
        count: 3,
        first_seen: NOW,
        last_seen: NOW,
        techniques: vec!["T1548.003".to_owned()],
        tags: vec!["attack.t1548.003".to_owned()],
        falsepositives: Vec::new(),
        group: vec![pair("source.port", "22")],
        matched: vec![
            pair("process.command_line", "/usr/bin/rsync -a \"/var\" (all) \\ dst/"),
            pair("process.parent.name", "cron"),
            pair("process.parent.name", "bash"),
            pair("user.name", "root"),
            pair("rule.id", "another"),
        ],
        example: "sudo: backup : secret words".to_owned(),
        event_ids: Vec::new(),
        alert: None,
    }
}

fn alert_of(finding: &Finding) -> Alert {
    let settings = Settings::default();
    let incoming = of_finding(&settings, finding, "a".to_owned(), NOW);
    receive(&settings, None, incoming, NOW).0
}

fn scope(rules: &[&str], when: &str) -> Result<Scope, InvalidException> {
    Scope::new(rules.iter().map(|rule| (*rule).to_owned()).collect(), when, NOW)
}

#[test]
fn findings_are_asked_about_by_their_fields() {
    for (rules, when, expected) in [
        (&["r-1"][..], "", true),
        (&["r-2"], "", false),
        (&["r-2", "r-1"], "", true),
        (&[], "user:backup", true),
        (&[], "user.name:BACKUP host.name:web*", true),
        (&[], "user.name:root", false),
        (&[], "user.name:backup -host.name:web1", false),
        (&[], "NOT source.ip:10.0.0.1", true),
        (&[], "_exists_:source.ip", false),
        (&[], "rule.id:r-1", true),
        (&[], "rule.id:another", false),
        (&[], "rule.name:\"sudo by a service\" severity:high", true),
        (&[], "technique:T1548* tags:attack.t1548.003", true),
        (&[], "source.port:>21", true),
        (&[], "process.parent.name:bash", true),
        (&[], "process.parent.name:(cron bash)", true),
        (&[], "process.parent.name:zsh", false),
        (&[], "process.command_line:/rsync/", true),
        (&[], "@timestamp:>now-1h", true),
        (&[], "@timestamp:>now", false),
    ] {
        assert_eq!(scope(rules, when).unwrap().covers(&finding()), expected, "{rules:?} {when}");
    }
}

#[test]
fn only_an_exception_that_names_the_rule_covers_tampering() {
    let tags = vec!["attack.t1070".to_owned(), TAMPER.to_owned()];
    let tampering = Finding { tags, ..finding() };
    for (rules, when, expected) in [
        (vec![], "user:backup", false),
        (vec!["r-1"], "user:backup", true),
        (vec!["r-2"], "", false),
    ] {
        let scope = scope(&rules, when).unwrap();
        assert_eq!(scope.covers(&tampering), expected, "{rules:?} {when}");
        assert_eq!(scope.covers_seen(&tampering, &fields::of_finding(&tampering)), expected);
    }
    assert!(scope(&[], "user:backup").unwrap().covers(&finding()));
}

#[test]
fn what_would_cover_too_much_or_means_nothing_is_refused() {
    let long = "x".repeat(MAX_CONDITION + 1);
    for (rules, when, complaint) in [
        (&[][..], " ", "would cover every finding"),
        (&[""], "", "the id of a rule is empty"),
        (&["r"; MAX_RULES + 1], "", "at most 64 rules"),
        (&[], &long, "at most 4096 bytes"),
        (&[], "user.name:", "cannot read the condition"),
        (&[], "user.nme:x", "did you mean"),
        (&["r-1"], "secret words", "the text of lines"),
        (&["r-1"], "user.name:x OR NOT message:y", "the text of lines"),
        (&["r-1"], "event.original:x", "the text of lines"),
    ] {
        let error = scope(rules, when).unwrap_err().to_string();
        assert!(error.contains(complaint), "{rules:?} {when}: {error}");
    }
}

#[test]
fn an_exception_has_an_owner_a_reason_and_an_end() {
    let day = |days: i64| NOW.plus_micros(days * Timestamp::DAY);
    for (owner, reason, expires, complaint) in [
        ("eve", "known job", day(30), None),
        ("eve", "known job", day(1_098), None),
        (" ", "known job", day(30), Some("needs an owner")),
        ("eve", "\n", day(30), Some("needs a reason")),
        ("eve", &"x".repeat(MAX_REASON + 1), day(30), Some("needs a reason")),
        ("eve", "known job", NOW, Some("in the future")),
        ("eve", "known job", day(1_099), Some("within three years")),
    ] {
        let scope = scope(&["r-1"], "user:backup").unwrap();
        let made = Exception::new("e".to_owned(), scope, owner, reason, expires, NOW);
        match complaint {
            None => assert!(made.unwrap().is_live(day(29))),
            Some(complaint) => assert!(made.unwrap_err().to_string().contains(complaint)),
        }
    }
}

#[test]
fn what_is_stored_means_what_it_meant() {
    let scope = scope(&["r-1"], "@timestamp:>now-1h user:backup").unwrap();
    let expires = NOW.plus_micros(Timestamp::DAY);
    let mut exception =
        Exception::new("e".to_owned(), scope, "eve", "known", expires, NOW).unwrap();
    exception.hit(NOW);
    exception.hit(NOW.plus_micros(-1));
    assert_eq!((exception.hits, exception.last_hit), (2, Some(NOW)));
    assert!(exception.is_live(expires.plus_micros(-1)) && !exception.is_live(expires));
    let stored = serde_json::to_string(&exception).unwrap();
    assert_eq!(serde_json::from_str::<Exception>(&stored).unwrap(), exception);
    let broken = stored.replace("user:backup", "user:(");
    assert!(serde_json::from_str::<Exception>(&broken).is_err());
}

#[test]
fn an_alert_proposes_its_rule_and_fields() {
    let alert = alert_of(&finding());
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    for (fields, expected) in [
        (&[][..], r#"user.name:"backup" host.name:"web1""#),
        (&["host"], r#"host.name:"web1""#),
        (&["process.parent.name"], r#""process.parent.name":"cron""#),
    ] {
        let proposed = propose(&alert, &names(fields), NOW).unwrap();
        // Whether a field is one of the well-known ones is not what this is about.
        assert_eq!(proposed.when().replace('"', ""), expected.replace('"', ""));
        assert_eq!(proposed.rules(), ["r-1"]);
        assert!(proposed.covers(&finding()));
    }
    let command = propose(&alert, &names(&["process.command_line"]), NOW).unwrap();
    assert!(command.covers(&finding()));
    let mut longer = finding();
    longer.matched[0].1.push_str("; rm -rf /");
    assert!(!command.covers(&longer), "{command}");

    for (fields, complaint) in
        [(&["source.ip"][..], "no `source.ip`, they have: "), (&["message"], "no `message`")]
    {
        let error = propose(&alert, &names(fields), NOW).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
    let mut from_outside = alert.clone();
    from_outside.evidence = None;
    assert_eq!(propose(&from_outside, &[], NOW), Err(NotProposed::NoFinding));
    let anonymous = Finding { host: None, user: None, matched: Vec::new(), ..finding() };
    let error = propose(&alert_of(&anonymous), &[], NOW).unwrap_err();
    assert!(matches!(error, NotProposed::NothingUsual { .. }), "{error}");
    let long = Finding { user: Some("x".repeat(256)), ..finding() };
    let error = propose(&alert_of(&long), &[], NOW).unwrap_err();
    assert_eq!(error, NotProposed::Cut { field: "user.name".to_owned() });
}

proptest! {
    /// Whatever an attacker calls himself or his fields: the exception is about just that.
    #[test]
    fn a_proposed_exception_covers_its_finding_and_no_other(
        user in ".{1,40}",
        other in ".{1,40}",
        field in "[a-z\"\\\\: .*]{1,12}",
        command in ".{1,40}",
    ) {
        let mut mine = finding();
        mine.user = Some(user.clone());
        mine.group = vec![(format!("x.{field}"), user.clone())];
        mine.matched = vec![("process.command_line".to_owned(), command.clone())];
        let fields: Vec<String> =
            ["user.name", &format!("x.{field}"), "process.command_line"].map(str::to_owned).to_vec();
        let scope = propose(&alert_of(&mine), &fields, NOW).unwrap();
        prop_assert!(scope.covers(&mine), "{scope}");
        let theirs = Finding { user: Some(other.clone()), ..mine.clone() };
        let same = bergfried_query::fold(&user) == bergfried_query::fold(&other);
        prop_assert_eq!(scope.covers(&theirs), same, "{}", scope);
        let mut theirs = mine.clone();
        theirs.matched[0].1 = format!("{command}{other}");
        prop_assert!(!scope.covers(&theirs), "{}", scope);
    }

    /// Any scope over any finding: both ways of asking agree.
    #[test]
    fn seen_or_not_the_answer_is_the_same(
        values in proptest::collection::btree_map("[a-c]", "[x-z]{1,2}", 0..4),
        asked in "[a-c]",
        value in "[x-z]{1,2}",
        rule in "r-[12]",
    ) {
        let values: BTreeMap<String, String> = values;
        let mut finding = finding();
        finding.matched =
            values.iter().map(|(name, value)| (format!("f.{name}"), value.clone())).collect();
        let scope = scope(&[&rule], &format!("\"f.{asked}\":\"{value}\"")).unwrap();
        let expected = rule == "r-1" && values.get(&asked) == Some(&value);
        prop_assert_eq!(scope.covers(&finding), expected);
        let seen = fields::of_finding(&finding);
        prop_assert_eq!(scope.covers_seen(&finding, &seen), expected);
    }
}
