//! `logfmt`: reads `level=info msg="done" ok`.

use bergfried_event::{Event, FieldName};
use serde::{Deserialize, Serialize};

use super::pairs;
use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::{StepFile, is_message, message};
use crate::readers::logfmt;
use crate::scene::{Scene, text};

/// `logfmt = {}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogfmtFile {
    /// The field that holds the text; absent: `message`.
    #[serde(default = "message", skip_serializing_if = "is_message")]
    pub field: String,
    /// The field below which the pairs are put; absent: at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

impl Default for LogfmtFile {
    fn default() -> Self {
        LogfmtFile { field: message(), target: None }
    }
}

pub(crate) const KIND: Kind = Kind {
    key: "logfmt",
    about: "Reads logfmt, pairs as many programs in Go write them.",
    example: "logfmt = { target = \"app\" }",
    failure_tag: None,
    is_set: |step| step.logfmt.is_some(),
    compile,
    files: no_files,
};

struct Logfmt {
    field: FieldName<'static>,
    target: Option<FieldName<'static>>,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.logfmt.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    let target = compile.optional("target", file.target.as_deref())?;
    Some(Box::new(Logfmt { field, target }))
}

impl Action for Logfmt {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let found = pairs::read(text, |text, pairs| {
            logfmt::read(text, pairs);
            !pairs.is_empty()
        });
        let Some(found) = found else { return Outcome::Failed("there are no pairs".into()) };
        pairs::take(event, scene, self.target.as_ref(), &[], found);
        Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::tests::run;

    #[test]
    fn pairs_become_fields() {
        assert_eq!(
            run("logfmt = { target = 'app' }", r#"{"message":"level=info msg=\"all done\""}"#),
            r#"{"message":"level=info msg=\"all done\"","app.level":"info","app.msg":"all done"}"#
        );
    }
}
