//! PAM modules, in whatever program they run: pam_unix and those that copy its phrasing,
//! pam_faillock, pam_tally2, pam_succeed_if, pam_sss, pam_ldap and others.
//!
//! A module logs `pam_unix(service:type): text`; before Linux-PAM 0.99 the tag held the module,
//! `service(pam_unix)[pid]: text`.

use bergfried_event::{Event, Field};

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, classify, outcome, peer, push_text};

pub(super) const PROGRAM: Program = Program {
    name: "pam",
    tags: &["unix_chkpwd", "pam", "auth", "systemd-user", "gdm", "lightdm", "sddm"],
    read: |message, event| {
        read_text(None, message, event);
    },
};

/// Services in which one user becomes another: `ruser` or `by` acts, the other is the effective
/// one.
fn switches_user(service: &str) -> bool {
    matches!(
        service,
        "su" | "su-l"
            | "sudo"
            | "sudo-i"
            | "runuser"
            | "runuser-l"
            | "polkit-1"
            | "pkexec"
            | "doas"
            | "ksu"
            | "kdesu"
            | "gksu"
    )
}

/// True where the message names a PAM module in front.
pub(super) fn is_pam(message: &str) -> bool {
    // The functions of PAM are named like modules by programs that report what they answered.
    let function = ["pam_authenticate:", "pam_acct_mgmt:", "pam_open_session:", "pam_setcred:"];
    (message.starts_with("pam_") && !function.iter().any(|name| message.starts_with(name)))
        || message.starts_with("(pam_")
}

/// Reads `pam_unix(sshd:auth): text`, `(pam_unix) text` or `pam_unix[12]: text`.
pub(super) fn read_tagged<'a>(program: Option<&str>, message: &'a str, event: &mut Event<'a>) {
    if let Some((_, text)) = message.strip_prefix('(').and_then(|rest| rest.split_once(") ")) {
        if let Some(service) = program {
            event.push(Field::ServiceName, service.to_owned());
        }
        read_text(program, text, event);
        return;
    }
    let Some(end) = message.find(['(', ':', ' ', '[']) else { return };
    let Some((_, rest)) = message.split_at_checked(end) else { return };
    if let Some((inside, text)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
        let service = inside.split_once(':').map_or(inside, |(service, _)| service);
        push_text(event, Field::ServiceName, service);
        read_text(Some(service), text.trim_start_matches([':', ' ']), event);
    } else {
        let text = rest.split_once(": ").map_or(rest, |(_, text)| text);
        read_text(program, text, event);
    }
}

/// Reads the text of a module named in the tag.
pub(super) fn read_for<'a>(service: &str, message: &'a str, event: &mut Event<'a>) {
    event.push(Field::ServiceName, service.to_owned());
    read_text(Some(service), message, event);
}

/// Reads what a module says; true where it is understood.
pub(super) fn read_text<'a>(service: Option<&str>, text: &'a str, event: &mut Event<'a>) -> bool {
    let switches = service.is_some_and(switches_user);
    if let Some(rest) = text.strip_prefix("session ") {
        return session(rest, switches, event);
    }
    if let Some((verdict, rest)) = text.split_once("; ")
        && (rest.starts_with("logname=") || rest.starts_with("rhost="))
    {
        return failure(verdict, rest, switches, event);
    }
    if text.starts_with("check pass; user unknown") {
        verdict(event, FAILURE, "user unknown");
        return true;
    }
    rest_of(text, event)
}

/// `opened for user X(uid=0) by Y(uid=N)`, `closed for user X`.
fn session<'a>(text: &'a str, switches: bool, event: &mut Event<'a>) -> bool {
    if let Some(user) = text.strip_prefix("closed for user ") {
        classify(event, "session", "logged-off");
        outcome(event, SUCCESS);
        push_text(event, Field::UserName, without_id(user.trim_end()).0);
        return true;
    }
    let Some(rest) = text.strip_prefix("opened for user ") else { return false };
    classify(event, "session", "logged-on");
    outcome(event, SUCCESS);
    // The name behind `by` belongs to a user of this host, the one before it may be any text.
    let (user, by) = rest.rsplit_once(" by ").unwrap_or((rest, ""));
    let (user, user_id) = without_id(user);
    let (by, by_id) = without_id(by.trim_end());
    if switches && by != "LOGIN" && !matches!((by, by_id), ("", "" | "0")) {
        push_text(event, Field::UserName, by);
        push_text(event, Field::UserId, by_id);
        push_text(event, Field::UserEffectiveName, user);
        push_text(event, Field::UserEffectiveId, user_id);
    } else {
        push_text(event, Field::UserName, user);
        push_text(event, Field::UserId, user_id);
    }
    true
}

/// Splits `root(uid=0)` into name and id.
fn without_id(text: &str) -> (&str, &str) {
    match text.strip_suffix(')').and_then(|text| text.rsplit_once("(uid=")) {
        Some((name, id)) => (name, id),
        None => (text, ""),
    }
}

