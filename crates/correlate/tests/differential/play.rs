//! Plays scenarios to both programs: those in which no time passes one after the other, those in real
//! time all at once, from the beginning of a second.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::outcome::{Outcome, difference, shown};
use super::scenario::Scenario;
use super::stage::Stage;

/// A batch during which this process itself was later than this tells nothing about the programs.
const LATE: Duration = Duration::from_millis(250);
/// How often a scenario that differs is played: what chance does, the order of a hash in `sec` or a
/// second that ends between two lines, does not show each time, a difference of the programs does.
const ROUNDS: usize = 4;
/// How many pairs run in real time at once.
const BATCH: usize = 50;

/// The real `sec`, where it is installed.
pub(crate) fn sec() -> Option<PathBuf> {
    let found = ["sec", "/usr/bin/sec"].into_iter().find(|program| {
        let version = Command::new(program).arg("--version").output();
        version.is_ok_and(|done| done.stdout.starts_with(b"SEC (Simple Event Correlator)"))
    });
    if found.is_none() {
        eprintln!("skipped: there is no sec (scripts/install-test-deps installs it)");
    }
    found.map(PathBuf::from)
}

/// Bergfried's program; none where only `sec` is to be watched.
pub(crate) fn ours() -> Option<PathBuf> {
    if std::env::var_os("SEC_ALONE").is_some() {
        return None;
    }
    Some(PathBuf::from(env!("CARGO_BIN_EXE_bergfried-correlate")))
}

/// Plays all scenarios and fails with every difference.
pub(crate) fn check(all: &[Scenario]) {
    let differences = differences(all);
    assert!(
        differences.is_empty(),
        "{} scenarios differ from sec:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// Plays all scenarios and tells the differences, by name.
pub(crate) fn differences(all: &[Scenario]) -> Vec<String> {
    let Some(sec) = sec() else { return Vec::new() };
    let wanted = std::env::var("SEC_SCENARIO").unwrap_or_default();
    let (timed, instant): (Vec<&Scenario>, Vec<&Scenario>) = all
        .iter()
        .filter(|scenario| scenario.name.contains(&wanted))
        .partition(|scenario| scenario.is_timed());
    let mut differences = at_once(&sec, &instant);
    for batch in timed.chunks(BATCH) {
        differences.extend(in_time(&sec, batch));
    }
    differences
}

/// Plays one scenario in real time to one program.
pub(crate) fn alone(program: &Path, scenario: &Scenario) -> Outcome {
    let (mut outcomes, _) = play_batch(&[program.to_owned()], &[scenario]);
    outcomes.remove(0).remove(0)
}

fn judge(scenario: &Scenario, sec: &Outcome, ours: Option<&Outcome>) -> Option<String> {
    if std::env::var_os("SEC_SHOW").is_some() {
        eprintln!("{}:\n{}", scenario.name, shown(scenario, sec));
    }
    let told = difference(scenario, sec, ours?)?;
    Some(format!("{}\n{told}", scenario.name))
}

/// Scenarios that end by themselves, two at a time.
fn at_once(sec: &Path, scenarios: &[&Scenario]) -> Vec<String> {
    let queue: Mutex<VecDeque<&Scenario>> = Mutex::new(scenarios.iter().copied().collect());
    let differences = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some(scenario) = queue.lock().unwrap().pop_front() else { return };
                    let told = (0..ROUNDS).map_while(|_| play(sec, scenario)).collect::<Vec<_>>();
                    if told.len() == ROUNDS {
                        differences.lock().unwrap().extend(told.into_iter().next());
                    }
                }
            });
        }
    });
    let mut differences = differences.into_inner().unwrap();
    differences.sort();
    differences
}

/// Plays a scenario that ends by itself to both programs.
fn play(sec: &Path, scenario: &Scenario) -> Option<String> {
    let real = Stage::start(sec, scenario);
    let ours = ours().map(|ours| Stage::start(&ours, scenario));
    let (real, ours) = (real.finish(), ours.map(Stage::finish));
    judge(scenario, &real, ours.as_ref())
}

