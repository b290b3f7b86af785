//! Malformed rules: where the fault is, what was expected, and that the others load.

use bergfried_event::{Event, Field, Severity, Timestamp};
use bergfried_rules::{DiagnosticSeverity, RuleKind, RuleSet, Source};

const GOOD: &str = "title: good\nlogsource: {service: sshd}\ndetection:\n  sel:\n    user.name: root\n  condition: sel\n";

fn load(text: &str) -> (RuleSet, Vec<String>) {
    let (rules, diagnostics) =
        RuleSet::load([Source { file: "r.yml".to_owned(), text: text.to_owned() }]);
    (rules, diagnostics.iter().map(ToString::to_string).collect())
}

#[test]
fn faults_are_placed_and_the_nearest_word_is_offered() {
    for (change, expected) in [
        (("title: good", "id: x"), "r.yml:1:1: missing `title`"),
        (
            ("title: good", "title: good\nlevel: hihg"),
            "r.yml:2:8: unknown level `hihg`, expected informational, low, medium, high or critical, did you mean `high`?",
        ),
        (
            ("title: good", "title: good\nstatus: tested"),
            "r.yml:2:9: unknown status `tested`, expected stable, test, experimental, deprecated or unsupported, did you mean `test`?",
        ),
        (
            ("user.name:", "user.name|startwith:"),
            "r.yml:5:14: unknown modifier `startwith`, did you mean `startswith`?",
        ),
        (
            ("user.name:", "user.name|not:"),
            "r.yml:5:14: `not` is no modifier, say it in the condition",
        ),
        (
            ("condition: sel", "condition: sel and not filtr"),
            "r.yml:6:26: unknown selection `filtr`, expected sel",
        ),
        (
            ("condition: sel", "condition: 1 of filter_*"),
            "r.yml:6:19: no selection is named like `filter_*`",
        ),
        (("  condition: sel\n", ""), "r.yml:3:1: missing `condition` in `detection`"),
        (
            ("detection:\n  sel:\n    user.name: root\n  condition: sel\n", ""),
            "r.yml:1:1: missing `detection` (or `correlation`, or `filter`)",
        ),
        (
            ("user.name: root", "user.name|re: '(?=x)'"),
            "r.yml:5:20: cannot use regular expression `(?=x)`: look-ahead at character 1 is not supported",
        ),
        (
            ("user.name: root", "source.ip|cidr: 10.0.0.0/33"),
            "r.yml:5:21: `10.0.0.0/33` is no network, expected one such as 10.0.0.0/8",
        ),
        (
            ("user.name: root", "user.name: {first: root}"),
            "r.yml:5:5: `user.name` must be a value or a list of values that is not empty",
        ),
        (
            ("user.name: root", "user.name|re: 'x(y{500}){500}'"),
            "r.yml:5:20: cannot use regular expression `x(y{500}){500}`: it is larger than 1048576 bytes when compiled",
        ),
        (
            ("title: good", "title: good\nsigma-version: 4"),
            "r.yml:2:1: cannot read version 4 of Sigma, only up to 2",
        ),
        (("user.name: root", "user.name|gte: many"), "r.yml:5:5: `many` is no number"),
        (
            ("user.name: root", "user.name|hour|contains: 3"),
            "r.yml:5:5: a part of a time cannot be combined with `contains`, `startswith` or `endswith`",
        ),
        (
            ("user.name: root", "user.name|base64: 'ro*t'"),
            "r.yml:5:5: a value with wildcards cannot be base64, escape them by a backslash",
        ),
        (
            ("  sel:\n    user.name: root", "  sel: []"),
            "r.yml:4:3: `sel` is empty, expected fields with values or keywords",
        ),
        (
            ("condition: sel", "condition: 3 of s*"),
            "r.yml:6:3: cannot choose 3 of 1 selections, expected 1 to 1",
        ),
        (
            ("user.name: root", "user.name|exists: perhaps"),
            "r.yml:5:5: `user.name|exists` must be true or false",
        ),
        (
            ("title: good", "title: good\naction: globl"),
            "r.yml:2:1: unknown action `globl`, expected global, reset or repeat, did you mean `global`?",
        ),
        (
            ("condition: sel", "condition: sel | count() > 5"),
            "r.yml:6:18: cannot read the condition: expected the end, `or` or `and`",
        ),
    ] {
        let text =
            format!("{}---\ntitle: other\n{}", GOOD.replace(change.0, change.1), &GOOD[12..]);
        let (rules, said) = load(&text);
        assert_eq!(said, [expected], "{text}");
        assert_eq!(rules.len(), 1, "the other rule of the file loads");
    }
}

