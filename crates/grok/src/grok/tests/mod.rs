//! What expressions read, held to Logstash's own samples.

mod peers;
mod samples;

use super::*;
use crate::Names;

fn read(expression: &str, text: &str) -> Option<Vec<(String, String)>> {
    let grok = Grok::new(expression, &Patterns::standard(), &Options::default()).unwrap();
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
            if let Err(error) = Grok::new(&format!("%{{{name}:x}}"), &patterns, &Options::default())
            {
                panic!("{names:?} {name}: {error}");
            }
        }
    }
}

#[test]
fn reads_fields() {
    let line = "Nov 21 02:26:12 labhost rsyslogd[48]: start of it";
    let fields = read("%{SYSLOGTIMESTAMP:t} %{SYSLOGHOST:h} %{DATA:p}(?:\\[%{POSINT:pid:int}\\])?: %{GREEDYDATA:m}", line).unwrap();
    let expected = [
        ("t", "Nov 21 02:26:12"),
        ("h", "labhost"),
        ("p", "rsyslogd"),
        ("pid", "48"),
        ("m", "start of it"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}
