//! What a real program is told, and what becomes of it.

use std::time::Instant;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::example;
use crate::sample;

#[derive(Deserialize)]
struct File {
    notify: Vec<Channel>,
}

/// A channel that runs this script with one more argument.
fn script(text: &str) -> Channel {
    let command = toml::Value::from(vec!["/bin/sh", "-c", text, "sh", "one argument"]);
    let table =
        format!("[[notify]]\nname = 'x'\ntype = 'exec'\ntimeout_seconds = 1\ncommand = {command}");
    toml::from_str::<File>(&table).unwrap().notify.remove(0)
}

fn send(channel: &Channel, message: &Message) -> Result<(), SendError> {
    let client = crate::send::Client::new();
    client.send(channel, message, None, bergfried_event::Timestamp::from_seconds(0)).map(|_| ())
}

#[test]
fn a_program_sees_the_message_and_little_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let (variables_path, input_path) = (path("variables"), path("input"));
    let text = format!(
        "env -0 > '{}'; cat > '{}'; test \"$1\" = 'one argument'",
        variables_path.display(),
        input_path.display()
    );
    let nasty = "`touch pwned` $(id) '; rm -rf / #\n\0\u{1b}[2J\u{202e}";
    for message in [example::every_kind().remove(0), sample::hostile(nasty)] {
        send(&script(&text), &message).unwrap();
        let input: Value = serde_json::from_slice(&std::fs::read(&input_path).unwrap()).unwrap();
        assert_eq!(input, document(&message));
        let seen = String::from_utf8(std::fs::read(&variables_path).unwrap()).unwrap();
        let seen: BTreeMap<&str, &str> =
            seen.split('\0').filter_map(|pair| pair.split_once('=')).collect();
        for (name, value) in variables(&message) {
            assert_eq!(seen.get(name), Some(&value.as_str()), "{name}");
        }
        // The shell sets some of its own.
        let known = |name: &str| {
            name.starts_with("BERGFRIED_")
                || INHERITED.contains(&name)
                || ["PWD", "SHLVL", "_", "OLDPWD"].contains(&name)
        };
        assert!(seen.keys().all(|name| known(name)), "{seen:?}");
    }
    assert_eq!(variables(&example::every_kind().remove(0))["BERGFRIED_USER"], "root");
}

#[test]
fn every_variable_is_documented() {
    let documentation = include_str!("../../../../docs/notify.md");
    let documented = |name: &str| documentation.contains(&format!("`{name}`"));
    for message in example::every_kind() {
        for name in variables(&message).keys() {
            assert!(documented(name), "{name}");
        }
    }
}

#[test]
fn how_it_ends_and_what_that_means() {
    let message = example::every_kind().remove(0);
    for (text, retryable, said) in [
        ("echo no such room >&2; exit 1", false, "the program ended with 1: no such room"),
        ("exit 75", true, "the program ended with 75"),
        ("kill -9 $$", true, "the program was ended by signal 9"),
        ("printf '\\033[2Jx'; exit 2", false, "the program ended with 2: \\u{1b}[2Jx"),
        ("sleep 30", true, "the program did not end within 1 s"),
    ] {
        let error = send(&script(text), &message).unwrap_err();
        assert_eq!((error.retryable, error.message.as_str()), (retryable, said), "{text}");
    }
    let error = send(&script("head -c 1000000 /dev/zero | tr '\\0' x; exit 3"), &message);
    let error = error.unwrap_err().message;
    assert!(error.starts_with("the program ended with 3: xxx") && error.len() < 400, "{error}");
    let table = "[[notify]]\nname = 'x'\ntype = 'exec'\ncommand = ['/nowhere/at/all']";
    let missing = toml::from_str::<File>(table).unwrap().notify.remove(0);
    let error = send(&missing, &message).unwrap_err();
    assert!(error.message.starts_with("cannot start /nowhere/at/all: "), "{error}");
}

#[test]
fn nothing_is_left_behind() {
    let directory = tempfile::tempdir().unwrap();
    let message = example::every_kind().remove(0);
    for (name, text, done) in [
        ("late", "sleep 60 & echo $! > FILE; sleep 60", false),
        ("daemon", "sleep 60 & echo $! > FILE", true),
    ] {
        let path = directory.path().join(name);
        let start = Instant::now();
        let text = text.replace("FILE", &format!("'{}'", path.display()));
        assert_eq!(send(&script(&text), &message).is_ok(), done, "{name}");
        assert!(start.elapsed() < Duration::from_secs(45));
        let pid: i32 = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        // An ended process may stay as a zombie until init sees it.
        let gone = || match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat.contains(") Z "),
            Err(_) => true,
        };
        while !gone() {
            assert!(start.elapsed() < Duration::from_secs(45), "{name} still runs");
            std::thread::sleep(LOOK);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_variable_has_a_control_character(text in any::<String>()) {
        for (name, value) in variables(&sample::hostile(&text)) {
            prop_assert!(!value.contains(char::is_control), "{name}");
            prop_assert!(value.encode_utf16().count() <= MAX_VALUE);
        }
    }
}
