//! Every case of `corpus/parse/<program>/<case>`: `input.log` must become `expected.json`, a flat
//! object for each line. `BERGFRIED_UPDATE_CORPUS=1` writes the expectation anew, to be reviewed.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what is wrong by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use bergfried_event::SourceKind;
use bergfried_parse::{Context, parse, programs};
use serde_json::Value as Json;

/// Folders of forms rather than programs.
const FORMS: [&str; 8] =
    ["syslog", "wire", "shipped", "journald", "watchtower", "pihole", "windows", "heimdall"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus/parse")
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut folders: Vec<PathBuf> =
        entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap()
}

#[test]
fn every_case_becomes_what_it_must() {
    let context = Context {
        received: "2026-11-21T12:00:00Z".parse().unwrap(),
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let update = std::env::var_os("BERGFRIED_UPDATE_CORPUS").is_some();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for program in folders(&root()) {
        let kind = match name(&program) {
            "journald" => SourceKind::Journald,
            "watchtower" => SourceKind::Watchtower,
            "heimdall" => SourceKind::Heimdall,
            "wire" => SourceKind::Syslog,
            "shipped" => SourceKind::Json,
            _ => SourceKind::File,
        };
        for case in folders(&program) {
            cases += 1;
            let input = std::fs::read_to_string(case.join("input.log")).unwrap();
            // Records of audit are joined before they are parsed; other lines stand alone.
            let found: Vec<Json> = bergfried_audit::Joiner::groups(&input)
                .iter()
                .map(|(_, text)| serde_json::to_value(parse(kind, text, &context)).unwrap())
                .collect();
            let file = case.join("expected.json");
            if update {
                let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
                std::fs::write(&file, text).unwrap();
                continue;
            }
            let expected = std::fs::read_to_string(&file)
                .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
            let expected: Vec<Json> = serde_json::from_str(&expected).unwrap();
            assert_eq!(found.len(), expected.len(), "{}", file.display());
            for (found, expected) in found.iter().zip(&expected) {
                if found != expected {
                    wrong.push(format!(
                        "{}\nexpected {expected:#}\nfound {found:#}",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(cases > 0, "no case found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_program_has_a_name_of_its_own_a_case_and_a_row_in_the_page() {
    let mut names = BTreeSet::new();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/linux-host.md");
    let page = std::fs::read_to_string(page).unwrap();
    for program in programs() {
        let is_named = |row: &str| row.starts_with("| `") && row.contains(&format!("`{program}`"));
        assert!(page.lines().any(is_named), "{program} has no row in docs/linux-host.md");
        assert!(names.insert(program), "{program} is listed twice");
        assert!(!folders(&root().join(program)).is_empty(), "{program} has no case");
    }
    for folder in folders(&root()) {
        let folder = name(&folder);
        assert!(names.contains(folder) || FORMS.contains(&folder), "{folder} is no program");
    }
}
