//! Real commands.

use std::sync::Arc;

use bergfried_sec::Text;
use bergfried_sec::port::{Command as Wanted, Input};

use super::*;

fn start(line: &str, input: &[&str], output: Output) -> Start {
    let lines: Vec<_> = input.iter().map(|line| Arc::new(Text::data(line.as_bytes()))).collect();
    let input = if lines.is_empty() { Input::None } else { Input::Lines(&lines) };
    Start::new(&Wanted::Line(Text::trusted(line)), &input, output, false)
}

/// Runs until nothing runs any more.
fn run(children: &mut Children, starts: Vec<Start>) -> Vec<Told> {
    let mut told = Vec::new();
    let mut tell = |one| told.push(one);
    for start in starts {
        children.start(start, &mut tell);
    }
    let since = Instant::now();
    while !children.is_empty() {
        assert!(since.elapsed() < Duration::from_secs(120), "{:?}", children.len());
        children.poll(&mut tell);
        std::thread::sleep(Duration::from_millis(1));
    }
    told
}

fn lines(told: &[Told]) -> Vec<String> {
    let line = |one: &Told| match one {
        Told::Line { line, .. } => Some(String::from_utf8_lossy(line).into_owned()),
        Told::Ended { .. } => None,
    };
    told.iter().filter_map(line).collect()
}

#[test]
fn lines_are_events_also_the_last_without_a_line_feed() {
    let mut children = Children::new(Limits::default());
    let output = Output::Events(Some(b"CONTEXT".to_vec()));
    let told = run(&mut children, vec![start("printf 'a\\n\\nb'", &[], output)]);
    assert_eq!(lines(&told), ["a", "", "b"]);
    assert!(matches!(&told[0], Told::Line { context: Some(name), .. } if name == b"CONTEXT"));
}

#[test]
fn what_a_command_reads_is_more_than_a_pipe_holds() {
    let mut children = Children::new(Limits::default());
    let line = "x".repeat(1 << 20);
    let output = Output::Events(None);
    let told = run(&mut children, vec![start("wc -c; :", &[&line, "y"], output)]);
    assert_eq!(lines(&told), [((1 << 20) + 3).to_string()]);
}

#[test]
fn a_command_that_reads_nothing_holds_nobody_up() {
    let mut children = Children::new(Limits::default());
    let line = "x".repeat(1 << 20);
    let told = run(&mut children, vec![start("exec true", &[&line], Output::Ignored)]);
    assert!(matches!(told.as_slice(), [Told::Ended { success: true, message: None, .. }]));
}

#[test]
fn failures_are_told_with_the_script_they_belong_to() {
    let mut children = Children::new(Limits::default());
    let starts = vec![
        start("(exit 3)", &[], Output::Status(1)),
        start("/nonexistent/command", &[], Output::Status(2)),
        start("kill -9 $$", &[], Output::Status(3)),
        start("true", &[], Output::Status(4)),
    ];
    let mut ended: Vec<_> = run(&mut children, starts)
        .into_iter()
        .map(|told| match told {
            Told::Ended { script, success, message } => (script.unwrap(), success, message),
            Told::Line { .. } => panic!("a line"),
        })
        .collect();
    ended.sort();
    let messages: Vec<_> =
        ended.iter().map(|(_, _, message)| message.clone().unwrap_or_default()).collect();
    assert!(
        messages[0].ends_with("terminated with non-zero exit code 3 ((exit 3))"),
        "{messages:?}"
    );
    assert!(messages[1].starts_with("cannot start /nonexistent/command: "), "{messages:?}");
    assert!(messages[2].contains("terminated by signal 9"), "{messages:?}");
    let successes: Vec<_> = ended.iter().map(|(_, success, _)| *success).collect();
    assert_eq!(successes, [false, false, true, true]);
    assert_eq!(ended[3], (4, true, None));
    assert_eq!(children.counters().failed, 3);
}

#[test]
fn too_many_wait_and_many_too_many_are_dropped() {
    let limits = Limits { running: 1, waiting: 2, ..Limits::default() };
    let mut children = Children::new(limits);
    let starts = (0..4).map(|n| start(&format!("echo {n}"), &[], Output::Events(None))).collect();
    let told = run(&mut children, starts);
    assert_eq!(lines(&told), ["0", "1", "2"]);
    assert_eq!(children.counters().dropped, 1);
}

#[test]
fn a_group_ends_when_its_time_is_up() {
    let time = Some(Duration::from_millis(100));
    let mut children = Children::new(Limits { time, groups: true, ..Limits::default() });
    let since = Instant::now();
    run(&mut children, vec![start("sleep 120 & sleep 120; :", &[], Output::Events(None))]);
    assert!(since.elapsed() < Duration::from_secs(60));
    assert_eq!(children.counters().timed_out, 1);
}

#[test]
fn values_are_single_arguments() {
    let mut text = Text::data(*b"$(echo x) 'y");
    text.push_trusted(b"!");
    let arguments = vec![Text::trusted(*b"printf"), Text::trusted(*b"[%s]"), text];
    let start =
        Start::new(&Wanted::Arguments(arguments), &Input::None, Output::Events(None), false);
    let told = run(&mut Children::new(Limits::default()), vec![start]);
    assert_eq!(lines(&told), ["[$(echo x) 'y!]"]);
}

#[test]
fn secrets_of_the_environment_are_kept_from_commands_where_asked() {
    // Cargo sets this one for every test.
    let wanted = "echo ${CARGO_MANIFEST_DIR:+secret} ${PATH:+path}; :";
    for (environment, expected) in [(true, "secret path"), (false, "path")] {
        let mut children = Children::new(Limits { environment, ..Limits::default() });
        let told = run(&mut children, vec![start(wanted, &[], Output::Events(None))]);
        assert_eq!(lines(&told), [expected]);
    }
}
