//! The observer over real files: what it tells, after what happened.

use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use bergfried_source::Flow;
use serde_json::Value as Json;

use super::*;
use crate::outbox::outbox;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// After it a path is looked at where nobody waits for audit.
const REST_OF_A_PATH: Duration = Duration::from_millis(500);

/// A directory that is watched, and the observer's state beside it.
struct Place {
    _directory: tempfile::TempDir,
    root: PathBuf,
    state: PathBuf,
}

/// A running observer, and what it has told.
struct Running {
    told: Arc<Mutex<Vec<Json>>>,
    stop: Stop,
    threads: Vec<JoinHandle<()>>,
    writers: Writers,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let base = directory.path().canonicalize().unwrap();
        let (root, state) = (base.join("watched"), base.join("state"));
        fs::create_dir(&root).unwrap();
        Place { _directory: directory, root, state }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).unwrap();
    }

    fn watch(&self) -> Running {
        self.watch_with("")
    }

    /// An observer with further keys of the table, that has looked at everything.
    fn watch_with(&self, keys: &str) -> Running {
        let running = self.start(keys);
        running.until(|told| told.iter().any(|one| one["event.action"] == "first-look"));
        running
    }

    fn start(&self, keys: &str) -> Running {
        self.start_over(keys, true)
    }

    /// An observer over a spool that takes everything, and makes it durable or never does.
    fn start_over(&self, keys: &str, is_durable: bool) -> Running {
        let pace =
            if keys.contains("bytes_per_second") { "" } else { "bytes_per_second = 1_000_000_000" };
        let table = format!("exclude = ['*.swp']\n{pace}\n{keys}");
        let mut table: IntegrityTable = toml::from_str(&table).unwrap();
        if !keys.contains("paths") {
            table.paths = vec![self.root.to_str().unwrap().to_owned()];
        }
        let options = table.into_options(true).unwrap().unwrap();
        let (outbox, inbox) = outbox().unwrap();
        let stop = Stop::new().unwrap();
        let writers = Writers::new(true);
        fs::create_dir_all(&self.state).unwrap();
        let scene =
            Scene { outbox, stop: stop.clone(), state_dir: self.state.clone(), place: None };
        let told = Arc::new(Mutex::new(Vec::new()));
        let looking = thread::spawn({
            let (told, writers) = (Arc::clone(&told), writers.clone());
            move || {
                let mut observer = Observer::open(scene, &options, writers).unwrap();
                observer.on_first_look = Some(Box::new(move || {
                    let done = serde_json::json!({"event.action": "first-look"});
                    told.lock().unwrap().push(done);
                }));
                let _stopped = observer.run();
            }
        });
        let taking = thread::spawn({
            let (told, stop) = (Arc::clone(&told), stop.clone());
            move || {
                while !stop.wait(Duration::from_millis(1)) {
                    inbox.read(&mut |observed| {
                        let json: Json = serde_json::from_slice(&observed.raw).unwrap();
                        assert_eq!(json["event.module"], "file_integrity");
                        told.lock().unwrap().push(json);
                        Flow::More
                    });
                    if is_durable {
                        inbox.durable();
                    }
                }
            }
        });
        Running { told, stop, threads: vec![looking, taking], writers }
    }
}

