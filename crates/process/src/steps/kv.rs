//! `kv`: reads pairs such as `user=bob action="log in"`.

use bergfried_event::{Event, FieldName};
use serde::{Deserialize, Serialize};

use super::pairs;
use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::{StepFile, is_message, message};
use crate::readers::kv::{KeyValue, Transform, Whitespace};
use crate::scene::{Scene, text};
use crate::texts::Texts;

/// `kv = { field = "message", field_split = " ", value_split = "=" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KvFile {
    /// The field that holds the text; absent: `message`.
    #[serde(default = "message", skip_serializing_if = "is_message")]
    pub field: String,
    /// The field below which the pairs are put; absent: at the top, where they take the place of
    /// fields of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What is put before each name; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The characters any of which ends a pair; absent: a space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_split: Option<String>,
    /// The characters any of which ends a name; absent: `=`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_split: Option<String>,
    /// `strict`: blanks around what splits a name from its value end the pair; `lenient`: they do
    /// not, `a = 1` is a pair. Absent: `strict`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whitespace: Option<Blanks>,
    /// Characters taken off both ends of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim_key: Option<String>,
    /// Characters taken off both ends of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim_value: Option<String>,
    /// Characters taken out of names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_char_key: Option<String>,
    /// Characters taken out of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_char_value: Option<String>,
    /// What happens to the letters of names: `lowercase`, `uppercase` or `capitalize`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform_key: Option<Letters>,
    /// What happens to the letters of values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform_value: Option<Letters>,
    /// The only names that are wanted; absent: all.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub include_keys: Texts,
    /// Names that are not wanted.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub exclude_keys: Texts,
    /// Whether a value may stand in `()`, `[]` or `<>`, which are taken off; absent: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_brackets: Option<bool>,
    /// Whether a pair is kept that was there before; absent: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_duplicate_values: Option<bool>,
    /// Whether pairs without a value are kept; absent: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_empty_values: Option<bool>,
}

/// Whether blanks may stand around what splits a name from its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Blanks {
    /// They may not.
    Strict,
    /// They may.
    Lenient,
}

/// What happens to letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Letters {
    /// All small.
    Lowercase,
    /// All large.
    Uppercase,
    /// The first large, the others small.
    Capitalize,
}

impl From<Letters> for Transform {
    fn from(letters: Letters) -> Self {
        match letters {
            Letters::Lowercase => Transform::Lowercase,
            Letters::Uppercase => Transform::Uppercase,
            Letters::Capitalize => Transform::Capitalize,
        }
    }
}

impl Default for KvFile {
    fn default() -> Self {
        KvFile {
            field: message(),
            target: None,
            prefix: None,
            field_split: None,
            value_split: None,
            whitespace: None,
            trim_key: None,
            trim_value: None,
            remove_char_key: None,
            remove_char_value: None,
            transform_key: None,
            transform_value: None,
            include_keys: Texts::default(),
            exclude_keys: Texts::default(),
            include_brackets: None,
            allow_duplicate_values: None,
            allow_empty_values: None,
        }
    }
}

pub(crate) const KIND: Kind = Kind {
    key: "kv",
    about: "Reads pairs of names and values; a name that comes twice becomes a list.",
    example: "kv = { field = \"message\", target = \"fw\", field_split = \" \", value_split = \"=\" }",
    failure_tag: None,
    is_set: |step| step.kv.is_some(),
    compile,
    files: no_files,
};

struct Kv {
    field: FieldName<'static>,
    target: Option<FieldName<'static>>,
    reader: KeyValue,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.kv.as_ref()?;
    let field = compile.readable("field", &file.field)?;
    let target = compile.optional("target", file.target.as_deref())?;
    for (key, text) in [("field_split", &file.field_split), ("value_split", &file.value_split)] {
        if text.as_deref() == Some("") {
            compile.at(key, |compile| compile.mistake("it needs a character".to_owned()));
        }
    }
    let plain = KeyValue::default();
    let text = |given: &Option<String>, absent: String| given.clone().unwrap_or(absent);
    let reader = KeyValue {
        field_split: text(&file.field_split, plain.field_split),
        value_split: text(&file.value_split, plain.value_split),
        whitespace: match file.whitespace {
            None => plain.whitespace,
            Some(Blanks::Strict) => Whitespace::Strict,
            Some(Blanks::Lenient) => Whitespace::Lenient,
        },
        include_brackets: file.include_brackets.unwrap_or(plain.include_brackets),
        trim_key: text(&file.trim_key, plain.trim_key),
        trim_value: text(&file.trim_value, plain.trim_value),
        remove_char_key: text(&file.remove_char_key, plain.remove_char_key),
        remove_char_value: text(&file.remove_char_value, plain.remove_char_value),
        transform_key: file.transform_key.map(Transform::from),
        transform_value: file.transform_value.map(Transform::from),
        include_keys: file.include_keys.0.clone(),
        exclude_keys: file.exclude_keys.0.clone(),
        prefix: text(&file.prefix, plain.prefix),
        allow_duplicate_values: file.allow_duplicate_values.unwrap_or(plain.allow_duplicate_values),
        allow_empty_values: file.allow_empty_values.unwrap_or(plain.allow_empty_values),
    };
    Some(Box::new(Kv { field, target, reader }))
}

impl Action for Kv {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let Some(text) = text(event, &self.field) else { return Outcome::Missing };
        let found = pairs::read(text, |text, pairs| {
            self.reader.read(text, pairs);
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
        for (step, before, after) in [
            (
                "kv = {}",
                r#"{"message":"src=192.0.2.7 spt=22 user=bob user=eve"}"#,
                r#"{"message":"src=192.0.2.7 spt=22 user=bob user=eve","source.address":"192.0.2.7","spt":"22","user.name":["bob","eve"]}"#,
            ),
            (
                "kv = { target = 'fw', include_keys = 'IN' }",
                r#"{"message":"IN=eth0 OUT="}"#,
                r#"{"message":"IN=eth0 OUT=","fw.IN":"eth0"}"#,
            ),
            (
                "kv = { prefix = 'x_', field_split = '&', transform_key = 'lowercase' }",
                r#"{"message":"A=1&B=2"}"#,
                r#"{"message":"A=1&B=2","x_a":"1","x_b":"2"}"#,
            ),
            (
                "kv = {}",
                r#"{"message":"observer.ip=6.6.6.6 host=evil tags=x src_port=7"}"#,
                r#"{"message":"observer.ip=6.6.6.6 host=evil tags=x src_port=7","original.observer.ip":"6.6.6.6","original.host.name":"evil","original.tags":"x","source.port":7}"#,
            ),
            ("kv = {}\nadd_tag = 'x'", r#"{"message":"plain"}"#, r#"{"message":"plain"}"#),
        ] {
            assert_eq!(run(step, before), after, "{step}");
        }
    }
}
