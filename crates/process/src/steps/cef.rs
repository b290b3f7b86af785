//! `cef`: reads ArcSight's Common Event Format.

use bergfried_event::{Event, FieldName};
use serde::{Deserialize, Serialize};

use super::pairs;
use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::{StepFile, is_message, message};
use crate::readers::cef;
use crate::scene::{Scene, text};

/// `cef = {}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CefFile {
    /// The field that holds the text; absent: `message`.
    #[serde(default = "message", skip_serializing_if = "is_message")]
    pub field: String,
    /// The field below which everything is put; absent: at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Default for CefFile {
    fn default() -> Self {
        CefFile { field: message(), target: None }
    }
}

pub(crate) const KIND: Kind = Kind {
    key: "cef",
    about: "Reads the Common Event Format: the header becomes `cef.*`, well-known keys of the \
            extension their ECS fields, others `cef.extensions.*`.",
    example: "cef = { field = \"event.original\" }",
    failure_tag: Some("_cefparsefailure"),
    is_set: |step| step.cef.is_some(),
    compile,
    files: no_files,
};

struct Cef {
    field: FieldName<'static>,
    target: Option<FieldName<'static>>,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.cef.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    let target = compile.optional("target", file.target.as_deref())?;
    Some(Box::new(Cef { field, target }))
}

impl Action for Cef {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let Some(found) = pairs::read(text, cef::read) else {
            return Outcome::Failed("it is no CEF".into());
        };
        pairs::take(event, scene, self.target.as_ref(), &[], found);
        Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::tests::run;

    #[test]
    fn cef_becomes_fields() {
        let read = run(
            "cef = {}",
            r#"{"message":"CEF:0|V|P|1|7|worm|9|src=192.0.2.7 spt=22 dvc=6.6.6.6"}"#,
        );
        for part in [
            r#""cef.device.vendor":"V""#,
            r#""source.ip":"192.0.2.7""#,
            r#""source.port":22"#,
            r#""original.observer.ip":"6.6.6.6""#,
        ] {
            assert!(read.contains(part), "{part} in {read}");
        }
        assert_eq!(
            run("cef = {}", r#"{"message":"x"}"#),
            r#"{"message":"x","tags":["_cefparsefailure"]}"#
        );
    }
}
