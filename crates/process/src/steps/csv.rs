//! `csv`: reads columns (RFC 4180) with names that the configuration gives.

use bergfried_event::{Event, FieldName};
use serde::{Deserialize, Serialize};

use super::pairs;
use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::{StepFile, is_message, message};
use crate::name;
use crate::readers::csv::Columns;
use crate::scene::{Scene, text};
use crate::texts::Texts;

/// `csv = { columns = ["user.name", "source.ip"] }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CsvFile {
    /// The field that holds the text; absent: `message`.
    #[serde(default = "message", skip_serializing_if = "is_message")]
    pub field: String,
    /// The field below which the columns are put; absent: at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The names of the columns, from the first on; an empty one leaves its column out.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub columns: Texts,
    /// The ASCII character between columns; absent: `,`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// The ASCII character that may stand around a value; absent: `"`; empty: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// Whether columns past the names are called `column4` and so on; absent: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub autogenerate_column_names: Option<bool>,
    /// Whether columns without a value are left out; absent: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_empty_columns: Option<bool>,
    /// Whether a line of just the names is passed over; absent: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_header: Option<bool>,
}

impl Default for CsvFile {
    fn default() -> Self {
        CsvFile {
            field: message(),
            target: None,
            columns: Texts::default(),
            separator: None,
            quote: None,
            autogenerate_column_names: None,
            skip_empty_columns: None,
            skip_header: None,
        }
    }
}

pub(crate) const KIND: Kind = Kind {
    key: "csv",
    about: "Reads columns; the configuration names them.",
    example: "csv = { columns = [\"user.name\", \"source.ip\", \"bytes\"], separator = \";\" }",
    failure_tag: Some("_csvparsefailure"),
    is_set: |step| step.csv.is_some(),
    compile,
    files: no_files,
};

struct Csv {
    field: FieldName<'static>,
    target: Option<FieldName<'static>>,
    own: Vec<FieldName<'static>>,
    reader: Columns,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.csv.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    let target = compile.optional("target", file.target.as_deref())?;
    let plain = Columns::default();
    let own = compile.at("columns", |compile| {
        let names = file.columns.0.iter().enumerate().filter(|(_, name)| !name.is_empty());
        names
            .filter_map(|(index, name)| match target {
                Some(_) => Some(name::field(name)),
                None => compile.nth(index, |compile| compile.writable_here(name)),
            })
            .collect()
    });
    let separator = match file.separator.as_deref() {
        None => plain.separator,
        Some(text) => compile.at("separator", |compile| compile.ascii(text))?,
    };
    let quote = match file.quote.as_deref() {
        None => plain.quote,
        Some("") => None,
        Some(text) => Some(compile.at("quote", |compile| compile.ascii(text))?),
    };
    let reader = Columns {
        names: file.columns.0.clone(),
        separator,
        quote,
        autogenerate: file.autogenerate_column_names.unwrap_or(plain.autogenerate),
        skip_empty: file.skip_empty_columns.unwrap_or(plain.skip_empty),
        skip_header: file.skip_header.unwrap_or(plain.skip_header),
    };
    Some(Box::new(Csv { field, target, own, reader }))
}

impl Action for Csv {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let Some(found) = pairs::read(text, |text, pairs| self.reader.read(text, pairs)) else {
            return Outcome::Failed("there is no line of columns".into());
        };
        pairs::take(event, scene, self.target.as_ref(), &self.own, found);
        Outcome::Done
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::tests::{mistakes, run};

    #[test]
    fn columns_become_fields() {
        for (step, message, fields) in [
            (
                "csv = { columns = ['host', '', 'n'] }",
                r#"web1,x,\"a, b\",rest"#,
                r#","host.name":"web1","n":"a, b","column4":"rest""#,
            ),
            (
                "csv = { columns = 'a', separator = ';', target = 't', quote = '' }",
                r#"\"1;2"#,
                r#","t.a":"\"1","t.column2":"2""#,
            ),
        ] {
            let before = format!(r#"{{"message":"{message}"}}"#);
            assert_eq!(run(step, &before), format!(r#"{{"message":"{message}"{fields}}}"#));
        }
        assert!(mistakes("csv = { separator = 'ab' }").contains("csv.separator"));
    }
}
