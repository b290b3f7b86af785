//! Why a predicate holds for an event or does not: every atom, what it asks and what it saw.
//!
//! Walks as [`Predicate::matches`] does, but stops nowhere, and makes text for people; for the few
//! events that somebody asks about, never for each.

use bergfried_event::{Event, Value};

use crate::evaluate::{any_value, in_original, is_added_by_store, with_value};
use crate::predicate::{Condition, Predicate, Target};
use crate::show::visible;

/// The most characters of a value that an explanation shows.
const SHOWN: usize = 160;

/// The most values of a list that an explanation shows.
const SHOWN_VALUES: usize = 8;

/// A predicate over one event, node by node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Whether this node held.
    pub held: bool,
    /// What the node is.
    pub node: Node,
}

/// What a node of an [`Explanation`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Holds for every event, or for none.
    Constant,
    /// Holds where all of these do.
    All(Vec<Explanation>),
    /// Holds where any of these does.
    Any(Vec<Explanation>),
    /// Holds where at least so many of these do.
    AtLeast(usize, Vec<Explanation>),
    /// Holds where this does not.
    Not(Box<Explanation>),
    /// One question about one value.
    Atom {
        /// The question in words, such as `CommandLine contains 'whoami'`.
        asked: String,
        /// The value that answered it: cut, with control characters escaped, or `absent`.
        saw: String,
    },
}

impl Predicate {
    /// Says of every node whether it holds for the event, and what its atoms saw.
    pub fn explain(&self, event: &Event<'_>) -> Explanation {
        let all = |inner: &[Predicate]| -> Vec<Explanation> {
            inner.iter().map(|predicate| predicate.explain(event)).collect()
        };
        match self {
            Predicate::Constant(truth) => Explanation { held: *truth, node: Node::Constant },
            Predicate::And(inner) => {
                let inner = all(inner);
                Explanation { held: inner.iter().all(|one| one.held), node: Node::All(inner) }
            }
            Predicate::Or(inner) => {
                let inner = all(inner);
                Explanation { held: inner.iter().any(|one| one.held), node: Node::Any(inner) }
            }
            Predicate::AtLeast(needed, inner) => {
                let inner = all(inner);
                let held = inner.iter().filter(|one| one.held).count() >= *needed;
                Explanation { held, node: Node::AtLeast(*needed, inner) }
            }
            Predicate::Not(inner) => {
                let inner = inner.explain(event);
                Explanation { held: !inner.held, node: Node::Not(Box::new(inner)) }
            }
            Predicate::Atom(target, condition) => {
                let saw = match target {
                    Target::Field(name) => {
                        with_value(event, name, condition, |value| value.map(shown))
                            .unwrap_or_else(|| "absent".to_owned())
                    }
                    Target::Anything => match keyword(event, condition) {
                        Some((name, value)) => format!("{} {value}", visible(name, SHOWN)),
                        None => format!("none of {} values", event.fields().len() + 1),
                    },
                };
                let node = Node::Atom { asked: self.to_string(), saw };
                Explanation { held: self.matches(event), node }
            }
        }
    }

    /// The fields and values for which the event meets this predicate: those of the atoms that
    /// held, without those under a `not`; none where the predicate does not hold.
    ///
    /// At most `pairs`, no pair twice, each value cut to `characters`.
    pub fn evidence(
        &self,
        event: &Event<'_>,
        pairs: usize,
        characters: usize,
    ) -> Vec<(String, String)> {
        let mut evidence = Evidence { event, pairs, characters, found: Vec::new() };
        evidence.collect(self);
        evidence.found
    }
}

struct Evidence<'e> {
    event: &'e Event<'e>,
    pairs: usize,
    characters: usize,
    found: Vec<(String, String)>,
}

