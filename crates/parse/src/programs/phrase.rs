//! Messages of programs that always say the same with other names in it, as tables.
//!
//! A phrase holds at most one place for free text. What stands before it is read from the front and
//! what stands behind it from the end, so there is one reading only: a user's name can hold words
//! that look like the rest of the line, but never decides where the address is read from.

use bergfried_event::{Event, Field};

use super::{classify, outcome, peer, push_text};
use crate::text::port;

/// A message as the program writes it, `event.action` and `event.outcome`.
///
/// Places: `{user}` and `{any}` take any text; `{name}` (a user), `{address}`, `{port}`, `{tty}`,
/// `{group}` and `{word}` take text without spaces.
pub(super) struct Phrase(pub(super) &'static str, pub(super) &'static str, pub(super) &'static str);

/// Reads a message by the first phrase that fits; true where one does.
pub(super) fn read<'a>(phrases: &[Phrase], message: &'a str, event: &mut Event<'a>) -> bool {
    for Phrase(pattern, action, result) in phrases {
        let mut found = Found::default();
        if fits(pattern, message, &mut found).is_some() {
            classify(event, category(action), action);
            if !result.is_empty() {
                outcome(event, result);
            }
            push_text(event, Field::UserName, found.user);
            push_text(event, Field::ProcessTty, found.tty);
            peer::push_address(event, found.address);
            push_text(event, Field::GroupName, found.group);
            if let Some(port) = port(found.port) {
                event.push(Field::SourcePort, port);
            }
            return true;
        }
    }
    false
}

fn category(action: &str) -> &'static str {
    match action {
        "session-error" | "logged-on" | "logged-off" => "session",
        _ if action.contains("group") => "iam",
        _ if action.ends_with("connection") => "network",
        _ => "authentication",
    }
}

#[derive(Default)]
struct Found<'a> {
    user: &'a str,
    address: &'a str,
    port: &'a str,
    tty: &'a str,
    group: &'a str,
}

impl<'a> Found<'a> {
    /// Takes the text of a place; `None` where it holds spaces that the place may not.
    fn take(&mut self, place: &str, text: &'a str) -> Option<()> {
        if !is_free(place) && (text.is_empty() || text.contains([' ', '\t'])) {
            return None;
        }
        match place {
            "user" | "name" => self.user = text,
            "address" => self.address = text,
            "port" => self.port = text,
            "tty" => self.tty = text,
            "group" => self.group = text,
            _ => {}
        }
        Some(())
    }
}

fn is_free(place: &str) -> bool {
    matches!(place, "user" | "any")
}

fn fits<'a>(mut pattern: &'static str, mut text: &'a str, found: &mut Found<'a>) -> Option<()> {
    // From the front up to the place of free text.
    let free = loop {
        let Some((literal, rest)) = pattern.split_once('{') else {
            return (pattern == text).then_some(());
        };
        text = text.strip_prefix(literal)?;
        let (place, rest) = rest.split_once('}')?;
        pattern = rest;
        if is_free(place) {
            break place;
        }
        let next = pattern.split('{').next().unwrap_or_default();
        let end = if next.is_empty() { text.len() } else { text.find(next)? };
        let (word, rest) = text.split_at_checked(end)?;
        found.take(place, word)?;
        text = rest;
    };
    // From the end back to it.
    loop {
        let Some((before, literal)) = pattern.rsplit_once('}') else {
            return found.take(free, text.strip_suffix(pattern)?);
        };
        text = text.strip_suffix(literal)?;
        let (before, place) = before.rsplit_once('{')?;
        pattern = before;
        let literal = pattern.rsplit('}').next().unwrap_or_default();
        let at = text.rfind(literal)? + literal.len();
        let (rest, word) = text.split_at_checked(at)?;
        found.take(place, word)?;
        text = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_holds_one_place_for_free_text() {
        let tables = [
            super::super::ftp::PHRASES,
            super::super::mail::PHRASES,
            super::super::remote::PHRASES,
            super::super::pam::MODULES,
            super::super::groups::SUSE,
            super::super::login::PHRASES,
            super::super::su::PHRASES,
        ];
        for Phrase(pattern, ..) in tables.into_iter().flatten() {
            let places = pattern.split('{').skip(1).map(|place| place.split('}').next().unwrap());
            assert!(places.filter(|place| is_free(place)).count() <= 1, "{pattern}");
        }
    }

    #[test]
    fn free_text_never_moves_the_other_places() {
        let cases = [
            (
                "login as {user} from {address}",
                "login as a from 9.9.9.9 from 1.2.3.4",
                "a from 9.9.9.9",
            ),
            ("from {address}, {user}", "from 1.2.3.4, a, from 9.9.9.9, b", "a, from 9.9.9.9, b"),
            (
                "user={user} ip={address} time={word}",
                "user=a ip=9 time=1 ip=1.2.3.4 time=2",
                "a ip=9 time=1",
            ),
            (
                "({word}@{address}) for {user}",
                "(x@1.2.3.4) for y@9.9.9.9) for z",
                "y@9.9.9.9) for z",
            ),
            ("'{user}' {address}", "'' 1.2.3.4", ""),
        ];
        for (pattern, text, user) in cases {
            let mut found = Found::default();
            assert!(fits(pattern, text, &mut found).is_some(), "{text}");
            assert_eq!((found.user, found.address), (user, "1.2.3.4"), "{text}");
        }
        for (pattern, text) in [
            ("for {name} at {any}", "for a b at c"),
            ("from {address}", "from "),
            ("from {address}", "from a b"),
            ("from {address} end", "from a"),
            ("plain", "plain "),
        ] {
            assert!(fits(pattern, text, &mut Found::default()).is_none(), "{text}");
        }
    }
}
