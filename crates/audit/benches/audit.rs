//! How many records a second are joined and parsed, by kind of event: `cargo bench -p bergfried-audit`.

use bergfried_audit::{Joiner, Limits, glimpse, parse};
use bergfried_event::Timestamp;
use divan::counter::ItemsCount;

const EVENTS: u32 = 2_000;

fn main() {
    divan::main();
}

/// Commands as auditd logs them with a rule for execve: seven records each, enriched, without EOE.
fn commands() -> Vec<String> {
    let mut lines = Vec::new();
    for event in 0..EVENTS {
        let stamp = format!(
            "audit({}.{:03}:{})",
            1_795_262_400 + event / 500,
            event % 500 * 2,
            9_000 + event
        );
        let pid = 10_000 + event;
        for (kind, body) in [
            ("SYSCALL", format!("arch=c000003e syscall=59 success=yes exit=0 a0=55c7464eed38 a1=55c7464f4fd8 a2=55c7464efca0 a3=0 items=2 ppid=722675 pid={pid} auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=pts14 ses=3 comm=\"apt-get\" exe=\"/usr/bin/apt-get\" subj=unconfined key=\"exec\"\u{1d}ARCH=x86_64 SYSCALL=execve AUID=\"user\" UID=\"root\" GID=\"root\" EUID=\"root\" SUID=\"root\" FSUID=\"root\" EGID=\"root\" SGID=\"root\" FSGID=\"root\"")),
            ("EXECVE", "argc=3 a0=\"apt-get\" a1=\"-o\" a2=4470616E643D312062".to_owned()),
            ("CWD", "cwd=\"/home/user\"".to_owned()),
            ("PATH", "item=0 name=\"/usr/bin/apt-get\" inode=394263 dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\u{1d}OUID=\"root\" OGID=\"root\"".to_owned()),
            ("PATH", "item=1 name=\"/lib64/ld-linux-x86-64.so.2\" inode=398319 dev=fd:01 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0\u{1d}OUID=\"root\" OGID=\"root\"".to_owned()),
            ("PROCTITLE", "proctitle=6170742D676574002D6F004470616E643D312062".to_owned()),
        ] {
            lines.push(format!("type={kind} msg={stamp}: {body}"));
        }
    }
    lines
}

/// Connections, two records each.
fn connections() -> Vec<String> {
    let mut lines = Vec::new();
    for event in 0..EVENTS {
        let stamp = format!(
            "audit({}.{:03}:{})",
            1_795_262_400 + event / 500,
            event % 500 * 2,
            9_000 + event
        );
        lines.push(format!("type=SYSCALL msg={stamp}: arch=c000003e syscall=42 success=no exit=-115 a0=3 a1=7ffc a2=10 a3=0 items=0 ppid=1 pid={event} auid=4294967295 uid=33 gid=33 euid=33 suid=33 fsuid=33 egid=33 sgid=33 fsgid=33 tty=(none) ses=4294967295 comm=\"curl\" exe=\"/usr/bin/curl\" subj=unconfined key=\"connect\""));
        lines.push(format!("type=SOCKADDR msg={stamp}: saddr=020001BBC63364070000000000000000"));
        lines.push(format!(
            "type=PROCTITLE msg={stamp}: proctitle=6375726C0068747470733A2F2F6578616D706C652E6F7267"
        ));
    }
    lines
}

fn join_only(bencher: divan::Bencher<'_, '_>, lines: &[String]) {
    bencher.counter(ItemsCount::new(lines.len())).bench(|| {
        let mut joiner = Joiner::new(Limits::default());
        let mut bytes = 0;
        for line in lines {
            joiner.push(line.as_bytes(), Timestamp::default(), &mut |joined| {
                bytes += joined.lines.len();
            });
        }
        bytes
    });
}

fn join_and_parse(bencher: divan::Bencher<'_, '_>, lines: &[String]) {
    bencher.counter(ItemsCount::new(lines.len())).bench(|| {
        let mut joiner = Joiner::new(Limits::default());
        for line in lines {
            joiner.push(line.as_bytes(), Timestamp::default(), &mut |joined| {
                if let Ok(text) = std::str::from_utf8(joined.lines) {
                    divan::black_box(parse(text, Timestamp::default(), "host"));
                }
            });
        }
    });
}

#[divan::bench]
fn join_commands(bencher: divan::Bencher<'_, '_>) {
    join_only(bencher, &commands());
}

#[divan::bench]
fn join_and_parse_commands(bencher: divan::Bencher<'_, '_>) {
    join_and_parse(bencher, &commands());
}

#[divan::bench]
fn join_and_parse_connections(bencher: divan::Bencher<'_, '_>) {
    join_and_parse(bencher, &connections());
}

/// What an agent does that chooses by user and key.
#[divan::bench]
fn join_and_glimpse_commands(bencher: divan::Bencher<'_, '_>) {
    let lines = commands();
    bencher.counter(ItemsCount::new(lines.len())).bench(|| {
        let mut joiner = Joiner::new(Limits::default());
        for line in &lines {
            joiner.push(line.as_bytes(), Timestamp::default(), &mut |joined| {
                divan::black_box(glimpse(joined.lines));
            });
        }
    });
}
