//! What programs of macOS alone say: who may, who logs in at the screen or from afar, what starts by
//! itself, and what applications may see.

use bergfried_event::{Event, Field, FieldName};

use super::phrase::{self, Phrase};
use super::{FAILURE, Program, SUCCESS, classify, outcome, push_text};
use crate::text::number;

pub(super) const PROGRAM: Program = Program {
    name: "macos",
    tags: &[
        "authd",
        "authorizationhost",
        "backgroundtaskmanagementd",
        "loginwindow",
        "mdmclient",
        "opendirectoryd",
        "screensharingd",
        "securityagent",
        "tccd",
    ],
    read,
};

/// Messages that always say the same. What Open Directory finds wrong with a password, whoever asked
/// says too: it is no login of its own.
const PHRASES: &[Phrase] = &[
    Phrase(
        "Authentication: FAILED :: User Name: {user} :: Viewer Address: {address} :: Type: {word}",
        "remote_login",
        FAILURE,
    ),
    Phrase(
        "Authentication: SUCCEEDED :: User Name: {user} :: Viewer Address: {address} :: Type: {word}",
        "remote_login",
        SUCCESS,
    ),
    Phrase("Failed to authenticate user <{user}> (error: {word}).", "authentication", FAILURE),
    Phrase("Failed to authenticate user <{user}> (error: {word})", "authentication", FAILURE),
    Phrase("Failed to authenticate user <{user}> (tDirStatus: {word})", "authentication", FAILURE),
    Phrase("Failed to authenticate user <{user}> (tDirStatus: {word}).", "authentication", FAILURE),
    Phrase("Authentication failed for {user} with result {word}", "password-check", FAILURE),
    Phrase("Authentication failed for <{user}> with result {word}", "password-check", FAILURE),
];

fn read<'a>(message: &'a str, event: &mut Event<'a>) {
    event.push(Field::EventModule, "macos");
    let known = phrase::read(PHRASES, message, event)
        || right(message, event)
        || session(message, event)
        || permission(message, event)
        || launch_item(message, event)
        || password(message, event);
    if !known && let Some(name) = message.strip_prefix("Installed configuration profile: ") {
        classify(event, "configuration", "profile-installed");
        push_other(event, "macos.profile", name);
    }
}

/// authd: `Succeeded authorizing right 'R' by client 'C' [7] for authorization created by 'A' [6] (…)`.
fn right<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let (rest, result) = match message.strip_prefix("Succeeded authorizing right '") {
        Some(rest) => (rest, SUCCESS),
        None => match message.strip_prefix("Failed to authorize right '") {
            Some(rest) => (rest, FAILURE),
            None => return false,
        },
    };
    // The names of rights have no quote in them; the paths of who asks may have anything.
    let Some((name, rest)) = rest.split_once("' by client '") else { return false };
    let Some((client, creator)) = rest.rsplit_once(" for authorization created by '") else {
        return false;
    };
    classify(event, "iam", "authorized-right");
    outcome(event, result);
    push_other(event, "macos.right", name);
    if let Some((path, pid)) = path_and_pid(client) {
        push_text(event, Field::ProcessExecutable, path);
        event.set(Field::ProcessPid, pid);
    }
    let creator = creator.rsplit_once("] (").map_or(creator, |(creator, _)| creator);
    if let Some((path, _)) = path_and_pid(creator) {
        push_other(event, "macos.authorization.creator", path);
    }
    true
}

/// `/path' [7]`, also without its last bracket.
fn path_and_pid(text: &str) -> Option<(&str, i64)> {
    let (path, pid) = text.trim_end_matches(']').rsplit_once("' [")?;
    Some((path, number(pid.as_bytes())?))
}

/// `USER_PROCESS: 83 console` of loginwindow, as in utmpx(5).
fn session<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let (action, rest) = match message.split_once(": ") {
        Some(("USER_PROCESS", rest)) => ("logged-on", rest),
        Some(("DEAD_PROCESS", rest)) => ("logged-off", rest),
        _ => return false,
    };
    let Some((_, tty)) = rest.split_once(' ') else { return false };
    classify(event, "session", action);
    outcome(event, SUCCESS);
    push_text(event, Field::ProcessTty, tty);
    true
}