/// `authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=1.2.3.4  user=bob`.
///
/// The keys come in this order. `ruser` and `user` may be a stranger's words, so the address is
/// read only where no such word can have made it.
fn failure<'a>(said: &'a str, pairs: &'a str, switches: bool, event: &mut Event<'a>) -> bool {
    let failed = said.contains("failure") || said.contains("failed");
    let success = said.contains("success");
    if !failed && !success {
        return false;
    }
    classify(event, "authentication", "authentication");
    outcome(event, if success { SUCCESS } else { FAILURE });
    // `3 more authentication failures` (pam_unix), `PAM 3 more authentication failures` (sshd).
    let words = said.strip_prefix("PAM ").unwrap_or(said);
    if let Some((count, more)) = words.split_once(' ')
        && more.starts_with("more ")
        && let Some(count) = crate::text::number(count.as_bytes())
    {
        event.push(Field::EventCount, count);
    }
    let Pairs { front, ruser, rhost, user } = Pairs::read(pairs);
    let tty = front.split_once(" tty=").map_or("", |(_, tty)| tty);
    if switches && !ruser.is_empty() {
        event.push(Field::UserName, ruser);
        push_text(event, Field::UserEffectiveName, user);
    } else if switches {
        push_text(event, Field::UserEffectiveName, user);
        let logname = front.strip_prefix("logname=").and_then(|rest| rest.split_once(' '));
        push_text(event, Field::UserName, logname.map_or("", |(name, _)| name));
    } else {
        // Services without accounts of this host name the user as the remote one.
        push_text(event, Field::UserName, if user.is_empty() { ruser } else { user });
    }
    if switches {
        let uid = front.split_once(" uid=").and_then(|(_, rest)| rest.split(' ').next());
        push_text(event, Field::UserId, uid.unwrap_or_default());
    }
    if ["/dev/", "pts/", "tty", ":"].iter().any(|start| tty.starts_with(start)) {
        event.push(Field::ProcessTty, tty);
    }
    if rhost.starts_with('[') {
        peer::with_colon(rhost).push(event);
    } else {
        peer::push_address(event, rhost);
    }
    true
}

/// The pairs after a verdict.
struct Pairs<'a> {
    /// `logname=`, `uid=`, `euid=` and `tty=`, which no stranger writes.
    front: &'a str,
    ruser: &'a str,
    /// Empty where two places could be the address.
    rhost: &'a str,
    user: &'a str,
}

impl<'a> Pairs<'a> {
    fn read(pairs: &'a str) -> Self {
        let (front, rest) = match pairs.strip_prefix("rhost=") {
            Some(_) => ("", pairs),
            None => pairs.split_once(" ruser=").unwrap_or((pairs, "")),
        };
        // sshd names no remote user, so there the first place is the module's own.
        let over_ssh = front.ends_with("tty=ssh") || front.ends_with("tty=NODEVssh");
        if !over_ssh && rest.matches("rhost=").count() > 1 {
            return Pairs { front, ruser: "", rhost: "", user: "" };
        }
        let (ruser, rest) = match rest.strip_prefix("rhost=") {
            Some(rest) => ("", rest),
            None => rest.split_once(" rhost=").unwrap_or((rest, "")),
        };
        let (rhost, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let user = rest.trim_start_matches(' ').strip_prefix("user=").unwrap_or_default();
        let user = user.split_once(" msg=").map_or(user, |(user, _)| user).trim_end();
        Pairs { front, ruser, rhost, user }
    }
}

fn verdict<'a>(event: &mut Event<'a>, result: &'static str, reason: &'a str) {
    classify(event, "authentication", "authentication");
    outcome(event, result);
    push_text(event, Field::EventReason, reason);
}

