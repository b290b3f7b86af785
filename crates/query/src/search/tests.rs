use bergfried_event::{Event, Field, Timestamp, Value};

use super::{MAX_LENGTH, parse};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn event() -> Event<'static> {
    let mut event = Event::new(NOW.plus_micros(-60_000_000), "raw");
    event.set(Field::Message, "Failed password for root from 10.1.2.3 port 55022 ssh2");
    event.set(Field::UserName, "root");
    event.set(Field::HostName, "web-01");
    event.set(Field::SourceIp, "10.1.2.3");
    event.set(Field::SourcePort, Value::Int(55022));
    event.set(Field::ProcessExecutable, "/usr/bin/ssh");
    event.set_named(bergfried_event::FieldName::new("sd.hosts"), "x y");
    event
}

#[test]
fn searches_find_what_they_say() {
    for (search, expected) in [
        ("", true),
        ("failed password", true),
        ("password failed", true),
        ("\"failed password\"", true),
        ("\"password failed\"", false),
        ("failed AND accepted", false),
        ("failed OR accepted", true),
        ("accepted OR failed root", true),
        ("NOT accepted", true),
        ("-failed", false),
        ("!(failed AND root)", false),
        ("user:root", true),
        ("user.name:ROOT host:web-*", true),
        ("host:web-0? -user:bob", true),
        ("user:(bob OR ro*)", true),
        ("user:(bob OR NOT root)", false),
        ("source.ip:10.0.0.0/8", true),
        ("src_ip:10.1.2.3/32", true),
        ("src_ip:192.168.0.0/16", false),
        ("src_ip:10.1.*", true),
        ("src_ip:unknown", false),
        ("host:10.0.0.0/33", false),
        ("source.port:55022", true),
        ("source.port:>55021 source.port:<=55022", true),
        ("source.port:[1 TO 1024]", false),
        ("source.port:{55021 TO *]", true),
        ("@timestamp:>now-1h", true),
        ("@timestamp:<now-1h", false),
        ("@timestamp:[2023-11-14 TO 2023-11-15]", true),
        ("_exists_:user.name", true),
        ("_exists_:group.name", false),
        ("user:*", true),
        ("message:/for (root|bob) from/", true),
        ("message:/^for/", false),
        ("exe:/usr/bin/ssh", true),
        ("exe:\"/usr/bin/ssh\"", true),
        ("sd.hosts:\"x y\"", true),
        ("10.1.2.3", true),
        ("55022", true),
        ("5502", false),
        ("fail*", true),
        ("12:34", false),
        ("failed || accepted", true),
        ("failed \"|\"", false),
        ("message:/root|bob/", true),
        ("-a|b", true),
    ] {
        let predicate =
            parse(search, NOW).unwrap_or_else(|error| panic!("{}", error.render(search)));
        assert_eq!(predicate.matches(&event()), expected, "{search} = {predicate:?}");
    }
}

#[test]
fn mapped_and_written_out_addresses_are_found() {
    let mut event = event();
    event.set(Field::SourceIp, "2001:db8:0::1");
    assert!(parse("source.ip:2001:db8::1", NOW).unwrap().matches(&event));
    assert!(parse("source.ip:2001:db8::/32", NOW).unwrap().matches(&event));
}

#[test]
fn words_with_colons_are_no_fields() {
    let mut event = event();
    let line = "neighbour fe80::1%eth0 at de:ad:be:ef:00:01 of fd00:0:0:0:1:2:3:4 asked \
                http://evil.example/x?y=1 through std::io";
    event.set(Field::Message, line);
    for (search, expected) in [
        ("fe80::1", true),
        ("-fe80::1", false),
        ("(fe80::1 OR x)", true),
        ("fe80::*", true),
        ("fe80::2", false),
        ("FD00:0:0:0:1:2:3:4", true),
        ("de:ad:be:ef:00:01", true),
        ("de:ad:be:ef:00:02", false),
        ("http://evil.example/x", true),
        ("https://evil.example/x", false),
        ("std::io", true),
        ("message:fe80::1", true),
        ("host:web-01", true),
        ("exe:/usr/bin/ssh", true),
    ] {
        let predicate =
            parse(search, NOW).unwrap_or_else(|error| panic!("{}", error.render(search)));
        assert_eq!(predicate.matches(&event), expected, "{search} = {predicate:?}");
    }
}

#[test]
fn errors_point_at_the_place() {
    for (search, offset, length, part) in [
        ("user:", 0, 5, "expected a value after `user.name:`"),
        ("user: root", 5, 1, "directly after the colon"),
        ("error: no space left", 6, 1, "in quotation marks"),
        ("(failed", 0, 1, "never closed"),
        ("failed)", 6, 1, "closes nothing"),
        ("failed AND", 10, 0, "the search ends here"),
        ("OR failed", 0, 2, "before and after"),
        ("a \"b", 2, 1, "never closed"),
        ("sorce.ip:1.2.3.4", 0, 8, "did you mean `source.ip`"),
        ("source.port:>abc", 12, 4, "no number"),
        ("src_ip:10.0.0.0/33", 7, 11, "`10.0.0.0/33` is no address, expected"),
        ("source.ip:(10.0.0.1 OR 10.0.0.256)", 23, 10, "is no address"),
        ("destination.ip:fe80::/129", 15, 10, "is no address"),
        ("source.ip:10.1.2", 10, 6, "or wildcards"),
        ("source.ip:10.0.0.1/x", 10, 10, "is no address"),
        ("source.port:[1 2]", 12, 5, "expected a range"),
        ("@timestamp:>yesterday", 11, 10, "no time"),
        ("message:/(/", 8, 3, "cannot use regular expression"),
        ("()", 0, 1, "between the parentheses"),
        ("failed | top user", 7, 1, "steps such as `| top` cannot stand here"),
        ("failed| top user", 6, 1, "steps such as `| top` cannot stand here"),
        ("(a | b)", 3, 1, "write OR"),
        ("a AND | top user", 6, 1, "a term before this bar"),
    ] {
        let error = parse(search, NOW).unwrap_err();
        assert!(error.message.contains(part), "{search}: {}", error.message);
        assert_eq!((error.offset, error.length), (offset, length), "{search}: {}", error.message);
    }
}

#[test]
fn a_caret_stands_under_the_offending_place() {
    let search = "größe AND sorce.ip:1";
    let rendered = parse(search, NOW).unwrap_err().render(search);
    let lines: Vec<&str> = rendered.lines().collect();
    assert_eq!(lines.get(1), Some(&"  größe AND sorce.ip:1"));
    assert_eq!(lines.get(2), Some(&"            ^^^^^^^^"));
}

#[test]
fn limits_hold() {
    assert!(parse(&"(".repeat(200), NOW).is_err());
    assert!(parse(&"NOT ".repeat(200), NOW).unwrap_err().message.contains("nested deeper"));
    assert!(parse(&"a".repeat(MAX_LENGTH + 1), NOW).is_err());
}

proptest::proptest! {
    #[test]
    fn never_panics_and_errors_lie_within_the_text(
        search in r#"([a-z:"()\[\]{}*?/\\<>=!| -]|AND|OR|NOT|é| TO ){0,40}"#
    ) {
        match parse(&search, NOW) {
            Ok(predicate) => { predicate.matches(&event()); }
            Err(error) => {
                proptest::prop_assert!(error.offset + error.length <= search.len());
                error.render(&search);
            }
        }
    }
}
