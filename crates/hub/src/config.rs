//! What a hub is told: its file, and the environment names of the systems that it replaces.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bergfried_collect::Input;
use bergfried_control::{Secret, TokenLimits};
use bergfried_event::nearest;
use bergfried_notify::Channel;
use bergfried_output::{Output, OutputFile};
use bergfried_process::ChainFile;
use bergfried_tls::ServerTls;
use serde::Deserialize;

use crate::chains::ChainFiles;
use crate::rules::RuleFiles;
use crate::running::now;

/// Everything that a hub needs to know.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The certificate for HTTPS; none: plain HTTP.
    pub tls: Option<ServerTls>,
    /// Where the data lives.
    pub data_dir: PathBuf,
    /// An admin key that is to work, besides those that the data directory knows.
    pub admin_key: Option<Secret>,
    /// A token that Watchtower agents present.
    pub watchtower_token: Option<Secret>,
    /// The environment of alerts.
    pub environment: String,
    /// Which rules run.
    pub rules: RuleFiles,
    /// Where the chains are written that read more out of events.
    pub chains: ChainFiles,
    /// Where people are told.
    pub channels: Vec<Channel>,
    /// What it takes besides HTTP.
    pub inputs: Vec<Input>,
    /// Where events are sent on.
    pub outputs: Vec<Output>,
    /// The channel that is told of every login that comes over the Watchtower protocol.
    pub logins_to: Option<String>,
    /// The console's address for links in messages; absent: the one it listens on.
    pub console_url: Option<String>,
    /// What the bearer of an agent token may send over HTTP, where the token does not say.
    pub token_limits: TokenLimits,
}

/// The hub's configuration file (TOML). Every key is optional; an unknown key is an error.
///
/// ```toml
/// environment = "Production"          # of alerts
/// rules = ["/etc/bergfried/rules"]    # instead of the built-in packs
/// builtin_rules = true                # ... or besides them
/// fields = "/etc/bergfried/fields.yml"            # laid over the built-in tables
/// log_sources = "/etc/bergfried/log-sources.yml"
/// pipelines = ["/etc/bergfried/pipeline.yml"]     # change rules before they are compiled
/// console_url = "https://bergfried.example.org"
/// token_limits = { max_events_per_second = 20000 }    # of agent tokens that have none of their own
///
/// [tls]                               # HTTPS for the console, agents and shippers
/// certificate = "/etc/bergfried/hub.pem"
/// key = "/etc/bergfried/hub.key"
///
/// [[notify]]
/// name = "ops"
/// type = "slack"                      # or "webhook"
/// url = "https://hooks.slack.com/services/..."
/// min_severity = "medium"
///
/// [[input]]
/// name = "home"
/// type = "syslog"
/// udp = ["0.0.0.0:51444"]
/// tcp = ["0.0.0.0:51444"]
///
/// [[chain]]                           # see docs/chains.md
/// name = "web"
/// when = "program:nginx"
/// [[chain.step]]
/// grok = { patterns = ["%{IPORHOST:source.address} %{GREEDYDATA:message}"] }
///
/// [[output]]                          # see `bergfried_output::OutputFile`
/// name = "files"
/// type = "file"                       # or "syslog", or "bergfried"
/// path = "/srv/logs/%{host.name}-%{program}.log"
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubFile {
    /// The environment of alerts.
    pub environment: Option<String>,
    /// Directories or files of Sigma rules.
    #[serde(default)]
    pub rules: Vec<PathBuf>,
    /// Whether the built-in packs run besides `rules`.
    #[serde(default)]
    pub builtin_rules: bool,
    /// A table of fields, laid over the built-in one.
    pub fields: Option<PathBuf>,
    /// A table of log sources, laid over the built-in one.
    pub log_sources: Option<PathBuf>,
    /// Processing pipelines in pySigma's form.
    #[serde(default)]
    pub pipelines: Vec<PathBuf>,
    /// The console's address for links in messages.
    pub console_url: Option<String>,
    /// What the bearer of an agent token may send over HTTP, where the token has no such limit of its
    /// own: `max_events_per_second`, `max_bytes_per_second` and `max_body` (bytes, decompressed), each
    /// from 1 up; absent ones limit nothing.
    #[serde(default)]
    pub token_limits: TokenLimits,
    /// The certificate of the HTTP listener, which speaks HTTPS then; to this machine itself it
    /// speaks plain HTTP too.
    pub tls: Option<ServerTls>,
    /// Where people are told.
    #[serde(default)]
    pub notify: Vec<Channel>,
    /// What the hub takes besides HTTP.
    #[serde(default)]
    pub input: Vec<Input>,
    /// Chains of steps that read more out of events, in the order in which they run.
    #[serde(default)]
    pub chain: Vec<ChainFile>,
    /// Where events are sent on.
    #[serde(default)]
    pub output: Vec<OutputFile>,
    /// The same, checked when the file is read.
    #[serde(skip)]
    pub outputs: Vec<Output>,
}

