//! Actions (sec(1), "ACTIONS, ACTION LISTS AND ACTION LIST VARIABLES").

mod read;
mod words;

use crate::expression::Expression;
use crate::port::{Code, Signal, Socket};
use crate::rule::ListId;
use crate::template::Template;

pub(crate) use read::Lists;

/// Actions in the order in which they run.
#[derive(Debug, Default)]
pub(crate) struct ActionList {
    pub actions: Vec<Action>,
}

/// A command that a rule runs.
#[derive(Debug)]
pub(crate) enum CommandTemplate {
    /// A line, for a shell where it needs one.
    Line(Template),
    /// A program and its arguments, split when the rule was read.
    Arguments(Vec<Template>),
}

impl CommandTemplate {
    pub(crate) fn templates(&self) -> &[Template] {
        match self {
            Self::Line(line) => std::slice::from_ref(line),
            Self::Arguments(arguments) => arguments,
        }
    }
}

/// What becomes of a command's output.
#[derive(Debug)]
pub(crate) enum Events {
    /// It is ignored.
    None,
    /// Its lines are events, in this internal context.
    In(Option<Template>),
}

/// The operation that an action is about, by its rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleOffset {
    /// Any rule of the file.
    Any,
    /// The rule of the action and so many further.
    Relative(i64),
    /// The rule of this number, from 0.
    Number(usize),
}

/// The name of an action list variable.
pub(crate) type VariableName = Box<str>;

#[derive(Debug)]
pub(crate) enum Action {
    None,
    Log(Template),
    Write { file: Template, text: Template, line: bool },
    WriteClosed { file: Template, text: Template },
    CloseFile(Template),
    Send { socket: Socket, peer: Template, text: Template },
    CloseSocket(Socket, Template),
    Run { command: CommandTemplate, events: Events },
    Pipe { text: Template, command: Option<CommandTemplate> },
    Report { name: Template, command: Option<CommandTemplate> },
    Create { name: Template, lifetime: Option<Template>, list: Option<ListId> },
    Delete(Template),
    Obsolete(Template),
    Set { name: Template, lifetime: Template, list: Option<ListId> },
    Alias { name: Template, alias: Template },
    Unalias(Template),
    Add { name: Template, text: Template, place: Place },
    Copy { name: Template, variable: VariableName },
    Empty { name: Template, variable: Option<VariableName> },
    Pop { name: Template, variable: VariableName },
    Shift { name: Template, variable: VariableName },
    Exists { variable: VariableName, name: Template },
    Size { variable: VariableName, name: Template },
    Aliases { variable: VariableName, name: Template },
    Lifetime { variable: VariableName, name: Template },
    SetLifetime { name: Template, lifetime: Option<Template> },
    Created { variable: VariableName, name: Template },
    SetCreated { time: Template, name: Template },
    Event { delay: Template, context: Option<Template>, text: Template },
    Reset { rule: RuleOffset, text: Template },
    WindowOf { variable: VariableName, rule: RuleOffset, text: Template },
    SetWindow { time: Template, rule: RuleOffset, text: Template },
    Assign { variable: VariableName, text: Template, quoted: bool },
    Free(VariableName),
    Let { variable: VariableName, expression: Box<Expression> },
    Eval { variable: VariableName, program: Template },
    Call { variable: VariableName, function: VariableName, arguments: Vec<Template> },
    CallCode { variable: VariableName, arguments: Vec<Template>, code: Code, entries: bool },
    Rewrite { lines: Template, text: Template },
    AddInput { file: Template, offset: Template, context: Option<Template> },
    DropInput(Template),
    Signal(Template),
    Cached { variable: VariableName, entry: Template },
    If { variable: VariableName, then: ListId, otherwise: Option<ListId> },
    While { variable: VariableName, list: ListId },
    Break,
    Continue,
    Alert(Vec<(String, Template)>),
    Heartbeat { origin: Template, timeout: Option<Template> },
    Notify { channel: Template, text: Template },
}

/// Where in a store a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// `add`.
    End,
    /// `prepend`.
    Start,
    /// `fill`: in place of all.
    Instead,
}

