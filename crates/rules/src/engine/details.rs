//! What a finding says beside the count: fields of the events it stands on, and a line of them.

use bergfried_event::{Event, Field, FieldName, Finding, Timestamp};
use bergfried_query::Predicate;

use super::bytes::{Bytes, Malformed, put_text, put_varint};
use super::groups::on_heap;
use super::key::{self, value};
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
    let finding = Finding { matched, ..details.finding(rule, span, vec![event_id]) };
    shaped(rule, finding, Some(event))
}

/// The finding with the shape of its alert, where the rule gives it one.
pub(super) fn shaped(rule: &Rule, mut finding: Finding, event: Option<&Event<'_>>) -> Finding {
    if let Some(shape) = &rule.shape {
        finding.alert = Some(Box::new(shape.fill(&finding, event)));
    }
    finding
}

/// How many events a finding stands on, and when they happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) count: u64,
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

/// A field's text where all the events have the same; those without it do not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Shared {
    known: Known,
    text: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Known {
    #[default]
    Unset,
    Same,
    Differ,
}

/// What the events of a group have in common, and the last of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Details {
    host: Shared,
    user: Shared,
    source: Shared,
    program: String,
    example: String,
}

impl Shared {
    fn clear(&mut self) {
        self.known = Known::Unset;
        self.text.clear();
    }

    fn add(&mut self, text: Option<&str>) {
        match (self.known, text) {
            (Known::Unset, Some(text)) => {
                self.known = Known::Same;
                self.text.clear();
                self.text.push_str(text);
            }
            (Known::Same, Some(text)) if self.text != text => {
                self.known = Known::Differ;
                self.text.clear();
            }
            _ => {}
        }
    }

    fn text(&self) -> Option<String> {
        (self.known == Known::Same).then(|| self.text.clone())
    }

    /// A group is often that of one source or user: then its key holds the text already.
    fn pack(&self, key: &str, out: &mut Vec<u8>) {
        match self.known {
            Known::Unset => out.push(0),
            Known::Differ => out.push(1),
            Known::Same => match key::values(key).position(|value| value == self.text) {
                Some(place) => put_varint(out, 3 + place as u64),
                None => {
                    out.push(2);
                    put_text(out, &self.text);
                }
            },
        }
    }

    fn unpack(&mut self, key: &str, bytes: &mut Bytes<'_>) -> Result<(), Malformed> {
        self.clear();
        let text = match bytes.varint()? {
            0 => return Ok(()),
            1 => {
                self.known = Known::Differ;
                return Ok(());
            }
            2 => bytes.text()?,
            place => {
                let place = usize::try_from(place - 3).map_err(|_| Malformed)?;
                key::values(key).nth(place).ok_or(Malformed)?
            }
        };
        self.add(Some(text));
        Ok(())
    }
}

impl Details {
    pub(super) fn clear(&mut self) {
        for shared in [&mut self.host, &mut self.user, &mut self.source] {
            shared.clear();
        }
        self.hide();
    }

    /// Adds the event to those that must have their fields in common.
    pub(super) fn add(&mut self, event: &Event<'_>) {
        let value = |field| value(event, &FieldName::Known(field)).filter(|text| !text.is_empty());
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
        self.program.clear();
        self.example.clear();
    }

    /// About how many bytes its texts take.
    pub(super) fn heap(&self) -> usize {
        let texts = [&self.host.text, &self.user.text, &self.source.text];
        let texts = texts.into_iter().chain([&self.program, &self.example]);
        texts.map(|text| on_heap(text.capacity())).sum()
    }

    /// Writes the texts as few bytes; the values of the group's key need not be written again.
    pub(super) fn pack(&self, key: &str, out: &mut Vec<u8>) {
        for shared in [&self.host, &self.user, &self.source] {
            shared.pack(key, out);
        }
        put_text(out, &self.program);
        put_text(out, &self.example);
    }

    pub(super) fn unpack(&mut self, key: &str, bytes: &mut Bytes<'_>) -> Result<(), Malformed> {
        for shared in [&mut self.host, &mut self.user, &mut self.source] {
            shared.unpack(key, bytes)?;
        }
        for text in [&mut self.program, &mut self.example] {
            text.clear();
            text.push_str(bytes.text()?);
        }
        Ok(())
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
            alert: None,
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
