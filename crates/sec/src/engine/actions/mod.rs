//! Actions run: what reaches the outside is done here.

mod contexts;
mod within;

use std::sync::Arc;

use super::State;
use super::lists::View;
use crate::action::{Action, CommandTemplate, Events, signal};
use crate::port::{Alert, Command, Effect, Input, Offset, Output, Port};
use crate::rule::{ListId, RuleFile};
use crate::template::Template;
use crate::text::Text;
use crate::variables::Scene;

/// How an action list goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    Break,
    Continue,
}

/// The rule whose actions run.
#[derive(Clone, Copy)]
struct At<'a> {
    file: &'a Arc<RuleFile>,
    rule: usize,
    scene: &'a Scene,
}

impl State {
    /// Runs an action list of a rule.
    pub(super) fn run(
        &mut self,
        file: &Arc<RuleFile>,
        rule: usize,
        list: ListId,
        scene: &Scene,
        port: &mut dyn Port,
    ) {
        self.list(At { file, rule, scene }, list, port);
    }

    fn list(&mut self, at: At<'_>, list: ListId, port: &mut dyn Port) -> Flow {
        for action in &at.file.list(list).actions {
            self.statistics.actions += 1;
            let flow = match action {
                Action::If { variable, then, otherwise } => {
                    let branch =
                        if self.variables.is_true(variable) { Some(*then) } else { *otherwise };
                    branch.map_or(Flow::On, |list| self.list(at, list, port))
                }
                Action::While { variable, list } => {
                    self.rounds(at, variable, *list, port);
                    Flow::On
                }
                Action::Break => Flow::Break,
                Action::Continue => Flow::Continue,
                action => {
                    self.act(at, action, port);
                    Flow::On
                }
            };
            if flow != Flow::On {
                return flow;
            }
        }
        Flow::On
    }

    fn rounds(&mut self, at: At<'_>, variable: &str, list: ListId, port: &mut dyn Port) {
        let mut rounds = 0;
        while self.variables.is_true(variable) {
            if self.list(at, list, port) == Flow::Break {
                return;
            }
            rounds += 1;
            if rounds >= self.options.limits.rounds {
                self.statistics.shed += 1;
                port.log(2, &|| {
                    format!("{}: a while went round {rounds} times and was ended", at.file.name())
                });
                return;
            }
        }
    }

    fn view<'a>(&'a self, scene: &'a Scene) -> View<'a> {
        View {
            scene,
            variables: &self.variables,
            now: self.now,
            time_zone: &self.options.time_zone,
            quoted: false,
        }
    }

    fn fill(&self, at: At<'_>, template: &Template) -> Text {
        let mut text = template.expand(&self.view(at.scene));
        if text.bytes().len() > self.options.limits.text {
            let mut cut = Text::new();
            cut.push_part(&text, 0..self.options.limits.text);
            text = cut;
        }
        text
    }

    fn bytes(&self, at: At<'_>, template: &Template) -> Vec<u8> {
        self.fill(at, template).into_bytes()
    }

    /// A command with values in it.
    pub(super) fn command(&self, command: &CommandTemplate, scene: &Scene) -> Command {
        let mut view = self.view(scene);
        match command {
            CommandTemplate::Line(line) => {
                view.quoted = self.options.quoting;
                Command::Line(line.expand(&view))
            }
            CommandTemplate::Arguments(arguments) => Command::Arguments(
                arguments.iter().map(|argument| argument.expand(&view)).collect(),
            ),
        }
    }

    /// A number of seconds.
    fn seconds(
        &self,
        at: At<'_>,
        template: &Template,
        what: &str,
        port: &mut dyn Port,
    ) -> Option<i64> {
        let text = self.bytes(at, template);
        let number = number(&text);
        if number.is_none() {
            port.log(3, &|| {
                format!("{}: `{}` is no {what}", at.file.name(), String::from_utf8_lossy(&text))
            });
        }
        number
    }

    fn set(&mut self, name: &str, value: Text) {
        if !self.variables.set(name, value, self.options.limits.variables) {
            self.statistics.shed += 1;
        }
    }

    fn set_number(&mut self, name: &str, value: impl ToString) {
        self.set(name, Text::trusted(value.to_string()));
    }

