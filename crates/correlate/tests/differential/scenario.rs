//! What a scenario is: rule files, options and input, and which results are part of the contract.
//!
//! Nothing here says what must come out. Both programs are run, and what the real `sec` does is what
//! is expected.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

/// One file of scenarios on one theme.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Theme {
    scenario: Vec<Scenario>,
}

/// Rules, input and options that both programs are given.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    /// The rule file `rules.sec`.
    #[serde(default)]
    rules: String,
    /// More files that are there before the start, rule files or others.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// The values of `--conf`.
    #[serde(default = "only_rules")]
    conf: Vec<String>,
    /// The values of `--input`: `-` where `lines` are given, otherwise `input`.
    inputs: Option<Vec<String>>,
    #[serde(default)]
    options: Vec<String>,
    /// Options that Bergfried alone is given.
    #[serde(default)]
    ours: Vec<String>,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    /// Standard input, read to its end: no time passes.
    lines: Option<String>,
    /// What happens when, a step on a line, seconds since the start first: see [`Deed`].
    steps: Option<String>,
    /// Programs on `PATH` that record their arguments and standard input.
    #[serde(default)]
    stubs: Vec<String>,
    /// Log messages that match this regular expression are compared.
    pub(crate) log: Option<String>,
    /// Compare the files and line numbers of what the log says about rule files.
    #[serde(default)]
    pub(crate) errors: bool,
    /// Why the lines of an output may come in any order.
    pub(crate) unordered: Option<String>,
    /// Why, and to what, Bergfried differs.
    pub(crate) differs: Option<Difference>,
}

/// A difference that is meant.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Difference {
    /// The reason.
    pub(crate) reason: String,
    /// What Bergfried writes to standard output.
    #[serde(default)]
    pub(crate) stdout: String,
    /// What the stubs record when Bergfried runs them.
    #[serde(default)]
    pub(crate) commands: Vec<String>,
}

/// Something that is done to the files or the process of a program.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// `FILE > TEXT` (`> TEXT` for `input`): appends a line. `\n`, `\t`, `\0`, `\xHH` and `\\` are
    /// escapes.
    Line(String, Vec<u8>),
    /// `FILE >> TEXT`: appends without a newline.
    Part(String, Vec<u8>),
    /// `signal NAME`.
    Signal(String),
    /// `run COMMAND`, by the shell, in the program's directory.
    Run(String),
    /// `end`: the program is asked to terminate.
    End,
}

fn only_rules() -> Vec<String> {
    vec!["rules.sec".to_owned()]
}

