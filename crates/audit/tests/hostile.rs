//! What an attacker may write into an audit log costs time in proportion to its length, and forges
//! nothing. A search that begins anew at each place of these texts takes very long.

use std::time::Duration;

use bergfried_audit::{Joiner, Limits};
use bergfried_event::{Event, Field, FieldName, Timestamp};

const LONG: usize = 256 << 10;

fn read(text: &str) -> Event<'_> {
    bergfried_audit::parse(text, Timestamp::from_seconds(1_800_000_000), "h")
}

fn filled(kind: &str, piece: &str) -> String {
    let front = format!("type={kind} msg=audit(1490995752.404:2):");
    let pieces = (LONG - front.len()) / piece.len();
    front + &piece.repeat(pieces)
}

#[test]
fn long_records_of_one_thing_are_read_in_time() {
    for (kind, piece) in [
        ("SYSCALL", " x={ "),
        ("SYSCALL", " key=\"a\u{1}b\""),
        ("SYSCALL", " a=UIDUIDUIDUID=UID=UID="),
        ("SYSCALL", "auid="),
        ("USER_CMD", " x='"),
        ("USER_CMD", " x=\""),
        ("USER_CMD", " x='\u{1d}"),
        ("USER_CMD", " msg='msg='"),
        ("USER_CMD", " msg='(hostname="),
        ("USER_CMD", " op=a b c"),
        ("EXECVE", " a0[0]=41"),
        ("EXECVE", " a8191=\"x\""),
        ("AVC", "avc: { "),
        ("PROCTITLE", " proctitle=6100"),
        ("SOCKADDR", " saddr=0100"),
    ] {
        let text = filled(kind, piece);
        let event = read(&text);
        assert!(event.fields().len() < 600, "{kind} of {piece}");
        assert_eq!(bergfried_audit::glimpse(text.as_bytes()).unwrap().serial, 2);
    }
}

#[test]
fn a_hundred_thousand_fields_are_cut_and_said_to_be() {
    let many: String = (0..100_000).map(|number| format!(" f{number}={number}")).collect();
    let text = format!("type=SYSCALL msg=audit(1490995752.404:2):{many}");
    let event = read(&text);
    assert!(event.fields().len() < 600);
    let flags = event.get_named(&FieldName::new("auditd.flags")).unwrap();
    assert!(format!("{flags:?}").contains("cut"), "{flags:?}");
}

#[test]
fn a_program_names_nobody_in_place_of_auditd() {
    for message in [
        "op=login acct=\"x\" AUID=\"root\" UID=\"root\" res=success",
        "op=login acct=\"x\u{1d}AUID=\"root\" UID=\"root\" res=success",
        "op=login acct=\"x'\u{1d}AUID=\"root\" UID=\"root\" res=success",
    ] {
        let text = format!(
            "type=USER_LOGIN msg=audit(1490995752.404:2): pid=1 uid=1000 auid=1001 ses=1 \
             msg='{message}'\u{1d}UID=\"eve\" AUID=\"mallory\""
        );
        let event = read(&text);
        assert_ne!(event.text(Field::UserName), Some("root"), "{message}");
        let login = event.get_named(&FieldName::new("user.audit.name"));
        assert_eq!(login.and_then(|name| name.as_str()), Some("mallory"), "{message}");
    }
}

/// Each line of these is a new event at another time than the one before.
#[test]
fn a_log_whose_time_goes_to_and_fro_is_joined_in_time() {
    let limits = Limits { events: 16_384, bytes: 64 << 20, patience: Duration::from_secs(2) };
    let mut joiner = Joiner::new(limits);
    let mut groups = 0;
    let mut sink = |_: bergfried_audit::Joined<'_>| groups += 1;
    for serial in 0..300_000 {
        let millis = if serial % 2 == 0 { 100 } else { 600 };
        let line = format!("type=SYSCALL msg=audit(100.{millis}:{serial}): a=b");
        joiner.push(line.as_bytes(), Timestamp::from_seconds(5), &mut sink);
    }
    joiner.finish(&mut sink);
    assert_eq!(groups, 300_000);
}
