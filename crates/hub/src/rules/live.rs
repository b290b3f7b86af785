//! Rules that change while the hub runs: a set is loaded aside, then takes the place of the one that
//! runs, whole and between two batches.
//!
//! A set with a mistake that the running one does not have is not taken: what runs goes on, and the
//! mistake is told in the log, by the API and to whoever asked for the change.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bergfried_event::Timestamp;
use bergfried_pipeline::Pipeline;
use bergfried_rules::{Diagnostic, Replaced, RuleSet, Source};
use tokio::sync::oneshot;

use super::files::{RuleFileError, RuleFiles, RuleTexts, TableError};
use super::watch::Bell;
use crate::running::{HubError, now};

/// The most diagnostics that one failed change keeps.
const MAX_TOLD: usize = 1_000;

/// The rules that run and how they came to.
pub(crate) struct LiveRules {
    files: RuleFiles,
    state: Mutex<State>,
    /// The ids of those that people switched off.
    off: Mutex<Arc<BTreeSet<String>>>,
    /// Held by who changes files or switches, so that each change is tried by itself.
    pub(crate) changes: tokio::sync::Mutex<()>,
    bell: Bell,
    /// Who waits for a change to be tried.
    asked: Mutex<Vec<oneshot::Sender<Outcome>>>,
}

struct State {
    all: Arc<RuleSet>,
    rules: Arc<RuleSet>,
    diagnostics: Arc<[Diagnostic]>,
    hash: [u8; 32],
    loaded: Timestamp,
    failed: Option<(Failure, Option<[u8; 32]>)>,
}

/// A change that was not taken.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) at: Timestamp,
    /// Why, in one sentence.
    pub(crate) reason: String,
    /// What is wrong with which file, at most [`MAX_TOLD`].
    pub(crate) diagnostics: Arc<[Diagnostic]>,
}

/// What runs, for who asks.
#[derive(Clone)]
pub(crate) struct Now {
    /// Every rule that was loaded.
    pub(crate) all: Arc<RuleSet>,
    /// Those that run: without what is switched off.
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) diagnostics: Arc<[Diagnostic]>,
    pub(crate) loaded: Timestamp,
    /// Of everything that the rules are made of.
    hash: [u8; 32],
    /// The last change, where it was not taken.
    pub(crate) failed: Option<Failure>,
}

impl Now {
    /// What runs, for the audit trail: each rule by its id, and what tells any change of a file.
    pub(crate) fn outline(&self) -> BTreeMap<String, String> {
        let rules = self.rules.rules().iter();
        let named = rules.map(|rule| {
            (format!("rule {}", rule.id()), format!("{} ({})", rule.title(), rule.level().name()))
        });
        let files = self.hash.iter().map(|byte| format!("{byte:02x}")).collect();
        named.chain([("files".to_owned(), files)]).collect()
    }
}

/// What became of a change.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// The files are as they were.
    Unchanged,
    /// Other rules run.
    Changed(Replaced),
    /// The rules of before run on.
    Kept(Failure),
}

impl LiveRules {
    /// The rules of these files, those without a mistake.
    ///
    /// # Errors
    /// Where a file cannot be read, a table has a mistake, or there are no file descriptors left.
    pub(crate) fn load(files: RuleFiles, off: BTreeSet<String>) -> Result<LiveRules, HubError> {
        let texts = files.read()?;
        let hash = hash(&texts, &off);
        let (all, diagnostics) = texts.load(false)?;
        let all = Arc::new(all);
        Ok(LiveRules {
            files,
            state: Mutex::new(State {
                rules: running(&all, &off),
                all,
                diagnostics: diagnostics.into(),
                hash,
                loaded: now(),
                failed: None,
            }),
            off: Mutex::new(Arc::new(off)),
            changes: tokio::sync::Mutex::default(),
            bell: Bell::new().map_err(HubError::Runtime)?,
            asked: Mutex::default(),
        })
    }

    pub(crate) fn now(&self) -> Now {
        let state = lock(&self.state);
        Now {
            all: Arc::clone(&state.all),
            rules: Arc::clone(&state.rules),
            diagnostics: Arc::clone(&state.diagnostics),
            loaded: state.loaded,
            hash: state.hash,
            failed: state.failed.as_ref().map(|(failure, _)| failure.clone()),
        }
    }

    pub(crate) fn files(&self) -> &RuleFiles {
        &self.files
    }

    /// The directory of the rules that people write in the console.
    pub(crate) fn own(&self) -> Option<&Path> {
        self.files.own.as_deref()
    }

    /// Whether a rule of this file was written in the console.
    pub(crate) fn is_own(&self, file: &str) -> bool {
        self.own().is_some_and(|own| Path::new(file).starts_with(own))
    }

    /// The ids of the rules that are switched off.
    pub(crate) fn off(&self) -> Arc<BTreeSet<String>> {
        Arc::clone(&lock(&self.off))
    }

    /// Lets others be switched off; they are so after the next [`LiveRules::ask`].
    pub(crate) fn switch(&self, off: BTreeSet<String>) {
        *lock(&self.off) = Arc::new(off);
    }

    /// The text of the file of a rule, as it is now.
    ///
    /// # Errors
    /// Where the rule files cannot be read.
    pub(crate) fn text(&self, file: &str) -> Result<Option<String>, RuleFileError> {
        Ok(self.files.read()?.text(file))
    }

    pub(crate) fn bell(&self) -> &Bell {
        &self.bell
    }

