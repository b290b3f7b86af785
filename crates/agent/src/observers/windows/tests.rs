//! The observer against a program that plays `wevtutil` over exported events.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use bergfried_event::FieldName;
use bergfried_parse::{Context, parse};

use super::*;
use crate::outbox::outbox;
use bergfried_source::Flow;

/// One event as `wevtutil` writes it, in a language that no code page of the West has.
fn event(id: u64, code: u32, day: u64) -> String {
    format!(
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>\
         <Provider Name='Microsoft-Windows-Security-Auditing' Guid='{{54849625}}'/>\
         <EventID>{code}</EventID><TimeCreated SystemTime='2026-11-{day:02}T10:00:00.0000000Z'/>\
         <EventRecordID>{id}</EventRecordID><Channel>Security</Channel><Computer>dc1</Computer>\
         </System><EventData><Data Name='TargetUserName'>Jürgen 管理者</Data>\
         <Data Name='CommandLine'>a &lt;/Event&gt;\r\nb</Data></EventData></Event>"
    )
}

fn events(ids: impl IntoIterator<Item = u64>, day: u64) -> String {
    ids.into_iter().map(|id| event(id, 4625, day) + "\r\n").collect()
}

/// A host with a stub of `wevtutil` and an agent's state.
struct Desk {
    directory: tempfile::TempDir,
    watch: Watch,
    taken: Arc<Mutex<Taken>>,
}

/// What came, and how far the observer said that it was.
#[derive(Default)]
struct Taken {
    observed: Vec<Observed>,
    place: Option<String>,
}

impl Desk {
    fn new(options: WindowsOptions) -> Desk {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("stub.py"), include_str!("stub.py")).unwrap();
        let (watch, taken) = Desk::start(directory.path(), options, None);
        Desk { directory, watch, taken }
    }

    fn start(
        directory: &Path,
        options: WindowsOptions,
        place: Option<String>,
    ) -> (Watch, Arc<Mutex<Taken>>) {
        let stub = directory.join("stub.py").to_str().unwrap().to_owned();
        let options = WindowsOptions { command: vec!["python3".to_owned(), stub], ..options };
        assert!(options.is_on() && options.check().is_ok());
        let (outbox, inbox) = outbox().unwrap();
        let taken: Arc<Mutex<Taken>> = Arc::default();
        let sink = Arc::clone(&taken);
        thread::spawn(move || {
            // Until the outbox is gone, with the test.
            while Arc::strong_count(&sink) > 1 {
                let mut taken = sink.lock().unwrap();
                inbox.read(&mut |observed| {
                    taken.observed.push(observed);
                    Flow::More
                });
                taken.place = inbox.positions().remove(NAME).or(taken.place.take());
                drop(taken);
                inbox.durable();
                thread::yield_now();
            }
        });
        let cursors = cursors(place.as_deref());
        let scene =
            Scene { outbox, stop: Stop::new().unwrap(), state_dir: directory.to_path_buf(), place };
        let channels = Vec::new();
        (Watch { options, from: From::Start, cursors, channels, scene }, taken)
    }

    fn restart(&mut self) {
        let options = self.watch.options.clone();
        self.watch.scene.outbox.flush().unwrap();
        let place = self.taken.lock().unwrap().place.clone();
        (self.watch, self.taken) = Desk::start(self.directory.path(), options, place);
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Reads a channel until it has no more; what came, and what the last answer said beside.
    fn read(&mut self, channel: &str) -> (Vec<Observed>, News) {
        for _ in 0..1000 {
            let news = self.watch.read(channel).unwrap();
            if !news.more || news.error.is_some() {
                return (self.observed(), news);
            }
        }
        panic!("{channel} never ends");
    }

    /// What came since the last time.
    fn observed(&self) -> Vec<Observed> {
        self.watch.scene.outbox.flush().unwrap();
        std::mem::take(&mut self.taken.lock().unwrap().observed)
    }

    fn ids(&mut self, channel: &str) -> Vec<u64> {
        self.read(channel).0.iter().map(|observed| id(&observed.raw)).collect()
    }
}

