//! The pipeline over its whole life: starts, stops, and what it finds where it was before.

#![expect(clippy::unwrap_used, reason = "tests")]

mod support;

use std::borrow::Cow;

use bergfried_alerting::Alerting;
use bergfried_event::{Origin, Record, SourceKind, Timestamp};
use bergfried_pipeline::{Answer, Payload, Pipeline, Sender};
use bergfried_rules::RuleSet;
use bergfried_store::Options;
use bergfried_wire::Batch;
use support::start;

const ALARMING: &[u8] = b"Nov 21 10:00:00 web sudo:      eve : user NOT in sudoers ; TTY=pts/0 ; \
    PWD=/home/eve ; USER=root ; COMMAND=/bin/sh";

fn send(pipeline: &Pipeline, id: u8) -> Answer {
    let received = Timestamp::from(jiff::Timestamp::now());
    let batch = Batch {
        id: [id; 16],
        agent: "web".to_owned(),
        origins: vec![Origin::new(SourceKind::File, "/var/log/auth.log", "web")],
        records: vec![(0, Record { raw: Cow::Borrowed(ALARMING), received, truncated: false })],
    };
    let answer = pipeline.submit(Payload::Batch(batch), Sender { address: None, agent: None });
    answer.unwrap().blocking_recv().unwrap()
}

/// How many findings the alerts stand on, once those that wait are in.
fn received(alerting: &Alerting) -> u64 {
    alerting.stop();
    let book = alerting.read();
    book.iter().filter_map(|alert| alert.evidence.as_ref()).map(|evidence| evidence.received).sum()
}

fn rules() -> RuleSet {
    let (rules, diagnostics) = RuleSet::load(bergfried_rules::builtin());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    rules
}

#[test]
fn findings_count_after_the_events_were_removed() {
    let directory = tempfile::tempdir().unwrap();
    let (pipeline, alerting) = start(directory.path(), Options::default(), rules());
    for id in 1..4 {
        assert!(matches!(send(&pipeline, id), Answer::Stored { .. }));
    }
    pipeline.stop();
    let before = received(&alerting);
    assert!(before >= 3, "{before}");
    drop((pipeline, alerting));

    std::fs::remove_dir_all(directory.path().join("events")).unwrap();
    let (pipeline, alerting) = start(directory.path(), Options::default(), rules());
    assert!(matches!(send(&pipeline, 9), Answer::Stored { .. }));
    pipeline.stop();
    assert!(received(&alerting) > before);
    assert!(
        pipeline.submit(Payload::Wire(Vec::new()), Sender { address: None, agent: None }).is_err()
    );
}
