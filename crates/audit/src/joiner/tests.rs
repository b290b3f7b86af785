//! What a joiner makes of logs in and out of order.

use super::*;

fn joined(lines: &[&str]) -> (Vec<(String, Flags)>, Counters) {
    let mut joiner = Joiner::new(Limits::default());
    let mut found = Vec::new();
    let mut sink = |joined: Joined<'_>| {
        found.push((String::from_utf8(joined.lines.to_vec()).unwrap(), joined.flags));
    };
    for line in lines {
        joiner.push(line.as_bytes(), Timestamp::from_seconds(0), &mut sink);
    }
    joiner.finish(&mut sink);
    assert_eq!(joiner.held().count(), 0);
    assert_eq!(joiner.bytes, 0);
    (found, joiner.counters())
}

/// A record whose body is its own text, so that groups are told apart.
fn line(kind: &str, time: &str, serial: u64, body: &str) -> String {
    format!("type={kind} msg=audit({time}:{serial}): {body}")
}

#[test]
fn interleaved_events_are_told_apart() {
    let a = ["SYSCALL", "CWD", "PATH", "PROCTITLE"].map(|kind| line(kind, "1.000", 1, "a"));
    let b = ["SYSCALL", "EXECVE", "PROCTITLE"].map(|kind| line(kind, "1.000", 2, "b"));
    let end = line("EOE", "1.000", 1, "");
    let (found, counters) =
        joined(&[&a[0], &b[0], &a[1], &b[1], &b[2], &a[2], &a[3], &end].map(String::as_str));
    let groups: Vec<&str> = found.iter().map(|(group, _)| group.as_str()).collect();
    assert_eq!(groups, [b.join("\n"), a.join("\n")]);
    assert!(found.iter().all(|(_, flags)| *flags == Flags::default()));
    assert_eq!((counters.events, counters.records, counters.ends), (2, 7, 1));
    assert_eq!((counters.by_time, counters.late), (0, 0));
}

#[test]
fn a_serial_used_again_at_another_time_or_node_is_another_event() {
    let first = line("SYSCALL", "1.000", 1, "a");
    let second = line("SYSCALL", "1.001", 1, "b");
    let third = format!("node=x {first}");
    let (found, _) = joined(&[&first, &second, &third]);
    let groups: Vec<&str> = found.iter().map(|(group, _)| group.as_str()).collect();
    assert_eq!(groups, [first, second, third]);
}

#[test]
fn a_later_event_ends_those_before() {
    let old = line("SYSCALL", "10.000", 1, "old");
    let near = line("SYSCALL", "12.000", 2, "near");
    let later = line("SYSCALL", "12.500", 3, "later");
    let mut joiner = Joiner::new(Limits::default());
    let mut found = Vec::new();
    let now = Timestamp::from_seconds(0);
    for line in [&old, &near, &later] {
        joiner.push(line.as_bytes(), now, &mut |joined| {
            found.push((joined.lines.to_vec(), joined.flags.by_time));
        });
    }
    assert_eq!(found, [(old.into_bytes(), true)]);
    assert_eq!(joiner.held().collect::<Vec<_>>(), [near.as_bytes(), later.as_bytes()]);
}

#[test]
fn a_call_that_took_long_is_not_torn_by_those_beside_it() {
    let before = line("SYSCALL", "100.000", 7, "before");
    // Begun a minute ago; its lines come now, between those of others.
    let slow = ["SYSCALL", "SOCKADDR", "PROCTITLE"].map(|kind| line(kind, "40.000", 3, "slow"));
    let beside = ["SYSCALL", "CWD", "PROCTITLE"].map(|kind| line(kind, "100.100", 8, "beside"));
    for node in ["", "node=x "] {
        let lines = [&before, &slow[0], &beside[0], &slow[1], &beside[1], &slow[2], &beside[2]];
        let lines = lines.map(|line| format!("{node}{line}"));
        let (found, counters) = joined(&lines.each_ref().map(String::as_str));
        let groups: Vec<usize> = found.iter().map(|(group, _)| group.lines().count()).collect();
        assert_eq!((groups, counters.late), (vec![3, 3, 1], 0));
    }
}

