use std::collections::{BTreeMap, BTreeSet};

use bergfried_event::Field;
use proptest::prelude::*;

use super::*;

const HOUR: i64 = 3_600 * Timestamp::SECOND;

fn login(time: i64, user: &str, host: &str, source: &str) -> Event<'static> {
    let mut event = Event::new(Timestamp::from_micros(time), "").into_owned();
    for (field, text) in [
        (Field::EventCategory, "authentication"),
        (Field::EventOutcome, "success"),
        (Field::UserName, user),
        (Field::HostName, host),
        (Field::SourceIp, source),
    ] {
        event.set(field, text.to_owned());
    }
    event
}

fn words(event: &Event<'_>, field: &'static str) -> Vec<String> {
    match event.get_named(&FieldName::new(field)) {
        Some(Value::List(all)) => all.iter().map(|word| word.to_text().into_owned()).collect(),
        _ => Vec::new(),
    }
}

fn marked(pairs: &mut Pairs, mut event: Event<'static>) -> (Vec<String>, Vec<String>) {
    pairs.mark(&mut event);
    (words(&event, FIRST_SEEN), words(&event, LEARNT))
}

#[test]
fn the_first_day_is_for_learning_and_each_pair_is_new_once() {
    let mut pairs = Pairs::default();
    let mut mark =
        |hour: i64, user, source| marked(&mut pairs, login(hour * HOUR, user, "web1", source));
    let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let all = of(&["user-host", "user-network", "network-host"]);
    assert_eq!(mark(0, "ann", "192.0.2.1"), (vec![], all));
    assert_eq!(mark(1, "ann", "192.0.2.9"), (vec![], vec![]), "the same network");
    // Who is new on a host that is known; of himself nothing is known yet.
    assert_eq!(mark(25, "eve", "192.0.2.1"), (of(&["user-host"]), of(&["user-network"])));
    assert_eq!(mark(26, "ann", "198.51.100.1"), (of(&["user-network", "network-host"]), vec![]));
    assert_eq!(mark(27, "ann", "198.51.100.77"), (vec![], vec![]));
    assert_eq!(mark(28, "eve", "198.51.100.77"), (vec![], of(&["user-network"])));
    // What was not seen for a season is new again.
    assert_eq!(
        mark(26 + 91 * 24, "eve", "198.51.100.1").0,
        of(&["user-host", "user-network", "network-host"])
    );
}

#[test]
fn what_failed_or_says_it_itself_teaches_nothing() {
    let mut pairs = Pairs::default();
    marked(&mut pairs, login(0, "ann", "web1", "192.0.2.1"));
    let known = pairs.len();
    let mut failed = login(HOUR, "root", "web1", "203.0.113.5");
    failed.set(Field::EventOutcome, "failure");
    failed.set_named(FieldName::new(FIRST_SEEN), "user-host");
    failed.set_named(FieldName::new(LEARNT), "user-host");
    pairs.mark(&mut failed);
    assert_eq!(pairs.len(), known);
    assert!(failed.get_named(&FieldName::new(FIRST_SEEN)).is_none());
    assert!(failed.get_named(&FieldName::new(LEARNT)).is_none());
    let (new, _) = marked(&mut pairs, login(25 * HOUR, "root", "web1", "203.0.113.5"));
    assert!(new.contains(&"user-host".to_owned()), "{new:?}");
}

#[test]
fn programs_have_pairs_of_their_own() {
    let start = |hour: i64, program: &str| {
        let mut event = Event::new(Timestamp::from_micros(hour * HOUR), "").into_owned();
        event.set(Field::EventCategory, Value::List(vec!["process".into()]));
        event.set(Field::ProcessExecutable, program.to_owned());
        event.set(Field::HostName, "web1");
        event.set(Field::UserName, "www-data");
        event
    };
    let mut pairs = Pairs::default();
    let (_, learnt) = marked(&mut pairs, start(0, "/usr/sbin/nginx"));
    assert_eq!(learnt, ["process-host", "user-process"]);
    let (new, _) = marked(&mut pairs, start(30, "/tmp/.x"));
    assert_eq!(new, ["process-host", "user-process"]);
    assert_eq!(pairs.len(), 4);
}

