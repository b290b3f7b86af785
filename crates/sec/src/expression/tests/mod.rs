//! Tests of expressions: what each part gives, what is refused and how, and any text at all.

mod hints;
mod properties;
mod sets;

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::*;

/// An engine of nothing but values.
pub(super) struct World {
    values: BTreeMap<&'static str, Vec<u8>>,
    sets: Sets,
    zone: TimeZone,
    failures: Vec<Failure>,
}

impl World {
    pub(super) fn new() -> Self {
        let values = [
            ("$0", b"sshd[1]: Failed password for root from 10.1.2.3 port 22".to_vec()),
            ("$1", b"root".to_vec()),
            ("$2", b"22".to_vec()),
            ("$3", b"10.1.2.3".to_vec()),
            ("$4", b"3.50".to_vec()),
            ("$5", Vec::new()),
            ("$6", b"a\xff\x00b".to_vec()),
            ("$7", br#"prog: {"a":{"b":[{"c":"x","n":7,"t":true,"z":null,"d":0.5}]},"a.b":"dotted","big":18446744073709551615} tail"#.to_vec()),
            ("$8", b"%s $1 `id` ' \" )".to_vec()),
            ("$+user", b"alice".to_vec()),
            ("$:SSH:ip", b"192.168.0.9".to_vec()),
            ("%1", b"first".to_vec()),
            ("%+host", b"web-1".to_vec()),
            ("%name", b"listed".to_vec()),
            ("%.hour", b"07".to_vec()),
        ];
        Self {
            values: values.into(),
            sets: Sets::default(),
            zone: TimeZone::fixed(jiff::tz::offset(2)),
            failures: Vec::new(),
        }
    }
}

impl Scope for World {
    fn variable(&self, variable: &Variable) -> Option<Cow<'_, [u8]>> {
        let of = |sign: &str, name: &Name| match name {
            Name::Number(number) => format!("{sign}{number}"),
            Name::Named(name) => format!("{sign}+{name}"),
        };
        let key = match variable {
            Variable::Match(name) => of("$", name),
            Variable::First(name) => of("%", name),
            Variable::Cached(entry, Name::Named(name)) => format!("$:{entry}:{name}"),
            Variable::Cached(..) => return None,
            Variable::List(name) => format!("%{name}"),
        };
        self.values.get(&*key).map(|value| Cow::Borrowed(&**value))
    }

    fn field(&self, name: &str) -> Option<Vec<u8>> {
        (name == "source.ip").then(|| b"2001:db8::1".to_vec())
    }

    fn exists(&mut self, context: &[u8]) -> bool {
        context == b"SSH" || context == b"USER_root" || context == b"listed-first"
    }

    fn sets(&mut self) -> &mut Sets {
        &mut self.sets
    }

    fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    fn failed(&mut self, failure: Failure) {
        self.failures.push(failure);
    }
}

const TABLE: &str =
    "# who does what\nuser,role,room\nroot,admin, 12\nalice,\"ops, night\",7\nbob\n";

fn table(name: &str) -> Result<String, String> {
    if name == "roles.csv" { Ok(TABLE.to_owned()) } else { Err("there is no such file".to_owned()) }
}

pub(super) fn parse(text: &str) -> Result<Expression, Mistake> {
    Expression::parse(text, &mut Tables::new(&table))
}

/// Saturday, 2026-11-21, 23:30:00 UTC.
const NOW: i64 = 1_795_303_800;

