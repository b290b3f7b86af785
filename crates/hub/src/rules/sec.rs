//! Rule files of SEC, read from where their set names them.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bergfried_rules::Diagnostic;
use bergfried_rules::sec::{Purpose, Sets, SourceFile, Table, pack};

use super::files::{RuleFileError, holds_rules};

/// The largest rule file, in bytes.
const MAX_FILE: u64 = 4 << 20;
/// The largest lookup table, in bytes.
const MAX_TABLE: u64 = 16 << 20;
/// The most files of one set.
const MAX_FILES: usize = 10_000;

/// A set of rule files, as it is configured.
#[derive(Clone, Debug)]
pub struct SecFiles {
    /// What is said of it.
    pub table: Table,
    /// A pack of this program.
    pub pack: Option<String>,
    /// Patterns of the names of its files.
    pub files: Vec<String>,
}

/// The texts of the files of a set at one time.
#[derive(Debug)]
pub(super) struct SecTexts {
    table: Table,
    files: Vec<SourceFile>,
}

impl SecFiles {
    /// Reads its files, each once, those of a pattern by their names.
    ///
    /// # Errors
    /// Where a file cannot be read, or a name without a pattern is no file.
    pub(super) fn read(&self) -> Result<SecTexts, RuleFileError> {
        let mut files = self.pack.as_deref().map(pack).unwrap_or_default();
        let mut seen = Vec::new();
        for pattern in &self.files {
            let paths =
                glob::glob(pattern).map_err(|error| problem(Path::new(pattern), error.msg))?;
            let mut any = false;
            for path in paths {
                let path =
                    path.map_err(|error| problem(error.path(), error.error().to_string()))?;
                any = true;
                if path.is_dir() || seen.contains(&path) {
                    continue;
                }
                if files.len() >= MAX_FILES {
                    return Err(problem(&path, format!("more than {MAX_FILES} files in a set")));
                }
                files.push(read(&path)?);
                seen.push(path);
            }
            if !any && !is_pattern(pattern) {
                return Err(problem(Path::new(pattern), "there is no such file"));
            }
        }
        Ok(SecTexts { table: self.table.clone(), files })
    }

    /// The directories in which its files may come and go, and the files themselves.
    pub(super) fn paths(&self) -> impl Iterator<Item = PathBuf> {
        self.files.iter().map(|pattern| match is_pattern(pattern) {
            false => PathBuf::from(pattern),
            true => {
                let parts = Path::new(pattern).components();
                let fixed = |part: &std::path::Component<'_>| {
                    !is_pattern(&part.as_os_str().to_string_lossy())
                };
                let directory: PathBuf = parts.take_while(fixed).collect();
                match directory.as_os_str().is_empty() {
                    true => PathBuf::from("."),
                    false => directory,
                }
            }
        })
    }
}

fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '['])
}

/// The sets with the rules of these texts, and what is wrong with them.
pub(super) fn load(
    texts: Vec<SecTexts>,
    before: Option<&Sets>,
    lint: bool,
) -> (Sets, Vec<Diagnostic>) {
    let base = texts.iter().flat_map(|set| &set.files).find_map(|file| {
        let directory = Path::new(&file.name).parent()?;
        directory.is_dir().then(|| directory.to_owned())
    });
    let base = base.unwrap_or_else(|| PathBuf::from("."));
    let wanted = texts.into_iter().map(|SecTexts { table, files }| (table, files)).collect();
    let purpose = if lint { Purpose::Check } else { Purpose::Run };
    Sets::load(wanted, before, &|name| lookup(&base, name), purpose)
}

/// The text of a lookup table; its name may be relative to the first rule file.
fn lookup(base: &Path, name: &str) -> Result<String, String> {
    let path = base.join(name);
    let bytes = read_up_to(&path, MAX_TABLE).map_err(|error| error.to_string())?;
    match bytes.len() as u64 > MAX_TABLE {
        true => Err(format!("it is larger than {MAX_TABLE} bytes")),
        false => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

impl SecTexts {
    /// Adds its texts to a hash that tells others from them.
    pub(super) fn hash(&self, hasher: &mut blake3::Hasher) {
        for SourceFile { name, text } in &self.files {
            for part in [name.as_bytes(), text] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        hasher.update(self.table.name.as_bytes());
    }

    /// The text of a file by its name.
    pub(super) fn text(&self, file: &str) -> Option<String> {
        let found = self.files.iter().find(|source| source.name == file)?;
        Some(String::from_utf8_lossy(&found.text).into_owned())
    }
}

/// The rule files of SEC at this path: a file, or every `.sec` under a directory by name.
///
/// # Errors
/// Where a file or directory cannot be read.
pub fn read_sec(path: &Path) -> Result<Vec<SourceFile>, RuleFileError> {
    let mut files = Vec::new();
    if path.is_dir() {
        walk(path, &mut files)?;
    } else {
        files.push(read(path)?);
    }
    Ok(files)
}

fn walk(directory: &Path, files: &mut Vec<SourceFile>) -> Result<(), RuleFileError> {
    let failed = |error: std::io::Error| problem(directory, error.to_string());
    let entries = std::fs::read_dir(directory).map_err(failed)?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            if holds_rules(&entry.file_name()) {
                walk(&path, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "sec") {
            if files.len() >= MAX_FILES {
                return Err(problem(directory, format!("more than {MAX_FILES} rule files")));
            }
            files.push(read(&path)?);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<SourceFile, RuleFileError> {
    let text = read_up_to(path, MAX_FILE).map_err(|error| problem(path, error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(problem(path, format!("it is larger than {MAX_FILE} bytes")));
    }
    Ok(SourceFile { name: path.display().to_string(), text })
}

/// The bytes of a file, at most one more than asked for.
fn read_up_to(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn problem(path: &Path, reason: impl Into<String>) -> RuleFileError {
    RuleFileError { what: "rules from", path: path.to_owned(), reason: reason.into() }
}
