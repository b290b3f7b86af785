//! Counts over time as bars.

use bergfried_event::Timestamp;
use serde_json::Value;

use crate::terminal::{fit, plain};

/// The most buckets that are drawn where some hold nothing.
const MAX_LINES: i64 = 500;
/// The most values that are named beside a bar.
const NAMED: usize = 4;
const EIGHTHS: [char; 8] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/// How many events a bucket holds, and how many of each value.
struct Bucket {
    time: Timestamp,
    total: u64,
    values: Vec<(String, u64)>,
}

/// A line for each bucket, also for those in between that hold nothing, at most so wide.
pub(super) fn chart(rows: &[Vec<Value>], span: i64, width: usize) -> Vec<String> {
    let buckets = filled(gathered(rows), span);
    let most = buckets.iter().map(|bucket| bucket.total).max().unwrap_or(0).max(1);
    let digits = most.to_string().len();
    let named = buckets.iter().any(|bucket| !bucket.values.is_empty());
    let time_width = "2026-11-21T00:00:00Z".len();
    let left = width.saturating_sub(time_width + digits + 4);
    let bar_width = if named { left / 2 } else { left }.max(1);
    buckets
        .iter()
        .map(|bucket| {
            let bar = bar(bucket.total, most, bar_width);
            let time = bucket.time.to_string();
            let mut values: Vec<&(String, u64)> = bucket.values.iter().collect();
            values.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
            let rest = values.len().saturating_sub(NAMED);
            let mut names: Vec<String> =
                values.iter().take(NAMED).map(|(name, count)| format!("{name} {count}")).collect();
            if rest > 0 {
                names.push(format!("{rest} more"));
            }
            let line = match named {
                true => format!(
                    "{time}  {:>digits$}  {bar:<bar_width$}  {}",
                    bucket.total,
                    names.join(", ")
                ),
                false => format!("{time}  {:>digits$}  {bar}", bucket.total),
            };
            fit(line.trim_end(), width)
        })
        .collect()
}

/// A bar in eighths of a character; the least that is more than nothing shows.
fn bar(count: u64, most: u64, width: usize) -> String {
    let whole = u128::from(count) * (width as u128) * 8 / u128::from(most);
    let eighths = if count > 0 { whole.max(1) } else { 0 };
    let full = usize::try_from(eighths / 8).unwrap_or(width);
    let mut bar = "█".repeat(full);
    let part = EIGHTHS.get((eighths % 8) as usize).filter(|part| **part != ' ');
    bar.extend(part);
    bar
}

fn gathered(rows: &[Vec<Value>]) -> Vec<Bucket> {
    let mut buckets: Vec<Bucket> = Vec::new();
    for row in rows {
        let (Some(time), Some(count)) = (row.first(), row.last().and_then(Value::as_u64)) else {
            continue;
        };
        let Some(time) = time.as_str().and_then(|text| text.parse::<Timestamp>().ok()) else {
            continue;
        };
        let value = match row.as_slice() {
            [_, Value::String(value), _] => Some(plain(value)),
            [_, Value::Null, _] => Some("others".to_owned()),
            _ => None,
        };
        match buckets.last_mut().filter(|bucket| bucket.time == time) {
            Some(bucket) => {
                bucket.total += count;
                bucket.values.extend(value.map(|value| (value, count)));
            }
            None => buckets.push(Bucket {
                time,
                total: count,
                values: value.map(|value| (value, count)).into_iter().collect(),
            }),
        }
    }
    buckets
}

/// The same with the buckets in between, unless these would be too many.
fn filled(buckets: Vec<Bucket>, span: i64) -> Vec<Bucket> {
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return buckets };
    if span <= 0 || last.time.since(first.time) / span >= MAX_LINES {
        return buckets;
    }
    let mut filled: Vec<Bucket> = Vec::new();
    for bucket in buckets {
        while let Some(before) = filled.last() {
            let next = before.time.plus_micros(span);
            if next >= bucket.time {
                break;
            }
            filled.push(Bucket { time: next, total: 0, values: Vec::new() });
        }
        filled.push(bucket);
    }
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const HOUR: i64 = 3_600 * Timestamp::SECOND;

    fn rows(rows: Value) -> Vec<Vec<Value>> {
        serde_json::from_value(rows).unwrap()
    }

    #[test]
    fn bars_stand_for_counts_and_gaps_for_nothing() {
        let counted = rows(json!([
            ["2026-11-21T00:00:00Z", 80],
            ["2026-11-21T02:00:00Z", 1],
            ["2026-11-21T03:00:00Z", 40],
        ]));
        assert_eq!(
            chart(&counted, HOUR, 36),
            [
                "2026-11-21T00:00:00Z  80  ██████████",
                "2026-11-21T01:00:00Z   0",
                "2026-11-21T02:00:00Z   1  ▏",
                "2026-11-21T03:00:00Z  40  █████",
            ]
        );
        assert_eq!(chart(&[], HOUR, 80), Vec::<String>::new());
    }

    #[test]
    fn values_are_named_beside_the_bar() {
        let counted = rows(json!([
            ["2026-11-21T00:00:00Z", "login\u{1b}[2J", 1],
            ["2026-11-21T00:00:00Z", "sudo", 6],
            ["2026-11-21T00:00:00Z", null, 1],
        ]));
        assert_eq!(
            chart(&counted, HOUR, 96),
            [format!(
                "2026-11-21T00:00:00Z  8  {}  sudo 6, login\\u{{1b}}[2J 1, others 1",
                "█".repeat(35)
            )]
        );
    }
}
