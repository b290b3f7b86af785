//! Tables for people.

use std::io::Write;
use std::process::ExitCode;

use bergfried_query::pipeline::{Pipeline, Step};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Format, chart, file};
use crate::terminal::{bold, colours, fit, plain, width};

/// The widest cell of a column that is not the last one.
const MAX_CELL: usize = 60;

/// What the hub answers to a search with steps.
#[derive(Deserialize)]
pub(super) struct Answer {
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<Value>>,
    pub(super) more: bool,
}

#[derive(Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) approximate: bool,
}

pub(super) fn print(
    answer: &Answer,
    pipeline: &Pipeline,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match pipeline.steps.as_slice() {
        [Step::Timechart { span, .. }] if file::is_terminal() => {
            for line in chart::chart(&answer.rows, *span, width()) {
                writeln!(out, "{line}")?;
            }
        }
        _ => {
            for line in table(answer, width(), colours()) {
                writeln!(out, "{line}")?;
            }
        }
    }
    if answer.more {
        crate::complain(&format!("these are the first {} rows of more", answer.rows.len()));
    }
    Ok(ExitCode::SUCCESS)
}

/// The lines of a table: names above, numbers to the right, at most so wide.
fn table(answer: &Answer, width: usize, colours: bool) -> Vec<String> {
    let name = |column: &Column| {
        let about = if column.approximate { "~" } else { "" };
        format!("{about}{}", plain(&column.name))
    };
    let names: Vec<String> = answer.columns.iter().map(name).collect();
    let rows: Vec<Vec<String>> =
        answer.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
    let last = names.len().saturating_sub(1);
    let widths: Vec<usize> = names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let cells = rows.iter().filter_map(|row| row.get(index));
            let widest = cells.chain([name]).map(|cell| cell.chars().count()).max().unwrap_or(0);
            if index == last { widest } else { widest.min(MAX_CELL) }
        })
        .collect();
    let line = |cells: &[String]| -> String {
        let columns = cells.iter().zip(&widths).zip(&answer.columns);
        let padded = columns.map(|((cell, width), column)| {
            let cell = fit(cell, *width);
            match column.kind.as_str() {
                "number" => format!("{cell:>width$}"),
                _ => format!("{cell:<width$}"),
            }
        });
        fit(padded.collect::<Vec<_>>().join("  ").trim_end(), width)
    };
    std::iter::once(bold(&line(&names), colours)).chain(rows.iter().map(|row| line(row))).collect()
}

fn cell(value: &Value) -> String {
    plain(&match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(cell).collect::<Vec<_>>().join(", "),
        // A mean need not be exact to be read.
        Value::Number(number) if number.is_f64() => {
            let text = format!("{:.3}", number.as_f64().unwrap_or_default());
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        other => other.to_string(),
    })
}

/// Values with how often each occurs.
pub(super) fn counts(
    rows: Vec<Map<String, Value>>,
    name: &str,
    format: Format,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    match format {
        Format::Json => {
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            writeln!(out)?;
        }
        Format::Ndjson => {
            for row in &rows {
                serde_json::to_writer(&mut *out, row)?;
                writeln!(out)?;
            }
        }
        Format::Table | Format::Raw => {
            for row in &rows {
                let count = row.get("count").and_then(Value::as_u64).unwrap_or(0);
                let value = row.get(name).and_then(Value::as_str).unwrap_or("-");
                writeln!(out, "{count:>10}  {}", plain(value))?;
            }
        }
        Format::Csv | Format::Parquet => {
            anyhow::bail!("for a file use steps, such as `| top source.ip` or `| timechart 1h`")
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tables_are_aligned_and_harmless() {
        let answer: Answer = serde_json::from_value(json!({
            "columns": [
                {"name": "user.name", "kind": "text", "approximate": false},
                {"name": "count", "kind": "number", "approximate": false},
                {"name": "p95(x)", "kind": "number", "approximate": true},
            ],
            "rows": [["root\u{1b}[2J", 12, 1.5], [null, 3, 0.333_333], ["größe", 1, null]],
            "more": false,
        }))
        .unwrap();
        assert_eq!(
            table(&answer, 80, false),
            [
                "user.name      count  ~p95(x)",
                r"root\u{1b}[2J     12      1.5",
                "-                  3    0.333",
                "größe              1        -",
            ]
        );
        assert_eq!(table(&answer, 12, false).first().unwrap(), "user.name  …");
    }
}
