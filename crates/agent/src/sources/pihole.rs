//! The queries of a Pi-hole on this host.

use super::host::{Host, join_group};
use super::{Source, State};
use crate::config::Config;
use crate::observers::pihole::{PiholeOptions, Trouble, probe};

pub(super) fn queries(host: &Host, config: &Config) -> Source {
    let row = |state, detail: String| Source::new("Pi-hole", state, detail);
    if !config.pihole.enabled {
        return row(State::Off, "the configuration leaves it out".to_owned())
            .fix("enabled = true under [pihole]");
    }
    let path = config.pihole.database.display();
    let on_host = host.path(&path.to_string());
    let options = PiholeOptions { database: on_host, ..config.pihole.clone() };
    let trouble = match probe(&options) {
        Ok(last) => {
            let every = config.pihole.interval_seconds;
            let detail = format!("{path}, {last} is its last query; looked at every {every} s");
            return row(State::Collected, detail);
        }
        Err(trouble) => trouble,
    };
    let is_installed = host.has("pihole-FTL");
    let (state, fix) = match &trouble {
        Trouble::Absent if !is_installed => {
            return row(State::Missing, format!("there is no Pi-hole: no {path}"))
                .fix("database = \"…\" under [pihole], where it lies elsewhere");
        }
        Trouble::Absent | Trouble::Empty => (
            State::Missing,
            "pihole-FTL --config files.database says where it is, database.maxDBdays whether"
                .to_owned(),
        ),
        Trouble::Forbidden => (State::Unreadable, join_group("pihole")),
        Trouble::Unopened => (State::Partly, "systemctl start pihole-FTL".to_owned()),
        Trouble::Locked | Trouble::Slow => (State::Partly, format!("fuser -v {path}")),
        Trouble::NoDatabase | Trouble::Damaged(_) => (
            State::Unreadable,
            format!(
                "systemctl stop pihole-FTL; mv {path} {path}.damaged; systemctl start pihole-FTL"
            ),
        ),
        Trouble::NoQueries | Trouble::Io(_) | Trouble::Sqlite(_) => {
            (State::Unreadable, format!("sqlite3 {path} .schema shows what it is"))
        }
    };
    row(state, format!("{path}: {trouble}; it is tried again and again")).fix(fix)
}
