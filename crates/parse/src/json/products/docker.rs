//! Docker's events (`docker events --format json`), also as Wazuh's listener passes them on, below
//! `docker.`.

use bergfried_event::{Event, Field, Value};

use super::{copy_as_text, get, set_created, set_missing, text};

pub(super) fn complete(event: &mut Event<'_>, _has_time: bool) -> bool {
    if is_event(event, "") {
        read(event, "", &PLAIN, &PLAIN_CONTAINER);
    } else if is_event(event, "docker.") {
        read(event, "docker.", &BELOW, &BELOW_CONTAINER);
    } else {
        return false;
    }
    true
}

fn is_event(event: &Event<'_>, prefix: &str) -> bool {
    ["Type", "Action", "scope"].iter().all(|name| text(event, &format!("{prefix}{name}")).is_some())
        && get(event, &format!("{prefix}timeNano")).is_some()
}

const PLAIN: [(&str, &str); 1] = [("Actor.Attributes.exitCode", "process.exit_code")];
const BELOW: [(&str, &str); 1] = [("docker.Actor.Attributes.exitCode", "process.exit_code")];
const PLAIN_CONTAINER: [(&str, &str); 3] = [
    ("Actor.ID", "container.id"),
    ("Actor.Attributes.name", "container.name"),
    ("Actor.Attributes.image", "container.image.name"),
];
const BELOW_CONTAINER: [(&str, &str); 3] = [
    ("docker.Actor.ID", "container.id"),
    ("docker.Actor.Attributes.name", "container.name"),
    ("docker.Actor.Attributes.image", "container.image.name"),
];

fn read(
    event: &mut Event<'_>,
    prefix: &str,
    pairs: &[(&str, &'static str)],
    container: &[(&str, &'static str)],
) {
    let word = |event: &Event<'_>, name: &str| {
        text(event, &format!("{prefix}{name}")).unwrap_or_default().to_owned()
    };
    let (kind, action) = (word(event, "Type"), word(event, "Action"));
    set_created(event, &format!("{prefix}timeNano"));
    event.set(Field::EventModule, "docker");
    event.set(Field::EventKind, "event");
    set_missing(event, "docker.type", kind.clone());
    // `exec_create: sh -c id` has the command behind the action.
    let (action, command) = match action.split_once(": ") {
        Some((action, command)) => (action.to_owned(), command.to_owned()),
        None => (action, String::new()),
    };
    set_missing(event, "process.command_line", command);
    let changes = match action.as_str() {
        "create" | "exec_create" | "pull" | "import" | "load" => "creation",
        "start" | "exec_start" | "unpause" | "restart" | "mount" | "enable" | "connect" => "start",
        "die" | "stop" | "kill" | "pause" | "oom" | "exec_die" | "unmount" | "disable"
        | "disconnect" => "end",
        "destroy" | "delete" | "remove" | "untag" | "prune" => "deletion",
        "update" | "rename" | "tag" | "commit" | "reload" => "change",
        _ => "info",
    };
    event.set(Field::EventType, changes);
    event.set(Field::EventAction, action);
    if kind == "container" {
        copy_as_text(event, container);
    }
    copy_as_text(event, pairs);
    let exit = get(event, "process.exit_code").map(Value::to_text).map(|code| code == "0");
    match exit {
        Some(true) => event.set(Field::EventOutcome, "success"),
        Some(false) => event.set(Field::EventOutcome, "failure"),
        None => {}
    }
}
