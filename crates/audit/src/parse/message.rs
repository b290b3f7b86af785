//! The event in one sentence, and the parts of it as fields (`auditd.summary.*`, as Auditbeat has
//! them).

use std::borrow::Cow;

use bergfried_event::{Event, Field};

use super::{outcome, push as set, things};
use crate::errors;
use crate::group::Group;
use crate::meaning::Meaning;

/// The longest name of a thing in a sentence, in bytes.
const LONGEST: usize = 512;

/// Sets the summary and the sentence.
pub(super) fn push<'a>(group: &Group<'a>, meaning: &Meaning, event: &mut Event<'a>) {
    let value = |names: &[&str]| names.iter().find_map(|name| group.value(name));
    let object = things::object(group, meaning);
    let how = value(meaning.how);
    if !object.kind.is_empty() {
        set(event, "auditd.summary.object.type", object.kind);
    }
    for (name, text) in [
        ("auditd.summary.actor.primary", value(meaning.actor)),
        ("auditd.summary.actor.secondary", value(meaning.actor_as)),
        ("auditd.summary.object.primary", object.name.clone()),
        ("auditd.summary.object.secondary", object.detail),
        ("auditd.summary.how", how.clone()),
    ] {
        if let Some(text) = text {
            set(event, name, text);
        }
    }
    if group.types.is_empty() {
        let line = shortened(event.original()).to_owned();
        event.push(Field::Message, line);
        return;
    }
    let object = if meaning.object == "user-session" { person(event) } else { object.name };
    let sentence = sentence(group, event, object, how.as_deref());
    event.push(Field::Message, sentence);
}

/// Whom a session is about, or where it comes from.
fn person(event: &Event<'_>) -> Option<Cow<'static, str>> {
    let name = |field| event.text(field);
    if let Some(target) = name(Field::UserTargetName).or_else(|| name(Field::UserTargetId)) {
        return Some(Cow::Owned(format!("of {target}")));
    }
    name(Field::SourceIp).map(|address| Cow::Owned(format!("from {address}")))
}

fn sentence<'a>(
    group: &Group<'a>,
    event: &Event<'a>,
    object: Option<Cow<'_, str>>,
    how: Option<&str>,
) -> String {
    let mut text = String::with_capacity(96);
    push_actor(group, event, &mut text);
    text.push(' ');
    match event.text(Field::EventAction) {
        Some(action) => text.extend(action.chars().map(|c| if c == '-' { ' ' } else { c })),
        None => {
            let first = group.types.first();
            text.push_str("recorded ");
            text.push_str(first.map_or("", |(kind, name)| kind.name().unwrap_or(name)));
        }
    }
    let is_run = matches!(event.text(Field::EventAction), Some("executed" | "ran-command"));
    let object = match (event.text(Field::ProcessCommandLine), event.text(Field::FilePath)) {
        (Some(command), _) if is_run => Some(Cow::Borrowed(command)),
        // The whole path, where the thing is the file of that path.
        (_, Some(path)) if object.as_deref().is_some_and(|name| is_end_of(path, name)) => {
            Some(Cow::Borrowed(path))
        }
        // Of a command that came without its arguments, the program.
        _ => object.or(how.filter(|_| is_run).map(Cow::Borrowed)),
    };
    if let Some(object) = object.as_deref() {
        text.push(' ');
        text.push_str(shortened(object));
    } else if text.ends_with(" to") {
        // `connected to` what no record says.
        text.truncate(text.len() - " to".len());
    }
    if let Some(how) = how.filter(|how| !is_run && Some(*how) != object.as_deref()) {
        let is_number = how.bytes().all(|byte| byte.is_ascii_digit());
        text.push_str(if is_number { " by signal " } else { " by " });
        text.push_str(shortened(how));
    }
    if outcome(group) == "failure" {
        text.push_str(", which failed");
        if let Some(exit) = group.exit {
            text.push_str(": ");
            text.push_str(errors::exit(exit));
        }
    }
    text
}

fn push_actor(group: &Group<'_>, event: &Event<'_>, text: &mut String) {
    let user = event.text(Field::UserName).or_else(|| event.text(Field::UserId));
    let login = group.name(0).or_else(|| group.id(0)).filter(|login| *login != "unset");
    match (login, user) {
        (Some(login), Some(user)) if login != user && Some(user) != group.id(0) => {
            text.push_str(login);
            text.push_str(" as ");
            text.push_str(user);
        }
        (Some(who), None) | (_, Some(who)) => text.push_str(who),
        (None, None) => text.push_str(group.comm.as_deref().unwrap_or("the kernel")),
    }
}

fn is_end_of(path: &str, name: &str) -> bool {
    path.ends_with(name.trim_start_matches("./"))
}

fn shortened(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text)
}