    /// The rules that would run with this file besides, or in place of the one of its name, and all
    /// that is to be said of it.
    ///
    /// # Errors
    /// Where the other files cannot be read, or a table has a mistake.
    pub(crate) fn with(&self, file: Source) -> Result<(RuleSet, Vec<Diagnostic>), HubError> {
        let name = file.file.clone();
        let (rules, mut said) = self.files.read()?.with(file).load(true)?;
        said.retain(|diagnostic| diagnostic.file == name);
        Ok((rules, said))
    }

    /// Asks for the files to be read again; the answer comes when that was tried, and is lost where
    /// the hub stops first.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Outcome> {
        let (reply, outcome) = oneshot::channel();
        lock(&self.asked).push(reply);
        self.bell.ring();
        outcome
    }

    /// Reads the files again and changes the rules where they say something else; answers who asked.
    pub(crate) fn reload(&self, pipeline: &Pipeline) {
        let asked = std::mem::take(&mut *lock(&self.asked));
        let known = self.now().failed.map(|failure| failure.at);
        let outcome = self.try_reload(pipeline);
        match &outcome {
            Outcome::Unchanged => {}
            // Told before.
            Outcome::Kept(failure) if Some(failure.at) == known => {}
            Outcome::Changed(replaced) => {
                let rules = self.now().rules.len();
                let Replaced { kept, anew } = replaced;
                tracing::info!(rules, kept, anew, "other rules run");
            }
            Outcome::Kept(failure) => {
                for diagnostic in failure.diagnostics.iter().take(20) {
                    tracing::error!("{diagnostic}");
                }
                tracing::error!(reason = failure.reason, "the rules of before run on");
            }
        }
        for reply in asked {
            // Who asked may have gone.
            let _gone = reply.send(outcome.clone());
        }
    }

    /// Whether the files could not be read when that was tried last, so that it is worth another try
    /// without a sign of a change.
    pub(crate) fn is_unread(&self) -> bool {
        lock(&self.state).failed.as_ref().is_some_and(|(_, hash)| hash.is_none())
    }

    fn try_reload(&self, pipeline: &Pipeline) -> Outcome {
        let texts = match self.files.read() {
            Ok(texts) => texts,
            Err(error) => return self.keep_unread(&error),
        };
        let off = self.off();
        let hash = hash(&texts, &off);
        {
            let mut state = lock(&self.state);
            if state.hash == hash {
                // What failed was taken back.
                state.failed = None;
                return Outcome::Unchanged;
            }
            if let Some((failure, Some(tried))) = &state.failed
                && *tried == hash
            {
                return Outcome::Kept(failure.clone());
            }
        }
        let before = self.now().all;
        let (all, diagnostics) = match texts.load_after(Some(before.sec()), false) {
            Ok(loaded) => loaded,
            Err(TableError(told)) => {
                return self.keep(
                    "a table or a pipeline has mistakes".to_owned(),
                    told,
                    Some(hash),
                );
            }
        };
        let new = self.new_mistakes(&diagnostics);
        if !new.is_empty() {
            let reason = match new.len() {
                1 => "a rule file has a mistake".to_owned(),
                count => format!("rule files have {count} mistakes"),
            };
            return self.keep(reason, new, Some(hash));
        }
        let all = Arc::new(all);
        let rules = running(&all, &off);
        let Ok(replaced) = pipeline.replace_rules(Arc::clone(&rules)).blocking_recv() else {
            return self.keep("the hub is stopping".to_owned(), Vec::new(), Some(hash));
        };
        *lock(&self.state) = State {
            all,
            rules,
            diagnostics: diagnostics.into(),
            hash,
            loaded: now(),
            failed: None,
        };
        Outcome::Changed(replaced)
    }

    /// Mistakes that the running set does not have; those that it was started with stand in nobody's
    /// way.
    fn new_mistakes(&self, diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
        let running = Arc::clone(&lock(&self.state).diagnostics);
        let known: HashSet<(&str, &str)> = running
            .iter()
            .filter(|known| known.is_error())
            .map(|known| (known.file.as_str(), known.message.as_str()))
            .collect();
        let is_new = |one: &&Diagnostic| {
            one.is_error() && !known.contains(&(one.file.as_str(), one.message.as_str()))
        };
        diagnostics.iter().filter(is_new).cloned().collect()
    }

    fn keep_unread(&self, error: &RuleFileError) -> Outcome {
        let known = self.now().failed;
        let reason = error.to_string();
        match known.filter(|failure| failure.reason == reason) {
            // Tried again and again: told once.
            Some(failure) => Outcome::Kept(failure),
            None => self.keep(reason, Vec::new(), None),
        }
    }

    fn keep(&self, reason: String, mut new: Vec<Diagnostic>, hash: Option<[u8; 32]>) -> Outcome {
        new.truncate(MAX_TOLD);
        let failure = Failure { at: now(), reason, diagnostics: new.into() };
        lock(&self.state).failed = Some((failure.clone(), hash));
        Outcome::Kept(failure)
    }
}

/// Those of the loaded rules that run.
fn running(all: &Arc<RuleSet>, off: &BTreeSet<String>) -> Arc<RuleSet> {
    match off.is_empty() {
        true => Arc::clone(all),
        false => Arc::new(all.without(|rule| off.contains(rule.id()))),
    }
}

/// Tells other texts, and others that are switched off, from these.
fn hash(texts: &RuleTexts, off: &BTreeSet<String>) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&texts.hash());
    for id in off {
        hasher.update(&(id.len() as u64).to_le_bytes());
        hasher.update(id.as_bytes());
    }
    *hasher.finalize().as_bytes()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