impl Evidence<'_> {
    /// Whether the predicate holds; what shows it is added.
    fn collect(&mut self, predicate: &Predicate) -> bool {
        let before = self.found.len();
        if before >= self.pairs {
            return predicate.matches(self.event);
        }
        match predicate {
            Predicate::And(all) => {
                let holds = all.iter().all(|predicate| self.collect(predicate));
                if !holds {
                    self.found.truncate(before);
                }
                holds
            }
            Predicate::Or(any) => self.count(any) > 0,
            Predicate::AtLeast(needed, choices) => {
                let holds = self.count(choices) >= *needed;
                if !holds {
                    self.found.truncate(before);
                }
                holds
            }
            Predicate::Constant(_) | Predicate::Not(_) => predicate.matches(self.event),
            Predicate::Atom(target, condition) => {
                let holds = predicate.matches(self.event);
                if holds {
                    self.add(target, condition);
                }
                holds
            }
        }
    }

    /// How many of these hold; every one is tried, for each may show something.
    fn count(&mut self, any: &[Predicate]) -> usize {
        any.iter().filter(|predicate| self.collect(predicate)).count()
    }

    fn add(&mut self, target: &Target, condition: &Condition) {
        let (event, characters) = (self.event, self.characters);
        let text = |value: &Value<'_>| {
            let text = deciding(value, condition, event).to_text();
            text.chars().take(characters).collect::<String>()
        };
        let pair = match target {
            Target::Field(name) => with_value(event, name, condition, |value| value.map(text))
                .map(|text| (name.as_str().to_owned(), text)),
            Target::Anything => place(event, condition).map(|place| match place {
                Some((name, value)) => (name.to_owned(), text(value)),
                None => (ORIGINAL.to_owned(), text(&Value::from(event.original()))),
            }),
        };
        if let Some(pair) = pair
            && !self.found.contains(&pair)
        {
            self.found.push(pair);
        }
    }
}

const ORIGINAL: &str = bergfried_event::Field::EventOriginal.name();

/// The value of a list that meets the condition; any other value stands for itself.
fn deciding<'v, 'a>(
    value: &'v Value<'a>,
    condition: &Condition,
    event: &Event<'_>,
) -> &'v Value<'a> {
    match value {
        Value::List(values) => {
            let found = values.iter().find(|value| any_value(value, condition, event));
            found.map_or(value, |value| deciding(value, condition, event))
        }
        value => value,
    }
}

/// Where a keyword was found: a field, `Some(None)` for the raw text, `None` for nowhere.
fn place<'e>(
    event: &'e Event<'e>,
    condition: &Condition,
) -> Option<Option<(&'e str, &'e Value<'e>)>> {
    let field = event
        .fields()
        .iter()
        .filter(|(name, _)| !is_added_by_store(name))
        .find(|(_, value)| any_value(value, condition, event));
    match field {
        Some((name, value)) => Some(Some((name.as_str(), value))),
        None => in_original(event, condition).then_some(None),
    }
}

fn keyword<'e>(event: &'e Event<'e>, condition: &Condition) -> Option<(&'e str, String)> {
    place(event, condition).map(|place| match place {
        Some((name, value)) => (name, shown(value)),
        None => (ORIGINAL, shown(&Value::from(event.original()))),
    })
}

/// A value as an explanation shows it.
fn shown(value: &Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => format!("'{}'", visible(text, SHOWN)),
        Value::List(values) => {
            let mut parts: Vec<String> = values.iter().take(SHOWN_VALUES).map(shown).collect();
            if values.len() > SHOWN_VALUES {
                parts.push(format!("… {} more", values.len() - SHOWN_VALUES));
            }
            format!("[{}]", parts.join(", "))
        }
        other => visible(&other.to_text(), SHOWN),
    }
}

#[cfg(test)]
mod tests {
    use bergfried_event::{Field, FieldName, Timestamp};

    use super::*;
    use crate::pattern::Pattern;

