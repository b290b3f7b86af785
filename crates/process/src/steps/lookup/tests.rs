use bergfried_event::{Event, FieldName, Timestamp};

use crate::steps::tests::{chains, context, run};
use crate::{Chains, Files};

/// What a lookup of `key` in this CSV gives, or its mistakes.
fn looked_up(step: &str, csv: &str, key: &str) -> Result<String, String> {
    let text = format!("[[chain]]\nname = 'test'\n[[chain.step]]\n{step}");
    let read = chains(&text);
    assert_eq!(Chains::files(&read), ["hosts.csv"]);
    let mut files = Files::default();
    files.insert("hosts.csv", csv.as_bytes());
    let chains = Chains::compile(&read, &files)
        .map_err(|told| told.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
    let mut event = Event::new(Timestamp::from_seconds(0), "");
    event.set_named(FieldName::new("key"), key);
    let mut meter = chains.meter(Box::new(|| 0));
    let _verdict = chains.apply(&mut event, &context(), &mut meter);
    event.set_named(FieldName::new("key"), "");
    let mut fields = Vec::new();
    for (name, value) in event.fields().iter().skip(1) {
        fields.push(format!("{name}={}", value.to_text()));
    }
    Ok(fields.join(" "))
}

const HOSTS: &str = "\u{feff}host, group,owner\n# comment\nweb1, web ,\"Ann, B.\"\nGate,edge,\n";

#[test]
fn rows_are_found_by_their_keys() {
    for (step, csv, key, expected) in [
        ("file = 'hosts.csv'", HOSTS, "web1", "group.name=web owner=Ann, B."),
        ("file = 'hosts.csv'", HOSTS, "Gate", "group.name=edge"),
        ("file = 'hosts.csv'", HOSTS, "gate", ""),
        ("file = 'hosts.csv', match = 'caseless'", HOSTS, "GATE", "group.name=edge"),
        (
            "file = 'hosts.csv', fields = { owner = 'host.owner' }",
            HOSTS,
            "web1",
            "host.owner=Ann, B.",
        ),
        ("file = 'hosts.csv', key = 'group', fields = { host = 'h' }", HOSTS, "edge", "h=Gate"),
        ("file = 'hosts.csv', default = { region = 'none' }", HOSTS, "x", "region=none"),
        ("file = 'hosts.csv', match = 'glob'", "h,g\nweb*,shop\n*,rest\n", "WEB7", "g=shop"),
        ("file = 'hosts.csv', match = 'glob'", "h,g\nweb*,shop\n*,rest\n", "db", "g=rest"),
        (
            "file = 'hosts.csv', match = 'network'",
            "n,site\n10.0.0.0/8,all\n10.1.0.0/16,lab\n",
            "10.1.2.3",
            "site=lab",
        ),
        ("file = 'hosts.csv', columns = ['a', 'b']", "x,1\ny,2\n", "y", "b=2"),
    ] {
        let step = format!("lookup = {{ field = 'key', {step} }}");
        assert_eq!(looked_up(&step, csv, key).as_deref(), Ok(expected), "{step}");
    }
}

#[test]
fn mistakes_name_their_row() {
    for (step, csv, part) in [
        ("", "a,b\nx,1\nx,2\n", "the key `x` of row 3 is there twice"),
        (", match = 'network'", "a,b\nx,1\n", "the key `x` of row 2 is no network"),
        (", key = 'hots'", "host,b\nx,1\n", "no column `hots`, did you mean `host`"),
        (", fields = { c = 'd' }", "a,b\n", "lookup.fields.c: the file has no column `c`"),
        ("", "a,b\n,1\n", "the row in line 2 has no key"),
        ("", "a,observer.ip\nx,1\n", "can only be read"),
        (", target = 'x'", "a,b\n", "`target` is for `entries`"),
    ] {
        let step = format!("lookup = {{ field = 'key', file = 'hosts.csv'{step} }}");
        let told = looked_up(&step, csv, "x").unwrap_err();
        assert!(told.contains(part), "{step}: {told}");
    }
    let told = crate::steps::tests::mistakes("lookup = { field = 'a' }");
    assert!(told.contains("`file` or `entries` is missing"), "{told}");
}

#[test]
fn entries_stand_in_the_step_itself() {
    let step = "lookup = { field = 'code', entries = { '200' = 'fine', '404' = 'gone' }, \
                target = 'meaning', overwrite = false }\nadd_tag = 'known'";
    for (fields, expected) in [
        (r#"{"code":404}"#, r#"{"code":404,"meaning":"gone","tags":["known"]}"#),
        (
            r#"{"code":["1","200"],"meaning":"own"}"#,
            r#"{"code":["1","200"],"meaning":"own","tags":["known"]}"#,
        ),
        (r#"{"code":500}"#, r#"{"code":500}"#),
    ] {
        assert_eq!(run(step, fields), expected);
    }
}
