//! Reads rule files from directories, and the tables by which they are read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bergfried_rules::sec::Sets;
use bergfried_rules::{Diagnostic, Fields, Lists, LogSources, Options, Pipeline, RuleSet, Source};

use super::sec::{self, SecFiles, SecTexts};

/// The largest rule file, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// The most rule files under one directory.
const MAX_FILES: usize = 100_000;
/// The most bytes of rule files under one directory: ten times what all of SigmaHQ's take.
const MAX_BYTES: usize = 256 << 20;
/// Files of tables, as they lie beside the packs of this repository.
const TABLES: [&str; 3] = ["fields.yml", "log-sources.yml", "lists.yml"];

/// A rule file or directory that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what} {}: {reason}", path.display())]
pub struct RuleFileError {
    /// What it should have held, as in `cannot read rules from x`.
    pub what: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    pub reason: String,
}

/// Tables, lists or pipelines that cannot be used; all their mistakes.
#[derive(Debug, thiserror::Error)]
#[error("cannot use a table, lists or a pipeline: {}", lines(.0))]
pub struct TableError(pub Vec<Diagnostic>);

fn lines(diagnostics: &[Diagnostic]) -> String {
    diagnostics.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Which rules run, and by which tables they are read.
#[derive(Clone, Debug, Default)]
pub struct RuleFiles {
    /// Directories or files of rules; empty: the built-in packs.
    pub paths: Vec<PathBuf>,
    /// Whether the built-in packs run besides `paths`.
    pub builtin: bool,
    /// A directory of rules that run besides all others, and may be empty: those that people write
    /// in the console.
    pub own: Option<PathBuf>,
    /// A table of fields, laid over the built-in one.
    pub fields: Option<PathBuf>,
    /// A table of log sources, laid over the built-in one.
    pub log_sources: Option<PathBuf>,
    /// Lists that rules share, laid over the built-in ones.
    pub lists: Option<PathBuf>,
    /// Processing pipelines, in pySigma's form.
    pub pipelines: Vec<PathBuf>,
    /// Sets of rule files of SEC.
    pub sec: Vec<SecFiles>,
}

/// The texts of [`RuleFiles`] at one time.
#[derive(Debug)]
pub struct RuleTexts {
    rules: Vec<Source>,
    fields: Option<Source>,
    log_sources: Option<Source>,
    lists: Option<Source>,
    pipelines: Vec<Source>,
    sec: Vec<SecTexts>,
}

impl RuleFiles {
    /// Reads every file.
    ///
    /// # Errors
    /// Where a named directory or file cannot be read at all.
    pub fn read(&self) -> Result<RuleTexts, RuleFileError> {
        let mut rules = Vec::new();
        if self.paths.is_empty() || self.builtin {
            rules.extend(bergfried_rules::builtin());
        }
        for path in &self.paths {
            rules.extend(read_rules(path)?);
        }
        // Who names the directory itself, or one around it, has its rules already.
        if let Some(own) = &self.own
            && !self.paths.iter().any(|path| own.starts_with(path))
        {
            walk(own, &mut rules, &mut 0)?;
        }
        Ok(RuleTexts {
            rules,
            fields: table(self.fields.as_deref(), "the table of fields")?,
            log_sources: table(self.log_sources.as_deref(), "the table of log sources")?,
            lists: self.read_lists()?,
            pipelines: self
                .pipelines
                .iter()
                .map(|path| named(path, "the pipeline"))
                .collect::<Result<_, _>>()?,
            sec: self.sec.iter().map(SecFiles::read).collect::<Result<_, _>>()?,
        })
    }

    /// Reads the file of lists, where one is named.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn read_lists(&self) -> Result<Option<Source>, RuleFileError> {
        table(self.lists.as_deref(), "the lists")
    }

    /// Every path that is read.
    pub(crate) fn all(&self) -> impl Iterator<Item = PathBuf> {
        let tables = self.fields.iter().chain(&self.log_sources).chain(&self.lists);
        let rules = self.paths.iter().chain(&self.own);
        let sec = self.sec.iter().flat_map(SecFiles::paths);
        rules.chain(tables).chain(&self.pipelines).cloned().chain(sec)
    }
}

impl RuleTexts {
    /// The text of a rule file, by the name that its rules tell.
    pub(crate) fn text(&self, file: &str) -> Option<String> {
        let sigma = self.rules.iter().find(|source| source.file == file);
        let sigma = sigma.map(|source| source.text.clone());
        sigma.or_else(|| self.sec.iter().find_map(|set| set.text(file)))
    }

    /// The same with one more rule file, or another text of one. Of two rules of the same id the new
    /// one loads.
    pub(crate) fn with(mut self, new: Source) -> RuleTexts {
        self.rules.retain(|source| source.file != new.file);
        self.rules.insert(0, new);
        self
    }

