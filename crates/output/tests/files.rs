//! Events as lines of files: whatever logs say, the right lines are in the right files, once.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail so")]

mod support;

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;

use bergfried_event::Timestamp;
use bergfried_store::Options;
use support::{Bench, caught_up, listing, now, read, until};

fn table(bench: &Bench, more: &str) -> String {
    let root = bench.path("logs");
    format!(
        "name = 'files'\ntype = 'file'\npath = '{}/%{{host.name}}-%{{program}}.log'\n{more}",
        root.display()
    )
}

#[test]
fn each_host_and_program_has_its_file() {
    let mut bench = Bench::new();
    let outputs = bench.start(&[table(&bench, "when = 'NOT program:cron'")]);
    bench.store(&[
        ("web1", "sshd", "<38>Nov 21 10:00:00 web1 sshd[1]: Accepted password for root"),
        ("web1", "cron", "not wanted"),
        ("web2", "sshd", "two\nNov 21 10:00:00 web1 sshd[1]: forged\u{1b}[2J"),
    ]);
    bench.store(&[("web1", "sshd", "again")]);
    caught_up(&outputs);
    let root = bench.path("logs");
    assert_eq!(listing(&root), ["web1-sshd.log", "web2-sshd.log"]);
    assert_eq!(
        read(&root.join("web1-sshd.log")),
        "<38>Nov 21 10:00:00 web1 sshd[1]: Accepted password for root\nagain\n"
    );
    assert_eq!(
        read(&root.join("web2-sshd.log")),
        "two\\nNov 21 10:00:00 web1 sshd[1]: forged\\x1b[2J\n"
    );
    let mode = root.join("web1-sshd.log").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert_eq!(root.metadata().unwrap().permissions().mode() & 0o7777, 0o750);
    let report = outputs.report().remove(0);
    assert_eq!((report.sent, report.passed_over, report.lost), (3, 1, 0));
    outputs.stop();
}

#[test]
fn hostile_names_stay_inside_and_links_are_not_followed() {
    let mut bench = Bench::new();
    let (root, outside) = (bench.path("logs"), bench.path("outside"));
    std::fs::create_dir(&root).unwrap();
    std::fs::write(&outside, "").unwrap();
    std::os::unix::fs::symlink(&outside, root.join("evil-link.log")).unwrap();
    std::fs::create_dir(root.join("a-directory.log")).unwrap();
    std::fs::write(root.join("web1-cut.log"), "a line that was cut o").unwrap();
    let outputs = bench.start(&[table(&bench, "")]);
    let long = "x".repeat(3_000);
    bench.store(&[
        ("..", "../../outside", "1"),
        ("/etc/cron.d/x", "\0", "2"),
        ("-rf", ".", "3"),
        (&long, &long, "4"),
        ("evil", "link", "5"),
        ("a", "directory", "6"),
        ("web1", "cut", "7"),
        ("", "", "8"),
    ]);
    caught_up(&outputs);
    assert_eq!(read(&outside), "");
    assert_eq!(read(&root.join("_other.log")), "6\n5\n");
    assert_eq!(read(&root.join("web1-cut.log")), "a line that was cut o\n7\n");
    assert_eq!(read(&root.join("unknown-unknown.log")), "8\n");
    let names = listing(&root);
    assert_eq!(names.len(), 8, "{names:?}");
    assert!(names.iter().all(|name| name.len() <= 255 && !name.contains('/')), "{names:?}");
    assert!(names.iter().all(|name| !name.starts_with(['.', '-'])), "{names:?}");
    let files = outputs.report().remove(0).files.unwrap();
    assert_eq!((files.unusable, files.changed_names), (2, 4));
    outputs.stop();
}

