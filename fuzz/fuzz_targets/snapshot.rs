//! Altered snapshots, their checksum right: restored or refused, never a panic; a restored engine
//! goes on, and its own snapshot restores.

#![no_main]

use std::sync::{Arc, LazyLock};

use bergfried_event::{Event, Field, Timestamp};
use bergfried_rules::{Engine, Limits, RuleSet, Source};
use libfuzzer_sys::fuzz_target;

const RULES: &str = r#"title: login
name: login
logsource: {product: linux}
detection: {selection: {event.action: login}, condition: selection}
---
title: start
name: start
logsource: {product: linux}
detection: {selection: {event.action: start}, condition: selection}
---
title: count
correlation: {type: event_count, rules: [login], group-by: [user.name], timespan: 1m, condition: {gte: 3}}
---
title: values
correlation: {type: value_count, rules: [login], group-by: [user.name], timespan: 1m, condition: {gte: 3, field: source.ip}}
---
title: sum
correlation: {type: value_sum, rules: [login], timespan: 1m, condition: {gte: 30, field: source.port}}
---
title: percentile
correlation: {type: value_percentile, rules: [login], timespan: 1m, condition: {gte: 30, field: source.port, percentile: 90}}
---
title: order
correlation: {type: temporal_ordered, rules: [login, start], group-by: [user.name], timespan: 1m}
---
title: both
correlation: {type: temporal, rules: [login, start], group-by: [user.name], timespan: 1m}
"#;

/// The magic, the version and the checksum come before the body.
const MAGIC: usize = 10;
const HEAD: usize = MAGIC + 32;

static SET: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
    let source = Source { file: "rules.yml".to_owned(), text: RULES.to_owned() };
    let (rules, diagnostics) = RuleSet::load([source]);
    assert!(rules.len() == 8, "{diagnostics:?}");
    Arc::new(rules)
});

static TAKEN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut engine = Engine::new(Arc::clone(&SET), Limits::default());
    observe(&mut engine, 0);
    engine.snapshot()
});

fn observe(engine: &mut Engine, start: i64) {
    let mut findings = Vec::new();
    for index in 0..24_i64 {
        let mut event = Event::new(Timestamp::from_seconds(start + index * 3), "line");
        event.set(Field::EventAction, if index % 5 == 4 { "start" } else { "login" });
        event.set(Field::UserName, ["anna", "bob", "carl"][(index % 3) as usize]);
        event.set(Field::SourceIp, format!("10.0.0.{}", index % 4));
        event.set(Field::SourcePort, index);
        engine.observe(&event, index.unsigned_abs(), &mut findings);
    }
    engine.flush(&mut findings);
}

/// Changes the body: each edit is a place, what to do there, and a byte.
fn edit(body: &mut Vec<u8>, edits: &[u8]) {
    for edit in edits.chunks_exact(4) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % (body.len() + 1);
        match edit[2] % 4 {
            0 if place < body.len() => body[place] = edit[3],
            1 => body.insert(place, edit[3]),
            2 if place < body.len() => drop(body.remove(place)),
            3 => body.truncate(body.len().saturating_sub(usize::from(edit[3]))),
            _ => {}
        }
    }
}

fuzz_target!(|edits: &[u8]| {
    let mut body = TAKEN[HEAD..].to_vec();
    edit(&mut body, edits);
    let mut snapshot = TAKEN[..MAGIC].to_vec();
    snapshot.extend_from_slice(blake3::hash(&body).as_bytes());
    snapshot.extend_from_slice(&body);
    if let Ok(mut engine) = Engine::restore(Arc::clone(&SET), Limits::default(), &snapshot) {
        observe(&mut engine, 90);
        let again = engine.snapshot();
        let restored = Engine::restore(Arc::clone(&SET), Limits::default(), &again);
        assert_eq!(restored.expect("its own snapshot").snapshot(), again);
    }
});