fn id(raw: &[u8]) -> u64 {
    let text = std::str::from_utf8(raw).unwrap();
    let (_, rest) = text.split_once("<EventRecordID>").unwrap();
    rest.split_once('<').unwrap().0.parse().unwrap()
}

fn security(codes: &[u32], batch: u32) -> WindowsOptions {
    let channels = [("Security".to_owned(), codes.to_vec())].into_iter().collect();
    WindowsOptions { batch, channels, ..WindowsOptions::default() }
}

#[test]
fn each_event_comes_once_also_after_a_restart_and_a_cleared_log() {
    let mut desk = Desk::new(security(&[4625, 1102], 3));
    desk.write("Security.xml", "");
    assert!(desk.ids("Security").is_empty());
    desk.write("Security.xml", &(events(1..=10, 20) + &event(11, 4663, 20)));
    assert_eq!(desk.ids("Security"), (1..=10).collect::<Vec<u64>>());
    assert!(desk.ids("Security").is_empty());
    desk.restart();
    assert!(desk.ids("Security").is_empty());
    desk.write("Security.xml", &events(5..=12, 20));
    assert_eq!(desk.ids("Security"), [11, 12]);
    // Cleared while the agent is down, and longer than before when it comes back.
    desk.write("Security.xml", &(event(1, 1102, 21) + &events(2..=20, 21)));
    desk.restart();
    assert_eq!(desk.ids("Security"), (1..=20).collect::<Vec<u64>>());
    // Cleared, and shorter.
    desk.write("Security.xml", &event(1, 1102, 22));
    assert_eq!(desk.ids("Security"), [1]);
}

#[test]
fn what_a_log_wrote_over_is_said() {
    let mut desk = Desk::new(security(&[4625], 100));
    desk.write("Security.xml", &events(1..=3, 20));
    assert_eq!(desk.ids("Security"), [1, 2, 3]);
    desk.write("Security.xml", &events(9..=10, 20));
    let (observed, _) = desk.read("Security");
    assert_eq!(observed.len(), 3);
    assert_eq!(observed[0].kind, SourceKind::Json);
    let said: serde_json::Value = serde_json::from_slice(&observed[0].raw).unwrap();
    assert_eq!(said["event.action"], "event-log-gap");
    assert_eq!((&said["log_tamper.first"], &said["log_tamper.last"]), (&4.into(), &8.into()));
}

fn context() -> Context<'static> {
    Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

fn field(observed: &Observed, name: &'static str) -> String {
    let text = std::str::from_utf8(&observed.raw).unwrap();
    let event = parse(observed.kind, text, &context());
    let value = event.get_named(&FieldName::new(name));
    value.map_or("absent".to_owned(), |value| value.to_text().into_owned())
}

#[test]
fn a_channel_is_read_in_whatever_encoding_it_is_printed() {
    for (mode, page, name) in [
        ("", CodePage::Utf8, "Jürgen 管理者"),
        ("utf-8", CodePage::Utf8, "Jürgen 管理者"),
        ("strict", CodePage::Utf8, "Jürgen 管理者"),
        // What the code page lacks is written by number.
        ("oem", CodePage::Cp850, "Jürgen 管理者"),
        ("oem", CodePage::Utf8, "J\u{fffd}rgen 管理者"),
    ] {
        let mut desk = Desk::new(WindowsOptions { code_page: page, ..security(&[], 2) });
        desk.write("Security.xml", &events(1..=3, 20));
        desk.write("mode", mode);
        let (observed, _) = desk.read("Security");
        assert_eq!(observed.len(), 3, "{mode}");
        assert_eq!(
            (observed[0].observer.as_ref(), observed[0].kind),
            ("wevtutil:Security", SourceKind::File)
        );
        assert_eq!(field(&observed[0], "user.name"), name, "{mode}");
        assert_eq!(field(&observed[0], "log.flags"), "absent");
        assert_eq!(field(&observed[0], "event.action"), "logon-failed");
    }
}

