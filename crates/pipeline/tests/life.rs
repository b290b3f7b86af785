//! The pipeline over its whole life: starts, stops, and what it finds where it was before.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::borrow::Cow;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bergfried_control::{AlertFilter, Control};
use bergfried_event::{Origin, Record, SourceKind, Timestamp};
use bergfried_notify::Channel;
use bergfried_pipeline::{Answer, Channels, Parts, Payload, Pipeline, Sender};
use bergfried_rules::RuleSet;
use bergfried_wire::Batch;

const ALARMING: &[u8] = b"Nov 21 10:00:00 web sudo:      eve : user NOT in sudoers ; TTY=pts/0 ; \
    PWD=/home/eve ; USER=root ; COMMAND=/bin/sh";

fn start(directory: &Path, channels: Vec<Channel>) -> (Pipeline, Arc<Control>) {
    let control = Arc::new(Control::open(&directory.join("control.sqlite")).unwrap());
    let (writer, reader, pending) =
        bergfried_store::open(&directory.join("events"), bergfried_store::Options::default())
            .unwrap();
    let (rules, diagnostics) = RuleSet::load(bergfried_rules::builtin());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let pipeline = Pipeline::start(Parts {
        writer,
        reader,
        pending,
        control: Arc::clone(&control),
        chains: Arc::default(),
        rules: Arc::new(rules),
        remembered: directory.join("rules.state"),
        channels: Channels { list: channels, console: None },
        environment: "Test".to_owned(),
    });
    (pipeline.unwrap(), control)
}

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

fn received(control: &Control) -> u64 {
    let alerts = control.alerts(&AlertFilter { limit: 10, ..AlertFilter::default() }).unwrap();
    alerts.iter().map(|alert| alert.received).sum()
}

#[test]
fn findings_count_after_the_events_were_removed() {
    let directory = tempfile::tempdir().unwrap();
    let (pipeline, control) = start(directory.path(), Vec::new());
    for id in 1..4 {
        assert!(matches!(send(&pipeline, id), Answer::Stored { .. }));
    }
    pipeline.stop();
    let before = received(&control);
    assert!(before >= 3, "{before}");
    drop((pipeline, control));

    std::fs::remove_dir_all(directory.path().join("events")).unwrap();
    let (pipeline, control) = start(directory.path(), Vec::new());
    assert!(matches!(send(&pipeline, 9), Answer::Stored { .. }));
    pipeline.stop();
    assert!(received(&control) > before);
    assert!(
        pipeline.submit(Payload::Wire(Vec::new()), Sender { address: None, agent: None }).is_err()
    );
}

#[test]
fn a_receiver_that_never_answers_does_not_hold_up_the_stop() {
    let directory = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let (pipeline, control) =
        start(directory.path(), vec![Channel::from_webhook_url("slow", &url).unwrap()]);
    assert!(matches!(send(&pipeline, 1), Answer::Stored { .. }));
    let _silent = listener.accept().unwrap();
    let begun = Instant::now();
    pipeline.stop();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let waiting = control.outbox_backlog().unwrap();
    assert!(waiting.iter().any(|channel| channel.queued > 0), "it is sent after the next start");
}
