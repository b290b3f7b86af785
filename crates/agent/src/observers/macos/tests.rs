//! Against a script that plays `log`, with entries as macOS prints them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use super::*;
use crate::outbox::{Inbox, outbox};
use bergfried_source::Flow;

/// `show` prints the entries of the file `past` that are not before its start, cut to the second;
/// `stream` what is written to `live` as it comes, until `end` is there.
const LOG: &str = r#"#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo "$*" >> calls
echo 'Filtering the log data using "process == \"sshd\""'
case $1 in
show)
    [ -e broken ] && { echo 'log: Could not open local log store' >&2; exit 64; }
    start=$(printf '%s' "$*" | sed -n 's/.*--start //p' | cut -c1-19)
    while IFS= read -r line; do
        at=$(printf '%s' "$line" | sed -n 's/.*"timestamp":"\([^.]*\)\..*/\1/p')
        [ -z "$at" ] || [ -z "$start" ] || ! expr "$at" '<' "$start" > /dev/null || continue
        printf '%s\n' "$line"
    done < past
    echo '{"count":3,"finished":1}'
    ;;
stream)
    exec tail -n +1 -s 0.02 -F live
    ;;
esac
"#;

struct Mac {
    directory: tempfile::TempDir,
    place: Mutex<Option<String>>,
}

/// One run of the observer.
struct Run {
    inbox: Inbox,
    stop: Stop,
    thread: JoinHandle<()>,
    taken: Vec<String>,
}

fn entry(at: &str, message: &str) -> String {
    format!(
        r#"{{"timezoneName":"","messageType":"Default","eventType":"logEvent","threadID":7,"processImagePath":"\/usr\/sbin\/sshd","timestamp":"{at}","eventMessage":"{message}","processID":9}}"#
    )
}

