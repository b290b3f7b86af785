//! What a finding says beside the count: fields of the events it stands on, and a line of them.

use bergfried_event::{Event, Field, FieldName, Finding, Timestamp};
use bergfried_query::Predicate;

use super::groups;
use crate::rule::Rule;

/// The most characters of an example line.
const EXAMPLE: usize = 1024;
/// The most ids of events that a finding names.
pub(super) const MAX_IDS: usize = 100;

/// A finding about one event that meets this predicate.
pub(super) fn single(
    rule: &Rule,
    predicate: &Predicate,
    event: &Event<'_>,
    event_id: u64,
    count: u64,
) -> Finding {
    let mut details = Details::default();
    details.add(event);
    details.show(event);
    let span = Span { count, first: event.created(), last: event.created() };
    let matched = predicate.evidence(event, Finding::MAX_MATCHED, Finding::MAX_MATCHED_VALUE);
    Finding { matched, ..details.finding(rule, span, vec![event_id]) }
}

/// How many events a finding stands on, and when they happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) count: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// A field's text where all the events have the same; those without it do not matter.
#[derive(Debug, Default)]
enum Shared {
    #[default]
    Unset,
    Same(String),
    Differ,
}

/// What the events of a group have in common, and the last of them.
#[derive(Debug, Default)]
pub(super) struct Details {
    host: Shared,
    user: Shared,
    source: Shared,
    program: String,
    example: String,
}

impl Shared {
    fn add(&mut self, text: Option<&str>) {
        match (&*self, text) {
            (Shared::Unset, Some(text)) => *self = Shared::Same(text.to_owned()),
            (Shared::Same(same), Some(text)) if same != text => *self = Shared::Differ,
            _ => {}
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Shared::Same(text) => Some(text.clone()),
            Shared::Unset | Shared::Differ => None,
        }
    }
}

impl Details {
    /// Adds the event to those that must have their fields in common.
    pub(super) fn add(&mut self, event: &Event<'_>) {
        let value = |field| groups::value(event, &FieldName::Known(field));
        self.host.add(value(Field::HostName).as_deref());
        self.user.add(value(Field::UserName).as_deref());
        self.source.add(value(Field::SourceIp).as_deref());
    }

    /// Remembers the event as the example; only for groups that have something to state, because
    /// lines are long.
    pub(super) fn show(&mut self, event: &Event<'_>) {
        self.program.clear();
        self.program.push_str(event.text(Field::ProcessName).unwrap_or_default());
        self.example.clear();
        self.example.push_str(cut(event.original()));
    }

    /// Forgets the example.
    pub(super) fn hide(&mut self) {
        (self.program, self.example) = (String::new(), String::new());
    }

    pub(super) fn finding(&self, rule: &Rule, span: Span, event_ids: Vec<u64>) -> Finding {
        Finding {
            rule_id: rule.id.clone(),
            rule_name: rule.title.clone(),
            severity: rule.level,
            host: self.host.text(),
            user: self.user.text(),
            source: self.source.text(),
            program: (!self.program.is_empty()).then(|| self.program.clone()),
            count: span.count,
            first_seen: span.first,
            last_seen: span.last,
            techniques: rule.techniques.clone(),
            tags: rule.tags.clone(),
            falsepositives: rule.falsepositives.clone(),
            group: Vec::new(),
            matched: Vec::new(),
            example: self.example.clone(),
            event_ids,
        }
    }
}

/// The first [`EXAMPLE`] characters.
fn cut(text: &str) -> &str {
    if text.len() <= EXAMPLE {
        return text;
    }
    let end = text.char_indices().nth(EXAMPLE).map_or(text.len(), |(index, _)| index);
    text.get(..end).unwrap_or(text)
}
