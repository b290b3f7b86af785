//! What rules do, done: the engine's port.

use bergfried_sec::Port;
use bergfried_sec::port::{
    Answer, Command, Effect, Input, Offset, Output, Question, Reply, Signal,
};
use bergfried_sec::text::Text;

use crate::children::{Children, Limits, Start, Told};
use crate::explain::Explanation;
use crate::hub::Hub;
use crate::inputs::shown;
use crate::log::{Log, level};
use crate::options::Options;
use crate::outputs::{Files, Sockets, Stdout};
use crate::perl::Perl;

/// What rules ask of the inputs.
#[derive(Debug)]
pub(crate) enum InputChange {
    /// `addinput`: where reading starts, none is the end, and the internal context.
    Add(Vec<u8>, Option<u64>, Option<Vec<u8>>),
    /// `dropinput`.
    Drop(Vec<u8>),
}

/// Everything outside the engine.
pub(crate) struct World {
    /// The log.
    pub(crate) log: Log,
    /// Standard output.
    pub(crate) stdout: Stdout,
    /// Files that rules write.
    pub(crate) files: Files,
    /// Sockets that rules send to.
    pub(crate) sockets: Sockets,
    /// Commands.
    pub(crate) children: Children,
    /// Where alerts go.
    pub(crate) hub: Hub,
    /// The helper that runs code in Perl, where that is wanted.
    pub(crate) perl: Option<Perl>,
    /// What code in Perl ended the program with.
    pub(crate) ended: Option<i32>,
    /// What is only told instead of done, where that is wanted.
    pub(crate) explanation: Option<Explanation>,
    /// What commands said and how they ended, for the engine.
    pub(crate) told: Vec<Told>,
    /// What rules asked of the inputs.
    pub(crate) changes: Vec<InputChange>,
    /// Signals that rules emulated.
    pub(crate) signals: Vec<Signal>,
    literal_shell: bool,
}

impl World {
    /// A world as the options want it.
    pub(crate) fn new(options: &Options, log: Log, hub: Hub, perl: Option<Perl>) -> Self {
        Self {
            log,
            stdout: Stdout::new(!options.tail),
            files: Files::default(),
            sockets: Sockets::new(options.socket_timeout),
            children: Children::new(Limits::default()),
            hub,
            perl,
            ended: None,
            explanation: options.explain.then(Explanation::default),
            told: Vec::new(),
            changes: Vec::new(),
            signals: Vec::new(),
            literal_shell: options.literal_shell,
        }
    }

    /// Closes outputs; they are opened again where rules write.
    pub(crate) fn close_outputs(&mut self) {
        self.files.close_all();
        self.sockets.close_all();
    }

    /// Goes on with what waits to be written.
    pub(crate) fn flush(&mut self) {
        self.stdout.flush(&mut self.log);
        self.files.flush();
        self.sockets.flush(&mut self.log);
    }

    /// Gives commands what they read and takes what they say.
    pub(crate) fn poll_children(&mut self) {
        let told = &mut self.told;
        self.children.poll(&mut |one| told.push(one));
    }

    /// Starts a command.
    pub(crate) fn run(&mut self, command: &Command, input: &Input<'_>, output: Output) {
        let start = Start::new(command, input, output, self.literal_shell);
        let shown = self.log.wants(level::INFORMATION).then(|| start.shown().to_owned());
        let told = &mut self.told;
        let process = self.children.start(start, &mut |one| told.push(one));
        if let (Some(process), Some(shown)) = (process, shown) {
            let text = format!("child {process} created for command '{shown}'");
            self.log.say(level::INFORMATION, &text);
        }
    }

    /// Runs the script of `--timeout-script` for an input.
    pub(crate) fn run_timeout_script(&mut self, script: &[u8], is_silent: bool, input: &[u8]) {
        let mut line = Text::trusted(script);
        line.push_trusted(if is_silent { b" 1 " } else { b" 0 " });
        line.push_data(input);
        self.run(&Command::Line(line), &Input::None, Output::Ignored);
    }

    fn debug(&mut self, message: impl FnOnce() -> String) {
        if self.log.wants(level::DEBUG) {
            self.log.say(level::DEBUG, &message());
        }
    }
}

impl Port for World {
    fn effect(&mut self, effect: Effect<'_>) {
        if let Some(explanation) = &mut self.explanation {
            explanation.effect(&effect, self.literal_shell);
            return;
        }
        match effect {
            Effect::Log(text) => {
                if self.log.wants(level::NOTICE) {
                    self.log.say(level::NOTICE, &shown(text));
                }
            }
            Effect::Write { file, text } => {
                self.debug(|| format!("writing event '{}' to file '{}'", event(text), shown(file)));
                if file == b"-" {
                    self.stdout.write(text, &mut self.log);
                } else {
                    self.files.write(file, text, &mut self.log);
                }
            }
            Effect::WriteClosed { file, text } => {
                self.debug(|| format!("writing event '{}' to file '{}'", event(text), shown(file)));
                if file == b"-" {
                    self.stdout.write(text, &mut self.log);
                } else {
                    self.files.write_closed(file, text, &mut self.log);
                }
            }
            Effect::CloseFile(file) => {
                self.debug(|| format!("closing file '{}'", shown(file)));
                self.files.close(file, &mut self.log);
            }
            Effect::Send { socket, peer, text } => {
                self.debug(|| format!("sending event '{}' to '{}'", event(text), shown(peer)));
                self.sockets.send(socket, peer, text, &mut self.log);
            }
            Effect::CloseSocket(socket, peer) => {
                self.debug(|| format!("closing socket '{}'", shown(peer)));
                self.sockets.close(socket, peer, &mut self.log);
            }
            Effect::Run { command: Some(command), input, output } => {
                self.run(&command, &input, output);
            }
            Effect::Run { command: None, input, .. } => {
                if let Input::Lines(lines) = input {
                    let mut text = Vec::new();
                    for line in lines {
                        text.extend_from_slice(line.bytes());
                        text.push(b'\n');
                    }
                    self.stdout.write(&text, &mut self.log);
                }
            }
            Effect::AddInput { file, offset, context } => {
                let offset = match offset {
                    Offset::End => None,
                    Offset::At(offset) => Some(offset),
                };
                let context = context.map(<[u8]>::to_vec);
                self.changes.push(InputChange::Add(file.to_vec(), offset, context));
            }
            Effect::DropInput(file) => self.changes.push(InputChange::Drop(file.to_vec())),
            Effect::Signal(signal) => self.signals.push(signal),
            Effect::Alert(alert) => self.hub.alert(&alert, &mut self.log),
            Effect::Heartbeat { origin, timeout } => {
                self.hub.heartbeat(origin, timeout, &mut self.log);
            }
            Effect::Notify { channel, text } => self.hub.notify(channel, text, &mut self.log),
        }
    }

    fn log(&mut self, level: u8, message: &dyn Fn() -> String) {
        if self.log.wants(level) {
            self.log.say(level, &message());
        }
    }

    fn perl(&mut self, question: Question) -> Reply {
        let Some(perl) = &mut self.perl else {
            let answer = Answer::Failed("code in Perl needs --perl".to_owned());
            return Reply { answer, entries: Vec::new() };
        };
        let reply = perl.ask(question, &mut self.log);
        if let Some(code) = perl.ended() {
            self.ended = Some(code);
            self.signals.push(Signal::Term);
        }
        reply
    }
}

/// An event for a message.
fn event(text: &[u8]) -> String {
    shown(text.strip_suffix(b"\n").unwrap_or(text))
}