    fn event() -> Event<'static> {
        let mut event = Event::new(Timestamp::from_seconds(0), "raw whoami line");
        event.set_named(FieldName::new("CommandLine"), format!("whoami \u{1b}{}", "x".repeat(400)));
        event.set(Field::EventCategory, Value::List(vec!["session".into(), "iam".into()]));
        event.set(Field::SourcePort, 22);
        event.set(Field::EventReason, Value::Null);
        event
    }

    fn has(name: &'static str, text: &str) -> Predicate {
        let pattern = Pattern::with_wildcards(text, false);
        Predicate::field(FieldName::new(name), Condition::Text(pattern))
    }

    fn keyword(text: &str) -> Predicate {
        let pattern = Pattern::literal(text).anywhere();
        Predicate::Atom(Target::Anything, Condition::Text(pattern))
    }

    fn saw(predicate: &Predicate) -> (bool, String) {
        let explanation = predicate.explain(&event());
        match explanation.node {
            Node::Atom { saw, .. } => (explanation.held, saw),
            node => panic!("{node:?} is no atom"),
        }
    }

    #[test]
    fn atoms_say_what_they_saw() {
        let (held, text) = saw(&has("CommandLine", "whoami*"));
        assert!(held && text.starts_with(r"'whoami \u{1b}xxx") && text.ends_with("x…'"), "{text}");
        assert!(text.chars().count() < SHOWN + 20, "{text}");
        for (predicate, held, expected) in [
            (has("source.port", "22"), true, "22"),
            (has("source.port", "23"), false, "22"),
            (has("event.category", "iam"), true, "['session', 'iam']"),
            (has("event.reason", "x"), false, "null"),
            (has("user.name", "root"), false, "absent"),
            (keyword("session"), true, "event.category ['session', 'iam']"),
            (keyword("raw"), true, "event.original 'raw whoami line'"),
            (keyword("nowhere"), false, "none of 5 values"),
        ] {
            assert_eq!(saw(&predicate), (held, expected.to_owned()), "{predicate}");
        }
    }

    #[test]
    fn evidence_is_what_held_and_no_more() {
        let pairs = |predicate: &Predicate, limit| predicate.evidence(&event(), limit, 8);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let tree = Predicate::And(vec![
            Predicate::Or(vec![
                // Half of this branch holds: it shows nothing.
                Predicate::And(vec![has("source.port", "22"), has("user.name", "root")]),
                has("event.category", "iam"),
                has("event.category", "*am"),
                has("CommandLine", "*whoami*"),
            ]),
            Predicate::Not(Box::new(has("source.port", "23"))),
            keyword("raw"),
        ]);
        let all = [
            pair("event.category", "iam"),
            pair("CommandLine", "whoami \u{1b}"),
            pair("event.original", "raw whoa"),
        ];
        assert_eq!(pairs(&tree, 9), all);
        assert_eq!(pairs(&tree, 1), all[..1]);
        assert_eq!(pairs(&Predicate::Not(Box::new(tree)), 9), []);
        assert_eq!(pairs(&has("user.name", "root"), 9), []);
    }

    fn leaf() -> impl proptest::strategy::Strategy<Value = Predicate> {
        use proptest::prelude::*;
        prop_oneof![
            any::<bool>().prop_map(Predicate::Constant),
            Just(has("source.port", "22")),
            Just(has("source.port", "23")),
            Just(has("event.category", "iam")),
            Just(Predicate::field(FieldName::new("user.name"), Condition::Null)),
            Just(keyword("raw")),
            Just(keyword("nowhere")),
        ]
    }

    fn tree() -> impl proptest::strategy::Strategy<Value = Predicate> {
        use proptest::prelude::*;
        leaf().prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::And),
                prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Or),
                (0_usize..4, prop::collection::vec(inner.clone(), 0..4))
                    .prop_map(|(needed, inner)| Predicate::AtLeast(needed, inner)),
                inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
            ]
        })
    }

    proptest::proptest! {
        /// An explanation says what the plain walk says, and evidence only of what holds.
        #[test]
        fn explanations_agree_with_the_walk(tree in tree(), limit in 0_usize..4) {
            let event = event();
            let holds = tree.matches(&event);
            proptest::prop_assert_eq!(tree.explain(&event).held, holds);
            let evidence = tree.evidence(&event, limit, 100);
            proptest::prop_assert!(evidence.len() <= limit);
            proptest::prop_assert!(holds || evidence.is_empty());
        }
    }
}