/// A signal by its name.
pub(crate) fn signal(name: &[u8]) -> Option<Signal> {
    Some(match name {
        b"HUP" => Signal::Hup,
        b"ABRT" => Signal::Abrt,
        b"USR1" => Signal::Usr1,
        b"USR2" => Signal::Usr2,
        b"INT" => Signal::Int,
        b"TERM" => Signal::Term,
        _ => return None,
    })
}

impl Action {
    /// The lists within it.
    pub(crate) fn lists(&self) -> impl Iterator<Item = ListId> {
        let both = match self {
            Self::Create { list, .. } | Self::Set { list, .. } => [*list, None],
            Self::If { then, otherwise, .. } => [Some(*then), *otherwise],
            Self::While { list, .. } => [Some(*list), None],
            _ => [None, None],
        };
        both.into_iter().flatten()
    }

    /// Shows all texts in it but those of lists within it.
    pub(crate) fn templates<'a>(&'a self, show: &mut dyn FnMut(&'a Template)) {
        let mut all =
            |texts: &[Option<&'a Template>]| texts.iter().flatten().for_each(|text| show(text));
        match self {
            Self::None
            | Self::Free(_)
            | Self::Let { .. }
            | Self::If { .. }
            | Self::While { .. }
            | Self::Break
            | Self::Continue => {}
            Self::Log(text)
            | Self::CloseFile(text)
            | Self::CloseSocket(_, text)
            | Self::Delete(text)
            | Self::Obsolete(text)
            | Self::Unalias(text)
            | Self::DropInput(text)
            | Self::Signal(text)
            | Self::Reset { text, .. }
            | Self::WindowOf { text, .. }
            | Self::Assign { text, .. }
            | Self::Eval { program: text, .. }
            | Self::Cached { entry: text, .. }
            | Self::Copy { name: text, .. }
            | Self::Empty { name: text, .. }
            | Self::Pop { name: text, .. }
            | Self::Shift { name: text, .. }
            | Self::Exists { name: text, .. }
            | Self::Size { name: text, .. }
            | Self::Aliases { name: text, .. }
            | Self::Lifetime { name: text, .. }
            | Self::Created { name: text, .. } => all(&[Some(text)]),
            Self::Write { file: one, text: other, .. }
            | Self::WriteClosed { file: one, text: other }
            | Self::Send { peer: one, text: other, .. }
            | Self::Alias { name: one, alias: other }
            | Self::Add { name: one, text: other, .. }
            | Self::SetCreated { time: one, name: other }
            | Self::SetWindow { time: one, text: other, .. }
            | Self::Rewrite { lines: one, text: other }
            | Self::Notify { channel: one, text: other }
            | Self::Set { name: one, lifetime: other, .. } => all(&[Some(one), Some(other)]),
            Self::Create { name, lifetime, .. } | Self::SetLifetime { name, lifetime } => {
                all(&[Some(name), lifetime.as_ref()])
            }
            Self::Heartbeat { origin, timeout } => all(&[Some(origin), timeout.as_ref()]),
            Self::Event { delay, context, text } => {
                all(&[Some(delay), context.as_ref(), Some(text)])
            }
            Self::AddInput { file, offset, context } => {
                all(&[Some(file), Some(offset), context.as_ref()])
            }
            Self::Run { command, events } => {
                command.templates().iter().for_each(|text| all(&[Some(text)]));
                if let Events::In(Some(context)) = events {
                    all(&[Some(context)]);
                }
            }
            Self::Pipe { text, command } | Self::Report { name: text, command } => {
                all(&[Some(text)]);
                command
                    .iter()
                    .flat_map(CommandTemplate::templates)
                    .for_each(|text| all(&[Some(text)]));
            }
            Self::Call { arguments, .. } | Self::CallCode { arguments, .. } => {
                arguments.iter().for_each(|text| all(&[Some(text)]));
            }
            Self::Alert(attributes) => attributes.iter().for_each(|(_, text)| all(&[Some(text)])),
        }
    }
}
