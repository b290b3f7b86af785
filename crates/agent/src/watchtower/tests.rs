use bergfried_event::{SourceKind, Timestamp};

use super::*;
use crate::secret::Secret;

fn collector() -> Watchtower {
    Watchtower {
        url: "http://c/login".to_owned(),
        token: Secret::new("t"),
        region: None,
        host_group: None,
        severity: "info".to_owned(),
        flagged: false,
        verify_tls: true,
        ssh_unit: None,
    }
}

#[test]
fn only_what_sshd_accepted_is_a_login() {
    let to = collector();
    for (line, expected) in [
        (
            "Nov 21 04:31:28 web1 sshd[7]: Accepted password for bob from 192.0.2.1 port 22 ssh2",
            true,
        ),
        (
            "Nov 21 04:31:28 web1 sshd-session[7]: Accepted publickey for bob from 192.0.2.1 port 22 ssh2",
            true,
        ),
        (
            "Nov 21 04:31:28 web1 sshd[7]: Failed password for bob from 192.0.2.1 port 22 ssh2",
            false,
        ),
        (
            "Nov 21 04:31:28 web1 sshd[7]: Invalid user Accepted password for bob from 192.0.2.1 port 22",
            false,
        ),
        (
            "Nov 21 04:31:28 web1 app[7]: Accepted password for bob from 192.0.2.1 port 22 ssh2",
            false,
        ),
        ("Accepted password for bob from 192.0.2.1 port 22 ssh2", false),
    ] {
        let context = Context {
            received: Timestamp::from_seconds(1_795_235_500),
            host: "web1",
            time_zone: jiff::tz::TimeZone::UTC,
            year: None,
        };
        let event = parse(SourceKind::File, line, &context);
        let login = login(&event, "web1", &to);
        assert_eq!(login.is_some(), expected, "{line}\n{event:?}");
        if let Some(login) = login {
            assert_eq!((login.user, login.source_ip), ("bob", "192.0.2.1"));
            assert_eq!((login.hostname, login.source_port.as_str()), ("web1", "22"));
        }
    }
}
