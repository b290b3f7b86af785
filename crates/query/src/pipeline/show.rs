//! Steps as text that reads back as the same steps.

use std::fmt;

use bergfried_event::FieldName;

use super::{Figure, Step};

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Step::Top { limit, fields } | Step::Rare { limit, fields } => {
                write!(f, " {limit} ")?;
                names(f, fields)
            }
            Step::Count { by } => keys(f, by),
            Step::Timechart { span, by } => {
                write!(f, " {}", written_span(*span))?;
                keys(f, by.as_slice())
            }
            Step::Stats { figures, by } => {
                for (index, figure) in figures.iter().enumerate() {
                    f.write_str(if index == 0 { " " } else { ", " })?;
                    figure.write(f, name)?;
                }
                keys(f, by)
            }
            Step::Fields(columns) => {
                for (index, column) in columns.iter().enumerate() {
                    f.write_str(if index == 0 { " " } else { ", " })?;
                    quoted(f, column)?;
                }
                Ok(())
            }
            Step::Sort(sort) => {
                for (index, key) in sort.iter().enumerate() {
                    f.write_str(if index == 0 { " " } else { ", " })?;
                    f.write_str(if key.descending { "-" } else { "" })?;
                    quoted(f, &key.column)?;
                }
                Ok(())
            }
            Step::Head(limit) => write!(f, " {limit}"),
        }
    }
}

fn keys(f: &mut fmt::Formatter<'_>, by: &[FieldName<'_>]) -> fmt::Result {
    if by.is_empty() {
        return Ok(());
    }
    f.write_str(" by ")?;
    names(f, by)
}

fn names(f: &mut fmt::Formatter<'_>, fields: &[FieldName<'_>]) -> fmt::Result {
    for (index, field) in fields.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        name(f, field)?;
    }
    Ok(())
}

/// A field's name; one that events need not have stands in quotation marks, which ask no question.
fn name(f: &mut fmt::Formatter<'_>, field: &FieldName<'_>) -> fmt::Result {
    match field {
        FieldName::Known(field) => f.write_str(field.name()),
        FieldName::Other(name) => quoted(f, name),
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@');
    if !name.is_empty()
        && name.chars().all(plain)
        && bergfried_event::Field::from_name(name).is_some()
    {
        return f.write_str(name);
    }
    write!(f, "\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The name of the column that holds the figure, such as `distinct(user.name)`.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, |f, field| f.write_str(field.as_str()))
    }
}

impl Figure {
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        name: fn(&mut fmt::Formatter<'_>, &FieldName<'_>) -> fmt::Result,
    ) -> fmt::Result {
        let field = match self {
            Figure::Count => return f.write_str("count"),
            Figure::Distinct(field)
            | Figure::Sum(field)
            | Figure::Avg(field)
            | Figure::Min(field)
            | Figure::Max(field)
            | Figure::Percentile(field, _) => field,
        };
        match self {
            Figure::Percentile(_, hundredths) => write!(f, "p{hundredths}(")?,
            _ => write!(f, "{}(", self.function())?,
        }
        name(f, field)?;
        f.write_str(")")
    }

    fn function(&self) -> &'static str {
        match self {
            Figure::Count => "count",
            Figure::Distinct(_) => "distinct",
            Figure::Sum(_) => "sum",
            Figure::Avg(_) => "avg",
            Figure::Min(_) => "min",
            Figure::Max(_) => "max",
            Figure::Percentile(..) => "p",
        }
    }
}

/// A span of whole seconds in its largest unit: `90s`, `5m`, `1d`.
pub(crate) fn written_span(micros: i64) -> String {
    let seconds = micros / bergfried_event::Timestamp::SECOND;
    for (unit, size) in [('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60)] {
        if seconds > 0 && seconds % size == 0 {
            return format!("{}{unit}", seconds / size);
        }
    }
    format!("{seconds}s")
}
