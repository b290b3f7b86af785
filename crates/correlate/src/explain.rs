//! `--explain`: nothing is done; it is told which rules matched a line and what they would do.

use std::collections::HashMap;

use bergfried_sec::Engine;
use bergfried_sec::port::{Command, Effect, Input, Output};

use crate::children::Start;
use crate::inputs::shown;

/// What is told of the present line.
#[derive(Default)]
pub(crate) struct Explanation {
    /// What rules would do.
    effects: Vec<String>,
    /// How often each rule had matched before, by file and number.
    hits: HashMap<(String, usize), u64>,
}

impl Explanation {
    /// Notes what would be done.
    pub(crate) fn effect(&mut self, effect: &Effect<'_>, literal: bool) {
        let text = match effect {
            Effect::Log(text) => format!("log: {}", shown(text)),
            Effect::Write { file, text } | Effect::WriteClosed { file, text } => {
                format!("write to {}: {}", shown(file), shown(text.trim_ascii_end()))
            }
            Effect::CloseFile(file) => format!("close {}", shown(file)),
            Effect::Send { peer, text, .. } => format!("send to {}: {}", shown(peer), shown(text)),
            Effect::CloseSocket(_, peer) => format!("close {}", shown(peer)),
            Effect::Run { command: Some(command), input, output } => {
                run(command, input, output, literal)
            }
            Effect::Run { command: None, input, .. } => format!("print {}", lines(input)),
            Effect::AddInput { file, .. } => format!("read {}", shown(file)),
            Effect::DropInput(file) => format!("read {} no longer", shown(file)),
            Effect::Signal(signal) => format!("act as on a signal: {signal:?}"),
            Effect::Alert(alert) => {
                let pairs: Vec<String> = alert
                    .attributes
                    .iter()
                    .map(|(name, value)| format!("{name}={}", shown(value)))
                    .collect();
                format!("alert: {}", pairs.join(" "))
            }
            Effect::Heartbeat { origin, .. } => format!("heartbeat of {}", shown(origin)),
            Effect::Notify { channel, text } => {
                format!("notify {}: {}", shown(channel), shown(text))
            }
        };
        self.effects.push(text);
    }

    /// What is to be told after a line, an event or a timer.
    pub(crate) fn tell(&mut self, engine: &Engine, what: &[u8]) -> String {
        let mut text = format!("{}\n", shown(what));
        let rules = engine.rules().files.iter().flat_map(|file| file.rules());
        for ((file, number, hits), rule) in engine.hits().zip(rules) {
            let before = self.hits.entry((file.to_owned(), number)).or_default();
            if *before != hits {
                *before = hits;
                text.push_str(&format!(
                    "  matches {file}:{} (rule {}, {}: {})\n",
                    rule.line,
                    number + 1,
                    rule.kind(),
                    rule.description
                ));
            }
        }
        if !text.contains("\n  matches") && self.effects.is_empty() {
            text.push_str("  matches nothing\n");
        }
        for effect in self.effects.drain(..) {
            text.push_str(&format!("  would {}\n", effect.replace('\n', "\n    ")));
        }
        text
    }

    /// Whether something would be done that was not told yet.
    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }
}

fn run(command: &Command, input: &Input<'_>, output: &Output, literal: bool) -> String {
    let start = Start::new(command, input, output.clone(), literal);
    let mut text = format!("run {}", start.explained());
    if *input != Input::None {
        text.push_str(&format!("\ngiving it {}", lines(input)));
    }
    text
}

fn lines(input: &Input<'_>) -> String {
    match input {
        Input::None => "nothing".to_owned(),
        Input::Lines(lines) => {
            let lines: Vec<_> = lines.iter().map(|line| shown(line.bytes())).collect();
            lines.join("\n")
        }
    }
}
