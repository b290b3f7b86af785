//! Every shape of the same event, and hostile objects.

use bergfried_event::{Event, Field, FieldName, MAX_FIELDS, SourceKind, Timestamp, Value};
use serde_json::{Value as Json, json};

use crate::{Context, parse};

fn context() -> Context<'static> {
    Context {
        received: Timestamp::from_seconds(1_800_000_000),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

fn read(text: &str) -> Event<'static> {
    parse(SourceKind::File, text, &context()).into_owned()
}

fn value(event: &Event<'_>, name: &str) -> Json {
    match event.get_named(&FieldName::new(name.to_owned())) {
        None => json!("absent"),
        Some(value) => serde_json::to_value(value).unwrap(),
    }
}

/// A failed logon in every shape that exporters write.
fn shapes() -> Vec<(&'static str, Json)> {
    let data = json!({
        "SubjectUserName": "-", "TargetUserName": "anna", "TargetDomainName": "CORP",
        "IpAddress": "::ffff:203.0.113.7", "IpPort": "50022", "LogonType": "3",
        "ProcessName": r"C:\Windows\System32\svchost.exe", "ProcessId": "0x1f4",
    });
    let named: Vec<Json> = data
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, text)| json!({"Name": name, "#text": text}))
        .collect();
    let nested: Vec<Json> = data
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, text)| json!({"#attributes": {"Name": name}, "#text": text}))
        .collect();
    let system = json!({
        "Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing", "Guid": "5484"}},
        "EventID": {"#attributes": {"Qualifiers": 0}, "#text": 4625},
        "Version": 0, "Level": 0, "Task": 12544, "Opcode": 0, "Keywords": "0x8010000000000000",
        "TimeCreated": {"#attributes": {"SystemTime": "2026-11-20T21:11:02.649150Z"}},
        "EventRecordID": 77, "Correlation": null,
        "Execution": {"#attributes": {"ProcessID": 680, "ThreadID": 4272}},
        "Channel": "Security", "Computer": "dc1", "Security": null,
    });
    let separate = json!({
        "Provider_attributes": {"Name": "Microsoft-Windows-Security-Auditing", "Guid": "5484"},
        "EventID": 4625, "EventID_attributes": {"Qualifiers": 0},
        "Keywords": "0x8010000000000000", "EventRecordID": 77,
        "TimeCreated_attributes": {"SystemTime": "2026-11-20T21:11:02.649150Z"},
        "Execution_attributes": {"ProcessID": 680, "ThreadID": 4272},
        "Channel": "Security", "Computer": "dc1",
    });
    let flat = |more: Json| {
        let mut flat = data.as_object().unwrap().clone();
        flat.extend(more.as_object().unwrap().clone());
        Json::Object(flat)
    };
    let prefixed = |prefix: &str, more: Json| {
        let mut flat = more.as_object().unwrap().clone();
        for (name, text) in data.as_object().unwrap() {
            flat.insert(format!("{prefix}{name}"), text.clone());
        }
        Json::Object(flat)
    };
    vec![
        (
            "nested",
            json!({"Event": {"#attributes": {"xmlns": "x"}, "System": system, "EventData": data}}),
        ),
        ("list", json!({"Event": {"System": system, "EventData": named}})),
        ("list of Data", json!({"Event": {"System": system, "EventData": {"Data": nested}}})),
        ("separate attributes", json!({"Event": {"System": separate, "EventData": data}})),
        ("without Event", json!({"System": system, "EventData": data})),
        ("UserData", json!({"Event": {"System": system, "UserData": {"EventXML": data}}})),
        (
            "flat",
            flat(json!({
                "EventID": 4625, "Channel": "Security", "Computer": "dc1", "EventRecordID": 77,
                "Provider_Name": "Microsoft-Windows-Security-Auditing",
                "Keywords": "0x8010000000000000", "Execution_ProcessID": 680,
                "@timestamp": "2026-11-20T21:11:02.649150Z",
            })),
        ),
        (
            "NXLog",
            flat(json!({
                "EventTime": "2026-11-20 21:11:02.649150", "Hostname": "dc1", "EventID": 4625,
                "Keywords": -9_218_868_437_227_405_312_i64, "RecordNumber": 77, "Channel": "Security",
                "SourceName": "Microsoft-Windows-Security-Auditing", "ProcessID": 680,
            })),
        ),
        (
            "Winlogbeat",
            json!({
                "@timestamp": "2026-11-20T21:11:02.649150Z",
                "event": {"code": "4625", "kind": "event"},
                "host": {"name": "dc1"},
                "winlog": {
                    "channel": "Security", "event_id": "4625", "computer_name": "dc1", "record_id": 77,
                    "provider_name": "Microsoft-Windows-Security-Auditing",
                    "keywords": ["Audit Failure"], "process": {"pid": 680, "thread": {"id": 4272}},
                    "event_data": data,
                },
            }),
        ),
        (
            "dotted Winlogbeat",
            prefixed(
                "winlog.event_data.",
                json!({
                    "@timestamp": "2026-11-20T21:11:02.649150Z", "winlog.channel": "Security",
                    "winlog.event_id": 4625, "winlog.computer_name": "dc1", "winlog.record_id": 77,
                    "winlog.provider_name": "Microsoft-Windows-Security-Auditing",
                    "winlog.keywords": ["Audit Failure"], "winlog.process.pid": 680,
                }),
            ),
        ),
        (
            "dotted Event",
            prefixed(
                "Event.EventData.",
                json!({
                    "Event.System.EventID": 4625, "Event.System.Channel": "Security",
                    "Event.System.Computer": "dc1", "Event.System.EventRecordID": 77,
                    "Event.System.Keywords": "0x8010000000000000",
                    "Event.System.Provider.#attributes.Name": "Microsoft-Windows-Security-Auditing",
                    "Event.System.Execution.ProcessID": 680,
                    "Event.System.TimeCreated.#attributes.SystemTime": "2026-11-20T21:11:02.649150Z",
                }),
            ),
        ),
    ]
}

