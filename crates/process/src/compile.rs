//! From chains as written to chains that run; every mistake is told with its place.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_query::{Predicate, search};

use crate::chains::{Chain, Chains, Step, When, Work};
use crate::config::{ChainFile, StepFile};
use crate::diagnostic::{Diagnostic, Part};
use crate::name;
use crate::options::Options;
use crate::steps::{KINDS, Kind};
use crate::template::Template;

/// The most steps of all chains together.
const MAX_STEPS: usize = 10_000;
/// The deepest nesting of steps.
const MAX_DEPTH: usize = 32;

/// The contents of files that chains name, by their paths as written.
#[derive(Clone, Debug, Default)]
pub struct Files(BTreeMap<String, Arc<[u8]>>);

impl Files {
    /// Takes the bytes of the file that chains call by this path.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.0.insert(path.into(), bytes.into());
    }
}

/// What is gathered while chains are compiled.
pub(crate) struct Compile<'c> {
    files: &'c Files,
    path: Vec<Part>,
    told: Vec<Diagnostic>,
    steps: usize,
    patterns: usize,
    metadata: bool,
}

impl Compile<'_> {
    /// Tells a mistake at the place where the compilation is.
    pub(crate) fn mistake(&mut self, message: String) {
        self.told.push(Diagnostic { path: self.path.clone(), message });
    }

    /// Works on the value of a key.
    pub(crate) fn at<R>(&mut self, key: &str, work: impl FnOnce(&mut Self) -> R) -> R {
        self.within(Part::Key(key.to_owned()), work)
    }

    /// Works on an element of a list.
    pub(crate) fn nth<R>(&mut self, index: usize, work: impl FnOnce(&mut Self) -> R) -> R {
        self.within(Part::Index(index), work)
    }

    fn within<R>(&mut self, part: Part, work: impl FnOnce(&mut Self) -> R) -> R {
        self.path.push(part);
        let result = work(self);
        self.path.pop();
        result
    }

    /// A field that is only read.
    pub(crate) fn readable(&mut self, key: &str, text: &str) -> Option<FieldName<'static>> {
        self.at(key, |compile| compile.readable_here(text))
    }

    /// A field that is set; refused where only the hub sets it.
    pub(crate) fn writable(&mut self, key: &str, text: &str) -> Option<FieldName<'static>> {
        self.at(key, |compile| compile.writable_here(text))
    }

    /// As [`Compile::writable`], at the place where the compilation is.
    pub(crate) fn writable_here(&mut self, text: &str) -> Option<FieldName<'static>> {
        let name = self.readable_here(text)?;
        if name == FieldName::Known(Field::Timestamp) {
            self.mistake("`@timestamp` is set by `date` alone".to_owned());
            return None;
        }
        if name::is_read_only(&name) {
            self.mistake(format!(
                "`{}` can only be read: it says what the hub knows of the record, not what the \
                 record says",
                name.as_str()
            ));
            return None;
        }
        Some(name)
    }

    /// As [`Compile::readable`], at the place where the compilation is.
    pub(crate) fn readable_here(&mut self, text: &str) -> Option<FieldName<'static>> {
        if text.is_empty() || text.len() > name::MAX_NAME || text.contains("%{") {
            self.mistake(format!("`{}` is no name of a field", text.escape_debug()));
            return None;
        }
        let name = name::field(text);
        self.metadata |= is_metadata(&name);
        Some(name)
    }

    /// As [`Compile::writable`], of a key that may be absent; none where it has a mistake.
    #[expect(clippy::option_option, reason = "a mistake is not the same as an absent key")]
    pub(crate) fn optional(
        &mut self,
        key: &str,
        text: Option<&str>,
    ) -> Option<Option<FieldName<'static>>> {
        match text {
            None => Some(None),
            Some(text) => self.writable(key, text).map(Some),
        }
    }

    /// One ASCII character.
    pub(crate) fn ascii(&mut self, text: &str) -> Option<u8> {
        match text.as_bytes() {
            [byte] if byte.is_ascii() => Some(*byte),
            _ => {
                self.mistake(format!("`{}` is not one ASCII character", text.escape_debug()));
                None
            }
        }
    }

    /// A text with places for fields.
    pub(crate) fn template(&mut self, text: &str) -> Option<Template> {
        match Template::new(text) {
            Ok(template) => Some(template),
            Err(error) => {
                self.mistake(error);
                None
            }
        }
    }

    /// The bytes of a file; where it could not be read, that is told.
    pub(crate) fn file(&mut self, path: &str) -> Option<Arc<[u8]>> {
        let found = self.files.0.get(path).cloned();
        if found.is_none() {
            self.mistake(format!("cannot read the file `{}`", path.escape_debug()));
        }
        found
    }
}

/// Whether the field only lives while chains run.
pub(crate) fn is_metadata(name: &FieldName<'_>) -> bool {
    matches!(name, FieldName::Other(name) if name.starts_with("@metadata"))
}

