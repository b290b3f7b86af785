//! Arguments that several commands share.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bergfried_event::Timestamp;
use bergfried_hub::RuleFiles;
use bergfried_query::pipeline::Pipeline;
use bergfried_rules::{Diagnostic, RuleSet};
use clap::Args;

/// Which rules run.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct RuleChoice {
    /// Sigma rules from this directory or file instead of the built-in packs; repeatable
    #[arg(long = "rules", value_name = "DIR")]
    pub(crate) rules: Vec<PathBuf>,
    /// Run the built-in packs too where --rules is given
    #[arg(long, requires = "rules")]
    pub(crate) with_builtin: bool,
    #[command(flatten)]
    pub(crate) tables: Tables,
}

/// By which tables rules are read.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Tables {
    /// A table of fields (YAML), laid over the built-in one
    #[arg(long, value_name = "FILE")]
    fields: Option<PathBuf>,
    /// A table of log sources (YAML), laid over the built-in one
    #[arg(long, value_name = "FILE")]
    log_sources: Option<PathBuf>,
    /// Lists of hosts, programs and networks that rules trust (YAML), laid over the built-in ones
    #[arg(long, value_name = "FILE")]
    lists: Option<PathBuf>,
    /// Change the rules by this processing pipeline (pySigma's YAML), or fill their placeholders
    /// from it; repeatable
    #[arg(long = "pipeline", value_name = "FILE")]
    pipelines: Vec<PathBuf>,
}

impl RuleChoice {
    /// Reads and compiles the rules; those that cannot be used come back as diagnostics.
    ///
    /// # Errors
    /// Where a named directory or file cannot be read at all, or a table or a pipeline has a
    /// mistake.
    pub(crate) fn load(&self) -> anyhow::Result<(RuleSet, Vec<Diagnostic>)> {
        Ok(self.files().read()?.load(false)?)
    }

    /// As [`RuleChoice::load`], for people who check their rules.
    pub(crate) fn lint(&self) -> anyhow::Result<(RuleSet, Vec<Diagnostic>)> {
        Ok(self.files().read()?.load(true)?)
    }

    /// The same rules under other lists.
    pub(crate) fn with_lists(&self, lists: &Path) -> RuleChoice {
        let tables = Tables { lists: Some(lists.to_owned()), ..self.tables.clone() };
        RuleChoice { tables, ..self.clone() }
    }

    pub(crate) fn files(&self) -> RuleFiles {
        RuleFiles {
            paths: self.rules.clone(),
            builtin: self.with_builtin,
            own: None,
            fields: self.tables.fields.clone(),
            log_sources: self.tables.log_sources.clone(),
            lists: self.tables.lists.clone(),
            pipelines: self.tables.pipelines.clone(),
            sec: Vec::new(),
        }
    }
}

/// Which span of time, and how stamps without a year or an offset are read.
#[derive(Args, Debug, Clone)]
pub(crate) struct TimeChoice {
    /// Leave out what happened before this time (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Leave out what happened at this time or later (RFC 3339, or a date)
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) stamps: StampChoice,
}

