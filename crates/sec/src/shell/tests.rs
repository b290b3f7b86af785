//! What real shells make of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use proptest::prelude::*;

use super::*;

/// Ways to write a word around a value, and what stands before and after it in the word then.
const WORDS: &[(&str, &str, &str)] = &[
    ("{}", "", ""),
    ("a{}b", "a", "b"),
    ("\"{}\"", "", ""),
    ("\"a b {} c\"", "a b ", " c"),
    ("'{}'", "", ""),
    ("'a $x {} `b'", "a $x ", " `b"),
    ("\\'{}\\'", "'", "'"),
    ("\\\"{}\\\"", "\"", "\""),
    ("x'y'\"z\"{}", "xyz", ""),
    ("--text={}", "--text=", ""),
    ("\"'{}'\"", "'", "'"),
    ("'\"{}\"'", "\"", "\""),
    ("\"it's {}\"", "it's ", ""),
    ("${undefined:-{}}", "", ""),
    ("\"${undefined:-{}}\"", "", ""),
    ("$(:){}", "", ""),
    ("\"$(: \"q)\")\"{}", "", ""),
    ("a#'{}'", "a#", ""),
];

/// Ways to put a command into another.
const COMMANDS: &[&str] = &[
    "{}",
    ": $({})",
    ": \"$({})\"",
    ": \"a $(: \"$({})\") b\"",
    ": `{}`",
    ": \"`{}`\"",
    " ({})",
    " ( ({}) )",
    "{ {}; }",
    "if :; then {}; fi",
    "case x in (x) {};; esac",
    "case x in x) {};; esac",
    ": \"$(case x in y) :;; x) {};; esac)\"",
    ": ' # '; {}",
    ": # it's \"\n{}",
    ": $((1 + 2)) \"$((1 + (2)))\"; {}",
    "x=a{}",
    ": <<'END'; {}\n it's \" `\nEND\n:",
    "cat >/dev/null <<END\n`{}`\nEND\n:",
    "cat >/dev/null <<-END\n$({})\n\tEND\n:",
    "echo case; {}",
];

fn text(template: &str, value: &[u8], kind: Kind) -> Text {
    let mut text = Text::new();
    for (number, part) in template.split("\u{1}").enumerate() {
        if number > 0 {
            match kind {
                Kind::Data => text.push_data(value),
                Kind::Quoted => text.push_text(&Text::data(value).in_single_quotes()),
            }
        }
        text.push_trusted(part.as_bytes());
    }
    text
}

fn run(shell: &str, command: &ShellCommand, directory: &Path) -> Vec<u8> {
    let out = directory.join("out");
    std::fs::write(&out, "").unwrap();
    let environment: BTreeMap<_, _> = command.environment.iter().cloned().collect();
    let mut child = Command::new(shell);
    child.arg("-c").arg(
        std::os::unix::ffi::OsStrExt::from_bytes(command.script.as_slice()) as &std::ffi::OsStr
    );
    child.current_dir(directory).env("OUT", &out).stdin(Stdio::null()).stdout(Stdio::null());
    for (name, value) in &environment {
        child.env(
            name,
            std::os::unix::ffi::OsStrExt::from_bytes(value.as_slice()) as &std::ffi::OsStr,
        );
    }
    child.stderr(Stdio::null()).status().unwrap();
    std::fs::read(out).unwrap()
}

fn shells() -> Vec<&'static str> {
    let there = |shell: &&str| Command::new(shell).args(["-c", ":"]).status().is_ok();
    let shells: Vec<_> = ["sh", "bash", "dash", "busybox-sh"].into_iter().filter(there).collect();
    assert!(shells.contains(&"sh"));
    shells
}

