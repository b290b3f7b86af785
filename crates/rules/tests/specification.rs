//! What the Sigma specification 2.1 says, section by section, over events that show it.

#![expect(clippy::indexing_slicing, reason = "a test may stop where it stands")]

use bergfried_event::{Event, Field, FieldName, Timestamp, Value};
use bergfried_rules::{RuleSet, Source};
use serde_json::{Value as Json, json};

/// The rule of a `detection` section, in YAML's flow form.
fn rule(detection: &str) -> RuleSet {
    let text = format!("title: t\nlogsource: {{product: windows}}\ndetection: {detection}\n");
    let (rules, said) = RuleSet::load([Source { file: "r.yml".to_owned(), text }]);
    assert!(rules.len() == 1, "{detection}: {said:?}");
    rules
}

fn event(fields: &Json) -> Event<'static> {
    let time = Timestamp::from_seconds(1_706_702_400); // 2024-01-31T12:00:00Z, a Wednesday
    let mut event = Event::new(time, fields["raw"].as_str().unwrap_or_default().to_owned());
    for (name, value) in fields.as_object().into_iter().flatten().filter(|(name, _)| *name != "raw")
    {
        let name = match Field::from_name(name).filter(|field| field.name() == name) {
            Some(field) => FieldName::Known(field),
            None => FieldName::Other(name.clone().into()),
        };
        event.push_named(name, Value::from(value.clone()));
    }
    event
}

fn holds(detection: &str, fields: &Json) -> bool {
    let rules = rule(detection);
    rules.rules()[0].predicate().is_some_and(|predicate| predicate.matches(&event(fields)))
}

/// Whether one selection holds.
#[track_caller]
fn selection(cases: &[(&str, Json, bool)]) {
    for (selection, fields, expected) in cases {
        let detection = format!("{{s: {selection}, condition: s}}");
        assert_eq!(holds(&detection, fields), *expected, "{selection} over {fields}");
    }
}

