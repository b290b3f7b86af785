//! The texts of a rule, and which variables each of them may see.

use std::rc::Rc;

use crate::action::{Action, CommandTemplate};
use crate::context::{Expression, Guard};
use crate::expression;
use crate::pattern::{Pattern, Second, Test};
use crate::rule::{Condition, Kind, ListId, Rule, RuleFile};
use crate::template::{Template, Values, Variable};
use crate::text::Text;

/// What is known of the variables that a match sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    /// The pattern sets none, so that their names stay in texts as they stand.
    Nothing,
    /// The text is read before the pattern is tried: a context in brackets.
    Early,
    /// These and no others.
    Groups {
        /// `$1` to this one.
        count: usize,
        /// `$+{name}`.
        names: Vec<Box<str>>,
        /// Whether `$1` is 1 where there are no groups.
        one: bool,
    },
    /// What code or a cache entry has.
    Anything,
}

/// One text of a rule.
pub(super) struct Use<'r> {
    pub source: Source<'r>,
    /// What `$` variables are of.
    pub found: Rc<Known>,
    /// What `%1` and `%+{name}` are of, where they are anything.
    pub first: Option<Rc<Known>>,
    pub place: Place,
}

/// A text with variables in it, or an expression.
#[derive(Clone, Copy)]
pub(super) enum Source<'r> {
    Text(&'r Template),
    Expression(&'r expression::Expression),
}

impl<'r> Source<'r> {
    pub(super) fn variables(self) -> Vec<&'r Variable> {
        match self {
            Self::Text(text) => text.variables().collect(),
            Self::Expression(expression) => expression.variables(),
        }
    }
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A command line, or an argument of a command.
    Command,
    /// Any other part of an action.
    Action,
    /// A description, a context, a token, the name of a set.
    Other,
}

impl Known {
    pub(super) fn of(pattern: &Pattern) -> Self {
        match (&pattern.test, pattern.negated) {
            (Test::Regex { regex, .. }, false) => {
                let count = regex.groups();
                let there = pattern.names.iter().filter(|(_, number)| *number <= count.max(1));
                Self::Groups {
                    count,
                    names: there.map(|(name, _)| name.clone()).collect(),
                    one: true,
                }
            }
            (Test::Regex { .. } | Test::Perl { .. }, true) => {
                Self::Groups { count: 0, names: Vec::new(), one: false }
            }
            (Test::Perl { .. }, false) | (Test::Cached(_), false) => Self::Anything,
            // The line, where it came from, and fields.
            (Test::Expression(_), _) => Self::Groups { count: 0, names: Vec::new(), one: false },
            (Test::Cached(_), true) | (Test::Substring { .. } | Test::Truth(_), _) => Self::Nothing,
        }
    }

    /// What is known where any of several patterns may have matched.
    fn any_of(all: impl Iterator<Item = Self>) -> Self {
        let mut together = Self::Nothing;
        for known in all {
            together = match (together, known) {
                (Self::Anything, _) | (_, Self::Anything) => Self::Anything,
                (Self::Nothing | Self::Early, other) | (other, Self::Nothing | Self::Early) => {
                    other
                }
                (
                    Self::Groups { count, mut names, one },
                    Self::Groups { count: more, names: others, one: also },
                ) => {
                    names.extend(others);
                    Self::Groups { count: count.max(more), names, one: one || also }
                }
            };
        }
        together
    }
}

/// A value that stands for any.
struct Sample;

impl Values for Sample {
    fn push(&self, _: &Variable, to: &mut Text) {
        to.push_data(b"1");
    }
}

/// What is known of a pair's second match.
pub(super) fn known_second(second: &Second) -> Known {
    match second {
        Second::Fixed(pattern) => Known::of(pattern),
        Second::Made { .. } => match second.made(&Sample) {
            Some(Ok(pattern)) => Known::of(&pattern),
            _ => Known::Anything,
        },
    }
}

