//! Rule files of SEC among those that commands about rules are given.

use std::path::{Path, PathBuf};

use bergfried_hub::{read_rules, read_sec};
use bergfried_rules::Diagnostic;
use bergfried_rules::sec::{Purpose, Sets, SourceFile, Table};
use serde::Deserialize;
use serde_json::Value;

use crate::arguments::HubChoice;
use crate::client::Client;
use crate::terminal::plain;

/// The name of the set of files that are in none.
const SET: &str = "file";

/// Whether a file is one of SEC: any whose name does not say that it is YAML.
pub(super) fn is_sec(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    path.is_file() && !matches!(extension, Some("yml" | "yaml"))
}

/// The paths of Sigma rules, and the rule files of SEC at the others and in directories.
pub(super) fn split(paths: &[PathBuf]) -> anyhow::Result<(Vec<PathBuf>, Vec<SourceFile>)> {
    let mut sigma = Vec::new();
    let mut files = Vec::new();
    for path in paths {
        if is_sec(path) {
            files.extend(read_sec(path)?);
            continue;
        }
        let of_sec = if path.is_dir() { read_sec(path)? } else { Vec::new() };
        // A directory may hold the ones, the others, or both.
        if of_sec.is_empty() || read_rules(path).is_ok() {
            sigma.push(path.clone());
        }
        files.extend(of_sec);
    }
    Ok((sigma, files))
}

/// The rules of these files, as one set, and what is to be said of them.
pub(super) fn load(files: Vec<SourceFile>) -> (Sets, Vec<Diagnostic>) {
    if files.is_empty() {
        return (Sets::default(), Vec::new());
    }
    let base = files.first().and_then(|file| Path::new(&file.name).parent().map(Path::to_owned));
    let base = base.unwrap_or_default();
    let table =
        |name: &str| std::fs::read_to_string(base.join(name)).map_err(|error| error.to_string());
    Sets::load(vec![(Table::named(SET), files)], None, &table, Purpose::Check)
}

/// A rule of SEC to be listed.
#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) title: String,
    kind: String,
    description: String,
    file: String,
    line: usize,
    pub(super) hits: Option<u64>,
}

impl Listed {
    /// What kind of rule it is, of which set.
    pub(super) fn what(&self) -> String {
        plain(&self.description)
    }

    pub(super) fn json(&self) -> Value {
        let mut value = serde_json::json!({
            "id": self.id,
            "title": self.title,
            "kind": self.kind,
            "description": self.description,
            "state": "active",
            "file": self.file,
            "line": self.line,
        });
        if let (Some(value), Some(hits)) = (value.as_object_mut(), self.hits) {
            value.insert("hits".to_owned(), hits.into());
        }
        value
    }
}

/// The rules at these paths; without one those that the hub runs, where one answers.
pub(super) fn listed(
    paths: &[PathBuf],
    hub: &HubChoice,
) -> anyhow::Result<(Vec<Listed>, Vec<Diagnostic>)> {
    if paths.is_empty() {
        return Ok((of_hub(hub).unwrap_or_default(), Vec::new()));
    }
    let mut files = Vec::new();
    for path in paths {
        files.extend(read_sec(path)?);
    }
    let (sets, said) = load(files);
    let listed = sets.rules().map(|rule| Listed {
        id: rule.id.clone(),
        title: rule.title.clone(),
        kind: "sec".to_owned(),
        description: rule.kind.to_owned(),
        file: rule.file.clone(),
        line: rule.line,
        hits: None,
    });
    Ok((listed.collect(), said))
}

fn of_hub(hub: &HubChoice) -> Option<Vec<Listed>> {
    let rules: Vec<Value> = Client::new(hub).ok()?.get("rules", &[]).ok()?;
    let of_sec =
        rules.into_iter().filter(|rule| rule.get("kind").is_some_and(|kind| kind == "sec"));
    Some(of_sec.filter_map(|rule| serde_json::from_value(rule).ok()).collect())
}
