//! Events of Windows, as `wevtutil` or what stands for it answers.

use super::{Source, State};
use crate::config::Config;
use crate::observers::windows::newest;

/// Each channel asked for its newest; no row on other hosts.
pub(super) fn events(config: &Config) -> Option<Source> {
    const NAME: &str = "windows events";
    let options = &config.windows;
    if !options.is_on() {
        let is_off = options.enabled == Some(false);
        let off = Source::new(NAME, State::Off, "the configuration leaves them out");
        return is_off.then(|| off.fix("enabled = true under [windows]"));
    }
    let failed: Vec<String> = options
        .channels
        .keys()
        .filter_map(|channel| Some(format!("{channel}: {}", newest(options, channel).err()?)))
        .collect();
    let channels = options.channels.len();
    let detail = format!("{channels} channels, looked at every {} s", options.interval_seconds);
    Some(match failed.len() {
        0 => Source::new(NAME, State::Collected, detail),
        some if some < channels => {
            Source::new(NAME, State::Partly, format!("{detail}; {}", failed.join("; ")))
                .fix("remove under [windows.channels] what this host does not have")
        }
        _ => Source::new(NAME, State::Unreadable, failed.join("; "))
            .fix("run the agent as an administrator, or set command under [windows]"),
    })
}
