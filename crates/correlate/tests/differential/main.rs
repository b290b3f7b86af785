//! Bergfried's correlator beside the real `sec`, on the same rule files, input and clock.
//!
//! What must come out is nowhere written down: both programs run side by side, each in a directory of
//! its own, and what they write, send, run and answer is compared byte by byte.
//!
//! `SEC_SCENARIO=text` plays only the scenarios whose names contain the text, `SEC_SHOW=1` also shows
//! what `sec` did (`SEC_SHOW=log` with its log), `SEC_ALONE=1`
//! runs nothing but `sec`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on should say where"
)]

mod generated;
mod home_lab;
mod outcome;
mod play;
mod random;
mod scenario;
mod stage;

use std::path::Path;

use scenario::Scenario;

/// The scenarios of `tests/scenarios`.
#[test]
fn every_scenario_ends_as_with_sec() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let all = Scenario::all(&directory);
    play::check(&all);
}
