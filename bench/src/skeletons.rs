//! Measures what storing a repeated message's skeleton once would bring: messages as the store keeps
//! them, against skeletons, their numbers, and what differs from message to message.
//!
//! A skeleton is the message with what changes taken out: what another column has (`{user.name}`), and
//! words with a digit. Both ways are compressed as the store compresses, in portions as large as its
//! row groups. Prints rows for the table of bench/run.sh: measurement, value, unit, goal.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use bergfried_event::{Event, Field, FieldName, SourceKind, Timestamp, Value};
use bergfried_parse::Context;
use clap::Parser;

/// Events of a row group, and how it is compressed, as in the store.
const PORTION: usize = 1 << 17;
const LEVEL: i32 = 3;

/// Measures what storing skeletons of messages would bring
#[derive(Parser, Debug)]
struct Arguments {
    /// What the files are, for the table
    #[arg(long, default_value = "lines")]
    name: String,
    /// Files of log lines; they are measured together
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

fn main() -> anyhow::Result<ExitCode> {
    let mut portion = Portion::default();
    let mut sums = Sums::default();
    let Arguments { name, files } = Arguments::parse();
    for path in files {
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes);
        for line in text.lines().filter(|line| !line.is_empty()) {
            let context = Context {
                received: Timestamp::from_seconds(1_795_305_600),
                host: "",
                time_zone: jiff::tz::TimeZone::UTC,
                year: None,
            };
            portion.add(&bergfried_parse::parse(SourceKind::File, line, &context));
            if portion.events == PORTION {
                sums.add(std::mem::take(&mut portion))?;
            }
        }
    }
    sums.add(portion)?;
    let each = |bytes: usize| bytes as f64 / sums.events.max(1) as f64;
    let mut out = io::stdout().lock();
    writeln!(out, "skeletons of {name}: messages\t{}\tmessages\t", sums.events)?;
    writeln!(out, "skeletons of {name}: different ones\t{}\tskeletons\t", sums.skeletons)?;
    writeln!(
        out,
        "skeletons of {name}: messages as they are\t{:.2}\tbytes/event\t",
        each(sums.plain)
    )?;
    writeln!(
        out,
        "skeletons of {name}: messages taken apart\t{:.2}\tbytes/event\t",
        each(sums.apart)
    )?;
    Ok(ExitCode::SUCCESS)
}

/// Bytes after compression.
#[derive(Default)]
struct Sums {
    events: usize,
    skeletons: usize,
    plain: usize,
    apart: usize,
}

impl Sums {
    fn add(&mut self, portion: Portion) -> anyhow::Result<()> {
        let size = |bytes: &[u8]| anyhow::Ok(zstd::bulk::compress(bytes, LEVEL)?.len());
        self.events += portion.events;
        self.skeletons = self.skeletons.max(portion.skeletons.len());
        self.plain += size(&portion.plain)?;
        let mut texts: Vec<(&String, &u32)> = portion.skeletons.iter().collect();
        texts.sort_by_key(|(_, number)| **number);
        let texts: Vec<u8> = texts.iter().flat_map(|(text, _)| framed(text)).collect();
        self.apart += size(&texts)? + size(&portion.numbers)?;
        for column in portion.slots.values() {
            self.apart += size(column)?;
        }
        Ok(())
    }
}

/// The messages of a row group, both ways.
#[derive(Default)]
struct Portion {
    events: usize,
    /// One after the other.
    plain: Vec<u8>,
    skeletons: HashMap<String, u32>,
    /// The skeleton's number of each message, two bytes where that is enough.
    numbers: Vec<u8>,
    /// What differs, by skeleton and place in it.
    slots: BTreeMap<(u32, usize), Vec<u8>>,
}

impl Portion {
    fn add(&mut self, event: &Event<'_>) {
        let Some(message) = event.text(Field::Message) else { return };
        self.events += 1;
        self.plain.extend(framed(message));
        let (skeleton, slots) = take_apart(message, event);
        let next = u32::try_from(self.skeletons.len()).unwrap_or(u32::MAX);
        let number = *self.skeletons.entry(skeleton).or_insert(next);
        let [high, middle, low, last] = number.to_be_bytes();
        match (high, middle) {
            (0, 0) => self.numbers.extend([low, last]),
            _ => self.numbers.extend([0xff, 0xff, high, middle, low, last]),
        }
        for (place, slot) in slots.iter().enumerate() {
            self.slots.entry((number, place)).or_default().extend(framed(slot));
        }
    }
}

/// A text with its length before it, as Parquet's plain encoding has it.
fn framed(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    [&length.to_le_bytes(), text.as_bytes()].concat()
}

/// The skeleton of a message, and what was taken out of it that no other column has.
fn take_apart(message: &str, event: &Event<'_>) -> (String, Vec<String>) {
    let known: Vec<(String, &FieldName<'_>)> = event
        .fields()
        .iter()
        .filter(|(name, _)| *name != FieldName::Known(Field::Message))
        .filter(|(_, value)| matches!(value, Value::Text(_) | Value::Int(_)))
        .map(|(name, value)| (value.to_text().into_owned(), name))
        .collect();
    let (mut skeleton, mut slots) = (String::with_capacity(message.len()), Vec::new());
    let is_apart = |character: char| {
        character.is_whitespace() || matches!(character, '[' | ']' | '(' | ')' | '=' | ',' | ';')
    };
    for piece in message.split_inclusive(is_apart) {
        let word = piece.trim_end_matches(is_apart);
        let after = piece.get(word.len()..).unwrap_or_default();
        if let Some((_, name)) = known.iter().find(|(text, _)| !word.is_empty() && text == word) {
            skeleton.push_str(&format!("{{{name}}}"));
        } else if word.bytes().any(|byte| byte.is_ascii_digit()) {
            skeleton.push_str("{}");
            slots.push(word.to_owned());
        } else {
            skeleton.push_str(word);
        }
        skeleton.push_str(after);
    }
    (skeleton, slots)
}