/// The files that chains name, each once.
pub(crate) fn files(chains: &[ChainFile]) -> Vec<String> {
    fn of(steps: &[StepFile], found: &mut Vec<String>) {
        for step in steps {
            for kind in KINDS.iter().filter(|kind| (kind.is_set)(step)) {
                found.extend((kind.files)(step));
            }
            of(&step.then, found);
            of(&step.otherwise, found);
        }
    }
    let mut found = Vec::new();
    for chain in chains {
        of(&chain.steps, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

/// Compiles chains.
pub(crate) fn compile(files: &[ChainFile], read: &Files) -> Result<Chains, Vec<Diagnostic>> {
    let mut compile = Compile {
        files: read,
        path: vec![Part::Key("chain".to_owned())],
        told: Vec::new(),
        steps: 0,
        patterns: 0,
        metadata: false,
    };
    let mut names = HashSet::new();
    let mut chains = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let chain = compile.nth(index, |compile| {
            if file.name.is_empty() {
                compile.at("name", |compile| compile.mistake("a chain needs a name".to_owned()));
            } else if !names.insert(file.name.as_str()) {
                compile.at("name", |compile| {
                    compile.mistake(format!("two chains are named `{}`", file.name));
                });
            }
            Chain {
                name: file.name.clone(),
                when: when(file.when.as_deref(), compile),
                steps: compile.at("step", |compile| steps(&file.steps, 0, compile)),
            }
        });
        chains.push(chain);
    }
    if compile.told.is_empty() {
        Ok(Chains {
            chains,
            steps: compile.steps,
            patterns: compile.patterns,
            metadata: compile.metadata,
        })
    } else {
        Err(compile.told)
    }
}

fn steps(files: &[StepFile], depth: usize, compile: &mut Compile<'_>) -> Vec<Step> {
    if depth > MAX_DEPTH {
        compile.mistake(format!("steps are nested deeper than {MAX_DEPTH}"));
        return Vec::new();
    }
    let each = files.iter().enumerate();
    each.filter_map(|(index, file)| compile.nth(index, |compile| step(file, depth, compile)))
        .collect()
}

fn step(file: &StepFile, depth: usize, compile: &mut Compile<'_>) -> Option<Step> {
    let number = compile.steps;
    compile.steps += 1;
    if compile.steps > MAX_STEPS {
        if compile.steps == MAX_STEPS + 1 {
            compile.mistake(format!("there are more than {MAX_STEPS} steps"));
        }
        return None;
    }
    let when = when(file.when.as_deref(), compile);
    let branches = !file.then.is_empty() || !file.otherwise.is_empty();
    let mut kinds = KINDS.iter().filter(|kind| (kind.is_set)(file));
    let kind = kinds.next();
    if let (Some(first), Some(second)) = (kind, kinds.next()) {
        compile.at(second.key, |compile| {
            compile.mistake(format!(
                "a step has one action, and this one has `{}` already: begin another step",
                first.key
            ));
        });
    }
    if let (Some(kind), true) = (kind, branches) {
        compile.at(if file.then.is_empty() { "else" } else { "then" }, |compile| {
            compile.mistake(format!(
                "a step has one action, and this one has `{}` already: put that among the steps \
                 of `then`",
                kind.key
            ));
        });
    }
    if !file.otherwise.is_empty() && file.when.is_none() {
        compile.at("else", |compile| {
            compile.mistake("`else` is never done without a `when`".to_owned());
        });
    }
    let options = Options::compile(file, kind.and_then(|kind| kind.failure_tag), compile);
    if kind.is_none() && !branches && options.is_empty() {
        let keys: Vec<&str> = KINDS.iter().map(|kind| kind.key).collect();
        compile.mistake(format!(
            "the step does nothing, expected one of {}, `then`, or options such as `add_tag`",
            keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ")
        ));
    }
    let work = match kind {
        Some(kind) => Work::Action(action(kind, file, compile)?),
        None if branches => Work::Steps {
            then: compile.at("then", |compile| steps(&file.then, depth + 1, compile)),
            otherwise: compile.at("else", |compile| steps(&file.otherwise, depth + 1, compile)),
        },
        None => Work::Nothing,
    };
    let patterns = match &work {
        Work::Action(action) => action.patterns().len(),
        _ => 0,
    };
    let first_pattern = compile.patterns;
    compile.patterns += patterns;
    Some(Step {
        number,
        kind: match &work {
            Work::Action(_) => kind.map_or("", |kind| kind.key),
            Work::Steps { .. } => "if",
            Work::Nothing => "options",
        },
        when,
        work,
        options,
        patterns: first_pattern..compile.patterns,
    })
}

fn action(
    kind: &Kind,
    file: &StepFile,
    compile: &mut Compile<'_>,
) -> Option<Box<dyn crate::steps::Action>> {
    compile.at(kind.key, |compile| (kind.compile)(file, compile))
}

fn when(text: Option<&str>, compile: &mut Compile<'_>) -> Option<When> {
    let text = text?;
    compile.at("when", |compile| match condition(text) {
        Ok(predicate) => {
            compile.metadata |= predicate.fields().into_iter().any(is_metadata);
            Some(When { predicate, text: text.to_owned() })
        }
        Err(message) => {
            compile.mistake(message);
            None
        }
    })
}

fn condition(text: &str) -> Result<Predicate, String> {
    let shown =
        |error: search::SearchError| format!("cannot read the condition: {}", error.render(text));
    let predicate = search::parse(text, Timestamp::MIN).map_err(shown)?;
    // A time that counts from now would be fixed at the moment of loading.
    let later = search::parse(text, Timestamp::from_seconds(0)).map_err(shown)?;
    if predicate == later {
        Ok(predicate)
    } else {
        Err("a condition of a chain cannot count from `now`".to_owned())
    }
}
