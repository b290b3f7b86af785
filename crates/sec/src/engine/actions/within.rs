//! Actions that change what the engine holds beside contexts: events, operations, variables, buffers.

use super::At;
use crate::action::{Action, RuleOffset};
use crate::engine::{State, Waiting};
use crate::expression::Value;
use crate::port::{Answer, Argument, Port, Question};
use crate::template::Template;
use crate::text::Text;

impl State {
    /// Actions that change what the engine itself holds.
    pub(super) fn act_within(&mut self, at: At<'_>, action: &Action, port: &mut dyn Port) {
        match action {
            Action::Event { delay, context, text } => {
                let Some(delay) = self.seconds(at, delay, "number of seconds", port) else {
                    return;
                };
                let context = context.as_ref().map(|context| self.bytes(at, context));
                for line in self.fill(at, text).lines() {
                    self.create_event(delay, line.into_bytes(), context.clone());
                }
            }
            Action::Reset { rule, text } => {
                for place in self.operations_at(at, *rule, text) {
                    self.operations.remove(place);
                }
            }
            Action::WindowOf { variable, rule, text } => {
                let window = self
                    .operations_at(at, *rule, text)
                    .first()
                    .and_then(|place| self.operations.get(*place))
                    .map(|one| one.window);
                if let Some(window) = window {
                    self.set_number(variable, window);
                }
            }
            Action::SetWindow { time, rule, text } => {
                let Some(time) = self.seconds(at, time, "time", port) else { return };
                for place in self.operations_at(at, *rule, text) {
                    if let Some(operation) = self
                        .operations
                        .get_mut(place)
                        .filter(|one| (one.window..=self.now).contains(&time))
                    {
                        operation.window = time;
                        self.operations.time(place);
                    }
                }
            }
            Action::Assign { variable, text, quoted } => {
                let text = self.fill(at, text);
                self.set(variable, if *quoted { text.in_single_quotes() } else { text });
            }
            Action::Free(variable) => self.variables.unset(variable),
            Action::Let { variable, expression } => {
                match self.evaluate(expression, at.scene, port) {
                    Value::Undefined => self.variables.unset(variable),
                    value => self.set(variable, value.into_text()),
                }
            }
            Action::Cached { variable, entry } => {
                let entry = self.bytes(at, entry);
                let known = self.cache.iter().any(|(name, _)| name.as_bytes() == entry);
                self.set_number(variable, u8::from(known));
            }
            Action::Rewrite { lines, text } => {
                let Some(count) = self.seconds(at, lines, "number of lines", port) else { return };
                let lines = self.fill(at, text).lines();
                let lines: Vec<&[u8]> = lines.iter().map(Text::bytes).collect();
                self.buffers.rewrite(usize::try_from(count).unwrap_or(usize::MAX), &lines);
            }
            Action::Eval { variable, program } => {
                let program = self.bytes(at, program);
                let answer = port.perl(Question::Run { program, scalar: false }).answer;
                self.take_answer(variable, answer, port);
            }
            Action::Call { variable, function, arguments } => {
                let Some(code) = self.variables.functions.get(function).copied() else {
                    port.log(3, &|| format!("{}: %{function} is no function", at.file.name()));
                    return;
                };
                let arguments = self
                    .arguments(at, arguments)
                    .into_iter()
                    .map(|word| Argument::Bytes(word.into_bytes()))
                    .collect();
                let answer = port.perl(Question::Call { code, arguments, scalar: false }).answer;
                self.take_answer(variable, answer, port);
            }
            Action::CallCode { variable, arguments, code, entries } => {
                let words = self.arguments(at, arguments);
                let answer = if *entries {
                    self.ask_entries(&words, *code, false, port)
                } else {
                    let arguments =
                        words.into_iter().map(|word| Argument::Bytes(word.into_bytes())).collect();
                    Some(port.perl(Question::Call { code: *code, arguments, scalar: false }).answer)
                };
                if let Some(answer) = answer {
                    self.take_answer(variable, answer, port);
                }
            }
            _ => self.act_on_context(at, action, port),
        }
    }

    fn create_event(&mut self, delay: i64, line: Vec<u8>, context: Option<Vec<u8>>) {
        if delay == 0 {
            self.wait(line, context);
        } else if self.delayed.len() >= self.options.limits.events {
            self.statistics.shed += 1;
        } else {
            self.delayed.add(self.now.saturating_add(delay), Waiting { line, context });
        }
    }

    /// The operations that an action names by rule and text.
    fn operations_at(&self, at: At<'_>, rule: RuleOffset, text: &Template) -> Vec<usize> {
        let key = self.fill(at, text);
        let rules = match rule {
            RuleOffset::Any => 0..at.file.rules.len(),
            RuleOffset::Number(number) => number..number + 1,
            RuleOffset::Relative(by) => {
                match i64::try_from(at.rule).ok().and_then(|rule| usize::try_from(rule + by).ok()) {
                    Some(number) => number..number + 1,
                    None => return Vec::new(),
                }
            }
        };
        rules.filter_map(|rule| self.operations.find(at.file, rule, key.bytes())).collect()
    }

    fn arguments(&self, at: At<'_>, templates: &[Template]) -> Vec<Text> {
        let mut words = Vec::new();
        for template in templates {
            let text = self.fill(at, template);
            words.extend(
                text.bytes()
                    .split(u8::is_ascii_whitespace)
                    .filter(|word| !word.is_empty())
                    .map(Text::data),
            );
        }
        words
    }

    fn take_answer(&mut self, variable: &str, answer: Answer, port: &mut dyn Port) {
        match answer {
            Answer::Failed(error) => {
                port.log(3, &|| format!("code for %{variable} failed: {error}"))
            }
            Answer::Values(values) => {
                let all: Vec<Vec<u8>> =
                    values.iter().map(|value| value.clone().unwrap_or_default()).collect();
                match values.as_slice() {
                    [] | [None] => self.variables.unset(variable),
                    _ => self.set(variable, Text::data(all.join(&b'\n'))),
                }
            }
            Answer::Named(_) => self.set(variable, Text::data(&b"HASH"[..])),
            Answer::Function(code) => {
                self.set(variable, Text::data(&b"CODE"[..]));
                self.variables.functions.insert(variable.into(), code);
            }
        }
    }
}
