//! Sessions as rsyslog's omrelp holds them, frames in pieces, and frames that are none.

use proptest::prelude::*;

use super::*;

/// What omrelp of rsyslog 8.2504 sends, in the order of one connection.
const CLIENT: &str = "1 open 86 relp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\n\
    commands=syslog\n2 syslog 22 <38>Nov 20 host sshd: \n3 syslog 7 <38>a\nb\n4 syslog 1 \n\n5 close 0\n";

type Owned = (u32, Command, Vec<u8>, bool);

fn frames(pieces: &[&[u8]], max: usize) -> (Vec<Owned>, Result<(), Fault>) {
    let mut reader = Reader::new(max);
    let mut frames = Vec::new();
    for piece in pieces {
        let read = reader.push(piece, &mut |frame| {
            frames.push((frame.txnr, frame.command, frame.data.to_vec(), frame.cut));
        });
        assert!(reader.held() <= max + 64, "{} held", reader.held());
        if read.is_err() {
            assert_eq!(reader.push(b"1 close 0\n", &mut |_| panic!("a frame")), read);
            return (frames, read);
        }
    }
    (frames, Ok(()))
}

/// Everything that a session says about the frames of a stream.
fn session(stream: &str) -> Result<Vec<String>, Fault> {
    let mut session = Session::new("bergfried,0");
    let mut said = Vec::new();
    let mut fault = Ok(());
    Reader::new(100).push(stream.as_bytes(), &mut |frame| match session.take(frame) {
        Ok(Action::Store { txnr, message }) => {
            let cut = if message.cut { " cut" } else { "" };
            said.push(format!("store {txnr} {}{cut}", message.bytes.escape_ascii()));
        }
        Ok(Action::Reply(bytes)) => said.push(String::from_utf8(bytes).unwrap()),
        Ok(Action::Close(bytes)) => {
            said.push(format!("{}close", String::from_utf8(bytes).unwrap()))
        }
        Ok(Action::Nothing) => said.push("nothing".to_owned()),
        Err(error) => fault = fault.clone().and(Err(error)),
    })?;
    fault.map(|()| said)
}

#[test]
fn a_session_of_omrelp_is_taken() {
    assert_eq!(
        session(CLIENT).unwrap(),
        [
            "1 rsp 63 200 OK\nrelp_version=0\nrelp_software=bergfried,0\ncommands=syslog\n",
            "store 2 <38>Nov 20 host sshd: ",
            "store 3 <38>a\\nb",
            "4 rsp 6 200 OK\n",
            "5 rsp 0\n0 serverclose 0\nclose",
        ]
    );
}

#[test]
fn what_is_not_due_is_refused() {
    let open = "1 open 14 relp_version=0\n";
    let cases = [
        ("2 syslog 1 x\n".to_owned(), Fault::OutOfPlace("syslog")),
        ("1 close 0\n".to_owned(), Fault::OutOfPlace("close")),
        (format!("{open}2 open 14 relp_version=0\n"), Fault::OutOfPlace("open")),
        (format!("{open}3 syslog 1 x\n"), Fault::OutOfSequence { expected: 2, got: 3 }),
        (format!("{open}1 syslog 1 x\n"), Fault::OutOfSequence { expected: 2, got: 1 }),
        (format!("{open}2 close 0\n3 syslog 1 x\n"), Fault::OutOfPlace("syslog")),
    ];
    for (stream, fault) in cases {
        assert_eq!(session(&stream), Err(fault), "{stream}");
    }
    for (stream, last) in [
        (format!("{open}2 frobnicate 1 x\n"), "2 rsp 19 500 unknown command\n"),
        (format!("{open}0 serverclose 0\n"), "nothing"),
        (format!("{open}2 syslog 0\n"), "2 rsp 6 200 OK\n"),
        ("999999999 open 14 relp_version=1\n1 syslog 1 x\n".to_owned(), "store 1 x"),
        (
            "1 open 8 relp_x=0\n".to_owned(),
            "1 rsp 31 500 relp_version is not offered\n0 serverclose 0\nclose",
        ),
        (
            "1 open 29 relp_version=0\ncommands=other\n".to_owned(),
            "1 rsp 37 500 the command syslog is not offered\n0 serverclose 0\nclose",
        ),
        (
            format!("{open}2 syslog 101 {}\n", "x".repeat(101)),
            &format!("store 2 {} cut", "x".repeat(100)),
        ),
    ] {
        let said = session(&stream).unwrap();
        assert_eq!(said.last().map(String::as_str), Some(last), "{stream}");
    }
}

#[test]
fn what_is_no_frame_is_a_fault() {
    for stream in [
        "<13>hello\n",
        "x",
        "1234567890 syslog 1 x\n",
        "1  syslog 1 x\n",
        "1 sys1og 1 x\n",
        "1 syslog x x\n",
        "1 syslog 1x\n",
        "1 syslog 1\n",
        "1 syslog 1 xy\n",
        "1 syslog 0 x\n",
        "1 syslog 1234567890 x",
        "1 abcdefghijklmnopqrstuvwxyzabcdefg 1 x\n",
    ] {
        let (none, read) = frames(&[stream.as_bytes()], 100);
        assert!(none.is_empty() && matches!(read, Err(Fault::NoFrame(_))), "{stream} {read:?}");
        let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        assert_eq!(frames(&bytes, 100), (none, read), "{stream}");
    }
    let (_, read) = frames(&[b"1 syslog 99999999 x"], 100);
    assert_eq!(read, Err(Fault::TooLong(99_999_999)));
}

#[test]
fn answers_have_a_status() {
    for (data, expected) in [
        ("200 OK", Some(200)),
        ("500 no\nmore", Some(500)),
        ("200", Some(200)),
        ("", None),
        ("2000", None),
        ("+20 x", None),
    ] {
        assert_eq!(status(data.as_bytes()), expected, "{data}");
    }
}

fn frame() -> impl Strategy<Value = Owned> {
    let command = prop::sample::select(&[Command::Syslog, Command::Rsp, Command::Open][..]);
    let data = prop::collection::vec(any::<u8>(), 0..60);
    (0..1_000_000_000u32, command, data)
        .prop_map(|(txnr, command, data)| (txnr, command, data, false))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn frames_come_out_as_they_were_written(
        sent in prop::collection::vec(frame(), 0..20),
        sizes in prop::collection::vec(1..90usize, 1..20),
        max in 0..60usize,
    ) {
        let mut stream = Vec::new();
        for (txnr, command, data, _) in &sent {
            write_frame(&mut stream, *txnr, *command, data);
        }
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        let mut expected = sent;
        for (_, _, data, cut) in &mut expected {
            *cut = data.len() > max;
            data.truncate(max);
        }
        prop_assert_eq!(frames(&pieces, max), (expected.clone(), Ok(())));
        prop_assert_eq!(frames(&[&stream], max), (expected, Ok(())));
    }

    #[test]
    fn pieces_make_no_difference(
        stream in prop::collection::vec(prop_oneof![
            any::<u8>(), Just(b' '), Just(b'\n'), b'0'..=b'9', Just(b's')
        ], 0..80),
        front in prop::sample::select(&["", "1 syslog 5 ", "1 syslog 5 abcde\n2 ", "1 "][..]),
    ) {
        let stream = [front.as_bytes(), &stream].concat();
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(frames(&bytes, 20), frames(&[&stream], 20));
    }
}
