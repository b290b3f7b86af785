//! Lists of words that rules share: programs, hosts and networks that a site trusts.
//!
//! A rule names one as `%name%` in a value with the modifier `expand`. The lists are data
//! (`rules/lists.yml`); a person lays another file over it, so that what is trusted is edited in one
//! place.

mod policy;
mod read;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, LazyLock};

use bergfried_event::Value;
use bergfried_policy::{Judge, Mode};

use crate::diagnostic::{Diagnostic, Source};

/// The name of the built-in file.
const BUILTIN_FILE: &str = "rules/lists.yml";

static BUILTIN: LazyLock<Lists> = LazyLock::new(|| {
    let text = include_str!("../../../../rules/lists.yml").to_owned();
    let source = Source { file: BUILTIN_FILE.to_owned(), text };
    read::lists(&source, &Lists::empty(), &mut Vec::new()).unwrap_or_else(Lists::empty)
});

/// The lists in force, by their names. Cheap to copy.
#[derive(Clone, Debug)]
pub struct Lists(Arc<Inner>);

#[derive(Clone, Debug, Default)]
struct Inner {
    lists: BTreeMap<String, List>,
    network_policy: NetworkPolicy,
    /// What follows from both.
    judge: Arc<Judge>,
}

/// Which destinations are allowed, as the files say it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkPolicy {
    /// What the lists below mean.
    pub mode: Mode,
    /// Hosts and patterns of them, or lists of hosts as `%name%`.
    pub hosts: Vec<String>,
    /// Networks, or lists of them as `%name%`.
    pub networks: Vec<String>,
    /// Ports.
    pub ports: Vec<RangeInclusive<u16>>,
    /// The places that say something of it, the first first.
    pub from: Vec<Origin>,
}

/// One list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// Texts and numbers, in the order of the files.
    pub values: Vec<Value<'static>>,
    /// Where its values come from, the first first.
    pub from: Vec<Origin>,
}

/// A place of a file that gives a list its values, or the policy its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The file's name.
    pub file: String,
    /// The line of the list's name, from 1.
    pub line: usize,
    /// How many values or keys it gives.
    pub count: usize,
}

impl Default for Lists {
    /// Those of this repository.
    fn default() -> Self {
        BUILTIN.clone()
    }
}

impl Lists {
    /// The built-in lists with those of a file laid over them: `name: [..]` takes the place of the
    /// list of that name, `name+: [..]` adds to it. Of `network_policy` each key takes the place of the
    /// one below.
    ///
    /// What is wrong with the file goes to `diagnostics`; `None` where that is an error.
    pub fn read(source: &Source, diagnostics: &mut Vec<Diagnostic>) -> Option<Lists> {
        read::lists(source, &BUILTIN, diagnostics)
    }

