//! What each step did to a line, for a person to read.

use std::io::Write;

use bergfried_event::{Event, Value};
use bergfried_process::{
    ChainCounts, PatternResult, PatternTrace, StepResult, StepTrace, Trace, Verdict,
};

use crate::terminal::{bold, colours, fit, plain, width};

/// The widest name of a field that values are still aligned after.
const NAME: usize = 28;

/// Prints lines, steps and at the end a summary.
pub(super) struct Explainer {
    colours: bool,
    width: usize,
    lines: u64,
    kept: u64,
}

impl Explainer {
    pub(super) fn new() -> Explainer {
        Explainer { colours: colours(), width: width(), lines: 0, kept: 0 }
    }

    /// The line, and what the built-in parsers read.
    pub(super) fn line(&mut self, event: &Event<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
        self.lines += 1;
        if self.lines > 1 {
            writeln!(out)?;
        }
        let text = fit(&plain(event.original()), self.width.saturating_sub(8));
        writeln!(out, "{} {}", bold(&format!("{:>5}", self.lines), self.colours), text)?;
        writeln!(out, "      {}", self.dim("read by the built-in parsers"))?;
        self.field(' ', "@timestamp", &Value::from(event.created().to_string()), out)?;
        for (name, value) in event.fields() {
            self.field(' ', name.as_str(), value, out)?;
        }
        Ok(())
    }

    /// What the steps did, and what became of the event.
    pub(super) fn steps(
        &mut self,
        verdict: Verdict,
        trace: &Trace,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let mut chain = None;
        for step in &trace.steps {
            if chain != Some(step.chain.as_str()) {
                chain = Some(step.chain.as_str());
                writeln!(
                    out,
                    "      {}",
                    bold(&format!("chain {}", plain(&step.chain)), self.colours)
                )?;
            }
            self.step(step, out)?;
        }
        if trace.steps.is_empty() {
            writeln!(out, "      the configuration has no chains")?;
        }
        match verdict {
            Verdict::Keep => self.kept += 1,
            Verdict::Drop => {
                let chain = plain(chain.unwrap_or_default());
                writeln!(out, "      let go by the chain {chain}: it would not be stored")?;
            }
        }
        Ok(())
    }

    fn step(&self, step: &StepTrace, out: &mut dyn Write) -> anyhow::Result<()> {
        let name = match step.place.as_str() {
            "" => "when".to_owned(),
            place => format!("{place} {}", step.kind),
        };
        let result = match &step.result {
            StepResult::NotHeld => "condition does not hold".to_owned(),
            StepResult::Done if step.kind == "chain" || step.kind == "if" => {
                "condition holds".to_owned()
            }
            StepResult::Done => "done".to_owned(),
            StepResult::Nothing(why) => format!("nothing to do: {why}"),
            StepResult::Failed(why) => format!("failed: {}", plain(why)),
            StepResult::TooHard(why) => format!("too hard: {}", plain(why)),
            StepResult::Dropped => "lets the event go".to_owned(),
        };
        let time = match step.result {
            StepResult::NotHeld => String::new(),
            _ => format!("  {}", self.dim(&duration(step.nanoseconds))),
        };
        writeln!(out, "        {name:<18} {result}{time}")?;
        if let Some(when) = &step.when {
            let when = fit(&plain(when), self.width.saturating_sub(34));
            writeln!(out, "        {:<18} {}", "", self.dim(&format!("when {when}")))?;
        }
        for pattern in &step.patterns {
            self.pattern(pattern, out)?;
        }
        for change in &step.changes {
            match (&change.before, &change.after) {
                (None, Some(value)) => self.field('+', &change.name, value, out)?,
                (Some(value), None) => self.field('-', &change.name, value, out)?,
                (_, Some(value)) => self.field('~', &change.name, value, out)?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    fn pattern(&self, pattern: &PatternTrace, out: &mut dyn Write) -> anyhow::Result<()> {
        let result = match pattern.result {
            PatternResult::Matched => "matches",
            PatternResult::NotMatched => "no match",
            PatternResult::TooHard => "too hard",
        };
        let text = fit(&plain(&pattern.pattern), self.width.saturating_sub(52));
        writeln!(
            out,
            "          pattern {:<3} {result:<8} {:>9}  {}",
            pattern.number,
            duration(pattern.nanoseconds),
            self.dim(&text)
        )?;
        Ok(())
    }

    fn field(
        &self,
        mark: char,
        name: &str,
        value: &Value<'_>,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let text = match value {
            Value::List(_) => serde_json::to_string(value)?,
            Value::Null => "null".to_owned(),
            other => other.to_text().into_owned(),
        };
        let name = plain(name);
        let text = fit(&plain(&text), self.width.saturating_sub(NAME + 14));
        writeln!(out, "          {mark} {name:<NAME$} {text}")?;
        Ok(())
    }

    /// Of several lines: how often each pattern was tried, and what it takes.
    pub(super) fn summary(
        &self,
        chains: &[ChainCounts],
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        if self.lines < 2 {
            return Ok(());
        }
        writeln!(out, "\n{} lines, {} kept", self.lines, self.kept)?;
        for chain in chains {
            writeln!(
                out,
                "chain {}: {} for each line on average",
                plain(&chain.name),
                duration_of(chain.nanoseconds_per_event)
            )?;
            for step in &chain.steps {
                writeln!(
                    out,
                    "  {:<18} tried {:<7} done {:<7} failed {:<7} {:>9}",
                    format!("{} {}", step.place, step.kind),
                    step.tried,
                    step.done,
                    step.failed + step.too_hard,
                    duration_of(step.nanoseconds_per_event)
                )?;
                for (number, pattern) in step.patterns.iter().enumerate() {
                    let hard = match pattern.too_hard {
                        0 => String::new(),
                        hard => format!(" too hard {hard}"),
                    };
                    writeln!(
                        out,
                        "    pattern {:<8} tried {:<7} matched {:<7}{hard} {:>9} each, {}",
                        number + 1,
                        pattern.tried,
                        pattern.matched,
                        duration_of(pattern.nanoseconds_per_text),
                        pattern.engine
                    )?;
                }
            }
        }
        Ok(())
    }

    fn dim(&self, text: &str) -> String {
        if self.colours { format!("\u{1b}[2m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// A time as a person says it.
fn duration(nanoseconds: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    duration_of(nanoseconds as f64)
}

fn duration_of(nanoseconds: f64) -> String {
    match nanoseconds {
        less if less < 1e3 => format!("{less:.0} ns"),
        less if less < 1e6 => format!("{:.1} µs", less / 1e3),
        less if less < 1e9 => format!("{:.1} ms", less / 1e6),
        more => format!("{:.1} s", more / 1e9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (nanoseconds, text) in
            [(7, "7 ns"), (1_234, "1.2 µs"), (5_600_000, "5.6 ms"), (2_000_000_000, "2.0 s")]
        {
            assert_eq!(duration(nanoseconds), text);
        }
    }
}