/// All texts of a rule, those of action lists within it too.
pub(super) fn of_rule<'r>(file: &'r RuleFile, rule: &'r Rule) -> Vec<Use<'r>> {
    let mut all = Gather { file, uses: Vec::new() };
    match &rule.kind {
        Kind::Single { when, description, action }
        | Kind::Suppressed { when, description, action, .. } => {
            let known = all.condition(when);
            all.other(description, &known);
            all.list(*action, &known, None);
        }
        Kind::Script { when, description, command, action, action2 } => {
            let known = all.condition(when);
            all.other(description, &known);
            all.command(command, &known, None);
            for list in std::iter::once(action).chain(action2) {
                all.list(*list, &known, None);
            }
        }
        Kind::Threshold { when, description, action, action2, .. } => {
            let known = all.condition(when);
            all.other(description, &known);
            for list in std::iter::once(action).chain(action2) {
                all.list(*list, &known, None);
            }
        }
        Kind::TwoThresholds(rule) => {
            let known = all.condition(&rule.when);
            all.other(&rule.description, &known);
            all.other(&rule.description2, &known);
            all.list(rule.action, &known, None);
            all.list(rule.action2, &known, None);
        }
        Kind::Pair(pair) => {
            let first = all.condition(&pair.when);
            all.other(&pair.description, &first);
            all.list(pair.action, &first, None);
            if let Second::Made { template, .. } = &pair.second.pattern {
                all.other(template, &first);
            }
            let second = Rc::new(known_second(&pair.second.pattern));
            // With both setting variables, `$1` is the second's; otherwise of the one that sets any.
            let (known, before) = match (&*first, &*second) {
                (_, Known::Nothing) => (first, None),
                (Known::Nothing, _) => (second, None),
                _ => (second, Some(first)),
            };
            if let Some(context) = &pair.second.context {
                all.guard(context, &known, before.as_ref());
            }
            let description = Source::Text(&pair.description2);
            all.add(description, &known, before.as_ref(), Place::Other);
            all.list(pair.action2, &known, before.as_ref());
        }
        Kind::Group(group) => {
            let mut each = Vec::new();
            for member in &group.members {
                let known = all.condition(&member.when);
                if let Some(token) = &member.token {
                    all.other(token, &known);
                }
                if let Some(list) = member.count {
                    all.list(list, &known, None);
                }
                each.push(Known::clone(&known));
            }
            let known = Rc::new(Known::any_of(each.into_iter()));
            all.other(&group.texts.description, &known);
            for list in group.texts.lists() {
                all.list(list, &known, None);
            }
        }
        Kind::Suppress { when } => drop(all.condition(when)),
        Kind::Jump { when, sets } => {
            let known = all.condition(when);
            for set in sets {
                all.other(set, &known);
            }
        }
        Kind::Calendar { context, description, action, .. } => {
            let known = Rc::new(Known::Nothing);
            if let Some(context) = context {
                all.guard(context, &known, None);
            }
            all.other(description, &known);
            all.list(*action, &known, None);
        }
    }
    all.uses
}

struct Gather<'r> {
    file: &'r RuleFile,
    uses: Vec<Use<'r>>,
}

impl<'r> Gather<'r> {
    fn add(
        &mut self,
        source: Source<'r>,
        found: &Rc<Known>,
        first: Option<&Rc<Known>>,
        place: Place,
    ) {
        self.uses.push(Use { source, found: Rc::clone(found), first: first.cloned(), place });
    }

    fn other(&mut self, text: &'r Template, found: &Rc<Known>) {
        self.add(Source::Text(text), found, None, Place::Other);
    }

    fn condition(&mut self, when: &'r Condition) -> Rc<Known> {
        let known = Rc::new(Known::of(&when.pattern));
        if let Test::Expression(expression) = &when.pattern.test {
            // Of the line itself there is `$0` alone.
            self.add(Source::Expression(expression), &known, None, Place::Other);
        }
        if let Some(context) = &when.context {
            self.guard(context, &known, None);
        }
        known
    }