    /// Compiles the rules; those that cannot be used come back as diagnostics. `lint` asks to be told
    /// also what is sound but could be better.
    ///
    /// # Errors
    /// Where a table, a list or a pipeline has a mistake: without one of them, the others would make
    /// something else of the rules.
    pub fn load(self, lint: bool) -> Result<(RuleSet, Vec<Diagnostic>), TableError> {
        self.load_after(None, lint)
    }

    /// As [`RuleTexts::load`]; rule files of SEC that are as they were are not read anew.
    pub(crate) fn load_after(
        self,
        before: Option<&Sets>,
        lint: bool,
    ) -> Result<(RuleSet, Vec<Diagnostic>), TableError> {
        let mut diagnostics = Vec::new();
        let mut options = Options { lint, ..Options::default() };
        if let Some(Source { file, text }) = &self.fields {
            match Fields::read(file, text) {
                Ok(fields) => options.fields = fields,
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        if let Some(Source { file, text }) = &self.log_sources {
            match LogSources::read(file, text) {
                Ok(log_sources) => options.log_sources = log_sources,
                Err(told) => diagnostics.extend(told),
            }
        }
        if let Some(source) = &self.lists
            && let Some(lists) = Lists::read(source, &mut diagnostics)
        {
            options.lists = lists;
        }
        for source in &self.pipelines {
            options.pipelines.extend(Pipeline::read(source, &mut diagnostics));
        }
        if diagnostics.iter().any(Diagnostic::is_error) {
            diagnostics.retain(Diagnostic::is_error);
            return Err(TableError(diagnostics));
        }
        let (rules, told) = RuleSet::load_with(self.rules, &options);
        diagnostics.extend(told);
        let (sets, told) = sec::load(self.sec, before, lint);
        diagnostics.extend(told);
        Ok((rules.with_sec(Arc::new(sets)), diagnostics))
    }

    /// Tells other texts from these.
    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        let tables = self.fields.iter().chain(&self.log_sources).chain(&self.lists);
        for Source { file, text } in self.rules.iter().chain(tables).chain(&self.pipelines) {
            for part in [file, text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part.as_bytes());
            }
        }
        self.sec.iter().for_each(|set| set.hash(&mut hasher));
        *hasher.finalize().as_bytes()
    }
}

/// The Sigma files (`.yml`, `.yaml`) at this path: one file, or all under a directory in the order
/// of their names. Directories named `samples` hold log lines, and are passed over; so is what is
/// hidden (`.github`, `.#rule.yml` of an editor).
///
/// # Errors
/// Where a file or directory cannot be read, or a directory holds no rule file at all: who names it
/// expects rules to run.
pub fn read_rules(path: &Path) -> Result<Vec<Source>, RuleFileError> {
    let mut sources = Vec::new();
    if path.is_dir() {
        walk(path, &mut sources, &mut 0)?;
        if sources.is_empty() {
            return Err(problem(path, "there is no .yml or .yaml file in it"));
        }
    } else {
        sources.push(read(path)?);
    }
    Ok(sources)
}

fn walk(
    directory: &Path,
    sources: &mut Vec<Source>,
    bytes: &mut usize,
) -> Result<(), RuleFileError> {
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
            if holds_rules(&entry.file_name()) {
                walk(&path, sources, bytes)?;
            }
        } else if is_rule_file(&path) {
            if sources.len() >= MAX_FILES {
                return Err(problem(directory, format!("more than {MAX_FILES} rule files")));
            }
            let source = read(&path)?;
            *bytes += source.text.len();
            if *bytes > MAX_BYTES {
                return Err(problem(directory, format!("more than {MAX_BYTES} bytes of rules")));
            }
            sources.push(source);
        }
    }
    Ok(())
}

/// Whether a directory of this name under one that is named by a person is looked into.
pub(super) fn holds_rules(directory: &OsStr) -> bool {
    directory != "samples" && !is_hidden(directory)
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether a file of this name holds rules; the tables beside the packs of this repository do not.
fn is_rule_file(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let name = path.file_name().unwrap_or_default();
    matches!(extension, Some("yml" | "yaml"))
        && !is_hidden(name)
        && !TABLES.iter().any(|table| name == *table)
}

fn table(path: Option<&Path>, what: &'static str) -> Result<Option<Source>, RuleFileError> {
    path.map(|path| named(path, what)).transpose()
}

fn named(path: &Path, what: &'static str) -> Result<Source, RuleFileError> {
    read(path).map_err(|error| RuleFileError { what, ..error })
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
    RuleFileError { what: "rules from", path: path.to_owned(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_order_and_what_is_no_rule_is_passed_over() {
        let base = tempfile::tempdir().unwrap();
        let at = |name: &str| base.path().join(name);
        std::fs::create_dir_all(at("b/samples")).unwrap();
        std::fs::create_dir_all(at(".github")).unwrap();
        for name in ["z.yml", "b/a.yaml", "b/samples/c.yml", "note.txt", ".github/d.yml"] {
            std::fs::write(at(name), "title: x").unwrap();
        }
        // The lock of an editor, a link to nowhere.
        std::os::unix::fs::symlink("me@here.1", at(".#z.yml")).unwrap();
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