impl Running {
    fn until(&self, is_told: impl Fn(&[Json]) -> bool) -> Vec<Json> {
        let begun = Instant::now();
        loop {
            let told = self.told.lock().unwrap();
            if is_told(&told) {
                return told.clone();
            }
            let last = told.last();
            assert!(begun.elapsed() < PATIENCE, "told only {}, last {last:#?}", told.len());
            drop(told);
            // Who asks all the time holds up what is told.
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The record of this path and action.
    fn record(&self, action: &str, path: &Path) -> Json {
        let is_it = |one: &&Json| {
            one["event.action"] == action && one["file.path"] == path.to_str().unwrap()
        };
        let told = self.until(|told| told.iter().any(|one| is_it(&one)));
        told.iter().rev().find(is_it).unwrap().clone()
    }

    /// What was told of files: action and name, sorted.
    fn all(&self) -> Vec<String> {
        let told = self.told.lock().unwrap();
        let files = told.iter().filter(|one| one.get("file.path").is_some());
        let text = |one: &Json, name: &str| one[name].as_str().unwrap().to_owned();
        let mut all: Vec<String> = files
            .map(|one| format!("{} {}", text(one, "event.action"), text(one, "file.name")))
            .collect();
        all.sort();
        all
    }

    fn stop(mut self) -> Vec<String> {
        self.end();
        self.all()
    }

    fn end(&mut self) {
        self.stop.stop();
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.end();
        }
    }
}

fn changed(name: &str) -> String {
    format!("--- {name} before\n+++ {name} now\n@@ -1 +1 @@\n-one\n+two\n")
}

#[test]
fn what_is_done_to_files_is_told() {
    let place = Place::new();
    place.write("known", "one\n");
    place.write("old", "moved\n");
    place.write("gone", "");
    symlink("known", place.path("link")).unwrap();
    let running = place.watch();
    place.write("known", "two\n");
    let updated = running.record("updated", &place.path("known"));
    assert_eq!(updated["file_integrity.diff"], changed("known"));
    assert_eq!(updated["file_integrity.trigger"], "inotify");
    assert_ne!(updated["file.hash.blake3"], updated["file_integrity.before.hash.blake3"]);
    fs::set_permissions(place.path("known"), fs::Permissions::from_mode(0o4755)).unwrap();
    let mode = running.record("attributes_modified", &place.path("known"));
    assert_eq!(mode["file_integrity.gained"], serde_json::json!(["setuid", "executable"]));
    assert_eq!(mode["file_integrity.changed"], serde_json::json!(["mode"]));
    fs::rename(place.path("old"), place.path("new")).unwrap();
    let moved = running.record("moved", &place.path("new"));
    assert_eq!(moved["file_integrity.before.path"], place.path("old").to_str().unwrap());
    fs::remove_file(place.path("gone")).unwrap();
    running.record("deleted", &place.path("gone"));
    fs::remove_file(place.path("link")).unwrap();
    symlink("elsewhere", place.path("link")).unwrap();
    let link = running.record("updated", &place.path("link"));
    assert_eq!(link["file_integrity.before.target_path"], "known");
    place.write("fresh", "line\n");
    place.write("fresh.swp", "line\n");
    let created = running.record("created", &place.path("fresh"));
    assert_eq!(
        created["file_integrity.diff"],
        "--- fresh before\n+++ fresh now\n@@ -0,0 +1 @@\n+line\n"
    );
    let expected = [
        "attributes_modified known",
        "created fresh",
        "deleted gone",
        "moved new",
        "updated known",
        "updated link",
    ];
    assert_eq!(running.stop(), expected);
}

#[test]
fn a_save_by_rename_is_one_update() {
    let place = Place::new();
    place.write("sudoers", "one\n");
    let running = place.watch();
    // As vim and sed -i do.
    place.write("sedAbCd", "two\n");
    fs::rename(place.path("sudoers"), place.path("sudoers~")).unwrap();
    fs::rename(place.path("sedAbCd"), place.path("sudoers")).unwrap();
    fs::remove_file(place.path("sudoers~")).unwrap();
    running.record("updated", &place.path("sudoers"));
    assert_eq!(running.stop(), ["updated sudoers"]);
}

#[test]
fn directories_that_are_made_faster_than_watched_are_told_whole() {
    let place = Place::new();
    let running = place.watch();
    let deep = place.path("a/b/c/d");
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("file"), "x").unwrap();
    running.record("created", &deep.join("file"));
    // Watched from here on.
    fs::write(deep.join("file"), "y").unwrap();
    running.record("updated", &deep.join("file"));
    fs::rename(place.path("a"), place.path("z")).unwrap();
    running.record("moved", &place.path("z/b/c/d/file"));
    fs::write(place.path("z/b/c/d/file"), "z").unwrap();
    running.record("updated", &place.path("z/b/c/d/file"));
    fs::remove_dir_all(place.path("z")).unwrap();
    running.record("deleted", &place.path("z/b/c/d/file"));
}

