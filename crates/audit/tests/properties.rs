//! What holds of any log: nothing is lost or told twice, memory is bounded, nothing panics.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says what is wrong so")]

use std::collections::BTreeMap;
use std::time::Duration;

use bergfried_audit::{Joined, Joiner, Limits, glimpse, parse};
use bergfried_event::Timestamp;
use proptest::prelude::*;

const START: Timestamp = Timestamp::from_seconds(1_795_262_400);

/// The records of one event by their types, with its end.
fn event() -> impl Strategy<Value = Vec<&'static str>> {
    let middle = prop::sample::select(vec!["CWD", "PATH", "EXECVE", "SOCKADDR", "OBJ_PID"]);
    (prop::collection::vec(middle, 0..6), any::<bool>()).prop_map(|(middle, has_title)| {
        let mut kinds = vec!["SYSCALL"];
        kinds.extend(middle);
        if has_title {
            kinds.push("PROCTITLE");
        }
        kinds.push("EOE");
        kinds
    })
}

/// Lines of several events, each event's in its order, all in any order; and which event each is of.
fn interleaved() -> impl Strategy<Value = Vec<(usize, String)>> {
    prop::collection::vec(event(), 1..20)
        .prop_flat_map(|events| {
            let owners: Vec<usize> =
                events.iter().enumerate().flat_map(|(at, kinds)| vec![at; kinds.len()]).collect();
            (Just(events), Just(owners).prop_shuffle())
        })
        .prop_map(|(events, owners)| {
            let mut next = vec![0; events.len()];
            owners
                .into_iter()
                .map(|owner| {
                    let kind = events[owner][next[owner]];
                    next[owner] += 1;
                    // Two events each share a serial and differ in time, two a time.
                    let (serial, milliseconds) = (owner / 2, owner % 2 * 100);
                    let at = next[owner];
                    let line = format!(
                        "type={kind} msg=audit(1795262400.{milliseconds:03}:{serial}): n={at}"
                    );
                    (owner, line)
                })
                .collect()
        })
}

fn join(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut joiner = Joiner::new(Limits::default());
    let mut groups = Vec::new();
    let mut sink = |joined: Joined<'_>| {
        groups.push(std::str::from_utf8(joined.lines).unwrap().to_owned());
    };
    for line in lines {
        joiner.push(line.as_bytes(), START, &mut sink);
    }
    joiner.finish(&mut sink);
    groups
}

/// Something that begins as a record may, and anything else.
fn any_line() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![
        "SYSCALL",
        "EXECVE",
        "PATH",
        "CWD",
        "SOCKADDR",
        "PROCTITLE",
        "EOE",
        "USER_CMD",
        "AVC",
        "LOGIN",
        "1300",
        "UNKNOWN[1334]",
        "PARENT_INFO",
        "X",
    ]);
    let body = prop_oneof![
        "[ -~]{0,60}",
        "(argc=[0-9]{1,12} )?(a[0-9]{1,5}(\\[[0-9]\\]|_len)?=(\"[a-z ]{0,5}\"|[0-9A-F]{0,9}) ?){0,6}",
        "(saddr|proctitle|name|exe|key|msg)=('|\")?[0-9A-F{} =a-z]{0,40}('|\")?\u{1d}?(UID=\"x)?",
        "avc:  [a-z]{0,6} \\{? ?[a-z ]{0,9}\\}? ?for ?(old |new )?[a-z]{1,4}=[a-z0-9]{0,5}",
    ];
    prop_oneof![
        (kind, 0..4_u64, 0..3_u64, body).prop_map(|(kind, seconds, serial, body)| {
            format!("type={kind} msg=audit({seconds}.0:{serial}): {body}").into_bytes()
        }),
        prop::collection::vec(any::<u8>(), 0..80),
    ]
}

proptest! {
    #[test]
    fn any_interleaving_gives_the_same_events(lines in interleaved()) {
        let mut expected: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (owner, line) in &lines {
            let known = expected.entry(*owner).or_default();
            if !line.contains("type=EOE") {
                known.push(line);
            }
        }
        let mut expected: Vec<String> =
            expected.into_values().map(|lines| lines.join("\n")).collect();
        let mut found = join(lines.iter().map(|(_, line)| line.clone()));
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn every_line_comes_out_once(lines in interleaved(), keep in prop::collection::vec(any::<bool>(), 150)) {
        // With lines missing, the ends among them, too.
        let kept: Vec<String> = lines
            .into_iter()
            .zip(keep.into_iter().chain(std::iter::repeat(true)))
            .filter_map(|((_, line), keep)| keep.then_some(line))
            .collect();
        let mut expected: Vec<&str> =
            kept.iter().map(String::as_str).filter(|line| !line.contains("type=EOE")).collect();
        let groups = join(kept.iter().cloned());
        let mut found: Vec<&str> = groups.iter().flat_map(|group| group.lines()).collect();
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn what_waits_is_bounded_and_what_is_handed_out_is_read(
        lines in prop::collection::vec((any_line(), 0..3_i64), 0..120)
    ) {
        let limits = Limits { events: 5, bytes: 600, patience: Duration::from_secs(1) };
        let mut joiner = Joiner::new(limits);
        let mut handed = Vec::new();
        let mut now = START;
        for (line, seconds) in &lines {
            now = now.plus_micros(seconds * Timestamp::SECOND / 2);
            joiner.push(line, now, &mut |joined| handed.push(joined.lines.to_vec()));
            prop_assert!(joiner.held().map(<[u8]>::len).sum::<usize>() <= 600);
        }
        joiner.finish(&mut |joined| handed.push(joined.lines.to_vec()));
        for group in &handed {
            let _seen = glimpse(group);
            let text = String::from_utf8_lossy(group);
            let event = parse(&text, START, "h");
            prop_assert_eq!(event.original(), text.as_ref());
        }
    }
}
