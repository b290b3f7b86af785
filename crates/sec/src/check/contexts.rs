//! Contexts and cache entries that rules ask for and nothing makes.

use super::uses::{Source, guards, of_rule, operands};
use super::variables::{actions, entries};
use super::{Warnings, files};
use crate::action::{Action, Events};
use crate::context::Expression;
use crate::pattern::{Pattern, Test};
use crate::rule::{Rule, RuleSet};
use crate::template::Template;

pub(super) fn check(rules: &RuleSet, given: &[&[u8]], warnings: &mut Warnings) {
    let created = files(rules).flat_map(|(_, file)| actions(file)).flat_map(creates).map(shape);
    let made: Vec<Shape> = created.chain(given.iter().map(|name| Shape::whole(name))).collect();
    let cached: Vec<&str> =
        files(rules).flat_map(|(_, file)| file.rules()).flat_map(entries).collect();
    for (at, file) in files(rules) {
        for rule in file.rules() {
            for guard in guards(rule) {
                operands(&guard.expression, &mut |operand| {
                    let message = match operand {
                        Expression::Context(name) => asked(&shape(name), &made),
                        Expression::Cached(entry) => entry.constant().and_then(|entry| {
                            let entry = String::from_utf8_lossy(entry);
                            (!cached.contains(&&*entry)).then(|| no_entry(&entry))
                        }),
                        _ => None,
                    };
                    if let Some(message) = message {
                        warnings.about((at, file), rule, message);
                    }
                });
            }
            for one in of_rule(file, rule) {
                let Source::Expression(expression) = one.source else { continue };
                for name in expression.contexts() {
                    if let Some(message) = asked(&Shape::whole(name), &made) {
                        warnings.about((at, file), rule, message);
                    }
                }
            }
            for entry in patterns(rule).filter_map(|pattern| match &pattern.test {
                Test::Cached(entry) => Some(entry),
                _ => None,
            }) {
                if !cached.contains(&&**entry) {
                    warnings.about((at, file), rule, no_entry(entry));
                }
            }
        }
    }
}

fn patterns(rule: &Rule) -> impl Iterator<Item = &Pattern> {
    let second = match rule.second() {
        Some(crate::pattern::Second::Fixed(pattern)) => Some(&**pattern),
        _ => None,
    };
    rule.conditions().chain(second)
}

pub(super) fn no_entry(entry: &str) -> String {
    format!("no rule puts a match into the cache as `{entry}`: add `{entry}` to the varmap of one")
}

/// What is wrong with asking for a context, if nothing makes one of this name.
fn asked(name: &Shape, made: &[Shape]) -> Option<String> {
    // Of the program itself: of internal events, of inputs.
    let internal = name.start.starts_with(b"_") || name.start == b"SEC_INTERNAL_EVENT";
    let anything = name.start.is_empty() && !name.whole;
    if internal || anything || made.iter().any(|made| made.may_be(name)) {
        return None;
    }
    let shown = String::from_utf8_lossy(&name.start);
    let name = if name.whole {
        format!("`{shown}`")
    } else {
        format!("a context whose name begins with `{shown}`")
    };
    Some(format!(
        "no rule creates {name}: create it, or name it with --input=FILE=CONTEXT if lines of a file are meant"
    ))
}

/// The names of contexts that an action makes.
fn creates(action: &Action) -> Vec<&Template> {
    match action {
        Action::Create { name, .. } | Action::Add { name, .. } | Action::Set { name, .. } => {
            vec![name]
        }
        Action::Alias { alias, .. } => vec![alias],
        Action::Run { events: Events::In(Some(name)), .. } => vec![name],
        Action::Event { context, .. } | Action::AddInput { context, .. } => {
            context.iter().collect()
        }
        _ => Vec::new(),
    }
}

/// What is certain of a name: how it begins and ends.
struct Shape {
    start: Vec<u8>,
    end: Vec<u8>,
    /// It is all that, and nothing else.
    whole: bool,
}

fn shape(name: &Template) -> Shape {
    if let Some(constant) = name.constant() {
        return Shape::whole(constant);
    }
    // A sign that no name holds stands for any value.
    let text = super::shell::marked(name, &|_| true);
    let mut pieces = text.pieces().peekable();
    let start = pieces.peek().filter(|(_, kind)| kind.is_none()).map(|(bytes, _)| bytes.to_vec());
    let end = pieces.last().filter(|(_, kind)| kind.is_none()).map(|(bytes, _)| bytes.to_vec());
    Shape { start: start.unwrap_or_default(), end: end.unwrap_or_default(), whole: false }
}

impl Shape {
    fn whole(name: &[u8]) -> Self {
        Self { start: name.to_vec(), end: name.to_vec(), whole: true }
    }

    /// Whether two names may be the same for some values.
    fn may_be(&self, other: &Self) -> bool {
        match (self.whole, other.whole) {
            (true, true) => self.start == other.start,
            (false, true) => self.fits(&other.start),
            (true, false) => other.fits(&self.start),
            (false, false) => {
                let starts =
                    self.start.starts_with(&other.start) || other.start.starts_with(&self.start);
                starts && (self.end.ends_with(&other.end) || other.end.ends_with(&self.end))
            }
        }
    }

    fn fits(&self, name: &[u8]) -> bool {
        name.len() >= self.start.len() + self.end.len()
            && name.starts_with(&self.start)
            && name.ends_with(&self.end)
    }
}
