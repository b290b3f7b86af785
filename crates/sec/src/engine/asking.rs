//! What a rule asks of a line: its pattern, and its context expression.

use std::sync::Arc;

use super::matching::Hit;
use super::{Fields, State};
use crate::context::{Expression, Guard};
use crate::pattern::{Pattern, Test};
use crate::port::{Answer, Argument, Entry, Port, Question};
use crate::rule::{Condition, Rule, RuleFile};
use crate::template::{Template, Values};
use crate::text::Text;
use crate::variables::{Bound, Bytes, Groups, Match};

impl State {
    /// Counts a rule that matched.
    pub(super) fn count(&mut self, file: &RuleFile, rule: usize) {
        self.statistics.matches += 1;
        *self.hits.entry((file.fingerprint, rule)).or_default() += 1;
    }

    /// Whether an event is as a rule wants it.
    pub(super) fn test(
        &mut self,
        rule: &Rule,
        when: &Condition,
        context: Option<&Bytes>,
        fields: Fields<'_>,
        port: &mut dyn Port,
    ) -> Option<Hit> {
        if let Some(guard) = when.context.as_ref().filter(|guard| guard.first)
            && !self.holds(guard, &with_fields(rule, fields), port)
        {
            return None;
        }
        let mut hit = self.find(&when.pattern, context, fields, port)?;
        match (&mut hit, fields) {
            (Some(found), Some(fields)) => add_fields(found, &rule.fields, fields),
            // A pattern without variables leaves expressions the fields.
            (None, _) => hit = with_fields(rule, fields).found,
            (Some(_), None) => {}
        }
        if let Some(guard) = when.context.as_ref().filter(|guard| !guard.first) {
            let bound = self.bound(rule, hit.clone());
            if !self.holds(guard, &bound, port) {
                return None;
            }
        }
        Some(hit)
    }

    /// What the texts of a rule are filled in with.
    pub(super) fn bound(&self, rule: &Rule, hit: Hit) -> Bound {
        let cached = rule
            .cache_entries
            .iter()
            .filter_map(|name| self.cache.iter().find(|(known, _)| known == name).cloned())
            .collect();
        Bound { found: hit, first: None, cached }
    }

    /// Looks for a pattern in the last lines.
    pub(super) fn find(
        &mut self,
        pattern: &Pattern,
        context: Option<&Bytes>,
        fields: Fields<'_>,
        port: &mut dyn Port,
    ) -> Option<Hit> {
        let (found, lines) = match &pattern.test {
            Test::Truth(truth) => return truth.then_some(None),
            Test::Cached(name) => {
                let known = self
                    .cache
                    .iter()
                    .find(|(entry, _)| entry == name)
                    .map(|(_, found)| Arc::clone(found));
                return match (known, pattern.negated) {
                    (Some(found), false) => Some(Some(found)),
                    (None, true) => Some(None),
                    _ => None,
                };
            }
            Test::Substring { lines, finder } => {
                let held = if *lines == 1 {
                    finder.find(self.buffers.last()).is_some()
                } else {
                    finder.find(&self.buffers.lines(*lines)).is_some()
                };
                return (held != pattern.negated).then_some(None);
            }
            Test::Regex { lines, regex } => {
                let found = if *lines == 1 {
                    regex.captures(self.buffers.last())
                } else {
                    regex.captures(&self.buffers.lines(*lines))
                };
                let Ok(found) = found else {
                    self.statistics.overruns += 1;
                    port.log(3, &|| {
                        "an expression took too many steps for a line: it counts as not matching"
                            .to_owned()
                    });
                    return None;
                };
                (found.map(|groups| (groups, Vec::new())), *lines)
            }
            Test::Perl { lines, code } => (self.ask_pattern(*lines, *code, port), *lines),
            Test::Expression(expression) => {
                let mut hit = Match {
                    lines: Some(self.buffers.lines(1)),
                    source: self.source_names(1),
                    context: context.cloned(),
                    ..Match::default()
                };
                for name in expression.fields() {
                    if let Some(value) = fields.and_then(|fields| fields(name)) {
                        hit.set(name, Some(Arc::from(value)));
                    }
                }
                let hit = Arc::new(hit);
                let scene = self.scene(
                    Arc::new(Bound { found: Some(Arc::clone(&hit)), ..Bound::default() }),
                    Text::new(),
                );
                let truth = self.evaluate(expression, &scene, port).is_true();
                return (truth != pattern.negated).then_some(Some(hit));
            }
        };
        let mut hit = match (found, pattern.negated) {
            (Some((groups, others)), false) => {
                Match { groups, names: Arc::clone(&pattern.names), others, ..Match::default() }
            }
            (None, true) => Match::default(),
            _ => return None,
        };
        hit.lines = Some(self.buffers.lines(lines));
        hit.source = self.source_names(lines);
        hit.context = context.cloned();
        let hit = Arc::new(hit);
        for entry in &pattern.entries {
            self.cache.retain(|(known, _)| known != entry);
            self.cache.push((entry.clone(), Arc::clone(&hit)));
        }
        Some(Some(hit))
    }