/// Values as attackers would write them, and any bytes.
fn values() -> impl Strategy<Value = Vec<u8>> {
    let fragments = prop::sample::select(vec![
        "$(touch canary)",
        "`touch canary`",
        ";touch canary;",
        "\ntouch canary\n",
        "&&touch canary",
        "|touch canary",
        "'",
        "\"",
        "\\",
        "$",
        "${HOME}",
        "$HOME",
        "*",
        "?",
        "~",
        " ",
        "\t",
        "\n",
        "#",
        "(",
        ")",
        "{",
        "}",
        "<canary",
        ">canary",
        "END",
        "$((",
        "))",
        "!",
        "a",
        "esac",
        "\u{fc}",
        "-n",
        "%s",
        "\\0",
    ]);
    let piece = prop_oneof![
        3 => fragments.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(1_u8.., 1..4),
    ];
    prop::collection::vec(piece, 1..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// A value is one word, whatever it is and wherever it stands, and nothing of it ever runs.
    #[test]
    fn a_value_is_data_in_every_place(
        value in values(),
        word in prop::sample::select(WORDS),
        outer in prop::sample::select(COMMANDS),
        inner in prop::sample::select(COMMANDS),
        quoted in any::<bool>(),
    ) {
        let (form, before, after) = word;
        let command = format!("printf '%s\\0' {} end >>\"$OUT\"", form.replace("{}", "\u{1}"));
        // Backticks within backticks need backslashes, which nobody writes.
        let nested = if inner.contains('`') || form.contains('`') { "{}" } else { outer };
        let nested = if nested.contains("END") && inner.contains("END") { "{}" } else { nested };
        let nested = if nested.contains("x=") || inner.contains('\n') && nested.contains('`') { "{}" } else { nested };
        // In backticks, some shells take a backslash before a double quote away.
        let masked = form.contains("\\\"");
        let nested = if masked && nested.contains('`') { "{}" } else { nested };
        let inner = if masked && inner.contains('`') { "{}" } else { inner };
        let inner = if inner.contains("x=") || form.contains('`') && inner.contains('`') { "{}" } else { inner };
        let template = nested.replace("{}", &inner.replace("{}", &command));
        let kind = if quoted { Kind::Quoted } else { Kind::Data };
        let text = text(&template, &value, kind);
        let made = super::command(&text);
        prop_assert!(made.needs_shell);
        // Between double quotes the single quotes that `assignsq` puts are letters.
        let in_double = form.starts_with('"') && !form.ends_with('}') || form.contains("\"${");
        let shown = if quoted && in_double { Text::data(value.clone()).in_single_quotes().into_bytes() } else { value.clone() };
        let expected = [before.as_bytes(), &shown, after.as_bytes(), b"\0end\0"].concat();
        let directory = tempfile::tempdir().unwrap();
        for shell in shells() {
            let found = run(shell, &made, directory.path());
            prop_assert!(!directory.path().join("canary").exists(), "{shell} ran {template:?}");
            prop_assert_eq!(
                String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected),
                "{} {}", shell, String::from_utf8_lossy(&made.script)
            );
        }
    }

    /// However strange a script is, what strangers wrote is no part of it.
    #[test]
    fn a_script_holds_only_what_its_author_wrote(
        parts in prop::collection::vec(
            prop_oneof![
                prop::sample::select(vec![
                    "'", "\"", "`", "$(", ")", "((", "))", "$((", "${", "}", "${x:-", "\\", "$", "#", "<<E\n", "\nE\n",
                    "<<'E'\n", " ", "case x in", "esac", ";", "echo ", "a", "<<", "-", "\n",
                ]).prop_map(|part| (part.to_owned(), false)),
                Just(("\u{fa}\u{fb}touch canary;`touch canary`$(touch canary)'\"\n".to_owned(), true)),
            ],
            0..24,
        ),
    ) {
        let mut text = Text::new();
        for (part, is_value) in &parts {
            if *is_value { text.push_data(part.as_bytes()) } else { text.push_trusted(part.as_bytes()) }
        }
        let made = super::command(&text);
        prop_assert!(!String::from_utf8_lossy(&made.script).contains("touch"));
        let directory = tempfile::tempdir().unwrap();
        for shell in shells() {
            run(shell, &made, directory.path());
            prop_assert!(!directory.path().join("canary").exists(), "{shell} {:?}", made.script);
        }
    }
}

#[test]
fn the_log_line_of_the_home_lab_page_arrives_whole() {
    let line =
        b"Dec 1 10:00:00 pve sshd[1]: pam_unix(sshd:session): `touch canary` $(touch canary) 'x\"";
    let template = "printf '%s\\0' --text \\'\u{1}\\' >>\"$OUT\"";
    let made = command(&text(template, line, Kind::Data));
    let directory = tempfile::tempdir().unwrap();
    let expected = [b"--text\0'", line.as_slice(), b"'\0"].concat();
    assert_eq!(run("sh", &made, directory.path()), expected);
    assert!(!directory.path().join("canary").exists());
}

