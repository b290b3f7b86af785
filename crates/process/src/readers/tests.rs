//! What readers find in texts, and what hostile ones cannot make them do.

use proptest::prelude::*;

use super::csv::Columns;
use super::dissect::{Dissect, DissectError};
use super::kv::{KeyValue, Transform, Whitespace};
use super::{MAX_NAME, MAX_PAIRS, Pairs, cef, logfmt};

/// Names and values as a table writes them.
type Written<'w> = &'w [(&'w str, &'w str)];

fn pairs_of(pairs: &Pairs<'_>) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn owned(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn kv(reader: &KeyValue, text: &str) -> Vec<(String, String)> {
    let mut pairs = Pairs::new();
    reader.read(text, &mut pairs);
    pairs_of(&pairs)
}

#[test]
fn reads_pairs() {
    let plain = KeyValue::default();
    let lenient = KeyValue { whitespace: Whitespace::Lenient, ..KeyValue::default() };
    let empty = KeyValue { allow_empty_values: true, ..KeyValue::default() };
    let query = KeyValue { field_split: "&?".to_owned(), ..KeyValue::default() };
    let colon = KeyValue {
        field_split: ",".to_owned(),
        value_split: ":".to_owned(),
        trim_key: " ".to_owned(),
        trim_value: " <>".to_owned(),
        ..KeyValue::default()
    };
    let bare = KeyValue { include_brackets: false, ..KeyValue::default() };
    let upper = KeyValue {
        transform_key: Some(Transform::Lowercase),
        transform_value: Some(Transform::Capitalize),
        remove_char_value: "-".to_owned(),
        prefix: "fw_".to_owned(),
        ..KeyValue::default()
    };
    let once = KeyValue { allow_duplicate_values: false, ..KeyValue::default() };
    let some = KeyValue { include_keys: vec!["a".to_owned()], ..KeyValue::default() };
    let others = KeyValue { exclude_keys: vec!["a".to_owned()], ..KeyValue::default() };
    let table: &[(&KeyValue, &str, Written<'_>)] = &[
        (&plain, "ip=1.2.3.4 error=REFUSED", &[("ip", "1.2.3.4"), ("error", "REFUSED")]),
        (&plain, "said a=b and c=d.", &[("a", "b"), ("c", "d.")]),
        (&plain, "IN=eth0 OUT= MAC=aa:bb SPT=1", &[("IN", "eth0"), ("MAC", "aa:bb"), ("SPT", "1")]),
        (&empty, "IN= OUT=x", &[("IN", ""), ("OUT", "x")]),
        (&lenient, "a = 1 b =2 c= 3 d", &[("a", "1"), ("b", "2"), ("c", "3")]),
        (
            &plain,
            r#"a="x y" b='z "' c=(1 2) d=[3 4] e=<5 6>"#,
            &[("a", "x y"), ("b", "z \""), ("c", "1 2"), ("d", "3 4"), ("e", "5 6")],
        ),
        (&plain, r#""a b"=1 c="open d=2"#, &[("a b", "1"), ("c", "\"open"), ("d", "2")]),
        (&plain, r"a=x\ y b=2", &[("a", "x\\ y"), ("b", "2")]),
        (&bare, "a=(1 b=2)", &[("a", "(1"), ("b", "2)")]),
        (&query, "?q=x&r=y=z&&s", &[("q", "x"), ("r", "y=z")]),
        (&colon, "name: <x>, age: 3", &[("name", "x"), ("age", "3")]),
        (&upper, "ACT=DE-NY", &[("fw_act", "Deny")]),
        (&once, "a=1 a=1 a=2", &[("a", "1"), ("a", "2")]),
        (&some, "a=1 b=2", &[("a", "1")]),
        (&others, "a=1 b=2", &[("b", "2")]),
        (&plain, "= =x a==b \"\"", &[("a", "=b")]),
        (&plain, "", &[]),
    ];
    for (reader, text, expected) in table {
        assert_eq!(kv(reader, text), owned(expected), "{text}");
    }
}

#[test]
fn reads_logfmt() {
    for (text, expected) in [
        (
            r#"level=info msg="it \"works\"" took=3ms"#,
            &[("level", "info"), ("msg", "it \"works\""), ("took", "3ms")][..],
        ),
        (r#"a="\u00e4\ud83d\ude00\n\x\ud800" b"#, &[("a", "ä😀\n\\x\\ud800"), ("b", "true")]),
        ("a= b=\"open c=d", &[("a", ""), ("b", "\"open"), ("c", "d")]),
        ("=x \"quoted words\" y", &[("quoted", "true"), ("words", "true"), ("y", "true")]),
        ("", &[]),
    ] {
        let mut pairs = Pairs::new();
        logfmt::read(text, &mut pairs);
        assert_eq!(pairs_of(&pairs), owned(expected), "{text}");
    }
}

#[test]
fn reads_columns() {
    let named = Columns {
        names: vec!["a".to_owned(), String::new(), "c".to_owned()],
        ..Columns::default()
    };
    let tabs = Columns { separator: b'\t', quote: None, ..Columns::default() };
    let exact = Columns { autogenerate: false, skip_empty: true, ..named.clone() };
    let header = Columns {
        skip_header: true,
        names: vec!["x".to_owned(), "y".to_owned()],
        ..Columns::default()
    };
    let table: &[(&Columns, &str, bool, Written<'_>)] = &[
        (&named, "1,2,\"3,\"\"x\"\"\",4", true, &[("a", "1"), ("c", "3,\"x\""), ("column4", "4")]),
        (&named, "1", true, &[("a", "1")]),
        (&named, "\"open,1", true, &[("a", "open,1")]),
        (&tabs, "a\t\"b", true, &[("column1", "a"), ("column2", "\"b")]),
        (&exact, ",2,3,4", true, &[("c", "3")]),
        (&header, "x,y", true, &[]),
        (&header, "x,z", true, &[("x", "x"), ("y", "z")]),
        (&named, "", false, &[]),
        (&named, "ä,ö,ü\nnext,line,here", true, &[("a", "ä"), ("c", "ü")]),
    ];
    for (reader, text, read, expected) in table {
        let mut pairs = Pairs::new();
        assert_eq!(reader.read(text, &mut pairs), *read, "{text}");
        assert_eq!(pairs_of(&pairs), owned(expected), "{text}");
    }
}

#[test]
fn reads_cef() {
    let line = r"Sep 19 08:26:10 host CEF:0|Security\|Co|threat=manager|1.0|100|a \\ b|10|src=10.0.0.1 act=blocked a | dst=2.1.2.2 cs1Label=Policy Name cs1=web \= all cs2=x request=http://x/?a=b&c=d msg=two\nlines deviceX=é";
    let mut pairs = Pairs::new();
    assert!(cef::read(line, &mut pairs));
    let expected = [
        ("cef.version", "0"),
        ("cef.device.vendor", "Security|Co"),
        ("cef.device.product", "threat=manager"),
        ("cef.device.version", "1.0"),
        ("cef.device.event_class_id", "100"),
        ("cef.name", "a \\ b"),
        ("cef.severity", "10"),
        ("source.ip", "10.0.0.1"),
        ("event.action", "blocked a |"),
        ("destination.ip", "2.1.2.2"),
        ("cef.extensions.policy_name", "web = all"),
        ("cef.extensions.cs2", "x"),
        ("url.original", "http://x/?a=b&c=d"),
        ("message", "two\nlines"),
        ("cef.extensions.deviceX", "é"),
    ];
    assert_eq!(pairs_of(&pairs), owned(&expected));

    for (text, is_cef, count) in [
        ("CEF:0|a|b|c|d|e|5", true, 7),
        ("CEF:0|a|b|c|d|e|5|", true, 7),
        ("CEF:1|a|b|c|d|e|5|x", true, 7),
        ("CEF:0|a|b|c|d|e", false, 0),
        ("CEF:x|a|b|c|d|e|5|", false, 0),
        ("NOCEF:0|a|b|c|d|e|5|", false, 0),
        ("<13>CEF: no, but CEF:0|a|b|c|d|e|5|=x y=z", true, 8),
        ("", false, 0),
    ] {
        let mut pairs = Pairs::new();
        assert_eq!(cef::read(text, &mut pairs), is_cef, "{text}");
        assert_eq!(pairs.len(), count, "{text}: {pairs:?}");
    }
}

#[test]
fn cuts_texts() {
    let table: &[(&str, &str, Option<Written<'_>>)] = &[
        ("%{a} %{b}", "1 2 3", Some(&[("a", "1"), ("b", "2 3")])),
        ("<%{a}>%{b};", "<1>2;3", Some(&[("a", "1"), ("b", "2")])),
        ("%{ts} %{+ts} %{+ts} %{h}", "Nov 1 10:00 x", Some(&[("ts", "Nov 1 10:00"), ("h", "x")])),
        ("%{+a/1} %{+a/2} %{+a/4} %{+a/3}", "1 2 3 go", Some(&[("a", "1 2 go 3")])),
        ("%{a->} %{b}", "1    2", Some(&[("a", "1"), ("b", "2")])),
        ("%{a} %{b}", "1    2", Some(&[("a", "1"), ("b", "   2")])),
        ("%{?k}=%{&k};%{}", "x=1;rest", Some(&[("x", "1")])),
        ("%{*k}=%{&k}", "x=1", Some(&[("x", "1")])),
        ("%{*k}=%{&k}", "=1", Some(&[])),
        ("%{[a][b]}:%{?}:%{c}", "1:2:3", Some(&[("a.b", "1"), ("c", "3")])),
        ("[%{a}]", "(1)", None),
        ("%{a},%{b}", "1", None),
        ("%{a},%{b}", ",", Some(&[("a", ""), ("b", "")])),
        ("ä%{a}ö", "äüö", Some(&[("a", "ü")])),
    ];
    for (mapping, text, expected) in table {
        let dissect = Dissect::new(mapping).unwrap();
        let mut pairs = Pairs::new();
        let read = dissect.read(text, &mut pairs);
        assert_eq!(read.then(|| pairs_of(&pairs)), expected.map(owned), "{mapping} over {text}");
    }
    for (mapping, error) in [
        ("%{a}%{b}", DissectError::Touching(5)),
        ("%{a} %{b", DissectError::Open(6)),
        ("%{+}", DissectError::Nameless(1)),
        ("%{+a/x}", DissectError::Order(1, "x".to_owned())),
        ("%{&k} %{a}", DissectError::Lonely("k".to_owned())),
        ("%{*k} %{a}", DissectError::Lonely("k".to_owned())),
        ("text", DissectError::Count),
    ] {
        assert_eq!(Dissect::new(mapping), Err(error), "{mapping}");
    }
    assert_eq!(Dissect::new("%{a} %{+b} %{?c} %{b}").unwrap().names(), ["a", "b"]);
}

#[test]
fn bounds_what_a_text_gives() {
    let many = "k=v ".repeat(MAX_PAIRS + 5);
    let mut pairs = Pairs::new();
    KeyValue::default().read(&many, &mut pairs);
    assert_eq!((pairs.len(), pairs.dropped()), (MAX_PAIRS, 5));
    let long = format!("{}=v", "k".repeat(MAX_NAME + 1));
    let mut pairs = Pairs::new();
    logfmt::read(&long, &mut pairs);
    assert_eq!((pairs.len(), pairs.dropped()), (0, 1));
}

#[test]
fn reads_long_texts_in_time_that_grows_with_them() {
    // In quadratic time this would take minutes.
    let length = 1 << 17;
    for part in ["a=(", "a=\"", "a=\\", "=", "a=b=", "CEF:0|", "\\=", "k="] {
        let text = format!("CEF:0|a|b|c|d|e|5|{}", part.repeat(length / part.len()));
        let mut pairs = Pairs::new();
        KeyValue::default().read(&text, &mut pairs);
        logfmt::read(&text, &mut pairs);
        cef::read(&text, &mut pairs);
        Columns::default().read(&text, &mut pairs);
        assert!(pairs.len() <= MAX_PAIRS, "{part}");
    }
}

/// Texts made mostly of what means something to readers.
fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("CEF:0|".to_owned()),
        Just("|".to_owned()),
        "[ =\"'\\\\,;:%{}\\[\\]()<>&?*+/-]{1,3}",
        "[a-zä]{1,3}",
        Just("Label=".to_owned()),
        Just("\\u00e".to_owned()),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    /// What is written as pairs is read as them.
    #[test]
    fn logfmt_reads_what_was_written(
        written in prop::collection::vec(("[a-z.]{1,8}", "[ -~äö\n\t\"\\\\]{0,12}"), 0..20)
    ) {
        let quoted = |value: &str| serde_json::to_string(value).unwrap();
        let text: Vec<String> =
            written.iter().map(|(name, value)| format!("{name}={}", quoted(value))).collect();
        let text = text.join(" ");
        let mut pairs = Pairs::new();
        logfmt::read(&text, &mut pairs);
        prop_assert_eq!(pairs_of(&pairs), written);
    }

    /// Pairs without anything special are read as splitting the text naively reads them.
    #[test]
    fn pairs_are_read_as_by_splitting(
        written in prop::collection::vec(("[a-z]{1,8}", "[a-z0-9./:]{1,12}"), 0..20)
    ) {
        let text: Vec<String> =
            written.iter().map(|(name, value)| format!("{name}={value}")).collect();
        prop_assert_eq!(kv(&KeyValue::default(), &text.join(" ")), written);
    }

    /// A text cut by a mapping, put together again, is the text.
    #[test]
    fn cut_texts_go_together_again(
        values in prop::collection::vec("[a-zäö ]{0,6}", 1..8),
        delimiter in "[,;|]{1,2}",
    ) {
        let names: Vec<String> = (0..values.len()).map(|index| format!("f{index}")).collect();
        let mapping: Vec<String> = names.iter().map(|name| format!("%{{{name}}}")).collect();
        let text = values.join(&delimiter);
        let dissect = Dissect::new(&mapping.join(&delimiter)).unwrap();
        let mut pairs = Pairs::new();
        prop_assert!(dissect.read(&text, &mut pairs));
        let expected: Vec<(String, String)> = names.into_iter().zip(values).collect();
        prop_assert_eq!(pairs_of(&pairs), expected);
    }

    /// Nothing panics or gives more than its bounds, whatever the text.
    #[test]
    fn readers_bear_any_text(text in hostile(), mapping in hostile()) {
        let mut pairs = Pairs::new();
        KeyValue::default().read(&text, &mut pairs);
        let lenient = KeyValue { whitespace: Whitespace::Lenient, ..KeyValue::default() };
        lenient.read(&text, &mut pairs);
        logfmt::read(&text, &mut pairs);
        cef::read(&text, &mut pairs);
        Columns::default().read(&text, &mut pairs);
        if let Ok(dissect) = Dissect::new(&mapping) {
            dissect.read(&text, &mut pairs);
        }
        prop_assert!(pairs.iter().all(|(name, _)| name.len() <= MAX_NAME));
    }
}
