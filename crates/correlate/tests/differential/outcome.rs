//! What a program did, and where two of them differ.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use regex::bytes::Regex;

use super::scenario::Scenario;

/// Everything that a program leaves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) log: Vec<u8>,
    pub(crate) exit: String,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) commands: Vec<Vec<u8>>,
    pub(crate) received: BTreeMap<String, Vec<Vec<u8>>>,
}

impl Outcome {
    /// Writes `@DIR@` for the directory in which the program ran.
    pub(crate) fn without_path(mut self, directory: &Path) -> Self {
        let path = directory.display().to_string();
        let clean = |bytes: &mut Vec<u8>| *bytes = replace(bytes, path.as_bytes(), b"@DIR@");
        clean(&mut self.stdout);
        clean(&mut self.log);
        self.files.values_mut().for_each(clean);
        self.commands.iter_mut().for_each(clean);
        self.received.values_mut().flatten().for_each(clean);
        self
    }

    /// The parts that a scenario compares, named.
    pub(crate) fn compared(&self, scenario: &Scenario) -> BTreeMap<String, Vec<String>> {
        let lines = |bytes: &[u8]| {
            let mut lines: Vec<String> = bytes
                .split_inclusive(|byte| *byte == b'\n')
                .map(|line| line.escape_ascii().to_string())
                .collect();
            if scenario.unordered.is_some() {
                lines.sort();
            }
            lines
        };
        let mut parts = BTreeMap::new();
        parts.insert("exit".to_owned(), vec![self.exit.clone()]);
        parts.insert("stdout".to_owned(), lines(&self.stdout));
        for (name, content) in &self.files {
            parts.insert(format!("file {name}"), lines(content));
        }
        let escaped =
            |all: &[Vec<u8>]| all.iter().map(|it| it.escape_ascii().to_string()).collect();
        parts.insert("commands".to_owned(), escaped(&self.commands));
        for (name, messages) in &self.received {
            parts.insert(format!("received {name}"), escaped(messages));
        }
        if let Some(pattern) = &scenario.log {
            let pattern = Regex::new(pattern).unwrap();
            let messages = self.messages();
            let chosen = messages.iter().filter(|message| pattern.is_match(message));
            parts
                .insert("log".to_owned(), chosen.map(|it| it.escape_ascii().to_string()).collect());
        }
        if scenario.errors {
            parts.insert("errors".to_owned(), self.errors().into_iter().collect());
        }
        parts
    }

    /// The log's messages without their times.
    fn messages(&self) -> Vec<Vec<u8>> {
        let time = Regex::new(r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}: ").unwrap();
        let lines = self.log.split(|byte| *byte == b'\n');
        lines.map(|line| time.replace(line, &b""[..]).into_owned()).collect()
    }

    /// The places in rule files of which the log speaks, as `file:line`.
    fn errors(&self) -> BTreeSet<String> {
        // sec's words, and Bergfried's; a keyword that is there twice has no place with sec.
        let place =
            r"^(?:Rule in )?(\S+?)(?:(?: at)? line (\d+)(?: |:)|:(\d+): (?:error|warning): )";
        let place = Regex::new(place).unwrap();
        let twice = Regex::new("is said twice in a rule").unwrap();
        let messages = self.messages();
        let found = messages
            .iter()
            .filter(|message| !twice.is_match(message))
            .filter_map(|message| place.captures(message));
        found
            .map(|place| {
                let part =
                    |number| place.get(number).map(|it| String::from_utf8_lossy(it.as_bytes()));
                let line = part(2).or(part(3)).unwrap_or_default();
                format!("{}:{line}", part(1).unwrap_or_default())
            })
            .collect()
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Says where two programs differ, or nothing where they do the same.
pub(crate) fn difference(scenario: &Scenario, sec: &Outcome, ours: &Outcome) -> Option<String> {
    let (expected, found) = (sec.compared(scenario), ours.compared(scenario));
    if let Some(meant) = &scenario.differs {
        return meant_difference(meant, &expected, ours);
    }
    if expected == found {
        return None;
    }
    let mut text = String::new();
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    for name in names {
        let none = Vec::new();
        let (sec, ours) = (expected.get(name).unwrap_or(&none), found.get(name).unwrap_or(&none));
        if sec == ours {
            continue;
        }
        if name == "errors" || name == "commands" || scenario.unordered.is_some() {
            // These are sets: who lacks what says more than where they part.
            let lacks = |all: &[String], of: &[String]| -> Vec<String> {
                all.iter().filter(|line| !of.contains(line)).cloned().collect()
            };
            let _ = writeln!(text, "  {name}:");
            let _ = writeln!(text, "    only sec       {:#?}", lacks(sec, ours));
            let _ = writeln!(text, "    only bergfried {:#?}", lacks(ours, sec));
            let _ = writeln!(text, "    {} and {} lines", sec.len(), ours.len());
            continue;
        }
        let same = sec.iter().zip(ours).take_while(|(sec, ours)| sec == ours).count();
        let _ = writeln!(text, "  {name}, after {same} that are the same:");
        for line in sec.iter().skip(same).take(8) {
            let _ = writeln!(text, "    sec       {line}");
        }
        for line in ours.iter().skip(same).take(8) {
            let _ = writeln!(text, "    bergfried {line}");
        }
    }
    let tail = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let lines: Vec<_> = text.lines().collect();
        let from = lines.len().saturating_sub(12);
        lines.get(from..).unwrap_or_default().join("\n      ")
    };
    let _ = writeln!(text, "  bergfried's log:\n      {}", tail(&ours.log));
    let _ = writeln!(text, "  bergfried's standard error:\n      {}", tail(&ours.stderr));
    Some(text)
}

fn meant_difference(
    meant: &super::scenario::Difference,
    sec: &BTreeMap<String, Vec<String>>,
    ours: &Outcome,
) -> Option<String> {
    let stdout = String::from_utf8_lossy(&ours.stdout).into_owned();
    let commands: Vec<_> = ours.commands.iter().map(|it| it.escape_ascii().to_string()).collect();
    if stdout != meant.stdout || commands != meant.commands {
        return Some(format!(
            "  meant to differ ({}), but wrote {stdout:?} and ran {commands:#?}",
            meant.reason
        ));
    }
    let same = sec
        .get("stdout")
        .is_some_and(|lines| lines.concat() == stdout.escape_default().to_string())
        && sec.get("commands") == Some(&commands);
    same.then(|| format!("  said to differ ({}), but does not", meant.reason))
}

/// An outcome for a person to read.
pub(crate) fn shown(scenario: &Scenario, outcome: &Outcome) -> String {
    let mut text = String::new();
    for (name, lines) in outcome.compared(scenario) {
        let _ = writeln!(text, "  {name}:");
        for line in lines {
            let _ = writeln!(text, "    {line}");
        }
    }
    if std::env::var_os("SEC_SHOW").is_some_and(|it| it == "log") {
        let _ = writeln!(text, "  log:\n{}", String::from_utf8_lossy(&outcome.log));
    }
    text
}
