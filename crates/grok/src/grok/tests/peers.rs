//! Generated expressions, held to the engine whose semantics they are to have.
//!
//! Ruby's Oniguruma, which Logstash's grok library is written for. Each expression is also run
//! remembering failures from the first step on.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::super::*;

/// Stands for the name of a group until all are numbered.
const NAME: char = '\u{1}';

fn quantifier() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        4 => Just(""),
        1 => prop::sample::select(&["*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "{2}", "{1,2}",
            "{0,2}?", "{2,}", "{,1}", "{2}?"][..]),
    ]
}

fn atom() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&["a", "b", "c", "1", " ", "ab", "ä", "\n"][..]),
        4 => prop::sample::select(&[".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"\S", r"\h", "[a-c1]",
            "[[:alpha:]]", "[^[:space:]b]", "[a-z&&[^b]]", "[ä-ü]"][..]),
        1 => prop::sample::select(&["^", "$", r"\A", r"\z", r"\Z", r"\b", r"\B", "(?<=a)", "(?<!b)",
            "(?<=ab)", "(?<!a|b)", "(?=b)", "(?!a)"][..]),
    ]
    .prop_map(str::to_owned)
}

/// Expressions out of small parts, groups not numbered yet.
fn expression() -> impl Strategy<Value = String> {
    let leaf = (atom(), quantifier()).prop_map(|(atom, quantifier)| match quantifier {
        "" => atom,
        _ => format!("(?:{atom}){quantifier}"),
    });
    leaf.prop_recursive(4, 24, 4, |inner| {
        let sequence = prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.concat());
        let group = (
            prop::sample::select(
                &["(?:", "(?<\u{1}>", "(?<\u{1}>", "(?>", "(?=", "(?!", "(?i:"][..],
            ),
            prop::collection::vec(sequence.clone(), 1..3),
            quantifier(),
        );
        prop_oneof![
            2 => sequence,
            3 => group.prop_map(|(open, branches, quantifier)| {
                let inside = branches.join("|");
                match quantifier {
                    "" => format!("{open}{inside})"),
                    _ => format!("(?:{open}{inside})){quantifier}"),
                }
            }),
        ]
    })
}

/// Numbers the groups.
fn numbered(expression: &str) -> String {
    let mut parts = expression.split(NAME);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for (number, part) in parts.enumerate() {
        out.push_str(&format!("g{number}{part}"));
    }
    out
}

struct Case {
    expression: String,
    text: String,
}

fn cases(count: usize) -> Vec<Case> {
    let strategy = (expression(), "[ab1cA ä\n]{0,9}");
    let mut runner = TestRunner::deterministic();
    (0..count)
        .map(|_| {
            let (expression, text) = strategy.new_tree(&mut runner).unwrap().current();
            Case { expression: numbered(&expression), text }
        })
        .collect()
}

/// What an engine says: the groups, or that there is no match.
type Said = Option<Vec<(String, Option<String>)>>;

/// What we say, remembering failures from the first step on or when it takes long.
fn ours(case: &Case, at_once: bool) -> Result<Said, GrokError> {
    let options = Options { step_limit: 50_000_000, ..Options::default() };
    let grok = Grok::new(&case.expression, &Patterns::empty(), &options)?;
    let mut scratch = Scratch::default();
    scratch.clear(grok.groups.len());
    let mut machine = Machine::new(&grok.program, &case.text, &mut scratch, options.step_limit);
    if at_once {
        machine.remember_at_once();
    }
    let Ok(matched) = machine.search() else { panic!("too hard: {}", case.expression) };
    Ok(matched.then(|| {
        grok.fields
            .iter()
            .enumerate()
            .map(|(group, field)| {
                let range = scratch.group(group);
                (field.name.clone(), range.map(|range| case.text[range].to_owned()))
            })
            .collect()
    }))
}

/// What Ruby says to each case, or its error.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn ruby(cases: &[Case]) -> Option<Vec<Result<Said, String>>> {
    const SCRIPT: &str = r#"
        require 'json'
        $stderr.reopen(File::NULL)
        STDIN.each_line do |line|
          expression, text = JSON.parse(line)
          begin
            match = Regexp.new(expression, Regexp::MULTILINE).match(text)
            puts JSON.generate(match ? match.names.map { |name| [name, match[name]] } : nil)
          rescue RegexpError => error
            puts JSON.generate(error.message)
          end
          STDOUT.flush
        end
    "#;
    let child = Command::new("ruby")
        .args(["-Ku", "-e", SCRIPT])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: ruby is not installed, see scripts/install-test-deps");
        return None;
    };
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = cases
        .iter()
        .map(|case| {
            let asked = serde_json::to_string(&(&case.expression, &case.text)).unwrap();
            writeln!(input, "{asked}").unwrap();
            match serde_json::from_str(&output.next().unwrap().unwrap()).unwrap() {
                serde_json::Value::String(error) => Err(error),
                said => Ok(serde_json::from_value(said).unwrap()),
            }
        })
        .collect();
    drop(input);
    child.wait().unwrap();
    Some(said)
}

#[test]
fn matches_as_ruby_does() {
    let cases =
        cases(std::env::var("BERGFRIED_DIFFERENTIAL").map_or(1500, |count| count.parse().unwrap()));
    let Some(said) = ruby(&cases) else { return };
    let mut compared = 0;
    let mut differences = Vec::new();
    for (case, theirs) in cases.iter().zip(said) {
        let Ok(theirs) = theirs else { continue };
        for at_once in [false, true] {
            let ours = ours(case, at_once).unwrap_or_else(|error| {
                panic!("{:?} is an expression for Ruby: {error}", case.expression)
            });
            if ours != theirs {
                differences.push(format!(
                    "{:?} over {:?}, remembering at once: {at_once}\n  {ours:?}, Ruby {theirs:?}",
                    case.expression, case.text
                ));
            }
        }
        compared += 1;
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(compared * 10 > cases.len() * 9, "only {compared} of {} were compared", cases.len());
}
