//! The questions, each with its goal over 100 million events.

use std::io::Write;
use std::time::Instant;

use anyhow::Context as _;
use bergfried_event::{Field, FieldName, Timestamp};
use bergfried_query::{Condition, Pattern, Predicate};
use bergfried_store::{Aggregation, Figure, Key, Limits, Reader, Search, Sort};

use crate::fill::{RARE_ADDRESS, RARE_WORD, Week};

const RUNS: usize = 5;
const HOUR: i64 = 3_600 * Timestamp::SECOND;
/// A phrase of words that are all frequent.
const PHRASE: &str = "Invalid user jenkins";

/// Asks each question; prints rows, and writes down what was answered.
pub(crate) fn ask(
    reader: &Reader,
    week: &Week,
    out: &mut dyn Write,
    answers: &mut dyn Write,
) -> anyhow::Result<()> {
    let (from, to) = (week.start, week.end);
    let day = to.plus_micros(-Timestamp::DAY).max(from);
    writeln!(answers, "times\t{} {} {}", from.micros(), day.micros(), to.micros())?;
    let everything = || Predicate::Constant(true);
    let is =
        |field: Field, text: &str| Predicate::field(field, Condition::Text(Pattern::literal(text)));
    let words =
        |text: &str| Predicate::field(Field::Message, Condition::Words(Pattern::literal(text)));
    let page = |predicate: Predicate, from| {
        let search = Search { predicate, from, to, limit: 100, before: None };
        reader.search(&search).map(|page| page.events.len() as u64)
    };
    let table = |by: Vec<Key>, figures: Vec<Figure>, from, limit| {
        let column = by.len();
        let order = vec![Sort { column, descending: true }];
        let predicate = everything();
        let wanted = Aggregation { predicate, from, to, by, figures, order, limit };
        reader.aggregate(&wanted, &Limits { memory: 2 << 30, ..Limits::default() })
    };
    let field = |field: Field| FieldName::Known(field);
    let by = |name: Field| Key::Field(field(name));
    let mut measure = |name: &str, goal: &str, question: &dyn Fn() -> anyhow::Result<u64>| {
        let (took, answer) = median(question)?;
        writeln!(out, "search: {name}\t{took:.1}\tms\t{goal}")?;
        writeln!(answers, "{name}\t{took:.3}\t{answer}")?;
        anyhow::Ok(())
    };
    measure("hour histogram over 24 h", "150 ms of 100 million", &|| {
        let buckets = reader.histogram(&everything(), day, to, HOUR)?;
        Ok(buckets.iter().map(|(_, count)| count).sum())
    })?;
    measure("top 10 over 7 days", "700 ms of 100 million", &|| {
        let rows = reader.top(&everything(), from, to, &field(Field::SourceIp), 10)?;
        Ok(rows.iter().map(|(_, count)| count).sum())
    })?;
    measure("one host's latest 100", "50 ms of 100 million", &|| {
        Ok(page(is(Field::HostName, "server137"), from)?)
    })?;
    measure("a rare address over 7 days", "100 ms of 100 million", &|| {
        Ok(page(is(Field::SourceIp, RARE_ADDRESS), from)?)
    })?;
    measure("a rare word over 7 days", "150 ms of 100 million", &|| {
        Ok(page(words(RARE_WORD), from)?)
    })?;
    measure("a phrase over 24 h", "500 ms of 100 million", &|| Ok(page(words(PHRASE), day)?))?;
    measure("a phrase over 24 h, counted", "", &|| Ok(reader.count(&words(PHRASE), day, to)?))?;
    measure("count by user and host over 24 h", "", &|| {
        let by = vec![by(Field::UserName), by(Field::HostName)];
        Ok(table(by, vec![Figure::Count], day, usize::MAX)?.rows.len() as u64)
    })?;
    measure("distinct addresses and p95 of ports by action over 24 h", "", &|| {
        let (address, port) = (field(Field::SourceIp), field(Field::SourcePort));
        let figures =
            vec![Figure::Count, Figure::Distinct(address), Figure::Percentile(port, 0.95)];
        Ok(table(vec![by(Field::EventAction)], figures, day, usize::MAX)?.rows.len() as u64)
    })
}

/// The middle of the times that the question takes in milliseconds, and its answer.
fn median(question: &dyn Fn() -> anyhow::Result<u64>) -> anyhow::Result<(f64, u64)> {
    let answer = question()?;
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let began = Instant::now();
        let again = question()?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(again == answer, "two answers to one question: {answer} and {again}");
    }
    times.sort_by(f64::total_cmp);
    Ok((*times.get(RUNS / 2).context("no times")?, answer))
}
