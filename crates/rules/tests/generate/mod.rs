//! Events that meet a predicate or just miss it, made of the predicate's own literals.

use std::collections::BTreeSet;

use bergfried_query::{Comparison, Condition, DASHES, Part, Pattern, Predicate, Target};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value as Json, json};

/// A sequence of numbers that a text decides: the same each time.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn of(seed: &str) -> Random {
        let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Random(seed.bytes().fold(0xcbf2_9ce4_8422_2325, mix))
    }

    /// A number below `limit`; 0 where that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % limit.max(1) as u64) as usize
    }

    fn pick<'t, T>(&mut self, choices: &'t [T]) -> &'t T {
        &choices[self.below(choices.len())]
    }
}

/// Sets fields such that the predicate likely holds, or likely does not.
pub(crate) fn satisfy(
    predicate: &Predicate,
    wanted: bool,
    names: &BTreeSet<String>,
    event: &mut Map<String, Json>,
    random: &mut Random,
) {
    match (predicate, wanted) {
        (Predicate::Constant(_), _) => {}
        (Predicate::Not(inner), _) => satisfy(inner, !wanted, names, event, random),
        (Predicate::And(all), true) | (Predicate::Or(all), false) => {
            for inner in all {
                satisfy(inner, wanted, names, event, random);
            }
        }
        (Predicate::Or(any), true) | (Predicate::And(any), false) => {
            if let Some(inner) = usable(any, names, random) {
                satisfy(inner, wanted, names, event, random);
            }
        }
        (Predicate::AtLeast(needed, choices), true) => {
            for inner in choices.iter().take(*needed) {
                satisfy(inner, true, names, event, random);
            }
        }
        (Predicate::AtLeast(needed, choices), false) => {
            for inner in choices.iter().skip(needed.saturating_sub(1)) {
                satisfy(inner, false, names, event, random);
            }
        }
        (Predicate::Atom(target, condition), true) => {
            let name = match target {
                Target::Field(name) => name.as_str().to_owned(),
                Target::Anything => format!("keyword{}", random.below(3)),
            };
            meet(&name, condition, event, random);
        }
        (Predicate::Atom(Target::Field(name), Condition::Null), false) => {
            event.entry(name.as_str()).or_insert_with(|| json!("something"));
        }
        (Predicate::Atom(..), false) => {}
    }
}

/// One of the choices, rather one whose field the rule itself names.
fn usable<'p>(
    choices: &'p [Predicate],
    names: &BTreeSet<String>,
    random: &mut Random,
) -> Option<&'p Predicate> {
    let named: Vec<&Predicate> = choices
        .iter()
        .filter(|choice| match choice {
            Predicate::Atom(Target::Field(name), _) => names.contains(name.as_str()),
            _ => true,
        })
        .collect();
    (!named.is_empty()).then(|| *random.pick(&named))
}

fn meet(name: &str, condition: &Condition, event: &mut Map<String, Json>, random: &mut Random) {
    let value = match condition {
        Condition::Text(pattern) => {
            let present = event.get(name).and_then(Json::as_str).unwrap_or_default();
            json!(joined(pattern, present, random))
        }
        Condition::Words(pattern) => json!(sample(pattern.parts(), pattern.is_cased(), random)),
        Condition::Regex(regex) => {
            let present = event.get(name).and_then(Json::as_str).unwrap_or_default();
            json!(format!("{}{present}", of_regex(regex.as_str(), random)))
        }
        Condition::Network(network) => json!(network.addr().to_string()),
        Condition::Number(comparison, number) => {
            let shift = match comparison {
                Comparison::Less | Comparison::NotEqual => -1.0,
                Comparison::Greater => 1.0,
                _ => 0.0,
            };
            #[expect(clippy::cast_possible_truncation, reason = "numbers in rules are small")]
            let number = (number + shift) as i64;
            if random.below(2) == 0 { json!(number) } else { json!(number.to_string()) }
        }
        Condition::TimePart(..) => json!("2026-01-31 12:00:00"),
        Condition::Bool(truth) => json!(truth),
        Condition::Null => Json::Null,
        Condition::Exists => json!("something"),
        Condition::SameAs { field, .. } => {
            let same = event.entry(field.as_str()).or_insert_with(|| json!("the same"));
            same.clone()
        }
    };
    event.insert(name.to_owned(), value);
}

/// A text that the pattern matches, and beside it what is there, where the pattern leaves room.
fn joined(pattern: &Pattern, present: &str, random: &mut Random) -> String {
    let new = sample(pattern.parts(), pattern.is_cased(), random);
    let open = |part: Option<&Part>| part == Some(&Part::AnyRun);
    match (open(pattern.parts().first()), open(pattern.parts().last())) {
        (true, false) => format!("{present}{new}"),
        (false, true) => format!("{new}{present}"),
        (true, true) if random.below(2) == 0 => format!("{new}{present}"),
        (true, true) => format!("{present}{new}"),
        (false, false) => new,
    }
}

fn sample(parts: &[Part], cased: bool, random: &mut Random) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Literal(literal) if cased || random.below(2) == 0 => text.push_str(literal),
            Part::Literal(literal) => text.push_str(&literal.to_ascii_uppercase()),
            Part::AnyRun => text.push_str(random.pick::<&str>(&["", "x", " yz ", "\\"])),
            Part::AnyOne => text.push(*random.pick(&['q', '.', '7'])),
            Part::AnyDash => text.push(*random.pick(&DASHES)),
        }
    }
    text
}

/// A text in which the expression finds a match, where one is easily made.
fn of_regex(expression: &str, random: &mut Random) -> String {
    let plain = expression.trim_start_matches("(?i)").replace("(?-u:\\b)", "");
    let plain = plain.trim_start_matches('^').trim_end_matches('$').replace(r"\b", "");
    let Ok(strategy) = proptest::string::string_regex(&plain) else { return plain };
    let mut runner = TestRunner::deterministic();
    let mut text = String::new();
    for _ in 0..=random.below(4) {
        text = strategy.new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default();
    }
    // Classes of characters that are not ASCII mean something else in each engine.
    text.chars().filter(char::is_ascii).collect()
}

/// Changes one field in a way that tells engines apart.
pub(crate) fn mutate(event: &mut Map<String, Json>, names: &BTreeSet<String>, random: &mut Random) {
    let all: Vec<&String> = names.iter().collect();
    if all.is_empty() {
        return;
    }
    let name = (*random.pick(&all)).clone();
    let value = event.get(&name).cloned();
    let text = match &value {
        Some(Json::String(text)) => text.clone(),
        Some(Json::Null) | None => String::new(),
        Some(other) => other.to_string(),
    };
    let changed = match random.below(12) {
        0 => {
            event.remove(&name);
            return;
        }
        1 => Json::Null,
        2 => json!(text.to_ascii_uppercase()),
        3 => json!(text.to_ascii_lowercase()),
        4 => json!(format!("x{text}")),
        5 => json!(format!("{text} ")),
        6 => json!([text, "another"]),
        7 => json!([null, text]),
        8 => json!(""),
        9 => text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number)),
        10 => json!(text.replacen('-', "/", 1)),
        _ => json!(text.chars().skip(1).collect::<String>()),
    };
    event.insert(name, changed);
}
