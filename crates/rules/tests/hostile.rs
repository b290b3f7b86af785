//! Files that no person would write: they cost themselves alone, and their faults are placed.

use bergfried_rules::{RuleSet, Source};

const GOOD: &str = "title: good\nlogsource: {service: sshd}\ndetection:\n  sel:\n    user.name: root\n  condition: sel\n";

fn load(text: &str) -> (RuleSet, Vec<String>) {
    let (rules, diagnostics) =
        RuleSet::load([Source { file: "r.yml".to_owned(), text: text.to_owned() }]);
    (rules, diagnostics.iter().map(ToString::to_string).collect())
}

#[test]
fn line_ends_marks_and_other_keys_do_no_harm() {
    let base = "title: good\nlogsource: {service: sshd, definition: all of it, x: y}\ndetection:\n  sel:\n    user.name: root\n  condition: sel\n";
    let more = "related: [{id: b, type: similar}]\ntaxonomy: sigma\nscope: [server]\ndate: 2026-01-31\nlicense: MIT\nfields: [a]\nown-key: {deep: [1, 2]}\n";
    for text in [
        format!("\u{feff}{base}"),
        base.replace('\n', "\r\n"),
        format!("# a word before\n\n---\n{base}...\n"),
        format!("{base}{more}"),
        base.replace(
            "sel:\n    user.name: root",
            "sel: &anchor\n    user.name: root\n  other: *anchor",
        ),
    ] {
        let (rules, said) = load(&text);
        assert_eq!((rules.len(), said), (1, Vec::new()), "{text}");
    }
    for (text, expected) in [
        (
            base.replace("    user.name", "\tuser.name"),
            "r.yml:5:1: cannot read YAML: found character that cannot start any token",
        ),
        (
            base.replace("title: good", "title: good\ntitle: again"),
            "r.yml:2:1: cannot read YAML: duplicate entry with key \"title\"",
        ),
        (
            base.replace("condition:", "sel: {a: b}\n  condition:"),
            "r.yml:6:3: cannot read YAML: detection: duplicate entry with key \"sel\"",
        ),
        (
            base.replace("root", "ro\u{fffd}t"),
            "r.yml:5:18: cannot read YAML: this is no UTF-8, save the file as such",
        ),
        (
            base.replace("root", "\u{1}"),
            "r.yml:5:16: cannot read YAML: the character U+0001 must be escaped",
        ),
    ] {
        let (rules, said) = load(&text);
        assert!(rules.is_empty() && said.len() == 1, "{text}: {said:?}");
        assert!(said[0].starts_with(expected), "{said:?}");
    }
}

#[test]
fn hostile_files_cost_themselves_alone() {
    let condition =
        |condition: String| GOOD.replace("condition: sel", &format!("condition: {condition}"));
    for text in [
        condition(format!("{}sel{}", "(".repeat(30_000), ")".repeat(30_000))),
        condition(format!("{}sel", "not ".repeat(15_000))),
        condition(format!("sel{}", " or sel".repeat(8_000))),
        format!("title: {}", "[".repeat(100_000)),
        format!("title: {}", "{a: ".repeat(100_000)),
        format!("detection:\n  sel: {}1", "- ".repeat(50_000)),
        aliases(40),
        format!("{}sel{}", "a: &a [x]\nb: ", " *a".repeat(300_000)),
        repeated(&format!("[{}]", "x, ".repeat(100_000)), 300),
        repeated(
            &format!("{{user.name|windash|base64offset: [{}]}}", "'-a-b-c-d', ".repeat(10_000)),
            1,
        ),
        repeated(&format!("{{user.name|re: [{}]}}", "'(a|b){50}[xyz]{50}', ".repeat(50_000)), 1),
        repeated(
            &format!(
                "{{{}}}",
                (0..60_000).map(|n| format!("sorce.ip{n}: 1, ")).collect::<String>()
            ),
            1,
        ),
        repeated(
            &format!(
                "{{{}}}",
                (0..60_000).map(|n| format!("a{n}|contians: 1, ")).collect::<String>()
            ),
            1,
        ),
        "x".repeat(5 << 20),
    ] {
        let sources = [text, GOOD.to_owned()];
        let (rules, diagnostics) =
            RuleSet::load(sources.map(|text| Source { file: "r.yml".to_owned(), text }));
        assert!(rules.get("good").is_some(), "{:?}", diagnostics.first());
        assert!(rules.len() == 1 || rules.get("large").is_some());
        assert!(diagnostics.len() < 400, "{} things said", diagnostics.len());
    }
}

/// Lists of two of the list before, which written out would be two to the power of `depth` words.
fn aliases(depth: usize) -> String {
    let mut text = "a0: &a0 [x, x]\n".to_owned();
    for level in 1..=depth {
        let before = level - 1;
        text.push_str(&format!("a{level}: &a{level} [*a{before}, *a{before}]\n"));
    }
    text
}

/// A rule with one large selection that its condition names many times.
fn repeated(selection: &str, times: usize) -> String {
    let condition = vec!["sel"; times].join(" or ");
    format!(
        "title: large\nlogsource: {{service: sshd}}\ndetection:\n  sel: {selection}\n  condition: {condition}\n"
    )
}

proptest::proptest! {
    /// Whatever a file holds, it gives rules or says why not, at a place within it.
    #[test]
    fn any_change_of_a_file_gives_rules_or_reasons(
        at in 0..900_usize,
        cut in 0..40_usize,
        put in r"[ \t\n\[\]{}:,|&*!%@`'\x22>#a-cé0-9-]{0,12}",
    ) {
        let whole = format!(
            "{GOOD}---\n{}---\ntitle: f\nlogsource: {{service: sshd}}\nfilter:\n  rules: [good]\n  sel:\n    - a|re|i: '^x[a-z]+$'\n    - '|all': [b, c]\n  condition: not 1 of s*\n---\naction: global\nlevel: low\n---\n{}",
            GOOD.replace("title: good", "title: second\nname: second").replace("user.name: root", "source.ip|cidr: [10.0.0.0/8]"),
            GOOD.replace("title: good", "title: third").replace("condition: sel", "condition: sel and not (sel or 1 of them)"),
        );
        let place = |from: usize| (from..whole.len()).find(|at| whole.is_char_boundary(*at)).unwrap_or(whole.len());
        let (start, end) = (place(at), place(at + cut));
        let text = format!("{}{put}{}", &whole[..start], &whole[end..]);
        let lines = text.lines().count() + 1;
        let (rules, diagnostics) =
            RuleSet::load([Source { file: "r.yml".to_owned(), text: text.clone() }]);
        proptest::prop_assert!(rules.len() + diagnostics.len() > 0, "{}", text);
        for said in diagnostics {
            proptest::prop_assert!(said.line <= lines && said.column >= 1, "{}", said);
        }
    }
}