#[test]
fn what_happened_while_it_was_down_is_told_at_the_start() {
    let place = Place::new();
    for name in ["changed", "gone", "same", "turned"] {
        place.write(name, "one\n");
    }
    let told = place.watch();
    let first = told.until(|told| told.len() > 1);
    assert!(first.iter().any(|one| one["event.action"] == "baseline"), "{first:?}");
    assert_eq!(told.stop(), [""; 0]);
    place.write("changed", "two\n");
    place.write("made", "");
    fs::remove_file(place.path("gone")).unwrap();
    fs::remove_file(place.path("turned")).unwrap();
    fs::create_dir(place.path("turned")).unwrap();
    let running = place.watch();
    let changed = running.record("updated", &place.path("changed"));
    assert_eq!(changed["file_integrity.trigger"], "start");
    assert_eq!(changed["file_integrity.diff"], self::changed("changed"));
    let expected = ["created made", "deleted gone", "updated changed", "updated turned"];
    assert_eq!(running.stop(), expected);
    // Told once.
    assert_eq!(place.watch().stop(), [""; 0]);
}

#[test]
fn what_was_not_durable_is_told_again() {
    let place = Place::new();
    place.write("changed", "one\n");
    drop(place.watch());
    place.write("changed", "two\n");
    for _ in 0..2 {
        // As where the agent is killed before the spool is written.
        let running = place.start_over("", false);
        running.record("updated", &place.path("changed"));
        assert_eq!(running.stop(), ["updated changed"]);
    }
    let running = place.watch();
    let updated = running.record("updated", &place.path("changed"));
    assert_eq!(updated["file_integrity.diff"], changed("changed"));
    assert_eq!(running.stop(), ["updated changed"]);
    assert_eq!(place.watch().stop(), [""; 0]);
}

#[test]
fn a_sweep_finds_what_times_hide() {
    let place = Place::new();
    place.write("binary", "one");
    drop(place.watch());
    // As if the contents had been changed below the file system.
    let path = place.state.join(NAME).join("baseline.jsonl");
    let known = fs::read_to_string(&path).unwrap();
    let hash = |content: &str| blake3::hash(content.as_bytes()).to_hex().to_string();
    assert!(known.contains(&hash("one")));
    let known = known.replace(&hash("one"), &hash("two"));
    let swept = known.rfind("\"swept\":").unwrap() + 8;
    let digits = known[swept..].find(|c: char| !c.is_ascii_digit()).unwrap();
    fs::write(&path, format!("{}0{}", &known[..swept], &known[swept + digits..])).unwrap();
    let running = place.watch();
    let found = running.record("updated", &place.path("binary"));
    assert_eq!(found["file_integrity.trigger"], "sweep");
    assert_eq!(found["file_integrity.changed"], serde_json::json!(["content"]));
}

#[test]
fn no_secret_is_told_or_kept() {
    let place = Place::new();
    place.write("shadow.key", "root:$6$very-secret-hash\n");
    place.write("app.conf", "user = a\npassword = very-secret-word\n");
    place.write("deploy", "-----BEGIN PRIVATE KEY-----\nvery-secret-key\n");
    let running = place.watch();
    place.write("shadow.key", "root:$6$very-secret-other\n");
    place.write("app.conf", "user = b\npassword = very-secret-new\n");
    place.write("deploy", "-----BEGIN PRIVATE KEY-----\nvery-secret-second\n");
    for name in ["shadow.key", "app.conf", "deploy"] {
        let updated = running.record("updated", &place.path(name));
        let diff = updated["file_integrity.diff"].as_str();
        assert_eq!(diff.is_some(), name == "app.conf", "{name}: {diff:?}");
    }
    let told = format!("{:?}", running.told.lock().unwrap());
    assert!(!told.contains("very-secret"), "{told}");
    drop(running);
    for entry in fs::read_dir(place.state.join(NAME).join("texts")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains("very-secret"), "{text}");
    }
}

#[test]
fn what_comes_into_the_scope_is_no_news() {
    let place = Place::new();
    for name in ["a", "b"] {
        fs::create_dir(place.path(name)).unwrap();
        fs::write(place.path(name).join("file"), "").unwrap();
    }
    let root = place.root.to_str().unwrap();
    drop(place.watch_with(&format!("paths = ['{root}/a']")));
    fs::write(place.path("a/made"), "").unwrap();
    let running = place.watch_with(&format!("paths = ['{root}/*/']"));
    running.record("created", &place.path("a/made"));
    assert_eq!(running.stop(), ["created made"]);
    // What is watched no longer is forgotten without a word.
    let running = place.watch_with(&format!("paths = ['{root}/b']"));
    assert_eq!(running.stop(), [""; 0]);
}

