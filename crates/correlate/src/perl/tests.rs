//! Against the installed `perl`.

use jiff::tz::TimeZone;

use super::*;

fn perl() -> Option<Perl> {
    if Command::new("perl").arg("-e1").status().is_err() {
        crate::log::complain("skipped: perl is not installed");
        return None;
    }
    Some(Perl::new())
}

fn ask(perl: &mut Perl, question: Question) -> Reply {
    let mut log = Log::new(1, None, None, TimeZone::UTC);
    perl.ask(question, &mut log)
}

fn run(perl: &mut Perl, program: &str) -> Answer {
    ask(perl, Question::Run { program: program.into(), scalar: false }).answer
}

fn call(perl: &mut Perl, code: Code, arguments: Vec<Argument>) -> Reply {
    ask(perl, Question::Call { code, arguments, scalar: false })
}

fn values(texts: &[&str]) -> Answer {
    Answer::Values(texts.iter().map(|text| Some(text.as_bytes().to_vec())).collect())
}

#[test]
fn functions_get_arguments_and_give_values() {
    let Some(mut perl) = perl() else { return };
    let code = perl.compile(r"sub { return (scalar(@_), $_[0] . '!', undef, @{$_[2]}) }").unwrap();
    let arguments = vec![
        Argument::Bytes(b"a\xff\0b".to_vec()),
        Argument::Undefined,
        Argument::List(vec![b"x".to_vec(), b"y".to_vec()]),
    ];
    let expected = Answer::Values(vec![
        Some(b"3".to_vec()),
        Some(b"a\xff\0b!".to_vec()),
        None,
        Some(b"x".to_vec()),
        Some(b"y".to_vec()),
    ]);
    assert_eq!(call(&mut perl, code, arguments).answer, expected);
}

#[test]
fn hashes_go_and_come() {
    let Some(mut perl) = perl() else { return };
    let code = perl.compile(r#"sub { $_[0]->{seen} = $_[0]->{ip} . "."; return { ip => 7 } }"#);
    let entry = vec![(b"ip".to_vec(), Some(b"10".to_vec())), (b"none".to_vec(), None)];
    let reply = call(&mut perl, code.unwrap(), vec![Argument::Entry(entry)]);
    assert_eq!(reply.answer, Answer::Named(vec![(b"ip".to_vec(), Some(b"7".to_vec()))]));
    let expected = vec![
        (b"ip".to_vec(), Some(b"10".to_vec())),
        (b"none".to_vec(), None),
        (b"seen".to_vec(), Some(b"10.".to_vec())),
    ];
    assert_eq!(reply.entries, [expected]);
}

#[test]
fn variables_last_and_functions_of_programs_can_be_called() {
    let Some(mut perl) = perl() else { return };
    assert_eq!(run(&mut perl, "$b = 41"), values(&["41"]));
    assert_eq!(run(&mut perl, "++$b"), values(&["42"]));
    assert_eq!(run(&mut perl, "(1, 2)"), values(&["1", "2"]));
    let Answer::Function(code) = run(&mut perl, "sub { $b * $_[0] }") else {
        panic!("no function")
    };
    let reply = call(&mut perl, code, vec![Argument::Bytes(b"2".to_vec())]);
    assert_eq!(reply.answer, values(&["84"]));
}

#[test]
fn what_dies_is_said_and_harms_nothing() {
    let Some(mut perl) = perl() else { return };
    let error = perl.compile("sub { ").unwrap_err();
    assert!(error.contains("Missing right curly"), "{error}");
    assert_eq!(perl.compile("42").unwrap_err(), "it is no function");
    let code = perl.compile("sub { die \"enough\\n\" }").unwrap();
    assert_eq!(call(&mut perl, code, Vec::new()).answer, Answer::Failed("enough".to_owned()));
    assert_eq!(run(&mut perl, "1"), values(&["1"]));
    assert_eq!(perl.restarts(), 0);
}

#[test]
fn what_takes_too_long_is_ended_and_functions_are_compiled_again() {
    let Some(mut perl) = perl() else { return };
    let slow = perl.compile("sub { 1 while 1 }").unwrap();
    let quick = perl.compile("sub { 'quick' }").unwrap();
    let expected = Answer::Failed("it took more than 5 s".to_owned());
    assert_eq!(call(&mut perl, slow, Vec::new()).answer, expected);
    assert_eq!(call(&mut perl, quick, Vec::new()).answer, values(&["quick"]));
    assert_eq!(perl.restarts(), 1);
}

#[test]
fn code_that_ends_the_program_says_with_what() {
    let Some(mut perl) = perl() else { return };
    assert_eq!(run(&mut perl, "exit(3)"), Answer::Failed("code ended the helper".to_owned()));
    assert_eq!(perl.ended(), Some(3));
    assert_eq!(perl.ended(), None);
}
