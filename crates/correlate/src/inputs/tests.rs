//! Inputs that grow, are cut, moved away and made again.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use jiff::tz::TimeZone;
use tempfile::TempDir;

use super::*;

/// Inputs in a directory of their own.
struct Scene {
    directory: TempDir,
    options: Options,
    log: Log,
}

impl Scene {
    fn new() -> Self {
        let log = Log::new(1, None, None, TimeZone::UTC);
        let options = Options { from_start: true, ..Options::default() };
        Self { directory: tempfile::tempdir().unwrap(), options, log }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    fn input(&mut self, pattern: &str) -> &mut Self {
        let pattern = self.path(pattern).as_os_str().as_bytes().to_vec();
        self.options.inputs.push(InputPattern { pattern, context: None });
        self
    }

    fn write(&self, name: &str, text: &[u8]) {
        fs::write(self.path(name), text).unwrap();
    }

    fn append(&self, name: &str, text: &[u8]) {
        let path = self.path(name);
        OpenOptions::new().append(true).open(path).unwrap().write_all(text).unwrap();
    }

    fn open(&mut self) -> Inputs {
        Inputs::open(&self.options, false, 100, &mut self.log)
    }

    /// All lines that there are now, with the names of their files.
    fn read(&mut self, inputs: &mut Inputs) -> Vec<String> {
        inputs.wake();
        let mut lines = Vec::new();
        while let Some(at) = inputs.next(100, &mut self.log) {
            let input = inputs.get(at).unwrap();
            let name = Path::new(std::ffi::OsStr::from_bytes(input.name()));
            let name = name.file_name().unwrap().display();
            lines.push(format!("{name}: {}", String::from_utf8_lossy(input.line())));
        }
        lines
    }
}

#[test]
fn each_round_takes_one_line_of_each_in_the_order_of_names() {
    let mut scene = Scene::new();
    scene.write("b", b"b1\nb2\nb3\n");
    scene.write("a", b"a1\na2\n");
    scene.input("b").input("a").input("missing");
    let mut inputs = scene.open();
    assert_eq!(scene.read(&mut inputs), ["a: a1", "b: b1", "a: a2", "b: b2", "b: b3"]);
}

#[test]
fn a_file_is_followed_through_rotation_truncation_and_removal() {
    let mut scene = Scene::new();
    scene.write("log", b"one\npart");
    scene.input("log");
    let mut inputs = scene.open();
    assert_eq!(scene.read(&mut inputs), ["log: one"]);
    // A last line without a line feed goes on in the file that comes after.
    scene.append("log", b"ial\nrest");
    fs::rename(scene.path("log"), scene.path("log.1")).unwrap();
    assert_eq!(scene.read(&mut inputs), ["log: partial"]);
    scene.append("log.1", b" of");
    scene.write("log", b" it\nnew\n");
    assert_eq!(scene.read(&mut inputs), ["log: rest of it", "log: new"]);
    scene.write("log", b"cut\n");
    assert_eq!(scene.read(&mut inputs), ["log: cut"]);
    fs::remove_file(scene.path("log")).unwrap();
    assert_eq!(scene.read(&mut inputs), Vec::<String>::new());
    scene.write("log", b"again\n");
    assert_eq!(scene.read(&mut inputs), ["log: again"]);
}

#[test]
fn without_fromstart_reading_begins_at_the_end() {
    let mut scene = Scene::new();
    scene.options.from_start = false;
    scene.write("log", b"old\n");
    scene.input("log");
    let mut inputs = scene.open();
    assert_eq!(scene.read(&mut inputs), Vec::<String>::new());
    scene.append("log", b"new\n");
    assert_eq!(scene.read(&mut inputs), ["log: new"]);
}

#[test]
fn without_tail_the_last_line_needs_no_line_feed_and_the_end_is_the_end() {
    let mut scene = Scene::new();
    scene.options.tail = false;
    scene.write("a", b"1\n2");
    scene.write("b", b"");
    scene.input("a").input("b").input("missing");
    let mut inputs = scene.open();
    assert!(!inputs.are_done());
    assert_eq!(scene.read(&mut inputs), ["a: 1", "a: 2"]);
    assert!(inputs.are_done());
}

#[test]
fn bytes_stay_bytes_and_lines_are_cut_where_they_are_too_long() {
    let mut scene = Scene::new();
    let long = vec![b'x'; LINE + 5];
    scene.write("log", &[b"\xff\0\r\n\n".as_slice(), &long, b"\nshort\n"].concat());
    scene.input("log");
    let mut inputs = scene.open();
    let mut lines = Vec::new();
    while let Some(at) = inputs.next(100, &mut scene.log) {
        lines.push(inputs.get(at).unwrap().line().to_vec());
    }
    assert_eq!(lines[..2], [b"\xff\0\r".to_vec(), Vec::new()]);
    assert_eq!((lines[2].len(), lines[3].as_slice()), (LINE, &b"short"[..]));
    assert_eq!(inputs.counts(), (4, 1));
}

#[test]
fn small_blocks_give_the_same_lines() {
    let mut scene = Scene::new();
    scene.options.block_size = Some(3);
    scene.write("log", b"one\ntwo and more\n\nthree\n");
    scene.input("log");
    let mut inputs = scene.open();
    assert_eq!(scene.read(&mut inputs), ["log: one", "log: two and more", "log: ", "log: three"]);
}

#[test]
fn a_pattern_finds_files_that_come_later_and_reads_them_from_their_start() {
    let mut scene = Scene::new();
    scene.options.from_start = false;
    scene.write("a.log", b"old\n");
    scene.input("*.log");
    let mut inputs = scene.open();
    assert_eq!(scene.read(&mut inputs), Vec::<String>::new());
    scene.write("b.log", b"first\n");
    inputs.watched -= WATCH;
    inputs.care(101, &mut scene.log);
    assert_eq!(scene.read(&mut inputs), ["b.log: first"]);
    // Long after it has lost its name, it is forgotten.
    fs::remove_file(scene.path("b.log")).unwrap();
    inputs.watched -= WATCH;
    inputs.care(100 + FORGOTTEN + 2, &mut scene.log);
    let gone = scene.path("b.log").as_os_str().as_bytes().to_vec();
    assert_eq!(inputs.happenings(), [Happening::Gone(gone)]);
}

#[test]
fn rules_add_and_drop_inputs() {
    let mut scene = Scene::new();
    scene.options.reopen_timeout = 2;
    scene.write("a", b"0123456789\nab\n");
    let mut inputs = scene.open();
    let name = |scene: &Scene, name: &str| scene.path(name).as_os_str().as_bytes().to_vec();
    let (a, later) = (name(&scene, "a"), name(&scene, "later"));
    inputs.add(&a, Some(7), Some(b"CONTEXT"), 100, &mut scene.log);
    inputs.add(&a, None, None, 100, &mut scene.log);
    inputs.add(&later, None, None, 100, &mut scene.log);
    assert_eq!(inputs.get(0).unwrap().context(), Some(&b"CONTEXT"[..]));
    assert_eq!(scene.read(&mut inputs), ["a: 789", "a: ab"]);
    // One that was not there is read from its start.
    scene.write("later", b"x\n");
    inputs.care(101, &mut scene.log);
    assert_eq!(scene.read(&mut inputs), Vec::<String>::new());
    inputs.care(102, &mut scene.log);
    assert_eq!(scene.read(&mut inputs), ["later: x"]);
    inputs.remove(&a, &mut scene.log);
    scene.append("a", b"more\n");
    assert_eq!(scene.read(&mut inputs), Vec::<String>::new());
    assert_eq!(inputs.happenings(), [Happening::Gone(a)]);
}

#[test]
fn silence_is_noticed_once_and_so_is_its_end() {
    let mut scene = Scene::new();
    scene.options.input_timeout = 5;
    scene.write("log", b"");
    scene.input("log");
    let mut inputs = scene.open();
    let name = scene.path("log").as_os_str().as_bytes().to_vec();
    inputs.care(105, &mut scene.log);
    assert_eq!(inputs.happenings(), []);
    inputs.care(106, &mut scene.log);
    inputs.care(107, &mut scene.log);
    assert_eq!(inputs.happenings(), [Happening::Silent(name.clone())]);
    scene.append("log", b"x\n");
    scene.read(&mut inputs);
    assert_eq!(inputs.happenings(), [Happening::Back(name)]);
}

#[test]
fn a_soft_restart_keeps_what_is_open_and_takes_what_is_new() {
    let mut scene = Scene::new();
    scene.write("a", b"a1\n");
    scene.write("b", b"b1\n");
    scene.input("a").input("b");
    let mut inputs = scene.open();
    assert_eq!(scene.read(&mut inputs), ["a: a1", "b: b1"]);
    scene.append("a", b"a2\n");
    scene.write("c", b"old\n");
    scene.options.inputs.pop();
    scene.input("c");
    inputs.reread(&scene.options, 100, &mut scene.log);
    scene.append("c", b"c2\n");
    assert_eq!(scene.read(&mut inputs), ["a: a2", "c: c2"]);
    let gone = scene.path("b").as_os_str().as_bytes().to_vec();
    assert_eq!(inputs.happenings(), [Happening::Gone(gone)]);
}