#[test]
fn a_storm_of_changes_is_told_whole() {
    let files = if std::env::var_os("BERGFRIED_LONG").is_some() { 100_000 } else { 20_000 };
    let place = Place::new();
    place.write("before", "one\n");
    let running = place.watch_with("max_files = 200_000");
    for number in 0..files {
        if number % 1_000 == 0 {
            fs::create_dir(place.path(&format!("{}", number / 1_000))).unwrap();
        }
        place.write(&format!("{}/{number}", number / 1_000), "x");
    }
    place.write("before", "two\n");
    running.record("updated", &place.path("before"));
    let created = |told: &[Json]| {
        let is_file = |one: &&Json| one["event.action"] == "created" && one["file.type"] == "file";
        told.iter().filter(is_file).count()
    };
    let told = running.until(|told| created(told) >= files);
    assert_eq!(created(&told), files);
    let paths: BTreeSet<&str> = told.iter().filter_map(|one| one["file.path"].as_str()).collect();
    assert_eq!(paths.len(), files + files / 1_000 + 1, "each once");
    // It goes on as before.
    place.write("after", "");
    running.record("created", &place.path("after"));
}

#[test]
fn a_walk_that_somebody_makes_long_holds_no_news_back() {
    let place = Place::new();
    place.write("passwd", "one\n");
    place.watch().stop();
    // Files of holes, which cost their owner nothing: a second of reading each.
    for number in 0..300 {
        fs::File::create(place.path(&number.to_string())).unwrap().set_len(256 << 10).unwrap();
    }
    let running = place.start("bytes_per_second = 262_144");
    let begun = Instant::now();
    while !running.all().iter().any(|one| one == "updated passwd") {
        assert!(begun.elapsed() < PATIENCE, "it waits for the end of the walk");
        place.write("passwd", &format!("{:?}\n", begun.elapsed()));
        // Longer than a path rests before it is looked at, and than news wait for others.
        thread::sleep(REST_OF_A_PATH * 10);
    }
    assert!(running.all().len() < 300, "the walk was over before");
}

#[test]
fn what_has_no_place_is_said_once_and_changes_still_tell() {
    let place = Place::new();
    for number in 0..20 {
        place.write(&number.to_string(), "");
    }
    let running = place.watch_with("max_files = 10");
    let told = running.until(|told| told.iter().any(|one| one["event.action"] == "file-limit"));
    let limit = told.iter().find(|one| one["event.action"] == "file-limit").unwrap();
    assert_eq!(limit["message"], "11 files are not watched: integrity.max_files is 10");
    place.write("new", "");
    running.record("created", &place.path("new"));
}

#[test]
fn who_did_it_is_told_where_audit_knows() {
    let place = Place::new();
    place.write("passwd", "one\n");
    let running = place.watch();
    let now = now();
    let (seconds, path) = (now.micros() / Timestamp::SECOND, place.path("passwd"));
    let of = |path: &str| {
        format!(
            "type=SYSCALL msg=audit({seconds}.5:9): arch=c000003e syscall=257 success=yes exit=3 \
             a0=ffffff9c a1=7ffd a2=241 items=1 ppid=7 pid=8 auid=1000 uid=0 comm=\"tee\" exe=\"/usr/bin/tee\"\n\
             type=CWD msg=audit({seconds}.5:9): cwd=\"/\"\n\
             type=PATH msg=audit({seconds}.5:9): item=0 name=\"{path}\" inode=2 nametype=NORMAL"
        )
    };
    running.writers.offer(of("/other/passwd").as_bytes(), now);
    place.write("passwd", "two\n");
    thread::sleep(REST_OF_A_PATH);
    assert_eq!(running.all(), [""; 0], "audit may still say who it was");
    running.writers.offer(of(path.to_str().unwrap()).as_bytes(), now);
    let updated = running.record("updated", &path);
    assert_eq!(updated["process.executable"], "/usr/bin/tee");
    assert_eq!(updated["user.audit.id"], "1000");
}
