//! Rule files, found by patterns and read; those that did not change are not read again.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use bergfried_sec::{LoadOptions, PerlCompiler, RuleFile, RuleSet, Severity, SourceFile};

use crate::inputs::shown;
use crate::log::{Log, level};
use crate::options::Options;
use crate::paths;

/// The largest table that rules look values up in, in bytes.
const TABLE: u64 = 256 << 20;

/// Files as they were last read, by name.
#[derive(Default)]
pub(crate) struct Rules {
    files: BTreeMap<Vec<u8>, (Stamp, Arc<RuleFile>)>,
}

/// What changes with a file.
type Stamp = (i64, i64, u64, u64);

impl Rules {
    /// Reads what the options name, in its order; what is wrong is logged. Also says how many
    /// mistakes there are.
    pub(crate) fn load(
        &mut self,
        wanted: &Options,
        anew: bool,
        mut perl: Option<&mut dyn PerlCompiler>,
        log: &mut Log,
    ) -> (RuleSet, usize) {
        let mut names: Vec<Vec<u8>> = Vec::new();
        for name in wanted.rules.iter().flat_map(|pattern| paths::expand(pattern)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let (mut files, mut mistakes) = (Vec::new(), 0);
        let mut known = std::mem::take(&mut self.files);
        for name in names {
            let path = Path::new(OsStr::from_bytes(&name));
            let read = fs::metadata(path).and_then(|metadata| {
                let stamp =
                    (metadata.mtime(), metadata.mtime_nsec(), metadata.len(), metadata.ino());
                match known.remove(&name) {
                    Some((old, file)) if old == stamp && !anew => Ok((stamp, Err(file))),
                    _ => Ok((stamp, Ok(fs::read(path)?))),
                }
            });
            let (stamp, file) = match read {
                Ok((stamp, Err(file))) => (stamp, file),
                Ok((stamp, Ok(text))) => {
                    log.say(level::NOTICE, &format!("reading rules from {}", shown(&name)));
                    let source = SourceFile { name: shown(&name), text };
                    let perl = perl.as_mut().map(|perl| &mut **perl as &mut dyn PerlCompiler);
                    let mut options = LoadOptions {
                        fields: false,
                        perl,
                        tables: &table,
                        bufsize: wanted.bufsize,
                    };
                    let (file, diagnostics) = RuleFile::read(&source, &mut options);
                    for one in &diagnostics {
                        let is_error = one.severity == Severity::Error;
                        mistakes += usize::from(is_error);
                        let level = if is_error { level::ERROR } else { level::WARNING };
                        log.say(level, &one.to_string());
                    }
                    let text = format!("{} rules loaded from {}", file.rules().len(), shown(&name));
                    log.say(level::DEBUG, &text);
                    (stamp, Arc::new(file))
                }
                Err(error) => {
                    mistakes += 1;
                    log.say(level::ERROR, &format!("cannot read {}: {error}", shown(&name)));
                    continue;
                }
            };
            files.push(Arc::clone(&file));
            self.files.insert(name, (stamp, file));
        }
        (RuleSet { files }, mistakes)
    }
}

/// The text of a lookup table.
fn table(name: &str) -> Result<String, String> {
    let metadata = fs::metadata(name).map_err(|error| error.to_string())?;
    if metadata.len() > TABLE {
        return Err(format!("it is larger than {} MiB", TABLE >> 20));
    }
    fs::read_to_string(name).map_err(|error| error.to_string())
}
