//! A process that is killed while it writes loses nothing that it had reported as applied.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use bergfried_control::{AlertFilter, Control};
use bergfried_event::Severity;

use crate::{Store, at, channel, finding};

const DATABASE: &str = "BERGFRIED_TEST_CONTROL";

#[test]
fn killed_while_writing() {
    if let Some(path) = std::env::var_os(DATABASE) {
        return write_for_ever(Path::new(&path));
    }
    let store = Store::new();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crash::killed_while_writing", "--nocapture"])
            .env(DATABASE, store.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut reported = 0;
        for line in BufReader::new(child.stdout.take().unwrap()).lines().take(40) {
            if let Some(sequence) = line.unwrap().strip_prefix("applied ") {
                reported = sequence.parse().unwrap();
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let control = store.open();
        let applied = control.applied_sequence().unwrap();
        assert!(applied >= reported && reported > 0, "{applied} {reported}");
        let filter = AlertFilter { limit: 10, ..AlertFilter::default() };
        let alerts = control.alerts(&filter).unwrap();
        assert_eq!(alerts.len(), 1);
        assert_eq!(alerts[0].received, applied, "each frame was folded once");
        assert_eq!(control.outbox_due("ops", at(0), 10).unwrap().len(), 1);
    }
}

fn write_for_ever(path: &Path) {
    let control = Control::open(path).unwrap();
    let channels = [channel("ops", Severity::Low)];
    for sequence in control.applied_sequence().unwrap() + 1.. {
        let frame = [finding("web1", Severity::Low, 1)];
        control.apply_findings(sequence, &frame, "Production", &channels, at(0)).unwrap();
        if writeln!(std::io::stdout(), "applied {sequence}").is_err() {
            return;
        }
    }
}
