//! How fast batches of sshd lines are written and read.

use std::borrow::Cow;

use bergfried_event::{Origin, Record, SourceKind, Timestamp};
use bergfried_wire::{Batch, Limits, compress, decode, decompress, encode};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};

const RECORDS: usize = 5_000;

fn main() {
    divan::main();
}

fn batch() -> Batch<'static> {
    let record = |number: usize| {
        let line = format!(
            "Nov 21 04:31:28 web1 sshd[{number}]: Failed password for invalid user admin{number} \
             from 203.0.113.{} port {number} ssh2",
            number % 250
        );
        let received = Timestamp::from_micros(1_795_227_972_000_000);
        (0, Record { raw: Cow::Owned(line.into_bytes()), received, truncated: false })
    };
    Batch {
        id: [7; 16],
        agent: "web1".to_owned(),
        origins: vec![Origin::new(SourceKind::File, "/var/log/auth.log", "web1")],
        records: (0..RECORDS).map(record).collect(),
    }
}

#[divan::bench]
fn write(bencher: Bencher<'_, '_>) {
    let batch = batch();
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| encode(black_box(&batch)).len());
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let body = encode(&batch());
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        decode(black_box(&body), &Limits::default()).map(|batch| batch.records.len()).ok()
    });
}

#[divan::bench]
fn decompress_and_read(bencher: Bencher<'_, '_>) {
    let body = compress(&encode(&batch())).unwrap_or_default();
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let plain = decompress(black_box(&body), 1 << 26).ok()?;
        decode(&plain, &Limits::default()).map(|batch| batch.records.len()).ok()
    });
}
