//! What one event costs: sshd lines, parsed beforehand, through the packs and through more rules.

#![expect(clippy::unwrap_used, reason = "a benchmark may stop where it stands")]

use std::fmt::Write as _;
use std::sync::Arc;

use bergfried_event::{Event, SourceKind, Timestamp};
use bergfried_parse::{Context, parse};
use bergfried_rules::{Engine, Limits, RuleSet, Source, builtin};
use divan::Bencher;
use divan::counter::ItemsCount;

const EVENTS: usize = 1_000;

fn main() {
    divan::main();
}

/// A brute force by a hundred sources, with the lines that sshd and PAM write around it.
fn lines() -> Vec<String> {
    (0..EVENTS)
        .map(|index| {
            let (minute, second, host) = (index / 60 % 60, index % 60, index / 4 % 100);
            let head = format!("Nov 20 10:{minute:02}:{second:02} web1 sshd[{}]:", 1000 + index);
            match index % 4 {
                0 => format!("{head} Invalid user admin{host} from 203.0.113.{host} port 40022"),
                1 => format!("{head} pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.{host}"),
                2 => format!("{head} Failed password for invalid user admin{host} from 203.0.113.{host} port 40022 ssh2"),
                _ => format!("{head} Connection closed by invalid user admin{host} 203.0.113.{host} port 40022 [preauth]"),
            }
        })
        .collect()
}

fn events(lines: &[String]) -> Vec<Event<'_>> {
    let received = "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap();
    let context =
        Context { received, host: "web1", time_zone: jiff::tz::TimeZone::UTC, year: None };
    lines.iter().map(|line| parse(SourceKind::File, line, &context)).collect()
}

fn run(bencher: Bencher<'_, '_>, rules: RuleSet) {
    let lines = lines();
    let events = events(&lines);
    let limits = Limits { update_interval: i64::MAX, ..Limits::default() };
    let mut engine = Engine::new(Arc::new(rules), limits);
    bencher.counter(ItemsCount::new(EVENTS)).bench_local(|| {
        let mut findings = Vec::new();
        for (id, event) in events.iter().enumerate() {
            engine.observe(event, id as u64, &mut findings);
        }
        findings
    });
}

/// The packs as they are.
#[divan::bench]
fn packs(bencher: Bencher<'_, '_>) {
    run(bencher, RuleSet::load(builtin()).0);
}

/// So many more rules of sshd, each with a list of words to look for in the message.
#[divan::bench(args = [15, 50, 150, 500])]
fn generated(bencher: Bencher<'_, '_>, count: usize) {
    let mut text = String::new();
    for index in 0..count {
        write!(
            text,
            "---\ntitle: rule {index}\nlogsource: {{product: linux, service: sshd}}\ndetection:\n  selection:\n    message|contains: [word{index}, other{index}]\n  filter:\n    user.name: user{index}\n  condition: selection and not filter\n"
        )
        .unwrap();
    }
    run(bencher, RuleSet::load([Source { file: "generated.yml".to_owned(), text }]).0);
}