/// Phrasings of single modules.
fn rest_of<'a>(text: &'a str, event: &mut Event<'a>) -> bool {
    if let Some(user) = text.strip_prefix("password changed for ") {
        classify(event, "iam", "changed-password");
        outcome(event, SUCCESS);
        push_text(event, Field::UserName, user);
        push_text(event, Field::UserTargetName, user);
        return true;
    }
    // pam_unix and pam_ldap account checks: `account bob has expired (account expired)`.
    if let Some((user, reason)) = text
        .strip_prefix("account ")
        .or_else(|| text.strip_prefix("expired password for user "))
        .and_then(|rest| rest.strip_suffix(')'))
        .and_then(|rest| rest.rsplit_once(" ("))
    {
        let user = user.strip_suffix(" has expired").unwrap_or(user);
        let user = user.strip_suffix(" has password changed in future").unwrap_or(user);
        verdict(event, FAILURE, reason);
        push_text(event, Field::UserName, user);
        return true;
    }
    if matches!(text, "conversation failed" | "no password supplied") {
        verdict(event, FAILURE, text);
        return true;
    }
    // pam_succeed_if: `requirement "uid >= 1000" not met by user "bob"`.
    if let Some((_, user)) = text.rsplit_once(" not met by user \"") {
        verdict(event, FAILURE, "requirement not met");
        push_text(event, Field::UserName, user.strip_suffix('"').unwrap_or(user));
        return true;
    }
    // pam_faillock and pam_tally2.
    if let Some(user) = text.strip_prefix("Consecutive login failures for user ") {
        let user = user.split_once(" account temporarily locked").map_or(user, |(user, _)| user);
        verdict(event, FAILURE, "account temporarily locked");
        push_text(event, Field::UserName, user);
        return true;
    }
    if let Some((user, reason)) = text.strip_prefix("user ").and_then(|rest| {
        rest.rsplit_once(" tally ").or_else(|| rest.rsplit_once(" has time limit "))
    }) {
        let user = user.split_once(" (").map_or(user, |(user, _)| user);
        verdict(event, FAILURE, reason);
        push_text(event, Field::UserName, user);
        return true;
    }
    // pam_sss: `received for user bob: 7 (Authentication failure)`.
    if let Some((user, reason)) =
        text.strip_prefix("received for user ").and_then(|rest| rest.rsplit_once(": "))
    {
        verdict(event, FAILURE, reason);
        push_text(event, Field::UserName, user);
        return true;
    }
    // pam_ldap: `error trying to bind as user "uid=bob,ou=x" (Invalid credentials)`.
    if let Some((user, reason)) = text
        .strip_prefix("error trying to bind as user \"")
        .and_then(|rest| rest.rsplit_once("\" ("))
    {
        verdict(event, FAILURE, reason.strip_suffix(')').unwrap_or(reason));
        let name = user.strip_prefix("uid=").and_then(|rest| rest.split(',').next());
        push_text(event, Field::UserName, name.unwrap_or(user));
        return true;
    }
    // unix_chkpwd and pam_unix: `password check failed for user (bob)`.
    if let Some(user) = text.strip_prefix("password check failed for user ") {
        verdict(event, FAILURE, "password check failed");
        let user = user.trim_end_matches(')');
        push_text(event, Field::UserName, user.strip_prefix('(').unwrap_or(user));
        return true;
    }
    // pam_unix: `auth could not identify password for [bob]`.
    if let Some(user) = text.strip_prefix("auth could not identify password for [") {
        verdict(event, FAILURE, "no password given");
        push_text(event, Field::UserName, user.strip_suffix(']').unwrap_or(user));
        return true;
    }
    // pam_unix: `bad username [x]`; pam_unix account: `could not identify user (from getpwnam(x))`.
    if let Some(user) = text.strip_prefix("bad username [") {
        verdict(event, FAILURE, "bad user name");
        push_text(event, Field::UserName, user.strip_suffix(']').unwrap_or(user));
        return true;
    }
    // pam_listfile, pam_access, pam_time.
    if let Some(user) = text.strip_prefix("Refused user ") {
        let user = user.split_once(" for service ").map_or(user, |(user, _)| user);
        verdict(event, FAILURE, "refused by list");
        push_text(event, Field::UserName, user);
        return true;
    }
    if let Some((user, from)) =
        text.strip_prefix("access denied for user `").and_then(|rest| rest.rsplit_once("' from `"))
    {
        verdict(event, FAILURE, "access denied");
        push_text(event, Field::UserName, user);
        peer::push_address(event, from.strip_suffix('\'').unwrap_or(from));
        return true;
    }
    phrase::read(MODULES, text, event)
}

/// Phrasings that take one line each.
pub(super) const MODULES: &[Phrase] = &[
    // pam_faillock.
    Phrase("User unknown", "authentication", FAILURE),
    // pam_ldap, pam_krb5, pam_winbind.
    Phrase("Authentication failure; user={user}", "authentication", FAILURE),
    Phrase("authentication fails for '{name}' ({any}", "authentication", FAILURE),
    Phrase("authentication succeeds for '{name}' ({any}", "authentication", SUCCESS),
    Phrase("user '{name}' granted access{any}", "authentication", SUCCESS),
    Phrase("user `{name}' granted access{any}", "authentication", SUCCESS),
    Phrase("user '{name}' denied access{any}", "authentication", FAILURE),
    Phrase("user `{name}' denied access{any}", "authentication", FAILURE),
    Phrase("request wbcLogonUser failed: {any}", "authentication", FAILURE),
    // pam_google_authenticator.
    Phrase("Invalid verification code for {user}", "authentication", FAILURE),
    Phrase("Invalid verification code", "authentication", FAILURE),
    Phrase("Accepted google_authenticator for {user}", "authentication", SUCCESS),
    // pam_wheel; `{any}` is whom he wanted to become.
    Phrase("Access denied to '{name}' for '{any}'", "authentication", FAILURE),
    Phrase("Access granted to '{name}' for '{any}'", "authentication", SUCCESS),
    // pam_unix, pam_securetty.
    Phrase("user \"{user}\" does not exist in /etc/passwd", "authentication", FAILURE),
    Phrase("access denied: tty '{any}' is not secure !", "authentication", FAILURE),
    // pam_systemd.
    Phrase("Failed to create session: {any}", "session-error", FAILURE),
    Phrase("Failed to release session: {any}", "session-error", FAILURE),
];
