//! What expressions read, refuse and withstand.

mod peers;
mod samples;

use super::*;
use crate::{Names, Place};

fn compile(expression: &str, options: &Options) -> Result<Grok, GrokError> {
    Grok::new(expression, &Patterns::standard(), options)
}

fn read_with(grok: &Grok, text: &str) -> Option<Vec<(String, String)>> {
    let mut captures = Captures::new();
    match grok.captures(text, &mut captures) {
        Outcome::Matched => Some(
            grok.values(text, &captures)
                .map(|(field, value)| (field.name.clone(), value.to_owned()))
                .collect(),
        ),
        Outcome::No => None,
        Outcome::TooHard => panic!("too hard"),
    }
}

#[test]
fn all_standard_patterns_compile() {
    for names in [Names::Ecs, Names::Legacy] {
        let patterns = Patterns::with_names(names);
        for name in patterns.names() {
            let grok = Grok::new(&format!("%{{{name}:x}}"), &patterns, &Options::default());
            let grok = grok.unwrap_or_else(|error| panic!("{names:?} {name}: {error}"));
            assert_eq!(grok.engine(), Engine::Linear, "{name}");
            assert_eq!(grok.fields().first().map(|field| &*field.name), Some("x"), "{name}");
        }
    }
}

#[test]
fn reads_fields() {
    let syslog = r"%{SYSLOGTIMESTAMP:t} %{SYSLOGHOST:h} %{DATA:p}(?:\[%{POSINT:pid:int}\])?: %{GREEDYDATA:m}";
    type Expected<'e> = Option<&'e [(&'e str, &'e str)]>;
    let table: &[(&str, &str, Expected<'_>)] = &[
        (
            syslog,
            "Nov 21 02:26:12 files sshd[48]: start of it",
            Some(&[
                ("t", "Nov 21 02:26:12"),
                ("h", "files"),
                ("p", "sshd"),
                ("pid", "48"),
                ("m", "start of it"),
            ]),
        ),
        // What is empty or was not there gives no field; line ends belong to the text.
        (
            syslog,
            "Nov  1 02:26:12 10.0.0.1 su: a\nb",
            Some(&[("t", "Nov  1 02:26:12"), ("h", "10.0.0.1"), ("p", "su"), ("m", "a\nb")]),
        ),
        (syslog, "Nov 21 files sshd[48]: x", None),
        // Names by brackets, dots and hyphens; Oniguruma's own groups.
        (
            "%{IP:[source][ip]} %{WORD:a-b} %{WORD:c.d}",
            "::1 x y",
            Some(&[("source.ip", "::1"), ("a-b", "x"), ("c.d", "y")]),
        ),
        (
            r"(?<queue>[0-9A-F]{10,11}) (?<[a][b]>\w+) (?'c'\d)",
            "BEF25A72965 x 1",
            Some(&[("queue", "BEF25A72965"), ("a.b", "x"), ("c", "1")]),
        ),
        // Groups without a name capture nothing; one field several times.
        ("(a|b)(?:-%{WORD:x})?-%{WORD:x}", "a-b-c", Some(&[("x", "b"), ("x", "c")])),
        // Definitions made where they are used.
        (
            r"%{QUEUE:id=[0-9A-F]{4,}} %{QUEUE:other}",
            "BEEF CAFE",
            Some(&[("id", "BEEF"), ("other", "CAFE")]),
        ),
        // Not references.
        ("%{ %{} %%{WORD:x}", "%{ %{} %y", Some(&[("x", "y")])),
        // A switch inside holds for what is put in.
        ("(?i)%{LOGLEVEL:level}|none", "NONE", Some(&[])),
        ("x(?i)y|z", "xZ", Some(&[])),
        ("(?-m)%{GREEDYDATA:x}", "a\nb", Some(&[("x", "a")])),
        // Unicode.
        ("%{MONTH:m} (?<w>[[:alpha:]]+)", "März über", Some(&[("m", "März"), ("w", "über")])),
        (r"(?<w>\w+)", "ö_1", Some(&[("w", "_1")])),
        (r"(?<a>\p{Lu}+)\K(?<b>\h+)\R", "ÄB0f\r\n", Some(&[("a", "ÄB"), ("b", "0f")])),
        // Referring back.
        (r"(?<q>['\x22])(?<x>.*?)\k<q>", "say 'it\"s'", Some(&[("q", "'"), ("x", "it\"s")])),
        (r"(?i)%{WORD:x} \k<x>", "Ab aB", Some(&[("x", "Ab")])),
    ];
    for (expression, text, expected) in table {
        let grok = compile(expression, &Options::default()).unwrap();
        let expected = expected.map(|fields| {
            let fields = fields.iter();
            fields
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect::<Vec<_>>()
        });
        assert_eq!(read_with(&grok, text), expected, "{expression} over {text}");
    }
}

#[test]
fn says_what_fields_there_are() {
    let grok =
        compile("%{INT:a:int} %{NUMBER:b:float} %{WORD:c:text} %{INT:a:int}", &Options::default());
    let fields: Vec<_> =
        grok.unwrap().fields().iter().map(|field| (field.name.clone(), field.kind)).collect();
    let expected = [("a", FieldKind::Integer), ("b", FieldKind::Float), ("c", FieldKind::Text)];
    assert_eq!(fields, expected.map(|(name, kind)| (name.to_owned(), kind)));
}

#[test]
fn options_say_what_becomes_a_field() {
    let all = Options { named_captures_only: false, ..Options::default() };
    let grok = compile("%{HOUR}:%{MINUTE:m}", &all).unwrap();
    let fields =
        [("HOUR", "12"), ("m", "34")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(read_with(&grok, "12:34"), Some(fields.to_vec()));
    let empty = Options { keep_empty_captures: true, ..Options::default() };
    let grok = compile("a%{DATA:x}b(?<y>c)?", &empty).unwrap();
    assert_eq!(read_with(&grok, "ab"), Some(vec![("x".to_owned(), String::new())]));
}

#[test]
fn custom_definitions_win() {
    let mut patterns = Patterns::standard();
    patterns.add_file_text("# mine\nWORD x+\nPAIR %{WORD:left}-%{WORD:right}").unwrap();
    let grok = Grok::new("%{PAIR}", &patterns, &Options::default()).unwrap();
    assert_eq!(read_with(&grok, "ab-cd"), None);
    let fields =
        [("left", "x"), ("right", "xx")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(read_with(&grok, "x-xx"), Some(fields.to_vec()));
}

#[test]
fn mistakes_name_their_place() {
    for (expression, message) in [
        ("%{IP:a} %{WORDD:x}", "no pattern is named WORDD (column 9), did you mean WORD?"),
        ("%{NOTHINGLIKEIT}", "no pattern is named NOTHINGLIKEIT (column 1)"),
        ("%{A=%{B=%{A}}}", "the pattern A uses itself (column 1 of the pattern B)"),
        ("a(b", "a ( without its ) (column 2)"),
        ("a)b", "a ) without its ( (column 2)"),
        ("a|*b", "* has nothing to repeat (column 3)"),
        ("ä[a", "a [ without its ] (column 4)"),
        ("[z-a]", "a range of characters is empty (column 5)"),
        (r"a\", "a backslash at the end (column 3)"),
        (r"\p{Nonsense}", "no property of characters is named Nonsense (column 13)"),
        ("[[:nonsense:]]", "no class of characters is named [:nonsense:] (column 14)"),
        (
            r"(?<a>x)\1",
            "a backreference by number where groups have names, use \\k<name> instead (column 9)",
        ),
        (r"\k<b>", "no group before this one is named b (column 6)"),
        (r"(?<a>x\g<a>)", "a call of a group, \\g, is not supported (column 8)"),
        ("(?(1)a|b)", "a condition (?(…)…|…) is not supported (column 1)"),
        ("(?~a)", "an absence operator (?~…) is not supported (column 1)"),
        (r"\X", "\\X is not supported (column 2)"),
        ("(?<=a+)b", "looks back over more than 255 characters (column 1)"),
        ("a{200000}", "a part is repeated too often (column 10)"),
    ] {
        assert_eq!(compile(expression, &Options::default()).unwrap_err().to_string(), message);
    }
}

#[test]
fn refuses_what_grows_without_end() {
    let mut patterns = Patterns::standard();
    patterns.define("LOL0", "lol|").unwrap();
    for level in 1..20 {
        let definition = format!("%{{LOL{}}}", level - 1).repeat(10);
        patterns.define(&format!("LOL{level}"), &definition).unwrap();
    }
    for expression in [
        "%{LOL19}",
        "((((a{1000}){1000}){1000}){1000})",
        &"(".repeat(10_000),
        &"(?:".repeat(100_000),
        &"[".repeat(10_000),
        &"a?".repeat(200_000),
    ] {
        let error = Grok::new(expression, &patterns, &Options::default()).unwrap_err();
        assert!(
            matches!(error, GrokError::TooLarge { .. } | GrokError::Syntax { .. }),
            "{:.20}: {error}",
            expression
        );
    }
    let mut patterns = Patterns::empty();
    patterns.define("SELF", "a%{SELF}?").unwrap();
    assert_eq!(
        Grok::new("%{SELF}", &patterns, &Options::default()).unwrap_err(),
        GrokError::Recursion {
            name: "SELF".to_owned(),
            place: Place { pattern: Some("SELF".to_owned()), column: 2 }
        }
    );
}

/// Expressions whose time grows exponentially, or by a high power, where failures are forgotten.
#[test]
fn hard_texts_are_read_to_their_end() {
    for (expression, part) in [
        ("^(a+)+$", "a"),
        ("^(a|a)*$", "a"),
        ("^(a|aa|a*)*$", "a"),
        ("^(%{WORD:x} ?)*$", "word "),
        ("^(?:(?:a*)*)*$", "a"),
        ("^%{DATA}: %{DATA}: %{DATA}: %{DATA}: %{DATA}: $", "a: "),
        ("(?>a+b?)+!|^(?=(a+)+!)", "a"),
        ("%{GREEDYDATA} %{GREEDYDATA} %{GREEDYDATA} %{GREEDYDATA}=", "a "),
    ] {
        let grok = compile(expression, &Options::default()).unwrap();
        let text = format!("{}\u{1}", part.repeat(1000 / part.len()));
        assert_eq!(grok.engine(), Engine::Linear);
        assert_eq!(grok.captures(&text, &mut Captures::new()), Outcome::No, "{expression}");
    }
}

#[test]
fn what_takes_too_long_is_given_up() {
    let grok = compile(r"(?<a>a*)(?<b>a*)(?<c>a*)\k<a>\k<b>\k<c>b", &Options::default()).unwrap();
    assert_eq!(grok.engine(), Engine::Backtracking);
    let mut captures = Captures::new();
    assert_eq!(grok.captures(&"a".repeat(2000), &mut captures), Outcome::TooHard);
    // What comes after is not harmed.
    assert_eq!(grok.captures("aab", &mut captures), Outcome::Matched);
    let short = Options { step_limit: 50, ..Options::default() };
    let grok = compile("^(a|b|ab)*$", &short).unwrap();
    assert_eq!(grok.captures(&("ab".repeat(100) + "c"), &mut captures), Outcome::TooHard);
}
