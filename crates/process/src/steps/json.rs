//! `json`: reads a JSON object (RFC 8259) out of a field; what is nested gets dotted names.

use std::collections::HashMap;

use bergfried_event::{Event, FieldName, MAX_FIELDS, Value};
use serde::{Deserialize, Serialize};

use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::{StepFile, is_message, message};
use crate::scene::{Scene, append, text};

/// Objects nested deeper than this are kept as their text.
const MAX_DEPTH: usize = 32;

/// `json = { field = "message", target = "app" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonFile {
    /// The field that holds the text; absent: `message`.
    #[serde(default = "message", skip_serializing_if = "is_message")]
    pub field: String,
    /// The field below which the members are put (`app.user`); absent: at the top, where they take
    /// the place of fields of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Default for JsonFile {
    fn default() -> Self {
        JsonFile { field: message(), target: None }
    }
}

pub(crate) const KIND: Kind = Kind {
    key: "json",
    about: "Reads a JSON object; members of objects within it get dotted names, lists stay lists.",
    example: "json = { field = \"message\", target = \"app\" }",
    failure_tag: Some("_jsonparsefailure"),
    is_set: |step| step.json.is_some(),
    compile,
    files: no_files,
};

struct Json {
    field: FieldName<'static>,
    target: Option<FieldName<'static>>,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.json.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    let target = match &file.target {
        Some(target) => Some(compile.writable("target", target)?),
        None => None,
    };
    Some(Box::new(Json { field, target }))
}

impl Action for Json {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let read: serde_json::Value = match serde_json::from_str(&text) {
            Ok(read) => read,
            Err(error) => return Outcome::Failed(format!("it is no JSON: {error}").into()),
        };
        let target = self.target.as_ref();
        match (read, target) {
            (serde_json::Value::Object(members), _) => {
                let mut found = Found::default();
                found.members(&mut String::new(), members, 0);
                let target = target.map(FieldName::as_str);
                for (name, value) in found.list {
                    scene.found(event, target, &name, value);
                }
            }
            (other, Some(target)) => scene.set(event, target.borrowed(), Value::from(other)),
            (_, None) => return Outcome::Failed("it is no JSON object".into()),
        }
        Outcome::Done
    }
}

/// What an object holds, by dotted name.
#[derive(Default)]
struct Found {
    list: Vec<(String, Value<'static>)>,
    places: HashMap<String, usize>,
}

impl Found {
    fn members(
        &mut self,
        path: &mut String,
        members: serde_json::Map<String, serde_json::Value>,
        depth: usize,
    ) {
        for (key, value) in members {
            let length = path.len();
            if length > 0 {
                path.push('.');
            }
            path.push_str(&key);
            self.value(path, value, depth + 1);
            path.truncate(length);
        }
    }

    fn value(&mut self, path: &mut String, value: serde_json::Value, depth: usize) {
        match value {
            serde_json::Value::Object(members) if depth < MAX_DEPTH => {
                self.members(path, members, depth);
            }
            serde_json::Value::Array(values)
                if depth < MAX_DEPTH && values.iter().any(serde_json::Value::is_object) =>
            {
                for value in values {
                    self.value(path, value, depth + 1);
                }
            }
            plain => self.add(path, plain.into()),
        }
    }

    /// Adds a value; a name that comes again, as of a list of objects, becomes a list.
    fn add(&mut self, name: &str, value: Value<'static>) {
        if let Some(place) = self.places.get(name) {
            if let Some((_, existing)) = self.list.get_mut(*place) {
                append(existing, value);
            }
        } else if self.list.len() <= MAX_FIELDS {
            self.places.insert(name.to_owned(), self.list.len());
            self.list.push((name.to_owned(), value));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::tests::run;

    #[test]
    fn members_become_fields() {
        for (step, message, after) in [
            (
                "json = {}",
                r#"{\"user\":\"bob\",\"a\":{\"b\":[1,2],\"c\":{}},\"l\":[{\"x\":1},{\"x\":2}]}"#,
                r#"{"message":"M","a.b":[1,2],"l.x":[1,2],"user.name":"bob"}"#,
            ),
            (
                "json = { target = 'app' }",
                r#"{\"message\":\"m\",\"observer\":{\"ip\":\"6.6.6.6\"}}"#,
                r#"{"message":"M","app.message":"m","app.observer.ip":"6.6.6.6"}"#,
            ),
            (
                "json = {}",
                r#"{\"observer\":{\"ip\":\"6.6.6.6\"},\"host\":\"evil\",\"@timestamp\":\"2020\"}"#,
                r#"{"message":"M","original.@timestamp":"2020","original.host.name":"evil","original.observer.ip":"6.6.6.6"}"#,
            ),
            ("json = { target = 'l' }", "[1]", r#"{"message":"M","l":[1]}"#),
            ("json = {}", "[1]", r#"{"message":"M","tags":["_jsonparsefailure"]}"#),
            ("json = {}", "{", r#"{"message":"M","tags":["_jsonparsefailure"]}"#),
            ("json = {}\ntag_on_failure = []", "{", r#"{"message":"M"}"#),
            ("json = { field = 'absent' }\nadd_tag = 'x'", "{", r#"{"message":"M"}"#),
        ] {
            let fields = format!(r#"{{"message":"{message}"}}"#);
            let after = after.replace("\"M\"", &format!("\"{message}\""));
            assert_eq!(run(step, &fields), after, "{step} {message}");
        }
    }
}
