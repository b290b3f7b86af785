//! The line that Watchtower users know: who logged in where, from where, how and when.

use serde::Deserialize;

/// The fields of a Watchtower login document that its Slack message shows.
#[derive(Deserialize)]
struct Login {
    hostname: String,
    user: String,
    method: String,
    source_ip: String,
    source_port: String,
    timestamp: String,
}

/// The login that an alert's example line is, where it came over the Watchtower protocol: host,
/// user, address and port, method, time of the event.
pub(crate) fn describe(example: &str) -> Option<String> {
    if !example.starts_with('{') {
        return None;
    }
    let login: Login = serde_json::from_str(example).ok()?;
    let Login { hostname, user, method, source_ip, source_port, timestamp } = login;
    let address = if source_ip.contains(':') { format!("[{source_ip}]") } else { source_ip };
    Some(format!(
        "Login on {hostname}: {user} from {address}:{source_port} by {method} at {timestamp}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_login_document_is_described() {
        let document = |ip: &str| {
            format!(
                r#"{{"type":"user_login","timestamp":"2026-01-31T12:00:00+02:00","hostname":"web1","user":"alice","method":"publickey","source_ip":"{ip}","source_port":"50022","region":"eu"}}"#
            )
        };
        let line = |ip| {
            format!(
                "Login on web1: alice from {ip}:50022 by publickey at 2026-01-31T12:00:00+02:00"
            )
        };
        assert_eq!(describe(&document("192.0.2.7")), Some(line("192.0.2.7")));
        assert_eq!(describe(&document("2001:db8::7")), Some(line("[2001:db8::7]")));
        for other in ["Accepted publickey for alice", "{", r#"{"hostname":"web1"}"#, ""] {
            assert_eq!(describe(other), None);
        }
    }
}
