//! What the check says of rules, and what it is silent about.

use std::sync::Arc;

use super::{check, shell};
use crate::read::{LoadOptions, SourceFile};
use crate::rule::{RuleFile, RuleSet};
use crate::template::{Rounds, Template};

fn load(texts: &[&str], fields: bool) -> RuleSet {
    let none = |_: &str| Err("there is none".to_owned());
    let read = |(at, text): (usize, &&str)| {
        let source = SourceFile { name: format!("{at}.sec"), text: text.as_bytes().to_vec() };
        let mut options = LoadOptions { fields, perl: None, tables: &none, bufsize: 0 };
        let (file, mistakes) = RuleFile::read(&source, &mut options);
        assert!(mistakes.is_empty(), "{}: {}", text, mistakes[0]);
        Arc::new(file)
    };
    RuleSet { files: texts.iter().enumerate().map(read).collect() }
}

/// The warnings as `line: message`.
fn said(text: &str) -> Vec<String> {
    let warnings = check(&load(&[text], false), &[]);
    warnings.iter().map(|one| format!("{}: {}", one.line, one.message)).collect()
}

/// A rule of one line each; its pattern, what else it says.
fn single(pattern: &str, more: &str) -> String {
    let kind = pattern.split_once(' ').unwrap();
    let action = if more.contains("action=") { "" } else { "action=none\n" };
    format!("type=Single\nptype={}\npattern={}\ndesc=d\n{action}{more}\n\n", kind.0, kind.1)
}

#[track_caller]
fn expect(text: &str, wanted: &[&str]) {
    let found = said(text);
    let good = found.len() == wanted.len()
        && found.iter().zip(wanted).all(|(found, wanted)| found.contains(wanted));
    assert!(good, "{text}\nsays {found:#?}\nnot {wanted:#?}");
}

#[test]
fn rules_behind_one_that_takes_all() {
    let reached = |first: &str, then: &str| said(&format!("{first}{then}"));
    let next = "continue=TakeNext";
    let cases = [
        (single("TValue TRUE", ""), single("RegExp a", ""), true),
        (single("TValue TRUE", next), single("RegExp a", ""), false),
        (single("TValue TRUE", "context=A && !A"), single("RegExp a", ""), false),
        (single("RegExp .*", ""), single("SubStr a", ""), true),
        (single("RegExp ^(.*)$", "continue=EndMatch"), single("NSubStr a", ""), true),
        (single("RegExp ^.*x", ""), single("RegExp a", ""), false),
        (single("RegExp a(b|c)", ""), single("RegExp a(b|c)", ""), true),
        (single("RegExp a(b|c)", ""), single("RegExp2 a(b|c)", ""), false),
        (single("RegExp a(b|c)", ""), single("NRegExp a(b|c)", ""), false),
        (single("NRegExp a(b|c)", ""), single("NRegExp a(b|c)", ""), true),
        (single("SubStr sshd", ""), single("RegExp sshd\\[(\\d+)\\]", ""), true),
        (single("SubStr sshd", ""), single("RegExp sshd|sudo", ""), false),
        (single("SubStr s", ""), single("RegExp ssh|sudo", ""), true),
        (single("SubStr sshd", ""), single("SubStr new sshd here", ""), true),
        (single("SubStr new sshd", ""), single("SubStr sshd", ""), false),
        (single("RegExp sshd", ""), single("RegExp sshd: (.*)", ""), true),
        (single("RegExp ss.d", ""), single("RegExp sshd: (.*)", ""), false),
        (single("SubStr sshd", ""), single("SubStr2 sshd", ""), false),
        (
            "type=Suppress\nptype=SubStr\npattern=noise\n\n".to_owned(),
            single("RegExp loud noise", ""),
            true,
        ),
        (
            "type=Jump\nptype=SubStr\npattern=noise\n\n".to_owned(),
            single("RegExp loud noise", ""),
            true,
        ),
        (
            single("TValue TRUE", ""),
            "type=Calendar\ntime=* * * * *\ndesc=d\naction=none\n\n".to_owned(),
            false,
        ),
    ];
    for (first, then, wanted) in cases {
        let found = reached(&first, &then);
        let never = found.iter().any(|one| one.contains("never reached: the one at line 1 "));
        assert_eq!(never, wanted, "{first}{then}{found:?}");
    }
}