impl Scenario {
    /// Reads every scenario of a directory.
    pub(crate) fn all(directory: &Path) -> Vec<Self> {
        let mut paths: Vec<_> =
            std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let mut all: Vec<Self> = Vec::new();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|it| it == "toml")) {
            let text = std::fs::read_to_string(path).unwrap();
            let theme: Theme =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            for mut scenario in theme.scenario {
                let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
                scenario.name = format!("{stem}/{}", scenario.name);
                assert!(
                    all.iter().all(|other| other.name != scenario.name),
                    "{} is there twice",
                    scenario.name
                );
                all.push(scenario);
            }
        }
        all
    }

    /// One that only has rules and lines.
    pub(crate) fn instant(name: &str, files: BTreeMap<String, String>, lines: String) -> Self {
        Self {
            name: name.to_owned(),
            rules: String::new(),
            conf: files.keys().cloned().collect(),
            files,
            inputs: None,
            options: Vec::new(),
            ours: Vec::new(),
            environment: BTreeMap::new(),
            lines: Some(lines),
            steps: None,
            stubs: Vec::new(),
            log: None,
            errors: false,
            unordered: None,
            differs: None,
        }
    }

    /// The same with steps in time instead of lines.
    pub(crate) fn timed(name: &str, files: BTreeMap<String, String>, steps: String) -> Self {
        Self { lines: None, steps: Some(steps), ..Self::instant(name, files, String::new()) }
    }

    /// The same with programs that record how they are called.
    pub(crate) fn with_stubs(mut self, stubs: &[&str], options: &[&str]) -> Self {
        self.stubs = stubs.iter().map(|&stub| stub.to_owned()).collect();
        self.options = options.iter().map(|&option| option.to_owned()).collect();
        self
    }

    /// The same with this rule file, these inputs and these options for Bergfried alone.
    pub(crate) fn set_rules(&mut self, conf: &str, inputs: &[&str], ours: &[&str]) {
        let owned = |all: &[&str]| all.iter().map(|&one| one.to_owned()).collect();
        self.conf = vec![conf.to_owned()];
        self.inputs = Some(owned(inputs));
        self.ours = owned(ours);
    }

    /// Whether anything waits for time to pass.
    pub(crate) fn is_timed(&self) -> bool {
        self.steps.is_some()
    }

    /// Whether the program leaves its terminal and goes on in another process.
    pub(crate) fn detaches(&self) -> bool {
        self.options.iter().any(|option| option == "--detach")
    }

    /// The files that are there at the start.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        let mut files = self.files.clone();
        if !self.rules.is_empty() {
            files.insert("rules.sec".to_owned(), self.rules.clone());
        }
        files
    }

    /// The names of its recording programs.
    pub(crate) fn stubs(&self) -> &[String] {
        &self.stubs
    }

    /// What standard input holds.
    pub(crate) fn lines(&self) -> &str {
        self.lines.as_deref().unwrap_or_default()
    }

    /// The environment variables that it sets.
    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The files that exist, empty, at the start because they are inputs.
    pub(crate) fn input_names(&self) -> Vec<String> {
        match &self.inputs {
            Some(_) => Vec::new(),
            None if self.is_timed() => vec!["input".to_owned()],
            None => Vec::new(),
        }
    }

    /// The command line of `sec`, or Bergfried's.
    pub(crate) fn arguments(&self, is_ours: bool) -> Vec<String> {
        let mut arguments: Vec<String> =
            self.conf.iter().map(|conf| format!("--conf={conf}")).collect();
        let standard = if self.is_timed() { "input" } else { "-" };
        let standard = [standard.to_owned()];
        let inputs = self.inputs.as_deref().unwrap_or(&standard);
        arguments.extend(inputs.iter().map(|input| format!("--input={input}")));
        if self.is_timed() {
            arguments.push("--input=@DIR@/.ready".to_owned());
        } else {
            arguments.push("--notail".to_owned());
        }
        arguments.push("--log=log".to_owned());
        arguments.extend(self.options.iter().cloned());
        if is_ours {
            arguments.extend(self.ours.iter().cloned());
        }
        arguments
    }

    /// The steps in the order of their times.
    pub(crate) fn steps(&self) -> Vec<(Duration, Deed)> {
        let text = self.steps.as_deref().unwrap_or_default();
        let mut steps: Vec<_> = text
            .lines()
            .map(str::trim_start)
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| step(line).unwrap_or_else(|| panic!("{}: bad step {line}", self.name)))
            .collect();
        steps.sort_by_key(|(time, _)| *time);
        steps
    }
}

fn step(line: &str) -> Option<(Duration, Deed)> {
    let (time, rest) = line.split_once(' ')?;
    let time = Duration::from_secs_f64(time.parse().ok()?);
    let deed = if rest == "end" {
        Deed::End
    } else if let Some(name) = rest.strip_prefix("signal ") {
        Deed::Signal(name.to_owned())
    } else if let Some(command) = rest.strip_prefix("run ") {
        Deed::Run(command.to_owned())
    } else {
        let (file, text) = rest.split_once('>')?;
        let file = match file.trim() {
            "" => "input".to_owned(),
            file => file.to_owned(),
        };
        match text.strip_prefix('>') {
            Some(text) => Deed::Part(file, unescape(text.strip_prefix(' ').unwrap_or(text))),
            None => {
                let mut bytes = unescape(text.strip_prefix(' ').unwrap_or(text));
                bytes.push(b'\n');
                Deed::Line(file, bytes)
            }
        }
    };
    Some((time, deed))
}

/// Resolves `\n`, `\t`, `\0`, `\xHH` and `\\`.
pub(crate) fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'n') => out.push(b'\n'),
            Some(b't') => out.push(b'\t'),
            Some(b'0') => out.push(0),
            Some(b'x') => {
                let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                let digits = std::str::from_utf8(&digits).unwrap().to_owned();
                out.push(u8::from_str_radix(&digits, 16).unwrap());
            }
            Some(other) => out.extend([b'\\', other].iter().skip(usize::from(other == b'\\'))),
            None => out.push(b'\\'),
        }
    }
    out
}