#[test]
fn what_waits_too_long_is_handed_out() {
    let mut joiner = Joiner::new(Limits::default());
    let first = line("SYSCALL", "10.000", 1, "a");
    let mut found = 0;
    let mut count = |_: Joined<'_>| found += 1;
    joiner.push(first.as_bytes(), Timestamp::from_seconds(100), &mut count);
    joiner.tick(Timestamp::from_seconds(101), &mut count);
    assert_eq!(joiner.held().count(), 1);
    joiner.tick(Timestamp::from_seconds(102), &mut count);
    assert_eq!((joiner.held().count(), joiner.counters().by_time), (0, 1));
    // What comes after that is known to be late, also after one line more.
    let late = line("PATH", "10.000", 1, "a");
    let mut flags = Vec::new();
    joiner.push(late.as_bytes(), Timestamp::from_seconds(103), &mut |_| {});
    joiner.finish(&mut |joined| flags.push(joined.flags.late));
    assert_eq!(flags, [true]);
    assert_eq!(joiner.counters().late, 1);
    assert_eq!(found, 1);
}

#[test]
fn messages_of_programs_and_foreign_lines_wait_for_nothing() {
    let waits = line("SYSCALL", "1.000", 1, "a");
    let alone = line("USER_CMD", "1.000", 2, "user pid=1");
    let (found, counters) = joined(&[
        &waits,
        &alone,
        "----",
        "type=EXECVE msg=audit(165",
        "",
        &line("EOE", "9.000", 77, ""),
    ]);
    let groups: Vec<(&str, bool, bool)> =
        found.iter().map(|(group, flags)| (group.as_str(), flags.foreign, flags.torn)).collect();
    assert_eq!(
        groups,
        [
            (alone.as_str(), false, false),
            ("----", true, false),
            ("type=EXECVE msg=audit(165", false, true),
            ("", true, false),
            (waits.as_str(), false, false),
        ]
    );
    assert_eq!((counters.foreign, counters.torn, counters.ends), (2, 1, 1));
    assert_eq!((counters.events, counters.records), (2, 2));
}

#[test]
fn caps_hold() {
    let limits = Limits { events: 10, bytes: 2_000, patience: Duration::from_secs(1_000_000) };
    let mut joiner = Joiner::new(limits);
    let mut handed = 0;
    let now = Timestamp::from_seconds(0);
    for serial in 0..1_000 {
        let body = "x".repeat(usize::try_from(serial).unwrap());
        let line = line("SYSCALL", "1.000", serial, &body);
        joiner.push(line.as_bytes(), now, &mut |joined| {
            assert!(joined.flags.by_cap);
            handed += 1;
        });
        assert!(joiner.waiting.len() <= 10 && joiner.bytes <= 2_000);
        assert!(joiner.numbers.len() <= 10);
    }
    assert_eq!(joiner.counters().by_cap, handed);
    assert_eq!(handed + joiner.held().count() as u64, 1_000);
}

#[test]
fn an_endless_event_and_an_endless_line_are_cut() {
    let record = line("EXECVE", "1.000", 1, &"a".repeat(7_000));
    let mut joiner = Joiner::new(Limits::default());
    let now = Timestamp::from_seconds(0);
    for _ in 0..1_000 {
        joiner.push(record.as_bytes(), now, &mut |_| {});
    }
    let mut found = Vec::new();
    joiner.finish(&mut |joined| found.push((joined.lines.len() <= LONGEST, joined.flags.cut)));
    let endless = line("SYSCALL", "2.000", 1, &"a".repeat(2 << 20));
    joiner.push(endless.as_bytes(), now, &mut |_| {});
    joiner.finish(&mut |joined| found.push((joined.lines.len() <= LONGEST, joined.flags.cut)));
    assert_eq!(found, [(true, true), (true, true)]);
    assert!(joiner.counters().cut > 800);
}

#[test]
fn many_nodes_do_not_fill_the_memory() {
    let mut joiner = Joiner::new(Limits::default());
    let mut handed = 0;
    for node in 0..5_000 {
        let line = format!("node=n{node} {}", line("SYSCALL", "1.000", 1, "a"));
        joiner.push(line.as_bytes(), Timestamp::from_seconds(0), &mut |_| handed += 1);
    }
    assert!(joiner.nodes.len() <= MOST_NODES);
    assert_eq!(handed + joiner.held().count(), 5_000);
}

#[test]
fn lines_that_were_held_join_again() {
    let lines = ["SYSCALL", "CWD", "PATH"].map(|kind| line(kind, "1.000", 1, "a"));
    let now = Timestamp::from_seconds(0);
    let mut before = Joiner::new(Limits::default());
    before.push(lines[0].as_bytes(), now, &mut |_| {});
    before.push(lines[1].as_bytes(), now, &mut |_| {});
    let mut after = Joiner::new(Limits::default());
    for line in before.held() {
        after.push(line, now, &mut |_| {});
    }
    after.push(lines[2].as_bytes(), now, &mut |_| {});
    let mut found = Vec::new();
    after.finish(&mut |joined| found.push(String::from_utf8(joined.lines.to_vec()).unwrap()));
    assert_eq!(found, [lines.join("\n")]);
}
