//! The unified log of macOS, as `log` or what stands for it prints it.

use super::{Source, State};
use crate::config::Config;
use crate::observers::macos::probe;

/// Asked for the last second; no row on other hosts.
pub(super) fn log(config: &Config) -> Option<Source> {
    const NAME: &str = "macos log";
    let options = &config.macos;
    if !options.is_on() {
        let is_off = options.enabled == Some(false);
        let off = Source::new(NAME, State::Off, "the configuration leaves it out");
        return is_off.then(|| off.fix("enabled = true under [macos]"));
    }
    Some(match probe(options) {
        Ok(()) => {
            Source::new(NAME, State::Collected, "the unified log, from where it was read last")
        }
        Err(reason) => Source::new(NAME, State::Unreadable, reason)
            .fix("run the agent as root, or set command and predicate under [macos]"),
    })
}
