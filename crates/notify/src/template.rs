//! The body of a webhook as a person writes it, in the language of Jinja.
//!
//! A template works on the document of [`document`](crate::document): `{{ title }}`,
//! `{{ alert.user }}`. What it prints is escaped for the type of the body: in JSON each value becomes
//! a JSON value, quotes and all. It is tried with a message of every kind when it is read, so that a
//! slip is found then and not at night.

use std::fmt;
use std::io;

use bergfried_event::nearest;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde_json::json;

use crate::document::document;
use crate::example;
use crate::message::Message;
use crate::neutral::inert;
use crate::outline::Outline;

const MAX_SOURCE: usize = 64 * 1024;
const MAX_OUTPUT: usize = 256 * 1024;
/// Instructions that rendering may take; a message of fifty alerts takes some thousands.
const FUEL: u64 = 200_000;
const MAX_LINE: usize = 1000;
const MAX_TEXT: usize = 4096;

/// A template that was tried.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Template {
    name: String,
    source: String,
    markup: Markup,
}

/// What values are escaped for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Markup {
    Json,
    Html,
    Plain,
}

impl Template {
    /// Reads a template; `name` is the file or the key that it stands in.
    ///
    /// # Errors
    /// Where and what is wrong, for a person: `body:3: …`.
    pub(crate) fn new(name: &str, source: String, content_type: &str) -> Result<Template, String> {
        if source.len() > MAX_SOURCE {
            return Err(format!("`{name}` is longer than {MAX_SOURCE} bytes"));
        }
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let markup = match media_type.to_ascii_lowercase() {
            json if json == "application/json" || json.ends_with("+json") => Markup::Json,
            markup if markup == "text/html" || markup.ends_with("xml") => Markup::Html,
            _ => Markup::Plain,
        };
        let template = Template { name: name.to_owned(), source, markup };
        for message in example::every_kind() {
            template.render(&message, "0123456789abcdef0123456789abcdef")?;
        }
        Ok(template)
    }

    /// The body for a message.
    ///
    /// # Errors
    /// Where and what is wrong, for a person.
    pub(crate) fn render(&self, message: &Message, delivery: &str) -> Result<String, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(32);
        environment.add_filter("inert", |text: &str| inert(text, MAX_TEXT));
        let escape = match self.markup {
            Markup::Json => AutoEscape::Json,
            Markup::Html => AutoEscape::Html,
            Markup::Plain => AutoEscape::None,
        };
        environment.set_auto_escape_callback(move |_| escape.clone());
        let mut output = Bounded(Vec::new());
        let template = environment
            .template_from_named_str(&self.name, &self.source)
            .map_err(|error| self.complain(&error))?;
        let context = context(message, delivery);
        template.render_captured_to(context.clone(), &mut output).map_err(|error| {
            let complaint = self.complain(&error);
            match error.kind() {
                ErrorKind::UndefinedError => complaint + &unknown(&template, &context),
                _ => complaint,
            }
        })?;
        let text = String::from_utf8(output.0).map_err(|error| error.to_string())?;
        let is_bad = |text: &str| serde_json::from_str::<serde::de::IgnoredAny>(text).err();
        if self.markup == Markup::Json
            && !text.trim().is_empty()
            && let Some(error) = is_bad(&text)
        {
            let kind = document(message).get("kind").cloned().unwrap_or_default();
            let name = &self.name;
            return Err(format!("`{name}` makes no JSON of a message of the kind {kind}: {error}"));
        }
        Ok(text)
    }

    fn complain(&self, error: &Error) -> String {
        let place = error.line().map(|line| format!(" line {line}")).unwrap_or_default();
        let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
        format!("`{}`{place}: {}{detail}{}", self.name, error.kind(), cause.unwrap_or_default())
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A template may hold a key of the service that it is for.
        f.debug_struct("Template").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Which names of the template the context does not have, with the one that may be meant.
fn unknown(template: &minijinja::Template<'_, '_>, context: &Value) -> String {
    let mut names: Vec<String> = template.undeclared_variables(true).into_iter().collect();
    names.sort();
    for name in &names {
        let mut place = context.clone();
        for part in name.split('.') {
            let Ok(next) = place.get_attr(part) else { break };
            if next.is_undefined() {
                let keys: Vec<String> =
                    place.try_iter().into_iter().flatten().map(|key| key.to_string()).collect();
                return match nearest(part, keys.iter().map(String::as_str)) {
                    Some(near) => format!(": there is no `{name}`; is `{near}` meant?"),
                    None => format!(": there is no `{name}`"),
                };
            }
            place = next;
        }
    }
    String::new()
}

/// What a template can name: the document, and some things that are easier made here.
fn context(message: &Message, delivery: &str) -> Value {
    let mut document = document(message);
    let outline = Outline::of(message);
    let severity = message.severity();
    let more = json!({
        "delivery": delivery,
        "lines": lines(&outline),
        "resolved": message.action() == "resolve",
        "level": severity as u8 + 1,
        "loud": message.is_loud(),
    });
    if let Some(document) = document.as_object_mut() {
        if let serde_json::Value::Object(more) = more {
            document.extend(more);
        }
        for absent in ["alert", "alerts", "change"] {
            document.entry(absent).or_insert(serde_json::Value::Null);
        }
    }
    Value::from(Serde(document))
}

/// The whole message as lines of plain text.
fn lines(outline: &Outline) -> Vec<String> {
    let mut lines = vec![inert(&outline.text, MAX_LINE)];
    let facts = outline.facts.iter();
    lines.extend(facts.map(|(name, value)| inert(&format!("{name}: {value}"), MAX_LINE)));
    lines.extend(outline.items.iter().map(|item| inert(&item.headline, MAX_LINE)));
    if outline.more > 0 {
        lines.push(format!("and {} more", outline.more));
    }
    if !outline.example.is_empty() {
        lines.push(inert(&outline.example, MAX_LINE));
    }
    lines
}

/// Takes no more than [`MAX_OUTPUT`] bytes.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::Error::other(format!("the body is longer than {MAX_OUTPUT} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
