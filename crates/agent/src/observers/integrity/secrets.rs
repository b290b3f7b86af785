//! What of a file's text may be kept: none of a private key, and no value that looks like a password.

/// Words whose value is left out: where one ends a name that `=` or `:` follows.
const WORDS: &[&str] = &[
    "password",
    "passphrase",
    "secret",
    "token",
    "psk",
    "api_key",
    "apikey",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "private_key",
    "private-key",
    "privatekey",
    "pwd",
    "credential",
    "credentials",
    "secret_key",
    "secretkey",
    "shared_key",
    "sharedkey",
    "encryption_key",
    "encryptionkey",
    "signing_key",
    "authorization",
    "authkey",
    "auth_key",
    "client_secret",
    "rootpw",
    "bindpw",
    "community",
];
/// The same, where only `=` makes them one: `passwd: files` is no secret.
const WITH_SIGN: &[&str] = &["passwd", "pass"];
/// How hashes of passwords begin (crypt(5), and those of LDAP): the rest of their line goes with them.
const HASHES: &[&str] = &[
    "$y$", "$gy$", "$7$", "$2a$", "$2b$", "$2y$", "$6$", "$5$", "$1$", "$apr1$", "$md5", "$sha1$",
    "$argon2", "$scrypt$", "$pbkdf2", "{ssha", "{sha", "{crypt}", "{md5}", "{smd5}",
];
/// Stands where a value was.
const HIDDEN: &str = "[hidden]";

/// The text without secrets; `None` of what is no text, and of private keys.
pub(super) fn shown(content: &[u8]) -> Option<String> {
    if content.contains(&0) {
        return None;
    }
    let text = std::str::from_utf8(content).ok()?;
    let is_key = |line: &str| line.contains("-----BEGIN ") && line.contains("PRIVATE KEY");
    if text.lines().any(is_key) || text.contains("PuTTY-User-Key-File") {
        return None;
    }
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        redact(line, &mut shown);
    }
    Some(shown)
}

/// Appends a line, its secret values replaced.
fn redact(line: &str, shown: &mut String) {
    let (body, end) = match line.strip_suffix('\n') {
        Some(body) => (body, "\n"),
        None => (line, ""),
    };
    match secret_start(body) {
        Some(start) => {
            shown.push_str(body.get(..start).unwrap_or_default());
            shown.push_str(HIDDEN);
        }
        None => without_logins(body, shown),
    }
    shown.push_str(end);
}

/// Where the first value of a line begins that is to be left out; the rest of the line goes with it.
fn secret_start(line: &str) -> Option<usize> {
    // Lengths stay: only ASCII letters change.
    let lower = line.to_ascii_lowercase();
    let after = |end: usize, spaced: bool| {
        let rest = lower.get(end..)?;
        let trimmed = rest.trim_start_matches(['"', '\'', ' ', '\t']);
        let gap = rest.len() - trimmed.len();
        let sign = trimmed.strip_prefix(":=").or_else(|| trimmed.strip_prefix(['=', ':']));
        let value = match sign {
            Some(value) => value,
            None if spaced && gap > 0 => trimmed,
            None => return None,
        };
        let value = value.trim_start_matches(['"', '\'', ' ', '\t']);
        (!value.is_empty()).then(|| line.len() - value.len())
    };
    let found = WORDS.iter().flat_map(|word| {
        // Of these a blank is enough, as in interfaces(5) and snmpd.conf(5).
        let spaced = matches!(*word, "psk" | "bindpw" | "rootpw");
        lower.match_indices(word).map(move |(at, _)| (at, word.len(), spaced))
    });
    let named = found.filter_map(|(at, length, spaced)| after(at + length, spaced)).min();
    let assigned = WITH_SIGN.iter().flat_map(|word| {
        lower.match_indices(word).filter_map(|(at, word)| {
            let rest = lower.get(at + word.len()..)?.trim_start_matches([' ', '\t']);
            let value = rest.strip_prefix('=')?.trim_start_matches(['"', '\'', ' ', '\t']);
            (!value.is_empty()).then(|| line.len() - value.len())
        })
    });
    let hash = HASHES.iter().filter_map(|begin| lower.find(begin)).min();
    named.into_iter().chain(assigned).chain(hash).min()
}

/// Appends a line, the passwords of its addresses (`scheme://user:password@host`) replaced.
fn without_logins(line: &str, shown: &mut String) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("://") {
        shown.push_str(before);
        shown.push_str("://");
        let end = after.find(['/', ' ', '\t', '"', '\'']).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((login, host)) if login.contains(':') => {
                let user = login.split(':').next().unwrap_or_default();
                shown.push_str(user);
                shown.push(':');
                shown.push_str(HIDDEN);
                shown.push('@');
                shown.push_str(host);
            }
            _ => shown.push_str(authority),
        }
        rest = tail;
    }
    shown.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_left_out_and_nothing_else() {
        for (line, expected) in [
            ("PermitRootLogin no", "PermitRootLogin no"),
            ("PasswordAuthentication yes", "PasswordAuthentication yes"),
            ("passwd:  files systemd", "passwd:  files systemd"),
            (
                "password [success=1 default=ignore] pam_unix.so",
                "password [success=1 default=ignore] pam_unix.so",
            ),
            ("password: hunter2", "password: [hidden]"),
            ("DB_PASSWORD='hunter2' # x", "DB_PASSWORD='[hidden]"),
            ("  \"apiKey\": \"abc\",", "  \"apiKey\": \"[hidden]"),
            ("wpa-psk hunter2", "wpa-psk [hidden]"),
            ("root:$y$j9T$abc$def:20000:0:99999:7:::", "root:[hidden]"),
            ("web:$apr1$abc$def", "web:[hidden]"),
            ("rootdn {SSHA}abc", "rootdn [hidden]"),
            ("PresharedKey = abc=", "PresharedKey = [hidden]"),
            ("//nas/x /mnt cifs user=u,pass=hunter2 0 0", "//nas/x /mnt cifs user=u,pass=[hidden]"),
            ("SMTP_PASS='hunter2'", "SMTP_PASS='[hidden]"),
            ("Authorization: Bearer abc", "Authorization: [hidden]"),
            ("bash $1 \"$2\" ${3}", "bash $1 \"$2\" ${3}"),
            ("PWD=", "PWD="),
            ("url = postgres://me:hunter2@db/x y", "url = postgres://me:[hidden]@db/x y"),
            ("a http://h:80/x@y", "a http://h:80/x@y"),
            ("proxy http://u:p@q@h:80/ http://i/", "proxy http://u:[hidden]@h:80/ http://i/"),
            ("ÄPFEL secret = ß\n", "ÄPFEL secret = [hidden]\n"),
        ] {
            assert_eq!(shown(line.as_bytes()).as_deref(), Some(expected), "{line}");
        }
    }

    #[test]
    fn keys_and_binaries_are_not_read_at_all() {
        for content in [
            &b"x\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n"[..],
            b"-----BEGIN PRIVATE KEY-----",
            b"PuTTY-User-Key-File-3: ssh-ed25519",
            b"\x7fELF\0\0",
            b"\xff\xfe",
        ] {
            assert_eq!(shown(content), None);
        }
    }
}
