//! The figures of the last 24 hours: the same whether the pipeline lived through the events or found
//! them in the store.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::borrow::Cow;

use bergfried_event::{Event, Field, Origin, Record, SourceKind, Timestamp};
use bergfried_heimdall::{EventType, Metrics, Notes, OsType, Tally};
use bergfried_pipeline::{Answer, Payload, Pipeline, Sender};
use bergfried_rules::RuleSet;
use bergfried_store::{BatchId, NewBatch, Options};
use bergfried_wire::Batch;
use support::start;

fn now() -> Timestamp {
    Timestamp::from(jiff::Timestamp::now())
}

/// A line of this many minutes ago, as sshd or ufw writes it.
fn recent(minutes: i64, text: &str) -> (Vec<u8>, Timestamp) {
    let at = now().plus_micros(-minutes * 60 * Timestamp::SECOND).floor_to(Timestamp::SECOND);
    (format!("{at} web {text}").into_bytes(), at)
}

#[test]
fn figures_are_the_same_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (pipeline, alerting) = start(directory.path(), Options::default(), RuleSet::default());
    let failed = "sshd[7]: Failed password for root from 192.0.2.9 port 22 ssh2";
    let blocked = "kernel: [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.8 DST=192.0.2.1 PROTO=TCP \
        SPT=4000 DPT=23 WINDOW=1024";
    let lines = [
        recent(1, failed),
        recent(2, failed),
        recent(700, failed),
        recent(30 * 60, failed),
        recent(3, blocked),
        recent(4, "cron[9]: nothing that Heimdall knows"),
    ];
    let send = |pipeline: &Pipeline, id: u8, lines: &[(Vec<u8>, Timestamp)]| {
        let records = lines.iter().map(|(raw, received)| {
            let raw = Cow::Owned(raw.clone());
            (0, Record { raw, received: *received, truncated: false })
        });
        let batch = Batch {
            id: [id; 16],
            agent: "web".to_owned(),
            origins: vec![Origin::new(SourceKind::File, "/var/log/auth.log", "web")],
            records: records.collect(),
        };
        let answer = pipeline.submit(Payload::Batch(batch), Sender { address: None, agent: None });
        assert!(matches!(answer.unwrap().blocking_recv().unwrap(), Answer::Stored { .. }));
    };
    send(&pipeline, 1, &lines);
    // The same moment is asked about before and after the restart.
    let asked = now();
    let lived = complete(&pipeline, asked);
    assert_eq!(lived.total, 4);
    assert_eq!(
        lived.by_os.into_iter().collect::<Vec<_>>(),
        [(OsType::Linux, 3), (OsType::Firewall, 1)]
    );
    assert_eq!(lived.top_ips, [("192.0.2.9".to_owned(), 3), ("192.0.2.8".to_owned(), 1)]);
    pipeline.stop();
    alerting.stop();
    drop((pipeline, alerting));

    let (pipeline, _alerting) = start(directory.path(), Options::default(), RuleSet::default());
    // What comes while the past is still being read counts once, too.
    send(&pipeline, 2, &[recent(1, blocked)]);
    let told = complete(&pipeline, asked);
    assert_eq!((told.total, told.by_os.get(&OsType::Firewall)), (5, Some(&2)));
    assert_eq!(told.top_ips, [("192.0.2.9".to_owned(), 3), ("192.0.2.8".to_owned(), 2)]);
    assert_eq!(told.per_minute.iter().map(|(_, _, count)| count).sum::<u64>(), 5);
    pipeline.stop();
}

/// The figures, once the past is read.
fn complete(pipeline: &Pipeline, asked: Timestamp) -> Metrics {
    loop {
        let metrics = pipeline.metrics(asked);
        if metrics.complete {
            return metrics;
        }
        std::thread::yield_now();
    }
}

/// Events of the last 30 hours: systems, addresses and domains of which some are frequent.
fn event(number: i64, count: i64, now: Timestamp) -> Event<'static> {
    let age = (count - number) * 30 * 3_600 / count * Timestamp::SECOND;
    let mut event = Event::new(now.plus_micros(-age), format!("line {number}"));
    event.push(Field::SourceIp, format!("192.0.2.{}", number * number % 251));
    if number % 5 == 0 {
        return event;
    }
    let os = OsType::ALL.iter().cycle().nth(usize::try_from(number % 4).unwrap()).unwrap();
    let kind = if number % 3 == 0 { EventType::DnsBlock } else { EventType::LoginFail };
    event.push(Field::HeimdallEventType, kind.name());
    event.push(Field::HeimdallOsType, os.name());
    event.push(Field::HeimdallSeverity, 3);
    event.push(Field::DnsQuestionName, format!("ads{}.example", number * number % 17));
    event
}

#[test]
fn segments_tell_what_memory_told() {
    const EVENTS: i64 = 6_000;
    let directory = tempfile::tempdir().unwrap();
    let options = Options { segment_events: 1_000, sync: false, ..Options::default() };
    let asked = now();
    let mut lived = Tally::default();
    {
        let events = directory.path().join("events");
        let (mut writer, reader, _) = bergfried_store::open(&events, options.clone()).unwrap();
        let mut notes = Notes::default();
        for first in (0..EVENTS).step_by(100) {
            let events: Vec<_> = (first..first + 100).map(|n| event(n, EVENTS, asked)).collect();
            notes.clear();
            events.iter().for_each(|event| notes.push(event));
            lived.take(&notes, asked);
            let id = BatchId(i128::from(first).to_le_bytes());
            let batch = NewBatch { id, ingested: asked, events, findings: [].into() };
            writer.append(vec![batch]).unwrap();
            writer.findings_applied(u64::MAX).unwrap();
        }
        writer.close().unwrap();
        assert!(reader.stats().segments > 1, "{:?}", reader.stats());
    }
    let (pipeline, _alerting) = start(directory.path(), options, RuleSet::default());
    let told = complete(&pipeline, asked);
    lived.set_complete();
    let lived = lived.metrics(asked);
    assert!(lived.total > 3_000 && lived.top_ips.len() == 10, "{lived:?}");
    assert_eq!(told, lived);
    pipeline.stop();
}
