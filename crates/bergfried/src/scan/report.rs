//! Prints findings and the summary.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{self, Write};

use bergfried_event::{Finding, Severity, Timestamp};
use bergfried_hub::query::csv_cell;
use serde::Serialize;

use super::Format;
use super::aggregate::Sorted;
use super::counter::Counter;
use super::summary::Summary;
use crate::terminal::{bold, colours, fit, paint, plain, width};

pub(super) fn print(
    format: Format,
    findings: &Sorted,
    summary: &Summary,
    out: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => table(findings, summary, out),
        Format::Json => {
            let rows: Vec<Row<'_>> = findings.rows.iter().map(Row::from).collect();
            serde_json::to_writer_pretty(&mut *out, &rows)?;
            writeln!(out)
        }
        Format::Ndjson => {
            for finding in &findings.rows {
                serde_json::to_writer(&mut *out, &Row::from(finding))?;
                writeln!(out)?;
            }
            Ok(())
        }
        Format::Csv => csv(&findings.rows, out),
    }
}

/// A finding as JSON shows it: the columns of the CSV form, whose names are a promise.
#[derive(Serialize)]
struct Row<'f> {
    #[serde(rename = "rule.id")]
    rule_id: &'f str,
    #[serde(rename = "rule.name")]
    rule_name: &'f str,
    severity: Severity,
    #[serde(rename = "host.name")]
    host: Option<&'f str>,
    #[serde(rename = "user.name")]
    user: Option<&'f str>,
    #[serde(rename = "source.ip")]
    source: Option<&'f str>,
    count: u64,
    first_seen: Timestamp,
    last_seen: Timestamp,
    #[serde(rename = "threat.technique.id")]
    techniques: &'f [String],
    example: &'f str,
    tags: &'f [String],
    falsepositives: &'f [String],
    matched: Vec<Pair<'f>>,
    #[serde(rename = "event.id")]
    event_ids: &'f [u64],
}

/// A field and the value for which the event matched.
#[derive(Serialize)]
struct Pair<'f> {
    field: &'f str,
    value: &'f str,
}

impl<'f> From<&'f Finding> for Row<'f> {
    fn from(finding: &'f Finding) -> Self {
        Row {
            rule_id: &finding.rule_id,
            rule_name: &finding.rule_name,
            severity: finding.severity,
            host: finding.host.as_deref(),
            user: finding.user.as_deref(),
            source: finding.source.as_deref(),
            count: finding.count,
            first_seen: finding.first_seen,
            last_seen: finding.last_seen,
            techniques: &finding.techniques,
            example: &finding.example,
            tags: &finding.tags,
            falsepositives: &finding.falsepositives,
            matched: finding.matched.iter().map(|(field, value)| Pair { field, value }).collect(),
            event_ids: &finding.event_ids,
        }
    }
}

fn table(findings: &Sorted, summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let (colours, width) = (colours(), width());
    for finding in &findings.rows {
        let severity =
            paint(finding.severity, &format!("{:<13}", finding.severity.name()), colours);
        writeln!(out, "{severity} {}", bold(&plain(&finding.rule_name), colours))?;
        let mut about: Vec<String> = Vec::new();
        for (name, value) in
            [("host", &finding.host), ("user", &finding.user), ("source", &finding.source)]
        {
            if let Some(value) = value {
                about.push(format!("{name} {}", plain(value)));
            }
        }
        for (name, value) in &finding.group {
            if [&finding.host, &finding.user, &finding.source]
                .iter()
                .all(|shown| shown.as_ref() != Some(value))
            {
                about.push(format!("{name} {}", plain(value)));
            }
        }
        about.push(format!("{}x", finding.count));
        about.push(format!("{} – {}", finding.first_seen, finding.last_seen));
        if !finding.techniques.is_empty() {
            about.push(finding.techniques.join(" "));
        }
        writeln!(out, "              {}", about.join(" · "))?;
        let seen = plain(&seen(finding));
        writeln!(out, "              {}", fit(&seen, width.saturating_sub(14)))?;
    }
    if findings.rows.is_empty() {
        writeln!(out, "no findings")?;
    }
    if findings.left_out > 0 {
        writeln!(out, "{} findings more found no room in this table", findings.left_out)?;
    }
    writeln!(out)?;
    totals(findings, summary, out, colours)
}

/// What a person recognises the event by: its line; of a document or the records of an audit event,
/// which begin with what all of their kind have in common, what the alert would say, else the fields
/// that matched.
fn seen(finding: &Finding) -> Cow<'_, str> {
    let is_document = finding.example.starts_with(['{', '<']) || finding.example.contains('\n');
    if !is_document {
        return Cow::Borrowed(&finding.example);
    }
    if let Some(text) = finding.alert.as_ref().and_then(|alert| alert.text.as_deref()) {
        return Cow::Borrowed(text);
    }
    if finding.matched.is_empty() {
        return Cow::Borrowed(&finding.example);
    }
    let pairs = finding.matched.iter().map(|(field, value)| format!("{field}={value}"));
    Cow::Owned(pairs.collect::<Vec<_>>().join(" · "))
}

