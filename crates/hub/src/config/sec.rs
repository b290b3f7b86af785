//! The sets of SEC's rule files that run in the hub.

use bergfried_query::search::parse;
use bergfried_rules::sec::{Allow, PACKS, Table};
use jiff::tz::TimeZone;
use serde::Deserialize;

use crate::rules::SecFiles;
use crate::running::now;

/// A set of rule files of SEC (sec(1)) that runs beside the Sigma rules, over the same events.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecFile {
    /// Its name, which the ids of its rules begin with; absent: that of the pack, else `sec`.
    pub name: Option<String>,
    /// The files, in the order of sec's `--conf`; `*`, `?`, `[…]` and `**` stand for several, which are
    /// looked for again whenever rules are read.
    #[serde(default)]
    pub files: Vec<String>,
    /// A pack of this program: `home-lab`.
    pub pack: Option<String>,
    /// A search: the rules see the events that it finds; absent: all.
    pub when: Option<String>,
    /// What the rules may do beside alerts, heartbeats and messages: `shell` (commands), `write`
    /// (files), `network` (sockets).
    #[serde(default)]
    pub allow: Vec<AllowWord>,
    /// Whether rules see the internal event `SEC_STARTUP` when the set starts anew (`--intevents`).
    #[serde(default)]
    pub internal_events: bool,
    /// Whether each line is in the internal context `_FILE_EVENT_` and its source (`--intcontexts`).
    #[serde(default)]
    pub internal_contexts: bool,
    /// The IANA time zone in which `Calendar` rules and `%.hour` tell the time; absent: UTC.
    pub time_zone: Option<String>,
}

/// Something that rules may be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AllowWord {
    /// Commands.
    Shell,
    /// Files.
    Write,
    /// Sockets.
    Network,
}

impl SecFile {
    /// The set, or the key at fault and what is wrong with it.
    pub(super) fn check(&self) -> Result<SecFiles, (&'static str, String)> {
        let name = self.name.as_deref().or(self.pack.as_deref()).unwrap_or("sec");
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_name) {
            let message = "a set is named by at most 64 letters, digits, `-` and `_`";
            return Err(("name", message.to_owned()));
        }
        if let Some(pack) = &self.pack
            && !PACKS.contains(&pack.as_str())
        {
            let message =
                format!("there is no pack `{}`, only {}", pack.escape_debug(), PACKS.join(", "));
            return Err(("pack", message));
        }
        if self.files.is_empty() && self.pack.is_none() {
            return Err(("files", "a set of rules needs `files` or a `pack`".to_owned()));
        }
        for file in &self.files {
            if let Err(error) = glob::Pattern::new(file) {
                let message =
                    format!("cannot read the pattern `{}`: {}", file.escape_debug(), error.msg);
                return Err(("files", message));
            }
        }
        let when = self
            .when
            .as_deref()
            .map(|search| parse(search, now()).map_err(|error| (search, error)));
        let when = when.transpose().map_err(|(search, error)| {
            ("when", format!("cannot read the search: {}", error.render(search)))
        })?;
        let zone =
            self.time_zone.as_deref().map(|zone| TimeZone::get(zone).map_err(|_unknown| zone));
        let zone = zone.transpose().map_err(|zone| {
            let message =
                format!("unknown time zone `{}`, expected an IANA name", zone.escape_debug());
            ("time_zone", message)
        })?;
        let allows = |word| self.allow.contains(&word);
        Ok(SecFiles {
            table: Table {
                when,
                allow: Allow {
                    shell: allows(AllowWord::Shell),
                    write: allows(AllowWord::Write),
                    network: allows(AllowWord::Network),
                },
                internal_events: self.internal_events,
                internal_contexts: self.internal_contexts,
                time_zone: zone.unwrap_or(TimeZone::UTC),
                ..Table::named(name)
            },
            pack: self.pack.clone(),
            files: self.files.clone(),
        })
    }
}