fn shown(text: &str) -> String {
    let expression = parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
    let mut world = World::new();
    match expression.evaluate(&mut world, NOW) {
        Value::Undefined => "nothing".to_owned(),
        Value::Truth(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Bytes(bytes) => format!("'{}'", bytes.escape_ascii()),
    }
}

#[test]
fn each_part_gives_what_the_page_says() {
    let cases = [
        // Numbers.
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("10 - 4 - 3", "3"),
        ("100 / 10 / 5", "2"),
        ("7 / 2", "3.5"),
        ("7 % 3", "1"),
        ("-7 % 3", "2"),
        ("7 % -3", "-2"),
        ("-7.5 % 2", "0.5"),
        ("2 - -2", "4"),
        ("-$2 + 1", "-21"),
        ("0.5 + .5", "1"),
        ("$4 * 2", "7"),
        ("'12' + \"3\"", "15"),
        ("$2 %5", "2"),
        ("9223372036854775807 + 0", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("true + true", "2"),
        ("0.0 * -1", "0"),
        // Nothing where it cannot be calculated.
        ("9223372036854775807 + 1", "nothing"),
        ("-9223372036854775807 - 2", "nothing"),
        ("1 / 0", "nothing"),
        ("1 % 0.0", "nothing"),
        ("$1 + 1", "nothing"),
        ("$99 + 1", "nothing"),
        ("-$1", "nothing"),
        ("if(1 / 0 > 3 or $2 == 22, 'yes', 'no')", "'yes'"),
        // Comparison.
        ("$2 < 1024", "true"),
        ("$2 < 5", "false"),
        ("$2 == 22.0", "true"),
        ("'1e3' == 1000", "false"),
        ("'9' < '10'", "true"),
        ("'9a' < '10'", "false"),
        ("9007199254740993 == 9007199254740992.0", "false"),
        ("9007199254740993 > 9007199254740992.0", "true"),
        ("$1 == 'root'", "true"),
        ("$1 != \"root\"", "false"),
        ("$1 >= 'root' and $1 <= 'root'", "true"),
        ("$99 == ''", "true"),
        ("$99 < 1024", "false"),
        ("$99 >= 0", "false"),
        ("$5 < 1024", "true"),
        ("same('1.0', '1')", "false"),
        ("'1.0' == '1'", "true"),
        // Truth.
        ("not 0", "true"),
        ("not '0'", "true"),
        ("not '0.0'", "false"),
        ("not 0.0", "true"),
        ("!''", "true"),
        ("!$99", "true"),
        ("!$1 == 0", "true"),
        ("not $1 == 'bob'", "true"),
        ("true or 1 / 0", "true"),
        ("false and true or true", "true"),
        ("true || false && false", "true"),
        ("not false and false", "false"),
        ("1 and 'a' && $1", "true"),
        ("if($2 > 20, 'high', 'low')", "'high'"),
        ("if(false, 1, if($1 == 'root', 2, 3))", "2"),
        // Variables are values, whatever is in them.
        ("$8", r#"'%s $1 `id` \' \" )'"#),
        ("$+{user}", "'alice'"),
        ("${2}", "'22'"),
        ("$+{2}", "'22'"),
        ("$:{SSH:ip}", "'192.168.0.9'"),
        ("%1", "'first'"),
        ("%+{host}", "'web-1'"),
        ("%name", "'listed'"),
        ("%{name}", "'listed'"),
        ("%.hour + 1", "8"),
        ("$99", "nothing"),
        // Texts.
        ("'a$1\\n\\'b\\\\'", r"'a$1\\n\'b\\'"),
        ("\"user $1, %name: $+{user}\"", "'user root, listed: alice'"),
        ("\"100% \\$1 \\%name \\d \\\"\\\\\"", r#"'100% $1 %name \\d \"\\'"#),
        ("\"\\t\\n\"", r"'\t\n'"),
        ("\"$1\" + 1", "nothing"),
        ("length($6)", "4"),
        ("length('')", "0"),
        ("upper($1)", "'ROOT'"),
        ("lower('ÄBC')", r"'\xc3\x84bc'"),
        ("trim('  a b ')", "'a b'"),
        ("substring('abcdef', 2)", "'cdef'"),
        ("substring('abcdef', 1, 2)", "'bc'"),
        ("substring('abcdef', -2)", "'ef'"),
        ("substring('abcdef', -9, 4)", "'a'"),
        ("substring('abcdef', 9)", "''"),
        ("substring('abcdef', 2, -1)", "''"),
        ("index('abcdef', 'cd')", "2"),
        ("index('abcdef', 'x')", "-1"),
        ("replace('a1b22', '\\d+', '#')", "'a#b#'"),
        ("replace('aaa', 'a', '$0')", "'$0$0$0'"),
        ("replace('abc', '', '-')", "'-a-b-c-'"),
        ("split('a,b,,c', ',', 2)", "'b'"),
        ("split('a,b,,c', ',', 3)", "''"),
        ("split('a,b,,c', ',', -1)", "'c'"),
        ("split('a,b,,c', ',', -4)", "'a'"),
        ("split('a,b,,c', ',', 1)", "'a'"),
        ("split('a,b', ',', 3)", "nothing"),
        ("split('a,b', ',', -3)", "nothing"),
        ("split('a,b', ',', 0)", "nothing"),
        ("split('a,b', '', 1)", "'a,b'"),
        ("split('a', ',', -1)", "'a'"),
        ("join('-', 'a', 1, true, $99, 'b')", "'a-1-1--b'"),
        ("number(' 42 ') + 1", "43"),
        ("number('x')", "nothing"),
        ("defined($99)", "false"),
        ("defined($5)", "true"),
        ("round(2.5)", "3"),
        ("round(-2.456, 2)", "-2.46"),
        ("floor(-2.5)", "-3"),
        ("ceil(2.1)", "3"),
        ("abs(-4)", "4"),
        ("min(3, '2.5', $99)", "2.5"),
        ("max(3, 9, 4)", "9"),
        ("max($99)", "nothing"),
        // Tests of texts.
        ("contains($0, 'Failed')", "true"),
        ("contains($0, 'failed')", "false"),
        ("starts($0, 'sshd')", "true"),
        ("ends($0, '22')", "true"),
        ("matches($0, '(?i)FAILED .* from \\d+\\.')", "true"),
        ("matches($6, \"^a\\xff.b$\")", "true"),
        ("matches($6, '(?s-u)^a\\xff.b$')", "true"),
        ("extract($0, 'for (\\S+) from (\\S+)')", "'root'"),
        ("extract($0, 'for (\\S+) from (\\S+)', 2)", "'10.1.2.3'"),
        ("extract($0, 'port \\d+')", "'port 22'"),
        ("extract($0, 'no(thing)')", "nothing"),
        // Addresses, tables, JSON, the engine.
        ("in_network($3, '10.0.0.0/8')", "true"),
        ("in_network($3, '192.168.0.0/16', '10.1.2.3')", "true"),
        ("in_network($1, '10.0.0.0/8')", "false"),
        ("in_network('::ffff:10.1.2.3', '10.0.0.0/8')", "true"),
        ("in_network(field('source.ip'), '2001:db8::/32')", "true"),
        ("lookup('roles.csv', $1)", "'admin'"),
        ("lookup('roles.csv', 'alice', 'role')", "'ops, night'"),
        ("lookup('roles.csv', $1, 3) + 1", "13"),
        ("lookup('roles.csv', 'user', 'role')", "nothing"),
        ("lookup('roles.csv', 'bob')", "nothing"),
        ("lookup('roles.csv', 'eve')", "nothing"),
        ("json($7, 'a.b[0].c')", "'x'"),
        ("json($7, 'a.b[0].n') + 1", "8"),
        ("json($7, 'a.b[0].d')", "0.5"),
        ("json($7, 'a.b[0].t')", "true"),
        ("json($7, 'a.b[0].z')", "nothing"),
        ("json($7, 'a.b')", "nothing"),
        ("json($7, 'a.b[1].c')", "nothing"),
        ("json($7, '[\"a.b\"]')", "'dotted'"),
        ("json($7, 'big')", "'18446744073709551615'"),
        ("json('[1,[2,3]]', '[1][0]')", "2"),
        ("json($0, 'a')", "nothing"),
        ("field('source.ip')", "'2001:db8::1'"),
        ("field('user.name')", "nothing"),
        ("exists(SSH)", "true"),
        ("exists( USER_$1 )", "true"),
        ("exists(%name-%1)", "true"),
        ("exists(join('_', 'USER', $1))", "true"),
        ("exists(OTHER)", "false"),
        ("time()", "1795303800"),
        ("hour()", "1"),
        ("minute()", "30"),
        ("weekday()", "0"),
        ("distinct('a', 'x', 60) + distinct('a', 'y', 60) + distinct('a', 'x', 60)", "5"),
        ("distinct('a', $99, 60)", "nothing"),
        ("count('c', 60) + count('c', 60)", "3"),
        ("count(\"c $1\", 60) + count('c', 60)", "2"),
    ];
    for (text, wanted) in cases {
        assert_eq!(shown(text), wanted, "{text}");
    }
}

#[test]
fn mistakes_say_where_and_what_to_do() {
    let cases = [
        ("", "a value is missing, at character 1 (the end)"),
        ("1 +", "a value is missing, at character 4 (the end)"),
        ("(1 + 2", "a `)` is missing, at character 7 (the end)"),
        ("1 + 2)", "a `)` has no `(`, at character 6 near `)`"),
        (
            "$1 eq 'a'",
            "`eq` is Perl: write ==, or same(text, text) to compare letter by letter, at character 4 near `eq 'a'`",
        ),
        (
            "$1 = 2",
            "a single `=` is no operator: a comparison is written ==, at character 4 near `= 2`",
        ),
        (
            "$1 =~ /a/",
            "`=~` is no operator here: write matches(text, 'regex'), at character 4 near `=~ /a/`",
        ),
        (
            "1 < 2 < 3",
            "one comparison follows another: join them with `and`, at character 7 near `< 3`",
        ),
        (
            "$1 . $2",
            "texts are put together by join(\"\", text, text) or within double quotes, at character 4 near `. $2`",
        ),
        (
            "$1 ? 2 : 3",
            "a choice is written if(condition, then, else), at character 4 near `? 2 : 3`",
        ),
        ("1 2", "an operator is missing, at character 3 near `2`"),
        (
            "root",
            "the word `root` means nothing here: a text stands in quotes, a context in exists(…), at character 1 near `root`",
        ),
        (
            "lenght($1)",
            "there is no function `lenght`; perhaps `length` is meant, at character 1 near `lenght($1)`",
        ),
        (
            "lc($1)",
            "there is no function `lc`; perhaps `lower` is meant, at character 1 near `lc($1)`",
        ),
        ("hour", "the function is called with parentheses: hour(), at character 1 near `hour`"),
        ("length()", "0 arguments are given to length(text), at character 1 near `length()`"),
        (
            "$user",
            "this is no variable: $1, $+{name}, $:{entry:name}, %1, %+{name} and %name are, at character 1 near `$user`",
        ),
        ("'abc", "the quote is not closed, at character 1 near `'abc`"),
        (
            "1.2.3",
            "this is no number: digits with at most one point are; a text stands in quotes, at character 1 near `1.2.3`",
        ),
        (
            "10.0.0.0/8",
            "this is no number: digits with at most one point are; a text stands in quotes, at character 1 near `10.0.0.0/8`",
        ),
        (
            "matches($0, $1)",
            "a regular expression is a text in quotes without variables: matches(text, 'regex'), at character 13 near `$1)`",
        ),
        (
            "matches($0, \"a$1\")",
            "a regular expression is a text in quotes without variables: matches(text, 'regex'), at character 13 near `\"a$1\")`",
        ),
        (
            "matches($0, '(a')",
            "cannot use the regular expression `(a`: unclosed group, at character 13 near `'(a')`",
        ),
        (
            "matches($0, '(?=a)')",
            "cannot use the regular expression `(?=a)`: look-around, including look-ahead and look-behind, is not supported, at character 13 near `'(?=a)')`",
        ),
        (
            "extract($0, '(a)', 2)",
            "the number of the group is a number from 0 to 1: extract(text, 'regex' [, group]), at character 20 near `2)`",
        ),
        (
            "in_network($1, '10.0.0.0/33')",
            "`10.0.0.0/33` is no network: write 10.0.0.0/8, 2001:db8::/32 or one address, at character 16 near `'10.0.0.0/33')`",
        ),
        (
            "lookup('none.csv', $1)",
            "cannot read the table `none.csv`: there is no such file, at character 8 near `'none.csv', $1)`",
        ),
        (
            "lookup('roles.csv', $1, 'rule')",
            "cannot use the table `roles.csv`: its first row names no column `rule`, it has `user`, `role`, `room`, at character 8 near `'roles.csv', $1, 'rule')`",
        ),
        (
            "json($0, 'a..b')",
            "a name is missing in the path; it looks like a.b[0].c, at character 10 near `'a..b')`",
        ),
        (
            "distinct('a', $1, 0)",
            "the time in seconds is a number from 1 to 31622400: distinct(name, value, seconds), at character 19 near `0)`",
        ),
        (
            "count('a', $1)",
            "the time in seconds is a number from 1 to 31622400: count(name, seconds), at character 12 near `$1)`",
        ),
    ];
    for (text, wanted) in cases {
        let mistake = parse(text).expect_err(text);
        assert_eq!(mistake.to_string(), wanted, "{text}");
        assert!(mistake.at <= text.len());
    }
}

#[test]
fn what_is_too_much_is_refused() {
    let refused = |text: &str, why: &str| {
        let mistake = parse(text).expect_err(why).to_string();
        assert!(mistake.contains(why), "{mistake}");
    };
    refused(&"(".repeat(5000), "stand in each other");
    refused(&"-".repeat(5000), "stand in each other");
    refused(&"not ".repeat(3000), "stand in each other");
    refused(&"abs(".repeat(3000), "stand in each other");
    refused(&format!("1{}", "+1".repeat(3000)), "more than 2000 parts");
    refused(&" ".repeat(20_000), "longer than 16384");
    refused(&format!("matches($0, '{}')", "(a{1000}){1000}"), "cannot use the regular expression");
    assert!(parse(&format!("1{}", "+1".repeat(1900))).is_ok());
    assert!(parse(&format!("{}1{}", "(".repeat(31), ")".repeat(31))).is_ok());
}

#[test]
fn failures_are_told_once_each() {
    let cases: [(&str, &[Failure]); 6] = [
        ("1 / 0 + 1", &[Failure::Division]),
        ("$1 * 2 > 3", &[Failure::NoNumber]),
        ("$99 * 2 > 3", &[]),
        ("json($1, 'a')", &[Failure::NoJson]),
        ("json('{\"a\": 1', 'a')", &[Failure::NoJson]),
        ("9223372036854775807 * 3", &[Failure::Overflow]),
    ];
    for (text, wanted) in cases {
        let mut world = World::new();
        parse(text).unwrap().evaluate(&mut world, NOW);
        assert_eq!(world.failures, wanted, "{text}");
    }
}

#[test]
fn texts_and_work_have_an_end() {
    let mut world = World::new();
    world.values.insert("$1", vec![b'a'; 1000 * 1000]);
    let long = parse("join('', $1, $1)").unwrap();
    assert_eq!(long.evaluate(&mut world, NOW), Value::Undefined);
    let grown = parse("replace($1, 'a', 'bbbb')").unwrap();
    assert_eq!(grown.evaluate(&mut world, NOW), Value::Undefined);
    assert_eq!(world.failures, [Failure::TooLong, Failure::TooLong]);
    world.failures.clear();
    let work = format!("false{}", " or contains($1, 'b')".repeat(100));
    assert_eq!(parse(&work).unwrap().evaluate(&mut world, NOW), Value::Truth(false));
    assert_eq!(world.failures, [Failure::TooMuchWork]);
}

#[test]
fn what_an_expression_names_can_be_asked() {
    let expression =
        parse("$1 == \"$+{user} %x\" and exists(ONE) and exists(TWO_$2) and field('a.b')").unwrap();
    let named = |name: &str| Name::Named(name.into());
    let wanted = [
        Variable::Match(Name::Number(1)),
        Variable::Match(named("user")),
        Variable::List("x".into()),
        Variable::Match(Name::Number(2)),
    ];
    assert_eq!(expression.variables(), wanted.iter().collect::<Vec<_>>());
    assert_eq!(expression.contexts(), [b"ONE"]);
    assert_eq!(expression.fields(), ["a.b"]);
}

#[test]
fn a_result_is_data_for_a_shell() {
    let expression = parse("'; rm -rf /'").unwrap();
    let text = expression.evaluate(&mut World::new(), NOW).into_text();
    assert!(text.pieces().all(|(_, kind)| kind == Some(crate::text::Kind::Data)));
    assert_eq!(text.bytes(), b"; rm -rf /");
}

#[test]
fn the_page_has_each_function_in_its_order() {
    let page = include_str!("../../../../../docs/correlate.md");
    let mut rest = page;
    for function in functions::FUNCTIONS {
        let row = format!("\n| `{}` |", function.usage);
        let Some((_, after)) = rest.split_once(&row) else {
            panic!("`{}` is missing or not in its place", function.usage);
        };
        rest = after;
    }
}