    /// `$+{_inputsrc}`.
    fn source_names(&self, lines: usize) -> Option<Bytes> {
        let names = self.buffers.sources(lines);
        match names.as_slice() {
            [Some(name)] => Some(Arc::clone(name)),
            names => {
                let names: Vec<&[u8]> =
                    names.iter().map(|name| name.as_deref().unwrap_or(b"synthetic")).collect();
                Some(names.join(&b' ').into())
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "groups and named values of one call")]
    fn ask_pattern(
        &mut self,
        lines: usize,
        code: crate::port::Code,
        port: &mut dyn Port,
    ) -> Option<(Groups, Vec<(Box<str>, Option<Bytes>)>)> {
        let texts = self.buffers.separate(lines).into_iter().map(Argument::Bytes);
        let sources = self.buffers.sources(lines);
        let sources = sources.iter().map(|name| {
            name.as_ref().map_or(Argument::Undefined, |name| Argument::Bytes(name.to_vec()))
        });
        let arguments = texts.chain(sources).collect();
        let shared = |value: Option<Vec<u8>>| value.map(|value| -> Bytes { Arc::from(value) });
        match port.perl(Question::Call { code, arguments, scalar: false }).answer {
            Answer::Values(values) => {
                let truth = match values.as_slice() {
                    [] => false,
                    [one] => one.as_ref().is_some_and(|value| !value.is_empty() && value != b"0"),
                    _ => true,
                };
                truth
                    .then(|| (Groups::Values(values.into_iter().map(shared).collect()), Vec::new()))
            }
            Answer::Named(values) => {
                let named = values.into_iter().map(|(name, value)| {
                    (String::from_utf8_lossy(&name).into_owned().into(), shared(value))
                });
                Some((Groups::None, named.collect()))
            }
            Answer::Function(_) => Some((Groups::None, Vec::new())),
            Answer::Failed(error) => {
                port.log(3, &|| format!("code of a pattern failed: {error}"));
                None
            }
        }
    }

    /// Whether a context expression holds.
    pub(super) fn holds(&mut self, guard: &Guard, values: &Bound, port: &mut dyn Port) -> bool {
        self.expression(&guard.expression, values, port)
    }

    fn expression(&mut self, expression: &Expression, values: &Bound, port: &mut dyn Port) -> bool {
        match expression {
            Expression::Not(inner) => !self.expression(inner, values, port),
            Expression::And(left, right) => {
                self.expression(left, values, port) && self.expression(right, values, port)
            }
            Expression::Or(left, right) => {
                self.expression(left, values, port) || self.expression(right, values, port)
            }
            Expression::Context(name) => match name.constant() {
                Some(name) => self.context_exists(name, port),
                None => self.context_exists(name.expand(values).bytes(), port),
            },
            Expression::Cached(name) => {
                let name = name.expand(values);
                self.cache.iter().any(|(known, _)| known.as_bytes() == name.bytes())
            }
            Expression::Call(arguments, code) => {
                let arguments = words(arguments, values)
                    .into_iter()
                    .map(|word| Argument::Bytes(word.into_bytes()))
                    .collect();
                let reply = port.perl(Question::Call { code: *code, arguments, scalar: true });
                truth(reply.answer, port)
            }
            Expression::CallEntries(names, code) => {
                let names = words(names, values);
                self.ask_entries(&names, *code, true, port)
                    .is_some_and(|answer| truth(answer, port))
            }
            Expression::Holds(expression) => {
                let scene = self.scene(Arc::new(values.clone()), Text::new());
                self.evaluate(expression, &scene, port).is_true()
            }
            Expression::Program(program) => {
                let program = program.expand(values).into_bytes();
                let reply = port.perl(Question::Run { program, scalar: true });
                truth(reply.answer, port)
            }
        }
    }

    /// Calls a function with entries of the match cache, which it may change.
    pub(super) fn ask_entries(
        &mut self,
        names: &[Text],
        code: crate::port::Code,
        scalar: bool,
        port: &mut dyn Port,
    ) -> Option<Answer> {
        let known: Vec<Option<usize>> = names
            .iter()
            .map(|name| self.cache.iter().position(|(known, _)| known.as_bytes() == name.bytes()))
            .collect();
        let arguments = known
            .iter()
            .map(|place| match place.and_then(|place| self.cache.get(place)) {
                Some((_, found)) => Argument::Entry(found.all()),
                None => Argument::Undefined,
            })
            .collect();
        let reply = port.perl(Question::Call { code, arguments, scalar });
        for (place, entry) in known.into_iter().flatten().zip(reply.entries) {
            if let Some((_, found)) = self.cache.get_mut(place) {
                *found = Arc::new(changed(found, entry));
            }
        }
        Some(reply.answer)
    }
}

/// An entry of the match cache as code left it.
fn changed(found: &Match, entry: Entry) -> Match {
    let mut result = found.clone();
    let before = found.all();
    for (name, value) in entry {
        if before.contains(&(name.clone(), value.clone())) {
            continue;
        }
        result.set(&String::from_utf8_lossy(&name), value.map(Arc::from));
    }
    result
}

fn words(templates: &[Template], values: &dyn Values) -> Vec<Text> {
    let mut words = Vec::new();
    for template in templates {
        let text = template.expand(values);
        words.extend(
            text.bytes()
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty())
                .map(Text::data),
        );
    }
    words
}