#[test]
fn jumps_over_rules_and_groups_are_seen() {
    let jump = single("SubStr a", "continue=GoTo END");
    let over = single("SubStr abc", "");
    let end = format!("label=END\n{}", single("SubStr abcd", ""));
    // The first jumps over the second with all that it would match; the third is where it jumps to.
    expect(&format!("{jump}{over}{end}"), &["8: the rule is never reached: the one at line 1"]);
    // What is jumped over does not take from those who come by the jump.
    let all = single("TValue TRUE", "");
    let found = said(&format!("{jump}{all}{end}"));
    assert!(!found.iter().any(|one| one.contains("never reached")), "{found:?}");
    let group = "type=EventGroup2\nptype=SubStr\npattern=x\nptype2=SubStr\npattern2=y\ndesc=d\naction=none\nwindow=5\n\n";
    expect(&format!("{}{group}", single("SubStr x", "")), &[]);
    expect(
        &format!("{}{}{group}", single("SubStr x", ""), single("SubStr y", "")),
        &["15: the rule is never reached"],
    );
    let pair = "type=Pair\nptype=SubStr\npattern=x\ndesc=d\naction=none\nptype2=SubStr\npattern2=yes\ndesc2=d\naction2=none\nwindow=5\n\n";
    expect(
        &format!("{}{pair}", single("SubStr y", "")),
        &["8: the second pattern is never reached: the rule at line 1"],
    );
}

#[test]
fn patterns_that_never_match() {
    let cases = [
        ("RegExp a^", "never matches: `^` stands behind text"),
        ("RegExp (a+)(^b)", "never matches: `^` stands behind text"),
        ("RegExp a$b", "never matches: `$` stands before text"),
        ("RegExp ($|b$)c", ""),
        ("RegExp a\\nb", "never matches: it looks for a line feed, and lines have none; RegExp2"),
        ("RegExp2 a\\nb", ""),
        ("RegExp a[\\n]", "never matches: it looks for a line feed"),
        ("RegExp a\\n?b", ""),
        ("RegExp a\\nb|c", ""),
        ("RegExp a\\nb|c\\n", "never matches"),
        ("RegExp x*^a$y*", ""),
        ("NRegExp a^", "matches every line"),
        ("SubStr a\\nb", "never matches: it looks for a line feed, and lines have none; SubStr2"),
        ("SubStr2 a\\nb", ""),
        ("TValue FALSE", "never matches: TValue FALSE"),
        ("RegExp a", ""),
    ];
    for (pattern, wanted) in cases {
        let text = single(pattern, "");
        match wanted {
            "" => expect(&text, &[]),
            wanted => expect(&text, &[wanted]),
        }
    }
}

#[test]
fn patterns_that_are_slow() {
    let slow = [
        "(?=x)(a+)+$",
        "(a*)*\\1",
        "(?:(?:ab)+c?)+(?!d)",
        "(?=a).*b.*c.*d",
        "((a|b)*c*)*(?<!x)",
        "(x[a)]+){2,}\\1",
        "(?=a).*b.+c.{3,}d",
    ];
    for pattern in slow {
        let found = said(&single(&format!("RegExp {pattern}"), ""));
        assert!(found.iter().any(|one| one.contains("by backtracking")), "{pattern}: {found:?}");
    }
    expect(
        &single("RegExp2 ^(.*a.*)\\n(.*b)$", ""),
        &["end it with \\z in place of $, and it is linear"],
    );
    expect(&single("RegExp2 ^(.*a.*)\\n(.*b)\\z", ""), &[]);
    for pattern in [
        "(a+)+$",
        "^(?:(\\w+)+)x",
        "(a|b+)+$",
        "(a+b?)+c",
        "([0-9]{2,})*x",
        "(a{2}b*c?){3,}x|(\\s+)+",
    ] {
        let found = said(&single(&format!("RegExp {pattern}"), ""));
        assert!(found.iter().any(|one| one.contains("linear here")), "{pattern}: {found:?}");
    }
    let quick = [
        "(\\d+\\.)+",
        "(?:\\w+ )*x",
        "(a{2,5})+",
        "(a+){2}",
        "(ab?)+",
        "(.*).*(.*).*",
        "(?=x)a+b+",
        "(?=x)(?>a+)+",
        "(?=x)(a++)+",
        "(?=x)[(*+]+",
        "(a)(b)\\2",
        "(?!x)(a{2,5}b)?",
        "(?=a).*b.*c",
        "(?=x)\\(a+\\)+",
    ];
    for pattern in quick {
        expect(&single(&format!("RegExp {pattern}"), ""), &[]);
    }
}

