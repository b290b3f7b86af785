//! Lines past the rules of a home lab: those of `rules/sec/home-lab` over sshd's log, lines that no rule
//! knows, and very many contexts and operations. Run with `cargo bench -p bergfried-sec`.

#![expect(clippy::unwrap_used, reason = "what is measured is known to be there")]

use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use bergfried_sec::port::Effect;
use bergfried_sec::{Engine, LoadOptions, Options, Port, RuleFile, RuleSet, Source, SourceFile};
use divan::{Bencher, counter::ItemsCount};

fn main() {
    divan::main();
}

/// Drops what rules do.
struct Nowhere;

impl Port for Nowhere {
    fn effect(&mut self, effect: Effect<'_>) {
        divan::black_box(&effect);
    }

    fn log(&mut self, _: u8, _: &dyn Fn() -> String) {}
}

fn engine(files: Vec<(String, String)>) -> Engine {
    let none = |_: &str| Err("no tables".to_owned());
    let files = files.into_iter().map(|(name, text)| {
        let source = SourceFile { name, text: text.into_bytes() };
        let (file, mistakes) = RuleFile::read(
            &source,
            &mut LoadOptions { fields: false, bufsize: 0, perl: None, tables: &none },
        );
        assert!(mistakes.is_empty(), "{mistakes:?}");
        Arc::new(file)
    });
    Engine::new(RuleSet { files: files.collect() }, Options::default())
}

/// The rules of a home lab, or a file that `SEC_RULES` names.
fn home_lab() -> Vec<(String, String)> {
    if let Ok(path) = env::var("SEC_RULES") {
        return vec![(path.clone(), fs::read_to_string(path).unwrap())];
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules/sec/home-lab");
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|one| one == "sec"))
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Lines as sshd writes them: mostly failures of many users from many addresses.
fn sshd_lines() -> Vec<String> {
    (0..2_000)
        .map(|number| {
            let (host, pid, port) = (number % 7, 1_000 + number, 30_000 + number);
            let address = format!("203.0.{}.{}", number % 200, number % 250);
            let time = format!("Dec 10 06:55:{:02} web{host} sshd[{pid}]:", number % 60);
            match number % 5 {
                0 => format!("{time} Invalid user test{number} from {address}"),
                1 => format!("{time} Failed password for invalid user admin{number} from {address} port {port} ssh2"),
                2 => format!("{time} pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost={address}  user=root"),
                3 => format!("{time} Received disconnect from {address}: 11: Bye Bye [preauth]"),
                _ => format!("{time} Accepted password for fztu from {address} port {port} ssh2"),
            }
        })
        .collect()
}

fn other_lines() -> Vec<String> {
    (0..2_000)
        .map(|number| format!("Dec 10 06:55:{:02} web kernel: [{number}.123] e1000e: eth0 NIC Link is Up 1000 Mbps Full Duplex, Flow Control: Rx/Tx", number % 60))
        .collect()
}

fn run(bencher: Bencher<'_, '_>, files: Vec<(String, String)>, lines: &[String]) {
    let mut engine = engine(files);
    let source = Source { name: b"/var/log/auth.log", context: None, fields: None };
    let mut now = 1_000_000;
    bencher.counter(ItemsCount::new(lines.len())).bench_local(|| {
        now += 1;
        for line in lines {
            engine.line(line.as_bytes(), &source, now, &mut Nowhere);
            engine.tick(now, &mut Nowhere);
        }
    });
}

#[divan::bench]
fn home_lab_rules_over_sshd(bencher: Bencher<'_, '_>) {
    run(bencher, home_lab(), &sshd_lines());
}

#[divan::bench]
fn home_lab_rules_over_other_lines(bencher: Bencher<'_, '_>) {
    run(bencher, home_lab(), &other_lines());
}

/// A context and an operation for each line, 100,000 at a time.
#[divan::bench]
fn many_contexts_and_operations(bencher: Bencher<'_, '_>) {
    let rules = "type=SingleWithThreshold\nptype=RegExp\npattern=user (\\d+)\ndesc=$1\naction=none\nwindow=100\nthresh=3\ncontinue=TakeNext\n\n\
                 type=Single\nptype=RegExp\npattern=user (\\d+)\ndesc=$1\naction=create C_$1 100\n";
    let mut engine = engine(vec![("many.sec".to_owned(), rules.to_owned())]);
    let source = Source { name: b"-", context: None, fields: None };
    let lines: Vec<String> =
        (0..100_000).map(|number| format!("login of user {number} here")).collect();
    let mut now = 0;
    bencher.counter(ItemsCount::new(lines.len())).bench_local(|| {
        now += 50;
        for line in &lines {
            engine.line(line.as_bytes(), &source, now, &mut Nowhere);
            engine.tick(now, &mut Nowhere);
        }
    });
}
