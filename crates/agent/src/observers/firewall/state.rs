//! What a tool printed, brought into a form in which only what matters differs.
//!
//! Each line names the place it stands in (`ip filter INPUT: -p tcp --dport 22 -j ACCEPT`). Places are
//! sorted; the rules within a chain keep their order, which decides what is let through. Counters,
//! handles and times are gone.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The rules of one tool at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// For which families anything stands in the way of packets to this host: `ip`, `ip6`, `inet`, or
    /// `all` where the tool does not part them.
    pub(crate) guards: BTreeSet<String>,
    /// One line for each rule.
    pub(crate) text: String,
    /// Whether the tool could not be asked, and its files were read in its place.
    #[serde(default)]
    pub(crate) from_files: bool,
}

impl State {
    /// Whether anything stands in the way of packets to this host.
    pub(crate) fn is_active(&self) -> bool {
        !self.guards.is_empty()
    }

    /// A tool that parts no families, on or off.
    pub(super) fn of_all(active: bool, text: String) -> State {
        let guards = active.then(|| "all".to_owned()).into_iter().collect();
        State { guards, text, from_files: false }
    }
}

/// Lines by their place.
#[derive(Debug, Default)]
pub(super) struct Lines(Vec<(String, String)>);

impl Lines {
    pub(super) fn push(&mut self, place: impl Into<String>, line: impl Into<String>) {
        self.0.push((place.into(), line.into()));
    }

    /// The lines sorted by place; those of one place stay in their order.
    pub(super) fn into_text(mut self) -> String {
        self.0.sort_by(|one, other| one.0.cmp(&other.0));
        self.0.iter().map(|(place, line)| format!("{place}: {line}\n")).collect()
    }
}

/// The place that a line of a state names.
pub(super) fn place(line: &str) -> &str {
    line.split_once(": ").map_or("", |(place, _)| place)
}
