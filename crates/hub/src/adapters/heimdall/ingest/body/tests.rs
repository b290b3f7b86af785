//! What is taken for an event and what is said of what is none.

use super::*;

fn good() -> Value {
    json!({
        "event_id": "7b0c", "timestamp": "2026-03-01T12:00:00Z", "source_host": "web",
        "os_type": "LINUX", "event_type": "LOGIN_FAIL", "severity": 3, "source_ip": "N/A",
        "user": "system", "raw_message": "Failed password for bob",
    })
}

/// The good event with another value for a key; none removes it.
fn with(key: &str, value: Option<Value>) -> Value {
    let mut event = good();
    let map = event.as_object_mut().unwrap();
    match value {
        Some(value) => map.insert(key.to_owned(), value),
        None => map.remove(key),
    };
    event
}

fn read_one(event: &Value) -> Result<Document<'static>, Vec<Value>> {
    let body = json!({"events": [good(), event]}).to_string();
    match read(body.as_bytes()) {
        Ok(documents) => {
            assert_eq!(documents.len(), 2);
            let Document { id, raw } = documents.into_iter().next_back().unwrap();
            Ok(Document {
                id: id.map(|id| Cow::Owned(id.into_owned())),
                raw: Cow::Owned(raw.into_owned()),
            })
        }
        Err(Wrong::Mistakes(mistakes)) => Err(mistakes),
        Err(Wrong::TooMany) => panic!("{event}"),
    }
}

#[test]
fn what_is_documented_is_taken_as_it_came() {
    let body = format!("\u{feff}{{\"other\": [1], \"events\": [ {} ]}}\n", good());
    let documents = read(body.as_bytes()).unwrap();
    assert_eq!(documents[0].id.as_deref(), Some("7b0c"));
    assert!(matches!(documents[0].raw, Cow::Borrowed(_)));
    assert_eq!(*documents[0].raw, *good().to_string().as_bytes());
    assert_eq!(read(b"{\"events\": []}"), Ok(Vec::new()));
    // As it is stored, and so known after a start.
    for (said, id) in [(" 7b0c\n", Some("7b0c")), (" \t", None)] {
        assert_eq!(read_one(&with("event_id", Some(json!(said)))).unwrap().id.as_deref(), id);
        let mut loose = with("event_id", Some(json!(said)));
        loose["severity"] = json!("3");
        assert_eq!(read_one(&loose).unwrap().id.as_deref(), id);
    }
    for (key, value) in [
        ("event_id", None),
        ("event_id", Some(Value::Null)),
        ("event_id", Some(json!(""))),
        ("source_host", Some(json!(""))),
        ("timestamp", Some(json!("2026-03-01 12:00:00"))),
        ("more", Some(json!({"a": [1]}))),
        ("raw_message", Some(json!("\u{0}\u{1b}[31m \"äöü\" \\"))),
    ] {
        let event = with(key, value);
        let document = read_one(&event).unwrap();
        assert_eq!(*document.raw, *event.to_string().as_bytes(), "{key}");
        assert_eq!(document.id.is_none(), key == "event_id", "{key}");
    }
    for os in OsType::ALL {
        for kind in EventType::ALL {
            let mut event = with("os_type", Some(json!(os.name())));
            event["event_type"] = json!(kind.name());
            assert!(read_one(&event).is_ok(), "{event}");
        }
    }
}

#[test]
fn what_pydantic_coerces_is_coerced() {
    for (key, given, taken) in [
        ("severity", json!("3"), json!(3)),
        ("severity", json!(" 5 "), json!(5)),
        ("severity", json!(3.0), json!(3)),
        ("severity", json!("3.0"), json!(3)),
        ("severity", json!(true), json!(1)),
        ("timestamp", json!(1_772_366_400), json!("1772366400")),
        ("timestamp", json!(1_772_366_400.25), json!("1772366400.25")),
    ] {
        let document = read_one(&with(key, Some(given.clone()))).unwrap();
        let stored: Value = serde_json::from_slice(&document.raw).unwrap();
        assert_eq!(stored, with(key, Some(taken)), "{key} {given}");
    }
    // The last of equal keys counts.
    let twice = good().to_string().replacen('{', "{\"severity\":9,", 1);
    let body = format!("{{\"events\":[{twice}]}}");
    assert!(read(body.as_bytes()).is_ok());
}

