//! A process that is killed while it writes loses nothing that it had reported as applied.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use bergfried_control::Control;

use crate::{Store, frame};

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
        let mut bodies = Vec::new();
        control.read_book(|_, body| bodies.push(body.to_owned())).unwrap();
        assert_eq!(bodies, [applied.to_string()], "the alert is as of the last frame");
        let waiting = control.letters_waiting().unwrap();
        assert_eq!(waiting[0].queued, applied, "a letter with each frame, and no other");
    }
}

fn write_for_ever(path: &Path) {
    let control = Control::open(path).unwrap();
    for sequence in control.applied_sequence().unwrap() + 1.. {
        control.write_book(&frame(sequence, "ops", &["said"])).unwrap();
        if writeln!(std::io::stdout(), "applied {sequence}").is_err() {
            return;
        }
    }
}
