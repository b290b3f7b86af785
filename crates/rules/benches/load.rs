//! What it costs to load rules: those of SigmaHQ in the shared corpora, where they are there.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a benchmark may stop where it stands"
)]

use std::fs;
use std::path::Path;

use bergfried_rules::{RuleSet, Source};
use divan::Bencher;
use divan::counter::ItemsCount;

fn main() {
    divan::main();
}

fn collect(folder: &Path, sources: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            let text = fs::read_to_string(&path).unwrap();
            sources.push(Source { file: path.display().to_string(), text });
        }
    }
}

fn sigmahq() -> Vec<Source> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/sigma");
    let mut sources = Vec::new();
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting"] {
        let folder = corpus.join(folder);
        match folder.exists() {
            true => collect(&folder, &mut sources),
            false => eprintln!("{} is not here", folder.display()),
        }
    }
    sources
}

/// YAML alone, as the part below which no loader gets.
#[divan::bench(sample_count = 5)]
fn yaml(bencher: Bencher<'_, '_>) {
    let sources = sigmahq();
    bencher.counter(ItemsCount::new(sources.len())).bench_local(|| {
        sources
            .iter()
            .map(|source| yaml_serde::from_str(&source.text).unwrap())
            .collect::<Vec<yaml_serde::Value>>()
    });
}

#[divan::bench(sample_count = 5)]
fn rules(bencher: Bencher<'_, '_>) {
    let sources = sigmahq();
    bencher
        .counter(ItemsCount::new(sources.len()))
        .with_inputs(|| sources.clone())
        .bench_local_values(RuleSet::load);
}