#[test]
fn variables_that_nothing_sets() {
    let rule = |pattern: &str, action: &str| single(pattern, &format!("action={action}"));
    let cases: [(&str, &str, &[&str]); 22] = [
        ("RegExp (a)(b)", "write - $1 $2 $0 $$3 $+{_inputsrc}", &[]),
        ("RegExp (a)(b)", "write - $3", &["`$3` is never set, the pattern has 2 groups"]),
        ("RegExp (a)(b)", "write - ${3}", &["`$3` is never set"]),
        ("RegExp (a)", "write - $2", &["`$2` is never set, the pattern has one group"]),
        ("RegExp a", "write - $1", &[]),
        ("RegExp a", "write - $2", &["`$2` is never set, the pattern has no group"]),
        ("NRegExp (a)", "write - $1", &["`$1` is never set, the pattern sets no groups"]),
        ("RegExp (?<user>a)", "write - $+{user} $+{host}", &["`$+{host}` is never set"]),
        ("SubStr a", "write - $1", &["`$1` stays as it is written: the pattern sets no variables"]),
        ("SubStr a", "write - $+{x}", &["`$+{x}` stays as it is written"]),
        ("SubStr a", "shellcmd awk '{print $1}' /etc/passwd", &[]),
        ("RegExp (a)", "create C 5 (write - $2)", &["`$2` is never set"]),
        ("RegExp a", "assign %x 1; write - %x %{x} %s %t %u %.hmsstr %%y", &[]),
        ("RegExp a", "write - %x", &["`%x` is never assigned and becomes nothing"]),
        (
            "RegExp a",
            "shellcmd date +%Y",
            &["`%Y` is never assigned and becomes nothing: assign it, or write %%Y"],
        ),
        ("RegExp a", "create C; copy C %a; getsize %b C; write - %a %b", &[]),
        ("RegExp a", "write - $:{SSH:user}", &["no rule puts a match into the cache as `SSH`"]),
        ("RegExp a\nvarmap=SSH; user=1", "write - $:{SSH:user} $+{user}", &[]),
        ("RegExp (a)\nvarmap=user=2", "write - $+{user}", &["`$+{user}` is never set"]),
        ("Cached SSH", "write - $1", &["no rule puts a match into the cache as `SSH`"]),
        ("RegExp (a)\ncontext=C_$2", "create C_x", &["`$2` is never set"]),
        (
            "RegExp (a)\ncontext=[C_$1]",
            "create C_x",
            &["`$1` stays as it is written: a context in brackets", "no rule creates `C_$1`"],
        ),
    ];
    for (pattern, action, wanted) in cases {
        expect(&rule(pattern, action), wanted);
    }
    // Expressions see what texts see.
    let expressions: [(&str, &str, &[&str]); 8] = [
        ("RegExp (a)\ncontext=expr($1 < 5)", "let %x ($1 + 1); write - %x", &[]),
        (
            "RegExp (a)\ncontext=expr($2 < 5)",
            "none",
            &["`$2` is never set, the pattern has one group"],
        ),
        (
            "RegExp (a)\ncontext=[expr($1 < 5)]",
            "none",
            &["`$1` has no value: a context in brackets"],
        ),
        (
            "SubStr a\ncontext=expr($1 < 5)",
            "none",
            &["`$1` has no value: the pattern sets no variables"],
        ),
        (
            "RegExp (a)",
            "let %x (%y + $2)",
            &["`%y` is never assigned: assign it", "`$2` is never set"],
        ),
        (
            "Expr contains($0, 'a') and $1",
            "write - $0",
            &["`$1` is never set, the pattern sets no groups"],
        ),
        ("RegExp (a)", "let %x ($:{SSH:ip})", &["no rule puts a match into the cache as `SSH`"]),
        ("RegExp (a)", "let %x (matches($1, 'a\\(b|c\\)') or ($1) == ($0))", &[]),
    ];
    for (pattern, action, wanted) in expressions {
        expect(&rule(pattern, action), wanted);
    }
    // In the hub names of fields are variables too.
    let set = load(&[&rule("RegExp a", "write - $+{source.ip}")], true);
    assert_eq!(check(&set, &[]), []);
    let pair = |pattern2: &str, action2: &str| {
        format!(
            "type=Pair\nptype=RegExp\npattern=(a)\ndesc=$1\naction=none\nptype2={pattern2}\ndesc2=d\naction2=write - {action2}\nwindow=5\n\n"
        )
    };
    expect(&pair("RegExp\npattern2=(b)(c) $1", "$2 %1"), &[]);
    expect(
        &pair("RegExp\npattern2=(b)(c)", "$3 %2"),
        &["`$3` is never set", "`%2` is never set, the pattern has one group"],
    );
    expect(&pair("SubStr\npattern2=b", "$1"), &[]);
    expect(&pair("SubStr\npattern2=b", "$2"), &["`$2` is never set, the pattern has one group"]);
    let group = "type=EventGroup2\nptype=RegExp\npattern=(x)\ncount=write - $2\nptype2=RegExp\npattern2=(y)(z)\ndesc=$2\naction=write - $3\nwindow=5\n\n";
    expect(
        group,
        &[
            "`$2` is never set, the pattern has one group",
            "`$3` is never set, the pattern has 2 groups",
        ],
    );
}

