use std::time::Duration;

use bergfried_alert::Settings;
use bergfried_alert::exception::{Exception, Scope};
use bergfried_event::{Field, Value};
use bergfried_query::search::parse;
use bergfried_rules::Source;

use super::fold::Fold;
use super::*;
use crate::history::Bounds;
use crate::preview::tests::{NOW, events, rules, store};

const TO: Timestamp = NOW.plus_micros(1);

/// What is tried of the last two days, by these rules of a set.
fn tried(reader: &Reader, set: &RuleSet, wanted: &[&str], scopes: &[Scope]) -> Backtest {
    tried_within(reader, set, wanted, scopes, Bounds::default())
}

fn tried_within(
    reader: &Reader,
    set: &RuleSet,
    wanted: &[&str],
    scopes: &[Scope],
    bounds: Bounds,
) -> Backtest {
    let meant = |rule: &Rule| wanted.contains(&rule.id());
    let exception = |(number, scope): (usize, &Scope)| {
        let expires = NOW.plus_micros(Timestamp::DAY);
        let id = number.to_string();
        Arc::new(Exception::new(id, scope.clone(), "me", "known", expires, NOW).unwrap())
    };
    let trial = Trial {
        rules: Arc::new(set.only(meant)),
        meant: &meant,
        over: Over {
            from: NOW.plus_micros(-2 * Timestamp::DAY),
            to: TO,
            bounds,
            settings: &Settings::default(),
            exceptions: scopes.iter().enumerate().map(exception).collect(),
        },
    };
    backtest(reader, &trial).unwrap()
}

fn is_repeated(event: &Event<'_>) -> bool {
    matches!(event.get(Field::LogFlags),
        Some(Value::List(flags)) if flags.contains(&Value::from("repeated")))
}