/// A configuration that cannot be used: the file, and line and column where they are known.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {message}")]
pub struct ConfigError {
    /// `file` or `file:line:column`.
    pub place: String,
    /// What is wrong and what was expected.
    pub message: String,
}

impl HubFile {
    /// Reads the file.
    ///
    /// # Errors
    /// Where it cannot be read, is no TOML, has an unknown key or names a channel twice.
    pub fn read(path: &Path) -> Result<HubFile, ConfigError> {
        Self::parse(&Self::text(path)?, &path.display().to_string())
    }

    /// The text of the file.
    pub(crate) fn text(path: &Path) -> Result<String, ConfigError> {
        std::fs::read_to_string(path).map_err(|error| ConfigError {
            place: path.display().to_string(),
            message: format!("cannot read the configuration: {error}"),
        })
    }

    /// Reads the text of a file of this name.
    ///
    /// # Errors
    /// As [`HubFile::read`].
    pub fn parse(text: &str, name: &str) -> Result<HubFile, ConfigError> {
        let mut file: HubFile = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let offset = place_of_input(error.message(), text).unwrap_or(offset);
            ConfigError { place: place(name, text, offset), message: with_nearest(error.message()) }
        })?;
        let mut names = std::collections::HashSet::new();
        for channel in &file.notify {
            if !names.insert(channel.name()) {
                return Err(ConfigError {
                    place: name.to_owned(),
                    message: format!("two notification channels are named `{}`", channel.name()),
                });
            }
        }
        if let Some((index, key, message)) = shared(&file.input) {
            let offset = offset_in("input", index, key, text);
            return Err(ConfigError { place: place(name, text, offset), message });
        }
        file.outputs = outputs(&file.output, text, name)?;
        Ok(file)
    }

    /// Adds the input `syslog`, which takes what comes to this address over UDP and TCP.
    ///
    /// # Errors
    /// Where the file has an input of that name, or one that listens there.
    pub fn add_syslog(&mut self, address: SocketAddr) -> Result<(), ConfigError> {
        let place = format!("--syslog {address}");
        let text = format!(
            "[[input]]\nname = 'syslog'\ntype = 'syslog'\nudp = '{address}'\ntcp = '{address}'\n"
        );
        self.input.append(&mut Self::parse(&text, &place)?.input);
        match shared(&self.input) {
            None => Ok(()),
            Some((_, _, message)) => Err(ConfigError { place, message }),
        }
    }
}

/// The first input that has the name or an address of one before it: its position, the key at fault
/// where it is one, and what is wrong.
fn shared(inputs: &[Input]) -> Option<(usize, Option<&'static str>, String)> {
    for (index, input) in inputs.iter().enumerate() {
        for before in inputs.iter().take(index) {
            let (one, two) = (before.name(), input.name());
            if one == two {
                return Some((index, Some("name"), format!("two inputs are named `{one}`")));
            }
            if let Some(address) = before.clash(input) {
                let message = format!("the inputs `{one}` and `{two}` both listen on {address}");
                return Some((index, None, message));
            }
        }
    }
    None
}

