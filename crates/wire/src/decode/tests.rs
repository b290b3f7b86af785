use bergfried_event::SourceKind;
use proptest::prelude::*;

use super::*;
use crate::{encode, id_to_hex};

fn batch<'a>(lines: &'a [Vec<u8>]) -> Batch<'a> {
    let origin = |path: &str| Origin {
        time_zone: Some("Europe/Berlin".to_owned()),
        tags: vec!["edge".to_owned()],
        ..Origin::new(SourceKind::File, path, "web1")
    };
    let record = |(index, raw): (usize, &'a Vec<u8>)| {
        let received = Timestamp::from_micros(1_700_000_000_000_000 + index as i64);
        let truncated = index % 7 == 3;
        ((index % 2) as u16, Record { raw: Cow::Borrowed(raw), received, truncated })
    };
    Batch {
        id: [7; 16],
        agent: "web1".to_owned(),
        origins: vec![origin("/var/log/auth.log"), origin("/var/log/ü \"x\".log")],
        records: lines.iter().enumerate().map(record).collect(),
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(lines in prop::collection::vec(
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), "\\PC{0,90}".prop_map(String::into_bytes)],
        0..40,
    )) {
        let sent = batch(&lines);
        let body = encode(&sent);
        prop_assert_eq!(decode(&body, &Limits::default()).unwrap(), sent);
    }

    #[test]
    fn no_bytes_crash_it(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode(&body, &Limits::default());
    }
}

#[test]
fn the_longest_records_pass_the_default_limits() {
    for byte in [b'a', b'"', 0x1b, 0xff, b'\\', b'\n'] {
        let lines = [vec![byte; MAX_RAW]];
        let sent = batch(&lines);
        assert_eq!(decode(&encode(&sent), &Limits::default()).unwrap(), sent, "{byte:#x}");
    }
}

#[test]
fn plain_lines_are_borrowed() {
    let lines = [b"Failed password for root".to_vec()];
    let body = encode(&batch(&lines));
    let decoded = decode(&body, &Limits::default()).unwrap();
    assert!(matches!(decoded.records[0].1.raw, Cow::Borrowed(_)));
}

#[test]
fn the_documented_shape_is_what_is_written() {
    let lines = [b"a \"b\"".to_vec(), b"\xff".to_vec(), b"x".to_vec(), b"y".to_vec()];
    let body = String::from_utf8(encode(&batch(&lines))).unwrap();
    let mut rows = body.lines();
    assert!(rows.next().unwrap().starts_with(&format!(
        r#"{{"batch":"{}","agent":"web1","version":"0.1.0","origins":[{{"kind":"file","path":"/var/log/auth.log""#,
        id_to_hex(&[7; 16])
    )));
    assert_eq!(
        rows.collect::<Vec<_>>(),
        [
            r#"{"o":0,"t":1700000000000000,"l":"a \"b\""}"#,
            r#"{"o":1,"t":1700000000000001,"b":"/w=="}"#,
            r#"{"o":0,"t":1700000000000002,"l":"x"}"#,
            r#"{"o":1,"t":1700000000000003,"l":"y","c":true}"#,
        ]
    );
}

#[test]
fn errors_name_the_line() {
    let header = |rest: &str| {
        let id = id_to_hex(&[1; 16]);
        format!(
            r#"{{"batch":"{id}","agent":"a","version":"0.1.0","origins":[{{"kind":"file","path":"p","host":"h"}}]}}"#
        ) + "\n"
            + rest
    };
    let cases = [
        (String::new(), "line 1"),
        (
            r#"{"batch":"12","agent":"a","origins":[]}"#.to_owned(),
            "line 1 of the batch: `batch` must be 32 hex digits",
        ),
        (
            header("{\"o\":0,\"t\":1,\"l\":\"x\"}\n{\"o\":1,\"t\":1,\"l\":\"x\"}\n"),
            "line 3 of the batch: `o` names no origin",
        ),
        (header("{\"o\":0,\"t\":1}\n"), "line 2 of the batch: exactly one of"),
        (
            header("{\"o\":0,\"t\":1,\"l\":\"x\",\"b\":\"\"}\n"),
            "line 2 of the batch: exactly one of",
        ),
        (header("{\"o\":0,\"t\":1,\"b\":\"?\"}\n"), "line 2 of the batch: `b` is no base64"),
        (header("\n\nnonsense\n"), "line 4"),
    ];
    for (body, expected) in cases {
        let error = decode(body.as_bytes(), &Limits::default()).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}\n{body}");
    }
    let full = header(&"{\"o\":0,\"t\":1,\"l\":\"x\"}\n".repeat(4));
    let three = Limits { records: 3, ..Limits::default() };
    assert!(matches!(decode(full.as_bytes(), &three), Err(WireError::TooLarge { limit: 3, .. })));
    let short = Limits { line: 20, ..Limits::default() };
    assert!(decode(full.as_bytes(), &short).is_err());
}

#[test]
fn names_have_a_length() {
    let body = |agent: usize, host: usize, path: usize, zone: usize| {
        let origin = Origin {
            time_zone: Some("z".repeat(zone)),
            ..Origin::new(SourceKind::File, "p".repeat(path), "h".repeat(host))
        };
        let agent = "a".repeat(agent);
        encode(&Batch { id: [1; 16], agent, origins: vec![origin], records: Vec::new() })
    };
    assert!(decode(&body(256, 256, 4096, 256), &Limits::default()).is_ok());
    for (body, key) in [
        (body(257, 1, 1, 1), "`agent`"),
        (body(1, 257, 1, 1), "`host`"),
        (body(1, 1, 4097, 1), "`path`"),
        (body(1, 1, 1, 257), "`time_zone`"),
    ] {
        let error = decode(&body, &Limits::default()).unwrap_err().to_string();
        assert!(error.contains("line 1") && error.contains(key), "{error}");
    }
}