/// Scenarios in real time, all from the same second on. Where the machine was too slow to do the steps
/// at their times, a difference means nothing.
fn in_time(sec: &Path, scenarios: &[&Scenario]) -> Vec<String> {
    let programs: Vec<_> = [sec.to_owned()].into_iter().chain(ours()).collect();
    let mut rest = scenarios.to_vec();
    let mut told: Vec<String> = Vec::new();
    for round in 1..=ROUNDS {
        let (outcomes, late) = play_batch(&programs, &rest);
        let judged = rest.iter().zip(&outcomes).filter_map(|(&scenario, both)| {
            Some((scenario, judge(scenario, both.first()?, both.get(1))?))
        });
        let (differ, differences): (Vec<_>, Vec<_>) = judged.unzip();
        (rest, told) = (differ, differences);
        if rest.is_empty() {
            break;
        }
        eprintln!("{} differ in round {round}; the machine was {late:?} late", rest.len());
        if round == ROUNDS && late >= LATE {
            eprintln!(
                "skipped: the machine is too busy to tell what these do: {}",
                told.join("\n")
            );
            told.clear();
        }
    }
    told
}

fn play_batch(programs: &[PathBuf], scenarios: &[&Scenario]) -> (Vec<Vec<Outcome>>, Duration) {
    let ready = Arc::new(Barrier::new(scenarios.len() + 1));
    let go = Arc::new(Barrier::new(scenarios.len() + 1));
    let start = Arc::new(Mutex::new(Instant::now()));
    let latest = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    // Programs start a few at a time, or none would be up for long.
    let (enter, leave) = sync_channel(4);
    let leave = Arc::new(Mutex::new(leave));
    let outcomes = thread::scope(|scope| {
        let players: Vec<_> = scenarios
            .iter()
            .map(|&scenario| {
                let (ready, go, start) = (ready.clone(), go.clone(), start.clone());
                let (latest, enter, leave) = (latest.clone(), enter.clone(), leave.clone());
                scope.spawn(move || {
                    let mut stages = {
                        enter.send(()).unwrap();
                        let mut stages: Vec<_> =
                            programs.iter().map(|it| Stage::start(it, scenario)).collect();
                        stages.iter_mut().for_each(|stage| stage.wait_until_ready(scenario));
                        leave.lock().unwrap().recv().unwrap();
                        stages
                    };
                    ready.wait();
                    go.wait();
                    let start = *start.lock().unwrap();
                    for (time, deed) in scenario.steps() {
                        let late = sleep_until(start + time);
                        latest.fetch_max(late.as_millis() as u64, Ordering::Relaxed);
                        stages.iter_mut().for_each(|stage| stage.play(&deed));
                    }
                    stages.into_iter().map(Stage::finish).collect()
                })
            })
            .collect();
        ready.wait();
        *start.lock().unwrap() = next_second();
        go.wait();
        let heart = {
            let (latest, over) = (latest.clone(), over.clone());
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let late = sleep_until(Instant::now() + Duration::from_millis(50));
                    latest.fetch_max(late.as_millis() as u64, Ordering::Relaxed);
                }
            })
        };
        let outcomes = players.into_iter().map(|player| player.join().unwrap()).collect();
        over.store(true, Ordering::Relaxed);
        heart.join().unwrap();
        outcomes
    });
    (outcomes, Duration::from_millis(latest.load(Ordering::Relaxed)))
}

/// The beginning of a second of the wall clock that is at least a third of one away.
fn next_second() -> Instant {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let rest = Duration::from_secs(1) - Duration::from_nanos(u64::from(now.subsec_nanos()));
    let rest = if rest < Duration::from_millis(333) { rest + Duration::from_secs(1) } else { rest };
    Instant::now() + rest
}

/// Sleeps, and tells how late it woke.
fn sleep_until(time: Instant) -> Duration {
    thread::sleep(time.saturating_duration_since(Instant::now()));
    Instant::now().saturating_duration_since(time)
}