/// The message about a word that is not known, with the known one that it may be a slip of.
fn with_nearest(message: &str) -> String {
    let mut words = message.split('`').skip(1).step_by(2);
    let is_about_a_word = message.starts_with("unknown ");
    let near = words.next().filter(|_| is_about_a_word).and_then(|word| nearest(word, words));
    match near {
        Some(near) => format!("{message}; is `{near}` meant?"),
        None => message.to_owned(),
    }
}

/// Checks the tables of outputs; a mistake has the place of its key.
fn outputs(tables: &[OutputFile], text: &str, name: &str) -> Result<Vec<Output>, ConfigError> {
    let mut names = std::collections::HashSet::new();
    let mut outputs = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let (key, message) = match table.check(now()) {
            Ok(output) if names.insert(table.name.as_str()) => {
                outputs.push(output);
                continue;
            }
            Ok(_) => (Some("name"), format!("two outputs are named `{}`", table.name)),
            Err(error) => (error.key, error.to_string()),
        };
        let offset = offset_in("output", index, key, text);
        return Err(ConfigError { place: place(name, text, offset), message });
    }
    Ok(outputs)
}

/// Where the key stands that a message about an input names after the input's own name, or the input's
/// table: serde knows no place within the list.
fn place_of_input(message: &str, text: &str) -> Option<usize> {
    let mut words = message.strip_prefix("cannot use input `")?.split('`').step_by(2);
    let name = words.next()?;
    let document = toml::de::DeTable::parse(text).ok()?;
    let inputs = document.get_ref().get("input")?.get_ref().as_array()?;
    let is_it = |input: &toml::Spanned<toml::de::DeValue<'_>>| {
        let named = input.get_ref().get("name").and_then(|name| name.get_ref().as_str());
        named.is_some_and(|named| named.escape_debug().to_string() == name)
    };
    let index = inputs.iter().position(is_it)?;
    let entries = inputs.get(index)?.get_ref().as_table()?;
    let key = words.find(|word| entries.iter().any(|(key, _)| key.get_ref() == word));
    Some(offset_in("input", index, key, text))
}

/// Where a key of an array's table stands, or the table where the key is not there.
fn offset_in(array: &str, index: usize, key: Option<&str>, text: &str) -> usize {
    let Ok(document) = toml::de::DeTable::parse(text) else { return 0 };
    let array = document.get_ref().get(array).and_then(|value| value.get_ref().as_array());
    let Some(table) = array.and_then(|array| array.get(index)) else { return 0 };
    let entries = table.get_ref().as_table();
    let at_key = entries.zip(key).and_then(|(entries, wanted)| {
        entries.iter().find(|(key, _)| key.get_ref() == wanted).map(|(key, _)| key.span().start)
    });
    at_key.unwrap_or(table.span().start)
}

