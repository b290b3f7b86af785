//! Text of the configuration that is a secret, and the three places where it may stand.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

const MAX_FILE: u64 = 64 * 1024;

/// A secret; its `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretText(pub(crate) String);

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText(…)")
    }
}

/// A secret as a person writes it: the text itself, or where it is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a text, { file = \"…\" } or { env = \"…\" }")]
pub(crate) enum SecretFile {
    Text(SecretText),
    Elsewhere(Elsewhere),
}

/// Where a secret is kept: exactly one of the two.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Elsewhere {
    pub(crate) file: Option<PathBuf>,
    pub(crate) env: Option<String>,
}

impl SecretFile {
    /// The secret; `key` is what a person calls it.
    pub(crate) fn read(self, key: &str) -> Result<SecretText, String> {
        match self {
            SecretFile::Text(text) => Ok(text),
            SecretFile::Elsewhere(Elsewhere { file: Some(file), env: None }) => {
                from_file(key, &file).map(SecretText)
            }
            SecretFile::Elsewhere(Elsewhere { file: None, env: Some(name) }) => {
                from_environment(key, &name)
            }
            SecretFile::Elsewhere(_) => Err(format!("`{key}` needs `file` or `env`, one of them")),
        }
    }
}

/// The secret that stands under `key`, in the file of `key_file` or in the environment's `key_env`.
pub(crate) fn read(
    key: &str,
    text: Option<SecretText>,
    file: Option<PathBuf>,
    env: Option<String>,
) -> Result<Option<SecretText>, String> {
    match (text, file, env) {
        (None, None, None) => Ok(None),
        (Some(text), None, None) => Ok(Some(text)),
        (None, Some(file), None) => {
            from_file(&format!("{key}_file"), &file).map(|text| Some(SecretText(text)))
        }
        (None, None, Some(name)) => from_environment(&format!("{key}_env"), &name).map(Some),
        _ => Err(format!("`{key}`, `{key}_file` and `{key}_env` exclude each other")),
    }
}

/// The text of a small file without the line break at its end.
pub(crate) fn from_file(key: &str, path: &Path) -> Result<String, String> {
    let shown = path.display();
    let cannot = |reason: String| format!("`{key}`: cannot read {shown}: {reason}");
    let mut text = String::new();
    let file = File::open(path).map_err(|error| cannot(error.to_string()))?;
    let read = file.take(MAX_FILE + 1).read_to_string(&mut text);
    read.map_err(|error| cannot(error.to_string()))?;
    if text.len() as u64 > MAX_FILE {
        return Err(cannot(format!("it is larger than {MAX_FILE} bytes")));
    }
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

fn from_environment(key: &str, name: &str) -> Result<SecretText, String> {
    match std::env::var(name) {
        Ok(text) if !text.is_empty() => Ok(SecretText(text)),
        _ => Err(format!("`{key}`: the environment has no `{}`", name.escape_debug())),
    }
}