#[test]
fn contexts_that_nothing_creates() {
    let rule = |context: &str, action: &str| {
        single("RegExp (a)(b)", &format!("context={context}\naction={action}"))
    };
    let cases: [(&str, &str, &[&str]); 15] = [
        ("A", "none", &["no rule creates `A`: create it, or name it with --input=FILE=CONTEXT"]),
        ("!A", "create A", &[]),
        ("A", "add A x", &[]),
        ("A", "create B; alias B A", &[]),
        ("A", "cspawn A /bin/true", &[]),
        ("A", "cevent A 0 text", &[]),
        ("A && B", "create A 5 (create B)", &[]),
        ("SEC_INTERNAL_EVENT || _INTERNAL_EVENT", "none", &[]),
        ("U_$1", "create U_$2", &[]),
        ("U_$1", "create V_$2", &["no rule creates a context whose name begins with `U_`"]),
        ("U_root", "create U_$1", &[]),
        ("$1", "none", &[]),
        ("expr(exists(A) and not exists(U_$1))", "none", &["no rule creates `A`"]),
        ("A", "let %x (exists(A)); create A", &[]),
        ("varset SSH", "none", &["no rule puts a match into the cache as `SSH`"]),
    ];
    for (context, action, wanted) in cases {
        expect(&rule(context, action), wanted);
    }
    // An input gives its lines a context.
    let set = load(&[&rule("A", "none")], false);
    assert_eq!(check(&set, &[b"A"]), []);
    // One file creates what another asks for.
    let set = load(&[&rule("A", "none"), &rule("!A", "create A")], false);
    assert_eq!(check(&set, &[]), []);
}