    fn guard(&mut self, guard: &'r Guard, found: &Rc<Known>, first: Option<&Rc<Known>>) {
        let found = if guard.first { &Rc::new(Known::Early) } else { found };
        let mut sources = Vec::new();
        operands(&guard.expression, &mut |operand| match operand {
            Expression::Context(text) | Expression::Cached(text) | Expression::Program(text) => {
                sources.push(Source::Text(text));
            }
            Expression::Call(many, _) | Expression::CallEntries(many, _) => {
                sources.extend(many.iter().map(Source::Text));
            }
            Expression::Holds(expression) => sources.push(Source::Expression(expression)),
            Expression::Not(_) | Expression::And(..) | Expression::Or(..) => {}
        });
        for source in sources {
            self.add(source, found, first, Place::Other);
        }
    }

    fn command(
        &mut self,
        command: &'r CommandTemplate,
        found: &Rc<Known>,
        first: Option<&Rc<Known>>,
    ) {
        for text in command.templates() {
            self.add(Source::Text(text), found, first, Place::Command);
        }
    }

    fn list(&mut self, id: ListId, found: &Rc<Known>, first: Option<&Rc<Known>>) {
        for action in each_action(self.file, id) {
            if let Action::Let { expression, .. } = action {
                self.add(Source::Expression(expression), found, first, Place::Action);
            }
            let mut texts = Vec::new();
            action.templates(&mut |text| texts.push(text));
            let command = command(action);
            for text in texts {
                let own = command.filter(|command| {
                    command.templates().iter().any(|part| std::ptr::eq(part, text))
                });
                let place = if own.is_some() { Place::Command } else { Place::Action };
                self.add(Source::Text(text), found, first, place);
            }
        }
    }
}

/// The command of an action, if it runs one.
fn command(action: &Action) -> Option<&CommandTemplate> {
    match action {
        Action::Run { command, .. } => Some(command),
        Action::Pipe { command, .. } | Action::Report { command, .. } => command.as_ref(),
        _ => None,
    }
}

/// The actions of a list and of the lists within it.
pub(super) fn each_action(file: &RuleFile, id: ListId) -> Vec<&Action> {
    let mut waiting = vec![id];
    let mut actions = Vec::new();
    while let Some(id) = waiting.pop() {
        for action in &file.list(id).actions {
            actions.push(action);
            waiting.extend(action.lists());
        }
    }
    actions
}

/// The contexts that a rule asks for: the expressions, in its order.
pub(super) fn guards(rule: &Rule) -> Vec<&Guard> {
    match &rule.kind {
        Kind::Single { when, .. }
        | Kind::Script { when, .. }
        | Kind::Suppressed { when, .. }
        | Kind::Threshold { when, .. }
        | Kind::Suppress { when }
        | Kind::Jump { when, .. } => when.context.iter().collect(),
        Kind::TwoThresholds(rule) => rule.when.context.iter().collect(),
        Kind::Pair(pair) => pair.when.context.iter().chain(&pair.second.context).collect(),
        Kind::Group(group) => {
            group.members.iter().filter_map(|member| member.when.context.as_ref()).collect()
        }
        Kind::Calendar { context, .. } => context.iter().collect(),
    }
}

/// Calls a function for each operand of a context expression.
pub(super) fn operands<'e>(expression: &'e Expression, call: &mut dyn FnMut(&'e Expression)) {
    match expression {
        Expression::Not(inner) => operands(inner, call),
        Expression::And(left, right) | Expression::Or(left, right) => {
            operands(left, call);
            operands(right, call);
        }
        operand => call(operand),
    }
}

/// The commands that a rule runs.
pub(super) fn commands<'r>(file: &'r RuleFile, rule: &'r Rule) -> Vec<&'r CommandTemplate> {
    let script = match &rule.kind {
        Kind::Script { command, .. } => Some(command),
        _ => None,
    };
    let actions = rule.lists().into_iter().flat_map(|list| each_action(file, list));
    script.into_iter().chain(actions.filter_map(command)).collect()
}
