//! Command lines as people and unit files write them.

use super::*;

fn read(line: &str) -> Result<Options, String> {
    let arguments: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    Options::read(&arguments, None)
}

#[test]
fn both_dashes_both_separators_and_beginnings_are_taken() {
    for line in [
        "--conf=a.sec --input=- --notail --debug=3",
        "-conf a.sec -input - -notail -debug 3",
        "--co a.sec --input=- --nota --deb=3",
        "--CONF=a.sec --input - --no-tail -debug=3 --",
    ] {
        let options = read(line).unwrap();
        assert_eq!(options.rules, [b"a.sec"], "{line}");
        assert_eq!(options.inputs[0].pattern, b"-", "{line}");
        assert!(!options.tail, "{line}");
        assert_eq!(options.debug, 3, "{line}");
    }
}

#[test]
fn an_input_names_its_context_after_its_last_equals_sign() {
    let options = read("--input=/var/log/a=b.log=SECURE --input=x").unwrap();
    assert_eq!(options.inputs[0].pattern, b"/var/log/a=b.log");
    assert_eq!(options.inputs[0].context.as_deref(), Some(&b"SECURE"[..]));
    assert_eq!(options.inputs[1].context, None);
    assert!(options.internal_contexts);
}

#[test]
fn underscores_modes_and_fractions_are_taken() {
    let line = "--reopen_timeout=5 --check_timeout 2 --umask=0027 --poll-timeout=0.25 --bufsize=0";
    let options = read(line).unwrap();
    assert_eq!((options.reopen_timeout, options.check_timeout), (5, 2));
    assert_eq!(options.umask, Some(0o027));
    assert_eq!(options.poll_timeout, Duration::from_millis(250));
    for (mode, expected) in [("23", 23), ("0x17", 0x17), ("0b000010111", 23), ("0", 0)] {
        assert_eq!(read(&format!("--umask={mode}")).unwrap().umask, Some(expected), "{mode}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (line, message) in [
        ("--bogus", "unknown option: bogus"),
        ("foo", "unknown argument: foo"),
        ("-- foo", "unknown argument: foo"),
        ("--dumpf", "option dumpf is ambiguous (dumpfts, dumpfjson)"),
        ("--detach=3", "option detach does not take an argument"),
        ("--log", "option log requires an argument"),
        ("--group=x", "option group requires the option user"),
        ("--debug=9", "value \"9\" invalid for option debug: expected a level from 1 to 6"),
        (
            "--poll-timeout=-1",
            "value \"-1\" invalid for option poll-timeout: expected seconds, such as 0.1",
        ),
        (
            "--umask=01000",
            "value \"01000\" invalid for option umask: expected a mode from 0 to 0777",
        ),
        (
            "--syslog=nowhere",
            "value \"nowhere\" invalid for option syslog: expected a facility such as local0",
        ),
        ("--hub=http://127.0.0.1:1", "options hub and token-file go together"),
        ("--nohelp", "unknown option: nohelp"),
    ] {
        assert_eq!(read(line).unwrap_err(), message, "{line}");
    }
}

#[test]
fn a_resource_file_adds_one_argument_a_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "# comment\n--input=-\n\n  --conf\n/etc/sec/a b.conf\n").unwrap();
    let arguments = [OsString::from("--notail")];
    let options = Options::read(&arguments, Some(file.path().as_os_str())).unwrap();
    assert_eq!(options.rules, [b"/etc/sec/a b.conf".to_vec()]);
    assert!(!options.tail);
    let missing = Options::read(&arguments, Some(OsStr::new("/nonexistent/rc"))).unwrap_err();
    assert!(missing.starts_with("cannot read /nonexistent/rc (SECRC): "), "{missing}");
}

#[test]
fn every_option_has_a_line_in_the_help() {
    let help = help("bergfried-correlate");
    for word in WORDS {
        assert!(help.contains(word.name()), "{}", word.name());
    }
    assert!(help.lines().all(|line| line.len() <= 100), "{help}");
}