#[test]
fn it_is_bounded_and_small() {
    let mut pairs = Pairs::with_limit(1_000);
    for number in 0..5_000 {
        pairs.learn(&login(number, &format!("user{number}"), "web1", "192.0.2.1"));
    }
    assert!(pairs.evicted() >= 4_000, "{}", pairs.evicted());
    assert!(pairs.len() <= 2_001, "{}", pairs.len());
    let each = pairs.bytes() / pairs.len();
    assert!(each < 200, "{each} bytes for each");
}

#[test]
fn network_parts() {
    for (address, expected) in [
        ("192.0.2.77", Some("192.0.2")),
        ("::ffff:192.0.2.77", Some("192.0.2")),
        ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2")),
        ("no address", None),
        ("", None),
    ] {
        let event = login(0, "ann", "web1", address);
        let found = super::kind::Part::Network.text(&event);
        assert_eq!(found.as_deref(), expected, "{address}");
    }
}

/// What marks should be, from all that was before.
#[derive(Default)]
struct Naive {
    last: BTreeMap<(usize, String, String), i64>,
    since: BTreeMap<(usize, String), i64>,
}

impl Naive {
    fn marks(&mut self, time: i64, event: &Event<'_>) -> BTreeSet<(&'static str, bool)> {
        let mut marks = BTreeSet::new();
        for (index, kind) in KINDS.iter().enumerate().filter(|(_, kind)| kind.of_logins) {
            let (Some(base), Some(other)) = (kind.baseline.text(event), kind.other.text(event))
            else {
                continue;
            };
            let since = self.since.entry((index, base.to_string())).or_insert(time);
            *since = time.min(*since);
            let learnt = time - *since >= LEARNING;
            let last = self.last.insert((index, base.to_string(), other.to_string()), time);
            if last.is_none_or(|last| time - last > FORGOTTEN) {
                marks.insert((kind.name, learnt));
            }
            let key = (index, base.to_string(), other.to_string());
            self.last.insert(key, last.map_or(time, |last| last.max(time)));
        }
        marks
    }
}

proptest! {
    #[test]
    fn it_marks_what_a_naive_memory_would(
        events in prop::collection::vec((0_i64..2_600, 0_u8..4, 0_u8..3, 0_u8..4), 1..60),
        cut in 0_usize..60,
    ) {
        let mut pairs = Pairs::default();
        let mut naive = Naive::default();
        for (number, (hour, user, host, net)) in events.into_iter().enumerate() {
            if number == cut {
                // A restart changes nothing.
                pairs = Pairs::restore(&pairs.snapshot()).unwrap();
            }
            let (user, host) = (format!("u{user}"), format!("h{host}"));
            let event = login(hour * HOUR, &user, &host, &format!("10.0.{net}.1"));
            let expected = naive.marks(hour * HOUR, &event);
            let (new, learnt) = marked(&mut pairs, event);
            let said = new.iter().map(|word| (word.as_str(), true));
            let said: BTreeSet<_> = said.chain(learnt.iter().map(|word| (word.as_str(), false))).collect();
            prop_assert_eq!(said, expected.iter().map(|(word, new)| (*word, *new)).collect());
        }
    }

    #[test]
    fn damaged_snapshots_are_refused_or_read(place in 0_usize..200, byte: u8) {
        let mut pairs = Pairs::default();
        for number in 0..5 {
            pairs.learn(&login(number, &format!("u{number}"), "web1", "192.0.2.1"));
        }
        let mut bytes = pairs.snapshot();
        let place = place % bytes.len();
        bytes[place] = byte;
        // Never a panic; what is cut is never taken.
        let _read = Pairs::restore(&bytes);
        prop_assert!(Pairs::restore(&bytes[..place]).is_err());
    }
}
