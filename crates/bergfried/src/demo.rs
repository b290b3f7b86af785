//! Sample logs made fresh: their time stamps are shifted so that the last one is now.

use std::io::{BufWriter, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bergfried_event::{SourceKind, Timestamp, readable};
use bergfried_parse::Context;

use crate::input::{Decoders, Input, Records, expand};

/// A directory for one demonstration, removed when it ends.
pub(crate) struct Directory {
    path: PathBuf,
}

impl Directory {
    /// Copies the logs of `samples` into a new directory of its own, with shifted stamps.
    pub(crate) fn make(samples: &Path) -> anyhow::Result<Directory> {
        let now = Timestamp::from(jiff::Timestamp::now());
        let name = format!("bergfried-demo-{}-{}", std::process::id(), now.micros());
        let path = std::env::temp_dir().join(name);
        // New and private: others may write beside it.
        std::fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make {}", path.display()))?;
        let directory = Directory { path };
        let logs = directory.path.join("logs");
        std::fs::create_dir(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        shift_all(samples, &logs, now)?;
        Ok(directory)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(crate) fn logs_glob(&self) -> String {
        self.path.join("logs/*.log").display().to_string()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.path) {
            crate::complain(&format!("cannot remove {}: {error}", self.path.display()));
        }
    }
}

fn shift_all(samples: &Path, to: &Path, now: Timestamp) -> anyhow::Result<()> {
    let (inputs, unreadable) = expand(&[samples.to_owned()]);
    if let Some(first) = unreadable.first() {
        bail!("cannot read {}: {}", first.name, first.error);
    }
    let mut last = Timestamp::MIN;
    for input in &inputs {
        each_line(input, now, |_, stamp| {
            last = last.max(stamp);
            Ok(())
        })?;
    }
    if last == Timestamp::MIN {
        bail!("there are no sample logs in {}", samples.display());
    }
    let shift = now.since(last);
    for (number, input) in inputs.iter().enumerate() {
        let path = to.join(format!("{number}.log"));
        let mut file = BufWriter::new(
            std::fs::File::create(&path)
                .with_context(|| format!("cannot write {}", path.display()))?,
        );
        each_line(input, now, |line, stamp| {
            writeln!(file, "{}", shifted(line, stamp.plus_micros(shift)))?;
            Ok(())
        })?;
        file.flush()?;
    }
    Ok(())
}

fn each_line(
    input: &Input,
    now: Timestamp,
    mut take: impl FnMut(&str, Timestamp) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut lines = Records::open(input, Arc::default(), &Decoders::default())
        .with_context(|| format!("cannot read {}", input.name()))?;
    let context =
        Context { received: now, host: "", time_zone: jiff::tz::TimeZone::UTC, year: None };
    while lines.advance()? {
        let text = readable(lines.current().bytes);
        let stamp = bergfried_parse::parse(SourceKind::File, &text, &context).created();
        take(&text, stamp)?;
    }
    Ok(())
}

/// The line with this stamp in place of its own, in the form that it has (both UTC).
fn shifted(line: &str, stamp: Timestamp) -> String {
    let first = line.split(' ').next().unwrap_or_default();
    if first.parse::<Timestamp>().is_ok() {
        return format!("{stamp}{}", line.get(first.len()..).unwrap_or_default());
    }
    match line.get(15..) {
        Some(rest) if line.is_char_boundary(15) => {
            let civil = jiff::Timestamp::from(stamp).to_zoned(jiff::tz::TimeZone::UTC);
            format!("{}{rest}", civil.strftime("%b %e %H:%M:%S"))
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_keep_their_form() {
        let stamp = "2026-03-04T05:06:07Z".parse().unwrap();
        for (line, expected) in [
            ("Nov 21 02:26:12 web sshd[1]: x", "Mar  4 05:06:07 web sshd[1]: x"),
            (
                "2025-11-21T02:26:12.762221+00:00 web sshd[1]: x",
                "2026-03-04T05:06:07Z web sshd[1]: x",
            ),
            ("short", "short"),
        ] {
            assert_eq!(shifted(line, stamp), expected);
        }
    }

    #[test]
    fn the_last_line_ends_now() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let text = "Nov 20 23:00:00 web sshd[1]: one\nNov 21 00:00:00 web sshd[1]: two\n";
        std::fs::write(from.path().join("a.log"), text).unwrap();
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        shift_all(from.path(), to.path(), now).unwrap();
        let shifted = std::fs::read_to_string(to.path().join("0.log")).unwrap();
        assert_eq!(shifted, "Nov 21 11:00:00 web sshd[1]: one\nNov 21 12:00:00 web sshd[1]: two\n");
    }
}
