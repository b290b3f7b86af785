//! The chains of the configuration file: read with the files that they name, and read again while
//! the hub runs.

mod live;

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use bergfried_process::{Chains, Files};

use crate::config::{ConfigError, HubFile, place};

pub(crate) use live::{LiveChains, Outcome};

/// The largest file that a chain may name, in bytes: databases of places are the large ones.
const MAX_FILE: u64 = 512 << 20;

/// Where chains are written.
#[derive(Clone, Debug, Default)]
pub struct ChainFiles {
    /// The hub's configuration file; where there is none, there are no chains.
    pub config: Option<PathBuf>,
}

/// Chains that cannot be used, with every mistake.
#[derive(Debug, thiserror::Error)]
pub struct ChainsError(
    /// What is wrong where; never empty.
    pub Vec<ConfigError>,
);

impl fmt::Display for ChainsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl ChainFiles {
    /// Reads and compiles the chains; none where there is no configuration file.
    ///
    /// # Errors
    /// Every mistake, with file, line and column.
    pub fn load(&self) -> Result<Chains, ChainsError> {
        let Some(path) = &self.config else { return Ok(Chains::default()) };
        let text = HubFile::text(path).map_err(|error| ChainsError(vec![error]))?;
        compile(&text, &path.display().to_string())
    }

    /// Whether a hub would take this text as the configuration file of this name, its chains and the
    /// files that they name included.
    ///
    /// # Errors
    /// Every mistake, with file, line and column.
    pub fn check(text: &str, name: &str) -> Result<(), ChainsError> {
        compile(text, name).map(|_| ())
    }
}

/// Compiles the chains of the text of a configuration file of this name.
fn compile(text: &str, name: &str) -> Result<Chains, ChainsError> {
    let file = HubFile::parse(text, name).map_err(|error| ChainsError(vec![error]))?;
    let mut files = Files::default();
    let mut unread = Vec::new();
    for path in Chains::files(&file.chain) {
        match read(Path::new(&path)) {
            Ok(bytes) => files.insert(path, bytes),
            Err(error) => {
                let message = format!("cannot read a file that a chain names: {error}");
                unread.push(ConfigError { place: path, message });
            }
        }
    }
    if !unread.is_empty() {
        return Err(ChainsError(unread));
    }
    Chains::compile(&file.chain, &files).map_err(|told| {
        let each = told.into_iter().map(|one| ConfigError {
            place: place(name, text, one.locate(text).start),
            message: one.message,
        });
        ChainsError(each.collect())
    })
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(std::io::Error::other(format!("it is larger than {} MiB", MAX_FILE >> 20)));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_their_line_and_column() {
        for (text, place, part) in [
            (
                "[[chain]]\nname = 'x'\nwhen = 'user:('\n[[chain.step]]\ndrop = {}",
                "hub.toml:3:8",
                "cannot read the condition",
            ),
            (
                "[[chain]]\nname = 'x'\n[[chain.step]]\ngrok = { patterns = [\n  '%{IP:a}',\n  '%{IPP:a}',\n] }",
                "hub.toml:6:3",
                "no pattern is named IPP",
            ),
            ("[[chain]]\nname = 'x'\n\n[[chain.step]]\n", "hub.toml:4:1", "the step does nothing"),
            ("[[chain]]\nname = 'x'\n[[chain.step]]\ngrk = {}", "hub.toml:4:1", "is `grok` meant?"),
            (
                "[[chain]]\nname = 'x'\n[[chain.step]]\nwhen = 'a:b'\nthen = [{ drop = {}, json = {} }]",
                "hub.toml:5:",
                "a step has one action",
            ),
            (
                "[[chain]]\nname = 'x'\n[[chain.step]]\nmutate = { rename = { a = 'event.original' } }",
                "hub.toml:4:27",
                "`event.original` can only be read",
            ),
            (
                "[[chain]]\nname = 'x'\n[[chain.step]]\ngrok = { patterns = 'x', pattern_files = '/absent' }",
                "/absent",
                "cannot read a file",
            ),
            (
                "[[chain]]\nname = 'x'\nwhen = '@timestamp:>now-1h'\n[[chain.step]]\ndrop = {}",
                "hub.toml:3:8",
                "cannot count from `now`",
            ),
            (
                "[[chain]]\nname = 'x'\n[[chain]]\nname = 'x'\n",
                "hub.toml:4:8",
                "two chains are named `x`",
            ),
        ] {
            let ChainsError(told) = compile(text, "hub.toml").unwrap_err();
            let error = &told[0];
            assert!(error.place.starts_with(place), "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }
}