#[test]
fn broken_yaml_is_placed() {
    let (rules, said) = load("title: a\ndetection: [\n");
    assert!(said[0].starts_with("r.yml:"), "{said:?}");
    assert!(said[0].contains("cannot read YAML: "), "{said:?}");
    assert!(rules.is_empty());
    assert_eq!(load("- a\n- b\n").1.len(), 1);
    assert_eq!(load("\u{0}\u{1}").1.len(), 1);
    assert_eq!(load("").1.len(), 0);
}

#[test]
fn correlation_faults_are_placed() {
    let base = GOOD.replace("title: good", "title: good\nname: good");
    for (section, expected) in [
        (
            "type: event_cuont\n  rules: [good]\n  timespan: 1m\n  condition: {gte: 1}",
            "r.yml:12:9: unknown correlation type `event_cuont`, expected event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile or value_median, did you mean `event_count`?",
        ),
        (
            "type: value_sum\n  rules: [good]\n  timespan: 1m\n  condition:\n    field: [x, y]\n    gte: 1",
            "r.yml:16:5: a value_sum correlation takes one `field`",
        ),
        (
            "type: value_avg\n  rules: [good]\n  timespan: 1m\n  condition:\n    field: x\n    gte: much",
            "r.yml:17:5: `gte` must be a number",
        ),
        (
            "type: value_percentile\n  rules: [good]\n  timespan: 1m\n  condition:\n    field: x\n    percentile: 101\n    gte: 1.5",
            "r.yml:17:5: `percentile` must be a number from 0 to 100",
        ),
        (
            "type: value_percentile\n  rules: [good]\n  timespan: 1m\n  condition:\n    field: [x, y]\n    percentile: 9\n    gte: 1",
            "r.yml:16:5: a percentile is that of one `field`",
        ),
        (
            "type: value_median\n  rules: [good]\n  timespan: 1m\n  condition:\n    field: x",
            "r.yml:15:3: the condition compares nothing, expected a bound such as gte: 10",
        ),
        (
            "type: event_count\n  rules: [good]\n  timespan: 1 minute\n  condition: {gte: 1}",
            "r.yml:14:13: `1 minute` is no time span, expected a number and s, m, h or d such as 10m",
        ),
        (
            "type: event_count\n  rules: [god]\n  timespan: 1m\n  condition: {gte: 1}",
            "r.yml:13:11: no rule has the id or name `god`, did you mean `good`?",
        ),
        (
            "type: event_count\n  rules: [good]\n  timespan: 1m\n  condition:\n    gtee: 1",
            "r.yml:16:5: unknown condition `gtee`, expected gt, gte, lt, lte, eq, neq, field or percentile, did you mean `gte`?",
        ),
        (
            "type: event_count\n  rules: [good]\n  groupby: [x]\n  timespan: 1m\n  condition: {gte: 1}",
            "r.yml:14:3: unknown key `groupby`, expected type, rules, group-by, timespan, timeframe, condition, aliases or generate, did you mean `group-by`?",
        ),
        (
            "type: value_count\n  rules: [good]\n  timespan: 1m\n  condition: {gte: 1}",
            "r.yml:15:3: missing `field` in the condition of a value_count correlation",
        ),
        (
            "type: temporal\n  rules: [self]\n  timespan: 1m",
            "r.yml:9:1: correlations refer to one another in a circle",
        ),
    ] {
        let text = format!("{base}---\ntitle: self\nname: self\ncorrelation:\n  {section}\n");
        let (rules, said) = load(&text);
        assert_eq!(said, [expected], "{text}");
        assert_eq!(rules.len(), 1);
    }
}