#[test]
fn there_are_never_more_files_than_allowed() {
    let mut bench = Bench::new();
    let outputs = bench.start(&[table(&bench, "max_files = 3")]);
    let hosts: Vec<String> = (0..50).map(|number| format!("h{number:02}")).collect();
    for _ in 0..2 {
        let lines: Vec<_> = hosts.iter().map(|host| (host.as_str(), "p", "line")).collect();
        bench.store(&lines);
    }
    caught_up(&outputs);
    let root = bench.path("logs");
    assert_eq!(listing(&root), ["_other.log", "h00-p.log", "h01-p.log", "h02-p.log"]);
    assert_eq!(read(&root.join("_other.log")).lines().count(), 94);
    let report = outputs.report().remove(0);
    assert_eq!(report.files.unwrap().over_the_cap, 94);
    assert!(report.problems(now())[0].contains("94 events went to _other.log"));
    outputs.stop();
}

#[test]
fn a_restart_goes_on_where_it_was() {
    let mut bench = Bench::with(Options { segment_events: 700, sync: false, ..Options::default() });
    let tables = [table(&bench, "")];
    let file = bench.path("logs/web-p.log");
    let mut stored = 0;
    let mut expected = String::new();
    for round in 0..6 {
        // What comes while no output runs waits in the store, also in segments.
        let running = (round % 2 == 0).then(|| bench.start(&tables));
        for _ in 0..4 {
            let texts: Vec<String> = (stored..stored + 250).map(|n| format!("line {n}")).collect();
            let lines: Vec<_> = texts.iter().map(|text| ("web", "p", text.as_str())).collect();
            bench.store(&lines);
            expected.extend(texts.iter().flat_map(|text| [text.as_str(), "\n"]));
            stored += 250;
        }
        if let Some(outputs) = running {
            caught_up(&outputs);
            outputs.stop();
            assert_eq!(read(&file), expected, "round {round}");
        }
    }
    let outputs = bench.start(&tables);
    caught_up(&outputs);
    assert_eq!(read(&file), expected);
    assert_eq!(outputs.report()[0].lost, 0);
    outputs.stop();
}

#[test]
fn files_are_rotated_compressed_and_few() {
    for (compress, suffix) in [("zstd", ".zst"), ("gzip", ".gz"), ("none", "")] {
        let mut bench = Bench::new();
        let more =
            format!("rotate_size = '4KiB'\nkeep = 3\nhistory = 'history'\ncompress = '{compress}'");
        let outputs = bench.start(&[table(&bench, &more)]);
        let texts: Vec<String> =
            (0..1_000).map(|n| format!("line {n:04} {}", "x".repeat(90))).collect();
        let lines: Vec<_> = texts.iter().map(|text| ("web", "p", text.as_str())).collect();
        bench.store(&lines);
        caught_up(&outputs);
        let root = bench.path("logs");
        until("three rotated files", || {
            let names = listing(&root);
            let rotated: Vec<_> =
                names.iter().filter(|name| name.starts_with("history/web-p.log@")).collect();
            let done = rotated.iter().all(|name| name.ends_with(suffix));
            if rotated.len() == 3 && names.len() == 4 && done { Ok(()) } else { Err(names) }
        });
        let files = outputs.report().remove(0).files.unwrap();
        assert_eq!(files.rotated, 24);
        outputs.stop();
        let mut whole = String::new();
        let mut names = listing(&root);
        // By second and number, the file itself last.
        names.sort_by_key(|name| {
            let stamped = name.trim_end_matches(suffix).rsplit_once('Z');
            let (stamp, number) = stamped.unwrap_or(("", ""));
            let number = number.trim_start_matches('.').parse::<u32>().unwrap_or(0);
            (name.starts_with("web"), stamp.to_owned(), number)
        });
        for name in &names {
            let bytes = std::fs::read(root.join(name)).unwrap();
            let plain = match compress {
                "zstd" if name.contains('@') => zstd::decode_all(bytes.as_slice()).unwrap(),
                "gzip" if name.contains('@') => {
                    let mut plain = Vec::new();
                    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain).unwrap();
                    plain
                }
                _ => bytes,
            };
            assert!(plain.len() <= 4096, "{name} has {}", plain.len());
            whole.push_str(std::str::from_utf8(&plain).unwrap());
        }
        let last: Vec<&str> = whole.lines().collect();
        assert!(last.len() > 100);
        let expected: Vec<&str> = texts[1_000 - last.len()..].iter().map(String::as_str).collect();
        assert_eq!(last, expected, "{names:?}");
    }
}

