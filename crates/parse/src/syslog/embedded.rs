//! JSON in a message: `@cee: {…}`, the cookie of the CEE and of rsyslog's mmjsonparse, and `{…}`
//! behind a header that names no program, or one that writes nothing else.

use std::borrow::Cow;

use bergfried_event::{Event, Field};

use crate::Context;
use crate::json;
use crate::line::Line;

use super::unqualified;
use crate::programs;

/// The object in the message of a line.
pub(super) fn object<'a>(line: &Line<'a>) -> Option<Cow<'a, str>> {
    let object = |text: &str| {
        let after = match text.strip_prefix("@cee:") {
            Some(after) => after.trim_start_matches(' '),
            None if line.program.as_deref().is_none_or(speaks_json) => text,
            None => return None,
        };
        after.starts_with('{').then_some(text.len() - after.len())
    };
    match &line.message {
        Cow::Borrowed(text) => text.get(object(text)?..).map(Cow::Borrowed),
        Cow::Owned(text) => text.get(object(text)?..).map(|text| Cow::Owned(text.to_owned())),
    }
}

/// Programs whose messages are objects of their own making.
fn speaks_json(program: &str) -> bool {
    let name = unqualified(program);
    matches!(name, "falco" | "suricata" | "caddy" | "traefik") || programs::is_web_server(name)
}

/// Sets the object's fields; what the envelope says stands, but for the message, which the object
/// may hold.
pub(super) fn push<'a>(event: &mut Event<'a>, object: Cow<'a, str>, context: &Context<'_>) {
    let found = match object {
        Cow::Borrowed(text) => read(text, context),
        Cow::Owned(text) => read(&text, context).map(Event::into_owned),
    };
    let Some(found) = found else { return };
    for (name, value) in found.fields() {
        let is_message = name.as_str() == Field::Message.name() && value.as_str().is_some();
        if is_message || event.get_named(name).is_none() {
            event.set_named(name.clone(), value.clone());
        }
    }
}

fn read<'a>(text: &'a str, context: &Context<'_>) -> Option<Event<'a>> {
    match json::read(text, context) {
        json::Read::Event(event) => Some(event),
        json::Read::Journal | json::Read::Nothing => None,
    }
}
