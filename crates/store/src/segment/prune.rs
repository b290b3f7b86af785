//! Whether a row group's filter rules out that a predicate holds anywhere in it.
//!
//! Only ever over-approximates: what [`Predicate::matches`] would find is never ruled out.

use bergfried_event::{Field, FieldName};
use bergfried_query::{Condition, Part, Pattern, Predicate, Target, fold, tokens};
use ipnet::IpNet;

use super::columns::FILTERED;
use super::filter::{address_hash, may_contain, value_hash, word_hashes};
use super::words::{in_stretch, is_told};

/// What the filter must contain for a predicate to hold somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing holds.
    Never,
    /// Nothing can be told.
    Nothing,
    /// All of these.
    Hashes(Vec<Need>),
    /// All of these.
    All(Vec<Needs>),
    /// Any of these.
    Any(Vec<Needs>),
}

/// What a filter must contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    hash: u64,
    filter: Filter,
    /// Whether it is told of each stretch.
    by_stretch: bool,
}

/// The parts of a row group's filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// The Bloom filter of whole values.
    Values,
    /// The filter of words.
    Words,
}

impl Needs {
    /// What the predicate needs.
    pub(crate) fn of(predicate: &Predicate) -> Self {
        match predicate {
            Predicate::Constant(false) => Needs::Never,
            Predicate::Constant(true) | Predicate::Not(_) => Needs::Nothing,
            Predicate::And(all) => Needs::All(all.iter().map(Needs::of).collect()),
            Predicate::Or(any) => Needs::Any(any.iter().map(Needs::of).collect()),
            Predicate::AtLeast(0, _) => Needs::Nothing,
            Predicate::AtLeast(needed, choices) if *needed > choices.len() => Needs::Never,
            // What one of them needs is needed, whichever others hold beside it.
            Predicate::AtLeast(_, choices) => Needs::Any(choices.iter().map(Needs::of).collect()),
            Predicate::Atom(target, condition) => Needs::Hashes(atom(target, condition)),
        }
    }

    /// The part of a filter with these bytes that rules it out: that of values where these are
    /// enough to say so. `None` where it is allowed.
    pub(crate) fn ruled_out_by(&self, filter: &[u8]) -> Option<Filter> {
        if self.met_by(filter, &[Filter::Values, Filter::Words]) {
            return None;
        }
        Some(if self.met_by(filter, &[Filter::Values]) { Filter::Words } else { Filter::Values })
    }

    /// Whether it needs what is told of each stretch of a row group.
    pub(crate) fn tell_stretches(&self) -> bool {
        match self {
            Needs::Never | Needs::Nothing => false,
            Needs::Hashes(needs) => needs.iter().any(|need| need.by_stretch),
            Needs::All(all) | Needs::Any(all) => all.iter().any(Needs::tell_stretches),
        }
    }

    /// Whether what is told of a stretch, by a filter with these bytes, allows it there.
    pub(crate) fn allow_stretch(&self, filter: &[u8], stretch: usize) -> bool {
        match self {
            Needs::Never => false,
            Needs::Nothing => true,
            Needs::Hashes(needs) => needs.iter().all(|need| {
                !need.by_stretch || may_contain(filter, in_stretch(need.hash, stretch))
            }),
            Needs::All(all) => all.iter().all(|needs| needs.allow_stretch(filter, stretch)),
            Needs::Any(any) => any.iter().any(|needs| needs.allow_stretch(filter, stretch)),
        }
    }

    /// Whether these parts of a filter with these bytes allow it.
    fn met_by(&self, filter: &[u8], parts: &[Filter]) -> bool {
        let contains =
            |need: &Need| !parts.contains(&need.filter) || may_contain(filter, need.hash);
        match self {
            Needs::Never => false,
            Needs::Nothing => true,
            Needs::Hashes(needs) => needs.iter().all(contains),
            Needs::All(all) => all.iter().all(|needs| needs.met_by(filter, parts)),
            Needs::Any(any) => any.iter().any(|needs| needs.met_by(filter, parts)),
        }
    }
}

