//! Streams in every framing, counts that lie, and streams in pieces.

use proptest::prelude::*;

use super::*;

/// Every message with its cut, and how many counts lied, of a stream that comes in these pieces.
fn split(pieces: &[&[u8]], max: usize) -> (Vec<(Vec<u8>, bool)>, u64) {
    let mut splitter = Splitter::new(max);
    let mut messages = Vec::new();
    let mut each = |message: Message<'_>| {
        assert!(!message.bytes.is_empty() && message.bytes.len() <= max);
        messages.push((message.bytes.to_vec(), message.cut));
    };
    for piece in pieces {
        splitter.push(piece, &mut each);
        assert!(splitter.held() <= max + 2 * LONGEST_START, "{} held", splitter.held());
        assert!(splitter.held.capacity() <= (max + 2 * LONGEST_START).max(IDLE_ROOM));
    }
    splitter.finish(&mut each);
    (messages, splitter.lies())
}

fn texts(stream: &str, max: usize) -> (Vec<String>, u64) {
    let (messages, lies) = split(&[stream.as_bytes()], max);
    let text = |(bytes, cut): &(Vec<u8>, bool)| {
        let text = String::from_utf8_lossy(bytes);
        if *cut { format!("{text}…") } else { text.into_owned() }
    };
    (messages.iter().map(text).collect(), lies)
}

#[test]
fn framings_are_told_apart_for_each_message() {
    let cases: &[(&str, &[&str])] = &[
        ("<13>a\n<13>b\n", &["<13>a", "<13>b"]),
        ("<13>a\r\n<13>b\r\n<13>c", &["<13>a", "<13>b", "<13>c"]),
        ("<13>a\0<13>b\0", &["<13>a", "<13>b"]),
        ("<13>a\0\n\n\r\n<13>b\n", &["<13>a", "<13>b"]),
        ("5 <13>a6 <13>bb", &["<13>a", "<13>bb"]),
        ("6 <13>a\n7 <13>bb\n", &["<13>a", "<13>bb"]),
        ("5 <13>a\n6 <13>bb\n", &["<13>a", "<13>bb"]),
        ("7 <13>a\nb8 <13>\nb\nc", &["<13>a\nb", "<13>\nb\nc"]),
        ("5 <13>a<14>line\n6 <13>bb<15>x\n", &["<13>a", "<14>line", "<13>bb", "<15>x"]),
        ("<14>line\n5 <13>anext line\n", &["<14>line", "<13>a", "next line"]),
        ("12 monkeys came\n12 more\n<13>a\n", &["12 monkeys came", "12 more", "<13>a"]),
        ("12 short monkeys\n<13>a\n", &["12 short monkeys", "<13>a"]),
        ("5 <b>fat</b> 7\n5 > 3\n", &["5 <b>fat</b> 7", "5 > 3"]),
        ("2026-11-20 10:11:12 x\n7\n", &["2026-11-20 10:11:12 x", "7"]),
        ("0 <13>a\n05 <13>b\n", &["0 <13>a", "05 <13>b"]),
        ("Nov 20 10:11:12 sshd[1]: x\n{\"a\":1}\n", &["Nov 20 10:11:12 sshd[1]: x", "{\"a\":1}"]),
        ("11 hello world7 {\"a\":1}9 good\nbye.", &["hello world", "{\"a\":1}", "9 good", "bye."]),
        ("11 hello world", &["hello world"]),
        ("\n\r\n\0", &[]),
        ("", &[]),
        ("5", &["5"]),
        ("5 ", &["5 "]),
        ("5 <", &["5 <"]),
    ];
    for (stream, expected) in cases {
        let (messages, _) = texts(stream, 100);
        let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(messages, expected, "{}", stream.escape_debug());
    }
}

