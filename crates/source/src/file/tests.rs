use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;

use tempfile::TempDir;

use super::*;

/// A directory with one log, and a reader that can be stopped and started again.
struct World {
    directory: TempDir,
    from: From,
    checkpoint: Checkpoint,
    files: Option<Files>,
    now: Instant,
}

impl World {
    fn new(from: From) -> World {
        World {
            directory: tempfile::tempdir().unwrap(),
            from,
            checkpoint: Checkpoint::default(),
            files: None,
            now: Instant::now(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn copy_and_truncate(&self, from: &str, to: &str) {
        std::fs::copy(self.path(from), self.path(to)).unwrap();
        File::create(self.path(from)).unwrap();
    }

    /// Scans and reads until nothing is left, and takes the positions over.
    fn read(&mut self) -> Vec<String> {
        let options = FileOptions {
            patterns: vec![self.path("*.log").to_str().unwrap().to_owned()],
            from: self.from,
            rotated_grace: Duration::from_secs(15),
        };
        let files =
            self.files.get_or_insert_with(|| Files::new(options, &self.checkpoint, self.now));
        let mut lines = Vec::new();
        files.scan(self.now);
        while files.read(self.now, &mut |line| {
            let cut = if line.truncated { "+" } else { "" };
            lines.push(format!("{}{cut}", String::from_utf8_lossy(line.raw)));
            if lines.len() % 3 == 0 { Flow::Full } else { Flow::More }
        }) {}
        self.checkpoint.apply(files.changes());
        lines
    }

    fn stop(&mut self) {
        self.files = None;
        // What is kept must survive its written form.
        let kept = serde_json::to_string(&Changes::from(self.checkpoint.clone())).unwrap();
        self.checkpoint = Checkpoint::default();
        self.checkpoint.apply(serde_json::from_str(&kept).unwrap());
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }
}

const NOTHING: [&str; 0] = [];

#[test]
fn half_lines_wait_for_their_end_and_go_when_their_file_is_given_up() {
    let mut world = World::new(From::Start);
    world.append("a.log", "one\r\ntw");
    assert_eq!(world.read(), ["one"]);
    assert_eq!(world.read(), NOTHING);
    world.append("a.log", "o\nthr");
    assert_eq!(world.read(), ["two"]);
    world.rename("a.log", "a.log.1");
    world.append("a.log", "new\n");
    assert_eq!(world.read(), ["new"]);
    world.append("a.log.1", "ee\nfo");
    assert_eq!(world.read(), ["three"]);
    world.wait(16);
    assert_eq!(world.read(), ["fo"]);
    world.stop();
    assert_eq!(world.read(), NOTHING);
}

#[test]
fn rotation_is_survived_whether_seen_or_not() {
    for seen in [true, false] {
        for copied in [false, true] {
            let mut world = World::new(From::Start);
            world.append("a.log", "first line of this file\n");
            assert_eq!(world.read(), ["first line of this file"]);
            if !seen {
                world.stop();
            }
            world.append("a.log", "written before\n");
            if copied {
                world.copy_and_truncate("a.log", "a.log.1");
            } else {
                world.rename("a.log", "a.log.1");
            }
            world.append("a.log", "written after, and longer than all that was there before\n");
            assert_eq!(
                world.read(),
                ["written before", "written after, and longer than all that was there before"],
                "seen {seen}, copied {copied}"
            );
            world.stop();
            assert_eq!(world.read(), NOTHING, "seen {seen}, copied {copied}");
        }
    }
}

#[test]
fn files_rotated_away_unread_are_found() {
    for copied in [false, true] {
        let mut world = World::new(From::Start);
        world.append("a.log", "one\n");
        assert_eq!(world.read(), ["one"]);
        world.stop();
        for (text, next) in [("two\n", "2"), ("three\n", "1")] {
            world.append("a.log", text);
            // Times of files are as coarse as the kernel's tick.
            std::thread::sleep(Duration::from_millis(20));
            let name = format!("a.log.{next}");
            if copied {
                world.copy_and_truncate("a.log", &name);
            } else {
                world.rename("a.log", &name);
            }
        }
        world.append("a.log", "four\n");
        assert_eq!(world.read(), ["two", "three", "four"], "copied {copied}");
    }
}

#[test]
fn lines_of_one_path_come_in_their_order_also_where_much_waits() {
    let mut world = World::new(From::Start);
    world.append("a.log", "first\n");
    assert_eq!(world.read(), ["first"]);
    world.stop();
    // Each more than one turn.
    let lines = |file: usize| (0..40_000).map(move |line| format!("{file} {line:060}"));
    for file in 0..3 {
        world.append("a.log", lines(file).collect::<Vec<_>>().join("\n") + "\n");
        if file < 2 {
            world.rename("a.log", &format!("a.log.{}", 2 - file));
        }
    }
    world.append("b.log", "its own\n");
    let mut read = world.read();
    read.retain(|line| line != "its own");
    assert_eq!(read.len(), 120_000);
    assert!(read.is_sorted());
}

#[test]
fn a_truncated_file_is_read_from_its_start() {
    let mut world = World::new(From::Start);
    world.append("a.log", "one\ntwo\n");
    assert_eq!(world.read(), ["one", "two"]);
    File::create(world.path("a.log")).unwrap();
    world.append("a.log", "shorter\n");
    assert_eq!(world.read(), ["shorter"]);
    // Written anew and longer: only the beginning tells.
    File::create(world.path("a.log")).unwrap();
    world.append("a.log", "this is longer than before\n");
    assert_eq!(world.read(), ["this is longer than before"]);
}

#[test]
fn a_reused_inode_is_not_taken_for_the_old_file() {
    let mut world = World::new(From::Start);
    world.append("a.log", "one\n");
    world.read();
    world.stop();
    for number in 0..20 {
        std::fs::remove_file(world.path("a.log")).unwrap();
        world.append("a.log", format!("new {number}\n"));
        assert_eq!(world.read(), [format!("new {number}")]);
        world.stop();
    }
}

#[test]
fn renamed_to_another_watched_name_it_is_not_read_again() {
    let mut world = World::new(From::Start);
    world.append("a.log", "one\n");
    assert_eq!(world.read(), ["one"]);
    world.rename("a.log", "b.log");
    assert_eq!(world.read(), NOTHING);
    world.wait(16);
    assert_eq!(world.read(), NOTHING);
    world.append("b.log", "two\n");
    assert_eq!(world.read(), ["two"]);
}

#[test]
fn the_first_start_begins_where_it_is_told() {
    let line = "x".repeat(1023);
    let twelve_mib = format!("{line}\n").repeat(12 * 1024);
    let cases = [
        (From::Start, "half", "", 12 * 1024, "half+end"),
        // The half line takes a little of the 10 MiB, so one line less is whole.
        (From::Recent, "half", "", 10 * 1024 - 1, "half+end"),
        (From::End, "half", "next\n", 0, "next"),
    ];
    for (from, tail, later, expected, last) in cases {
        let mut world = World::new(from);
        world.append("a.log", &twelve_mib);
        world.append("a.log", tail);
        let read = world.read();
        assert_eq!(read.iter().filter(|read| **read == line).count(), expected, "{from:?}");
        assert_eq!(read.len(), expected, "{from:?}");
        world.stop();
        world.append("a.log", format!("+end\n{later}"));
        assert_eq!(world.read().last().map(String::as_str), Some(last), "{from:?}");
        // A file that appears later is new, whatever was said about those that were there.
        world.append("b.log", "all of it\n");
        world.wait(11);
        assert_eq!(world.read(), ["all of it"], "{from:?}");
    }
}

#[test]
fn long_lines_are_cut_and_their_rest_is_passed_over_through_a_restart() {
    use crate::line::MAX_LINE;
    for (length, expected) in [(MAX_LINE, MAX_LINE), (MAX_LINE + 1, MAX_LINE + 1)] {
        let mut world = World::new(From::Start);
        world.append("a.log", format!("{}\r\nnext\n", "y".repeat(length)));
        let read = world.read();
        // One more where the mark of a cut line is.
        assert_eq!(read[0].len(), expected, "{length}");
        assert_eq!(read[1], "next");
    }
    let mut world = World::new(From::Start);
    world.append("a.log", "z".repeat(3 << 20));
    assert_eq!(world.read().len(), 1);
    world.stop();
    world.append("a.log", "still that line\nnext\n");
    assert_eq!(world.read(), ["next"]);
}

#[test]
fn what_is_no_regular_file_is_passed_over() {
    let mut world = World::new(From::Start);
    std::fs::create_dir(world.path("directory.log")).unwrap();
    let fifo = std::process::Command::new("mkfifo").arg(world.path("fifo.log")).status().unwrap();
    assert!(fifo.success());
    world.append("a.log", "one\n");
    assert_eq!(world.read(), ["one"]);
}

#[test]
fn finished_files_are_forgotten_in_the_end() {
    let mut world = World::new(From::Start);
    for number in 0..40 {
        world.append("a.log", format!("{number}\n"));
        world.rename("a.log", &format!("a.log.{number}"));
        world.append("a.log", format!("after {number}\n"));
        world.read();
        world.wait(16);
        world.read();
    }
    let mut by_path = BTreeMap::<&str, usize>::new();
    for position in world.checkpoint.files.values() {
        *by_path.entry(&position.path).or_default() += 1;
    }
    assert!(by_path.values().all(|count| *count <= FINISHED_KEPT + 1), "{by_path:?}");
}
