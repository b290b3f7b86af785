use bergfried_event::{Event, Value};

use super::*;
use crate::syntax::{Item, parse};

fn read_condition(text: &str) -> Condition {
    let pipeline = parse(&format!("filter {{ if {text} {{ }} }}"), 0).unwrap();
    match pipeline.filters.into_iter().next() {
        Some(Item::Branch(mut branch)) => branch.arms.remove(0).condition,
        other => panic!("{other:?}"),
    }
}

fn searched(text: &str) -> Result<String, String> {
    let condition = read_condition(text);
    search(&condition, Place::default(), &Names::default(), &mut Told::default())
        .map(Search::into_text)
        .map_err(|error| error.message)
}

#[test]
fn conditions_become_searches() {
    for (condition, expected) in [
        (r#"[type] == "syslog""#, r#""type":syslog"#),
        (r#"[type] != "syslog""#, r#"NOT "type":syslog"#),
        (r#""syslog" in [tags]"#, "tags:syslog"),
        (r#""two words" not in [tags]"#, r#"NOT tags:"two words""#),
        ("[rsnapshot_event]", "rsnapshot_event:*"),
        ("![a][b]", "NOT a.b:*"),
        (r#"[message] =~ /^kernel: a\/b/"#, r"event.original:/(?m)^kernel:\x{20}a\x{2f}b/"),
        (r#"[message] =~ "(?i)error""#, "event.original:/(?i)error/"),
        (r#"[message] !~ /(?m)x.y/"#, "NOT event.original:/(?s)x.y/"),
        (r#""err/or" in [message]"#, r"event.original:/err\x{2f}or/"),
        (r#"[owner] == "Root""#, "owner:/^Root$/"),
        (r#"[status] == "200""#, "status:200"),
        ("[status] == 200", "status:[200 TO 200]"),
        ("[status] >= 400 and [status] < 500", "status:>=400 AND status:<500"),
        (r#"[a] in ["x", "Y", 3]"#, "a:/^x$/ OR a:/^Y$/ OR a:[3 TO 3]"),
        (r#"[a] not in ["x", "1"]"#, "NOT (a:/^x$/ OR a:1)"),
        ("([a] or [b]) and ![c]", "(a:* OR b:*) AND NOT c:*"),
        ("[a] and [b] or [c]", "a:* AND b:* OR c:*"),
        ("!([a] and [b])", "NOT (a:* AND b:*)"),
        ("[a] nand [b]", "NOT (a:* AND b:*)"),
        ("[a] xor ([b] or [c])", "a:* AND NOT (b:* OR c:*) OR NOT a:* AND (b:* OR c:*)"),
        (r#"[timestamp] == """#, r#""timestamp":"""#),
        (r#"[hosts] == "1""#, r#""hosts":1"#),
        ("[enabled] == true", "enabled:true"),
        (r#"[@metadata][kind] == "7""#, "@metadata.kind:7"),
    ] {
        assert_eq!(searched(condition).as_deref(), Ok(expected), "{condition}");
    }
}

#[test]
fn what_has_no_search_is_said() {
    for (condition, part) in [
        ("[a] == [b]", "another field"),
        (r#"[a] > "x""#, "by their order"),
        ("[a] =~ /(?<=x)y/", "not taken"),
        (r#""a" == "b""#, "has no search"),
        ("[a] in [b]", "another field"),
        (r#""a""#, "a value alone"),
    ] {
        let message = searched(condition).unwrap_err();
        assert!(message.contains(part), "{condition}: {message}");
    }
}

#[test]
fn searches_are_put_together() {
    let search = |text: &str| {
        let condition = read_condition(text);
        search(&condition, Place::default(), &Names::default(), &mut Told::default()).unwrap()
    };
    let inputs = ["a".to_owned(), "b c".to_owned()];
    let joined = Search::any_word("input.name", &inputs).and(search("[x] or [y]"));
    assert_eq!(joined.into_text(), r#"(input.name:a OR input.name:"b c") AND (x:* OR y:*)"#);
    assert_eq!(Search::any_word("input.name", &inputs[..1]).not().into_text(), "NOT input.name:a");
    assert_eq!(search("[x] and [y]").not().into_text(), "NOT (x:* AND y:*)");
}

#[test]
fn comparisons_hold_where_logstash_says_so() {
    let mut event = Event::new(Timestamp::from_seconds(0), "Say \"A/B\" <here> (twice) or so");
    for (name, value) in [("kind", "Web"), ("odd", r#"a "b" c\d/e (f) [g]"#), ("empty", "")] {
        event.set_named(FieldName::new(name), value);
    }
    event.set_named(FieldName::new("status"), Value::Int(404));
    event.set(Field::Tags, Value::List(vec!["one".into(), "two words".into()]));
    for (condition, expected) in [
        (r#"[kind] == "Web""#, true),
        (r#"[kind] == "web""#, false),
        (r#"[kind] == "We""#, false),
        (r#"[kind] != "web""#, true),
        (r#"[kind] in ["web", "Web"]"#, true),
        (r#"[odd] == 'a "b" c\d/e (f) [g]'"#, true),
        (r#"[odd] == 'a "b" c\d/e (f) [h]'"#, false),
        (r#""(f)" in [odd]"#, true),
        (r#"[empty] == """#, true),
        (r#"[absent] == """#, false),
        (r#"[absent] != "x""#, true),
        ("[status] == 404", true),
        ("[status] > 404", false),
        ("[status] >= 404 xor [absent]", true),
        (r#""two words" in [tags]"#, true),
        (r#""two" in [tags]"#, false),
        (r#"[message] =~ /"A\/B" <here> \(twice\)/"#, true),
        (r#"[message] =~ /^here/"#, false),
        (r#""say" in [message]"#, false),
        (r#""Say \"A" in [message]"#, false),
        (r#"'Say "A' in [message]"#, true),
        (r#"[message] =~ /[\h ]+$/"#, false),
        (r#"[message] =~ /o\Z/ and !([kind] == "x" or [empty] == "y")"#, true),
    ] {
        let search = searched(condition).unwrap();
        let predicate = search::parse(&search, Timestamp::from_seconds(0)).unwrap();
        assert_eq!(predicate.matches(&event), expected, "{condition} = {search}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_found_and_no_other(text in r#"([a-zA-Z0-9 /\\"'().*?:-]|é){0,20}"#, other in "[a-z ]{0,5}") {
        let mut event = Event::new(Timestamp::from_seconds(0), "");
        event.set_named(FieldName::new("value"), text.clone());
        for (value, expected) in [(text.clone(), true), (format!("{text}{other}"), other.is_empty())] {
            let search = equal("value", &OperandKind::Text(value)).text;
            let predicate = search::parse(&search, Timestamp::from_seconds(0))
                .map_err(|error| proptest::test_runner::TestCaseError::fail(error.render(&search)))?;
            proptest::prop_assert_eq!(predicate.matches(&event), expected, "{}", search);
        }
    }
}
