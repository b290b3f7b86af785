//! `cidr`: whether an address lies in one of some networks, and what that one is called.

use std::collections::BTreeMap;

use bergfried_event::{Event, FieldName, Value};
use serde::{Deserialize, Serialize};

use super::networks::{Networks, address, network};
use super::{Action, Kind, Outcome, no_files};
use crate::compile::Compile;
use crate::config::StepFile;
use crate::name;
use crate::scene::Scene;
use crate::texts::Texts;

/// The most networks of one step.
const MAX_NETWORKS: usize = 100_000;

/// `cidr = { field = "source.ip", networks = ["10.0.0.0/8"] }`, with `names` in place of `networks`
/// where each network has a name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CidrFile {
    /// The fields that hold addresses; the first that lies in a network decides.
    pub field: Texts,
    /// Networks or addresses; at most 100,000.
    #[serde(default, skip_serializing_if = "Texts::is_empty")]
    pub networks: Texts,
    /// Network → its name; the narrowest one that the address lies in decides.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// The field that gets the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

pub(crate) const KIND: Kind = Kind {
    key: "cidr",
    about: "Succeeds where an address lies in one of the networks, so that `add_tag` and `add_field` \
            are done; with `names`, a field gets the name of the narrowest network.",
    example: "cidr = { field = \"source.ip\", names = { \"10.0.0.0/8\" = \"office\", \
              \"10.9.0.0/16\" = \"guests\" }, target = \"network.name\" }\nadd_tag = \"internal\"",
    failure_tag: None,
    is_set: |step| step.cidr.is_some(),
    compile,
    files: no_files,
};

struct Cidr {
    fields: Vec<FieldName<'static>>,
    networks: Networks<Option<String>>,
    target: Option<FieldName<'static>>,
}

fn compile(step: &StepFile, compile: &mut Compile<'_>) -> Option<Box<dyn Action>> {
    let file = step.cidr.as_ref()?;
    let fields = fields(&file.field, compile);
    let mut networks = Networks::new();
    if file.networks.0.len() + file.names.len() > MAX_NETWORKS {
        compile.mistake(format!("there are more than {MAX_NETWORKS} networks"));
        return None;
    }
    compile.at("networks", |compile| {
        for (index, text) in file.networks.0.iter().enumerate() {
            compile.nth(index, |compile| add(text, None, &mut networks, compile));
        }
    });
    compile.at("names", |compile| {
        for (text, name) in &file.names {
            compile.at(text, |compile| add(text, Some(name), &mut networks, compile));
        }
    });
    match (file.networks.is_empty(), file.names.is_empty(), &file.target) {
        (true, true, _) => compile.mistake("`networks` or `names` is missing".to_owned()),
        (false, false, _) => {
            compile.mistake("`networks` and `names` cannot both be given".to_owned());
        }
        (true, false, None) => {
            compile.mistake("`target` is missing, which gets the name".to_owned())
        }
        (false, true, Some(_)) => {
            compile.mistake("`target` does nothing without `names`".to_owned());
        }
        _ => {}
    }
    let target = match &file.target {
        Some(target) => Some(compile.writable("target", target)?),
        None => None,
    };
    Some(Box::new(Cidr { fields, networks, target }))
}

/// The fields of this list.
pub(super) fn fields(names: &Texts, compile: &mut Compile<'_>) -> Vec<FieldName<'static>> {
    compile.at("field", |compile| {
        if names.is_empty() {
            compile.mistake("no field is named".to_owned());
        }
        let each = names.0.iter().enumerate();
        each.filter_map(|(index, name)| compile.nth(index, |compile| compile.readable_here(name)))
            .collect()
    })
}

fn add(
    text: &str,
    name: Option<&str>,
    networks: &mut Networks<Option<String>>,
    compile: &mut Compile<'_>,
) {
    let Some(network) = network(text) else {
        let text = text.escape_debug();
        compile.mistake(format!("`{text}` is no network, expected one such as 10.0.0.0/8"));
        return;
    };
    if !networks.insert(network, name.map(str::to_owned)) && name.is_some() {
        compile.mistake(format!("`{}` has two names", network.trunc()));
    }
}

impl Action for Cidr {
    fn run<'e>(&'e self, event: &mut Event<'e>, scene: &mut Scene<'_>) -> Outcome {
        let mut outcome = Outcome::Missing;
        for field in &self.fields {
            let Some(value) = name::value(event, field) else { continue };
            outcome = Outcome::Failed("the address lies in none of the networks".into());
            let Some(found) = first(&value, &|text| self.networks.get(address(text)?)) else {
                continue;
            };
            if let (Some(target), Some(name)) = (&self.target, found) {
                scene.set(event, target.borrowed(), name.as_str());
            }
            return Outcome::Done;
        }
        outcome
    }
}

/// What the first of the texts of a value gives.
pub(super) fn first<'r, R>(
    value: &Value<'_>,
    look: &dyn Fn(&str) -> Option<&'r R>,
) -> Option<&'r R> {
    match value {
        Value::List(values) => values.iter().find_map(|value| first(value, look)),
        Value::Text(text) => look(text),
        Value::Null => None,
        other => look(&other.to_text()),
    }
}

#[cfg(test)]
mod tests {
    use crate::steps::tests::run;

    #[test]
    fn addresses_get_names_and_tags() {
        let named = "cidr = { field = ['source.ip', 'destination.ip'], target = 'network.name', \
                     names = { '10.0.0.0/8' = 'office', '10.9.0.0/16' = 'guests', '::1' = 'self' } }\n\
                     add_tag = 'internal'";
        let plain = "cidr = { field = 'source.ip', networks = ['192.0.2.0/24', '198.51.100.7'] }\n\
                     add_tag = 'lab'";
        for (step, fields, expected) in [
            (
                named,
                r#"{"source.ip":"10.9.1.2"}"#,
                r#"{"source.ip":"10.9.1.2","network.name":"guests","tags":["internal"]}"#,
            ),
            (
                named,
                r#"{"source.ip":"8.8.8.8","destination.ip":["x","::1"]}"#,
                r#"{"destination.ip":["x","::1"],"source.ip":"8.8.8.8","network.name":"self","tags":["internal"]}"#,
            ),
            (named, r#"{"source.ip":"none"}"#, r#"{"source.ip":"none"}"#),
            (named, "{}", "{}"),
            (
                plain,
                r#"{"source.ip":"198.51.100.7"}"#,
                r#"{"source.ip":"198.51.100.7","tags":["lab"]}"#,
            ),
            (plain, r#"{"source.ip":"198.51.100.8"}"#, r#"{"source.ip":"198.51.100.8"}"#),
        ] {
            assert_eq!(run(step, fields), expected, "{fields}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (step, part) in [
            ("cidr = { field = 'a', networks = '10.0.0.0/33' }", "`10.0.0.0/33` is no network"),
            ("cidr = { field = 'a' }", "`networks` or `names` is missing"),
            ("cidr = { field = 'a', names = { '::/0' = 'x' } }", "`target` is missing"),
            ("cidr = { field = 'a', networks = '::/0', target = 'b' }", "does nothing without"),
            (
                "cidr = { field = 'a', target = 'b', names = { '10.0.0.1/8' = 'x', '10.0.0.0/8' = 'y' } }",
                "has two names",
            ),
            ("cidr = { field = [], networks = '::/0' }", "no field is named"),
        ] {
            let told = crate::steps::tests::mistakes(step);
            assert!(told.contains(part), "{step}: {told}");
        }
    }
}
