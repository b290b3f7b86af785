//! Pipelines against those of rsigma-eval, where the documentation gives both the same meaning: a
//! rule changed by the same pipeline holds over the same events.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may stop where it stands and say why"
)]

use bergfried_event::{Event, FieldName, Timestamp};
use bergfried_rules::{Options, Pipeline, RuleSet, Source};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use rsigma_eval::pipeline::{parse_pipeline, transform_rule};
use rsigma_eval::{CompiledRule, JsonEvent, compile_rule, evaluate_rule};
use rsigma_parser::parse_sigma_yaml;

/// What the transformations below make of the fields of the rules.
const FIELDS: &[&str] = &[
    "A", "B", "w.C", "X", "Y", "v.C", "p.A", "p.B", "p.w.C", "p.X", "A.s", "B.s", "w.C.s", "index",
];
const VALUES: &[&str] = &["a", "ab", "abc", "b", "bc", "x", "xb", "AB", "7", "win"];
const KEYS: &[&str] = &[
    "A",
    "B",
    "w.C",
    "A|contains",
    "B|contains",
    "A|startswith",
    "B|endswith",
    "w.C|contains",
    "B|cased",
    "A|re",
];
/// Without wildcards, which the other engine takes for a part of the text beside `endswith`.
const WRITTEN: &[&str] = &["a", "ab", "b", "[a, x]", "[bc, c]", "x", "'%v%'"];
const CONDITIONS: &[&str] = &[
    "one",
    "one and two",
    "one or two",
    "one and not two",
    "not one or two",
    "1 of them",
    "all of them",
    "not 1 of t*",
];
const TRANSFORMATIONS: &[&str] = &[
    "{id: m, type: field_name_mapping, mapping: {A: X}}",
    "{id: n, type: field_name_mapping, mapping: {A: [X, Y], B: Y}}",
    "{type: field_name_mapping, mapping: {B: X}, rule_conditions: [{type: logsource, category: absent}]}",
    "{type: field_name_prefix_mapping, mapping: {w.: v.}}",
    "{type: field_name_prefix, prefix: p., field_name_conditions: [{type: include_fields, fields: [B, X]}]}",
    "{type: field_name_suffix, suffix: .s, field_name_conditions: [{type: exclude_fields, fields: [X, Y]}]}",
    "{type: field_name_prefix, prefix: p., rule_conditions: [{type: processing_item_applied, processing_item_id: m}], field_name_conditions: [{type: include_fields, fields: [w.C]}]}",
    "{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [w.C]}]}",
    "{type: add_condition, conditions: {index: win}}",
    "{type: add_condition, negated: true, conditions: {index: win}, rule_conditions: [{type: logsource, product: windows}]}",
    "{type: set_state, key: k, value: v}",
    "{type: add_condition, conditions: {index: x}, rule_conditions: [{type: processing_state, key: k, val: v}]}",
    "{type: value_placeholders}",
    "{type: change_logsource, product: windows, category: absent}",
];

fn rule(items: &[(Index, Index)], condition: &str) -> String {
    let selection = |items: &[(Index, Index)]| {
        let lines = items.iter().map(|(key, value)| {
            let (key, value) = (key.get(KEYS), value.get(WRITTEN));
            // There `expand` ignores other modifiers.
            let plain = key.split('|').next().unwrap();
            let key =
                if value.contains('%') { format!("{plain}|expand") } else { (*key).to_owned() };
            format!("  - {key}: {value}\n")
        });
        lines.collect::<String>()
    };
    let (one, two) = items.split_at(1);
    format!(
        "title: t\nlogsource: {{product: windows, category: c}}\ndetection:\n one:\n{} two:\n{} \
         condition: {condition}\n",
        selection(one),
        selection(two)
    )
}

/// A rule that a pipeline changed, in both engines.
struct Pair {
    ours: RuleSet,
    theirs: CompiledRule,
}

/// `None` where either engine cannot use the rule.
fn pair(rule: &str, pipeline: &str) -> Option<Pair> {
    // Here variables fill what no transformation filled.
    if rule.contains('%') && !pipeline.contains("value_placeholders") {
        return None;
    }
    let mut diagnostics = Vec::new();
    let source = |text: &str| Source { file: "f".to_owned(), text: text.to_owned() };
    let read = Pipeline::read(&source(pipeline), &mut diagnostics);
    assert!(read.is_some(), "{diagnostics:?}");
    let options = Options { pipelines: read.into_iter().collect(), ..Options::default() };
    let (ours, _) = RuleSet::load_with([source(rule)], &options);
    ours.rules().first().filter(|rule| rule.class().word() != "unsupported")?;

    let parsed = parse_sigma_yaml(rule).unwrap().rules.remove(0);
    let theirs = transform_rule(&[parse_pipeline(pipeline).unwrap()], &parsed).ok()?;
    Some(Pair { ours, theirs: compile_rule(&theirs.rule).ok()? })
}

impl Pair {
    /// Whether the rule holds here, and there.
    fn hold(&self, event: &[(Index, Index)]) -> (bool, bool) {
        let mut here = Event::new(Timestamp::from_seconds(0), "line");
        let mut there = serde_json::Map::new();
        for (field, value) in event {
            let (field, value) = (*field.get(FIELDS), *value.get(VALUES));
            here.set_named(FieldName::new(field), value);
            there.insert(field.to_owned(), value.into());
        }
        let there = serde_json::Value::Object(there);
        let there = evaluate_rule(&self.theirs, &JsonEvent::borrow(&there)).is_some();
        (self.ours.rules()[0].predicate().unwrap().matches(&here), there)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn rules_are_changed_as_in_another_engine(
        items in prop::collection::vec(any::<(Index, Index)>(), 2..5),
        condition in select(CONDITIONS),
        transformations in subsequence(TRANSFORMATIONS.to_vec(), 0..5),
        events in prop::collection::vec(prop::collection::vec(any::<(Index, Index)>(), 0..8), 1..40),
    ) {
        let rule = rule(&items, condition);
        let list: String =
            transformations.iter().map(|transformation| format!("- {transformation}\n")).collect();
        let list = if list.is_empty() { "[]".to_owned() } else { format!("\n{list}") };
        let pipeline = format!("name: p\nvars: {{v: [a, xb]}}\ntransformations: {list}");
        let Some(pair) = pair(&rule, &pipeline) else { return Ok(()) };
        for event in &events {
            let (ours, theirs) = pair.hold(event);
            let shown: Vec<String> = event
                .iter()
                .map(|(field, value)| format!("{}={}", field.get(FIELDS), value.get(VALUES)))
                .collect();
            prop_assert_eq!(ours, theirs, "{}\n{}\n{:?}", rule, pipeline, shown);
        }
    }
}
