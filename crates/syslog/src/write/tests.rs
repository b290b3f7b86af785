//! Messages as receivers must be able to read them, whatever the log holds.

use bergfried_event::{FieldName, Timestamp, Value};
use proptest::prelude::*;

use super::*;
use crate::Splitter;

fn written(event: &Event<'_>, payload: Payload) -> String {
    let mut out = Vec::new();
    message(event, payload, &mut out);
    String::from_utf8(out).unwrap()
}

fn login() -> Event<'static> {
    let mut event = Event::new(
        "2026-11-20T10:11:12.5Z".parse().unwrap(),
        "<38>Nov 20 10:11:12 web1 sshd[12]: Failed password for a|b=c\\ from 192.0.2.7 port 22 ssh2",
    );
    event.set(Field::SyslogFacility, "auth");
    event.set(Field::SyslogSeverity, "info");
    event.set(Field::SyslogPriority, 38);
    event.set(Field::HostName, "web1");
    event.set(Field::ProcessName, "sshd");
    event.set(Field::ProcessPid, 12);
    event.set(Field::Message, "Failed password for a|b=c\\ from 192.0.2.7 port 22 ssh2");
    event.set(Field::EventAction, "ssh_login");
    event.set(Field::EventOutcome, "failure");
    event.set(Field::EventCategory, Value::List(vec!["authentication".into(), "x".into()]));
    event.set(Field::SourceIp, "192.0.2.7");
    event.set(Field::SourcePort, 22);
    event.set(Field::UserName, "a|b=c\\");
    event.set(Field::SshMethod, "password");
    event
}

#[test]
fn every_payload_of_a_login() {
    let event = login();
    assert_eq!(written(&event, Payload::Raw), event.original());
    assert_eq!(
        written(&event, Payload::Rfc5424),
        r#"<38>1 2026-11-20T10:11:12.500000Z web1 sshd 12 - [bergfried@32473 event.action="ssh_login" event.outcome="failure" event.category="authentication" event.category="x" source.ip="192.0.2.7" source.port="22" user.name="a|b=c\\" ssh.method="password"] Failed password for a|b=c\ from 192.0.2.7 port 22 ssh2"#
    );
    let json = written(&event, Payload::Json);
    let (header, object) = json.split_at(json.find('{').unwrap());
    assert_eq!(header, "<38>1 2026-11-20T10:11:12.500000Z web1 sshd 12 - - ");
    assert_eq!(object, serde_json::to_string(&event).unwrap());
    assert_eq!(
        written(&event, Payload::Cef).replace(env!("CARGO_PKG_VERSION"), "V"),
        r"<38>1 2026-11-20T10:11:12.500000Z web1 sshd 12 - - CEF:0|Bergfried|Bergfried|V|ssh_login|ssh_login|2|rt=1795169472500 src=192.0.2.7 act=ssh_login outcome=failure cat=authentication,x spt=22 suser=a|b\=c\\ dvchost=web1 deviceProcessName=sshd dvcpid=12 deviceFacility=auth msg=Failed password for a|b\=c\\ from 192.0.2.7 port 22 ssh2 cs4Label=ssh.method cs4=password rawEvent=<38>Nov 20 10:11:12 web1 sshd[12]: Failed password for a|b\=c\\ from 192.0.2.7 port 22 ssh2"
    );
}

#[test]
fn headers_hold_what_they_may() {
    let mut event = Event::new(Timestamp::from_seconds(0), "text");
    assert_eq!(written(&event, Payload::Rfc5424), "<14>1 1970-01-01T00:00:00Z - - - - - text");
    event.set(Field::HostName, "bü ro\n");
    event.set(Field::ProcessName, "x".repeat(60));
    event.set(Field::SyslogMsgId, "id 1");
    event.set(Field::SyslogSeverity, "err");
    event.set(Field::Message, "two\nlines");
    event.set_named(FieldName::new("a.name.that.is.too.long.for.structured.data"), "]v\"");
    event.set_named(FieldName::new("a=b"), Value::Null);
    assert_eq!(
        written(&event, Payload::Rfc5424),
        format!(
            "<11>1 1970-01-01T00:00:00Z b__ro_ {0} - id_1 [bergfried@32473 host.name=\"bü ro\n\" process.name=\"{0}{1}\" log.syslog.msgid=\"id 1\" field=\"a.name.that.is.too.long.for.structured.data=\\]v\\\"\" field=\"a=b=\"] two\nlines",
            "x".repeat(48),
            "x".repeat(12)
        )
    );
}

#[test]
fn cef_is_escaped_and_cut_between_characters() {
    let mut event = Event::new(Timestamp::from_micros(-1), "a\nb\r\0c");
    event.set(Field::EventAction, "a|b\\c\nd");
    event.set(Field::SourceIp, "not an address");
    event.set(Field::SourceAddress, "evil.example.org dst=10.0.0.1");
    event.set(Field::EventOutcome, "é".repeat(60));
    let text = written(&event, Payload::Cef);
    let (_, cef) = text.split_once("- - CEF").unwrap();
    assert!(cef.contains(r"|a\|b\\c d|a\|b\\c d|3|rt=-1 shost=evil.example.org dst\=10.0.0.1 act=a|b\\c\nd outcome=éé"), "{cef}");
    assert!(cef.ends_with(r" rawEvent=a\nb\r c"), "{cef}");
    assert!(cef.contains(&format!("outcome={} ", "é".repeat(31))), "{cef}");
}

fn fields() -> impl Strategy<Value = Event<'static>> {
    let text = "(\\PC|[\n\r\0\"\\\\\\]=|<>0-9 ]){0,30}";
    let field = (prop::sample::select(Field::ALL), text);
    let other = ("(\\PC|[\n =\"\\]]){0,40}", text);
    (prop::collection::vec(field, 0..12), prop::collection::vec(other, 0..4), text).prop_map(
        |(fields, others, original)| {
            let mut event = Event::new(Timestamp::from_seconds(1_800_000_000), original);
            for (field, value) in fields {
                event.set(field, value);
            }
            for (name, value) in others {
                event.set_named(FieldName::new(name), value);
            }
            event
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_framed_message_is_one_message(
        events in prop::collection::vec(fields(), 1..6),
        octets in any::<bool>(),
        payload in prop::sample::select(&[Payload::Rfc5424, Payload::Json, Payload::Cef][..]),
    ) {
        let framing = if octets { Framing::OctetCounted } else { Framing::Newline };
        let mut stream = Vec::new();
        for event in &events {
            let mut text = Vec::new();
            message(event, payload, &mut text);
            frame(&text, framing, &mut stream);
        }
        let mut splitter = Splitter::new(1 << 20);
        let mut count = 0;
        let mut is_message = true;
        splitter.push(&stream, &mut |message| {
            count += 1;
            is_message &= message.bytes.starts_with(b"<") && !message.cut;
        });
        splitter.finish(&mut |_| count += 1);
        prop_assert!(is_message);
        prop_assert_eq!((count, splitter.lies()), (events.len(), 0));
    }

    #[test]
    fn a_header_has_its_seven_words(event in fields()) {
        let text = written(&event, Payload::Json);
        let words: Vec<&str> = text.splitn(8, ' ').collect();
        prop_assert_eq!(words.len(), 8);
        prop_assert!(words[7].starts_with('{'), "{}", text);
        for (word, limit) in words.iter().zip([6, 32, 255, 48, 128, 32, 1]) {
            prop_assert!(!word.is_empty() && word.len() <= limit, "{word} of {text}");
            prop_assert!(word.bytes().all(|byte| byte.is_ascii_graphic()), "{word} of {text}");
        }
    }
}
