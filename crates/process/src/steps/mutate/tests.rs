use bergfried_event::{Event, FieldName, Timestamp, Value};

use crate::steps::tests::run;

#[test]
fn fields_change_in_logstashs_order() {
    for (step, before, after) in [
        ("mutate.rename = { a = 'b' }", r#"{"a":1,"b":2}"#, r#"{"b":1}"#),
        ("mutate.rename = { src = 'source.port' }", r#"{"src":1}"#, r#"{"source.address":1}"#),
        ("mutate.replace = { a = '%{b}!' }", r#"{"b":2}"#, r#"{"b":2,"a":"2!"}"#),
        ("mutate.update = { a = 'x' }", r#"{"b":2}"#, r#"{"b":2}"#),
        ("mutate.update = { b = 'x' }", r#"{"b":2}"#, r#"{"b":"x"}"#),
        ("mutate.coerce = { b = 'x' }", r#"{"b":null}"#, r#"{"b":"x"}"#),
        ("mutate.convert = { a = 'integer' }", r#"{"a":["1","2.9",true]}"#, r#"{"a":[1,2,1]}"#),
        ("mutate.convert = { a = 'float_eu' }", r#"{"a":"1.234,5"}"#, r#"{"a":1234.5}"#),
        ("mutate.convert = { a = 'boolean' }", r#"{"a":"yes"}"#, r#"{"a":true}"#),
        ("mutate.convert = { a = 'string' }", r#"{"a":7}"#, r#"{"a":"7"}"#),
        (
            "mutate.convert = { a = 'integer' }",
            r#"{"a":"x"}"#,
            r#"{"a":"x","tags":["_mutate_error"]}"#,
        ),
        (r"mutate.gsub = [['a', '(\d)\.', '\1,$']]", r#"{"a":"1.2.x"}"#, r#"{"a":"1,$2,$x"}"#),
        ("mutate.uppercase = 'a'", r#"{"a":"straße"}"#, r#"{"a":"STRASSE"}"#),
        ("mutate.capitalize = 'a'", r#"{"a":"heLLO"}"#, r#"{"a":"Hello"}"#),
        (
            "mutate.lowercase = ['a', 'b']",
            r#"{"a":"A","b":["B","C"]}"#,
            r#"{"a":"a","b":["b","c"]}"#,
        ),
        ("mutate.strip = 'a'", r#"{"a":"  x "}"#, r#"{"a":"x"}"#),
        ("mutate.remove = 'a'", r#"{"a":1,"a.b":2,"ab":3}"#, r#"{"ab":3}"#),
        ("mutate.split = { a = ',' }", r#"{"a":"1,2,"}"#, r#"{"a":["1","2",""]}"#),
        ("mutate.join = { a = '-' }", r#"{"a":["1",2]}"#, r#"{"a":"1-2"}"#),
        ("mutate.merge = { a = 'b' }", r#"{"a":1,"b":[2,3]}"#, r#"{"a":[1,2,3],"b":[2,3]}"#),
        ("mutate.copy = { a = 'b' }", r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        (
            "mutate = { copy = { a = 'c' }, lowercase = 'b', rename = { a = 'b' } }",
            r#"{"a":"X"}"#,
            r#"{"b":"x"}"#,
        ),
    ] {
        assert_eq!(run(step, before), after.replace("source.address", "source.port"), "{step}");
    }
}

#[test]
fn a_replacement_of_each_byte_stays_bounded() {
    let step = format!("mutate.gsub = [['message', 'a', '{}']]", "b".repeat(1_000));
    let mut event = Event::new(Timestamp::from_seconds(0), "");
    event.set_named(FieldName::new("message"), "a".repeat(100_000));
    let event = crate::steps::tests::run_event(&step, event);
    let Some(Value::Text(text)) = event.get_named(&FieldName::new("message")) else { panic!() };
    assert!(text.len() <= crate::scene::MAX_TEXT, "{}", text.len());
}
