use bergfried_event::{Event, Field};
use proptest::prelude::*;

use super::ranking::Limits;
use super::*;
use crate::EventType;

const NOON: Timestamp = Timestamp::from_seconds(1_795_262_400);

fn event(
    at: Timestamp,
    os: OsType,
    address: Option<String>,
    domain: Option<String>,
) -> Event<'static> {
    let mut event = Event::new(at, "");
    let kind = if domain.is_some() { EventType::DnsBlock } else { EventType::LoginFail };
    event.push(Field::HeimdallEventType, kind.name());
    event.push(Field::HeimdallOsType, os.name());
    if let Some(address) = address {
        event.push(Field::SourceIp, address);
    }
    if let Some(domain) = domain {
        event.push(Field::DnsQuestionName, domain);
    }
    event
}

/// The most frequent texts, as one would count them by hand.
fn naive_top(texts: impl Iterator<Item = String>, count: usize) -> Vec<(String, u64)> {
    let mut sums = BTreeMap::new();
    texts.for_each(|text| *sums.entry(text).or_insert(0) += 1);
    let mut ranked: Vec<(String, u64)> = sums.into_iter().collect();
    ranked.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    ranked.truncate(count);
    ranked
}

#[derive(Clone, Debug)]
struct Came {
    /// How much later than the one before it was taken, and how long before that it happened.
    pause: i64,
    age: i64,
    os: OsType,
    address: Option<String>,
    domain: Option<String>,
}

fn came() -> impl Strategy<Value = Came> {
    let seconds = |from: i64, to: i64| (from..to).prop_map(|seconds| seconds * Timestamp::SECOND);
    (
        prop_oneof![4 => seconds(0, 90), 1 => seconds(0, 50_000)],
        prop_oneof![4 => seconds(-90, 900), 1 => seconds(-90_000, 90_000)],
        prop::sample::select(OsType::ALL),
        prop::option::of((0..30).prop_map(|last| format!("192.0.2.{last}"))),
        prop::option::of((0..9).prop_map(|which| format!("ads{which}.example"))),
    )
        .prop_map(|(pause, age, os, address, domain)| Came { pause, age, os, address, domain })
}

proptest! {
    #[test]
    fn the_tally_is_what_one_would_count_by_hand(
        all in prop::collection::vec(came(), 0..120),
        batch in 1_usize..9,
        later in 0_i64..100_000,
    ) {
        let mut tally = Tally::default();
        let mut now = NOON;
        let mut taken: Vec<(Timestamp, &Came)> = Vec::new();
        let mut notes = Notes::default();
        for group in all.chunks(batch) {
            now = now.plus_micros(group.iter().map(|one| one.pause).sum());
            notes.clear();
            for one in group {
                let at = now.plus_micros(-one.age);
                notes.push(&event(at, one.os, one.address.clone(), one.domain.clone()));
                if at.since(now) <= AHEAD {
                    taken.push((at, one));
                }
            }
            tally.take(&notes, now);
        }
        now = now.plus_micros(later * Timestamp::SECOND);
        let within = |width: i64| {
            let start = now.plus_micros(-WINDOW).floor_to(width);
            taken.iter().filter(move |(at, _)| *at >= start)
        };
        let mut expected = Metrics {
            top_ips: naive_top(within(SLOT).filter_map(|(_, one)| one.address.clone()), TOP),
            most_blocked_domain: naive_top(within(SLOT).filter_map(|(_, one)| one.domain.clone()), 1)
                .pop()
                .map(|(domain, _)| domain),
            ..Metrics::default()
        };
        let mut minutes = BTreeMap::new();
        for (at, one) in within(MINUTE) {
            expected.total += 1;
            *expected.by_os.entry(one.os).or_default() += 1;
            *minutes.entry((at.floor_to(MINUTE), one.os)).or_insert(0) += 1;
        }
        expected.per_minute =
            minutes.into_iter().map(|((minute, os), count)| (minute, os, count)).collect();
        prop_assert_eq!(tally.metrics(now), expected);
    }

    #[test]
    fn too_many_texts_are_shed_and_counted(
        adds in prop::collection::vec((0_i64..6, 0_u32..60, 1_u64..4), 1..400),
        texts in 1_usize..20,
        pairs in 1_usize..40,
    ) {
        let mut ranking = Ranking::new(Limits { texts, pairs });
        let mut added = 0;
        for (slot, text, count) in adds {
            ranking.add(slot, &text.to_string(), count);
            added += count;
            let top = ranking.top(usize::MAX);
            prop_assert!(top.len() <= texts.min(pairs));
            let kept: u64 = top.iter().map(|(_, count)| count).sum();
            prop_assert_eq!(kept + ranking.shed(), added);
        }
        ranking.forget_before(i64::MAX);
        prop_assert_eq!(ranking.top(9), Vec::new());
    }
}

#[test]
fn a_flood_of_rare_addresses_does_not_push_out_a_frequent_one() {
    let mut ranking = Ranking::new(Limits { texts: 100, pairs: 100 });
    for number in 0..10_000 {
        ranking.add(1, &number.to_string(), 1);
        if number % 10 == 0 {
            ranking.add(1, "often", 1);
        }
    }
    assert_eq!(ranking.top(1), [("often".to_owned(), 1_000)]);
}

#[test]
fn what_was_stored_before_is_added_as_if_it_had_come() {
    let (mut lived, mut told) = (Tally::default(), Tally::default());
    let mut notes = Notes::default();
    let at = NOON.plus_micros(-90 * MINUTE);
    let domain = Some("ads.example".to_owned());
    for _ in 0..3 {
        notes.push(&event(at, OsType::Pihole, Some("192.0.2.7".to_owned()), domain.clone()));
    }
    notes.push(&Event::new(at, "nothing that Heimdall knows"));
    lived.take(&notes, NOON);
    let slot = at.floor_to(SLOT);
    assert!(slots(NOON).any(|(start, end)| start == slot && at < end));
    for now in [NOON, NOON.plus_micros(7 * MINUTE + 1)] {
        let (from, to) = window(now);
        assert!(from <= now.plus_micros(-WINDOW) && to > now.plus_micros(AHEAD));
        assert_eq!(slots(now).next().map(|(start, _)| start), Some(from));
        assert_eq!(slots(now).last().map(|(_, end)| end), Some(to));
    }
    told.add(at.floor_to(MINUTE), OsType::Pihole, 3, NOON);
    told.add_address(slot, "192.0.2.7", 3, NOON);
    told.add_domain(slot, "ads.example", 3, NOON);
    assert_eq!(lived.metrics(NOON), told.metrics(NOON));
    told.set_complete();
    assert!(told.metrics(NOON).complete);
    let over = at.plus_micros(WINDOW + SLOT);
    assert_eq!(lived.metrics(over), Metrics::default());
}
