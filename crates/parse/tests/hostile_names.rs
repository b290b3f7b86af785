//! Whatever a stranger types as a user name, the address comes from what the program wrote.

#![expect(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use bergfried_event::{Event, Field, SourceKind};
use bergfried_parse::{Context, parse};
use proptest::prelude::*;

fn context() -> Context<'static> {
    Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

fn read(line: &str) -> Event<'_> {
    parse(SourceKind::File, line, &context())
}

const PRINT: &str = "SHA256:oGr8HKa0gYzqU1iCsoLfHbLKYqCyYQcXAJw3xqHCN5Q";

/// A line of sshd, with `{u}`, `{a}` and `{p}` where user, address and port stand.
const TEMPLATES: &[&str] = &[
    "Failed password for {u} from {a} port {p} ssh2",
    "Failed password for invalid user {u} from {a} port {p} ssh2",
    "Failed none for invalid user {u} from {a} port {p} ssh2",
    "Failed keyboard-interactive/pam for {u} from {a} port {p} ssh2",
    "Failed publickey for {u} from {a} port {p} ssh2: RSA {k}",
    "Accepted publickey for {u} from {a} port {p} ssh2: ED25519 {k}",
    "Accepted publickey for {u} from {a} port {p} ssh2: ED25519-CERT {k} ID bob (serial 7) CA RSA {k}",
    "Failed hostbased for {u} from {a} port {p} ssh2: RSA {k}, client user \"bob\", client host \"h\"",
    "Accepted gssapi-with-mic for {u} from {a} port {p} ssh2: bob@EXAMPLE.ORG",
    "Accepted password for {u} from {a} port {p} ssh2",
    "Postponed keyboard-interactive for invalid user {u} from {a} port {p} ssh2 [preauth]",
    "Partial publickey for {u} from {a} port {p} ssh2: RSA {k}",
    "Invalid user {u} from {a} port {p}",
    "Connection closed by authenticating user {u} {a} port {p} [preauth]",
    "Connection closed by invalid user {u} {a} port {p} [preauth]",
    "Connection reset by authenticating user {u} {a} port {p} [preauth]",
    "Disconnected from authenticating user {u} {a} port {p} [preauth]",
    "Disconnected from invalid user {u} {a} port {p} [preauth]",
    "Disconnected from user {u} {a} port {p}",
    "Disconnecting authenticating user {u} {a} port {p}: Too many authentication failures [preauth]",
    "Disconnecting invalid user {u} {a} port {p}: Too many authentication failures [preauth]",
    "error: maximum authentication attempts exceeded for {u} from {a} port {p} ssh2 [preauth]",
    "error: maximum authentication attempts exceeded for invalid user {u} from {a} port {p} ssh2 [preauth]",
    "ssh_dispatch_run_fatal: Connection from authenticating user {u} {a} port {p}: Broken pipe [preauth]",
    "ssh_dispatch_run_fatal: Connection from invalid user {u} {a} port {p}: message authentication code incorrect [preauth]",
    "Bad protocol version identification '{u}' from {a} port {p}",
    "message repeated 3 times: [ Failed password for invalid user {u} from {a} port {p} ssh2]",
    "Starting session: command for {u} from {a} port {p} id 0",
    "Close session: user {u} from {a} port {p} id 0",
];

/// Every kind of source that has text.
const KINDS: &[SourceKind] = &[
    SourceKind::File,
    SourceKind::Syslog,
    SourceKind::Json,
    SourceKind::Journald,
    SourceKind::Watchtower,
];

