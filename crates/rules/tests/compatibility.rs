//! The class of every rule of SigmaHQ's corpus is the one that `rules/compatibility/sigmahq.tsv` says.
//!
//! With `BERGFRIED_WRITE_COMPATIBILITY` set, the report is written anew, to be read before it is
//! committed.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a test may stop where it stands and say why"
)]

#[expect(dead_code, reason = "shared with other tests")]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::{env, fs};

use bergfried_rules::{Class, RuleSet, Source};
use support::{collect, corpus, read, root};

const HEAD: &str = "# id\tclass\treason\n";

/// The class of each rule by its id; a file of which nothing loads stands by the id in its text.
fn classes(sources: Vec<Source>) -> BTreeMap<String, Class> {
    let ids: BTreeMap<String, String> = sources
        .iter()
        .filter_map(|source| Some((source.file.clone(), id_in(&source.text)?)))
        .collect();
    let (rules, diagnostics) = RuleSet::load(sources);
    let mut classes = BTreeMap::new();
    for diagnostic in diagnostics.iter().filter(|diagnostic| diagnostic.is_error()) {
        let class = Class::Unsupported(diagnostic.message.clone());
        classes.insert(ids.get(&diagnostic.file).unwrap().clone(), class);
    }
    for rule in rules.rules() {
        classes.insert(rule.id().to_owned(), rule.class().clone());
    }
    classes
}

fn id_in(text: &str) -> Option<String> {
    let id = text.lines().find_map(|line| line.strip_prefix("id:"))?;
    Some(id.split('#').next()?.trim().trim_matches(['\'', '"']).to_owned())
}

fn report(classes: &BTreeMap<String, Class>) -> String {
    let mut report = HEAD.to_owned();
    for (id, class) in classes {
        let reason = class.reason().replace(['\t', '\n'], " ");
        writeln!(report, "{id}\t{}\t{reason}", class.word()).unwrap();
    }
    report
}

#[test]
fn no_rule_of_sigmahq_changes_its_class_silently() {
    let mut sources = Vec::new();
    for folder in ["sigma/rules", "sigma/rules-emerging-threats", "sigma/rules-threat-hunting"] {
        let Some(folder) = corpus(folder) else { return };
        collect(&folder, &mut sources);
    }
    let classes = classes(sources);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for class in classes.values() {
        *counts.entry(class.word()).or_default() += 1;
    }
    println!("{counts:?}");
    let (path, now) = (root().join("rules/compatibility/sigmahq.tsv"), report(&classes));
    if env::var_os("BERGFRIED_WRITE_COMPATIBILITY").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &now).unwrap();
        return;
    }
    let said = read(&path);
    let changed = |line: &&str| !said.lines().any(|known| known == *line);
    let changes: Vec<&str> = now.lines().filter(changed).collect();
    assert_eq!(changes, Vec::<&str>::new(), "changed; see the head of this test");
    assert_eq!(said.lines().count(), now.lines().count(), "rules are no longer there");
}
