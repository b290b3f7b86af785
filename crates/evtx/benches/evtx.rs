//! How fast event logs are read, from bytes to parsed events: `cargo bench -p bergfried-evtx`.
//!
//! Reads the logs of `../shared/corpora/evtx` beside the checkout; measures nothing without them.

use std::path::Path;

use bergfried_event::{SourceKind, Timestamp};
use bergfried_evtx::{Chunk, Chunks, Settings};
use bergfried_parse::{Context, parse};
use divan::counter::{BytesCount, ItemsCount};

fn main() {
    divan::main();
}

fn chunks() -> Vec<Chunk> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora/evtx");
    let Ok(entries) = std::fs::read_dir(&folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    let bytes = files.iter().filter_map(|path| std::fs::read(path).ok());
    bytes
        .filter_map(|bytes| Chunks::new(std::io::Cursor::new(bytes)).ok())
        .flat_map(|chunks| chunks.filter_map(Result::ok).collect::<Vec<_>>())
        .collect()
}

fn context() -> Context<'static> {
    Context {
        received: Timestamp::from_seconds(1_795_262_400),
        host: "",
        time_zone: jiff::tz::TimeZone::UTC,
        year: None,
    }
}

/// Binary XML to JSON text.
#[divan::bench]
fn decode(bencher: divan::Bencher<'_, '_>) {
    let (chunks, settings) = (chunks(), Settings::default());
    let records: usize = chunks.iter().map(|chunk| chunk.clone().decode(&settings).len()).sum();
    bencher
        .counter(ItemsCount::new(records))
        .counter(BytesCount::new(chunks.len() * 65_536))
        .with_inputs(|| chunks.clone())
        .bench_values(|chunks| {
            chunks.into_iter().map(|chunk| chunk.decode(&settings).len()).sum::<usize>()
        });
}

/// Binary XML to events, on two threads.
#[divan::bench]
fn events_on_two_threads(bencher: divan::Bencher<'_, '_>) {
    let (chunks, settings, context) = (chunks(), Settings::default(), context());
    let records: usize = chunks.iter().map(|chunk| chunk.clone().decode(&settings).len()).sum();
    // The logs ten times over, so that starting the threads does not count.
    let half: Vec<Chunk> = chunks.iter().cycle().take(chunks.len() * 10).cloned().collect();
    bencher
        .counter(ItemsCount::new(records * 20))
        .counter(BytesCount::new(chunks.len() * 65_536 * 20))
        .with_inputs(|| [half.clone(), half.clone()])
        .bench_values(|halves| {
            std::thread::scope(|scope| {
                for chunks in halves {
                    scope.spawn(|| {
                        for chunk in chunks {
                            for record in chunk.decode(&settings).records() {
                                divan::black_box(parse(SourceKind::Json, record.json, &context));
                            }
                        }
                    });
                }
            });
        });
}

/// Binary XML to events.
#[divan::bench]
fn events(bencher: divan::Bencher<'_, '_>) {
    let (chunks, settings, context) = (chunks(), Settings::default(), context());
    let records: usize = chunks.iter().map(|chunk| chunk.clone().decode(&settings).len()).sum();
    bencher
        .counter(ItemsCount::new(records))
        .counter(BytesCount::new(chunks.len() * 65_536))
        .with_inputs(|| chunks.clone())
        .bench_values(|chunks| {
            for chunk in chunks {
                for record in chunk.decode(&settings).records() {
                    divan::black_box(parse(SourceKind::Json, record.json, &context));
                }
            }
        });
}