fn refusal(detection: &str) -> String {
    let text = format!("title: t\nlogsource: {{product: windows}}\ndetection: {detection}\n");
    let (rules, said) = RuleSet::load([Source { file: "r.yml".to_owned(), text }]);
    assert!(rules.is_empty(), "{detection}");
    said.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// Rules, "General": "All values are treated as case-insensitive strings."
#[test]
fn values_are_case_insensitive_strings() {
    selection(&[
        ("{A: WhoAmI}", json!({"A": "whoami"}), true),
        ("{A: 4624}", json!({"A": "4624"}), true),
        ("{A: '4624'}", json!({"A": 4624}), true),
        ("{A: 4624}", json!({"A": "4624 "}), false),
        ("{A: 4624}", json!({"A": "x4624"}), false),
        ("{A: 1.5}", json!({"A": "1.5"}), true),
        // YAML takes what is not in quotes for a number.
        ("{A: 0x40810000}", json!({"A": "0x40810000"}), true),
        ("{A: 0x40810000}", json!({"A": 1_082_195_968}), true),
        ("{A: '0x17'}", json!({"A": 23}), false),
        ("{A: 23}", json!({"A": "0x+17"}), false),
        ("{A: true}", json!({"A": "True"}), true),
        ("{A: true}", json!({"A": true}), true),
        ("{A: true}", json!({"A": "yes"}), false),
        ("{A: 'true'}", json!({"A": true}), true),
        ("{A: 9007199254740993}", json!({"A": 9_007_199_254_740_993_i64}), true),
        ("{A: 9007199254740993}", json!({"A": 9_007_199_254_740_992_i64}), false),
        ("{A: 18446744073709551615}", json!({"A": "18446744073709551615"}), true),
        ("{A|contains: 46}", json!({"A": 4624}), true),
        ("{A: ÄRGER}", json!({"A": "ärger"}), true),
        ("{A|cased: Who}", json!({"A": "who"}), false),
        ("{A|cased|startswith: Who}", json!({"A": "WhoAmI"}), true),
    ]);
}

/// Rules, "String Wildcard" and "Escape Character".
#[test]
fn wildcards_and_their_escapes() {
    selection(&[
        // "`?` to replace a single mandatory character."
        ("{A: 'prog?.exe'}", json!({"A": "progA.exe"}), true),
        ("{A: 'prog?.exe'}", json!({"A": "prog.exe"}), false),
        // "`*` to replace an unbounded length wildcard."
        ("{A: 'antivirus_V*.exe'}", json!({"A": "antivirus_V21.2.1.exe"}), true),
        ("{A: 'a*b'}", json!({"A": "a\nb"}), true),
        ("{A: '*'}", json!({"A": ""}), true),
        ("{A: '*'}", json!({}), false),
        // "Plain backslash not followed by a wildcard can be expressed as single `\` or double."
        (r"{A: 'C:\Windows'}", json!({"A": r"c:\windows"}), true),
        (r"{A: 'C:\\Windows'}", json!({"A": r"c:\windows"}), true),
        // "A wildcard has to be escaped to be handled as a plain character."
        (r"{A: 'a\*b'}", json!({"A": "a*b"}), true),
        (r"{A: 'a\*b'}", json!({"A": "axb"}), false),
        (r"{A: 'a\?'}", json!({"A": "a?"}), true),
        // "… handle the value as a backslash followed by a wildcard: `\\*`."
        (r"{A: 'C:\\*'}", json!({"A": r"C:\x"}), true),
        (r"{A: 'C:\\*'}", json!({"A": "C:x"}), false),
        // "Three backslashes are necessary to escape both."
        (r"{A: 'C:\\\*'}", json!({"A": r"C:\*"}), true),
        (r"{A: 'C:\\\*'}", json!({"A": r"C:\x"}), false),
        // "Three or four backslashes are handled as double backslash."
        (r"{A: '\\\srv'}", json!({"A": r"\\srv"}), true),
        (r"{A: '\\\\srv'}", json!({"A": r"\\srv"}), true),
        (r"{A|endswith: '\'}", json!({"A": r"C:\"}), true),
        // Beside modifiers: "replaces e.g. 'adm\*'".
        ("{A|endswith: '7?'}", json!({"A": "0x7f"}), true),
        ("{A|endswith: '7?'}", json!({"A": "0x7"}), false),
        ("{A|startswith: '/home/*/www/'}", json!({"A": "/home/x/www/y"}), true),
        ("{A|contains: 'a*b?'}", json!({"A": "x-a-b-y"}), true),
        (r"{A|contains: 'C:\'}", json!({"A": r"x C:\y"}), true),
    ]);
}

/// Rules, "Lists" ("linked with a logical 'OR'"), "Maps" ("joined with a logical 'AND'").
#[test]
fn lists_and_maps_combine() {
    selection(&[
        ("{A: [x, y], B: z}", json!({"A": "y", "B": "z"}), true),
        ("{A: [x, y], B: z}", json!({"A": "y"}), false),
        ("[{A: x}, {B: [y, z]}]", json!({"B": "z"}), true),
        ("[{A: x, C: q}, {B: y}]", json!({"A": "x"}), false),
        ("[[{A: x}, {A: y}], {B: z}]", json!({"A": "y"}), true),
        // Strings "applied to the full log message", beside maps.
        ("[evil, {A: x}]", json!({"raw": "so EVIL"}), true),
        ("[evil, {A: x}]", json!({"A": "x"}), true),
        ("[{'|contains|all': [one, two]}, {A: x}]", json!({"raw": "two", "B": "one"}), true),
        // A field that holds a list: any of its values.
        ("{A: x}", json!({"A": ["y", "X"]}), true),
        ("{A|contains|all: [one, two]}", json!({"A": ["one", "two"]}), true),
    ]);
}

/// Rules, "Special Field Values" and "Field Existence".
#[test]
fn empty_null_and_missing() {
    selection(&[
        // "An empty value is defined with `''`": the field is there.
        ("{A: ''}", json!({"A": ""}), true),
        ("{A: ''}", json!({"A": null}), false),
        ("{A: ''}", json!({}), false),
        ("{A: ''}", json!({"A": " "}), false),
        // "A null value is defined with `null`": a field that is not there has none either.
        ("{A: null}", json!({"A": null}), true),
        ("{A: null}", json!({}), true),
        ("{A: null}", json!({"A": ""}), false),
        ("{A: null}", json!({"A": [null, "x"]}), false),
        ("{A: null}", json!({"A": []}), true),
        ("{A|neq: null}", json!({"A": "x"}), true),
        ("{A|neq: null}", json!({}), false),
        // "This check only verifies the presence of a field, not its value, be it empty or null."
        ("{A|exists: true}", json!({"A": null}), true),
        ("{A|exists: true}", json!({"A": ""}), true),
        ("{A|exists: true}", json!({}), false),
        ("{A|exists: false}", json!({}), true),
        ("{A|exists: false}", json!({"A": null}), false),
    ]);
    // "To get an expression that says `not null` …"
    let not_null = "{s: {EventID: 4738}, f: {P: null}, condition: s and not f}";
    assert!(holds(not_null, &json!({"EventID": 4738, "P": "yesterday"})));
    assert!(!holds(not_null, &json!({"EventID": 4738})));
    // A filter over a field that is not there filters nothing.
    let filtered = "{s: {A: x}, f: {B: y}, condition: s and not f}";
    assert!(holds(filtered, &json!({"A": "x"})));
}

/// Modifiers, "Generic Modifiers": `neq`, "The field is different from the specified values."
#[test]
fn neq_is_the_negation_of_the_whole_item() {
    selection(&[
        ("{A|neq: x}", json!({"A": "y"}), true),
        ("{A|neq: x}", json!({"A": "X"}), false),
        // Different from what it does not have at all.
        ("{A|neq: x}", json!({}), true),
        ("{A|neq: [x, y]}", json!({"A": "y"}), false),
        ("{A|neq: [x, y]}", json!({"A": "z"}), true),
        ("{A|contains|neq: [x, y]}", json!({"A": "ayb"}), false),
        // With `all`: not all of them.
        ("{A|contains|all|neq: [x, y]}", json!({"A": "ayb"}), true),
        ("{A|contains|all|neq: [x, y]}", json!({"A": "xy"}), false),
        ("{A|neq: 22}", json!({"A": "22"}), false),
        ("{A|gte|neq: 22}", json!({"A": 3}), true),
        ("{A|cidr|neq: 10.0.0.0/8}", json!({"A": "192.0.2.1"}), true),
        ("{A|re|neq: '^x'}", json!({"A": "xy"}), false),
        ("{A|fieldref|neq: B}", json!({"A": "x", "B": "y"}), true),
        ("{A|fieldref|neq: B}", json!({"A": "x", "B": "X"}), false),
        ("{'|neq': evil}", json!({"raw": "good"}), true),
    ]);
}

/// Modifiers, "Generic Modifiers": `all`, "This modifier changes this to *AND*" and "Single item
/// values are not allowed": such a rule says the same without it and is not lost for it.
#[test]
fn all_joins_values() {
    selection(&[
        ("{A|contains|all: [x, y]}", json!({"A": "yx"}), true),
        ("{A|contains|all: [x, y]}", json!({"A": "x"}), false),
        ("{A|all: ['*x', 'y*']}", json!({"A": "yx"}), true),
        ("{A|re|all: ['x', '^y']}", json!({"A": "yx"}), true),
        ("{A|contains|all: x}", json!({"A": "ax"}), true),
        ("{A|contains|all: x}", json!({"A": "y"}), false),
    ]);
}

/// Modifiers, "String Modifiers": `windash`, "Creates all possible permutations of the `-`, `/`, `–`
/// (en dash), `—` (em dash), and `―` (horizontal bar) characters."
#[test]
fn windash_permutes_all_five() {
    for dash in ["-", "/", "–", "—", "―"] {
        let line = |dash: &str| json!({"A": format!("x.exe {dash}f a{dash}b {dash}q")});
        for written in ["-", "/", "–", "—", "―"] {
            for modifiers in ["windash|contains", "contains|windash"] {
                let value = format!("{{A|{modifiers}: ' {written}f '}}");
                selection(&[(value.as_str(), line(dash), true)]);
            }
        }
        selection(&[
            ("{A|windash|contains|all: [' -f', ' /q']}", line(dash), true),
            ("{A|windash|endswith: ' -q'}", line(dash), true),
            ("{A|windash: '*.exe -f*b -?'}", line(dash), true),
            ("{A|windash|contains: 'a-b -q'}", line(dash), true),
            ("{A|windash|cased|contains: ' -F '}", line(dash), false),
            ("{A|windash|contains: ' -x '}", line(dash), false),
        ]);
    }
    selection(&[
        // Mixed, and more dashes than could be spelt out.
        ("{A|windash: '-a -b -c -d -e -f -g'}", json!({"A": "/a -b –c —d ―e -f /g"}), true),
        ("{A|windash|base64: '-a'}", json!({"A": "L2E="}), true),
    ]);
}

/// Modifiers, "Regular Expression".
#[test]
fn regular_expressions() {
    selection(&[
        // "Regex is matched case-sensitive by default."
        ("{A|re: '^ab'}", json!({"A": "abc"}), true),
        ("{A|re: '^ab'}", json!({"A": "ABC"}), false),
        ("{A|re|i: '^ab'}", json!({"A": "ABC"}), true),
        // "`^`/`$` match the start/end of line."
        ("{A|re: '^b$'}", json!({"A": "a\nb\nc"}), false),
        ("{A|re|m: '^b$'}", json!({"A": "a\nb\nc"}), true),
        // "dot (`.`) matches all characters, including the newline character."
        ("{A|re: 'a.b'}", json!({"A": "a\nb"}), false),
        ("{A|re|s: 'a.b'}", json!({"A": "a\nb"}), true),
        ("{A|re|i|m|s: '^B.C$'}", json!({"A": "a\nb\nc"}), true),
        // "Wildcards", "Anchors", "Quantifiers", "Character Classes", "Alternation", "Grouping".
        (r"{A|re: '^(a|b)+[x-z]{2,3}[^0-9]?\.exe$'}", json!({"A": "abaxyz-.exe"}), true),
        (r"{A|re: '\w:\\\\Users\\\\[^\\\\]+'}", json!({"A": r"C:\\Users\\bob"}), true),
        // PCRE's plain escapes.
        (r#"{A|re: '\/\-\_\"\<'}"#, json!({"A": "/-_\"<"}), true),
        (r"{A|re|startswith: 'a|b'}", json!({"A": "xb"}), false),
        (r"{A|re|endswith: 'a|b'}", json!({"A": "xb"}), true),
        ("{A|re: '10'}", json!({"A": 4102}), true),
        ("{A|re: 10}", json!({"A": 4102}), true),
    ]);
    for (pattern, what) in [
        ("a(?=b)", "look-ahead at character 2"),
        ("(?<!a)b", "look-behind at character 1"),
        (r"(a)\1", "a back-reference at character 4"),
        ("a++", "a possessive quantifier at character 3"),
        ("(a", "unclosed group"),
        ("(?:a{999}){999}", "larger than"),
    ] {
        let said = refusal(&format!("{{s: {{A|re: '{pattern}'}}, condition: s}}"));
        assert!(said.contains(what) && said.starts_with("r.yml:3:"), "{pattern}: {said}");
    }
}

/// Modifiers, "Encoding".
#[test]
fn encodings() {
    selection(&[
        ("{A|base64: foo}", json!({"A": "Zm9v"}), true),
        ("{A|base64|contains: 'foo '}", json!({"A": "x Zm9vIA== y"}), true),
        // "Default Sigma behavior is case-insensitive matching."
        ("{A|base64: foo}", json!({"A": "zm9V"}), true),
        ("{A|base64|cased: foo}", json!({"A": "zm9V"}), false),
        ("{A|base64: [foo, bar]}", json!({"A": "YmFy"}), true),
        (r"{A|base64: 'a\*'}", json!({"A": "YSo="}), true),
        ("{A|base64offset|contains: 'http://'}", json!({"A": "xxodHRwOi8vYQ"}), true),
        // "`cmd` > `63 00 6d 00 64 00`".
        ("{A|utf16le: cmd}", json!({"A": "c\u{0}m\u{0}d\u{0}"}), true),
        ("{A|wide: cmd}", json!({"A": "c\u{0}m\u{0}d\u{0}"}), true),
        ("{A|wide|contains: cmd}", json!({"A": "x c\u{0}M\u{0}d\u{0} y"}), true),
        ("{A|wide: 'c*d'}", json!({"A": "c\u{0}m\u{0}d\u{0}"}), true),
        ("{A|utf16be: cmd}", json!({"A": "\u{0}c\u{0}m\u{0}d"}), true),
        // "Prepends a byte order mark": bytes that are no text are read as U+FFFD.
        ("{A|utf16: cmd}", json!({"A": "\u{fffd}\u{fffd}c\u{0}m\u{0}d\u{0}"}), true),
        ("{A|utf16: [x, cmd]}", json!({"A": "\u{fffd}\u{fffd}c\u{0}m\u{0}d\u{0}"}), true),
        ("{A|wide|base64: cmd}", json!({"A": "YwBtAGQA"}), true),
        ("{A|utf16|base64: cmd}", json!({"A": "//5jAG0AZAA="}), true),
        ("{A|utf16be|base64: cmd}", json!({"A": "AGMAbQBk"}), true),
        ("{A|wide|base64offset|contains: foo}", json!({"A": "ZgBvAG8Aenp6"}), true),
        ("{A|wide|base64offset|contains: foo}", json!({"A": "cWYAbwBvAHp6eg=="}), true),
        ("{A|wide|base64offset|contains: foo}", json!({"A": "cXFmAG8AbwB6eno="}), true),
        ("{A|base64: 5}", json!({"A": "NQ=="}), true),
    ]);
    let said = refusal("{s: {A|base64: 'a*'}, condition: s}");
    assert!(said.contains("wildcards cannot be base64"), "{said}");
}

/// Modifiers, "Numeric Modifiers".
#[test]
fn numbers() {
    selection(&[
        ("{A|lt: 10}", json!({"A": 9}), true),
        ("{A|lt: 10}", json!({"A": "10"}), false),
        ("{A|lte: 10}", json!({"A": "10"}), true),
        ("{A|gt: 9.5}", json!({"A": 10}), true),
        ("{A|gte: '10'}", json!({"A": 10}), true),
        ("{A|gte: 10}", json!({"A": "many"}), false),
        ("{A|gte: 10}", json!({}), false),
        ("{A|gte: 10}", json!({"A": [1, 11]}), true),
        ("{A|neq: 10}", json!({"A": 11}), true),
    ]);
}

/// Modifiers, "Time Modifiers": "it extracts a numeric value from a date".
#[test]
fn parts_of_times() {
    let windows = json!({"A": "2026-01-31 23:05:00.123"});
    selection(&[
        ("{A|minute: 5}", windows.clone(), true),
        ("{A|hour: [22, 23]}", windows.clone(), true),
        ("{A|hour|gte: 22}", windows.clone(), true),
        ("{A|hour|lt: 22}", windows.clone(), false),
        ("{A|hour|neq: 23}", windows.clone(), false),
        ("{A|day: 31}", windows.clone(), true),
        ("{A|week: 5}", windows.clone(), true),
        ("{A|month: 1}", windows.clone(), true),
        ("{A|year: 2026}", windows, true),
        ("{A|year: 2026}", json!({"A": "2026-01-31"}), true),
        // "It is not designed to handle timezone or format conversions."
        ("{A|hour: 1}", json!({"A": "2026-01-31T01:00:00+09:00"}), true),
        ("{A|hour: 1}", json!({"A": 1_706_702_400}), false),
        ("{A|hour: 1}", json!({}), false),
        ("{'@timestamp|hour': 12}", json!({}), true),
        ("{'@timestamp|week': 5}", json!({}), true),
        ("{'@timestamp|day|gt': 31}", json!({}), false),
    ]);
}

/// Modifiers, "IP (Internet Protocol) Modifiers": "Supports both IPv4 and IPv6 notations."
#[test]
fn networks() {
    selection(&[
        ("{A|cidr: 10.0.0.0/8}", json!({"A": "10.1.2.3"}), true),
        ("{A|cidr: 10.0.0.0/8}", json!({"A": "11.1.2.3"}), false),
        ("{A|cidr: 10.0.0.0/8}", json!({"A": "::ffff:10.1.2.3"}), true),
        ("{A|cidr: 'fe80::/10'}", json!({"A": "FE80::1"}), true),
        ("{A|cidr: ['fe80::/10', 192.0.2.0/24]}", json!({"A": "192.0.2.9"}), true),
        ("{A|cidr: 10.0.0.0/8}", json!({"A": "10.1.2.3 or so"}), false),
        ("{'|cidr': 10.0.0.0/8}", json!({"raw": "from 10.1.2.3 port 22"}), true),
        ("{'|cidr': 10.0.0.0/8}", json!({"A": "10.1.2.3"}), true),
        ("{'|cidr': 10.0.0.0/8}", json!({"raw": "from 110.1.2.3"}), false),
    ]);
}

/// Modifiers, "Specific Modifiers": `fieldref`, "Modifies a plain string into a field reference."
#[test]
fn fields_are_compared() {
    selection(&[
        ("{A|fieldref: B}", json!({"A": "x", "B": "X"}), true),
        ("{A|fieldref|cased: B}", json!({"A": "x", "B": "X"}), false),
        ("{A|fieldref|startswith: B}", json!({"A": "xy", "B": "X"}), true),
        ("{A|fieldref|endswith: B}", json!({"A": "xy", "B": "y"}), true),
        ("{A|fieldref|contains: B}", json!({"A": "xyz", "B": "y"}), true),
        ("{A|fieldref: B}", json!({"A": 22, "B": "22"}), true),
        ("{A|fieldref: [B, C]}", json!({"A": "x", "B": "y", "C": "x"}), true),
        ("{A|fieldref: B}", json!({"A": "x", "B": ["y", "x"]}), true),
        ("{A|fieldref: B}", json!({"A": "x"}), false),
        ("{A|fieldref: B}", json!({}), false),
        ("{A|fieldref: B}", json!({"A": null, "B": null}), false),
    ]);
}

/// Rules, "Keywords search": "searching for keywords across an entire event".
#[test]
fn keywords_look_at_the_whole_event() {
    let raw = json!({"raw": "one line of Event::Clear", "A": "two words"});
    selection(&[
        ("['event::clear', 'event::drop']", raw.clone(), true),
        ("['event::drop']", raw.clone(), false),
        ("[words]", raw.clone(), true),
        ("just text", raw.clone(), false),
        ("'event::clear'", raw.clone(), true),
        // "To have a **and** operator, we use the `'|all':` modifier."
        ("{'|all': [clear, words]}", raw.clone(), true),
        ("{'|all': [clear, absent]}", raw.clone(), false),
        ("{'|contains|all': [clear, line]}", raw.clone(), true),
        ("['l*clear']", raw.clone(), true),
        ("{'|re': 'li.e'}", raw.clone(), true),
        ("{'|re|i': ['LI.E', x]}", raw.clone(), true),
        ("{'|cased': event}", raw.clone(), false),
        ("{'|startswith': two}", raw.clone(), true),
        ("{'|windash': '-line'}", raw, false),
        // A number is no part of another.
        ("[6]", json!({"raw": "init 6"}), true),
        ("[6]", json!({"raw": "init 16"}), false),
        ("[4625]", json!({"A": 4625}), true),
    ]);
    for detection in ["{s: [null], condition: s}", "{s: {'|gt': 3}, condition: s}"] {
        assert!(!refusal(detection).is_empty());
    }
}

/// Rules, "Condition".
#[test]
fn conditions() {
    for (condition, fields, expected) in [
        // "Operator Precedence (least to most binding): or, and, not, x of, ( expression )".
        ("a or b and c", json!({"A": 1}), true),
        ("(a or b) and c", json!({"A": 1}), false),
        ("not a and b", json!({"B": 1}), true),
        ("not (a and b)", json!({"B": 1}), true),
        ("not a or a", json!({}), true),
        ("a and not 1 of b*", json!({"A": 1}), true),
        // "a search identifier `_example` wouldn't be included".
        ("1 of them", json!({"H": 1}), false),
        ("1 of them", json!({"C": 1}), true),
        ("all of them", json!({"A": 1, "B": 1, "C": 1}), true),
        ("all of them", json!({"A": 1, "B": 1, "H": 1}), false),
        ("2 of them", json!({"A": 1, "C": 1}), true),
        ("2 of them", json!({"A": 1, "H": 1}), false),
        ("3 of them", json!({"A": 1, "B": 1, "C": 1}), true),
        ("any of them", json!({"B": 1}), true),
        // "restricted to matching search identifiers".
        ("1 of *", json!({"H": 1}), false),
        ("1 of _h*", json!({"H": 1}), true),
        ("_hidden", json!({"H": 1}), true),
        ("a and a", json!({"A": 1}), true),
    ] {
        let detection = format!(
            "{{a: {{A: 1}}, b: {{B: 1}}, c: {{C: 1}}, _hidden: {{H: 1}}, condition: {condition}}}"
        );
        assert_eq!(holds(&detection, &fields), expected, "{condition} over {fields}");
    }
    // "* wildcards (any number of characters) at arbitrary positions in the pattern".
    let stars = "{sel_a_x: {A: 1}, sel_b: {B: 1}, condition: 1 of s*a*x}";
    assert!(holds(stars, &json!({"A": 1})) && !holds(stars, &json!({"B": 1})));
    // "The condition can be a list … logically linked with OR."
    let list = "{a: {A: 1}, b: {B: 1}, condition: [a, b]}";
    assert!(holds(list, &json!({"B": 1})));
}

#[test]
fn many_choices_cost_no_more_than_their_number() {
    let selections: Vec<String> = (0..200).map(|n| format!("s{n}: {{A{n}: 1}}")).collect();
    let detection = format!("{{{}, condition: 100 of s*}}", selections.join(", "));
    let fields = |count: usize| {
        let fields = (0..count).map(|n| (format!("A{n}"), json!(1)));
        Json::Object(fields.collect())
    };
    assert!(holds(&detection, &fields(100)) && !holds(&detection, &fields(99)));
}
