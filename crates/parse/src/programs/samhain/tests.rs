use bergfried_event::{SourceKind, Timestamp};

use super::*;

fn read_line(line: &str) -> serde_json::Value {
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "h",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    serde_json::to_value(crate::parse(SourceKind::File, line, &context)).unwrap()
}

#[test]
fn names_of_files_forge_no_value() {
    let event = read_line(
        "CRIT   :  [2026-11-21T16:58:50+0000] msg=<POLICY ADDED>, path=</srv/x>,\\ path=<_etc_passwd>,\\ owner_new=<eve>, mode_new=<-rw-r--r-->, owner_new=<root>, size_new=<3>, link_new=</etc/passwd> ",
    );
    assert_eq!(event["file.path"], "/srv/x>, path=<_etc_passwd>, owner_new=<eve");
    assert_eq!((&event["file.owner"], &event["file.size"]), (&"root".into(), &3.into()));
    assert_eq!(
        (&event["event.action"], &event["file.target_path"]),
        (&"created".into(), &"/etc/passwd".into())
    );
    assert_eq!(event["@timestamp"], "2026-11-21T16:58:50Z");
    let event = read_line(
        "CRIT   :  [2026-11-21T16:58:50+0000] msg=<Weird filename>, path=</srv/two\\nlines>",
    );
    assert_eq!(event["file.path"], "/srv/two\nlines");
}

#[test]
fn masks_say_what_changed() {
    for (mask, action, changed) in [
        ("C-------TS", "updated", vec!["checksum", "times", "size"]),
        ("-----M--T-", "attributes_modified", vec!["mode", "times"]),
        ("------UGT-", "attributes_modified", vec!["owner", "group", "times"]),
        ("-L--------", "updated", vec!["link"]),
        ("--------T-", "attributes_modified", vec!["times"]),
    ] {
        let event = read_line(&format!(
            "CRIT   :  [2026-11-21T02:30:59+0000] msg=<POLICY [ReadOnly] {mask}>, path=</etc/x>, "
        ));
        assert_eq!(event["event.action"], action, "{mask}");
        assert_eq!(event["samhain.changed"], serde_json::json!(changed), "{mask}");
        assert_eq!(
            (&event["samhain.policy"], &event["log.level"]),
            (&"ReadOnly".into(), &"crit".into())
        );
    }
}

#[test]
fn signatures_marks_and_blocks_are_told_from_messages() {
    for (line, action) in [
        ("012EAC2256E8640F28E9830D9EBA880D9E0AC93193E347C8", "log-signature"),
        (
            "9776EF58F38135F09E9D051BBACA14A68E808C9647D188D5[2026-11-21T02:28:35+0000]",
            "log-signature",
        ),
        ("000001 1164000000::web1", "log-signature"),
        ("[SOF]", "log-mark"),
        ("-----BEGIN LOGKEY-----", "log-mark"),
    ] {
        let event = read_line(line);
        assert_eq!(
            (&event["event.module"], &event["event.action"]),
            (&"samhain".into(), &action.into()),
            "{line}"
        );
    }
    let event = read_line(
        "-----BEGIN MESSAGE-----\n[2026-11-21T02:28:35+0000] web1\nALERT  :  [2026-11-21T02:28:34+0000] msg=<START>, program=<Samhain>\n-----BEGIN SIGNATURE-----\n012EAC2256E8640F28E9830D9EBA880D9E0AC93193E347C8\n000001 1164000000::web1\n-----END MESSAGE-----",
    );
    assert_eq!((&event["host.name"], &event["event.action"]), (&"web1".into(), &"started".into()));
    assert_eq!(event["@timestamp"], "2026-11-21T02:28:34Z");
    for line in [
        "CRITICAL: [x] y",
        "ALERT: no",
        "INFO : [2026-11-21] other",
        "ABCDEF",
        "000001 1164000000::",
        "000001 1164000000: web1",
        "1 1164000000::web1",
        "CRIT",
        "ERROR:",
        "-----BEGIN PGP SIGNATURE-----",
    ] {
        assert_eq!(read_line(line)["event.module"], serde_json::Value::Null, "{line}");
    }
}

#[test]
fn hashes_have_their_kind() {
    for (sum, field, hash) in [
        (
            "3F786850E387550FDAB836ED7E6DC881DE23001B00000000",
            "file.hash.sha1",
            Some("3f786850e387550fdab836ed7e6dc881de23001b"),
        ),
        ("30B094E37BE0391A652EFB5B1EB09002DDAB4CCF9651DBB1", "file.hash.sha1", None),
        ("000000000000000000000000000000000000000000000000", "file.hash.md5", None),
        ("", "file.hash.md5", None),
    ] {
        let event = read_line(&format!(
            "CRIT   :  [2026-11-21T02:30:59+0000] msg=<POLICY ADDED>, path=</x>, chksum_new=<{sum}>"
        ));
        assert_eq!(event[field].as_str(), hash, "{sum}");
    }
}
