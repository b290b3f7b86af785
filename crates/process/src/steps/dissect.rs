//! `dissect`: reads fields by the text that stands between them, faster than any pattern.

use bergfried_event::{Event, FieldName};
use serde::{Deserialize, Serialize};

use super::pairs;
use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::{StepFile, is_message, message};
use crate::readers::dissect::Dissect;
use crate::scene::{Scene, text};

/// `dissect = { mapping = "%{client} [%{pid}]: %{message}" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DissectFile {
    /// The field that holds the text; absent: `message`.
    #[serde(default = "message", skip_serializing_if = "is_message")]
    pub field: String,
    /// What the text looks like: `%{a} %{+a} %{?passed_over} %{b->} %{*name}=%{&name}`.
    pub mapping: String,
    /// The field below which everything is put; absent: at the top, where it takes the place of
    /// fields of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

pub(crate) const KIND: Kind = Kind {
    key: "dissect",
    about: "Reads fields by the text between them; what it gives replaces fields of the same name.",
    example: "dissect = { mapping = \"%{client} - %{user.name} [%{timestamp}] %{message}\" }",
    failure_tag: Some("_dissectfailure"),
    is_set: |step| step.dissect.is_some(),
    compile,
    files: no_files,
};

struct DissectStep {
    field: FieldName<'static>,
    target: Option<FieldName<'static>>,
    own: Vec<FieldName<'static>>,
    reader: Dissect,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.dissect.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    let target = compile.optional("target", file.target.as_deref())?;
    compile.at("mapping", |compile| {
        let reader = match Dissect::new(&file.mapping) {
            Ok(reader) => reader,
            Err(error) => {
                compile.mistake(format!("cannot use the mapping: {error}"));
                return None;
            }
        };
        let own = match target {
            Some(_) => Vec::new(),
            None => {
                reader.names().into_iter().filter_map(|name| compile.writable_here(name)).collect()
            }
        };
        let action: Box<dyn Action> = Box::new(DissectStep { field, target, own, reader });
        Some(action)
    })
}

impl Action for DissectStep {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let Some(found) = pairs::read(text, |text, pairs| self.reader.read(text, pairs)) else {
            return Outcome::Failed("the text does not look as the mapping says".into());
        };
        pairs::take(event, scene, self.target.as_ref(), &self.own, found);
        Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::tests::{mistakes, run};

    #[test]
    fn texts_become_fields() {
        for (step, before, after) in [
            (
                "dissect = { mapping = '%{host} %{program}[%{pid}]: %{message}' }",
                r#"{"message":"web1 sshd[7]: hello there","host.name":"old"}"#,
                r#"{"host.name":"web1","message":"hello there","process.name":"sshd","process.pid":7}"#,
            ),
            (
                "dissect = { mapping = '%{*k}=%{&k}' }",
                r#"{"message":"host=evil"}"#,
                r#"{"message":"host=evil","original.host.name":"evil"}"#,
            ),
            (
                "dissect = { mapping = '%{a}|%{b}' }",
                r#"{"message":"x"}"#,
                r#"{"message":"x","tags":["_dissectfailure"]}"#,
            ),
        ] {
            assert_eq!(run(step, before), after, "{step}");
        }
        assert!(mistakes("dissect = { mapping = '%{a}%{b}' }").contains("dissect.mapping"));
        assert!(
            mistakes("dissect = { mapping = '%{event.original} %{b}' }").contains("only be read")
        );
    }
}
