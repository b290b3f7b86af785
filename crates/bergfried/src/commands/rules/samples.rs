//! The samples that prove a rule, and where they are kept.
//!
//! Beside the rule: `samples/<rule file>/fires.*` must make every rule of the file speak, `silent.*`
//! none, and `expected.json`, where it is there, is what `fires.*` states; `lists.yml` are lists that hold
//! for them. Or as SigmaHQ keeps them:
//! `regression_data/<path of the rule file>/` above the rule, or the folder of the rule's
//! `regression_tests_path`, with files named by the rule's id and an `info.yml` that says how often
//! each matches.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use anyhow::Context as _;
use serde::Deserialize;

/// Endings of files that hold events.
const EVENTS: [&str; 5] = ["log", "json", "jsonl", "ndjson", "evtx"];

/// The largest `info.yml` or `expected.json` that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// What is expected of the rules of one file.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// Every rule that speaks must speak.
    pub(super) fires: Vec<PathBuf>,
    /// No rule may.
    pub(super) silent: Vec<PathBuf>,
    /// Lists that hold for these samples.
    pub(super) lists: Option<PathBuf>,
    /// What the `fires` files state.
    pub(super) expected: Option<serde_json::Value>,
    /// How often the rule of an id matches the events of a file; at least once where none is said.
    pub(super) matches: BTreeMap<String, Vec<(PathBuf, Option<u64>)>>,
}

impl Samples {
    pub(super) fn is_empty(&self) -> bool {
        self.fires.is_empty() && self.silent.is_empty() && self.matches.is_empty()
    }

    /// Finds the samples of a rule file.
    pub(super) fn of(rules: &Path) -> anyhow::Result<Samples> {
        let mut samples = Samples::default();
        let Some(stem) = rules.file_stem() else { return Ok(samples) };
        if let Some(directory) = rules.parent() {
            samples.take_beside(&directory.join("samples").join(stem))?;
        }
        let absolute = std::path::absolute(rules)
            .with_context(|| format!("cannot find {}", rules.display()))?;
        let named = regression_folder(&read(rules)?);
        for above in absolute.ancestors().skip(1) {
            let Ok(below) = absolute.strip_prefix(above) else { continue };
            let like_the_rule = Path::new("regression_data").join(below.with_extension(""));
            let folders = named.iter().chain([&like_the_rule]);
            if let Some(folder) = folders.map(|folder| above.join(folder)).find(|it| it.is_dir()) {
                samples.take_regression(&folder, above)?;
                break;
            }
        }
        Ok(samples)
    }

    fn take_beside(&mut self, folder: &Path) -> anyhow::Result<()> {
        if !folder.is_dir() {
            return Ok(());
        }
        for path in files(folder)? {
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            match stem {
                "expected" => {
                    let text = read(&path)?;
                    let expected = serde_json::from_str(&text)
                        .with_context(|| format!("cannot read {}", path.display()))?;
                    self.expected = Some(expected);
                }
                "lists" => self.lists = Some(path),
                "fires" if holds_events(&path) => self.fires.push(path),
                "silent" if holds_events(&path) => self.silent.push(path),
                _ => {}
            }
        }
        Ok(())
    }

    fn take_regression(&mut self, folder: &Path, root: &Path) -> anyhow::Result<()> {
        let info = folder.join("info.yml");
        if info.is_file() {
            let info: Info = yaml_serde::from_str(&read(&info)?)
                .with_context(|| format!("cannot read {}", info.display()))?;
            for test in info.regression_tests_info {
                let path = root.join(&test.path);
                let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let counts = match info.rule_metadata.as_slice() {
                    // One rule: its id, whatever the file is called.
                    [only] => self.matches.entry(only.id.clone()).or_default(),
                    _ => self.matches.entry(id).or_default(),
                };
                counts.push((path, test.match_count));
            }
            return Ok(());
        }
        for path in files(folder)?.into_iter().filter(|path| holds_events(path)) {
            let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            self.matches.entry(id).or_default().push((path, None));
        }
        Ok(())
    }
}

/// The folder that a rule names itself, which its file may have left since.
fn regression_folder(rule: &str) -> Option<PathBuf> {
    let info = rule.lines().find_map(|line| line.strip_prefix("regression_tests_path:"))?;
    let folder = Path::new(info.trim().trim_matches(['\'', '"'])).parent()?;
    // Nothing but a path further down.
    let plain = |part| matches!(part, Component::Normal(_));
    (folder.components().count() > 0 && folder.components().all(plain)).then(|| folder.to_owned())
}

/// SigmaHQ's description of a rule's regression data; keys that are not needed are passed over.
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    rule_metadata: Vec<RuleMetadata>,
    #[serde(default)]
    regression_tests_info: Vec<RegressionTest>,
}

#[derive(Deserialize)]
struct RuleMetadata {
    id: String,
}

#[derive(Deserialize)]
struct RegressionTest {
    path: String,
    match_count: Option<u64>,
}

fn holds_events(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| EVENTS.contains(&extension))
}

/// The files of a folder by name.
fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let entries = std::fs::read_dir(folder).with_context(unreadable)?;
    let mut paths = entries
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .with_context(unreadable)?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let unreadable = || format!("cannot read {}", path.display());
    let size = path.metadata().with_context(unreadable)?.len();
    anyhow::ensure!(size <= MAX_FILE, "{} is larger than {MAX_FILE} bytes", path.display());
    std::fs::read_to_string(path).with_context(unreadable)
}
