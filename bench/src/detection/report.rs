//! Prints two engines side by side.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::run::{Measured, Rates};

/// Rules that differ are listed up to so many of each kind of events.
const LISTED: usize = 40;

/// A table for each kind of events, and the rules that the engines judge differently.
pub(crate) fn tables(out: &mut impl Write, ours: &Measured, oracle: &Measured) -> io::Result<()> {
    heading(out, "loading")?;
    line(out, "rules", ours.rules.len() as f64, oracle.rules.len() as f64, 0)?;
    line(out, "seconds to load and compile", ours.load_seconds, oracle.load_seconds, 3)?;
    line(out, "MiB at most while loading", ours.load_peak_mib, oracle.load_peak_mib, 1)?;
    line(out, "MiB after loading", ours.resident_mib, oracle.resident_mib, 1)?;
    for (text, one, other) in [("bergfried", ours, oracle), ("rsigma-eval", oracle, ours)] {
        for (id, title) in one.rules.iter().filter(|(id, _)| !other.rules.contains_key(*id)) {
            writeln!(out, "  only {text} has {id} {title}")?;
        }
    }
    for (mine, theirs) in ours.kinds.iter().zip(&oracle.kinds) {
        writeln!(out)?;
        let title = format!("{}, {} events of {} bytes", mine.kind, mine.events, mine.bytes);
        heading(out, &title)?;
        line(out, "events/s, decoding and matching", mine.both, theirs.both, 0)?;
        line(out, "events/s, findings made for people too", mine.stating, theirs.stating, 0)?;
        line(out, "events/s, matching alone", mine.matching, theirs.matching, 0)?;
        line(out, "events/s, decoding alone", mine.decoding, theirs.decoding, 0)?;
        line(out, "matches", total(mine) as f64, total(theirs) as f64, 0)?;
        writeln!(out, "  rsigma-eval ran with: {}", theirs.configuration)?;
        differences(out, ours, mine, theirs)?;
    }
    Ok(())
}

/// Rows of bench/run.sh: measurement, value, unit, goal.
pub(crate) fn rows(out: &mut impl Write, ours: &Measured, oracle: &Measured) -> io::Result<()> {
    let count = ours.rules.len();
    for (name, measured) in [("bergfried", ours), ("rsigma-eval", oracle)] {
        let goals =
            if name == "bergfried" { ["2 s for 3,141", "150 MiB for 3,141"] } else { ["", ""] };
        let [time, memory] = goals;
        let rules = measured.rules.len();
        writeln!(out, "load {rules} rules, {name}\t{:.3}\ts\t{time}", measured.load_seconds)?;
        writeln!(
            out,
            "load {rules} rules, {name}, peak memory\t{:.1}\tMiB\t{memory}",
            measured.load_peak_mib
        )?;
    }
    for (mine, theirs) in ours.kinds.iter().zip(&oracle.kinds) {
        let goal = match mine.kind.as_str() {
            "windows" => "100000 events/s",
            "linux" => "250000 events/s",
            _ => "",
        };
        let kind = format!("{count} rules, {} of {} B", mine.kind, mine.bytes);
        writeln!(out, "{kind}, one core\t{:.0}\tevents/s\t{goal}", mine.both)?;
        writeln!(out, "{kind}, matching alone\t{:.0}\tevents/s\t", mine.matching)?;
        writeln!(out, "{kind}, rsigma-eval\t{:.0}\tevents/s\t", theirs.both)?;
        writeln!(out, "{kind}, times as fast\t{:.1}\tx\t5 x", mine.both / theirs.both)?;
        writeln!(out, "{kind}, matches\t{}\tof {} by oracle\t", total(mine), total(theirs))?;
    }
    Ok(())
}

fn heading(out: &mut impl Write, title: &str) -> io::Result<()> {
    writeln!(out, "{title:<48} {:>12} {:>12} {:>8}", "bergfried", "rsigma-eval", "ratio")
}

fn line(out: &mut impl Write, name: &str, mine: f64, theirs: f64, digits: usize) -> io::Result<()> {
    writeln!(out, "  {name:<46} {mine:>12.digits$} {theirs:>12.digits$} {:>8.2}", mine / theirs)
}

fn total(rates: &Rates) -> u64 {
    rates.matches.values().sum()
}

/// Each rule that matched a different number of times, for a person to explain.
fn differences(
    out: &mut impl Write,
    names: &Measured,
    ours: &Rates,
    oracle: &Rates,
) -> io::Result<()> {
    let count = |rates: &Rates, id: &str| rates.matches.get(id).copied().unwrap_or(0);
    let ids: BTreeSet<&String> = ours.matches.keys().chain(oracle.matches.keys()).collect();
    let differing: Vec<&String> =
        ids.into_iter().filter(|id| count(ours, id) != count(oracle, id)).collect();
    for id in differing.iter().take(LISTED) {
        let (mine, theirs) = (count(ours, id), count(oracle, id));
        let title = names.rules.get(*id).map_or("(a rule that bergfried does not have)", |t| t);
        writeln!(out, "  {mine:>8} {theirs:>8}  {id} {title}")?;
    }
    if differing.len() > LISTED {
        writeln!(out, "  … and {} rules more that differ", differing.len() - LISTED)?;
    }
    Ok(())
}