/// Sigma correlation rules specification 2.1, "Correlation Types" and "Condition".
#[test]
fn every_correlation_of_the_specification_loads() {
    let base = GOOD.replace("title: good", "title: good\nname: good");
    for section in [
        "type: event_count\n  group-by: [host.name]\n  condition: {gt: 100, lte: 200}",
        "type: value_count\n  group-by: [host.name, user.name]\n  condition: {field: User, gte: 100}",
        "type: value_count\n  condition: {field: [User, SourceIp], neq: 3}",
        "type: temporal\n  group-by: [host.name]",
        "type: temporal\n  condition: {gte: 1}",
        "type: temporal_ordered\n  condition: {eq: 1}",
        "type: value_sum\n  condition: {field: bytes_sent, gt: 1000000}",
        "type: value_avg\n  condition: {field: BytesOut, gt: 499.5, lt: -1}",
        "type: value_percentile\n  condition: {field: image, lte: 1}",
        "type: value_percentile\n  condition: {field: BytesOut, percentile: 99.9, lte: 0.1}",
        "type: value_median\n  condition: {field: BytesOut, eq: 1}",
    ] {
        let text = format!(
            "{base}---\ntitle: it\ncorrelation:\n  {section}\n  rules: [good]\n  timespan: 90m\n"
        );
        assert_eq!(load(&text).1, Vec::<String>::new(), "{section}");
    }
}

#[test]
fn duplicates_are_refused() {
    let (rules, said) = load(&format!("{GOOD}---\n{GOOD}"));
    assert_eq!(said, ["r.yml:8:1: duplicate id or name `good`, first used at r.yml:1"]);
    assert_eq!(rules.len(), 1);
}

#[test]
fn warnings_leave_the_rule_loaded() {
    for (change, expected) in [
        (
            ("service: sshd", "service: shhd"),
            "r.yml:2:1: warning: this rule can never fire here: no source gives service `shhd`, did you mean `sshd`?",
        ),
        (
            ("user.name: root", "sorce.ip: 10.0.0.1"),
            "r.yml:5:5: warning: no event has a field `sorce.ip`, did you mean `source.ip`?",
        ),
        (
            ("title: good", "title: good\nlevle: high"),
            "r.yml:2:1: warning: unknown key `levle`, did you mean `level`?",
        ),
    ] {
        let (rules, said) = load(&GOOD.replace(change.0, change.1));
        assert_eq!((said, rules.len()), (vec![expected.to_owned()], 1));
    }
}

#[test]
fn first_seen_is_read_strictly() {
    let attribute = |inner: &str| format!("{GOOD}bergfried:\n  first-seen: {inner}\n");
    let (rules, said) =
        load(&attribute("{group-by: [host.name, user.name], baseline: host.name, learning: 1d}"));
    assert_eq!(said, Vec::<String>::new());
    assert_eq!(rules.rules()[0].kind(), RuleKind::FirstSeen);
    assert_eq!(rules.longest_window(), 86_400_000_000);
    for inner in [
        "{group-by: [], baseline: host.name, learning: 1d}",
        "{group-by: [user.name], baseline: host.name, learning: soon}",
        "{group-by: [user.name], baseline: host.name, learning: 1d, more: 1}",
    ] {
        let (rules, said) = load(&attribute(inner));
        assert_eq!((rules.len(), said.len()), (0, 1), "{said:?}");
        assert!(said[0].starts_with("r.yml:"), "{said:?}");
    }
}

#[test]
fn filters_narrow_the_rules_that_they_name() {
    let filter = "---\ntitle: not from the office\nlogsource: {service: sshd}\nfilter:\n  rules: [good]\n  office:\n    source.ip|cidr: 192.0.2.0/24\n  condition: not office\n";
    let (rules, said) = load(&format!("{GOOD}{filter}"));
    assert_eq!((said, rules.len()), (Vec::new(), 1));
    let matches = |source: &'static str| {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set(Field::UserName, "root");
        event.set(Field::SourceIp, source);
        rules.rules()[0].predicate().unwrap().matches(&event)
    };
    assert!(matches("198.51.100.1"));
    assert!(!matches("192.0.2.1"));
}