fn truth(answer: Answer, port: &mut dyn Port) -> bool {
    match answer {
        Answer::Values(values) => {
            matches!(values.last(), Some(Some(value)) if !value.is_empty() && value != b"0")
        }
        Answer::Named(_) | Answer::Function(_) => true,
        Answer::Failed(error) => {
            port.log(3, &|| format!("code of a context expression failed: {error}"));
            false
        }
    }
}

/// The fields of the event that a rule names and nothing else, as before a pattern is tried.
pub(super) fn with_fields(rule: &Rule, fields: Fields<'_>) -> Bound {
    let mut found = None;
    if let Some(fields) = fields.filter(|_| !rule.fields.is_empty()) {
        add_fields(found.insert(Arc::default()), &rule.fields, fields);
    }
    Bound { found, ..Bound::default() }
}

/// Adds the fields of the event that a rule's texts name, where the match has no such variable.
pub(super) fn add_fields(
    found: &mut Arc<Match>,
    names: &[Box<str>],
    fields: &dyn Fn(&str) -> Option<Vec<u8>>,
) {
    for name in names {
        if found.get(&crate::template::Name::Named(name.clone())).is_none()
            && let Some(value) = fields(name)
        {
            Arc::make_mut(found).set(name, Some(Arc::from(value)));
        }
    }
}