impl TimeChoice {
    /// Whether the time lies in the span.
    pub(crate) fn includes(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

/// How stamps without a year or an offset are read.
#[derive(Args, Debug, Clone)]
pub(crate) struct StampChoice {
    /// The year of stamps that have none (else the one nearest to the file's last change)
    #[arg(long, value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1970..=9998))]
    pub(crate) year: Option<i16>,
    /// The time zone of stamps without an offset: an IANA name such as Europe/Berlin (else UTC)
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
}

impl StampChoice {
    /// Whether a time zone was given.
    pub(crate) fn has_zone(&self) -> bool {
        self.tz.is_some()
    }

    /// The time zone.
    ///
    /// # Errors
    /// Where the name is not in the system's time zone database.
    pub(crate) fn zone(&self) -> anyhow::Result<jiff::tz::TimeZone> {
        match &self.tz {
            None => Ok(jiff::tz::TimeZone::UTC),
            Some(name) => jiff::tz::TimeZone::get(name).with_context(|| {
                format!("unknown time zone `{name}`, expected an IANA name such as Europe/Berlin")
            }),
        }
    }
}

/// Reads a search before the hub is asked, so that a mistake is shown in its place at once.
pub(crate) fn check_search(text: &str) -> anyhow::Result<()> {
    let now = Timestamp::from(jiff::Timestamp::now());
    match bergfried_query::search::parse(text, now) {
        Ok(_) => Ok(()),
        Err(error) => anyhow::bail!("cannot read the search: {}", error.render(text)),
    }
}

/// As [`check_search`], where steps may follow the search.
pub(crate) fn read_search(text: &str) -> anyhow::Result<Pipeline> {
    let now = Timestamp::from(jiff::Timestamp::now());
    bergfried_query::pipeline::parse(text, now)
        .map_err(|error| anyhow::anyhow!("cannot read the search: {}", error.render(text)))
}

/// Seconds of a length of time such as `90s`, `45m`, `2h` or `1d 12h`; a day has 24 hours.
pub(crate) fn seconds(text: &str) -> Result<u32, String> {
    let span: Option<jiff::Span> = text.trim().parse().ok();
    let days = jiff::SpanRelativeTo::days_are_24_hours();
    let seconds = span.and_then(|span| span.to_duration(days).ok()).map(|time| time.as_secs());
    match seconds.and_then(|seconds| u32::try_from(seconds).ok()) {
        Some(seconds) if seconds > 0 => Ok(seconds),
        _ => Err("expected a length of time such as 90s, 45m, 2h or 7d".to_owned()),
    }
}

/// The heading of these options in a command's help, apart from its own.
const HUB: &str = "How to reach the hub";

/// How to reach the hub.
#[derive(Args, Debug, Clone)]
pub(crate) struct HubChoice {
    /// The hub's address (else the one that the data directory names)
    #[arg(long, env = "BERGFRIED_URL", value_name = "URL", global = true, help_heading = HUB)]
    pub(crate) url: Option<String>,
    /// A key of the hub (else the data directory's)
    #[arg(
        long,
        env = "BERGFRIED_KEY",
        value_name = "KEY",
        hide_env_values = true,
        global = true,
        allow_hyphen_values = true,
        help_heading = HUB
    )]
    pub(crate) key: Option<String>,
    /// Certificates (PEM) to trust in place of the public ones, for a hub whose CA is your own
    #[arg(long, env = "BERGFRIED_CA_FILE", value_name = "FILE", global = true, help_heading = HUB)]
    pub(crate) ca_file: Option<PathBuf>,
    /// The hub's data directory, on its own machine
    #[arg(long, env = "BERGFRIED_DATA_DIR", value_name = "DIR", global = true, help_heading = HUB)]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Where a hub keeps its data unless told: `WATCHTOWER_DB_PATH`'s parent, else /var/lib/bergfried
/// for root, else `$XDG_DATA_HOME/bergfried` or ~/.local/share/bergfried.
pub(crate) fn default_data_dir() -> PathBuf {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(database) = variable("WATCHTOWER_DB_PATH")
        && let Some(parent) = Path::new(&database).parent()
        && !parent.as_os_str().is_empty()
    {
        return parent.to_owned();
    }
    let home = variable("HOME").map(PathBuf::from);
    let is_root = home.as_deref().is_none_or(|home| home == Path::new("/root"));
    match (variable("XDG_DATA_HOME"), home) {
        (Some(data), _) => PathBuf::from(data).join("bergfried"),
        (None, Some(home)) if !is_root => home.join(".local/share/bergfried"),
        _ => PathBuf::from("/var/lib/bergfried"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_units() {
        for (text, expected) in
            [("90s", 90), ("45m", 2_700), ("2h", 7_200), ("1d 12h", 129_600), ("1w", 604_800)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "90", "0s", "-5m", "1mo", "soon", "999999999h"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
