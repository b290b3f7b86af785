//! Rule by rule against rsigma-eval, another engine: does each rule hold over the same events?
//!
//! The events are made from each rule's own literals, so that its selections are met, then changed
//! in the ways that tell engines apart. `BERGFRIED_DIFFERENTIAL=<events for each rule>` asks for more
//! than the few seconds' worth that always run.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands and say why"
)]

mod generate;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_query::{Condition, Predicate};
use bergfried_rules::{Lists, RuleSet, Source};
use generate::{Random, mutate, satisfy};
use rsigma_eval::{CompiledRule, JsonEvent, compile_rule, evaluate_rule};
use rsigma_parser::{Detection, DetectionItem, Modifier, SigmaRule, SigmaValue, parse_sigma_yaml};
use serde_json::{Map, Value as Json};

/// How many events each rule is shown where nothing else is asked for.
const EVENTS: u32 = 12;
/// How many files may be such that the two engines cannot be compared.
const LEFT_OUT: usize = 60;

/// A rule in both engines.
struct Pair {
    ours: RuleSet,
    theirs: CompiledRule,
    /// The fields that the rule names.
    names: BTreeSet<String>,
    /// In what the other engine is known to differ from the specification.
    quirks: BTreeSet<&'static str>,
}

#[test]
fn rules_hold_where_they_hold_in_another_engine() {
    let events = env::var("BERGFRIED_DIFFERENTIAL").ok().and_then(|count| count.parse().ok());
    let events = events.unwrap_or(EVENTS);
    let (mut rules, mut left_out, mut met) = (0, 0, 0);
    let mut differences = Vec::new();
    // Correlations are not what the other engine is asked about.
    for (file, text) in files().into_iter().filter(|(_, text)| !text.contains("\ncorrelation:")) {
        let Some(pair) = pair(&text) else {
            left_out += 1;
            continue;
        };
        rules += 1;
        let mut random = Random::of(&file);
        let mut held = false;
        for number in 0..events {
            let event = event(&pair, number, &mut random);
            let (ours, theirs) = (ours(&pair, &event), theirs(&pair, &event));
            held |= ours && theirs;
            if ours != theirs && known_difference(&pair, &event).is_none() {
                differences.push(format!("{file}: here {ours}, there {theirs}: {event:?}"));
                break;
            }
        }
        met += usize::from(held);
    }
    eprintln!("{rules} rules compared, {met} held, {left_out} files left out");
    let shown = differences.len().min(20);
    assert!(differences.is_empty(), "{}\n{}", differences.len(), differences[..shown].join("\n"));
    assert!(met * 20 >= rules * 19, "only {met} of {rules} rules held over any event");
    // Those left out are of the packs, which name the fields of the schema and not of Windows.
    assert!(left_out <= LEFT_OUT, "{left_out} files were left out");
}

/// The files of the packs and, where they are there, of SigmaHQ.
fn files() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = Vec::new();
    collect_files(&root.join("rules"), &mut paths);
    for folder in ["rules", "rules-emerging-threats", "rules-threat-hunting"] {
        let folder = root.join("../shared/corpora/sigma").join(folder);
        match folder.exists() {
            true => collect_files(&folder, &mut paths),
            false => eprintln!("skipped: {} is not here", folder.display()),
        }
    }
    let text = |path: PathBuf| (path.display().to_string(), fs::read_to_string(&path).unwrap());
    paths.into_iter().map(text).collect()
}

fn collect_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && path.file_name().is_none_or(|name| name != "samples") {
            collect_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            files.push(path);
        }
    }
}

/// The one detection of a file, for a log source whose fields keep their names.
fn pair(text: &str) -> Option<Pair> {
    let mut value: yaml_serde::Value = yaml_serde::from_str(text).ok()?;
    let document = value.as_mapping_mut()?;
    document.get("detection")?;
    let logsource: yaml_serde::Value = yaml_serde::from_str("product: windows").unwrap();
    document.insert("logsource".into(), logsource);
    document.remove("bergfried");
    fill(&mut value);
    let text = yaml_serde::to_string(&value).unwrap();
    let parsed = parse_sigma_yaml(&text).ok()?.rules.into_iter().next()?;
    let (names, quirks) = names_and_quirks(&parsed);
    let theirs = compile_rule(&parsed).ok()?;
    let (ours, _) = RuleSet::load([Source { file: "r.yml".to_owned(), text }]);
    let fields = ours.rules().first()?.predicate()?.fields();
    let kept = names.iter().all(|name| fields.iter().any(|field| field.as_str() == name));
    kept.then_some(Pair { ours, theirs, names, quirks })
}

/// Writes the values of shared lists in the place of their names: the other engine knows no lists.
fn fill(value: &mut yaml_serde::Value) {
    match value {
        yaml_serde::Value::Mapping(fields) => {
            let keys: Vec<String> =
                fields.keys().filter_map(|key| key.as_str()).map(str::to_owned).collect();
            for key in keys {
                let Some(inner) = fields.get_mut(key.as_str()) else { continue };
                fill(inner);
                let Some(plain) = key.strip_suffix("|expand") else { continue };
                let lists = Lists::default();
                let name =
                    inner.as_str().and_then(|text| text.strip_prefix('%')?.strip_suffix('%'));
                let Some(list) = name.and_then(|name| lists.get(name)) else { continue };
                let values = serde_json::to_string(&list.values).unwrap();
                let values: yaml_serde::Value = yaml_serde::from_str(&values).unwrap();
                fields.remove(key.as_str());
                fields.insert(plain.into(), values);
            }
        }
        yaml_serde::Value::Sequence(values) => values.iter_mut().for_each(fill),
        _ => {}
    }
}