impl Mac {
    fn new() -> Mac {
        let directory = tempfile::tempdir().unwrap();
        let mac = Mac { directory, place: Mutex::default() };
        fs::write(mac.path("log"), LOG).unwrap();
        fs::set_permissions(mac.path("log"), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["past", "live", "calls"] {
            fs::write(mac.path(name), "").unwrap();
        }
        mac
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn append(&self, name: &str, text: &str) {
        use std::io::Write as _;
        let mut file = fs::OpenOptions::new().append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn options(&self) -> MacosOptions {
        let command = vec![self.path("log").to_str().unwrap().to_owned()];
        MacosOptions { command, ..MacosOptions::default() }
    }

    fn start(&self, from: From) -> Run {
        let (outbox, inbox) = outbox().unwrap();
        let stop = Stop::new().unwrap();
        let scene = Scene {
            outbox,
            stop: stop.clone(),
            state_dir: self.directory.path().to_path_buf(),
            place: self.place.lock().unwrap().clone(),
        };
        let observer = observer(self.options(), from);
        let thread = thread::spawn(move || (observer.run)(scene));
        Run { inbox, stop, thread, taken: Vec::new() }
    }

    /// Takes entries until there are so many; what was taken is durable.
    fn take(&self, run: &mut Run, entries: usize) {
        let begun = Instant::now();
        while run.taken.len() < entries {
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", run.taken);
            run.inbox.read(&mut |observed| {
                assert_eq!((observed.observer.as_ref(), observed.kind), (NAME, SourceKind::Json));
                let text = String::from_utf8(observed.raw).unwrap();
                let message = text.split("\"eventMessage\":\"").nth(1).unwrap_or(&text);
                run.taken.push(message.split('"').next().unwrap().to_owned());
                Flow::More
            });
            self.keep(run);
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn keep(&self, run: &Run) {
        if let Some(place) = run.inbox.positions().remove(NAME) {
            *self.place.lock().unwrap() = Some(place);
        }
        run.inbox.durable();
    }

    /// Stops it, as at the end of the agent; nothing more was there to be taken.
    fn end(&self, mut run: Run) -> Vec<String> {
        run.stop.stop();
        while !run.thread.is_finished() {
            let before = run.taken.len();
            self.take(&mut run, before);
            run.inbox.read(&mut |observed| panic!("{:?}", String::from_utf8_lossy(&observed.raw)));
            thread::sleep(Duration::from_millis(5));
        }
        run.thread.join().unwrap();
        run.taken
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap()
    }
}

#[test]
fn what_is_behind_comes_first_then_the_stream_and_nothing_twice() {
    let mac = Mac::new();
    let (first, second) = ("2025-03-04 10:15:02.000001+0000", "2025-03-04 10:15:02.000002+0000");
    mac.append("past", &format!("{}\n{}\n", entry(first, "one"), entry(second, "two")));
    // Both print the second: the stream had begun.
    mac.append("live", &format!("{}\n", entry(second, "two")));
    let mut run = mac.start(From::Start);
    mac.take(&mut run, 2);
    mac.append("live", &format!("garbage\n{}\n", entry("2025-03-04 10:15:03.5+0000", "three")));
    mac.take(&mut run, 3);
    // Torn by a crash of its writer, then half of one that is still being written.
    mac.append("live", "{\"timestamp\":\"2026-11-2\n{\"timestamp\":\"2026");
    mac.take(&mut run, 4);
    let mut taken = mac.end(run);
    assert_eq!(taken.pop().unwrap(), "{");
    assert_eq!(taken, ["one", "two", "three"]);
    assert!(!mac.calls().contains("--start"), "{}", mac.calls());

    // While it was down; what it has seen is shown again.
    fs::write(mac.path("live"), "").unwrap();
    mac.append("past", &format!("{}\n", entry("2025-03-04 10:15:03.5+0000", "three")));
    mac.append("past", &format!("{}\n", entry("2025-03-04 10:20:00.0+0000", "four")));
    let mut run = mac.start(From::End);
    mac.take(&mut run, 1);
    mac.append("live", &format!("{}\n", entry("2025-03-04 11:20:01.0+0100", "five")));
    mac.take(&mut run, 2);
    assert_eq!(mac.end(run), ["four", "five"]);
    assert!(mac.calls().contains("--start 2025-03-04 10:14:58+0000"), "{}", mac.calls());
    assert!(mac.calls().contains("stream --style ndjson --level info --predicate process IN"));
}

#[test]
fn a_stream_that_ends_is_begun_again_from_where_it_was_read() {
    let mac = Mac::new();
    fs::write(mac.path("broken"), "").unwrap();
    let script = LOG.replace("exec tail -n +1 -s 0.02 -F live", "cat live; exit 1");
    fs::write(mac.path("log"), script).unwrap();
    mac.append("live", &format!("{}\n", entry("2025-03-04 10:15:02.5+0000", "one")));
    let mut run = mac.start(From::Start);
    mac.take(&mut run, 1);
    // From here on what was logged in between is shown.
    mac.append("past", &format!("{}\n", entry("2025-03-04 10:15:02.5+0000", "one")));
    mac.append("past", &format!("{}\n", entry("2025-03-04 10:15:09.5+0000", "two")));
    fs::remove_file(mac.path("broken")).unwrap();
    mac.take(&mut run, 2);
    assert_eq!(mac.end(run), ["one", "two"]);
}

#[test]
fn the_first_start_begins_where_it_is_asked_to() {
    let now = Timestamp::from_seconds(1_800_000_000);
    for (from, floor) in
        [(From::Start, None), (From::Recent, Some(1_799_996_400)), (From::End, Some(1_800_000_000))]
    {
        assert_eq!(first(from, now).floor(), floor.map(Timestamp::from_seconds), "{from:?}");
    }
    let time = Timestamp::from_micros(1_800_000_000_999_999);
    assert_eq!(start(time), "2027-01-15 08:00:00+0000");
}

#[test]
fn whether_the_program_works_is_told() {
    let mac = Mac::new();
    assert_eq!(probe(&mac.options()), Ok(()));
    fs::write(mac.path("broken"), "").unwrap();
    let said = probe(&mac.options()).unwrap_err();
    assert_eq!(said, "log ended with 64: log: Could not open local log store");
    let absent = MacosOptions { command: vec!["/no/such/log".to_owned()], ..mac.options() };
    assert!(probe(&absent).unwrap_err().starts_with("cannot run log: "));
}
