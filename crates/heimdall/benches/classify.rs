//! What it costs to look at every event, whether Heimdall knows it or not, and to count those that
//! it does: `cargo bench -p bergfried-heimdall`.

use bergfried_event::{Event, SourceKind, Timestamp};
use bergfried_heimdall::{Notes, OsType, Tally, classify, stamp};
use bergfried_parse::{Context, parse};
use divan::counter::ItemsCount;

const EVENTS: usize = 10_000;
const NOW: Timestamp = Timestamp::from_seconds(1_795_262_400);

fn main() {
    divan::main();
}

fn events(form: impl Fn(usize) -> String) -> Vec<Event<'static>> {
    let context = Context {
        received: NOW,
        host: "collector",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    };
    let read = |n| parse(SourceKind::File, &form(n), &context).into_owned();
    (0..EVENTS).map(read).collect()
}

fn look_at(bencher: divan::Bencher<'_, '_>, events: &[Event<'static>]) {
    bencher.counter(ItemsCount::new(events.len())).bench(|| {
        for event in events {
            divan::black_box(classify(divan::black_box(event)));
        }
    });
}

fn failed(n: usize) -> String {
    let (a, b) = (n % 256, n / 256);
    format!("Nov 21 10:00:00 web sshd[7]: Failed password for root from 203.0.{b}.{a} port 22 ssh2")
}

#[divan::bench]
fn an_event_that_is_one(bencher: divan::Bencher<'_, '_>) {
    look_at(bencher, &events(failed));
}

#[divan::bench]
fn an_event_that_is_none(bencher: divan::Bencher<'_, '_>) {
    look_at(bencher, &events(|n| format!("Nov 21 10:00:00 web app[7]: request {n} took 3 ms")));
}

#[divan::bench]
fn an_event_of_a_session(bencher: divan::Bencher<'_, '_>) {
    let line = "Nov 21 10:00:00 web sshd[7]: pam_unix(sshd:session): session opened for user eve";
    look_at(bencher, &events(|n| format!("{line}(uid={n}) by (uid=0)")));
}

#[divan::bench]
fn counting(bencher: divan::Bencher<'_, '_>) {
    let mut events = events(failed);
    events.iter_mut().for_each(stamp);
    let mut tally = Tally::default();
    let mut notes = Notes::default();
    bencher.counter(ItemsCount::new(events.len())).bench_local(|| {
        notes.clear();
        for event in &events {
            notes.push(event);
        }
        tally.take(&notes, NOW);
    });
}

/// What the dashboard waits for when ten million events came in a day, from 150,000 addresses.
#[divan::bench(sample_count = 50)]
fn figures_of_ten_million_events(bencher: divan::Bencher<'_, '_>) {
    let mut tally = Tally::default();
    for n in 0..10_000_000_i64 {
        let at = NOW.plus_micros(-n * 8_640);
        let os = match n % 4 {
            0 => OsType::Linux,
            1 => OsType::Windows,
            2 => OsType::Firewall,
            _ => OsType::Pihole,
        };
        tally.add(at, os, 1, NOW);
        // Most come from few.
        let address = if n % 3 == 0 { n.wrapping_mul(7_919) % 150_000 } else { n % 2_000 };
        let address = format!("203.{}.{}.{}", address >> 16, address >> 8 & 255, address & 255);
        tally.add_address(at, &address, 1, NOW);
        if n % 4 == 3 {
            tally.add_domain(at, &format!("ads{}.example", n % 30_000), 1, NOW);
        }
    }
    bencher.bench_local(|| divan::black_box(tally.metrics(NOW)));
}