    fn act(&mut self, at: At<'_>, action: &Action, port: &mut dyn Port) {
        match action {
            Action::None
            | Action::If { .. }
            | Action::While { .. }
            | Action::Break
            | Action::Continue => {}
            Action::Log(text) => {
                let text = self.bytes(at, text);
                port.effect(Effect::Log(&text));
            }
            Action::Write { file, text, line } => {
                let file = self.bytes(at, file);
                let mut text = self.bytes(at, text);
                if *line {
                    text.push(b'\n');
                }
                port.effect(Effect::Write { file: &file, text: &text });
            }
            Action::WriteClosed { file, text } => {
                let (file, text) = (self.bytes(at, file), self.bytes(at, text));
                port.effect(Effect::WriteClosed { file: &file, text: &text });
            }
            Action::CloseFile(file) => port.effect(Effect::CloseFile(&self.bytes(at, file))),
            Action::Send { socket, peer, text } => {
                let (peer, text) = (self.bytes(at, peer), self.bytes(at, text));
                port.effect(Effect::Send { socket: *socket, peer: &peer, text: &text });
            }
            Action::CloseSocket(socket, peer) => {
                port.effect(Effect::CloseSocket(*socket, &self.bytes(at, peer)))
            }
            Action::Run { command, events } => {
                let output = match events {
                    Events::None => Output::Ignored,
                    Events::In(context) => {
                        Output::Events(context.as_ref().map(|context| self.bytes(at, context)))
                    }
                };
                let command = Some(self.command(command, at.scene));
                port.effect(Effect::Run { command, input: Input::None, output });
            }
            Action::Pipe { text, command } => {
                let text = [Arc::new(self.fill(at, text))];
                let command = command.as_ref().map(|command| self.command(command, at.scene));
                port.effect(Effect::Run {
                    command,
                    input: Input::Lines(&text),
                    output: Output::Ignored,
                });
            }
            Action::Report { name, command } => {
                let name = self.bytes(at, name);
                let Some(context) =
                    self.contexts.find(&name).and_then(|place| self.contexts.get(place))
                else {
                    return;
                };
                if context.store.is_empty() {
                    return;
                }
                let lines: Vec<_> = context.store.iter().cloned().collect();
                let command = command.as_ref().map(|command| self.command(command, at.scene));
                port.effect(Effect::Run {
                    command,
                    input: Input::Lines(&lines),
                    output: Output::Ignored,
                });
            }
            Action::AddInput { file, offset, context } => {
                let (file, offset) = (self.bytes(at, file), self.bytes(at, offset));
                let context = context.as_ref().map(|context| self.bytes(at, context));
                let offset = match offset.as_slice() {
                    b"-" => Offset::End,
                    text => match number(text) {
                        Some(number) => Offset::At(number.unsigned_abs()),
                        None => {
                            port.log(3, &|| {
                                format!("{}: an offset is a number or -", at.file.name())
                            });
                            return;
                        }
                    },
                };
                port.effect(Effect::AddInput { file: &file, offset, context: context.as_deref() });
            }
            Action::DropInput(file) => port.effect(Effect::DropInput(&self.bytes(at, file))),
            Action::Signal(name) => {
                let name = self.bytes(at, name);
                match signal(&name) {
                    Some(signal) => port.effect(Effect::Signal(signal)),
                    None => port.log(3, &|| {
                        format!(
                            "{}: `{}` is no signal",
                            at.file.name(),
                            String::from_utf8_lossy(&name)
                        )
                    }),
                }
            }
            Action::Alert(attributes) => {
                let attributes = attributes
                    .iter()
                    .map(|(name, value)| (name.clone(), self.bytes(at, value)))
                    .collect();
                port.effect(Effect::Alert(Alert {
                    attributes,
                    rule: (at.file.name().to_owned(), at.rule),
                }));
            }
            Action::Heartbeat { origin, timeout } => {
                let origin = self.bytes(at, origin);
                let timeout = timeout
                    .as_ref()
                    .and_then(|timeout| number(&self.bytes(at, timeout)))
                    .map(i64::unsigned_abs);
                port.effect(Effect::Heartbeat { origin: &origin, timeout });
            }
            Action::Notify { channel, text } => {
                let (channel, text) = (self.bytes(at, channel), self.bytes(at, text));
                port.effect(Effect::Notify { channel: &channel, text: &text });
            }
            _ => self.act_within(at, action, port),
        }
    }
}

/// An unsigned number that a text says.
fn number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    (!text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())?
}