#[test]
fn modifiers_mean_what_the_specification_says() {
    let mut event = Event::new(Timestamp::from_seconds(1_706_702_400), "raw words of the line");
    event.set(Field::UserName, "Root");
    event.set(Field::UserEffectiveName, "root");
    event.set(Field::SourceIp, "10.1.2.3");
    event.set(Field::SourcePort, 4242);
    event.set(Field::ProcessCommandLine, "tool /f Zm9v -x");
    for (selection, expected) in [
        ("user.name: root", true),
        ("user.name|cased: root", false),
        ("user.name|contains|all: [ro, OT]", true),
        ("user.name|contains|all: [ro, x]", false),
        ("User|startswith: ro", true),
        ("user.name|endswith: [a, ot]", true),
        ("user.name: r*t", true),
        ("user.name: 'r?t'", false),
        ("user.name|re: '^R'", true),
        ("user.name|re: '^r'", false),
        ("user.name|re|i: '^r'", true),
        ("source.ip|cidr: 10.0.0.0/8", true),
        ("SourceIp|cidr: 'fe80::/10'", false),
        ("source.port|gte: 4242", true),
        ("source.port|lt: 4242", false),
        ("source.port: 4242", true),
        ("source.port: '4242'", true),
        ("source.port|neq: 22", true),
        ("group.name|exists: false", true),
        ("user.name|exists: false", false),
        ("group.name: null", true),
        ("user.name|fieldref: user.effective.name", true),
        ("user.name|cased|fieldref: user.effective.name", false),
        ("CommandLine|windash|contains: ' -f '", true),
        ("CommandLine|contains: ' -f '", false),
        ("CommandLine|base64|contains: foo", true),
        ("CommandLine|base64offset|contains: foo", true),
        ("'@timestamp|hour': 12", true),
        ("'@timestamp|year': 2023", false),
        ("'|contains': words of", true),
        ("'|all': [words, LINE]", true),
        ("'|all': [words, absent]", false),
    ] {
        let text = GOOD.replace("user.name: root", selection);
        let (rules, said) = load(&text);
        assert_eq!(said, Vec::<String>::new(), "{selection}");
        assert_eq!(rules.rules()[0].predicate().unwrap().matches(&event), expected, "{selection}");
    }
    for (condition, expected) in
        [("1 of s*", true), ("all of them", false), ("2 of them", false), ("a or not b", true)]
    {
        let text = format!(
            "title: t\nlogsource: {{service: sshd}}\ndetection:\n  a: [absent, keyword]\n  b: {{user.name: x}}\n  sel: [LINE]\n  condition: {condition}\n"
        );
        let (rules, said) = load(&text);
        assert_eq!(said, Vec::<String>::new(), "{condition}");
        assert_eq!(rules.rules()[0].predicate().unwrap().matches(&event), expected, "{condition}");
    }
}

#[test]
fn rules_say_what_they_are() {
    let (rules, diagnostics) = RuleSet::load(bergfried_rules::builtin());
    assert!(diagnostics.iter().all(|d| d.severity == DiagnosticSeverity::Warning));
    let rule = rules.get("25d93f77-56a3-4efa-ba42-e927ead5b033").unwrap();
    assert_eq!((rule.level(), rule.kind()), (Severity::Critical, RuleKind::Correlation));
    assert_eq!(rule.techniques(), ["T1110.001", "T1078"]);
    assert_eq!(rule.tactics().collect::<Vec<_>>(), ["credential-access", "initial-access"]);
    assert_eq!((rule.file(), rule.line()), ("rules/linux/auth/ssh_success_after_failures.yml", 1));
    let root = rules.get("0212d698-f7b0-45fa-92d6-9e52267fefc9").unwrap();
    assert_eq!(root.logsource().as_deref(), Some("linux/*/sshd"));
}

#[test]
fn brackets_are_part_of_a_name_until_version_3() {
    let brackets = GOOD.replace("user.name", "args[any]");
    assert_eq!(load(&brackets).0.len(), 1);
    let (rules, said) = load(&brackets.replace("title: good", "title: good\nsigma-version: 3"));
    assert!(rules.is_empty() && said[0].contains("array matching"), "{said:?}");
    assert_eq!(load(&GOOD.replace("title: good", "title: good\nsigma-version: 3")).0.len(), 1);
}

