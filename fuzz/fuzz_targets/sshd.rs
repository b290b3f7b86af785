//! Any user name in sshd's own lines: the address read is the one that sshd wrote.

#![no_main]

use bergfried_event::{Field, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|user: &str| {
    // A line ends at its line feed, and sshd escapes control characters before it logs them.
    if user.len() > 100 || user.contains(|c: char| c.is_control()) {
        return;
    }
    let context = Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    for message in [
        format!("Failed password for {user} from 192.0.2.1 port 22 ssh2"),
        format!("Failed password for invalid user {user} from 192.0.2.1 port 22 ssh2"),
        format!("Failed publickey for {user} from 192.0.2.1 port 22 ssh2: RSA SHA256:abc"),
        format!("Invalid user {user} from 192.0.2.1 port 22"),
        format!("Connection closed by invalid user {user} 192.0.2.1 port 22 [preauth]"),
        format!(
            "error: maximum authentication attempts exceeded for {user} from 192.0.2.1 port 22 ssh2 [preauth]"
        ),
        format!("Bad protocol version identification '{user}' from 192.0.2.1 port 22"),
    ] {
        let line = format!("Dec 10 06:55:46 host sshd[24200]: {message}");
        let event = parse(SourceKind::File, &line, &context);
        assert_eq!(event.text(Field::SourceIp), Some("192.0.2.1"), "{line}");
        assert_eq!(event.get(Field::SourcePort).and_then(|port| port.as_int()), Some(22), "{line}");
    }
});