#[test]
fn no_rotated_file_takes_the_place_of_another() {
    let mut bench = Bench::new();
    let history = bench.path("logs").join("history");
    std::fs::create_dir_all(&history).unwrap();
    // As a hub left them that was started again, or whose clock was set back.
    let from = now().floor_to(Timestamp::SECOND);
    let earlier: Vec<_> = (0..60)
        .map(|second| {
            let stamp = from.plus_micros(second * Timestamp::SECOND).to_string();
            history.join(format!("web-p.log@{}.zst", stamp.replace(['-', ':'], "")))
        })
        .collect();
    for path in &earlier {
        std::fs::write(path, "earlier").unwrap();
    }
    let more = "rotate_size = '4KiB'\nkeep = 1000\nhistory = 'history'";
    let outputs = bench.start(&[table(&bench, more)]);
    let text = "x".repeat(3_000);
    bench.store(&[("web", "p", &text), ("web", "p", &text)]);
    until("a compressed file", || match outputs.report().remove(0).files.unwrap() {
        files if files.compressed == 1 => Ok(()),
        files => Err(files),
    });
    outputs.stop();
    assert!(earlier.iter().all(|path| read(path) == "earlier"));
    assert_eq!(listing(&history).len(), 61);
}

#[test]
fn files_that_are_moved_or_removed_are_made_again() {
    let mut bench = Bench::new();
    let outputs = bench.start(&[table(&bench, "")]);
    let (root, file) = (bench.path("logs"), bench.path("logs/web-p.log"));
    bench.store(&[("web", "p", "one")]);
    caught_up(&outputs);
    // As logrotate does it: move, then a signal.
    std::fs::rename(&file, root.join("web-p.log.1")).unwrap();
    outputs.reopen();
    bench.store(&[("web", "p", "two")]);
    until("a new file", || match std::fs::read_to_string(&file) {
        Ok(text) if text == "two\n" => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(read(&root.join("web-p.log.1")), "one\n");
    // As with copytruncate.
    std::fs::write(&file, "").unwrap();
    bench.store(&[("web", "p", "three")]);
    caught_up(&outputs);
    assert_eq!(read(&file), "three\n");
    // Without a signal the file is looked for again within a second.
    std::fs::remove_dir_all(&root).unwrap();
    until("a file in a new directory", || {
        bench.store(&[("web", "p", "four")]);
        std::fs::read_to_string(&file).map(drop).map_err(|error| error.to_string())
    });
    outputs.stop();
}

#[test]
fn where_nothing_can_be_written_events_wait() {
    let mut bench = Bench::new();
    let blocked = bench.path("logs");
    std::fs::write(&blocked, "a file where a directory must be").unwrap();
    let other = format!(
        "name = 'other'\ntype = 'file'\npath = '{}/%{{host}}'",
        bench.path("fine").display()
    );
    let outputs = bench.start(&[table(&bench, ""), other]);
    bench.store(&[("web", "p", "one"), ("web", "p", "two")]);
    until("a failing output beside one that works", || {
        let report = outputs.report();
        match (report[0].state, report[1].sent) {
            ("failing", 2) => Ok(()),
            _ => Err(report),
        }
    });
    let report = outputs.report().remove(0);
    let path = blocked.join("web-p.log");
    assert!(report.last_error.unwrap().contains(path.to_str().unwrap()));
    std::fs::remove_file(&blocked).unwrap();
    caught_up(&outputs);
    assert_eq!(read(&blocked.join("web-p.log")), "one\ntwo\n");
    assert_eq!(outputs.report()[0].state, "ok");
    outputs.stop();
}