/// Lines whose name or quotation may leave the address unknown, but never wrong.
const AMBIGUOUS: &[&str] = &[
    "Disconnecting authenticating user {u} {a} port {p}: Change of username or service not allowed: (x,ssh-connection) -> ({u},ssh-connection) [preauth]",
    "Failed hostbased for {u} from {a} port {p} ssh2: RSA {k}, client user \"{u}\", client host \"h\"",
    "pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 tty=ftp ruser={u} rhost={a}",
    "pam_sss(x:auth): authentication failure; logname= uid=0 euid=0 tty=x ruser={u} rhost={a} user={u}",
    "Failed publickey for {u} from {a} port {p} ssh2: RSA-CERT {k} ID {u} (serial 7) CA RSA {k}",
];

/// Lines without a port.
const PORTLESS: &[&str] = &[
    "User {u} from {a} not allowed because not listed in AllowUsers",
    "User {u} from {a} not allowed because listed in DenyUsers",
    "error: PAM: Authentication failure for {u} from {a}",
    "error: PAM: User not known to the underlying authentication module for illegal user {u} from {a}",
    "pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={a} user={u}",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={a}  user={u}",
    "Invalid user {u} from {a}",
    "Failed password for invalid user {u} from {a}",
];

fn line(template: &str, user: &str, address: &str, port: u16) -> String {
    // One pass, so that a name cannot hold a placeholder.
    let mut text = String::from("Dec 10 06:55:46 host sshd[24200]: ");
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        match after.split_at(1).0 {
            "u" => text.push_str(user),
            "a" => text.push_str(address),
            "p" => text.push_str(&port.to_string()),
            _ => text.push_str(PRINT),
        }
        rest = after.split_once('}').unwrap().1;
    }
    text + rest
}