#[test]
fn sets_and_labels_that_nobody_uses() {
    let jump = "type=Jump\nptype=SubStr\npattern=a\ncfset=ssh\n\n";
    let options = "type=Options\njoincfset=ssh\nprocallin=no\n\n";
    let rule = single("SubStr a", "");
    let all = |texts: &[&str]| {
        check(&load(texts, false), &[]).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let joined = format!("{options}{rule}");
    assert_eq!(all(&[jump, &joined]), Vec::<String>::new());
    let found = all(&[jump]);
    assert!(
        found.len() == 1 && found[0].starts_with("0.sec:1: warning: no file joins the set `ssh`"),
        "{found:?}"
    );
    let found = all(&[&joined]);
    assert!(
        found.len() == 1
            && found[0].starts_with("0.sec:5: warning: procallin=no, and no Jump rule"),
        "{found:?}"
    );
    let any = "type=Jump\nptype=RegExp\npattern=(a)\ncfset=$1\nconstset=no\n\n";
    assert_eq!(all(&[any, &joined]), Vec::<String>::new());
    expect(&format!("label=X\n{rule}"), &["1: no rule jumps to the label `X`"]);
    expect(&format!("{}label=X\n{rule}", single("SubStr b", "continue=GoTo X")), &[]);
}

/// A command line as an action has it in parentheses.
fn masked(line: &str) -> String {
    line.replace('(', "\\(").replace(')', "\\)")
}

#[test]
fn log_text_that_is_run() {
    let unsafe_ones = [
        ("$1", "the name of the command"),
        ("/usr/bin/$1 x", "the name of the command"),
        ("true; $1", "the name of the command"),
        ("echo `$1`", "the name of the command"),
        ("echo \"$($1 x)\"", "the name of the command"),
        ("A=1 sudo -n $1", "the name of the command"),
        ("nohup timeout 5 $1 &", "the name of the command"),
        ("if true; then $1; fi", "the name of the command"),
        ("eval \"echo $1\"", "a program for `eval`"),
        ("sh -c \"echo $1\"", "a program for `sh`"),
        ("/bin/bash -ec 'echo $1'", "a program for `bash`"),
        ("sudo env X=1 bash -c \"$1\"", "a program for `bash`"),
        ("ssh host \"block $1\"", "a program for `ssh`"),
        ("su - nobody -c \"echo $1\"", "a program for `su`"),
        ("cat /tmp/x | awk \"/$1/ {print}\"", "a program for `awk`"),
        ("awk -F: -v x=1 \"$1\"", "a program for `awk`"),
        ("perl -ne 'print if /$1/'", "a program for `perl`"),
        ("python3 -c \"print('$1')\"", "a program for `python3`"),
        ("sed -e s/x/$1/", "a program for `sed`"),
        ("sed 's/x/$1/' /tmp/f", "a program for `sed`"),
        (". /etc/$1", "a program for `.`"),
        ("xargs sh -c \"$1\"", "a program for `sh`"),
    ];
    for (line, wanted) in unsafe_ones {
        let found = said(&single("RegExp (a)", &format!("action=shellcmd ({})", masked(line))));
        let good = found.len() == 1 && found[0].contains(&format!("has log text in {wanted},"));
        assert!(good, "{line}: {found:?}");
    }
    let safe = [
        "alerta send --text '$0' --resource \"$1\"",
        "mail -s \"$1\" root",
        "A=$1 /bin/echo x",
        "echo $1 | mail root",
        "echo \"$(date) $1\"",
        "bash /opt/block.sh $1",
        "bash -x /opt/block.sh $1",
        "awk -v x=\"$1\" '{print x}'",
        "sed -n 5p /tmp/$1",
        "sudo /usr/sbin/ipset add bad $1",
        "perl -e 'print shift' $1",
        "timeout 5 /bin/echo $1",
        "echo '; $1'",
        "echo \\; $1",
        "awk -f /opt/x.awk $1",
    ];
    for line in safe {
        expect(&single("RegExp (a)", &format!("action=shellcmd ({})", masked(line))), &[]);
    }
    for line in ["send --text \\'$1\\'", "send --text \\\"$1 x", "send $1 \\'%s\\'"] {
        expect(
            &single("RegExp (a)", &format!("action=shellcmd {line}")),
            &["a quote with a backslash in front of log text quotes nothing"],
        );
    }
    expect(&single("RegExp (a)", "action=shellcmd send \"\\\"$1\\\"\" \\\\$1"), &[]);
    // What the author wrote may be a command, what came from a line may not, by whatever way it came.
    let action = |text: &str| single("RegExp (a)", &format!("action={text}"));
    expect(&action("assign %c /bin/true; shellcmd %c x"), &[]);
    expect(&action("assign %c $1; assign %d %c; shellcmd %d x"), &["in the name of the command"]);
    expect(&action("create X; pop X %c; shellcmd %c"), &["in the name of the command"]);
    expect(&action("cmdexec /bin/sh -c $1"), &["in a program for `sh`"]);
    expect(&action("pipe '%s' /bin/sh -c \"$1\""), &["in a program for `sh`"]);
    expect(&action("report X $1; create X"), &["in the name of the command"]);
}

#[test]
fn command_lines_of_any_shape_are_read() {
    use proptest::prelude::*;
    let rounds = Rounds { dollar: true, ..Rounds::NONE };
    let words = prop::collection::vec(
        prop::sample::select(vec![
            "'", "\"", "`", "$(", ")", "(", "\\", "$1", " ", ";", "|", "sh", "-c", "a", "=", "\n",
        ]),
        0..30,
    );
    proptest!(|(words in words)| {
        let text = Template::new(words.concat().as_bytes(), rounds);
        let found = shell::problems(&shell::marked(&text, &|_| true));
        // Without a variable nothing is log text.
        prop_assert!(found.is_empty() || words.contains(&"$1"));
    });
}
