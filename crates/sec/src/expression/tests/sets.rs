//! Named sets against a list of everything that was ever added.

use proptest::prelude::*;

use super::super::Sets;

proptest! {
    #[test]
    fn sets_are_what_a_list_of_everything_says(
        steps in prop::collection::vec((0..3_u8, 0..6_u8, prop::sample::select(vec![1_i64, 5, 60]), 0..20_i64, any::<bool>(), any::<bool>()), 1..200),
    ) {
        let mut sets = Sets::default();
        let mut all: Vec<(u8, u8, i64, bool, i64)> = Vec::new();
        let mut now = 1000;
        for (name, value, seconds, later, distinct, saved) in steps {
            now += later;
            if saved {
                let text = serde_json::to_string(&sets).unwrap();
                sets = serde_json::from_str(&text).unwrap();
            }
            all.push((name, value, seconds, distinct, now));
            let within = all.iter().filter(|(known, _, window, kind, time)| {
                *known == name && *window == seconds && *kind == distinct && now - time <= seconds
            });
            if distinct {
                let values: std::collections::BTreeSet<u8> = within.map(|(_, value, ..)| *value).collect();
                prop_assert_eq!(sets.distinct(&[name], &[value], seconds, now), values.len());
            } else {
                prop_assert_eq!(sets.count(&[name], seconds, now), within.count() as u64);
            }
        }
        prop_assert_eq!(sets.evicted(), 0);
        // When all is over nothing is kept but what comes then.
        sets.count(b"end", 1, now + 1000);
        prop_assert_eq!(sets.len(), 1);
    }

    #[test]
    fn memory_has_an_end(
        names in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..40), prop::collection::vec(any::<u8>(), 0..40), -5..5_i64), 1..300),
    ) {
        let mut sets = Sets::new(8000);
        let mut now = 0_i64;
        for (name, value, later) in &names {
            now += later;
            prop_assert!(sets.distinct(name, value, 3600, now) >= 1);
            prop_assert!(sets.used() <= 8000, "{}", sets.used());
        }
        prop_assert!(!sets.is_empty());
    }
}

#[test]
fn one_name_with_too_many_values_keeps_the_latest() {
    let mut sets = Sets::new(20_000);
    let mut most = 0;
    for number in 0..1000_i64 {
        most = most.max(sets.distinct(b"scan", number.to_string().as_bytes(), 3600, number));
    }
    assert!((100..200).contains(&most), "{most}");
    let before = sets.evicted();
    assert!(before > 800, "{before}");
    // The latest is known, the first is not any more.
    let there = sets.distinct(b"scan", b"999", 3600, 1000);
    assert_eq!(sets.distinct(b"scan", b"999", 3600, 1000), there);
    assert_eq!(sets.evicted(), before);
    sets.distinct(b"scan", b"0", 3600, 1000);
    assert_eq!(sets.evicted(), before + 1);
}

#[test]
fn what_ends_soonest_goes_first() {
    let mut sets = Sets::new(1000);
    sets.count(b"long", 3600, 0);
    sets.count(b"short", 10, 0);
    for number in 0..5_u8 {
        sets.count(&[number], 60, 1);
    }
    assert!(sets.evicted() > 0);
    assert_eq!(sets.count(b"long", 3600, 2), 2);
    assert_eq!(sets.count(b"short", 10, 2), 1);
}

#[test]
fn long_values_are_told_apart_by_their_beginning() {
    let mut sets = Sets::default();
    let long = |end: u8| [vec![b'a'; 5000], vec![end]].concat();
    assert_eq!(sets.distinct(b"n", &long(1), 60, 0), 1);
    assert_eq!(sets.distinct(b"n", &long(2), 60, 0), 1);
    assert_eq!(sets.distinct(&long(1), b"v", 60, 0), 1);
    assert_eq!(sets.distinct(&long(2), b"w", 60, 0), 2);
}