#[test]
fn counts_that_lie_cost_no_message() {
    let cases: &[(&str, &[&str], u64)] = &[
        // Too long, with and without line ends.
        ("9 <13>a6 <13>bb7 <13>ccc", &["<13>a", "<13>bb", "<13>ccc"], 1),
        ("16 <13>a\n6 <13>bb\n7 <13>ccc", &["<13>a", "<13>bb", "<13>ccc"], 1),
        ("10 <13>a\n<14>bb\n<15>c\n", &["<13>a", "<14>bb", "<15>c"], 1),
        ("90 <13>a\n6 <13>bb", &["<13>a", "<13>bb"], 1),
        ("20 <13>port 226 <14>ab7 <13>xyz", &["<13>port 22", "<14>ab", "<13>xyz"], 1),
        // Too short.
        ("5 <13>abc6 <13>bb", &["<13>a", "bc", "<13>bb"], 1),
        ("5 <13>abc\n6 <13>bb", &["<13>a", "bc", "<13>bb"], 1),
        ("6 <13>é!\n6 <13>bb", &["<13>é", "!", "<13>bb"], 1),
        // Over the limit.
        ("999 <13>a\n6 <13>bb\n", &["<13>a", "<13>bb"], 1),
        ("99999999999 <13>a\n<13>b\n", &["99999999999 <13>a", "<13>b"], 0),
        ("999999999 <13>a\n<13>b\n", &["<13>a", "<13>b"], 1),
        ("999999999 <13>a6 <13>bb", &["<13>a", "<13>bb"], 1),
        // Too small to be one.
        ("1 <13>a\n2 <13>b\n", &["1 <13>a", "2 <13>b"], 0),
        // A count in a line that someone broke with a line end of his own.
        ("<13>a\n50 <1b\n<13>c\n<13>d\n", &["<13>a", "<1b", "<13>c", "<13>d"], 1),
        ("<13>a\n999 <1b\n<13>c\n<13>d\n", &["<13>a", "<1b", "<13>c", "<13>d"], 1),
        // The connection ended inside: no lie.
        ("50 <13>a", &["<13>a…"], 0),
    ];
    for (stream, expected, lies) in cases {
        let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(texts(stream, 60), (expected, *lies), "{}", stream.escape_debug());
    }
}

#[test]
fn an_honest_count_is_obeyed_whatever_the_message_holds() {
    let forged = "<13>user\n<38>sshd[1]: Accepted\n9 <13>more";
    let stream = format!("{0} {forged}{0} {forged}", forged.len());
    assert_eq!(texts(&stream, 100), (vec![forged.to_owned(); 2], 0));
    let line = format!("{} {forged}<14>line\n", forged.len());
    assert_eq!(texts(&line, 100), (vec![forged.to_owned(), "<14>line".to_owned()], 0));
}

#[test]
fn a_doubtful_message_is_held_until_what_follows_is_known() {
    let mut splitter = Splitter::new(100);
    let mut messages = Vec::new();
    splitter.push(b"12 <13>a\n<14>bb", &mut |message| messages.push(message.bytes.to_vec()));
    assert_eq!((messages.len(), splitter.held()), (0, 15));
    splitter.settle(&mut |message| messages.push(message.bytes.to_vec()));
    assert_eq!((messages, splitter.held()), (vec![b"<13>a\n<14>bb".to_vec()], 0));
    let mut none = |_: Message<'_>| panic!("nothing to settle");
    splitter.push(b"12 <13>a", &mut none);
    splitter.settle(&mut none);
    assert_eq!(splitter.held(), 8);
}

#[test]
fn long_messages_are_cut_and_their_rest_is_not_held() {
    let long = "x".repeat(1000);
    for (stream, expected) in [
        (format!("<13>{long}\n<13>b\n"), vec!["<13>xxxxxx…", "<13>b"]),
        (format!("1004 <13>{long}5 <13>b"), vec!["<13>xxxxxx…", "<13>b"]),
        (format!("1004 <13>{long}<13>b\n"), vec!["<13>xxxxxx…", "<13>b"]),
        (format!("<13>{long}"), vec!["<13>xxxxxx…"]),
        (format!("1004 <13>{long}"), vec!["<13>xxxxxx…"]),
        (format!("99999999 <13>{long}5 <13>b"), vec!["<13>xxxxxx…", "<13>b"]),
        ("<13>123456\r\n<13>b".to_owned(), vec!["<13>123456", "<13>b"]),
        ("<13>1234567\n<13>b".to_owned(), vec!["<13>123456…", "<13>b"]),
        ("<13>1234567\r\n<13>b".to_owned(), vec!["<13>123456…", "<13>b"]),
    ] {
        assert_eq!(texts(&stream, 10).0, expected, "{stream}");
    }
}

#[test]
fn a_connection_that_is_done_with_its_message_keeps_no_room() {
    let mut splitter = Splitter::new(100_000);
    let mut count = 0;
    for _ in 0..90_000 {
        splitter.push(b"x", &mut |_| count += 1);
    }
    assert_eq!((splitter.held(), count), (90_000, 0));
    splitter.push(b"\n", &mut |_| count += 1);
    assert_eq!((splitter.held(), splitter.held.capacity(), count), (0, 0, 1));
}

