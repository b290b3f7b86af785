//! Any bytes as what a RELP client sends: never a panic, bounded, and the same answers whole and in
//! pieces.

#![no_main]

use bergfried_syslog::relp::{Action, Fault, Reader, Session};
use libfuzzer_sys::fuzz_target;

const MOST: usize = 512;

fn answers(pieces: impl Iterator<Item = impl AsRef<[u8]>>) -> (Vec<Vec<u8>>, Result<(), Fault>) {
    let mut reader = Reader::new(MOST);
    let mut session = Session::new("fuzz,0");
    let mut answers = Vec::new();
    let mut fault = Ok(());
    for piece in pieces {
        let read = reader.push(piece.as_ref(), &mut |frame| {
            if fault.is_err() {
                return;
            }
            match session.take(frame) {
                Ok(Action::Reply(bytes) | Action::Close(bytes)) => answers.push(bytes),
                Ok(Action::Store { txnr, message }) => {
                    assert!(txnr > 0 && message.bytes.len() <= MOST);
                    answers.push(message.bytes.to_vec());
                }
                Ok(Action::Nothing) => {}
                Err(error) => fault = Err(error),
            }
        });
        assert!(reader.held() <= MOST + 64);
        if fault.is_err() {
            return (answers, fault);
        }
        if read.is_err() {
            return (answers, read);
        }
    }
    (answers, fault)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, stream)) = bytes.split_first() else { return };
    let whole = answers(std::iter::once(stream));
    assert_eq!(answers(stream.chunks(usize::from(choice & 15) + 1)), whole);
    // Most inputs never get past `open` on their own.
    let opened = [b"1 open 14 relp_version=0\n", stream].concat();
    let whole = answers(std::iter::once(&opened));
    assert_eq!(answers(opened.chunks(usize::from(choice >> 4) + 1)), whole);
});