#[test]
fn every_shape_is_the_same_event() {
    for (shape, json) in shapes() {
        let event = read(&json.to_string());
        assert_eq!(event.created().to_string(), "2026-11-20T21:11:02.649150Z", "{shape}");
        assert_eq!(event.get(Field::LogFlags), None, "{shape}");
        for (name, expected) in [
            ("EventID", json!(4625)),
            ("Channel", json!("Security")),
            ("Provider_Name", json!("Microsoft-Windows-Security-Auditing")),
            ("Computer", json!("dc1")),
            ("EventRecordID", json!(77)),
            ("Execution_ProcessID", json!(680)),
            ("TargetUserName", json!("anna")),
            ("SubjectUserName", json!("-")),
            ("IpAddress", json!("::ffff:203.0.113.7")),
            ("LogonType", json!("3")),
            ("event.provider", json!("Microsoft-Windows-Security-Auditing")),
            ("host.name", json!("dc1")),
            ("winlog.channel", json!("Security")),
            ("event.action", json!("logon-failed")),
            ("event.category", json!("authentication")),
            ("event.outcome", json!("failure")),
            ("user.name", json!("anna")),
            ("user.domain", json!("CORP")),
            ("source.ip", json!("203.0.113.7")),
            ("source.port", json!(50022)),
            ("process.executable", json!(r"C:\Windows\System32\svchost.exe")),
            ("process.name", json!("svchost.exe")),
            ("process.pid", json!(0x1f4)),
            ("message", json!("logon-failed: anna, from 203.0.113.7")),
        ] {
            assert_eq!(value(&event, name), expected, "{shape}: {name}");
        }
    }
}