#[test]
fn each_mistake_has_its_place_kind_and_words() {
    let os = "'WINDOWS', 'LINUX', 'PIHOLE', 'MACOS' or 'FIREWALL'";
    for (key, value, kind, message, context) in [
        ("timestamp", None, "missing", "Field required", Value::Null),
        ("source_host", None, "missing", "Field required", Value::Null),
        ("os_type", None, "missing", "Field required", Value::Null),
        ("event_type", None, "missing", "Field required", Value::Null),
        ("severity", None, "missing", "Field required", Value::Null),
        ("source_ip", None, "missing", "Field required", Value::Null),
        ("user", None, "missing", "Field required", Value::Null),
        ("raw_message", None, "missing", "Field required", Value::Null),
        ("user", Some(Value::Null), "string_type", "Input should be a valid string", Value::Null),
        ("user", Some(json!(7)), "string_type", "Input should be a valid string", Value::Null),
        ("raw_message", Some(json!(["a"])), "string_type", "Input should be a valid string", {
            Value::Null
        }),
        ("event_id", Some(json!(7)), "string_type", "Input should be a valid string", Value::Null),
        (
            "event_id",
            Some(json!("x".repeat(513))),
            "string_too_long",
            "String should have at most 512 characters",
            json!({"max_length": 512}),
        ),
        (
            "severity",
            Some(json!(0)),
            "greater_than_equal",
            "Input should be greater than or equal to 1",
            json!({"ge": 1}),
        ),
        (
            "severity",
            Some(json!(6)),
            "less_than_equal",
            "Input should be less than or equal to 5",
            json!({"le": 5}),
        ),
        (
            "severity",
            Some(json!(u64::MAX)),
            "less_than_equal",
            "Input should be less than or equal to 5",
            json!({"le": 5}),
        ),
        (
            "severity",
            Some(json!(3.5)),
            "int_from_float",
            "Input should be a valid integer, got a number with a fractional part",
            Value::Null,
        ),
        (
            "severity",
            Some(json!("high")),
            "int_parsing",
            "Input should be a valid integer, unable to parse string as an integer",
            Value::Null,
        ),
        ("severity", Some(Value::Null), "int_type", "Input should be a valid integer", Value::Null),
        ("severity", Some(json!([3])), "int_type", "Input should be a valid integer", Value::Null),
        (
            "os_type",
            Some(json!("linux")),
            "enum",
            &format!("Input should be {os}"),
            json!({"expected": os}),
        ),
        (
            "timestamp",
            Some(json!("yesterday")),
            "datetime_parsing",
            "Input should be a valid datetime in ISO 8601 such as 2026-01-31T12:00:00Z",
            Value::Null,
        ),
        ("timestamp", Some(json!({})), "datetime_type", "Input should be a valid datetime", {
            Value::Null
        }),
    ] {
        let event = with(key, value.clone());
        let mistakes = read_one(&event).unwrap_err();
        let [mistake] = &mistakes[..] else { panic!("{key}: {mistakes:?}") };
        assert_eq!(mistake["type"], kind, "{key}");
        assert_eq!(mistake["loc"], json!(["body", "events", 1, key]));
        assert_eq!(mistake["msg"], message, "{key}");
        assert_eq!(mistake["input"], value.unwrap_or(event), "{key}");
        assert_eq!(mistake["ctx"], context, "{key}");
    }
    let kinds = read_one(&with("event_type", Some(json!("ODD")))).unwrap_err();
    let expected = kinds[0]["ctx"]["expected"].as_str().unwrap();
    assert!(expected.starts_with("'LOGIN_FAIL', ") && expected.ends_with(" or 'SYSTEM_ALERT'"));
    let all = read_one(&json!({"event_id": 1})).unwrap_err();
    assert_eq!(all.len(), 9);
    assert_eq!(read_one(&json!("text")).unwrap_err()[0]["type"], "model_attributes_type");
}

#[test]
fn a_body_that_is_no_list_of_events_says_what_it_is() {
    for (body, kind, place) in [
        ("", "missing", json!(["body"])),
        (" \n", "missing", json!(["body"])),
        ("{\"events\":", "json_invalid", json!(["body", 9])),
        ("nonsense", "json_invalid", json!(["body", 1])),
        ("[1]", "model_attributes_type", json!(["body"])),
        ("null", "model_attributes_type", json!(["body"])),
        ("\"events\"", "model_attributes_type", json!(["body"])),
        ("{}", "missing", json!(["body", "events"])),
        ("{\"Events\": []}", "missing", json!(["body", "events"])),
        ("{\"events\": null}", "list_type", json!(["body", "events"])),
        ("{\"events\": {}}", "list_type", json!(["body", "events"])),
        ("{\"events\": \"x\"}", "list_type", json!(["body", "events"])),
    ] {
        let Err(Wrong::Mistakes(mistakes)) = read(body.as_bytes()) else { panic!("{body}") };
        assert_eq!((&mistakes[0]["type"], &mistakes[0]["loc"]), (&json!(kind), &place), "{body}");
        assert_eq!(mistakes.len(), 1);
    }
}

#[test]
fn what_is_hostile_is_bounded() {
    let list = |items: String| format!("{{\"events\":[{items}]}}");
    let many = list("1,".repeat(1_000_000) + "1");
    assert_eq!(read(many.as_bytes()), Err(Wrong::TooMany));
    let wrong = list("1,".repeat(40_000) + "1");
    let Err(Wrong::Mistakes(mistakes)) = read(wrong.as_bytes()) else { panic!() };
    assert_eq!(mistakes.len(), MAX_MISTAKES);
    let deep = list(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)));
    let Err(Wrong::Mistakes(mistakes)) = read(deep.as_bytes()) else { panic!() };
    assert_eq!(mistakes[0]["type"], "json_invalid");
    let inside = good().to_string().replacen(
        '{',
        &format!("{{\"deep\":{}{},", "[".repeat(500), "]".repeat(500)),
        1,
    );
    assert!(matches!(read(list(inside).as_bytes()), Err(Wrong::Mistakes(_))));
    let long = with("raw_message", Some(json!("x".repeat(MAX_RAW))));
    assert_eq!(read_one(&long).unwrap_err()[0]["type"], "too_long");
    let shown = read_one(&with("user", Some(json!(["ä".repeat(100_000)])))).unwrap_err();
    assert!(shown[0]["input"].as_str().unwrap().len() <= MAX_SHOWN + 3);
    for body in [
        format!("{{\"events\":\"{}\"}}", "y".repeat(1 << 20)),
        format!("[\"{}\"]", "y".repeat(1 << 20)),
    ] {
        let Err(Wrong::Mistakes(mistakes)) = read(body.as_bytes()) else { panic!() };
        assert!(mistakes[0].to_string().len() < 2 * MAX_SHOWN);
    }
}