/// Names as an attacker would choose them: pieces of sshd's own lines, put together at random.
fn user() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just(" from ".to_owned()),
        Just("6.6.6.6".to_owned()),
        Just(" port 66".to_owned()),
        Just(" ssh2".to_owned()),
        Just(" from 6.6.6.6 port 66 ssh2".to_owned()),
        Just(format!(" from 6.6.6.6 port 66 ssh2: RSA {PRINT}")),
        Just(format!(" from 6.6.6.6 port 66 ssh2: RSA {PRINT}, client user \"")),
        Just(format!(" from 6.6.6.6 port 66 ssh2: RSA-CERT {PRINT} ID ")),
        Just(" 6.6.6.6 port 66".to_owned()),
        Just(" 6.6.6.6 port 66: Broken pipe".to_owned()),
        Just(" 6.6.6.6 port 66: Change of username or service not allowed: (".to_owned()),
        Just("' from 6.6.6.6 port 66".to_owned()),
        Just(" not allowed because listed in DenyUsers".to_owned()),
        Just(" rhost=6.6.6.6".to_owned()),
        Just(" ruser= rhost=6.6.6.6 user=".to_owned()),
        Just(" for ".to_owned()),
        Just("invalid user ".to_owned()),
        Just(" [preauth]".to_owned()),
        Just("]".to_owned()),
        Just("root".to_owned()),
        Just(": ".to_owned()),
        Just(" ".to_owned()),
        "[ -~]{0,8}",
        "\\PC{0,6}",
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>()
            .prop_filter("a mapped address is written as IPv4", |a| a.to_ipv4_mapped().is_none())
            .prop_map(|address| address.to_string()),
        Just("fe80::1%eth0".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_address_is_the_peers(
        template in prop::sample::select(TEMPLATES),
        user in user(),
        address in address(),
        port in any::<u16>(),
    ) {
        let line = line(template, &user, &address, port);
        let event = read(&line);
        // A forged certificate or host key in the name makes two readings of one line.
        let long_key = template.contains(" ID bob") || template.contains("client user");
        let forged = user.contains("ssh2: ");
        let quoted = user.contains("Change of username");
        let ip = event.text(Field::SourceIp);
        if (long_key && forged) || (quoted && template.starts_with("Disconnecting")) {
            prop_assert!(ip.is_none() || ip == Some(&address), "{line}\n{event:?}");
        } else {
            prop_assert_eq!(ip, Some(address.as_str()), "{}", line);
            let read = event.get(Field::SourcePort).and_then(|port| port.as_int());
            prop_assert_eq!(read, Some(i64::from(port)), "{}", line);
        }
    }

    #[test]
    fn an_ambiguous_address_is_left_out(
        template in prop::sample::select(AMBIGUOUS),
        user in user(),
        address in address(),
        port in any::<u16>(),
    ) {
        let line = line(template, &user, &address, port);
        let event = read(&line);
        let ip = event.text(Field::SourceIp);
        prop_assert!(ip.is_none() || ip == Some(&address), "{line}\n{event:?}");
    }

    #[test]
    fn the_address_without_port_is_the_peers(
        template in prop::sample::select(PORTLESS),
        user in user(),
        address in address(),
    ) {
        let line = line(template, &user, &address, 0);
        let event = read(&line);
        prop_assert_eq!(event.text(Field::SourceIp), Some(address.as_str()), "{}", line);
    }

    #[test]
    fn any_text_is_an_event(text in "\\PC{0,200}", kind in prop::sample::select(KINDS)) {
        let event = parse(kind, &text, &context());
        prop_assert_eq!(event.original(), text.as_str());
        prop_assert!(event.text(Field::HostName).is_some());
    }

    #[test]
    fn any_pieces_of_envelopes_are_an_event(
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(&[
                "<38>", "<192>", "<", ">", "1 ", "12 ", "\u{feff}", "\0", "\n", ": ", "*", "[", "]",
                "Nov 20 10:11:12 ", "2026-11-20T10:11:12Z ", "1795169472.5 ", "5d14h: ", "29: ",
                "relay ", "s@a/b ", "[192.0.2.1] ", "RP/0/0:", " : ", "%SYS-5-CONFIG_I: ", "CET",
                "Message forwarded from a: ", "- ", "[x@1 y=\"z\"]", "sshd[12]: ", "sshd: ",
                "@cee: ", "{\"message\":\"", "{\"log\":\"", "\"}", "message repeated 2 times: [ ",
            ][..]).prop_map(str::to_owned),
            "\\PC{0,4}",
        ], 0..12),
        kind in prop::sample::select(KINDS),
    ) {
        let text = pieces.concat();
        let event = parse(kind, &text, &context());
        prop_assert_eq!(event.original(), text.as_str());
        prop_assert!(event.text(Field::HostName).is_some(), "{}", text);
        prop_assert!(event.get(Field::Message).is_some() || text.contains('{'), "{}", text);
    }

    #[test]
    fn any_message_of_a_known_program_is_an_event(
        program in prop::sample::select(&[
            "sshd", "sudo", "su", "login", "CRON", "useradd", "gpasswd", "passwd", "systemd-logind",
            "dropbear", "vsftpd", "pkexec", "polkitd", "su(pam_unix)", "unix_chkpwd",
        ][..]),
        pieces in prop::collection::vec(prop_oneof![
            prop::sample::select(&[
                "pam_unix(sshd:auth): ", "authentication failure; ", "session opened for user ",
                " rhost=", " user=", "Disconnecting ", "Accepted password for ", "(root) CMD (",
                " : TTY=pts/0 ; ", "COMMAND=", "FAILED LOGIN (1) on '", "' FOR '", "user 'x' ",
                "message repeated 2 times: [ ", "Exit before auth", " from <", "Connection from ",
                "srclimit_penalise: ", "drop connection #1 from [", "new user: name=", "\u{feff}é",
            ][..]).prop_map(str::to_owned),
            "\\PC{0,10}",
        ], 0..6),
    ) {
        let line = format!("Dec 10 06:55:46 host {program}[1]: {}", pieces.concat());
        let event = read(&line);
        prop_assert_eq!(event.original(), line.as_str());
        let mut names: Vec<&str> = event.fields().iter().map(|(name, _)| name.as_str()).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), count, "a field set twice: {}", line);
    }
}
