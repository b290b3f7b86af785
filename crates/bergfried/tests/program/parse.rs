//! `bergfried parse`: one JSON object for each line, whatever the line is.

use serde_json::Value;

use crate::support::process::{bergfried, run, run_with};

fn parse(input: &[u8], arguments: &[&str]) -> Vec<Value> {
    let mut command = bergfried(&["parse"]);
    command.args(arguments);
    let done = run_with(command, input);
    assert_eq!((done.code, done.err.as_str()), (Some(0), ""));
    done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn one_object_a_line_in_order_whatever_the_line_is() {
    let mut input: Vec<u8> = Vec::new();
    let mut expected = Vec::new();
    let mut add = |line: &[u8]| {
        input.extend_from_slice(line);
        input.push(b'\n');
        expected.push(line.to_vec());
    };
    let long = vec![b'x'; 2 << 20];
    let garbage: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
    for number in 0..200 {
        add(format!("Nov 21 04:31:28 web1 app[7]: number {number}").as_bytes());
        match number % 5 {
            0 => add(b""),
            1 => add(&garbage),
            2 if number < 10 => add(&long),
            3 => add(b"{\"MESSAGE\": {}, \"broken\": "),
            _ => add("<13>1 - - - - - [unclosed \u{feff}größe".as_bytes()),
        }
    }
    let events = parse(&input, &["-"]);
    assert_eq!(events.len(), expected.len());
    for (event, line) in events.iter().zip(&expected) {
        let original = event["event.original"].as_str().unwrap();
        assert!(event["@timestamp"].is_string() && event["message"].is_string(), "{event}");
        match std::str::from_utf8(line) {
            Ok(text) if text.len() <= 1 << 20 => assert_eq!(original, text.trim_end_matches('\r')),
            Ok(_) => assert_eq!(original.len(), 1 << 20),
            Err(_) => assert!(original.contains("\\xff"), "{original:?}"),
        }
    }
    // The last line may lack its end.
    assert_eq!(parse(b"one\ntwo", &["-"]).len(), 2);
    assert!(parse(b"", &["-"]).is_empty());
}

#[test]
fn the_keys_are_flat_ecs_names() {
    let line = "<86>Nov 21 04:31:28 web1 sshd[1234]: Failed password for invalid user bob from \
                203.0.113.7 port 40022 ssh2";
    let event = &parse(line.as_bytes(), &["--year", "2025", "--tz", "Europe/Berlin"])[0];
    for (key, value) in [
        ("@timestamp", "2025-11-21T03:31:28Z"),
        ("host.name", "web1"),
        ("process.name", "sshd"),
        ("log.syslog.facility.name", "authpriv"),
        ("log.syslog.severity.name", "info"),
        ("user.name", "bob"),
        ("source.ip", "203.0.113.7"),
        ("event.category", "authentication"),
        ("event.action", "ssh_login"),
        ("event.outcome", "failure"),
        ("event.original", line),
    ] {
        assert_eq!(event[key], value, "{key}");
    }
    assert_eq!(event["process.pid"], 1234);
    assert_eq!(event["source.port"], 40022);
    assert_eq!(event["log.syslog.priority"], 86);
}

#[test]
fn the_file_may_be_compressed_or_missing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.log.zst");
    std::fs::write(&path, zstd::encode_all(&b"one\ntwo\n"[..], 1).unwrap()).unwrap();
    assert_eq!(parse(b"", &[path.to_str().unwrap()]).len(), 2);
    let done = run(&["parse", "/nowhere"]);
    assert_eq!(done.code, Some(2));
    assert!(done.err.contains("cannot read /nowhere: No such file"), "{}", done.err);
}
