use super::*;

fn read(text: &str) -> Pipeline {
    parse(text, 0).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn plugin(item: &Item) -> &Plugin {
    match item {
        Item::Plugin(plugin) => plugin,
        Item::Branch(_) => panic!("a branch"),
    }
}

fn condition(text: &str) -> Condition {
    let pipeline = read(&format!("filter {{ if {text} {{ drop {{}} }} }}"));
    match pipeline.filters.into_iter().next() {
        Some(Item::Branch(branch)) => branch.arms.into_iter().next().unwrap().condition,
        other => panic!("{other:?}"),
    }
}

/// The value in a form short enough for a table.
fn shown(value: &Value) -> String {
    match &value.kind {
        ValueKind::Text(text) => format!("'{text}'"),
        ValueKind::Word(word) => word.clone(),
        ValueKind::Number(number) => format!("#{number}"),
        ValueKind::Array(values) => {
            format!("[{}]", values.iter().map(shown).collect::<Vec<_>>().join(" "))
        }
        ValueKind::Hash(entries) => {
            let entries =
                entries.iter().map(|(key, value)| format!("{}={}", shown(key), shown(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(" "))
        }
        ValueKind::Plugin(plugin) => format!("{}({})", plugin.name, plugin.settings.len()),
    }
}

fn told(condition: &Condition) -> String {
    let list = |some: &[Condition]| some.iter().map(told).collect::<Vec<_>>().join(" ");
    match condition {
        Condition::And(all) => format!("(and {})", list(all)),
        Condition::Or(any) => format!("(or {})", list(any)),
        Condition::Xor(left, right) => format!("(xor {} {})", told(left), told(right)),
        Condition::Not(inner) => format!("(not {})", told(inner)),
        Condition::Truth(operand) => side(operand),
        Condition::Compare(left, operator, right) => {
            format!("{} {operator} {}", side(left), side(right))
        }
    }
}

fn side(operand: &Operand) -> String {
    match &operand.kind {
        OperandKind::Field(names) => format!("[{}]", names.join(".")),
        OperandKind::Text(text) => format!("'{text}'"),
        OperandKind::Number(number) => format!("#{number}"),
        OperandKind::Regex(expression) => format!("/{expression}/"),
        OperandKind::Array(operands) => {
            format!("<{}>", operands.iter().map(side).collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn values_of_every_kind_are_read() {
    for (text, expected) in [
        (r#""a \"b\" 'c'""#, r#"'a \"b\" 'c''"#),
        (r#"'it "is" \d'"#, r#"'it "is" \d'"#),
        (r#""ends in \\""#, r#"'ends in \\'"#),
        ("\"two\nlines\"", "'two\nlines'"),
        ("syslog", "syslog"),
        ("51444", "#51444"),
        ("-1.5", "#-1.5"),
        ("[ 'a', b , 3 ]", "['a' b #3]"),
        ("['a',]", "['a']"),
        ("[]", "[]"),
        ("{ 'a' => 'b' \"c\" => [1, 2] }", "{'a'='b' 'c'=[#1 #2]}"),
        ("{ a => b, c => d }", "{a=b c=d}"),
        ("{ [x][y] => 'z' 404 => 'no' }", "{'[x][y]'='z' 404='no'}"),
        ("json { charset => 'UTF-8' }", "json(1)"),
        ("line {}", "line(0)"),
    ] {
        let pipeline = read(&format!("input {{ x {{ v => {text} # comment }}\n }} }}"));
        let plugin = plugin(&pipeline.inputs[0]);
        assert_eq!(shown(&plugin.settings[0].value), expected, "{text}");
    }
}

#[test]
fn conditions_bind_as_they_are_written() {
    for (text, expected) in [
        ("[type] == \"syslog\"", "[type] == 'syslog'"),
        ("[a][b] != 'x'", "[a.b] != 'x'"),
        ("[rsnapshot_event]", "[rsnapshot_event]"),
        ("![a]", "(not [a])"),
        ("!([a] or [b])", "(not (or [a] [b]))"),
        ("\"syslog\" in [tags]", "'syslog' in [tags]"),
        ("'x' not in [tags]", "'x' not in [tags]"),
        ("[a] in ['x', \"y\", 3]", "[a] in <'x' 'y' #3>"),
        ("[a] in ['x']", "[a] in <'x'>"),
        ("[m] =~ /^a\\/b \\d+$/", r"[m] =~ /^a/b \d+$/"),
        ("[m] =~ \"abc\"", "[m] =~ /abc/"),
        ("[m] !~ /x/ and [n] >= 4.5", "(and [m] !~ /x/ [n] >= #4.5)"),
        ("[a] or [b] and [c]", "(or [a] (and [b] [c]))"),
        ("([a] or [b]) and [c]", "(and (or [a] [b]) [c])"),
        ("[a] and [b] and [c]", "(and [a] [b] [c])"),
        ("[a] nand [b]", "(not (and [a] [b]))"),
        ("[a] xor [b] or [c]", "(or (xor [a] [b]) [c])"),
        ("[in] in [inner]", "[in] in [inner]"),
        ("[a] < -1", "[a] < #-1"),
        ("[@metadata][x] == 'y'", "[@metadata.x] == 'y'"),
    ] {
        assert_eq!(told(&condition(text)), expected, "{text}");
    }
}

#[test]
fn sections_come_in_any_order_and_number() {
    let pipeline = read(
        "# first\noutput { stdout { } }\ninput { stdin {} } filter { drop{} }\n\
         input{udp{port=>514}tcp{port=>514}} output { }",
    );
    assert_eq!(pipeline.inputs.len(), 3);
    assert_eq!(pipeline.filters.len(), 1);
    assert_eq!(pipeline.outputs.len(), 1);
    assert_eq!(plugin(&pipeline.inputs[2]).place, Place { file: 0, line: 4, column: 21 });
}

#[test]
fn branches_keep_their_arms() {
    let pipeline = read(
        "filter { if [a] { drop {} } else if [b] { drop {} mutate { } }\n else { ruby { code => '}' } } }",
    );
    let Item::Branch(branch) = &pipeline.filters[0] else { panic!("no branch") };
    assert_eq!(branch.arms.len(), 2);
    assert_eq!(branch.arms[1].items.len(), 2);
    assert_eq!(plugin(&branch.otherwise[0]).name, "ruby");
}

#[test]
fn mistakes_say_where_and_what_was_expected() {
    for (text, place, part) in [
        ("{% raw %}\nfilter {}", "1:1", "a template's line"),
        ("filters {}", "1:1", "found `filters`"),
        ("filter { grok ", "1:15", "`{` after the plugin `grok`, the file ends here"),
        ("filter {\n grok { match = 3 } }", "2:15", "`=>` after the setting `match`"),
        ("filter {\n grok { match => ", "2:18", "expected a value, the file ends here"),
        ("filter { grok { match => 'x } }", "1:26", "never closed"),
        ("filter { grok { match => [ 'x' 'y' ] } }", "1:32", "expected `,` or `]`, found `'y'"),
        ("filter { if [a] = 'b' { } }", "1:17", "expected `{`, found `= 'b'"),
        ("filter { if [a] not 'b' { } }", "1:21", "`in` after `not`"),
        ("filter { else { } }", "1:14", "before `else`"),
        ("input {", "1:7", "never closed"),
        ("input { udp { port => 1 }", "1:7", "never closed"),
        ("größe", "1:1", "found `gr`"),
    ] {
        let error = parse(text, 0).unwrap_err();
        let found = error.to_string();
        assert!(found.starts_with(&format!("{place}: ")), "{text}: {found}");
        assert!(found.contains(part), "{text}: {found}");
    }
}

#[test]
fn depth_is_bounded() {
    for text in [
        format!("input {{ x {{ a => {}", "[".repeat(10_000)),
        format!("input {{ x {{ a => {}", "{ b => ".repeat(10_000)),
        format!("input {{ x {{ a => {}", "y { z => ".repeat(10_000)),
        format!("filter {{ if {}", "(".repeat(10_000)),
        format!("filter {{ if {}", "!".repeat(10_000)),
        format!("filter {{ if [a] {}", "nand [a] ".repeat(10_000)),
        format!("filter {{ if [a] {}", "xor [a] ".repeat(10_000)),
        "filter { if [a] { ".repeat(10_000).replace("filter {", " "),
        format!("filter {{ {}", "if [a] { ".repeat(10_000)),
    ] {
        assert!(parse(&text, 0).is_err());
    }
    assert!(parse(&format!("filter {{ if [a] {} {{}} }}", "and [a] ".repeat(10_000)), 0).is_ok());
}

proptest::proptest! {
    #[test]
    fn never_panics(text in r#"(input|filter|output|if|else|in|not|and|nand|xor|or|=>|==|=~|[{}\[\]()'"/,!#a-z0-9 \n\\é-]){0,60}"#) {
        if let Err(error) = parse(&text, 0) {
            proptest::prop_assert!(error.place.line <= text.matches('\n').count() + 1);
        }
    }
}