#[test]
fn a_process_of_sysmon_and_of_4688_say_the_same() {
    let sysmon = read(
        r#"{"EventID":1,"UtcTime":"2026-11-20 21:11:02.632","Image":"C:\\Windows\\System32\\cmd.exe",
            "CommandLine":"cmd /c \"whoami\"","CurrentDirectory":"C:\\","User":"CORP\\anna","ProcessId":77,
            "ParentImage":"C:\\a\\node.exe","ParentCommandLine":"node x","ParentProcessId":5,
            "Hashes":"MD5=352B,SHA256=1F1D,IMPHASH=94F3"}"#,
    );
    assert_eq!(sysmon.created().to_string(), "2026-11-20T21:11:02.632000Z");
    let security = read(
        r#"{"EventID":4688,"Channel":"Security","SubjectUserName":"anna","SubjectDomainName":"CORP",
            "NewProcessId":"0x4d","NewProcessName":"C:\\Windows\\System32\\cmd.exe","ProcessId":"0x5",
            "CommandLine":"cmd /c \"whoami\"","ParentProcessName":"C:\\a\\node.exe",
            "TargetUserName":"-"}"#,
    );
    for (name, expected) in [
        ("event.action", json!("created-process")),
        ("event.category", json!("process")),
        ("process.executable", json!(r"C:\Windows\System32\cmd.exe")),
        ("process.name", json!("cmd.exe")),
        ("process.pid", json!(77)),
        ("process.command_line", json!("cmd /c \"whoami\"")),
        ("process.parent.executable", json!(r"C:\a\node.exe")),
        ("process.parent.name", json!("node.exe")),
        ("process.parent.pid", json!(5)),
        ("user.name", json!("anna")),
        ("user.domain", json!("CORP")),
    ] {
        assert_eq!(value(&sysmon, name), expected, "Sysmon: {name}");
        assert_eq!(value(&security, name), expected, "Security: {name}");
    }
    assert_eq!(value(&sysmon, "process.working_directory"), json!(r"C:\"));
    assert_eq!(value(&sysmon, "file.hash.sha256"), json!("1F1D"));
    assert_eq!(value(&sysmon, "file.pe.imphash"), json!("94F3"));
}

#[test]
fn users_are_the_ones_that_the_event_is_about() {
    for (text, user, domain, target) in [
        (
            r#"{"EventID":4720,"Channel":"Security","SubjectUserName":"admin","SubjectDomainName":"CORP","TargetUserName":"new"}"#,
            json!("admin"),
            json!("CORP"),
            json!("new"),
        ),
        (
            r#"{"EventID":4732,"Channel":"Security","SubjectUserName":"admin","TargetUserName":"Administrators","MemberName":"CN=eve,OU=x"}"#,
            json!("admin"),
            json!("absent"),
            json!("eve"),
        ),
        (
            r#"{"EventID":4769,"Channel":"Security","TargetUserName":"anna@CORP.EXAMPLE","TargetDomainName":"CORP.EXAMPLE","IpAddress":"LOCAL"}"#,
            json!("anna"),
            json!("CORP.EXAMPLE"),
            json!("absent"),
        ),
        (
            r#"{"EventID":11,"Channel":"Microsoft-Windows-Sysmon/Operational","UserID":"S-1-5-18","User":"NT AUTHORITY\\SYSTEM"}"#,
            json!("SYSTEM"),
            json!("NT AUTHORITY"),
            json!("absent"),
        ),
    ] {
        let event = read(text);
        assert_eq!(value(&event, "user.name"), user, "{text}");
        assert_eq!(value(&event, "user.domain"), domain, "{text}");
        assert_eq!(value(&event, "user.target.name"), target, "{text}");
        assert_eq!(value(&event, "source.ip"), json!("absent"), "{text}");
    }
    let group = read(r#"{"EventID":4732,"Channel":"Security","TargetUserName":"Administrators"}"#);
    assert_eq!(value(&group, "user.target.group.name"), json!("Administrators"));
}

#[test]
fn other_objects_become_dotted_names() {
    let event = read(
        r#"{"time":1600000000,"host":"web1","a":{"b":{"c":1},"d":[1,"x",[true,null]]},
            "list":[{"k":"1","n":{"m":2}},{"k":"2"},"plain"],"process":{"executable":"/bin/sh"},
            "empty":[],"user":"bob","user.name":"alice","id":7,"log.flags":"repeated","f":0.5}"#,
    );
    assert_eq!(event.created().to_string(), "2020-09-13T12:26:40Z");
    for (name, expected) in [
        ("host.name", json!("web1")),
        ("a.b.c", json!(1)),
        ("a.d", json!([1, "x", true, null])),
        ("list.k", json!(["1", "2"])),
        ("list.n.m", json!(2)),
        ("list", json!("plain")),
        ("process.executable", json!("/bin/sh")),
        ("empty", json!([])),
        ("user.name", json!(["bob", "alice"])),
        ("event.id", json!("absent")),
        ("original.event.id", json!(7)),
        ("log.flags", json!("absent")),
        ("original.log.flags", json!("repeated")),
        ("f", json!(0.5)),
        ("EventID", json!("absent")),
        ("event.code", json!("absent")),
    ] {
        let expected = if name == "list" { json!(["plain"]) } else { expected };
        assert_eq!(value(&event, name), expected, "{name}");
    }
}

#[test]
fn a_process_that_is_a_number_is_its_id() {
    for (text, name, pid) in [
        (r#"{"process":28460,"message":"x"}"#, json!("absent"), json!(28460)),
        (r#"{"process":"nginx","pid":7}"#, json!("nginx"), json!(7)),
        (r#"{"process":28460,"program":"shop"}"#, json!("shop"), json!(28460)),
        (r#"{"program":"shop","process":28460}"#, json!("shop"), json!(28460)),
    ] {
        let event = read(text);
        assert_eq!(value(&event, "process.name"), name, "{text}");
        assert_eq!(value(&event, "process.pid"), pid, "{text}");
    }
    let both = read(r#"{"pid":7,"process":28460}"#);
    assert_eq!(value(&both, "process.pid"), json!(7));
    let own = FieldName::Other("process".into());
    assert!(both.fields().iter().any(|(name, value)| *name == own && *value == Value::Int(28460)));
}

#[test]
fn own_fields_named_like_parts_of_windows_keep_their_names() {
    let event = read(r#"{"System":{"cpu":3},"Event":{"kind":"x"},"UserData":"y","EventData":5}"#);
    for (name, expected) in [
        ("System.cpu", json!(3)),
        ("Event.kind", json!("x")),
        ("UserData", json!("y")),
        ("EventData", json!(5)),
    ] {
        assert_eq!(value(&event, name), expected, "{name}");
    }
}

#[test]
fn no_value_hides_another_of_its_name() {
    let event = read(r#"{"EventID":1,"Image":"good","Image":"evil","x":1,"x":1,"x":[2,3]}"#);
    assert_eq!(value(&event, "Image"), json!(["good", "evil"]));
    assert_eq!(value(&event, "x"), json!([1, 2, 3]));
}

#[test]
fn data_named_like_a_part_of_system_stand_behind_it() {
    let event = read(
        r#"{"Event":{"System":{"EventID":104,"Channel":"System"},
            "UserData":{"LogFileCleared":{"Channel":"Application","EventID":"7"}}}}"#,
    );
    assert_eq!(value(&event, "Channel"), json!(["System", "Application"]));
    assert_eq!(value(&event, "winlog.channel"), json!("System"));
    assert_eq!(value(&event, "event.code"), json!(104));
    assert_eq!(value(&event, "event.action"), json!("log-cleared"));
}

#[test]
fn a_journal_is_read_as_one_and_what_is_no_json_stays_text() {
    let event = read(
        r#"{"_HOSTNAME":"a","__REALTIME_TIMESTAMP":"1600000000000000","SYSLOG_IDENTIFIER":"sshd","MESSAGE":"Failed password for root from 203.0.113.7 port 1 ssh2"}"#,
    );
    assert_eq!(event.text(Field::EventAction), Some("ssh_login"));
    for text in ["{", "{]", "{} trailing", "{\"a\":1}}", "{a:1}"] {
        let event = read(text);
        assert_eq!(event.text(Field::Message), Some(text));
        assert_eq!(event.original(), text);
    }
    assert_eq!(read(" {\"a\":1}").original(), " {\"a\":1}");
}

#[test]
fn an_object_that_is_cut_keeps_what_came_before() {
    let event = read(r#"{"EventID":1,"Image":"C:\\a.exe","CommandLine":"whoa"#);
    assert_eq!(value(&event, "Image"), json!(r"C:\a.exe"));
    assert_eq!(value(&event, "log.flags"), json!("truncated"));
    assert_eq!(value(&event, "process.name"), json!("a.exe"));
}

#[test]
fn hostile_objects_are_capped_and_still_matched() {
    let deep =
        format!(r#"{{"Image":"x","a":{}1{},"z":1}}"#, "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let event = read(&deep);
    assert_eq!((value(&event, "z"), value(&event, "log.flags")), (json!(1), json!("too_deep")));
    let deep = format!(r#"{{"a":{}{},"z":1}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(value(&read(&deep), "z"), json!(1));

    let wide: Vec<String> = (0..10_000).map(|n| format!(r#""Field{n}":"{n}""#)).collect();
    let event = read(&format!(r#"{{"EventID":1,"Image":"C:\\a.exe",{}}}"#, wide.join(",")));
    assert!(event.fields().len() <= MAX_FIELDS);
    assert_eq!(event.fields().len() + event.dropped_fields() as usize, 10_000 + 10);
    assert_eq!(value(&event, "log.flags"), json!("too_many_fields"));
    assert_eq!(value(&event, "process.name"), json!("a.exe"));

    let same = format!(r#"{{"a":[{}0],"z":1}}"#, r#"{"b":1},{"b":2},"#.repeat(50_000));
    let event = read(&same);
    assert_eq!(value(&event, "log.flags"), json!("too_many_fields"));
    assert_eq!(value(&event, "a.b").as_array().unwrap().len(), super::MAX_VALUES);

    let long = format!(r#"{{"Image":"{}ü","z":1}}"#, "x".repeat(super::MAX_TEXT - 1));
    let event = read(&long);
    assert_eq!(value(&event, "log.flags"), json!("too_long_value"));
    assert_eq!(value(&event, "Image").as_str().unwrap().len(), super::MAX_TEXT - 1);

    let attributes: Vec<String> = (0..4_000).map(|n| format!(r#""a{n}":1"#)).collect();
    let named = format!(
        r##"{{"Event":{{"System":{{"{}":{{"#attributes":{{{}}}}}}}}},"z":1}}"##,
        "k".repeat(500_000),
        attributes.join(",")
    );
    assert_eq!(value(&read(&named), "z"), json!(1));

    let named = format!(r#"{{"{0}":{{"a":1,"b":[{{"c":2}}]}},"z":1}}"#, "k".repeat(100_000));
    let event = read(&named);
    assert_eq!(
        (value(&event, "z"), value(&event, "log.flags")),
        (json!(1), json!("too_long_value"))
    );

    let named = format!(r#"{{"EventData":{{"{}":1,"z":1}}}}"#, "k".repeat(super::MAX_NAME + 1));
    let event = read(&named);
    assert_eq!((value(&event, "z"), event.dropped_fields()), (json!(1), 1));
}

proptest::proptest! {
    /// Whatever stands where: never a panic, and the text is kept.
    #[test]
    fn any_bytes_are_an_event(text in "\\PC{0,64}", shape in 0_usize..11, cut in 0_usize..1200) {
        let whole = shapes()[shape].1.to_string();
        let at = whole.floor_char_boundary(cut.min(whole.len()));
        let mixed = format!("{}{text}{}", &whole[..at], &whole[at..]);
        for text in [&text, &whole[..at].to_owned(), &mixed] {
            for kind in [SourceKind::Json, SourceKind::File] {
                let context = context();
                let event = parse(kind, text, &context);
                proptest::prop_assert_eq!(event.original(), text.as_str());
            }
        }
    }
}

#[test]
fn lines_in_documents_in_lines_end() {
    let mut text = String::from("Nov 20 10:11:12 web1 sshd[1]: Server listening on :: port 22.");
    let mut depth = 0;
    while text.len() < 1 << 18 {
        let document = json!({"@timestamp": "2026-11-20T10:11:14Z", "message": text}).to_string();
        text = format!("<13>Nov 20 10:11:13 relay {document}");
        depth += 1;
    }
    assert!(depth > 8, "{depth}");
    let document = json!({"message": text}).to_string();
    assert_eq!(read(&document).original(), document);
}