    /// Every list, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &List)> {
        self.0.lists.iter().map(|(name, list)| (name.as_str(), list))
    }

    /// The list of this name.
    pub fn get(&self, name: &str) -> Option<&List> {
        self.0.lists.get(name)
    }

    /// The policy over destinations.
    pub fn network_policy(&self) -> &NetworkPolicy {
        &self.0.network_policy
    }

    /// Says of events where they reach and whether that is allowed.
    pub(crate) fn judge(&self) -> &Arc<Judge> {
        &self.0.judge
    }

    fn empty() -> Lists {
        Lists(Arc::default())
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Event, Field, FieldName, Timestamp};

    use super::*;

    fn read(text: &str) -> (Option<Lists>, Vec<String>) {
        let mut told = Vec::new();
        let source = Source { file: "own.yml".to_owned(), text: text.to_owned() };
        let lists = Lists::read(&source, &mut told);
        (lists, told.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_built_in_lists_are_read() {
        let mut told = Vec::new();
        let text = include_str!("../../../../rules/lists.yml").to_owned();
        let source = Source { file: BUILTIN_FILE.to_owned(), text };
        assert!(read::lists(&source, &Lists::empty(), &mut told).is_some(), "{told:?}");
        assert_eq!(told, []);
        for (name, list) in Lists::default().iter() {
            let may_be_empty = ["scanners", "decoys"].contains(&name);
            assert!(!list.values.is_empty() || may_be_empty, "{name}");
            let unique: std::collections::BTreeSet<_> =
                list.values.iter().map(Value::to_text).collect();
            assert_eq!(unique.len(), list.values.len(), "{name} says something twice");
        }
    }

    #[test]
    fn a_file_replaces_adds_and_brings_its_own() {
        let builtin = Lists::default();
        let (lists, told) = read(
            "build_tools: [bazel]\nsafe_hosts+:\n- git.example.org\n- github.com\nour_admins: root\n\
             our_ports: [22, 80]\nshells: []\n",
        );
        assert_eq!(told, [] as [String; 0]);
        let lists = lists.unwrap();
        assert_eq!(lists.get("build_tools").unwrap().values, [Value::from("bazel")]);
        let hosts = lists.get("safe_hosts").unwrap();
        // What both say stands there once.
        let before = builtin.get("safe_hosts").unwrap();
        assert_eq!(hosts.values.len(), before.values.len() + 1);
        let from = |file: &str, line, count| Origin { file: file.to_owned(), line, count };
        assert_eq!(hosts.from, [before.from[0].clone(), from("own.yml", 2, 2)]);
        assert_eq!(lists.get("our_admins").unwrap().from, [from("own.yml", 5, 1)]);
        assert_eq!(lists.get("our_ports").unwrap().values, [Value::Int(22), Value::Int(80)]);
        assert_eq!(lists.get("shells").unwrap().values, []);
    }

    #[test]
    fn mistakes_are_placed() {
        for (text, expected) in [
            ("safe_hosts: {a: b}\n", "own.yml:1:1: expected a text"),
            ("build_tools:\n  - gcc\n  - [x]\n", "own.yml:3:5: expected a text"),
            ("x: [1]\nsaef_hosts+: [a.org]\n", "own.yml:2:1: there is no list `saef_hosts` to add"),
            ("saef_hosts+: [a.org]\n", "did you mean `safe_hosts`?"),
            (
                "safe_hosts: []\nsafe_hosts+: [a.org]\n",
                "own.yml:2:1: `safe_hosts` stands here twice",
            ),
            ("safe hosts: [a.org]\n", "own.yml:1:1: the name of a list has"),
            ("build_tools: ['']\n", "own.yml:1:1: a value is empty"),
            ("- a\n", "own.yml:1:1: expected a mapping"),
            ("a: [\n", "own.yml:2:1: cannot read YAML"),
            (
                "safe_hosts+:\n- a.org\n- 'a*.org'\n",
                "own.yml:3:3: `a*.org` is no host, expected a name",
            ),
            ("network_policy: {mod: off}\n", "did you mean `mode`?"),
            (
                "network_policy:\n  mode: allow\n",
                "own.yml:2:3: unknown mode `allow`, expected allowlist",
            ),
            ("network_policy:\n  hosts: ['%safe_host%']\n", "did you mean `safe_hosts`?"),
            (
                "network_policy:\n  networks: [10.0.0.0/40]\n",
                "own.yml:2:3: `10.0.0.0/40` is no host",
            ),
            ("network_policy:\n  ports: [70000]\n", "own.yml:2:3: expected a port from 0 to 65535"),
            ("network_policy:\n  ports: [9-8]\n", "own.yml:2:3: expected a port from 0 to 65535"),
            ("network_policy+: {mode: off}\n", "own.yml:1:1: `network_policy` is no list"),
            ("", "own.yml:1:1: there is no list in this file"),
        ] {
            let (lists, told) = read(text);
            assert!(lists.is_none(), "{text}");
            assert!(told.iter().any(|said| said.contains(expected)), "{text}: {told:?}");
        }
    }

    #[test]
    fn a_policy_is_laid_over_key_by_key_and_may_name_lists() {
        let (lists, told) = read(
            "our_hosts: [a.org, '*.b.org']\nnetwork_policy:\n  mode: allowlist\n  \
             hosts: ['%our_hosts%', c.org]\n  ports: [443, 8000-8100]\n",
        );
        assert_eq!(told, [] as [String; 0]);
        let lists = lists.unwrap();
        let policy = lists.network_policy();
        assert_eq!((policy.mode, policy.networks.len()), (Mode::Allowlist, 0));
        assert_eq!(policy.ports, [443..=443, 8000..=8100]);
        assert_eq!(policy.from.last().unwrap().line, 2);
        let verdict = |line: &'static str| {
            let mut event = Event::new(Timestamp::from_seconds(0), "line");
            event.set(Field::ProcessCommandLine, line);
            lists.judge().apply(&mut event);
            let verdict = event.get_named(&FieldName::new("network_policy.verdict"));
            verdict.map(|verdict| verdict.to_text().into_owned())
        };
        for (line, expected) in [
            ("curl https://a.org", "allowed"),
            ("curl https://x.b.org:8050/", "allowed"),
            ("curl http://c.org/", "denied"),
            ("curl https://b.org", "denied"),
            ("curl https://github.com", "denied"),
        ] {
            assert_eq!(verdict(line).as_deref(), Some(expected), "{line}");
        }
        assert_eq!(verdict("ls"), None);
    }

    #[test]
    fn a_name_that_is_nearly_a_built_in_one_is_doubted() {
        let (lists, told) = read("saef_hosts: [a.org]\n");
        assert!(lists.is_some());
        assert_eq!(
            told,
            [
                "own.yml:1:1: warning: there is no list `saef_hosts` so far, did you mean `safe_hosts`?"
            ]
        );
    }
}
