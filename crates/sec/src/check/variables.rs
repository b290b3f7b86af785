//! Variables that nothing sets.

use std::collections::HashSet;

use super::uses::{Known, Place, Source, Use, of_rule};
use super::{Warnings, files};
use crate::action::{Action, VariableName};
use crate::rule::{Rule, RuleFile, RuleSet};
use crate::template::{Name, Variable};

pub(super) fn check(rules: &RuleSet, warnings: &mut Warnings) {
    let there = There {
        assigned: assigned(rules),
        entries: files(rules).flat_map(|(_, file)| file.rules()).flat_map(entries).collect(),
    };
    for (at, file) in files(rules) {
        for rule in file.rules() {
            for one in of_rule(file, rule) {
                for variable in one.source.variables() {
                    if let Some(problem) = there.problem(variable, &one, rule) {
                        warnings.about((at, file), rule, problem);
                    }
                }
                for problem in stays(&one) {
                    warnings.about((at, file), rule, problem);
                }
            }
        }
    }
}

/// What any rule gives a value to.
struct There<'r> {
    /// Variables of action lists.
    assigned: HashSet<&'r str>,
    /// Names in the match cache.
    entries: HashSet<&'r str>,
}

impl There<'_> {
    /// Why a variable never has a value, if it has none.
    fn problem(&self, variable: &Variable, one: &Use<'_>, rule: &Rule) -> Option<String> {
        match variable {
            Variable::Match(name) => {
                let why = match (&one.source, without(&one.found)) {
                    // In a text its name would stay as it is written.
                    (Source::Expression(_), Some(why)) => format!("has no value: {why}"),
                    _ => unset(name, &one.found, rule)?,
                };
                Some(format!("`${}` {why}", shown(name)))
            }
            Variable::First(name) => {
                let why = unset(name, one.first.as_ref()?, rule)?;
                Some(format!("`%{}` {why}", shown(name)))
            }
            Variable::Cached(entry, _) => {
                (!self.entries.contains(&**entry)).then(|| super::contexts::no_entry(entry))
            }
            Variable::List(name) if self.assigned.contains(&**name) || is_built_in(name) => None,
            Variable::List(name) => Some(match one.source {
                Source::Expression(_) => format!("`%{name}` is never assigned: assign it"),
                Source::Text(_) => format!(
                    "`%{name}` is never assigned and becomes nothing: assign it, or write %%{name} if the text is meant"
                ),
            }),
        }
    }
}

/// Why there are no match variables, if there are none.
const fn without(known: &Known) -> Option<&'static str> {
    match known {
        Known::Nothing => Some("the pattern sets no variables, a RegExp pattern would"),
        Known::Early => {
            Some("a context in brackets is asked for before the pattern, one without is not")
        }
        Known::Groups { .. } | Known::Anything => None,
    }
}

/// What is said of match variables in a text that has none. In a command line they may be meant for
/// the shell or for awk.
fn stays(one: &Use<'_>) -> Vec<String> {
    let (Source::Text(text), Some(why)) = (one.source, without(&one.found)) else {
        return Vec::new();
    };
    if one.place == Place::Command {
        return Vec::new();
    }
    let names = text.literals().filter_map(written);
    names.map(|name| format!("`{name}` stays as it is written: {why}")).collect()
}

/// Names under which a rule caches its matches.
pub(super) fn entries(rule: &Rule) -> impl Iterator<Item = &str> {
    let second = match rule.second() {
        Some(crate::pattern::Second::Fixed(pattern)) => pattern.entries.as_slice(),
        Some(crate::pattern::Second::Made { fields, .. }) => fields.entries.as_slice(),
        None => &[],
    };
    rule.conditions().flat_map(|pattern| &pattern.entries).chain(second).map(|entry| &**entry)
}

/// Why a match variable is never set, if it is not.
fn unset(name: &Name, known: &Known, rule: &Rule) -> Option<String> {
    let Known::Groups { count, names, one } = known else { return None };
    match name {
        Name::Number(0) => None,
        Name::Number(number) if number <= count || (*number == 1 && *count == 0 && *one) => None,
        Name::Number(_) => {
            let has = match count {
                0 if *one => "the pattern has no group".to_owned(),
                0 => "the pattern sets no groups".to_owned(),
                1 => "the pattern has one group".to_owned(),
                many => format!("the pattern has {many} groups"),
            };
            Some(format!(
                "is never set, {has}: add the group, or write the sign twice if the text is meant"
            ))
        }
        Name::Named(name) => {
            let built_in = matches!(&**name, "_inputsrc" | "_intcontext");
            let there = built_in || names.contains(name) || rule.fields.contains(name);
            (!there).then(|| {
                "is never set: no group of the pattern and no name of its varmap is called so"
                    .to_owned()
            })
        }
    }
}

fn shown(name: &Name) -> String {
    match name {
        Name::Number(number) => number.to_string(),
        Name::Named(name) => format!("+{{{name}}}"),
    }
}

/// The first match variable as a text names it.
fn written(text: &[u8]) -> Option<String> {
    let at = memchr::memchr_iter(b'$', text).find(|at| {
        let rest = text.get(at + 1..).unwrap_or_default();
        rest.first().is_some_and(u8::is_ascii_digit) || rest.starts_with(b"+{")
    })?;
    let rest = text.get(at..)?;
    let length = match rest.get(1) {
        Some(b'+') => memchr::memchr(b'}', rest)? + 1,
        _ => 1 + rest.iter().skip(1).take_while(|byte| byte.is_ascii_digit()).count(),
    };
    Some(String::from_utf8_lossy(rest.get(..length)?).into_owned())
}

/// Variables of action lists that have a value without being assigned (sec(1)).
pub(super) fn is_built_in(name: &str) -> bool {
    matches!(name, "s" | "t" | "u") || name.starts_with('.')
}

/// The variable that an action gives a value to.
pub(super) fn assigns(action: &Action) -> Option<&VariableName> {
    match action {
        Action::Assign { variable, .. }
        | Action::Eval { variable, .. }
        | Action::Let { variable, .. }
        | Action::Call { variable, .. }
        | Action::CallCode { variable, .. }
        | Action::Copy { variable, .. }
        | Action::Pop { variable, .. }
        | Action::Shift { variable, .. }
        | Action::Exists { variable, .. }
        | Action::Size { variable, .. }
        | Action::Aliases { variable, .. }
        | Action::Lifetime { variable, .. }
        | Action::Created { variable, .. }
        | Action::WindowOf { variable, .. }
        | Action::Cached { variable, .. } => Some(variable),
        Action::Empty { variable, .. } => variable.as_ref(),
        _ => None,
    }
}

fn assigned(rules: &RuleSet) -> HashSet<&str> {
    files(rules)
        .flat_map(|(_, file)| actions(file))
        .filter_map(assigns)
        .map(|name| &**name)
        .collect()
}

/// All actions of a file.
pub(super) fn actions(file: &RuleFile) -> impl Iterator<Item = &Action> {
    file.lists.iter().flat_map(|list| &list.actions)
}
