use std::collections::BTreeSet;

use bergfried_source::Changes;

use super::*;

fn audit(options: &AuditOptions) -> Audit {
    Audit::new(options, "web1", &Stats::default())
}

/// Without parents: those would be this machine's.
fn options() -> AuditOptions {
    AuditOptions { parents: false, ..AuditOptions::default() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

fn push(audit: &mut Audit, path: &str, raw: &str, out: &mut Vec<(SourceKind, String)>) {
    let line = Line { path, raw: raw.as_bytes(), truncated: false };
    audit.push(line, at(1_000), &mut |ready| out.push(told(ready)));
}

fn told(ready: Ready<'_>) -> (SourceKind, String) {
    (ready.kind, String::from_utf8(ready.line.raw.to_vec()).unwrap())
}

fn record(kind: &str, serial: u64, body: &str) -> String {
    format!("type={kind} msg=audit(1000.000:{serial}): {body}")
}

#[test]
fn audit_logs_are_known_by_pattern_or_name() {
    let files = vec!["/srv/*/audit*.txt".to_owned()];
    let mut audit = audit(&AuditOptions { files, ..options() });
    for (path, expected) in [
        ("/var/log/audit/audit.log", true),
        ("/srv/a/audit7.txt", true),
        ("/srv/a/b/audit7.txt", false),
        ("/var/log/auth.log", false),
        ("/var/log/audit.log.1", false),
    ] {
        assert_eq!(audit.is_audit_log(path), expected, "{path}");
        assert_eq!(audit.is_audit_log(path), expected, "{path} again");
    }
}

#[test]
fn other_lines_in_an_audit_log_are_lines_of_a_file() {
    let mut audit = audit(&options());
    let mut out = Vec::new();
    push(&mut audit, "a", "----", &mut out);
    push(&mut audit, "a", "type=EXECVE msg=audit(165", &mut out);
    push(&mut audit, "a", &record("USER_CMD", 7, "uid=0"), &mut out);
    let kinds: Vec<SourceKind> = out.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, [SourceKind::File, SourceKind::Audit, SourceKind::Audit]);
}

#[test]
fn what_a_flood_parts_is_sent_and_counted() {
    let mut audit = audit(&options());
    let mut out = Vec::new();
    let flood = LIMITS.events as u64 + 10;
    for serial in 0..flood {
        push(&mut audit, "a", &record("SYSCALL", serial, "auid=1000 uid=1000"), &mut out);
    }
    assert_eq!(audit.gate.stats.counts().audit_events_parted, 10);
    push(&mut audit, "a", &record("EXECVE", 0, "argc=1 a0=\"x\""), &mut out);
    push(&mut audit, "a", &record("PROCTITLE", 0, "proctitle=\"x\""), &mut out);
    assert!(out.iter().any(|(_, text)| text.contains("EXECVE")), "what comes late is sent too");
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// Lines of many events, some without an end, mixed as several processors mix them.
fn mixed(events: u64, dice: &mut Dice) -> Vec<String> {
    let mut open: Vec<(u64, usize)> = Vec::new();
    let mut next = 1;
    let mut lines = Vec::new();
    while next <= events || !open.is_empty() {
        if next <= events && (open.len() < 5 || dice.roll(3) == 0) {
            open.push((next, 0));
            next += 1;
        }
        let chosen = dice.roll(open.len());
        let (serial, step) = &mut open[chosen];
        let kinds: &[&str] = match *serial % 4 {
            0 => &["SYSCALL", "CWD", "PATH", "PATH"],
            1 => &["USER_LOGIN"],
            _ => &["SYSCALL", "EXECVE", "CWD", "PATH", "PROCTITLE"],
        };
        lines.push(record(kinds[*step], *serial, &format!("step={step} caf\u{e9}")));
        *step += 1;
        if *step == kinds.len() {
            open.remove(chosen);
        }
    }
    lines
}

#[test]
fn every_event_is_joined_once_wherever_the_agent_is_killed() {
    for seed in 0..12 {
        let mut dice = Dice(seed);
        let lines = mixed(200, &mut dice);
        let mut expected: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
        for line in &lines {
            let serial = glimpse(line.as_bytes()).unwrap().serial;
            expected.entry(serial).or_default().push(line);
        }
        // What the spool holds: records, and the checkpoint with how many lines were read.
        let (mut spooled, mut checkpoint, mut read) = (Vec::new(), Checkpoint::default(), 0);
        let mut kills = 0;
        while read < lines.len() {
            let mut audit = audit(&options());
            let (mut batch, mut position) = (Vec::new(), read);
            audit.restore(&checkpoint, at(1_000), &mut |ready| batch.push(told(ready)));
            while position < lines.len() && dice.roll(60) > 0 {
                push(&mut audit, "audit.log", &lines[position], &mut batch);
                position += 1;
                if dice.roll(8) == 0 {
                    spooled.append(&mut batch);
                    let changes = Changes { audit: audit.changes(), ..Changes::default() };
                    // As it is written and read again.
                    let changes = serde_json::to_vec(&changes).unwrap();
                    checkpoint.apply(serde_json::from_slice(&changes).unwrap());
                    read = position;
                }
            }
            kills += 1;
        }
        let mut audit = audit(&options());
        audit.restore(&checkpoint, at(1_000), &mut |ready| spooled.push(told(ready)));
        for second in 1_000..1_004 {
            audit.caught_up(at(second), &mut |ready| spooled.push(told(ready)));
        }
        let found: BTreeSet<String> = spooled.iter().map(|(_, group)| group.clone()).collect();
        let expected: BTreeSet<String> = expected.values().map(|group| group.join("\n")).collect();
        assert_eq!(found, expected, "seed {seed}");
        assert_eq!(spooled.len(), expected.len(), "seed {seed}: an event came twice");
        assert!(kills > 3, "only {kills} kills");
        assert_eq!(audit.changes()["audit.log"].held, []);
    }
}

#[test]
fn no_event_is_given_up_over_a_pause_of_the_agent() {
    let mut audit = audit(&options());
    let mut out = Vec::new();
    audit.caught_up(at(1_000), &mut |_| {});
    push(&mut audit, "a", &record("SYSCALL", 1, "x"), &mut out);
    // The disk was full for an hour; then there is more to read.
    audit.caught_up(at(4_600), &mut |ready| out.push(told(ready)));
    push(&mut audit, "a", &record("CWD", 1, "y"), &mut out);
    assert_eq!(out, []);
    for second in 4_601..4_604 {
        audit.caught_up(at(second), &mut |ready| out.push(told(ready)));
    }
    let group = [record("SYSCALL", 1, "x"), record("CWD", 1, "y")].join("\n");
    assert_eq!(out, [(SourceKind::Audit, group)]);
}

#[test]
fn events_of_others_are_counted_and_their_serials_are_not_missing() {
    let stats = Stats::default();
    let watched = AuditOptions { watched_users: vec![1000], ..options() };
    let mut audit = Audit::new(&watched, "web1", &stats);
    let mut out = Vec::new();
    for (serial, auid) in [(1, 1000), (2, 33), (3, 33), (6, 1000)] {
        let body = format!("auid={auid} uid={auid}");
        push(&mut audit, "a", &record("USER_CMD", serial, &body), &mut out);
    }
    assert_eq!(out.len(), 2);
    let counts = stats.counts();
    assert_eq!((counts.audit_events, counts.audit_events_unwatched), (4, 2));
    for second in 1_000..1_010 {
        audit.caught_up(at(second), &mut |ready| out.push(told(ready)));
    }
    assert_eq!(stats.counts().audit_serials_missing, 2);
    let [.., (SourceKind::Json, gap)] = out.as_slice() else { panic!("{out:?}") };
    let gap: serde_json::Value = serde_json::from_str(gap).unwrap();
    assert_eq!(gap["message"], "2 events are missing in a: serials 4 to 5 never came");
    assert_eq!(gap["event.action"], "audit-gap");
    assert_eq!(gap["log_tamper.missing"], 2);
    assert_eq!(gap["file.path"], "a");
}

#[test]
fn the_parent_joins_the_event_while_it_runs() {
    let pid = std::process::id();
    let mut audit = audit(&AuditOptions::default());
    let now = Timestamp::from(jiff::Timestamp::now());
    let seconds = now.micros() / Timestamp::SECOND;
    let mut out = Vec::new();
    for (front, ppid) in [("", pid), ("node=web1 ", pid), ("node=other ", pid), ("", u32::MAX - 1)]
    {
        // Told by no time of its own: the clock of the test may stand anywhere in the second.
        let raw = format!(
            "{front}type=SYSCALL msg=audit({}.999:{}): ppid={ppid} pid=7",
            seconds,
            out.len() + 1
        );
        let line = Line { path: "a", raw: raw.as_bytes(), truncated: false };
        audit.push(line, now, &mut |_| {});
        let mut held = None;
        audit.close_one(&mut |ready| held = Some(told(ready).1));
        out.push(held.unwrap());
    }
    let added: Vec<Option<&str>> =
        out.iter().map(|group| group.split_once('\n').map(|(_, added)| added)).collect();
    let begin = format!("type=PARENT_INFO msg=audit({seconds}.999:1): pid={pid} exe=\"");
    assert!(added[0].unwrap().starts_with(&begin), "{added:?}");
    assert!(added[1].unwrap().starts_with("node=web1 type=PARENT_INFO msg=audit("), "{added:?}");
    assert_eq!(added[2..], [None, None]);
}

#[test]
fn an_event_with_its_parent_joins_again_from_a_file() {
    let now = Timestamp::from(jiff::Timestamp::now());
    let stamp = format!("msg=audit({}.999:7):", now.micros() / Timestamp::SECOND);
    let call = format!("ppid={} pid=7", std::process::id());
    for front in ["", "node=web1 "] {
        let lines = [
            format!("{front}type=SYSCALL {stamp} {call}"),
            format!("{front}type=CWD {stamp} cwd=\"/\""),
            format!("{front}type=PROCTITLE {stamp} proctitle=6C73"),
        ];
        let mut audit = audit(&AuditOptions::default());
        let mut out = Vec::new();
        for raw in &lines {
            let line = Line { path: "a", raw: raw.as_bytes(), truncated: false };
            audit.push(line, now, &mut |ready| out.push(told(ready).1));
        }
        let [group] = out.as_slice() else { panic!("{out:?}") };
        let told: Vec<&str> = group.lines().collect();
        let parent = format!("{front}type=PARENT_INFO {stamp} pid={}", std::process::id());
        assert_eq!(told.len(), 4, "{group}");
        assert_eq!((told[0], told[1], told[3]), (&*lines[0], &*lines[1], &*lines[2]));
        assert!(told[2].starts_with(&parent), "{group}");
        assert_eq!(Joiner::groups(group), [(true, group.clone())]);
    }
}

#[test]
fn a_log_too_many_closes_the_one_that_was_silent_longest() {
    let mut audit = audit(&options());
    let mut out = Vec::new();
    for log in 0..=MOST_LOGS {
        push(&mut audit, &format!("{log}"), &record("SYSCALL", 1, "x"), &mut out);
        push(&mut audit, "often", &record("SYSCALL", 1, "y"), &mut out);
    }
    assert_eq!(audit.logs.len(), MOST_LOGS);
    assert_eq!(out, [(); 2].map(|()| (SourceKind::Audit, record("SYSCALL", 1, "x"))));
    let changes = audit.changes();
    assert_eq!(changes["0"], AuditLog::default(), "forgotten");
    assert_eq!(changes["often"].held.len(), MOST_LOGS + 1);
}

#[test]
fn the_checkpoint_of_hostile_logs_fits_into_the_spool() {
    let mut audit = audit(&options());
    for log in 0..MOST_LOGS {
        for serial in 0..5_000_u64 {
            let body = "\u{1}\"\\".repeat(100);
            let raw = record("SYSCALL", serial, &body);
            let line = Line { path: &log.to_string(), raw: raw.as_bytes(), truncated: false };
            audit.push(line, at(1_000), &mut |_| {});
        }
    }
    let written = serde_json::to_vec(&audit.changes()).unwrap().len();
    assert!((8 << 20..32 << 20).contains(&written), "{written} bytes");
}
