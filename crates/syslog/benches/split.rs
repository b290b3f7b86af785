//! How many messages a second are told apart and written: `cargo bench -p bergfried-syslog`.

use bergfried_event::{Event, Field, Timestamp};
use bergfried_syslog::relp::{Command, Reader, next_number, write_frame};
use bergfried_syslog::write::{Framing, Payload, frame, message};
use bergfried_syslog::{Message, Splitter};
use divan::counter::ItemsCount;

const MESSAGES: usize = 100_000;
/// What one read from a socket brings.
const READ: usize = 64 * 1024;
const LIMIT: usize = 64 * 1024;

fn main() {
    divan::main();
}

fn messages() -> impl Iterator<Item = Vec<u8>> {
    (0..MESSAGES).map(|n| {
        let (a, b) = (n % 256, n / 256 % 256);
        format!(
            "<38>Nov 20 10:{:02}:{:02} web1 sshd[{n}]: Failed password for invalid user user{n} from 203.0.{b}.{a} port {n} ssh2",
            n / 60 % 60,
            n % 60
        )
        .into_bytes()
    })
}

fn split(bencher: divan::Bencher<'_, '_>, framing: Framing) {
    let mut stream = Vec::new();
    for message in messages() {
        frame(&message, framing, &mut stream);
    }
    bencher.counter(ItemsCount::new(MESSAGES)).bench(|| {
        let mut splitter = Splitter::new(LIMIT);
        let mut count = 0;
        let mut each = |message: Message<'_>| {
            divan::black_box(message.bytes);
            count += 1;
        };
        for read in stream.chunks(READ) {
            splitter.push(read, &mut each);
        }
        assert_eq!(count, MESSAGES);
    });
}

#[divan::bench]
fn lines(bencher: divan::Bencher<'_, '_>) {
    split(bencher, Framing::Newline);
}

#[divan::bench]
fn octet_counted(bencher: divan::Bencher<'_, '_>) {
    split(bencher, Framing::OctetCounted);
}

#[divan::bench]
fn relp(bencher: divan::Bencher<'_, '_>) {
    let mut stream = Vec::new();
    let mut txnr = 1;
    for message in messages() {
        txnr = next_number(txnr);
        write_frame(&mut stream, txnr, Command::Syslog, &message);
    }
    bencher.counter(ItemsCount::new(MESSAGES)).bench(|| {
        let mut reader = Reader::new(LIMIT);
        let mut count = 0;
        for read in stream.chunks(READ) {
            let read = reader.push(read, &mut |frame| {
                divan::black_box(frame.data);
                count += 1;
            });
            assert!(read.is_ok());
        }
        assert_eq!(count, MESSAGES);
    });
}

#[divan::bench(args = [Payload::Rfc5424, Payload::Json, Payload::Cef])]
fn written(bencher: divan::Bencher<'_, '_>, payload: Payload) {
    let line =
        "<38>Nov 20 10:11:12 web1 sshd[12]: Failed password for root from 203.0.113.7 port 22 ssh2";
    let mut event = Event::new(Timestamp::from_seconds(1_795_169_472), line);
    event.set(Field::SyslogPriority, 38);
    event.set(Field::HostName, "web1");
    event.set(Field::ProcessName, "sshd");
    event.set(Field::ProcessPid, 12);
    event.set(Field::Message, "Failed password for root from 203.0.113.7 port 22 ssh2");
    event.set(Field::EventAction, "ssh_login");
    event.set(Field::EventOutcome, "failure");
    event.set(Field::SourceIp, "203.0.113.7");
    event.set(Field::SourcePort, 22);
    event.set(Field::UserName, "root");
    let mut out = Vec::new();
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        out.clear();
        message(divan::black_box(&event), payload, &mut out);
        divan::black_box(out.len())
    });
}
