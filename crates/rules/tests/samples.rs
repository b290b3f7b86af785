//! Every rule file of the packs states what its samples expect, and is silent where it must be.
//!
//! `samples/<rule file>/fires.log` gives `expected.json`, `silent.log` nothing, under the lists of a
//! `lists.yml` beside them where there is one. With
//! `BERGFRIED_WRITE_EXPECTED` set, `expected.json` is written anew, to be read before it is committed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may stop where it stands and say why"
)]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bergfried_event::Finding;
use bergfried_rules::{Lists, Options, Rule, RuleSet, Source, builtin};
use support::{findings, packs, read, root};

/// Folder of samples of a rule's file.
fn samples(rule: &Rule) -> PathBuf {
    let file = root().join(rule.file());
    let stem = file.file_stem().unwrap().to_owned();
    file.parent().unwrap().join("samples").join(stem)
}

/// The packs, with the lists of a file laid over the built-in ones.
fn packs_with(lists: &Path) -> Arc<RuleSet> {
    let source = Source { file: lists.display().to_string(), text: read(lists) };
    let mut diagnostics = Vec::new();
    let lists = Lists::read(&source, &mut diagnostics);
    assert_eq!(diagnostics, []);
    let options = Options { lists: lists.unwrap(), ..Options::default() };
    Arc::new(RuleSet::load_with(builtin(), &options).0)
}

fn stated(rules: &Arc<RuleSet>, folder: &Path, log: &str) -> Vec<Finding> {
    let lists = folder.join("lists.yml");
    let own = lists.exists().then(|| packs_with(&lists));
    let mut found = findings(own.as_ref().unwrap_or(rules), &read(&folder.join(log)));
    found.retain(|finding| samples(rules.get(&finding.rule_id).unwrap()) == folder);
    found
}

#[test]
fn rules_state_what_their_samples_expect() {
    let rules = packs();
    let folders: BTreeSet<PathBuf> =
        rules.rules().iter().filter(|rule| !rule.is_silent()).map(samples).collect();
    assert!(folders.len() >= 15, "{}", folders.len());
    for folder in &folders {
        let found = serde_json::to_value(stated(&rules, folder, "fires.log")).unwrap();
        let path = folder.join("expected.json");
        if std::env::var_os("BERGFRIED_WRITE_EXPECTED").is_some() {
            fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&found).unwrap()))
                .unwrap();
        }
        let expected: serde_json::Value = serde_json::from_str(&read(&path)).unwrap();
        assert_eq!(found, expected, "{}", folder.display());
        let silent = stated(&rules, folder, "silent.log");
        assert_eq!(silent, [], "{}", folder.display());
    }
}

#[test]
fn every_rule_that_speaks_is_stated_by_its_samples() {
    let rules = packs();
    for rule in rules.rules().iter().filter(|rule| !rule.is_silent()) {
        let found = stated(&rules, &samples(rule), "fires.log");
        assert!(found.iter().any(|finding| finding.rule_id == rule.id()), "{}", rule.title());
    }
}

#[test]
fn every_rule_that_speaks_says_what_it_means() {
    for rule in packs().rules() {
        let id = rule.id();
        assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "{id} is no UUID of version 4");
        assert_eq!(rule.author(), "Bergfried", "{id}");
        assert!(!rule.description().is_empty(), "{id}");
        if !rule.is_silent() {
            // What another program found may be any technique.
            if !rule.file().starts_with("rules/integrations/") {
                assert!(!rule.techniques().is_empty(), "{id}");
                assert!(rule.tactics().next().is_some(), "{id}");
            }
            assert!(!rule.falsepositives().is_empty(), "{id}");
            assert!(rule.references().iter().all(|url| url.starts_with("https://")), "{id}");
        }
    }
}

#[test]
fn the_packs_are_without_a_weakness() {
    let options = Options { lint: true, ..Options::default() };
    let (_, diagnostics) = RuleSet::load_with(builtin(), &options);
    // What other programs say is passed on under their priorities, whatever technique it is about.
    let own = diagnostics.iter().filter(|said| !said.file.starts_with("rules/integrations/"));
    let said: Vec<String> = own.map(ToString::to_string).collect();
    assert_eq!(said, [] as [String; 0]);
}

#[test]
fn every_sample_belongs_to_a_rule() {
    let rules = packs();
    let used: BTreeSet<PathBuf> = rules.rules().iter().map(samples).collect();
    for pack in used.iter().filter_map(|folder| folder.parent()).collect::<BTreeSet<_>>() {
        for entry in fs::read_dir(pack).unwrap() {
            let path = entry.unwrap().path();
            assert!(used.contains(&path), "{} belongs to no rule", path.display());
        }
    }
}