fn atom(target: &Target, condition: &Condition) -> Vec<Need> {
    let field = match target {
        Target::Anything => None,
        // What the store or the clock makes of an event is not in the filter.
        Target::Field(FieldName::Known(
            Field::Timestamp | Field::EventId | Field::EventIngested,
        )) => return Vec::new(),
        Target::Field(FieldName::Known(field)) => Some(*field),
        Target::Field(FieldName::Other(_)) => None,
    };
    let in_message = field == Some(Field::Message);
    match condition {
        Condition::Text(pattern) => {
            let mut hashes = words(pattern, in_message);
            if let (Some(literal), Some(field)) = (pattern.as_literal(), filtered(field)) {
                hashes.push(value(value_hash(field, &fold(literal)), true));
            }
            hashes
        }
        Condition::Words(pattern) => words(pattern, in_message),
        Condition::Network(network) => match filtered(field) {
            Some(field) if is_one_address(network) => {
                vec![value(address_hash(field, network.addr()), false)]
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn value(hash: u64, by_stretch: bool) -> Need {
    Need { hash, filter: Filter::Values, by_stretch }
}

fn filtered(field: Option<Field>) -> Option<Field> {
    field.filter(|field| FILTERED.contains(field))
}

fn is_one_address(network: &IpNet) -> bool {
    network.prefix_len() == network.max_prefix_len()
}

/// The words that any text which the pattern matches contains whole.
fn words(pattern: &Pattern, in_message: bool) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut add = |hash, word: &str| {
        let by_stretch = in_message && is_told(word);
        needs.push(Need { hash, filter: Filter::Words, by_stretch });
    };
    let parts = pattern.parts();
    for (index, part) in parts.iter().enumerate() {
        let Part::Literal(literal) = part else { continue };
        // Beside a wildcard a word may go on.
        let open_before = index > 0;
        let open_after = index + 1 < parts.len();
        if pattern.is_cased() {
            cased(literal, open_before, open_after, &mut add);
        } else {
            whole(literal, open_before, open_after, &mut add);
        }
    }
    needs
}

fn whole(folded: &str, open_before: bool, open_after: bool, add: &mut dyn FnMut(u64, &str)) {
    word_hashes(folded, |hash, start, end| {
        let glued = open_before && start == 0 || open_after && end == folded.len();
        if !glued {
            add(hash, folded.get(start..end).unwrap_or_default());
        }
    });
}

/// As [`whole`], for text as it stands: the filter has its words lower-cased one by one.
fn cased(text: &str, open_before: bool, open_after: bool, add: &mut dyn FnMut(u64, &str)) {
    if text.is_ascii() {
        return whole(&fold(text), open_before, open_after, add);
    }
    for (start, end) in tokens::ranges(text) {
        let glued = open_before && start == 0 || open_after && end == text.len();
        if !glued {
            whole(&fold(text.get(start..end).unwrap_or_default()), false, false, add);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, words_only: bool) -> usize {
        let pattern = Pattern::with_wildcards(text, false);
        let condition =
            if words_only { Condition::Words(pattern) } else { Condition::Text(pattern) };
        atom(&Target::Field(Field::Message.into()), &condition).len()
    }

    #[test]
    fn only_whole_words_are_needed() {
        assert_eq!(count("failed password", true), 2);
        assert_eq!(count("fail* password", true), 1);
        assert_eq!(count("*failed password*", false), 0);
        assert_eq!(count("*: failed password for *", false), 3);
        assert_eq!(count("10.0.0.1", true), 5);
        assert_eq!(count("10.0.0.1*", true), 3);
        assert_eq!(count("*", false), 0);
    }

    #[test]
    fn values_and_single_addresses_are_needed_whole() {
        let host = Condition::Text(Pattern::literal("Web-1"));
        let hashes = atom(&Target::Field(Field::HostName.into()), &host);
        assert!(hashes.contains(&value(value_hash(Field::HostName, "web-1"), true)));
        let network = |text: &str| {
            let condition = Condition::Network(text.parse().unwrap());
            atom(&Target::Field(Field::SourceIp.into()), &condition).len()
        };
        assert_eq!((network("10.0.0.1/32"), network("10.0.0.0/8")), (1, 0));
        let id = Condition::Text(Pattern::literal("7"));
        assert!(atom(&Target::Field(Field::EventId.into()), &id).is_empty());
    }

    #[test]
    fn trees_combine() {
        let never = Predicate::Constant(false);
        let always = Predicate::Constant(true);
        for (predicate, expected) in [
            (Predicate::And(vec![always.clone(), never.clone()]), false),
            (Predicate::AtLeast(0, vec![never.clone()]), true),
            (Predicate::AtLeast(1, vec![never.clone(), never.clone()]), false),
            (Predicate::AtLeast(1, vec![never.clone(), always.clone()]), true),
            (Predicate::AtLeast(2, vec![always.clone()]), false),
            (Predicate::Or(vec![always, never.clone()]), true),
            (Predicate::Or(vec![]), false),
            (Predicate::And(vec![]), true),
            (Predicate::Not(Box::new(never)), true),
        ] {
            let ruled_out = Needs::of(&predicate).ruled_out_by(&[0; 32]);
            assert_eq!(ruled_out.is_none(), expected, "{predicate:?}");
        }
    }
}