/// A well-formed message in either framing, as it travels and as it must come out.
fn framed() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let text = prop::collection::vec(
        prop_oneof![any::<u8>(), Just(b'\n'), Just(b'<'), Just(b' '), b'0'..=b'9'],
        0..40,
    );
    (0..192u8, text, 0..3u8).prop_map(|(priority, mut text, framing)| {
        let end = |byte: &u8| is_line_end(*byte);
        if framing < 2 {
            text.retain(|byte| !end(byte));
        }
        while text.last().is_some_and(end) {
            text.pop();
        }
        // What looks like a message of its own inside has tests of its own.
        text.iter_mut().filter(|byte| **byte == b'>').for_each(|byte| *byte = b'?');
        let mut message = format!("<{priority}>").into_bytes();
        message.extend(text);
        let mut wire = message.clone();
        match framing {
            0 => wire.push(b'\n'),
            1 => wire.extend(b"\r\n"),
            _ => drop(wire.splice(0..0, format!("{} ", message.len()).into_bytes())),
        }
        (wire, message)
    })
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r' | 0)
}

/// Pieces of streams, well formed and not.
fn dirt() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        framed().prop_map(|(wire, _)| wire),
        Just(b"\n".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"\r\n".to_vec()),
        (0..100u32).prop_map(|count| format!("{count} ").into_bytes()),
        (0..100u32).prop_map(|count| format!("{count} <1").into_bytes()),
        any::<u64>().prop_map(|count| format!("{count} <13>").into_bytes()),
        Just(b"<13>".to_vec()),
        Just(b"<".to_vec()),
        "[ -~]{0,12}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn well_formed_messages_come_out_as_they_are(messages in prop::collection::vec(framed(), 0..20)) {
        let stream: Vec<u8> = messages.iter().flat_map(|(wire, _)| wire.clone()).collect();
        let expected: Vec<_> = messages.into_iter().map(|(_, message)| (message, false)).collect();
        prop_assert_eq!(split(&[&stream], 200), (expected, 0));
    }

    #[test]
    fn pieces_make_no_difference(
        stream in dirt(),
        max in 1..60usize,
        sizes in prop::collection::vec(1..40usize, 1..20),
    ) {
        let whole = split(&[&stream], max);
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        prop_assert_eq!(&split(&bytes, max), &whole, "one by one: {}", stream.escape_ascii());
        let mut pieces = Vec::new();
        let mut rest = stream.as_slice();
        for size in sizes.iter().cycle() {
            if rest.is_empty() { break; }
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        prop_assert_eq!(&split(&pieces, max), &whole, "{}", stream.escape_ascii());
    }

    #[test]
    fn no_text_is_lost_below_the_limit(stream in dirt()) {
        // Counts and line ends may go, nothing else; all in order.
        let (messages, _) = split(&[&stream], 100_000);
        let mut rest = stream.as_slice();
        for (message, _) in &messages {
            let at = memchr::memmem::find(rest, message);
            prop_assert!(at.is_some(), "{}", stream.escape_ascii());
            let (between, after) = rest.split_at(at.unwrap());
            prop_assert!(
                between.iter().all(|byte| is_line_end(*byte) || byte.is_ascii_digit() || *byte == b' '),
                "{}", stream.escape_ascii()
            );
            rest = after.split_at(message.len()).1;
        }
        prop_assert!(rest.iter().all(|byte| is_line_end(*byte) || byte.is_ascii_digit() || *byte == b' '));
    }
}

#[test]
fn a_count_among_lines_holds_nothing_back() {
    let mut splitter = Splitter::new(1000);
    let mut messages = Vec::new();
    for byte in b"<13>a\n900 <1b\n<13>c\n" {
        splitter.push(&[*byte], &mut |message| messages.push(message.bytes.to_vec()));
    }
    assert_eq!(messages, [b"<13>a".as_slice(), b"<1b", b"<13>c"]);
}

#[test]
fn what_is_given_up_is_cut_and_its_rest_passed_over() {
    for (before, after, expected) in [
        ("<13>a long li", "ne\n<14>next\n", "<13>a long li~|<14>next"),
        ("15 <13>a long li", "ne12 <14>next one", "<13>a long li~|<14>next one"),
        ("<13>a\n15 <13>a long li", "ne<14>next\n", "<13>a|<13>a long li~|<14>next"),
        ("1", "2 <14>next one", "<14>next one"),
        ("", "<14>next\n", "<14>next"),
    ] {
        let mut splitter = Splitter::new(100);
        let mut shown = Vec::new();
        let mut each = |message: Message<'_>| {
            let text = String::from_utf8_lossy(message.bytes).into_owned();
            shown.push(text + if message.cut { "~" } else { "" });
        };
        splitter.push(before.as_bytes(), &mut each);
        splitter.give_up(&mut each);
        assert!(splitter.held() <= 1, "{before}");
        splitter.push(after.as_bytes(), &mut each);
        splitter.finish(&mut each);
        assert_eq!(shown.join("|"), expected);
    }
}
