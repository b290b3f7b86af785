//! What an engine asks for, taken at the edge of a set: allowed, refused or counted.

use bergfried_event::{Finding, Timestamp};
use bergfried_sec::Port;
use bergfried_sec::port::{Effect, Input, Output};
use bergfried_sec::text::Shared;

use super::act::{Act, Deed};
use super::alert::{Seen, finding};
use super::run::Counts;
use super::set::Set;

/// The most acts that wait to be taken; what comes after is counted.
const MAX_ACTS: usize = 10_000;
/// The most findings that one event or one moment makes; what comes after is counted.
const MAX_FINDINGS: usize = 1_000;
/// The most bytes of a message to the log.
const MAX_MESSAGE: usize = 4_096;
/// Messages of these levels are told: critical, errors, warnings, notices.
const TOLD: u8 = 4;

pub(super) struct Hand<'h> {
    pub(super) set: &'h Set,
    pub(super) seen: Option<Seen<'h>>,
    pub(super) at: Timestamp,
    /// Where findings go; none where what is shown was judged before.
    pub(super) findings: Option<&'h mut Vec<Finding>>,
    /// How many there were when this event or moment began.
    pub(super) found: usize,
    /// Where acts go; none where what is shown was judged before.
    pub(super) acts: Option<&'h mut Vec<Act>>,
    /// Scripts that were not run.
    pub(super) ended: Vec<u64>,
    pub(super) counts: &'h mut Counts,
}

impl Hand<'_> {
    fn act(&mut self, deed: Deed) {
        let Some(acts) = self.acts.as_deref_mut() else { return };
        if acts.len() < MAX_ACTS {
            acts.push(Act { set: self.set.name.clone(), deed });
        } else {
            self.counts.shed += 1;
        }
    }

    /// An act that an administrator must have allowed.
    fn act_if(
        &mut self,
        allowed: bool,
        what: &'static str,
        key: &'static str,
        deed: impl FnOnce() -> Deed,
    ) {
        if allowed {
            return self.act(deed());
        }
        if self.acts.is_none() {
            return;
        }
        self.counts.refused += 1;
        // Told once for each kind, not once for each line that an attacker writes.
        if !self.counts.told.contains(&what) {
            self.counts.told.push(what);
            let text = format!(
                "refused {what}: an administrator may allow it to the rules of this set, \
                 allow = [\"{key}\"]"
            );
            self.act(Deed::Log { level: 3, text });
        }
    }

    fn log_line(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes).trim_end().chars().take(MAX_MESSAGE).collect();
        self.act(Deed::Log { level: TOLD, text });
    }
}

impl Port for Hand<'_> {
    fn effect(&mut self, effect: Effect<'_>) {
        let allow = self.set.table.allow;
        match effect {
            Effect::Alert(alert) => {
                let Some(findings) = self.findings.as_deref_mut() else { return };
                self.counts.alerts += 1;
                let finding = finding(self.set, &alert, self.seen, self.at);
                if findings.len() - self.found.min(findings.len()) < MAX_FINDINGS {
                    findings.push(finding);
                } else {
                    self.counts.shed += 1;
                }
            }
            Effect::Heartbeat { origin, timeout } => {
                let origin = String::from_utf8_lossy(origin).into_owned();
                self.act(Deed::Heartbeat { origin, timeout });
            }
            Effect::Notify { channel, text } => {
                let channel = String::from_utf8_lossy(channel).into_owned();
                self.act(Deed::Notify {
                    channel,
                    text: String::from_utf8_lossy(text).into_owned(),
                });
            }
            Effect::Log(text) => self.log_line(text),
            // There is no standard output here that anyone would read.
            Effect::Write { file: b"-", text } | Effect::WriteClosed { file: b"-", text } => {
                self.log_line(text)
            }
            Effect::Write { file, text } => {
                self.act_if(allow.write, "writing a file", "write", || Deed::Write {
                    file: file.to_vec(),
                    text: text.to_vec(),
                    keep_open: true,
                })
            }
            Effect::WriteClosed { file, text } => {
                self.act_if(allow.write, "writing a file", "write", || Deed::Write {
                    file: file.to_vec(),
                    text: text.to_vec(),
                    keep_open: false,
                })
            }
            Effect::CloseFile(file) => {
                if allow.write {
                    self.act(Deed::CloseFile(file.to_vec()));
                }
            }
            Effect::Send { socket, peer, text } => {
                self.act_if(allow.network, "sending over a socket", "network", || Deed::Send {
                    socket,
                    peer: peer.to_vec(),
                    text: text.to_vec(),
                })
            }
            Effect::CloseSocket(socket, peer) => {
                if allow.network {
                    self.act(Deed::CloseSocket(socket, peer.to_vec()));
                }
            }
            Effect::Run { command: None, input, .. } => self.log_line(&joined(input)),
            Effect::Run { command: Some(command), input, output } => {
                if let (Output::Status(script), true) =
                    (&output, self.acts.is_none() || !allow.shell)
                {
                    self.ended.push(*script);
                }
                self.act_if(allow.shell, "running a command", "shell", || Deed::Run {
                    command,
                    input: lines(input),
                    output,
                })
            }
            Effect::AddInput { .. } | Effect::DropInput(_) => {
                self.never("reading another file: the inputs are the hub's");
            }
            Effect::Signal(_) => self.never("a signal: the hub is not the rules' to stop"),
        }
    }

    fn log(&mut self, level: u8, message: &dyn Fn() -> String) {
        if level <= TOLD && self.acts.is_some() {
            let text = message().chars().take(MAX_MESSAGE).collect();
            self.act(Deed::Log { level, text });
        }
    }
}

impl Hand<'_> {
    fn never(&mut self, what: &'static str) {
        if self.acts.is_none() {
            return;
        }
        self.counts.refused += 1;
        if !self.counts.told.contains(&what) {
            self.counts.told.push(what);
            self.act(Deed::Log { level: 3, text: format!("refused {what}") });
        }
    }
}

fn lines(input: Input<'_>) -> Vec<Shared> {
    match input {
        Input::None => Vec::new(),
        Input::Lines(lines) => lines.to_vec(),
    }
}

fn joined(input: Input<'_>) -> Vec<u8> {
    let lines = lines(input);
    lines.iter().map(|line| line.bytes()).collect::<Vec<_>>().join(&b'\n')
}
