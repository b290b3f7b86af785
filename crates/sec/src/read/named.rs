//! What the texts of a rule name beyond its own match: kept with a match for as long as it is needed.

use crate::action::{Action, ActionList};
use crate::context::{Expression, Guard};
use crate::pattern::Second;
use crate::rule::{Kind, ListId, Rule};
use crate::template::{Name, Template, Variable};

/// Notes which cache entries and fields the texts of a rule name, so that they are kept with a match.
pub(super) fn note(rule: &mut Rule, lists: &[ActionList], fields: bool) {
    let mut templates: Vec<&Template> = Vec::new();
    let mut actions: Vec<ListId> = Vec::new();
    let mut guards: Vec<&Guard> = Vec::new();
    match &rule.kind {
        Kind::Single { when, description, action }
        | Kind::Suppressed { when, description, action, .. } => {
            templates.push(description);
            actions.push(*action);
            guards.extend(&when.context);
        }
        Kind::Script { when, description, command, action, action2 } => {
            templates.push(description);
            templates.extend(command.templates());
            actions.push(*action);
            actions.extend(action2);
            guards.extend(&when.context);
        }
        Kind::Threshold { when, description, action, action2, .. } => {
            templates.push(description);
            actions.push(*action);
            actions.extend(action2);
            guards.extend(&when.context);
        }
        Kind::TwoThresholds(rule) => {
            templates.extend([&rule.description, &rule.description2]);
            actions.extend([rule.action, rule.action2]);
            guards.extend(&rule.when.context);
        }
        Kind::Pair(pair) => {
            templates.extend([&pair.description, &pair.description2]);
            if let Second::Made { template, .. } = &pair.second.pattern {
                templates.push(template);
            }
            actions.extend([pair.action, pair.action2]);
            guards.extend(&pair.when.context);
            guards.extend(&pair.second.context);
        }
        Kind::Group(group) => {
            templates.push(&group.texts.description);
            templates.extend(group.members.iter().filter_map(|member| member.token.as_ref()));
            actions.extend(group.texts.lists());
            actions.extend(group.members.iter().filter_map(|member| member.count));
            guards.extend(group.members.iter().filter_map(|member| member.when.context.as_ref()));
        }
        Kind::Jump { when, sets } => {
            templates.extend(sets);
            guards.extend(&when.context);
        }
        Kind::Suppress { when } => guards.extend(&when.context),
        Kind::Calendar { action, .. } => actions.push(*action),
    }
    let mut entries: Vec<Box<str>> = Vec::new();
    let mut named: Vec<Box<str>> = Vec::new();
    let mut note = |variable: &Variable| match variable {
        Variable::Cached(entry, _) if !entries.contains(entry) => entries.push(entry.clone()),
        Variable::Match(Name::Named(name)) | Variable::First(Name::Named(name))
            if fields && !named.contains(name) =>
        {
            named.push(name.clone());
        }
        _ => {}
    };
    templates.iter().flat_map(|template| template.variables()).for_each(&mut note);
    for guard in &guards {
        guard.expression.templates(&mut |template| template.variables().for_each(&mut note));
    }
    let mut expressions = Vec::new();
    for guard in &guards {
        guard.expression.expressions(&mut |expression| expressions.push(expression));
    }
    while let Some(id) = actions.pop() {
        for action in lists.get(id).map(|list| list.actions.as_slice()).unwrap_or_default() {
            action.templates(&mut |template| template.variables().for_each(&mut note));
            actions.extend(action.lists());
            if let Action::Let { expression, .. } = action {
                expressions.push(expression);
            }
        }
    }
    expressions.iter().flat_map(|expression| expression.variables()).for_each(&mut note);
    for field in expressions.iter().flat_map(|expression| expression.fields()) {
        if !named.iter().any(|known| **known == *field) {
            named.push(field.into());
        }
    }
    rule.cache_entries = entries;
    rule.fields = named;
}

impl Expression {
    /// Shows all expressions in it.
    fn expressions<'e>(&'e self, show: &mut dyn FnMut(&'e crate::expression::Expression)) {
        match self {
            Self::Not(inner) => inner.expressions(show),
            Self::And(left, right) | Self::Or(left, right) => {
                left.expressions(show);
                right.expressions(show);
            }
            Self::Holds(expression) => show(expression),
            _ => {}
        }
    }

    /// Shows all texts in it.
    fn templates<'e>(&'e self, show: &mut dyn FnMut(&'e Template)) {
        match self {
            Self::Not(inner) => inner.templates(show),
            Self::And(left, right) | Self::Or(left, right) => {
                left.templates(show);
                right.templates(show);
            }
            Self::Context(text) | Self::Cached(text) | Self::Program(text) => show(text),
            Self::Call(texts, _) | Self::CallEntries(texts, _) => texts.iter().for_each(show),
            Self::Holds(_) => {}
        }
    }
}