/// All rules over all events as the pipeline shows them: in batches, each flushed.
fn live(events: &[Event<'static>], set: &Arc<RuleSet>, wanted: &[&str]) -> (Vec<TriedAlert>, u64) {
    let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
    let mut engine = Engine::new(Arc::clone(set), limits);
    let settings = Settings::default();
    let (mut fold, mut stated) = (Fold::new(&settings), Vec::new());
    let from = NOW.plus_micros(-2 * Timestamp::DAY);
    for (number, batch) in events.chunks(50).enumerate() {
        for (event, place) in batch.iter().zip(1..) {
            let id = number as u64 * 50 + place;
            if is_repeated(event) {
                continue;
            }
            match event.created() < from {
                true => engine.warm(event, id),
                false => engine.observe(event, id, &mut stated),
            }
        }
        engine.flush(&mut stated);
    }
    stated.retain(|finding| wanted.contains(&finding.rule_id.as_str()));
    stated.iter().for_each(|finding| fold.take(finding));
    let hits = set.rules().iter().zip(engine.hits());
    let hits = hits.filter(|(rule, _)| wanted.contains(&rule.id())).map(|(_, hits)| hits).sum();
    (fold.end().0, hits)
}

#[test]
fn it_finds_what_living_through_it_found() {
    let set = Arc::new(rules());
    let mut alerts = 0;
    for seed in 0..6 {
        let events = events(seed, 400);
        let (_directory, _writer, reader) = store(&events);
        for wanted in [&["r-root"][..], &["r-bob"], &["r-many"], &["r-root", "r-many"]] {
            let told = tried(&reader, &set, wanted, &[]);
            let (expected, hits) = live(&events, &set, wanted);
            let bare = |alerts: &[TriedAlert]| -> Vec<_> {
                let bare = |a: &TriedAlert| {
                    (
                        a.resource.clone(),
                        a.event.clone(),
                        a.severity.clone(),
                        a.count,
                        a.first,
                        a.last,
                    )
                };
                alerts.iter().map(bare).collect()
            };
            assert_eq!(bare(&told.alerts), bare(&expected), "{seed} {wanted:?}");
            assert_eq!(
                (told.hits, told.cut, told.more_alerts),
                (hits, None, 0),
                "{seed} {wanted:?}"
            );
            assert_eq!(told.days.iter().map(|day| day.hits).sum::<u64>(), hits);
            assert_eq!(told.days.len(), 3, "{:?}", told.days);
            alerts += told.alerts.len();
        }
    }
    assert!(alerts > 30, "{alerts}");
}

#[test]
fn a_search_hits_what_the_store_finds() {
    let events = events(3, 400);
    let (_directory, _writer, reader) = store(&events);
    let from = NOW.plus_micros(-2 * Timestamp::DAY);
    for text in [
        "user.name:root",
        "user.name:root host.name:web1 NOT source.ip:10.0.0.2",
        "NOT user.name:eve",
    ] {
        let predicate = parse(text, NOW).unwrap();
        let unrepeated = parse(&format!("({text}) NOT log.flags:repeated"), NOW).unwrap();
        let set = RuleSet::of_search(text, predicate);
        let told = tried(&reader, &set, &[text], &[]);
        assert_eq!(told.hits, reader.count(&unrepeated, from, TO).unwrap(), "{text}");
        assert_eq!(told.findings, told.hits);
        assert_eq!(told.alerts.iter().map(|alert| alert.count).sum::<u64>(), told.hits);
        assert!(told.alerts.iter().all(|alert| alert.event == text));
        assert_eq!(told.examples.len(), 10);
    }
}

#[test]
fn exceptions_silence_what_they_cover() {
    let set = rules();
    let (_directory, _writer, reader) = store(&events(5, 400));
    let whole = tried(&reader, &set, &["r-root"], &[]);
    let scope = Scope::new(vec!["r-root".to_owned()], "user.name:root", NOW).unwrap();
    let other = Scope::new(vec!["r-bob".to_owned()], "", NOW).unwrap();
    let told = tried(&reader, &set, &["r-root"], &[other, scope.clone()]);
    assert_eq!((told.hits, told.findings), (whole.hits, whole.findings));
    let [silencing] = told.exceptions.as_slice() else { panic!("{:?}", told.exceptions) };
    assert_eq!((silencing.id.as_str(), silencing.findings), ("1", told.silenced));
    assert!(told.silenced > 10 && told.silenced < told.findings);
    let counted = |told: &Backtest| told.alerts.iter().map(|alert| alert.count).sum::<u64>();
    assert_eq!(counted(&told), counted(&whole) - told.silenced);
}

#[test]
fn a_rule_that_only_serves_others_tells_its_hits() {
    let (_directory, _writer, reader) = store(&events(5, 400));
    let told = tried(&reader, &rules(), &["r-failed"], &[]);
    assert!(told.hits > 50, "{}", told.hits);
    assert_eq!((told.findings, told.alerts.len()), (0, 0));
    let both = tried(&reader, &rules(), &["r-failed", "r-many"], &[]);
    assert_eq!(both.hits, tried(&reader, &rules(), &["r-many"], &[]).hits);
}

#[test]
fn what_was_never_seen_before_is_learnt_from_all_that_is_stored() {
    let text = "title: new\nid: r-new\nlogsource: {service: sshd}\ndetection:\n  sel:\n    user.name|exists: true\n  condition: sel
bergfried:\n  first-seen: {group-by: [host.name, user.name], baseline: host.name, learning: 1h}\n";
    let (set, said) = RuleSet::load([Source { file: "r.yml".to_owned(), text: text.to_owned() }]);
    assert_eq!(said, Vec::new());
    let (_directory, _writer, reader) = store(&events(1, 400));
    // Two hosts and four users: all of them were there on the day before.
    assert_eq!(tried(&reader, &set, &["r-new"], &[]).hits, 0);
}

#[test]
fn it_ends_where_it_is_bounded_or_given_up() {
    let set = rules();
    let (_directory, _writer, reader) = store(&events(7, 400));
    let run = |bounds| tried_within(&reader, &set, &["r-root"], &[], bounds);
    let few = run(Bounds { events: 20, ..Bounds::default() });
    assert_eq!((few.cut, few.events), (Some("there were too many events"), 20));
    assert!(few.to < TO);
    let none = run(Bounds { time: Duration::ZERO, ..Bounds::default() });
    assert_eq!((none.cut, none.hits), (Some("it took too long"), 0));
    let bounds = Bounds::default();
    drop(crate::history::GivesUp(bounds.stop.clone()));
    assert_eq!(run(bounds).cut, Some("it took too long"));
}