/// tccd: `Update Access Record: kTCCServiceX for CLIENT to Allowed (System Set) at …`.
fn permission<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(rest) = message.strip_prefix("Update Access Record: ") else { return false };
    let Some((service, rest)) = rest.split_once(" for ") else { return false };
    let Some((client, value)) = rest.rsplit_once(" to ") else { return false };
    classify(event, "configuration", "changed-privacy-permission");
    let value = value.split(' ').next().unwrap_or_default();
    push_other(event, "macos.tcc.service", service);
    push_other(event, "macos.tcc.client", client);
    push_other(event, "macos.tcc.value", value);
    true
}

/// What starts by itself from now on: `registerLaunchItem: result=no error, new item
/// disposition=[enabled, …], identifier=com.example, url=file:///Library/LaunchDaemons/x.plist`.
fn launch_item<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(rest) = message.strip_prefix("registerLaunchItem: result=") else { return false };
    let Some((result, rest)) = rest.split_once(", new item disposition=[") else { return false };
    let Some((disposition, rest)) = rest.split_once("], identifier=") else { return false };
    let (identifier, url) = rest.rsplit_once(", url=").unwrap_or((rest, ""));
    classify(event, "configuration", "service-installed");
    outcome(event, if result == "no error" { SUCCESS } else { FAILURE });
    push_other(event, "macos.disposition", disposition);
    push_text(event, Field::ServiceName, identifier);
    push_text(event, Field::FilePath, url.strip_prefix("file://").unwrap_or_default());
    true
}

/// opendirectoryd: `Password changed for alice`.
fn password<'a>(message: &'a str, event: &mut Event<'a>) -> bool {
    let Some(user) = message.strip_prefix("Password changed for ") else { return false };
    classify(event, "iam", "changed-password");
    outcome(event, SUCCESS);
    push_text(event, Field::UserName, user);
    true
}

fn push_other<'a>(event: &mut Event<'a>, name: &'static str, text: &'a str) {
    if !text.is_empty() {
        event.push_named(FieldName::new(name), text);
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Timestamp, Value};

    use super::*;

    /// The action, and the value of a field of these.
    fn said(message: &str, field: &str) -> (String, String) {
        let mut event = Event::new(Timestamp::from_micros(0), "");
        read(message, &mut event);
        let action = event.text(Field::EventAction).unwrap_or_default().to_owned();
        let value = event.get_named(&FieldName::new(field)).map(Value::to_text);
        (action, value.unwrap_or_default().into_owned())
    }

    #[test]
    fn what_others_may_write_moves_no_border() {
        let cases = [
            (
                "Failed to authorize right 'a' by client '/x' [1] for authorization created by '/y' \
                 [2]' [7] for authorization created by '/z' [8] (2,0) (-60005) (engine 4)",
                "macos.authorization.creator",
                ("authorized-right", "/z"),
            ),
            (
                "Failed to authenticate user <root> (error: 1). <eve> (error: 9).",
                "user.name",
                ("authentication", "root> (error: 1). <eve"),
            ),
            (
                "Update Access Record: kTCCServiceX for a for b to Denied to Allowed (System Set)",
                "macos.tcc.client",
                ("changed-privacy-permission", "a for b to Denied"),
            ),
            (
                "registerLaunchItem: result=no error, new item disposition=[enabled], \
                 identifier=a, url=file:///System/x, url=file:///tmp/y",
                "file.path",
                ("service-installed", "/tmp/y"),
            ),
            ("Succeeded authorizing right 'x", "macos.right", ("", "")),
            ("USER_PROCESS: 7", "process.tty", ("", "")),
            ("Update Access Record: ", "macos.tcc.client", ("", "")),
            ("", "event.module", ("", "macos")),
        ];
        for (message, field, (action, value)) in cases {
            assert_eq!(said(message, field), (action.to_owned(), value.to_owned()), "{message}");
        }
    }
}