/// `name:line:column` of a byte of the text.
pub(crate) fn place(name: &str, text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|character| *character != '\n').count() + 1;
    format!("{name}:{line}:{column}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_placed() {
        for (text, place, part) in [
            ("enviroment = 'x'", "hub.toml:1:1", "is `environment` meant?"),
            ("[[input]]\nname = 'x'\ntype = 'syslogs'", "hub.toml:3:8", "is `syslog` meant?"),
            ("[[input]]\nname='x'\ntype='syslog'\ntcq='x'", "hub.toml:4:1", "is `tcp` meant?"),
            ("\n[[input]]\nname='x'\ntype='syslog'", "hub.toml:2:1", "it listens nowhere"),
            (
                "[[input]]\nname='a'\ntype='syslog'\ntcp='[::]:1'\n[[input]]\nname='tcp'\ntype='syslog'\n\
                 udp='[::]:1'\ntime_zone='Europe/Berln'",
                "hub.toml:9:1",
                "is `Europe/Berlin` meant?",
            ),
            ("[[input]]\nname='x'\ntype='syslog'\ntcp='there'", "hub.toml:4:1", "holds `there`"),
            ("environment = 1", "hub.toml:1:15", "expected a string"),
            ("\n[[notify]]\nname = 'x'\ntype = 'pager'", "hub.toml:4:8", "pager"),
        ] {
            let error = HubFile::parse(text, "hub.toml").unwrap_err();
            assert!(error.place.starts_with(place), "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn the_example_can_be_used_with_every_line_of_it() {
        let text = include_str!("../../../deploy/hub.toml");
        assert_eq!(HubFile::parse(text, "hub.toml").unwrap().input.len(), 1);
        let is_key = |line: &str| {
            let word = line.split(' ').next().unwrap_or_default();
            line.starts_with("[[")
                || (line.contains(" = ")
                    && word.bytes().all(|byte| b"abcdefghijklmnopqrstuvwxyz_".contains(&byte)))
        };
        let whole: String = text
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|line| is_key(line)).unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_ne!(whole, text);
        HubFile::parse(&whole, "hub.toml").unwrap();
    }

    #[test]
    fn syslog_can_be_asked_for_without_a_file() {
        let address = "127.0.0.1:514".parse().unwrap();
        let mut file = HubFile::default();
        file.add_syslog(address).unwrap();
        assert_eq!(file.input[0].name(), "syslog");
        let error = file.add_syslog(address).unwrap_err();
        assert_eq!(error.to_string(), "--syslog 127.0.0.1:514: two inputs are named `syslog`");
        let text = "[[input]]\nname='a'\ntype='syslog'\nudp='127.0.0.1:514'\n";
        let error = HubFile::parse(text, "f").unwrap().add_syslog(address).unwrap_err();
        assert!(error.message.contains("both listen on"), "{error}");
    }

    #[test]
    fn inputs_do_not_share_a_name_or_an_address() {
        let input =
            |name, address| format!("[[input]]\nname='{name}'\ntype='syslog'\ntcp='{address}'\n");
        for (other, place, part) in [
            (input("a", "127.0.0.1:2"), "f:6:1", "two inputs are named `a`"),
            (input("b", "127.0.0.1:1"), "f:5:1", "`a` and `b` both listen on 127.0.0.1:1"),
        ] {
            let text = input("a", "127.0.0.1:1") + &other;
            let error = HubFile::parse(&text, "f").unwrap_err();
            assert_eq!(error.place, place);
            assert!(error.message.contains(part), "{error}");
        }
    }

    #[test]
    fn mistakes_of_outputs_have_the_place_of_their_key() {
        let good = "[[output]]\nname = 'a'\ntype = 'file'\npath = '/srv/%{host}.log'\n";
        assert_eq!(HubFile::parse(good, "f").unwrap().outputs.len(), 1);
        for (text, place, part) in [
            (format!("{good}keep = 2"), "hub.toml:5:1", "`keep` does nothing"),
            (format!("{good}{good}"), "hub.toml:6:1", "two outputs are named `a`"),
            (format!("{good}\n[[output]]\nname='b'\ntype='syslog'"), "hub.toml:6:1", "`to`"),
            (format!("{good}  when = 'user:('"), "hub.toml:5:3", "cannot read `when`"),
            (format!("{good}pth = 'x'"), "hub.toml:5:1", "unknown field `pth`"),
            (good.replace("'file'", "'fiel'"), "hub.toml:3:8", "unknown variant `fiel`"),
        ] {
            let error = HubFile::parse(&text, "hub.toml").unwrap_err();
            assert!(error.place.starts_with(place), "{text}: {error}");
            assert!(error.message.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn channel_names_are_unique() {
        let one = "[[notify]]\nname='a'\ntype='slack'\nurl='https://example.org/x'\n";
        assert_eq!(HubFile::parse(one, "f").unwrap().notify.len(), 1);
        assert!(HubFile::parse(&one.repeat(2), "f").unwrap_err().message.contains("`a`"));
    }
}