#[test]
fn garbage_torn_and_slow_output_loses_nothing_that_is_whole() {
    let mut desk = Desk::new(WindowsOptions { timeout_seconds: 1, ..security(&[], 4) });
    desk.write("Security.xml", &events(1..=9, 20));
    desk.write("mode", "garbage");
    let (observed, news) = desk.read("Security");
    assert_eq!(
        observed.iter().map(|one| id(&one.raw)).collect::<Vec<u64>>(),
        (1..=9).collect::<Vec<u64>>()
    );
    assert!(news.error.is_none() && news.broken > 0, "{news:?}");

    desk.write("Security.xml", &events(1..=13, 20));
    desk.write("mode", "torn");
    let news = desk.watch.read("Security").unwrap();
    assert_eq!((news.broken, news.cursor.unwrap().id), (1, 11));

    desk.write("mode", "slow");
    let news = desk.watch.read("Security").unwrap();
    assert!(news.error.unwrap().contains("did not end within 1 s"));
    assert_eq!(news.cursor.unwrap().id, 13);
    assert_eq!(
        desk.observed().iter().map(|one| id(&one.raw)).collect::<Vec<u64>>(),
        [10, 11, 12, 13]
    );
}

#[test]
fn a_program_that_prints_everything_each_time_is_read_once() {
    let mut desk = Desk::new(security(&[4625], 4));
    desk.write("Security.xml", &(events(1..=9, 20) + &event(10, 4663, 20)));
    desk.write("mode", "deaf");
    assert_eq!(desk.ids("Security"), (1..=9).collect::<Vec<u64>>());
    assert!(desk.ids("Security").is_empty());
    desk.restart();
    assert!(desk.ids("Security").is_empty());
}

#[test]
fn a_channel_that_is_not_there_is_asked_for_less_and_less() {
    let mut desk = Desk::new(WindowsOptions {
        channels: [("Sysmon/$(id)".to_owned(), Vec::new())].into_iter().collect(),
        ..WindowsOptions::default()
    });
    let mut channel = Channel::new("Sysmon/$(id)");
    let interval = Duration::from_secs(5);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let news = desk.watch.read("Sysmon/$(id)").unwrap();
        let error = news.error.clone().unwrap();
        assert!(error.contains("ended with 159: Failed to read events."), "{error}");
        channel.settle(news, interval);
        pauses.push((channel.due - Instant::now()).as_secs_f64().round());
    }
    assert_eq!(pauses, [10., 20., 40., 80., 160., 320., 600., 600., 600.]);
    // Installed at last.
    desk.write("Sysmon%4$(id).xml", &events(1..=2, 20));
    assert_eq!(desk.ids("Sysmon/$(id)"), [1, 2]);
    channel.settle(News::default(), interval);
    assert!(channel.failures == 0 && channel.due <= Instant::now() + interval);
    assert!(newest(&desk.watch.options, "Sysmon/$(id)").unwrap().is_some());
    desk.write("mode", "refused");
    assert!(newest(&desk.watch.options, "Sysmon/$(id)").unwrap_err().contains("ended with 5"));
}

#[test]
fn a_whole_log_of_a_real_host_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/corpora/evtx/041_Security_with_size_t.evtx");
    if !path.exists() {
        #[expect(clippy::print_stderr, reason = "says what was skipped")]
        {
            eprintln!("skipped: {} is absent", path.display());
        }
        return;
    }
    let mut log = evtx::EvtxParser::from_path(path).unwrap();
    let records: Vec<String> = log.records().map(|record| record.unwrap().data).collect();
    let mut desk = Desk::new(security(&[4624, 4634, 4672], 32));
    desk.write("Security.xml", &format!("<Events>{}</Events>", records.concat()));
    let (observed, _) = desk.read("Security");
    // As two other parsers count them.
    assert_eq!(observed.len(), 126 + 17 + 109);
    assert!(observed.is_sorted_by(|one, other| id(&one.raw) < id(&other.raw)));
    for one in &observed {
        assert!(["4624", "4634", "4672"].contains(&field(one, "event.code").as_str()));
        assert_eq!(field(one, "log.flags"), "absent");
    }
}
