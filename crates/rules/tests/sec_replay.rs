//! Rules of SEC find the same whoever looks how often, wherever they were stopped and went on.

#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use bergfried_event::{Event, Field, Finding, Timestamp};
use bergfried_rules::sec::{Purpose, Runner, Sets, SourceFile, Table};
use proptest::prelude::*;

/// One rule of each kind that keeps something, and what time alone brings.
const RULES: &str = r"
type=SingleWithThreshold
ptype=RegExp
pattern=bad (\w+)
desc=bad $1
action=alert severity=minor resource=$1 event=Bad; create SEEN_$1 4 (alert severity=minor resource=$1 event=Gone)
window=5
thresh=3

type=PairWithWindow
ptype=RegExp
pattern=start (\w+)
desc=start $1
action=alert severity=minor resource=$1 event=Late
ptype2=RegExp
pattern2=done $1
desc2=done
action2=alert severity=minor resource=%1 event=Done
window=3

type=SingleWithSuppress
ptype=RegExp
pattern=say (\w+)
context=!SEEN_$1
desc=say $1
action=alert severity=minor resource=$1 event=Said; event 2 start later
window=4

type=Calendar
time=* * * * *
desc=minute
action=alert severity=minor resource=clock event=Minute
";

fn sets() -> Sets {
    let file = SourceFile { name: "r.sec".to_owned(), text: RULES.as_bytes().to_vec() };
    let none = |name: &str| Err(format!("no table {name}"));
    let (sets, said) = Sets::load(vec![(Table::named("s"), vec![file])], None, &none, Purpose::Run);
    assert_eq!(said, Vec::new());
    sets
}

/// Events with the second at which each was taken, in order.
fn events() -> impl Strategy<Value = Vec<(i64, String)>> {
    let line = (prop::sample::select(vec!["bad", "start", "done", "say"]), 0..3_u8);
    let event = (0..6_i64, line).prop_map(|(pause, (word, who))| (pause, format!("{word} u{who}")));
    prop::collection::vec(event, 1..60).prop_map(|events| {
        let mut at = 1_795_305_600;
        let stamped = events.into_iter().map(|(pause, line)| {
            at += pause;
            (at, line)
        });
        stamped.collect()
    })
}

fn show(runner: &mut Runner, id: u64, at: i64, line: &str, findings: &mut Vec<Finding>) {
    let mut event = Event::new(Timestamp::from_seconds(at), line);
    event.set(Field::InputType, "file");
    runner.event(&event, id, Timestamp::from_seconds(at), Some(findings));
}

/// What comes of the events where nobody looks in between.
fn shown_once(sets: &Sets, events: &[(i64, String)], end: Timestamp) -> Vec<Finding> {
    let mut runner = Runner::new(sets, Timestamp::from_seconds(0));
    let mut findings = Vec::new();
    for (id, (at, line)) in (1..).zip(events) {
        show(&mut runner, id, *at, line, &mut findings);
    }
    runner.advance(end, Some(&mut findings));
    findings
}

/// Findings by their second. Of several of one second the order is that of the engine, which a restart
/// may change.
fn told(findings: &[Finding]) -> Vec<(Timestamp, String)> {
    assert!(findings.is_sorted_by_key(|finding| finding.last_seen));
    let mut told: Vec<(Timestamp, String)> = findings
        .iter()
        .map(|finding| {
            let alert = finding.alert.as_deref().unwrap();
            let (event, resource) = (&finding.rule_name, alert.resource.as_deref());
            (finding.last_seen, format!("{event} {} {:?}", resource.unwrap(), finding.event_ids))
        })
        .collect();
    told.sort();
    told
}

proptest! {
    #[test]
    fn it_makes_no_difference_who_looks_and_where_it_was_stopped(
        events in events(),
        stop in 0..60_usize,
        looks in prop::collection::vec(any::<bool>(), 400),
    ) {
        let sets = sets();
        let (first, last) = (events.first().unwrap().0, events.last().unwrap().0);
        let end = Timestamp::from_seconds(last + 90);
        let expected = shown_once(&sets, &events, end);

        let mut runner = Runner::new(&sets, Timestamp::from_seconds(0));
        let mut findings = Vec::new();
        let mut at = first;
        for (index, (taken, line)) in events.iter().enumerate() {
            // Somebody looks at some of the seconds on the way, a few times.
            while at < *taken {
                at += 1;
                if looks.get(usize::try_from(at - first).unwrap() % looks.len()) == Some(&true) {
                    runner.advance(Timestamp::from_seconds(at), Some(&mut findings));
                    runner.advance(Timestamp::from_seconds(at), Some(&mut findings));
                }
            }
            show(&mut runner, index as u64 + 1, *taken, line, &mut findings);
            if index == stop {
                let kept = runner.snapshot();
                runner = Runner::new(&sets, Timestamp::from_seconds(0));
                prop_assert_eq!(runner.restore(&kept), Ok(0));
            }
        }
        runner.advance(end, Some(&mut findings));
        prop_assert_eq!(told(&findings), told(&expected));
    }

    #[test]
    fn a_damaged_snapshot_is_refused_or_read_but_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let sets = sets();
        let mut runner = Runner::new(&sets, Timestamp::from_seconds(0));
        let mut kept = runner.snapshot();
        prop_assert!(runner.restore(&kept).is_ok());
        kept.extend(&bytes);
        drop(runner.restore(&bytes));
        drop(runner.restore(&kept));
    }
}
