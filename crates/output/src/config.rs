//! What a person writes of an output, and what becomes of it once it is checked.

mod check;
mod units;

use std::path::PathBuf;
use std::time::Duration;

use bergfried_query::Predicate;
use serde::{Deserialize, Serialize};

use crate::template::{PathTemplate, Template};

/// One `[[output]]` table. An unknown key is an error, and so is one that its type does not have.
///
/// ```toml
/// [[output]]
/// name = "files"                            # 1 to 64 letters, digits, `.`, `_`, `-`
/// type = "file"
/// when = 'tags:syslog'                      # the search language; absent: every event
/// path = "/srv/logs/%{host.name}-%{program}.log"
///
/// [[output]]
/// name = "siem"
/// type = "syslog"
/// to = "tls://siem.example.org:6514"
///
/// [[output]]
/// name = "headquarters"
/// type = "bergfried"
/// to = "https://hub.example.org:8000"
/// token_file = "/etc/bergfried/headquarters.token"
/// region = "eu-west"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputFile {
    /// Its name: 1 to 64 letters, digits, `.`, `_` or `-`; not that of another output. Its place
    /// among the events is kept under this name.
    pub name: String,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Which events, in the search language; absent: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// Where a new output begins: `now` (the default) or `beginning`, the oldest stored event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<From>,

    /// file: the path, absolute, with `%{field}` for an event's fields and `%{+yyyy-MM-dd}` for the
    /// day (UTC) on which it was received. What stands before the first `%`, up to its last `/`, is
    /// the directory that nothing ever leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// file: `raw` (the default: the text as received), `json` (all fields) or a text with `%{field}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// file: the mode of files, octal; `0640` unless given, never writable by all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// file: the mode of directories, octal; `0750` unless given, never writable by all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory_mode: Option<String>,
    /// file: who owns files and directories, by name or number; absent: the hub's user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// file: their group, by name or number; absent: the hub's group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// file: a file of this size is rotated (`20MiB`; at least `4KiB`); absent: not by size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_size: Option<String>,
    /// file: a file is rotated when so much time has passed (`1d`; `1m` to `366d`), counted in whole
    /// steps since 1970 in UTC, so that `1d` rotates at midnight; absent: not by age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate_age: Option<String>,
    /// file: how many rotated files are kept of each; 20 unless given, 0 to 100,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// file: rotated files older than this go (`90d`), and where the path has a date also files that
    /// were not written to for so long; absent: kept for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_age: Option<String>,
    /// file: how rotated files are compressed; `zstd` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compress: Option<Compress>,
    /// file: the sub-directory for rotated files, beside each file; absent: the same directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// file: how many files there may be; what would need one more goes to `_other.log`. 10,000
    /// unless given, 1 to 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_files: Option<u32>,

    /// syslog, bergfried: the receiver: `tcp://host:port`, `tls://host:port` or `udp://host:port`
    /// (ports 514, 6514, 514 unless given), or a hub's `https://host:port`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// syslog: what a message carries; `rfc5424` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// syslog over TCP or TLS: how messages are told apart; `octet-counted` unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub framing: Option<Framing>,
    /// syslog over TLS, bergfried: a PEM file of the authorities that the receiver's certificate may
    /// come from; absent: those that are publicly trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// syslog over TLS: our own certificate, a PEM file; `key` too then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// syslog over TLS: the key of `certificate`, a PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,

    /// bergfried: a file that holds a hub token of the other hub; a changed one is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// bergfried: the region that events come from, their `cloud.region` at the other hub unless they
    /// have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// The type of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Files, by templates of their paths.
    #[default]
    File,
    /// A syslog receiver.
    Syslog,
    /// Another Bergfried hub.
    Bergfried,
}

impl Kind {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::File => "file",
            Kind::Syslog => "syslog",
            Kind::Bergfried => "bergfried",
        }
    }
}

/// Where a new output begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum From {
    /// With the next event.
    #[default]
    Now,
    /// With the oldest stored event.
    Beginning,
}

/// How rotated files are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compress {
    /// zstd (RFC 8878).
    #[default]
    Zstd,
    /// gzip (RFC 1952).
    Gzip,
    /// Not at all.
    None,
}

/// What a syslog message carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Payload {
    /// The text as received, on its own.
    Raw,
    /// An RFC 5424 message with the event's fields as structured data.
    #[default]
    Rfc5424,
    /// An RFC 5424 message whose text is the event as JSON.
    Json,
    /// An RFC 5424 message whose text is the event in the Common Event Format.
    Cef,
}

/// How messages of a stream are told apart (RFC 6587).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Framing {
    /// Their length in front; a message may have line ends in it.
    #[default]
    #[serde(rename = "octet-counted")]
    OctetCounted,
    /// A line end behind them; line ends in a message are escaped.
    #[serde(rename = "newline")]
    Newline,
}

/// What is wrong with an output's table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("output `{}`: {reason}", name.escape_debug())]
pub struct OutputError {
    /// The output's name.
    pub name: String,
    /// The key at fault; `None` where one is missing.
    pub key: Option<&'static str>,
    /// What is wrong, and what was expected.
    pub reason: String,
}

/// An output whose configuration was checked.
#[derive(Clone, Debug)]
pub struct Output {
    pub(crate) name: String,
    pub(crate) when: Option<Predicate>,
    pub(crate) from: From,
    pub(crate) target: Target,
}

impl Output {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Files(FileOptions),
    Syslog(SyslogOptions),
    Hub(HubOptions),
}

impl Target {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Target::Files(_) => Kind::File,
            Target::Syslog(_) => Kind::Syslog,
            Target::Hub(_) => Kind::Bergfried,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct FileOptions {
    pub(crate) path: PathTemplate,
    pub(crate) format: Format,
    pub(crate) mode: u32,
    pub(crate) directory_mode: u32,
    pub(crate) owner: Option<u32>,
    pub(crate) group: Option<u32>,
    pub(crate) rotation: Rotation,
    pub(crate) keep: usize,
    /// In microseconds.
    pub(crate) keep_age: Option<i64>,
    pub(crate) compress: Compress,
    pub(crate) history: Option<String>,
    pub(crate) max_files: usize,
}

/// When a file is rotated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// In bytes.
    pub(crate) size: Option<u64>,
    /// In microseconds.
    pub(crate) age: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) enum Format {
    Raw,
    Json,
    Text(Template),
}

#[derive(Clone, Debug)]
pub(crate) struct SyslogOptions {
    pub(crate) transport: Transport,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) payload: Payload,
    pub(crate) framing: Framing,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) certificate: Option<(PathBuf, PathBuf)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Tcp,
    Tls,
    Udp,
}

#[derive(Clone, Debug)]
pub(crate) struct HubOptions {
    pub(crate) url: String,
    pub(crate) token_file: PathBuf,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) region: Option<String>,
    pub(crate) timeout: Duration,
}
