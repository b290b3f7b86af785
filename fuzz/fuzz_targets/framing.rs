//! Any bytes as a stream of syslog: never a panic, bounded, and the same messages whole and in
//! pieces. The first byte says how long a message may be and how the stream is cut.

#![no_main]

use bergfried_syslog::{Message, Splitter};
use libfuzzer_sys::fuzz_target;

fn split(pieces: impl Iterator<Item = impl AsRef<[u8]>>, max: usize) -> (Vec<(Vec<u8>, bool)>, u64) {
    let mut splitter = Splitter::new(max);
    let mut messages = Vec::new();
    let mut each = |message: Message<'_>| {
        assert!(!message.bytes.is_empty() && message.bytes.len() <= max);
        messages.push((message.bytes.to_vec(), message.cut));
    };
    for piece in pieces {
        splitter.push(piece.as_ref(), &mut each);
        assert!(splitter.held() <= max + 64);
    }
    splitter.finish(&mut each);
    (messages, splitter.lies())
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, stream)) = bytes.split_first() else { return };
    let max = usize::from(choice >> 3) * 8 + 1;
    let whole = split(std::iter::once(stream), max);
    assert_eq!(split(stream.chunks(usize::from(choice & 7) + 1), max), whole);
});
