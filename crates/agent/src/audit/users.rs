//! Whose events are sent.

use std::path::Path;
use std::process::{Command, Stdio};

use bergfried_audit::Glimpse;

use super::options::NamedUser;
use crate::error::AgentError;

/// Keys of rules under which an event is sent whoever it is of; the second pair is ClawTower's.
const ALWAYS: [&[u8]; 4] =
    [b"bergfried-tamper", b"bergfried-config", b"clawtower-tamper", b"clawtower-config"];

/// Whether an event is sent: it is of a watched user, by login or at that moment, or it must be.
pub(super) fn is_watched(watched: &[u32], event: &Glimpse) -> bool {
    let of = |user: Option<u32>| user.is_some_and(|user| watched.contains(&user));
    watched.is_empty()
        || event.auid.is_none()
        || of(event.auid)
        || of(event.uid)
        || event.keys.iter().any(|key| ALWAYS.contains(&key.as_slice()))
}

/// The number of a user: from `passwd`, else from wherever this system knows its users.
pub(super) fn number(user: &NamedUser, passwd: &Path) -> Result<u32, AgentError> {
    let name = match user {
        NamedUser::Number(number) => return Ok(*number),
        NamedUser::Name(name) => name,
    };
    let known = std::fs::read_to_string(passwd).unwrap_or_default();
    in_passwd(&known, name).or_else(|| ask(name)).ok_or_else(|| {
        AgentError::Config(format!(
            "audit.watched_users names `{}`, whom this system does not know",
            name.escape_debug()
        ))
    })
}

/// The third field of passwd(5).
fn in_passwd(passwd: &str, name: &str) -> Option<u32> {
    let mut users = passwd.lines().map(|line| line.split(':'));
    users.find_map(|mut user| if user.next()? == name { user.nth(1)?.parse().ok() } else { None })
}

/// Users of a directory service stand in no file.
fn ask(name: &str) -> Option<u32> {
    let mut command = Command::new("getent");
    let asked = command.args(["passwd", "--", name]).stdin(Stdio::null()).stderr(Stdio::null());
    let answer = asked.output().ok()?;
    in_passwd(std::str::from_utf8(&answer.stdout).ok()?, name)
}

#[cfg(test)]
mod tests {
    use bergfried_audit::glimpse;

    use super::*;

    #[test]
    fn events_of_others_are_left_out_but_never_those_of_tampering() {
        for (fields, sent) in [
            ("auid=1000 uid=0", true),
            ("auid=0 uid=1000", true),
            ("auid=1001 uid=0", false),
            ("auid=4294967295 uid=33", false),
            ("auid=4294967295 uid=1000", true),
            ("auid=-1 uid=33 key=\"bergfried-tamper\"", true),
            ("auid=1001 uid=0 key=\"bergfried-exec\"", false),
            ("auid=1001 uid=0 key=616263016265726766726965642D636F6E666967", true),
            ("auid=1001 uid=0 key=\"clawtower-tamper\"", true),
            ("uid=1001 pid=1", true),
            ("", true),
        ] {
            let line = format!("type=SYSCALL msg=audit(1.5:9): {fields}");
            let event = glimpse(line.as_bytes()).unwrap();
            assert_eq!(is_watched(&[1000], &event), sent, "{fields}");
            assert!(is_watched(&[], &event));
        }
        // A program's own words are no key.
        let forged = "type=USER_CMD msg=audit(1.5:9): uid=7 auid=7 msg='key=\"bergfried-tamper\"'";
        assert!(!is_watched(&[1000], &glimpse(forged.as_bytes()).unwrap()));
    }

    #[test]
    fn users_are_found_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let passwd = directory.path().join("passwd");
        std::fs::write(&passwd, "root:x:0:0::/:/bin/sh\nbroken\nal:x:1000:1::/:/bin/sh\n").unwrap();
        let number = |name: &str| number(&NamedUser::Name(name.to_owned()), &passwd);
        assert_eq!(number("al").unwrap(), 1000);
        let error = number("no-such-user-here").unwrap_err().to_string();
        assert!(error.contains("`no-such-user-here`, whom this system does not know"), "{error}");
        // Known to the system, whatever this file says.
        std::fs::write(&passwd, "").unwrap();
        assert_eq!(super::number(&NamedUser::Name("root".to_owned()), &passwd).unwrap(), 0);
    }
}
