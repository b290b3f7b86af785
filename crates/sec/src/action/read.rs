//! Action lists read. Actions are split at semicolons outside parentheses; quotes protect nothing.

use super::words::{parenthesised, rule_offset, split, variable_name, word, words};
use super::{Action, ActionList, CommandTemplate, Events, Place, RuleOffset, VariableName};
use crate::port::Socket;
use crate::read::{Compiler, unmasked, without_parentheses};
use crate::rule::ListId;
use crate::template::{Rounds, Template};

/// How deep lists may be within each other.
const DEPTH: usize = 32;
/// The attributes of an alert that a rule may give.
const ALERT: [&str; 10] = [
    "severity",
    "resource",
    "event",
    "environment",
    "service",
    "group",
    "value",
    "timeout",
    "tags",
    "text",
];

/// Where lists of a file are gathered.
pub(crate) struct Lists<'l, 'a, 'b> {
    /// The number of the first list of `made`.
    pub first: usize,
    pub made: &'l mut Vec<ActionList>,
    pub rounds: Rounds,
    pub compiler: &'l mut Compiler<'a, 'b>,
}

impl Lists<'_, '_, '_> {
    /// Reads a list and those within it.
    pub(crate) fn read(&mut self, text: &[u8]) -> Result<ListId, String> {
        self.list(text, 0)
    }

    fn list(&mut self, text: &[u8], depth: usize) -> Result<ListId, String> {
        if depth > DEPTH {
            return Err(format!("more than {DEPTH} action lists within each other"));
        }
        let mut actions = Vec::new();
        let parts = split(text)?;
        let last = parts.len();
        for (at, part) in parts.into_iter().enumerate() {
            let part = part.trim_ascii();
            if part.is_empty() {
                if at + 1 == last && last > 1 {
                    break;
                }
                return Err("an action is missing between semicolons".to_owned());
            }
            actions.push(self.action(part, depth)?);
        }
        self.made.push(ActionList { actions });
        Ok(self.first + self.made.len() - 1)
    }

    fn text(&self, text: &[u8]) -> Template {
        Template::new(&unmasked(text), self.rounds)
    }

    /// A name or a number, which may stand in parentheses as every text may.
    fn name(&self, text: &[u8]) -> Template {
        self.text(without_parentheses(text))
    }

    /// A text that may stand in parentheses; `%s` where there is none.
    fn string(&self, text: &[u8]) -> Template {
        let text = text.trim_ascii();
        let text = without_parentheses(text).trim_ascii();
        self.text(if text.is_empty() { b"%s" } else { text })
    }

    /// A text between quotes, the blanks at its ends among it.
    fn quoted(&self, text: &[u8]) -> Template {
        let bare = text.trim_ascii();
        if text.is_empty() || without_parentheses(bare).len() < bare.len() {
            return self.string(text);
        }
        self.text(text)
    }

    fn action(&mut self, text: &[u8], depth: usize) -> Result<Action, String> {
        let (keyword, rest) = word(text);
        let keyword = String::from_utf8_lossy(keyword).to_ascii_lowercase();
        let wrong = |what: &str| format!("`{keyword}` {what}");
        let one = |lists: &Self| -> Result<Template, String> {
            let (name, more) = word(rest);
            if !more.is_empty() {
                return Err(wrong("takes one word"));
            }
            Ok(lists.string(name))
        };
        let named = |lists: &Self| -> Result<(Template, Template), String> {
            let (name, more) = word(rest);
            if name.is_empty() {
                return Err(wrong("needs a name"));
            }
            Ok((lists.name(name), lists.string(more)))
        };
        let name_and_variable = |lists: &Self| -> Result<(Template, VariableName), String> {
            match words(rest).as_slice() {
                [name, variable] => Ok((
                    lists.name(name),
                    variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?,
                )),
                _ => Err(wrong("takes a context and a %variable")),
            }
        };
        let variable_and_name = |lists: &Self| -> Result<(VariableName, Template), String> {
            match words(rest).as_slice() {
                [variable, name] => Ok((
                    variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?,
                    lists.name(name),
                )),
                _ => Err(wrong("takes a %variable and a name")),
            }
        };
        Ok(match keyword.as_str() {
            "none" if rest.is_empty() => Action::None,
            "logonly" => Action::Log(self.string(rest)),
            "write" | "writen" => {
                let (file, text) = named(self)?;
                Action::Write { file, text, line: keyword == "write" }
            }
            "owritecl" => {
                let (file, text) = named(self)?;
                Action::WriteClosed { file, text }
            }
            "closef" if !rest.is_empty() => Action::CloseFile(one(self)?),
            "udgram" | "ustream" | "udpsock" | "tcpsock" => {
                let (peer, text) = named(self)?;
                let socket = socket(&keyword);
                Action::Send { socket, peer, text }
            }
            "closeudgr" | "closeustr" | "closeudp" | "closetcp" if !rest.is_empty() => {
                Action::CloseSocket(socket(&keyword), one(self)?)
            }
            "shellcmd" | "cmdexec" | "spawn" | "spawnexec" => Action::Run {
                command: self
                    .command(rest, !keyword.ends_with("exec"))
                    .ok_or_else(|| wrong("needs a command"))?,
                events: if keyword.starts_with("spawn") { Events::In(None) } else { Events::None },
            },
            "cspawn" | "cspawnexec" => {
                let (name, command) = word(rest);
                Action::Run {
                    command: self
                        .command(command, keyword == "cspawn")
                        .ok_or_else(|| wrong("needs a name and a command"))?,
                    events: Events::In(Some(self.name(name))),
                }
            }
            "pipe" | "pipeexec" => {
                let inner = rest
                    .strip_prefix(b"'")
                    .ok_or_else(|| wrong("needs a text in single quotes"))?;
                let end = memchr::memchr(b'\'', inner)
                    .ok_or_else(|| wrong("needs a text in single quotes"))?;
                let (text, command) = inner.split_at(end);
                let command = command.get(1..).unwrap_or_default();
                if command.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    return Err(wrong("needs a blank behind its text"));
                }
                Action::Pipe {
                    text: self.quoted(text),
                    command: self.command(command, keyword == "pipe"),
                }
            }
            "report" | "reportexec" => {
                let (name, command) = word(rest);
                if name.is_empty() {
                    return Err(wrong("needs a context"));
                }
                Action::Report {
                    name: self.name(name),
                    command: self.command(command, keyword == "report"),
                }
            }
            "create" => {
                let (name, rest) = word(rest);
                let (lifetime, list) = word(rest);
                Action::Create {
                    name: self.string(name),
                    lifetime: (!lifetime.is_empty()).then(|| self.name(lifetime)),
                    list: self.inner(list, depth)?,
                }
            }
            "set" => {
                let (name, rest) = word(rest);
                let (lifetime, list) = word(rest);
                if lifetime.is_empty() {
                    return Err(wrong("needs a context and a lifetime"));
                }
                Action::Set {
                    name: self.name(name),
                    lifetime: self.name(lifetime),
                    list: self.inner(list, depth)?,
                }
            }
            "delete" => Action::Delete(one(self)?),
            "obsolete" => Action::Obsolete(one(self)?),
            "unalias" => Action::Unalias(one(self)?),
            "alias" => {
                let (name, alias) = word(rest);
                if name.is_empty() || !word(alias).1.is_empty() {
                    return Err(wrong("takes a context and an alias"));
                }
                Action::Alias { name: self.name(name), alias: self.string(alias) }
            }
            "add" | "prepend" | "fill" => {
                let (name, text) = named(self)?;
                let place = match keyword.as_str() {
                    "add" => Place::End,
                    "prepend" => Place::Start,
                    _ => Place::Instead,
                };
                Action::Add { name, text, place }
            }
            "copy" => {
                let (name, variable) = name_and_variable(self)?;
                Action::Copy { name, variable }
            }
            "pop" => {
                let (name, variable) = name_and_variable(self)?;
                Action::Pop { name, variable }
            }
            "shift" => {
                let (name, variable) = name_and_variable(self)?;
                Action::Shift { name, variable }
            }
            "empty" if words(rest).len() == 1 => {
                Action::Empty { name: self.name(rest), variable: None }
            }
            "empty" => {
                let (name, variable) = name_and_variable(self)?;
                Action::Empty { name, variable: Some(variable) }
            }
            "exists" => {
                let (variable, name) = variable_and_name(self)?;
                Action::Exists { variable, name }
            }
            "getsize" => {
                let (variable, name) = variable_and_name(self)?;
                Action::Size { variable, name }
            }
            "getaliases" => {
                let (variable, name) = variable_and_name(self)?;
                Action::Aliases { variable, name }
            }
            "getltime" => {
                let (variable, name) = variable_and_name(self)?;
                Action::Lifetime { variable, name }
            }
            "getctime" => {
                let (variable, name) = variable_and_name(self)?;
                Action::Created { variable, name }
            }
            "varset" => {
                let (variable, entry) = variable_and_name(self)?;
                Action::Cached { variable, entry }
            }
            "setltime" => match words(rest).as_slice() {
                [name] => Action::SetLifetime { name: self.name(name), lifetime: None },
                [name, lifetime] => Action::SetLifetime {
                    name: self.name(name),
                    lifetime: Some(self.name(lifetime)),
                },
                _ => return Err(wrong("takes a context and a lifetime")),
            },
            "setctime" => match words(rest).as_slice() {
                [time, name] => Action::SetCreated { time: self.name(time), name: self.name(name) },
                _ => return Err(wrong("takes a time and a context")),
            },
            "event" => {
                let (delay, text) = word(rest);
                let (delay, text) = if !delay.is_empty() && delay.iter().all(u8::is_ascii_digit) {
                    (delay, text)
                } else {
                    (&b"0"[..], rest)
                };
                Action::Event { delay: self.name(delay), context: None, text: self.string(text) }
            }
            "tevent" => {
                let (delay, text) = named(self)?;
                Action::Event { delay, context: None, text }
            }
            "cevent" => {
                let (context, rest) = word(rest);
                let (delay, text) = word(rest);
                if delay.is_empty() {
                    return Err(wrong("needs a name and a time"));
                }
                Action::Event {
                    delay: self.name(delay),
                    context: Some(self.name(context)),
                    text: self.string(text),
                }
            }
            "reset" => {
                let (first, text) = word(rest);
                match rule_offset(first) {
                    Some(rule) => Action::Reset { rule, text: self.string(text) },
                    None => Action::Reset { rule: RuleOffset::Any, text: self.string(rest) },
                }
            }
            "getwpos" | "setwpos" => {
                let (subject, rest) = word(rest);
                let (offset, text) = word(rest);
                let rule =
                    rule_offset(offset).ok_or_else(|| wrong("needs the number of a rule"))?;
                let text = self.string(text);
                if keyword == "getwpos" {
                    Action::WindowOf {
                        variable: variable_name(subject)
                            .ok_or_else(|| wrong("needs a %variable"))?,
                        rule,
                        text,
                    }
                } else {
                    Action::SetWindow { time: self.name(subject), rule, text }
                }
            }
            "assign" | "assignsq" => {
                let (variable, text) = word(rest);
                Action::Assign {
                    variable: variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?,
                    text: self.string(text),
                    quoted: keyword == "assignsq",
                }
            }
            "free" => Action::Free(variable_name(rest).ok_or_else(|| wrong("needs a %variable"))?),
            "let" => {
                let (variable, expression) = word(rest);
                Action::Let {
                    variable: variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?,
                    // Its backslashes are its own, as of regular expressions.
                    expression: Box::new(self.compiler.expression(expression)?),
                }
            }
            "eval" => {
                let (variable, program) = word(rest);
                let program = without_parentheses(program);
                self.compiler.program(&unmasked(program))?;
                Action::Eval {
                    variable: variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?,
                    program: self.text(program),
                }
            }
            "call" => {
                let all = words(rest);
                let [variable, function, arguments @ ..] = all.as_slice() else {
                    return Err(wrong("needs a %variable and a %function"));
                };
                self.compiler.program(rest)?;
                Action::Call {
                    variable: variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?,
                    function: variable_name(function).ok_or_else(|| wrong("needs a %function"))?,
                    arguments: arguments.iter().map(|argument| self.text(argument)).collect(),
                }
            }
            "lcall" => self.call_code(rest).map_err(|error| wrong(&format!(": {error}")))?,
            "rewrite" => {
                let (lines, text) = named(self)?;
                Action::Rewrite { lines, text }
            }
            "addinput" => {
                let all = words(rest);
                let (file, offset, context) = match all.as_slice() {
                    [file] => (file, &b"-"[..], None),
                    [file, offset] => (file, *offset, None),
                    [file, offset, context] => (file, *offset, Some(*context)),
                    _ => return Err(wrong("takes a file, an offset and a context")),
                };
                Action::AddInput {
                    file: self.name(file),
                    offset: self.name(offset),
                    context: context.map(|context| self.name(context)),
                }
            }
            "dropinput" if !rest.is_empty() => Action::DropInput(one(self)?),
            "sigemul" if !rest.is_empty() => Action::Signal(one(self)?),
            "if" => {
                let (variable, rest) = word(rest);
                let variable = variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?;
                let length = parenthesised(rest)
                    .ok_or_else(|| wrong("needs an action list in parentheses"))?;
                let (then, rest) = rest.split_at(length);
                let then = self.list(without_parentheses(then), depth + 1)?;
                if rest.first().is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    return Err(wrong("needs a blank behind its list"));
                }
                let (keyword_else, otherwise) = word(rest);
                let otherwise = match keyword_else.to_ascii_lowercase().as_slice() {
                    b"" => None,
                    b"else" if parenthesised(otherwise) == Some(otherwise.len()) => {
                        Some(self.list(without_parentheses(otherwise), depth + 1)?)
                    }
                    _ => {
                        return Err(wrong(
                            "has something else than `else ( actions )` behind its list",
                        ));
                    }
                };
                Action::If { variable, then, otherwise }
            }
            "while" => {
                let (variable, rest) = word(rest);
                let variable = variable_name(variable).ok_or_else(|| wrong("needs a %variable"))?;
                if parenthesised(rest) != Some(rest.len()) {
                    return Err(wrong("needs an action list in parentheses"));
                }
                Action::While { variable, list: self.list(without_parentheses(rest), depth + 1)? }
            }
            "break" if rest.is_empty() => Action::Break,
            "continue" if rest.is_empty() => Action::Continue,
            "alert" => Action::Alert(self.alert(rest).map_err(|error| wrong(&error))?),
            "heartbeat" => match words(rest).as_slice() {
                [origin] => Action::Heartbeat { origin: self.text(origin), timeout: None },
                [origin, timeout] => Action::Heartbeat {
                    origin: self.text(origin),
                    timeout: Some(self.text(timeout)),
                },
                _ => return Err(wrong("takes an origin and, perhaps, seconds")),
            },
            "notify" => {
                let (channel, text) = named(self)?;
                Action::Notify { channel, text }
            }
            _ => {
                return Err(format!(
                    "`{}` is no action",
                    String::from_utf8_lossy(text.get(..text.len().min(60)).unwrap_or_default())
                ));
            }
        })
    }

    fn call_code(&mut self, rest: &[u8]) -> Result<Action, String> {
        let (variable, rest) = word(rest);
        let variable = variable_name(variable).ok_or("it needs a %variable")?;
        let found = [(&b"->"[..], false), (&b":>"[..], true)]
            .into_iter()
            .filter_map(|(sign, entries)| memchr::memmem::find(rest, sign).map(|at| (at, entries)))
            .min();
        let (at, entries) = found.ok_or("it needs -> or :> and a function")?;
        let (arguments, code) = rest.split_at(at);
        let code = without_parentheses(code.get(2..).unwrap_or_default().trim_ascii());
        let code = self.compiler.function(&unmasked(code), &unmasked(rest))?;
        let arguments = words(without_parentheses(arguments.trim_ascii()))
            .iter()
            .map(|argument| self.text(argument))
            .collect();
        Ok(Action::CallCode { variable, arguments, code, entries })
    }

    fn alert(&self, mut rest: &[u8]) -> Result<Vec<(String, Template)>, String> {
        let mut attributes: Vec<(String, Template)> = Vec::new();
        while !rest.is_empty() {
            let at = memchr::memchr(b'=', rest).ok_or("takes key=value")?;
            let (key, value) = rest.split_at(at);
            let key = String::from_utf8_lossy(key.trim_ascii()).into_owned();
            if !ALERT.contains(&key.as_str())
                && key.strip_prefix("attributes.").is_none_or(str::is_empty)
            {
                return Err(format!("knows no `{key}`: {}, attributes.NAME", ALERT.join(", ")));
            }
            if attributes.iter().any(|(known, _)| *known == key) {
                return Err(format!("says `{key}` twice"));
            }
            let value = value.get(1..).unwrap_or_default();
            let (value, more) = if key == "text" {
                (value, &b""[..])
            } else if let Some(length) = parenthesised(value) {
                value.split_at(length)
            } else {
                value
                    .split_at(value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len()))
            };
            attributes.push((key, self.text(without_parentheses(value.trim_ascii()))));
            rest = more.trim_ascii_start();
        }
        match attributes.iter().any(|(key, _)| key == "severity") {
            true => Ok(attributes),
            false => Err("needs severity=…".to_owned()),
        }
    }

    fn command(&self, text: &[u8], shell: bool) -> Option<CommandTemplate> {
        CommandTemplate::new(without_parentheses(text.trim_ascii()), shell, self.rounds)
    }

    fn inner(&mut self, text: &[u8], depth: usize) -> Result<Option<ListId>, String> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Ok(None);
        }
        self.list(without_parentheses(text), depth + 1).map(Some)
    }
}

impl CommandTemplate {
    /// Reads a command; nothing where there is none.
    pub(crate) fn new(text: &[u8], shell: bool, rounds: Rounds) -> Option<Self> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return None;
        }
        Some(if shell {
            Self::Line(Template::new(&unmasked(text), rounds))
        } else {
            Self::Arguments(
                words(text).iter().map(|word| Template::new(&unmasked(word), rounds)).collect(),
            )
        })
    }
}

fn socket(keyword: &str) -> Socket {
    match keyword {
        "udgram" | "closeudgr" => Socket::UnixDatagram,
        "ustream" | "closeustr" => Socket::UnixStream,
        "udpsock" | "closeudp" => Socket::Udp,
        _ => Socket::Tcp,
    }
}
