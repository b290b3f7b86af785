//! Reads rule files from directories.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bergfried_rules::{Diagnostic, Pipeline, Source};

/// The largest rule file, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// The most rule files under one directory.
const MAX_FILES: usize = 100_000;
/// Files of tables, as they lie beside the packs of this repository.
const TABLES: [&str; 2] = ["fields.yml", "log-sources.yml"];

/// A rule file or directory that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read rules from {}: {reason}", path.display())]
pub struct RuleFileError {
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// The Sigma files (`.yml`, `.yaml`) at this path: one file, or all under a directory in the order
/// of their names. Directories named `samples` hold log lines, and are passed over.
///
/// # Errors
/// Where a file or directory cannot be read, or a directory holds no rule file at all: who names it
/// expects rules to run.
pub fn read_rules(path: &Path) -> Result<Vec<Source>, RuleFileError> {
    let mut sources = Vec::new();
    if path.is_dir() {
        walk(path, &mut sources)?;
        if sources.is_empty() {
            return Err(problem(path, "there is no .yml or .yaml file in it"));
        }
    } else {
        sources.push(read(path)?);
    }
    Ok(sources)
}

/// A pipeline that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PipelineFileError {
    /// Its file cannot be read.
    #[error("cannot read the pipeline {}: {}", .0.path.display(), .0.reason)]
    File(RuleFileError),
    /// It has mistakes; all of them.
    #[error("cannot use the pipeline: {}", lines(.0))]
    Mistakes(Vec<Diagnostic>),
}

/// The pipelines of these files, and what was left out of them.
///
/// # Errors
/// Where a file cannot be read or a pipeline has a mistake: without one of them, the others would
/// make something else of the rules.
pub fn read_pipelines(
    paths: &[PathBuf],
) -> Result<(Vec<Pipeline>, Vec<Diagnostic>), PipelineFileError> {
    let mut diagnostics = Vec::new();
    let mut pipelines = Vec::new();
    for path in paths {
        let source = read(path).map_err(PipelineFileError::File)?;
        pipelines.extend(Pipeline::read(&source, &mut diagnostics));
    }
    let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
        diagnostics.into_iter().partition(Diagnostic::is_error);
    if errors.is_empty() {
        Ok((pipelines, warnings))
    } else {
        Err(PipelineFileError::Mistakes(errors))
    }
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn walk(directory: &Path, sources: &mut Vec<Source>) -> Result<(), RuleFileError> {
    let failed = |error: std::io::Error| problem(directory, error.to_string());
    let mut entries = std::fs::read_dir(directory)
        .map_err(failed)?
        .collect::<Result<Vec<_>, _>>()
        .map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // Links to directories are not followed, so that no walk is endless.
        if entry.file_type().map_err(failed)?.is_dir() {
            if entry.file_name() != "samples" {
                walk(&path, sources)?;
            }
        } else if is_rule_file(&path) {
            if sources.len() >= MAX_FILES {
                return Err(problem(directory, format!("more than {MAX_FILES} rule files")));
            }
            sources.push(read(&path)?);
        }
    }
    Ok(())
}

/// Whether a file of this name holds rules; the tables beside the packs of this repository do not.
fn is_rule_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let name = path.file_name().and_then(|name| name.to_str());
    matches!(extension, Some("yml" | "yaml")) && !name.is_some_and(|name| TABLES.contains(&name))
}

/// The text of a file, up to a byte more than a rule file may have: what is too large, or no UTF-8
/// (U+FFFD then stands in the place of it), is told with its place by who reads the rules, and the
/// rules of other files load.
fn read(path: &Path) -> Result<Source, RuleFileError> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| problem(path, error.to_string()))?;
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| problem(path, error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Source { file: path.display().to_string(), text })
}

fn problem(path: &Path, reason: impl Into<String>) -> RuleFileError {
    RuleFileError { path: path.to_owned(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_order_and_samples_are_passed_over() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        std::fs::create_dir_all(at("b/samples")).unwrap();
        for name in ["z.yml", "b/a.yaml", "b/samples/c.yml", "note.txt"] {
            std::fs::write(at(name), "title: x").unwrap();
        }
        let read: Vec<String> =
            read_rules(base.path()).unwrap().into_iter().map(|source| source.file).collect();
        assert_eq!(read, [at("b/a.yaml").display().to_string(), at("z.yml").display().to_string()]);
    }

    #[test]
    fn a_file_that_is_no_text_or_too_large_leaves_the_others() {
        let base = tempfile::tempdir().unwrap();
        let rule = "logsource: {service: sshd}\ndetection: {s: {user.name: root}, condition: s}\n";
        for (name, bytes) in [
            ("good.yml", format!("title: good\n{rule}").into_bytes()),
            ("latin.yml", [b"title: caf\xe9\n", rule.as_bytes()].concat()),
            ("large.yml", vec![b'#'; 5 << 20]),
        ] {
            std::fs::write(base.path().join(name), bytes).unwrap();
        }
        let (rules, said) = bergfried_rules::RuleSet::load(read_rules(base.path()).unwrap());
        assert_eq!(rules.len(), 1);
        let said: Vec<String> = said.iter().map(ToString::to_string).collect();
        assert!(said[0].contains("large.yml:1:1: cannot read a rule file of over"), "{said:?}");
        assert!(said[1].contains("latin.yml:1:11: cannot read YAML: this is no UTF-8"), "{said:?}");
    }

    #[test]
    fn what_holds_no_rules_is_an_error() {
        let base = tempfile::tempdir().unwrap();
        let empty = read_rules(base.path()).unwrap_err();
        assert!(empty.to_string().contains("no .yml"), "{empty}");
        assert!(read_rules(&base.path().join("absent.yml")).is_err());
    }
}
