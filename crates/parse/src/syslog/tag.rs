//! The tag of a syslog line: the program, and its process id where it gives one.

use crate::programs;
use crate::text::{number, skip_spaces};

/// No program has a longer name; a longer word is the message itself.
const NAME_LIMIT: usize = 128;

/// A tag, and the message after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) program: &'a str,
    pub(super) pid: Option<i64>,
    /// The module of the old `su(pam_unix)` form.
    pub(super) pam_module: Option<&'a str>,
    pub(super) message: &'a str,
}

impl Tag<'_> {
    /// True where one of the program parsers reads this program.
    pub(super) fn is_known(&self) -> bool {
        programs::find(self.program).is_some()
    }
}

/// Reads `name: `, `name[pid]: `, `name(pam_module)[pid]: ` and what comes near them.
pub(super) fn read(text: &str) -> Option<Tag<'_>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let step = bytes
            .get(at..)?
            .iter()
            .take(NAME_LIMIT)
            .position(|byte| matches!(byte, b':' | b'[' | b' '))?;
        at += step;
        if at == 0 && bytes.first() != Some(&b' ') {
            return None;
        }
        let name = text.get(..at)?;
        let after = text.get(at + 1..)?;
        match bytes.get(at)? {
            b'[' => return bracketed(text, name, after).or_else(|| apple(text)),
            b':' if after.is_empty() || after.starts_with([' ', '\t']) => {
                return Some(tag(name, None, after));
            }
            b':' if at < NAME_LIMIT => at += 1,
            b' ' => return spaced(text).or_else(|| unspaced_colon(text)),
            _ => return None,
        }
    }
}

/// The program's own name: without the directory, the `]` that gdm leaves behind and what stands
/// in brackets, as in `polkitd(authority=local)`.
pub(crate) fn unqualified(program: &str) -> &str {
    let program = program.trim_end_matches(']');
    let program = program.split_once('(').map_or(program, |(name, _)| name);
    match program.rsplit_once('/') {
        // postfix/smtpd is a name of its own, /usr/sbin/cron is a path.
        Some((directory, name)) if directory.is_empty() || directory.starts_with('/') => name,
        _ => program,
    }
}

fn tag<'a>(name: &'a str, pid: Option<i64>, message: &'a str) -> Tag<'a> {
    let name = name.trim_matches(' ');
    let (program, pam_module) = match name.strip_suffix(')').and_then(|name| name.split_once('(')) {
        Some((program, module)) if module.starts_with("pam_") && !program.is_empty() => {
            (program, Some(module))
        }
        _ => (name, None),
    };
    Tag { program, pid, pam_module, message: skip_spaces(message) }
}

/// `name[pid]: message`; the colon may be missing.
fn bracketed<'a>(text: &'a str, name: &'a str, after: &'a str) -> Option<Tag<'a>> {
    let (inside, rest) = after.split_once(']')?;
    let pid = number(inside.as_bytes());
    match (pid, rest.strip_prefix(':')) {
        (Some(_), Some(message)) => Some(tag(name, pid, message)),
        (Some(_), None) if rest.starts_with(" (") => apple(text).or(Some(tag(name, pid, rest))),
        (Some(_), None) if rest.is_empty() || rest.starts_with(' ') => Some(tag(name, pid, rest)),
        (None, Some(message)) if message.starts_with(' ') && !inside.contains(' ') => {
            let length = text.len() - message.len() - 1;
            Some(tag(text.get(..length)?, None, message))
        }
        _ => None,
    }
}

/// `com.apple.xpc.launchd[1] (com.apple.quicklook[21981]): message`: the whole is the name.
fn apple(text: &str) -> Option<Tag<'_>> {
    let (name, message) = text.split_once("): ")?;
    let inside = name.split_once("] (")?.1;
    if name.len() > NAME_LIMIT || inside.contains(' ') {
        return None;
    }
    Some(Tag { program: text.get(..=name.len())?, pid: None, pam_module: None, message })
}

/// `Google Chrome[85294]: message` and ` -- root[2421]: message`: a name with spaces, which only a
/// process id sets apart from a message without tag.
fn spaced(text: &str) -> Option<Tag<'_>> {
    let (name, after) = text.split_once('[')?;
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'.' | b'_' | b'-');
    let words = name.split_ascii_whitespace().count();
    if name.len() > 64 || words == 0 || words > 3 || !name.bytes().all(plain) {
        return None;
    }
    let (inside, rest) = after.split_once("]: ")?;
    Some(tag(name, Some(number(inside.as_bytes())?), rest))
}

/// `name:message`, which RFC 3164 section 4.1.3 allows: the tag ends where the letters end.
fn unspaced_colon(text: &str) -> Option<Tag<'_>> {
    let (name, message) = text.split_once(':')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let known = starts && name.len() <= 48 && name.bytes().all(plain);
    (known && !message.starts_with([':', '/'])).then(|| tag(name, None, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_give_name_pid_and_message() {
        let cases = [
            ("sshd[12]: hello", ("sshd", Some(12), None, "hello")),
            ("sudo:   bob : x", ("sudo", None, None, "bob : x")),
            ("su(pam_unix)[8060]: session", ("su", Some(8060), Some("pam_unix"), "session")),
            ("postfix/smtpd[1]: x", ("postfix/smtpd", Some(1), None, "x")),
            ("/usr/sbin/cron[1]: x", ("/usr/sbin/cron", Some(1), None, "x")),
            ("gdm-password]: x", ("gdm-password]", None, None, "x")),
            ("kernel: [  1.5] x", ("kernel", None, None, "[  1.5] x")),
            (
                "Google Chrome[85294]: objc[1]: x",
                ("Google Chrome", Some(85294), None, "objc[1]: x"),
            ),
            (" -- root[2]: ROOT LOGIN ON tty2", ("-- root", Some(2), None, "ROOT LOGIN ON tty2")),
            ("fail2ban.actions   [9]: NOTICE", ("fail2ban.actions", Some(9), None, "NOTICE")),
            ("a::b[1]: x", ("a::b", Some(1), None, "x")),
            ("prog:message text", ("prog", None, None, "message text")),
            ("launchd[1] (a.b[2]): x", ("launchd[1] (a.b[2])", None, None, "x")),
            ("sshd[12] no colon", ("sshd", Some(12), None, "no colon")),
            ("x:", ("x", None, None, "")),
        ];
        for (text, (program, pid, pam_module, message)) in cases {
            assert_eq!(read(text), Some(Tag { program, pid, pam_module, message }), "{text}");
        }
    }

    #[test]
    fn messages_without_tag_have_none() {
        for text in
            ["", "last message repeated 2 times", "[12.5] x", ": x", "see http://x/ y", "a b c: d"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
