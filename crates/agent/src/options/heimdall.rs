//! What the environment of Heimdall's agents says, so that theirs serves this one unchanged.

use std::path::PathBuf;

use bergfried_event::nearest;

use crate::error::AgentError;
use crate::secret::Secret;

/// Kinds of firewall, and where each writes its log where nobody says.
const FIREWALLS: [(&str, &str); 5] = [
    ("generic", "/var/log/firewall.log"),
    ("iptables", "/var/log/kern.log"),
    ("ufw", "/var/log/ufw.log"),
    ("pfsense", "/var/log/filter.log"),
    ("opnsense", "/var/log/filter.log"),
];

/// `SIEM_…`, `FIREWALL_…` and `PIHOLE_DB_PATH`, as far as they are set.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// The hub, without the path of Heimdall's endpoint.
    pub(super) url: Option<String>,
    pub(super) token: Option<Secret>,
    /// Log files in place of the usual ones.
    pub(super) files: Option<Vec<String>>,
    /// The log of the firewall, beside other files.
    pub(super) firewall_log: Option<String>,
    /// Pi-hole's database.
    pub(super) pihole: Option<PathBuf>,
}

impl Environment {
    /// Reads what is set; what none of Heimdall's agents would take is refused.
    pub(super) fn read(set: &dyn Fn(&str) -> Option<String>) -> Result<Environment, AgentError> {
        let names = set("SIEM_LOG_FILES").map(|names| {
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(str::to_owned).collect::<Vec<_>>()
        });
        Ok(Environment {
            url: set("SIEM_API_URL").map(|url| hub(&url).to_owned()),
            token: set("SIEM_API_KEY").map(|key| Secret::new(&key)),
            files: names.filter(|names| !names.is_empty()),
            firewall_log: firewall_log(set)?,
            pihole: set("PIHOLE_DB_PATH").map(PathBuf::from),
        })
    }
}

/// The address of the hub: people give that of `POST /ingest` as well.
fn hub(url: &str) -> &str {
    let url = url.trim().trim_end_matches('/');
    // A host of that name is no path.
    let before = url.strip_suffix("/ingest").filter(|before| before.contains("://"));
    before.unwrap_or(url).trim_end_matches('/')
}

fn firewall_log(set: &dyn Fn(&str) -> Option<String>) -> Result<Option<String>, AgentError> {
    let kind = set("FIREWALL_TYPE").map(|kind| kind.trim().to_ascii_lowercase());
    let usual = match &kind {
        Some(kind) => match FIREWALLS.iter().find(|(name, _)| name == kind) {
            Some((_, path)) => Some((*path).to_owned()),
            None => return Err(AgentError::Config(unknown(kind))),
        },
        None => None,
    };
    Ok(set("FIREWALL_LOG_PATH").or(usual))
}

fn unknown(kind: &str) -> String {
    let names = FIREWALLS.map(|(name, _)| name);
    let near = nearest(kind, names).map(|near| format!("; is `{near}` meant?"));
    let names = names.join(", ");
    let kind = kind.escape_debug();
    format!("FIREWALL_TYPE is `{kind}`, expected one of {names}{}", near.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Environment, String> {
        let set = |name: &str| {
            pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Environment::read(&set).map_err(|error| error.to_string())
    }

    fn strings(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn the_hub_is_found_however_its_address_is_written() {
        for (given, hub) in [
            ("http://h:8000", "http://h:8000"),
            (" http://h:8000/ ", "http://h:8000"),
            ("http://h:8000/ingest", "http://h:8000"),
            ("https://h/ingest/", "https://h"),
            ("https://h/siem//ingest", "https://h/siem"),
            ("https://ingest", "https://ingest"),
            ("https://h/reingest", "https://h/reingest"),
        ] {
            assert_eq!(read(&[("SIEM_API_URL", given)]).unwrap().url.as_deref(), Some(hub));
        }
    }

    #[test]
    fn files_are_told_apart_by_commas() {
        for (given, files) in [
            ("/a,/b", Some(&["/a", "/b"][..])),
            (" /a , ,/b/*.log,", Some(&["/a", "/b/*.log"])),
            ("/with:colon", Some(&["/with:colon"])),
            (" , ", None),
        ] {
            let found = read(&[("SIEM_LOG_FILES", given)]).unwrap().files;
            assert_eq!(found.as_deref(), files.map(strings).as_deref(), "{given}");
        }
    }

    #[test]
    fn the_kind_of_firewall_says_where_its_log_is() {
        for (kind, path, expected) in [
            (None, None, None),
            (None, Some("/var/log/fw.log"), Some("/var/log/fw.log")),
            (Some("generic"), None, Some("/var/log/firewall.log")),
            (Some("UFW "), None, Some("/var/log/ufw.log")),
            (Some("iptables"), None, Some("/var/log/kern.log")),
            (Some("pfsense"), None, Some("/var/log/filter.log")),
            (Some("opnsense"), Some("/srv/f.log"), Some("/srv/f.log")),
        ] {
            let pairs =
                [kind.map(|k| ("FIREWALL_TYPE", k)), path.map(|p| ("FIREWALL_LOG_PATH", p))];
            let pairs: Vec<_> = pairs.into_iter().flatten().collect();
            assert_eq!(read(&pairs).unwrap().firewall_log.as_deref(), expected, "{pairs:?}");
        }
        assert_eq!(
            read(&[("FIREWALL_TYPE", "pfsens")]).unwrap_err(),
            "cannot read configuration: FIREWALL_TYPE is `pfsens`, expected one of generic, iptables, ufw, pfsense, \
             opnsense; is `pfsense` meant?"
        );
    }
}
