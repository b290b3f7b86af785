//! `parse`: lets the built-in parsers read a field, as they read a line.

use std::borrow::Cow;

use bergfried_event::{Event, Field, FieldName, SourceKind};
use bergfried_parse::Context;
use serde::{Deserialize, Serialize};

use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::{StepFile, is_message, message};
use crate::name::is_read_only;
use crate::scene::{Scene, text};

/// `parse = { field = "log" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ParseFile {
    /// The field that holds the text; absent: `message`.
    #[serde(default = "message", skip_serializing_if = "is_message")]
    pub field: String,
    /// What the text is.
    #[serde(default, rename = "as", skip_serializing_if = "Form::is_message")]
    pub form: Form,
}

impl Default for ParseFile {
    fn default() -> Self {
        ParseFile { field: message(), form: Form::Message }
    }
}

/// What a text is, for the built-in parsers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// What a program says, without time, host and program: read as that of `process.name`.
    #[default]
    Message,
    /// A whole line: syslog in any form, JSON.
    Line,
}

impl Form {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    fn is_message(&self) -> bool {
        *self == Form::Message
    }
}

pub(crate) const KIND: Kind = Kind {
    key: "parse",
    about: "Lets the built-in parsers read a field: `as = \"message\"`, what the program \
            `process.name` says, or `as = \"line\"`, a whole line with its own time and host.",
    example: "parse = { field = \"log\", as = \"line\" }\nremove_field = \"log\"",
    failure_tag: None,
    is_set: |step| step.parse.is_some(),
    compile,
    files: no_files,
};

struct Parse {
    field: FieldName<'static>,
    form: Form,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.parse.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    Some(Box::new(Parse { field, form: file.form }))
}

impl Action for Parse {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let program = event.text(Field::ProcessName);
        let read: Event<'e> = match text {
            Cow::Borrowed(text) => self.read(text, program, event, scene.context),
            Cow::Owned(text) => self.read(&text, program, event, scene.context).into_owned(),
        };
        if self.form == Form::Line {
            event.set_created(read.created());
        }
        for (name, value) in read.fields() {
            if !is_read_only(name) {
                scene.set(event, name.clone(), value.clone());
            }
        }
        Outcome::Done
    }
}

impl Parse {
    fn read<'t>(
        &self,
        text: &'t str,
        program: Option<&str>,
        event: &Event<'_>,
        context: &Context<'_>,
    ) -> Event<'t> {
        match self.form {
            Form::Message => {
                let mut read = Event::new(event.created(), "");
                bergfried_parse::parse_message(program, text, &mut read);
                read
            }
            Form::Line => {
                // A line that names no host keeps the one that the event has.
                let context = Context { host: "", ..context.clone() };
                bergfried_parse::parse(SourceKind::File, text, &context)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::tests::run;

    #[test]
    fn built_in_parsers_read_a_field() {
        let said = "Failed password for root from 192.0.2.7 port 22 ssh2";
        let read = run(
            "parse = {}",
            &format!(r#"{{"process.name":"sshd","message":"wrapped","message":"{said}"}}"#),
        );
        assert!(read.contains(r#""source.ip":"192.0.2.7""#), "{read}");
        assert!(read.contains(r#""event.action":"ssh_login""#), "{read}");
        let read = run(
            "parse = { field = 'log', as = 'line' }",
            &format!(r#"{{"host.name":"outer","log":"Jan  2 03:04:05 inner sshd[7]: {said}"}}"#),
        );
        assert!(read.contains(r#""host.name":"inner""#), "{read}");
        assert!(read.contains(r#""source.ip":"192.0.2.7""#), "{read}");
        let read = run("parse = { field = 'log', as = 'line' }", r#"{"host.name":"h","log":"x"}"#);
        assert_eq!(read, r#"{"host.name":"h","log":"x","message":"x"}"#);
    }
}