fn totals(
    findings: &Sorted,
    summary: &Summary,
    out: &mut dyn Write,
    colours: bool,
) -> io::Result<()> {
    writeln!(out, "{}", bold("Summary", colours))?;
    writeln!(out, "  findings    {}", by_severity(&findings.rows))?;
    write!(out, "  lines       {} ({:.1} MB)", summary.lines, summary.bytes as f64 / 1e6)?;
    if summary.cut > 0 {
        write!(out, ", {} cut for length", summary.cut)?;
    }
    if summary.in_part > 0 {
        write!(out, ", {} events kept in part", summary.in_part)?;
    }
    if summary.unreadable > 0 {
        write!(out, ", {} files unreadable", summary.unreadable)?;
    }
    if summary.lost > 0 {
        write!(out, ", {} records unreadable", summary.lost)?;
    }
    writeln!(out)?;
    if summary.event_logs {
        let seconds = summary.took.as_secs_f64().max(1e-6);
        writeln!(
            out,
            "  speed       {:.0} events/s, {:.1} MB/s of files",
            summary.lines as f64 / seconds,
            summary.taken as f64 / 1e6 / seconds
        )?;
    }
    top(out, "  parsed     ", &summary.parsed, 8)?;
    top(out, "  text only  ", &summary.unparsed, 5)?;
    top(out, "  sources    ", &summary.sources, 5)?;
    top(out, "  users      ", &summary.users, 5)?;
    let techniques: BTreeSet<&str> = findings
        .rows
        .iter()
        .flat_map(|finding| finding.techniques.iter().map(String::as_str))
        .collect();
    if !techniques.is_empty() {
        let techniques: Vec<&str> = techniques.into_iter().collect();
        writeln!(out, "  ATT&CK      {}", techniques.join(" "))?;
    }
    histogram(summary, out)
}

fn by_severity(findings: &[Finding]) -> String {
    let counts: Vec<String> = bergfried_event::Severity::ALL
        .iter()
        .rev()
        .filter_map(|severity| {
            let count = findings.iter().filter(|finding| finding.severity == *severity).count();
            (count > 0).then(|| format!("{count} {severity}"))
        })
        .collect();
    if counts.is_empty() { "none".to_owned() } else { counts.join(", ") }
}

fn top(out: &mut dyn Write, title: &str, counter: &Counter, limit: usize) -> io::Result<()> {
    if counter.distinct() == 0 {
        return Ok(());
    }
    let shown: Vec<String> = counter
        .top(limit)
        .into_iter()
        .map(|(text, count)| format!("{} {count}", fit(&plain(text), 40)))
        .collect();
    write!(out, "{title} {}", shown.join(", "))?;
    let more = counter.distinct().saturating_sub(limit);
    if more > 0 {
        write!(out, ", {more} more")?;
    }
    if counter.others() > 0 {
        write!(out, ", {} not told apart", counter.others())?;
    }
    writeln!(out)
}

fn histogram(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let buckets = summary.times.buckets();
    let most = buckets.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let (Some((first, _)), Some((last, _))) = (buckets.first(), buckets.last()) else {
        return Ok(());
    };
    let bars: String = buckets
        .iter()
        .map(|(_, count)| {
            let level = (count.saturating_mul(8)).div_ceil(most.max(1));
            BARS.get(usize::try_from(level).unwrap_or(8)).copied().unwrap_or('█')
        })
        .collect();
    writeln!(
        out,
        "  over time   {bars}  {} a bar, at most {most} lines",
        summary.times.width_text()
    )?;
    writeln!(out, "              {first} – {last}")
}

fn csv(findings: &[Finding], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "rule.id,rule.name,severity,host.name,user.name,source.ip,count,first_seen,last_seen,\
         threat.technique.id,example,tags,falsepositives,matched,event.id"
    )?;
    for finding in findings {
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        let cells = [
            finding.rule_id.clone(),
            finding.rule_name.clone(),
            finding.severity.to_string(),
            optional(&finding.host),
            optional(&finding.user),
            optional(&finding.source),
            finding.count.to_string(),
            finding.first_seen.to_string(),
            finding.last_seen.to_string(),
            finding.techniques.join(";"),
            finding.example.clone(),
            finding.tags.join(";"),
            finding.falsepositives.join(";"),
            joined(&finding.matched),
            joined_ids(&finding.event_ids),
        ];
        let row: Vec<String> = cells.iter().map(|cell| csv_cell(cell)).collect();
        writeln!(out, "{}", row.join(","))?;
    }
    Ok(())
}

fn joined(pairs: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().map(|(field, value)| format!("{field}={value}")).collect();
    pairs.join(";")
}

fn joined_ids(ids: &[u64]) -> String {
    let ids: Vec<String> = ids.iter().map(u64::to_string).collect();
    ids.join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_shown_by_what_tells_it_from_others() {
        let audit = "type=SYSCALL msg=audit(1.5:2): a=1\ntype=CWD msg=audit(1.5:2): cwd=\"/\"";
        for (example, alert, expected) in [
            (
                "Nov 20 10:00:00 web1 sshd[9]: x",
                r#"{"text": "t"}"#,
                "Nov 20 10:00:00 web1 sshd[9]: x",
            ),
            (audit, r#"{"text": "eve executed id"}"#, "eve executed id"),
            (audit, "null", "key=k"),
            ("{}", "null", "key=k"),
        ] {
            let alert: serde_json::Value = serde_json::from_str(alert).unwrap();
            let finding = serde_json::json!({
                "rule.id": "r", "rule.name": "R", "severity": "low", "host.name": null,
                "user.name": null, "source.ip": null, "process.name": null, "count": 1,
                "first_seen": "2026-11-20T10:00:00Z", "last_seen": "2026-11-20T10:00:00Z",
                "threat.technique.id": [], "matched": [["key", "k"]], "example": example,
                "alert": alert,
            });
            let finding: Finding = serde_json::from_value(finding).unwrap();
            assert_eq!(seen(&finding), expected);
        }
    }
}
