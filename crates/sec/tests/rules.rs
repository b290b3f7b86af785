//! Each type of rule, over lines with times.

mod support;

use bergfried_sec::Options;
use support::{engine, told};

/// Rules, lines with times, what comes of them.
type Case = (&'static str, &'static [(i64, &'static str)], &'static [&'static str]);

fn check(cases: &[Case]) {
    for (rules, input, expected) in cases {
        let mut engine = engine(rules, Options::default());
        assert_eq!(told(&mut engine, input), *expected, "{rules}");
    }
}

#[test]
fn rules_without_operations() {
    check(&[
        (
            "type=Single\nptype=RegExp\npattern=user (\\S+)(?<rest>.*)\ndesc=seen $1\naction=write - %s:$+{rest}:$$1",
            &[(1, "user bob there"), (1, "nobody")],
            &["seen bob: there:$1"],
        ),
        (
            "type=Suppress\nptype=SubStr\npattern=quiet\n\ntype=Single\nptype=TValue\npattern=TRUE\ndesc=all $1\naction=pipe '%s'",
            &[(1, "be quiet"), (1, "loud")],
            &["all $1"],
        ),
        (
            "type=Single\nptype=RegExp\npattern=a(.)\nvarmap=A; x=1\ncontinue=TakeNext\ndesc=1\naction=none\n\n\
             type=Single\nptype=Cached\npattern=A\ndesc=cached $+{x} $:{A:1}\naction=write - %s",
            &[(1, "ab")],
            &["cached b b"],
        ),
    ]);
}

#[test]
fn rules_that_count() {
    check(&[
        (
            "type=SingleWithThreshold\nptype=RegExp\npattern=x(\\d)\ndesc=d\naction=write - first $1\naction2=write - end\nwindow=5\nthresh=2",
            &[(1, "x1"), (7, "x2"), (9, "x3"), (10, "x4"), (20, "")],
            &["first 2", "end"],
        ),
        (
            "type=SingleWithSuppress\nptype=SubStr\npattern=x\ndesc=d\naction=write - %u\nwindow=2",
            &[(1, "x"), (3, "x"), (4, "x"), (5, "x")],
            &["1", "4"],
        ),
        (
            "type=SingleWith2Thresholds\nptype=SubStr\npattern=x\ndesc=up\naction=write - %s\nwindow=5\nthresh=2\n\
             desc2=down\naction2=write - %s %u\nwindow2=3\nthresh2=0",
            &[(1, "x"), (2, "x"), (4, "x"), (20, "")],
            &["up", "down 8"],
        ),
        (
            "type=EventGroup2\nptype=SubStr\npattern=A\nthresh=2\nptype2=SubStr\npattern2=B\ndesc=g\n\
             action=write - %s\ninit=write - init\nend=write - end %u\ncount2=write - B\nwindow=10",
            &[(1, "A"), (2, "B"), (3, "A"), (4, "A"), (30, "")],
            &["init", "B", "g", "end 12"],
        ),
    ]);
}

#[test]
fn pairs() {
    let pair = "ptype=RegExp\npattern=down (\\S+)\ndesc=down $1\naction=write - %s\nptype2=RegExp\npattern2=(up) $1\n\
                desc2=%1 is $1\naction2=write - %s\nwindow=3";
    let pair: &'static str = Box::leak(format!("type=Pair\n{pair}").into_boxed_str());
    let late: &'static str = Box::leak(pair.replace("Pair", "PairWithWindow").into_boxed_str());
    check(&[
        (
            pair,
            &[(1, "down a.b"), (2, "down a.b"), (3, "up axb"), (3, "up a.b"), (4, "up a.b")],
            &["down a.b", "a.b is up"],
        ),
        (pair, &[(1, "down a"), (6, "up a")], &["down a"]),
        (late, &[(1, "down a"), (2, "up a"), (3, "down b"), (9, "")], &["a is up", "down b"]),
    ]);
}

#[test]
fn contexts_and_variables() {
    check(&[
        (
            "type=Single\nptype=RegExp\npattern=^make (\\d+)\ndesc=c\naction=create C $1 (write - gone %s; report _THIS); add C one; add C two\n\n\
             type=Single\nptype=SubStr\npattern=ask\ncontext=C && !D\ndesc=there\naction=write - %s",
            &[(1, "ask"), (2, "make 2"), (4, "ask"), (5, "ask"), (9, "")],
            &["there", "gone c", "one|two"],
        ),
        (
            "type=Single\nptype=SubStr\npattern=x\ndesc=d\naction=fill C 1; add C 2; add C 3; getsize %n C; \
             while %n ( shift C %l; write - line %l; getsize %n C ); if %n ( write - no ) else ( write - done )",
            &[(1, "x")],
            &["line 1", "line 2", "line 3", "done"],
        ),
        (
            "type=Single\nptype=SubStr\npattern=x\ndesc=%s $1\naction=assign %v 50%% %.nl; write - %{v}; event 2 later; event now\n\n\
             type=Single\nptype=RegExp\npattern=(now|later)\ndesc=d\naction=write - $1 %u $+{_inputsrc}",
            &[(1, "x"), (9, "")],
            &["50% ", "now 1 synthetic", "later 3 synthetic"],
        ),
    ]);
}

#[test]
fn expressions_stand_for_perl() {
    check(&[
        (
            "type=Single\nptype=RegExp\npattern=port (\\d+)(?<rest>.*)\ncontext=expr($1 < 1024 && contains($+{rest}, \"x\")) && !C\ndesc=d\n\
             action=let %n ($1 * 2 + 1); write - %n",
            &[(1, "port 22 x"), (1, "port 22 y"), (1, "port 2222 x")],
            &["45"],
        ),
        (
            "type=Single\nptype=Expr\npattern=json($0, \"user.name\") == \"eve\"\ndesc=d\naction=write - $0",
            &[
                (1, "{\"user\":{\"name\":\"eve\"}}"),
                (1, "{\"user\":{\"name\":\"bob\"}}"),
                (1, "eve"),
            ],
            &["{\"user\":{\"name\":\"eve\"}}"],
        ),
        (
            "type=Single\nptype=RegExp\npattern=from (\\S+) to (\\S+)\ncontext=expr(distinct($1, $2, 10) >= 3)\ndesc=d\naction=write - $1",
            &[
                (1, "from a to 1"),
                (2, "from a to 2"),
                (2, "from a to 2"),
                (3, "from b to 9"),
                (4, "from a to 3"),
            ],
            &["a"],
        ),
    ]);
}