/// The names of the rule's fields, and what the rule has in which the other engine is known to
/// differ; each is tested in `specification.rs`.
fn names_and_quirks(rule: &SigmaRule) -> (BTreeSet<String>, BTreeSet<&'static str>) {
    let (mut names, mut quirks) = (BTreeSet::new(), BTreeSet::new());
    let detections = rule.detection.named.values();
    detections.for_each(|detection| collect(detection, &mut names, &mut quirks));
    (names, quirks)
}

fn collect(
    detection: &Detection,
    names: &mut BTreeSet<String>,
    quirks: &mut BTreeSet<&'static str>,
) {
    match detection {
        Detection::AllOf(items) => {
            for item in items {
                names.extend(item.field.name.clone());
                quirks.extend(quirk(item));
            }
        }
        Detection::AnyOf(inner) | Detection::And(inner) => {
            inner.iter().for_each(|detection| collect(detection, names, quirks));
        }
        Detection::Keywords(values)
            if values.iter().any(|value| !matches!(value, SigmaValue::String(_))) =>
        {
            quirks.insert("numbers among keywords are never found");
        }
        _ => {}
    }
}

fn quirk(item: &DetectionItem) -> Option<&'static str> {
    let has = |modifier| item.field.has_modifier(modifier);
    let wildcard =
        |value: &SigmaValue| matches!(value, SigmaValue::String(text) if text.contains_wildcards());
    if item.field.name.is_none() {
        Some("keywords with a modifier are whole values, and all of them in one")
    } else if (has(Modifier::StartsWith) || has(Modifier::EndsWith))
        && item.values.iter().any(wildcard)
    {
        Some("beside a wildcard `startswith` and `endswith` do nothing")
    } else if has(Modifier::WindAsh) {
        Some("only hyphens stand for the other dashes")
    } else if has(Modifier::Base64) || has(Modifier::Base64Offset) {
        Some("the case of base64 matters")
    } else {
        None
    }
}

fn event(pair: &Pair, number: u32, random: &mut Random) -> Map<String, Json> {
    let mut event = Map::new();
    let predicate = predicate(pair);
    // Now and then one that the rule is not to hold for.
    satisfy(predicate, number % 4 != 3, &pair.names, &mut event, random);
    for _ in 0..number % 3 {
        mutate(&mut event, &pair.names, random);
    }
    event
}

fn predicate(pair: &Pair) -> &Predicate {
    pair.ours.rules()[0].predicate().unwrap()
}

fn ours(pair: &Pair, fields: &Map<String, Json>) -> bool {
    let mut event = Event::new(Timestamp::from_seconds(0), "");
    for (name, value) in fields {
        let name = match Field::from_name(name).filter(|field| field.name() == name) {
            Some(field) => FieldName::Known(field),
            None => FieldName::Other(name.as_str().into()),
        };
        event.push_named(name, Value::from(value.clone()));
    }
    predicate(pair).matches(&event)
}

fn theirs(pair: &Pair, fields: &Map<String, Json>) -> bool {
    let json = Json::Object(fields.clone());
    evaluate_rule(&pair.theirs, &JsonEvent::borrow(&json)).is_some()
}

/// Why the engines may differ over this event, where the specification decides for us; each is tested
/// in `specification.rs`.
fn known_difference(pair: &Pair, event: &Map<String, Json>) -> Option<&'static str> {
    let mut found = pair.quirks.first().copied();
    visit(predicate(pair), &mut |name, condition| {
        let value = name.map(|name| event.get(name));
        found = found.or(match (condition, value) {
            (Condition::Exists, Some(Some(Json::Null))) => Some("null is not there"),
            (Condition::SameAs { field, .. }, Some(value)) => {
                let list = |value: Option<&Json>| value.is_some_and(Json::is_array);
                (list(value) || list(event.get(field.as_str())))
                    .then_some("lists are compared as a whole")
            }
            _ => None,
        });
    });
    found
}

fn visit(predicate: &Predicate, see: &mut dyn FnMut(Option<&str>, &Condition)) {
    match predicate {
        Predicate::Constant(_) => {}
        Predicate::And(inner) | Predicate::Or(inner) | Predicate::AtLeast(_, inner) => {
            inner.iter().for_each(|predicate| visit(predicate, see));
        }
        Predicate::Not(inner) => visit(inner, see),
        Predicate::Atom(target, condition) => match target {
            bergfried_query::Target::Field(name) => see(Some(name.as_str()), condition),
            bergfried_query::Target::Anything => see(None, condition),
        },
    }
}

#[test]
fn the_generator_meets_what_it_is_asked_for() {
    let text = "title: t\nlogsource: {product: windows}\ndetection:\n  a:\n    Image|endswith: '\\x.exe'\n    CommandLine|contains|all: [one, two]\n  b:\n    User: ['S?STEM', 'root*']\n  condition: a and not b\n";
    let pair = pair(text).unwrap();
    let mut random = Random::of("a fixed seed");
    let mut kinds: BTreeMap<bool, u32> = BTreeMap::new();
    for number in 0..100 {
        let mut event = Map::new();
        satisfy(predicate(&pair), number % 2 == 0, &pair.names, &mut event, &mut random);
        *kinds.entry(ours(&pair, &event)).or_default() += 1;
    }
    assert!(kinds[&true] >= 40 && kinds[&false] >= 30, "{kinds:?}");
}
