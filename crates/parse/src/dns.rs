//! What a question of DNS asks about, in fields that rules can group by.

use bergfried_event::{Event, FieldName, Value};

/// Labels that stand for a registry where they are below a country: `co.uk`, `com.au`.
const REGISTRIES: [&str; 16] = [
    "ac", "co", "com", "edu", "go", "gob", "gov", "ltd", "mil", "ne", "net", "nhs", "or", "org",
    "plc", "sch",
];

/// Adds the name that was asked for, in lower case and without the final dot, unless the event has one;
/// the domain above it as `dns.question.parent_domain`: names that differ in front of it are one client's
/// talk with one owner; and how long its longest label is, as `dns.question.longest_label`.
pub(crate) fn push_question(event: &mut Event<'_>, mut name: String) {
    name.make_ascii_lowercase();
    if name.len() > 1 && name.ends_with('.') {
        name.pop();
    }
    if name.is_empty() {
        return;
    }
    if let Some(parent) = parent(&name) {
        set_missing(event, "dns.question.parent_domain", parent.to_owned());
    }
    let longest = name.split('.').map(str::len).max().unwrap_or_default();
    let longest = i64::try_from(longest).unwrap_or(i64::MAX);
    set_missing(event, "dns.question.longest_label", longest);
    set_missing(event, "dns.question.name", name);
}

fn set_missing<'a>(event: &mut Event<'a>, name: &'static str, value: impl Into<Value<'a>>) {
    let name = FieldName::new(name);
    if event.get_named(&name).is_none() {
        event.push_named(name, value);
    }
}

/// The last two labels of a name, or three where the second looks like a country's registry; none of
/// a name that is no longer than that. A guess: the list of public suffixes knows more.
fn parent(name: &str) -> Option<&str> {
    let mut dots = name.rmatch_indices('.').map(|(at, _)| at);
    let (last, second) = (dots.next()?, dots.next()?);
    let top = name.len() - last - 1;
    let below = name.get(second + 1..last)?;
    let start = if top == 2 && REGISTRIES.contains(&below) { dots.next()? } else { second };
    name.get(start + 1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_domain_above_them() {
        for (name, expected) in [
            ("a.example.org", Some("example.org")),
            ("x.y.example.org", Some("example.org")),
            ("a.example.co.uk", Some("example.co.uk")),
            ("example.co.uk", None),
            ("www.example.de", Some("example.de")),
            ("cdn.ab.de", Some("ab.de")),
            ("a.b.c.com", Some("c.com")),
            ("com.com.com", Some("com.com")),
            ("example.org", None),
            ("localhost", None),
            ("", None),
            (".", None),
            ("..", Some(".")),
            ("...", Some(".")),
        ] {
            assert_eq!(parent(name), expected, "{name}");
        }
    }
}