#[test]
fn rules_of_sigma_1_share_their_keys() {
    let text = "action: global\ntitle: shared\nid: a\nlevel: high\nlogsource: {product: windows}\ndetection:\n  sel: {A: x, B: y}\n  condition: sel\n---\nlogsource: {service: security}\n---\ntitle: own\nid: b\ndetection:\n  sel: {B: z}\n---\naction: repeat\nid: c\ndetection:\n  sel: {B: q}\n---\naction: repeat\nlevel: low\n---\naction: global\nlevel: critical\n---\nlogsource: {service: system}\n---\naction: reset\n---\ntitle: alone\nid: d\nlogsource: {service: sshd}\ndetection:\n  sel: {A: x}\n  condition: sel\n";
    let (rules, said) = load(text);
    let said: Vec<&String> = said.iter().filter(|line| !line.contains("warning")).collect();
    assert_eq!(said, Vec::<&String>::new());
    let shown: Vec<String> = rules
        .rules()
        .iter()
        .map(|rule| format!("{} {} {} {}", rule.id(), rule.title(), rule.level(), rule.line()))
        .collect();
    assert_eq!(
        shown,
        [
            "a shared high 10",
            "b own high 12",
            "c own high 17",
            "c/4 own low 22",
            "a/5 shared critical 28",
            "d alone medium 32",
        ]
    );
    assert_eq!(rules.rules()[0].logsource().as_deref(), Some("windows/*/security"));
    let holds = |rule: usize, second: &'static str| {
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set_named(bergfried_event::FieldName::Other("A".into()), "x");
        event.set_named(bergfried_event::FieldName::Other("B".into()), second);
        rules.rules()[rule].predicate().unwrap().matches(&event)
    };
    assert!(holds(0, "y") && holds(1, "z") && holds(2, "q") && holds(3, "q"));
    assert!(!holds(1, "y") && !holds(3, "z"));
}

#[test]
fn faults_of_shared_keys_are_placed_where_they_stand() {
    let (rules, said) = load(
        "action: global\ntitle: t\nlogsource: {service: sshd}\ndetection:\n  sel:\n    user.name|re: 'x(?=y)'\n  condition: sel\n---\nid: a\n---\nid: b\n---\naction: repeet\n---\naction: reset\n---\naction: repeat\n",
    );
    assert!(rules.is_empty());
    let look_ahead = "r.yml:6:21: cannot use regular expression `x(?=y)`: look-ahead at character 2 is not supported";
    assert_eq!(
        said,
        [
            look_ahead,
            look_ahead,
            look_ahead,
            "r.yml:13:1: unknown action `repeet`, expected global, reset or repeat, did you mean `repeat`?",
        ]
    );
    assert_eq!(
        load("action: repeat\ntitle: x\n").1,
        ["r.yml:1:1: `action: repeat` follows no rule"]
    );
}

#[test]
fn filters_are_for_log_sources_that_cover_the_rule() {
    let base = "title: good\nlogsource: {product: windows, service: security}\ndetection:\n  sel:\n    User: root\n  condition: sel\n---\ntitle: counted\nname: counted\ncorrelation:\n  type: event_count\n  rules: [good]\n  timespan: 1m\n  condition: {gte: 2}\n";
    let filter = |logsource: &str, rules: &str| {
        format!(
            "{base}---\ntitle: f\nlogsource: {{{logsource}}}\nfilter:\n  rules: {rules}\n  known:\n    Host: known\n  condition: not known\n"
        )
    };
    for (logsource, rules, expected) in [
        ("product: windows", "[good]", Ok(false)),
        ("product: windows, service: security", "[good]", Ok(false)),
        ("product: windows", "any", Ok(false)),
        ("service: sshd", "any", Ok(true)),
        ("product: windows, category: x", "any", Ok(true)),
        (
            "service: sshd",
            "[good]",
            Err(
                "the filter is for the log source `*/*/sshd`, that of the rule is `windows/*/security`",
            ),
        ),
        (
            "product: windows",
            "[counted]",
            Err("a filter cannot narrow a correlation, name the rules that it refers to"),
        ),
        (
            "product: windows",
            "[god]",
            Err("no rule has the id or name `god`, did you mean `good`?"),
        ),
        ("product: windows", "[]", Err("`rules` must be a list of rules' ids or names, or `any`")),
    ] {
        let (loaded, said) = load(&filter(logsource, rules));
        let errors: Vec<&String> = said.iter().filter(|line| !line.contains("warning")).collect();
        let mut event = Event::new(Timestamp::from_seconds(0), "line");
        event.set_named(bergfried_event::FieldName::Other("User".into()), "root");
        event.set_named(bergfried_event::FieldName::Other("Host".into()), "known");
        let holds = loaded.get("good").unwrap().predicate().unwrap().matches(&event);
        match expected {
            Ok(expected) => {
                assert_eq!((errors, holds), (Vec::new(), expected), "{logsource} {rules}");
            }
            Err(message) => {
                assert!(holds && errors.len() == 1 && errors[0].contains(message), "{errors:?}");
            }
        }
    }
}