#[test]
fn here_documents_hold_values_as_they_are() {
    let value = b"$(touch canary) `touch canary` \\ $HOME 'q' \"d\"\nEND2";
    for (template, expected) in [
        ("cat >\"$OUT\" <<END\na \u{1} $((1+1)) \\$x\nEND\n", "a {} 2 $x\n"),
        ("cat >\"$OUT\" <<'END'\na \u{1} $((1+1)) \\$x `y`\nEND\n", "a {} $((1+1)) \\$x `y`\n"),
        ("cat >\"$OUT\" <<-\"END\"; :\n\t\u{1}\n\tEND\n", "{}\n"),
    ] {
        let made = command(&text(template, value, Kind::Data));
        let directory = tempfile::tempdir().unwrap();
        for shell in shells() {
            let found = run(shell, &made, directory.path());
            let expected = expected.replace("{}", &String::from_utf8_lossy(value));
            assert_eq!(String::from_utf8_lossy(&found), expected, "{shell} {template}");
            assert!(!directory.path().join("canary").exists());
        }
    }
}

#[test]
fn calculations_get_digits_alone() {
    for (value, shown) in
        [("a[$(touch canary)]", "1"), ("41", "42"), ("-3", "-2"), ("007", "8"), ("x9;y", "10")]
    {
        let made =
            command(&text("printf '%s\\0' $((\u{1} + 1)) >\"$OUT\"", value.as_bytes(), Kind::Data));
        let directory = tempfile::tempdir().unwrap();
        for shell in shells() {
            let expected = format!("{shown}\0").into_bytes();
            assert_eq!(run(shell, &made, directory.path()), expected, "{shell} {value}");
            assert!(!directory.path().join("canary").exists());
        }
    }
    for template in ["((x = \u{1}))", ": ${x:\u{1}}", ": \"${x:\u{1}:1}\"", ": ${x[\u{1}]}"] {
        let made = command(&text(template, b"a[$(touch canary)]", Kind::Data));
        let directory = tempfile::tempdir().unwrap();
        for shell in shells() {
            run(shell, &made, directory.path());
            assert!(!directory.path().join("canary").exists(), "{shell} {template}");
        }
    }
}

#[test]
fn a_line_without_anything_for_a_shell_is_started_as_it_is() {
    let mut line = Text::trusted(*b"/usr/bin/logger  -t sec ");
    line.push_data(b"a b; c");
    line.push_trusted(b".x ");
    line.push_text(&Text::data(*b"it's").in_single_quotes());
    let made = command(&line);
    assert!(!made.needs_shell);
    let words: Vec<_> = made.arguments.iter().map(|word| String::from_utf8_lossy(word)).collect();
    assert_eq!(words, ["/usr/bin/logger", "-t", "sec", "a b; c.x", "it's"]);
    for (line, shell) in [
        ("x=1 y", true),
        ("exec y", true),
        ("executor y", false),
        ("a | b", true),
        ("a-b c=d", false),
    ] {
        assert_eq!(command(&Text::trusted(line)).needs_shell, shell, "{line}");
    }
}

#[test]
fn as_sec_does_it_values_are_parts_of_the_script() {
    let made = literal_command(&text("echo \u{1}", b"a; `b`", Kind::Data));
    assert_eq!((made.script.as_slice(), made.needs_shell), (&b"echo a; `b`"[..], true));
    assert_eq!(
        literal_command(&text("echo \u{1}", b"a b", Kind::Data)).arguments,
        [b"echo".to_vec(), b"a".to_vec(), b"b".to_vec()]
    );
}

#[test]
fn large_values_are_cut() {
    let made = command(&text("echo '\u{1}'", &vec![b'x'; 1 << 20], Kind::Data));
    assert_eq!(made.environment.len(), 1);
    assert_eq!(made.environment[0].1.len(), VALUE);
    let many = command(&text(&"\u{1};".repeat(64), &vec![b'x'; 1 << 20], Kind::Data));
    assert_eq!(many.environment.iter().map(|(_, value)| value.len()).sum::<usize>(), VALUES);
}
