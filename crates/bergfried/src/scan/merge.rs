//! Several files as one stream, in the order in which things happened.
//!
//! Rules look at windows of time, so rotated files and files of several hosts are merged by time
//! stamp: every file is opened when the stream reaches its first record, and only the files that
//! overlap are open together. Within one file records keep their order; one without a stamp stays
//! with the record before it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bergfried_event::{Event, Timestamp, readable};
use bergfried_parse::Context;

use crate::input::{Current, Damage, Decoders, Input, Records, Unreadable};

/// The most files that are open together; further ones wait until one ends.
const MAX_OPEN: usize = 64;
/// How many records at the start of a file are looked at for the first stamp.
const LOOKED_AT: usize = 100;

/// One record and when it was written at the latest.
pub(super) struct Next<'m> {
    pub(super) record: Current<'m>,
    /// What year-less stamps are read against: when the file was last written.
    pub(super) received: Timestamp,
    /// Whether it is one of an event log.
    pub(super) is_event_log: bool,
}

pub(super) struct Merged {
    /// Not opened yet: first stamp first.
    waiting: VecDeque<(Timestamp, Input)>,
    open: Vec<OpenFile>,
    /// The open files by the stamp of their current record, then by place in `open`.
    order: BTreeSet<(Timestamp, usize)>,
    /// The file whose current record was handed out.
    current: Option<usize>,
    trouble: Vec<Unreadable>,
    damaged: Vec<Damage>,
    decoders: Decoders,
    taken: Arc<AtomicU64>,
    now: Timestamp,
}

struct OpenFile {
    name: String,
    records: Records,
    written: Timestamp,
    stamp: Timestamp,
    done: bool,
}

impl Merged {
    /// Looks at the first record of every file (where there are several) to put them in order.
    pub(super) fn open(
        inputs: Vec<Input>,
        taken: &Arc<AtomicU64>,
        decoders: Decoders,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Merged {
        let mut trouble = Vec::new();
        let mut waiting: Vec<(Timestamp, Input)> = Vec::with_capacity(inputs.len());
        let several = inputs.len() > 1;
        for input in inputs {
            if !several || input == Input::Stdin {
                waiting.push((Timestamp::MIN, input));
                continue;
            }
            match first_stamp(&input, context, now) {
                Ok(Some(stamp)) => waiting.push((stamp, input)),
                Ok(None) => {}
                Err(error) => trouble.push(Unreadable { name: input.name(), error }),
            }
        }
        waiting.sort();
        Merged {
            waiting: waiting.into(),
            open: Vec::new(),
            order: BTreeSet::new(),
            current: None,
            trouble,
            damaged: Vec::new(),
            decoders,
            taken: Arc::clone(taken),
            now,
        }
    }

    /// The next record in order of time, or nothing when all files have ended.
    pub(super) fn next(&mut self, context: &Context<'_>) -> Option<Next<'_>> {
        if let Some(index) = self.current.take() {
            self.advance(index, context);
        }
        self.open_due(context);
        let (_, index) = *self.order.first()?;
        self.order.pop_first();
        self.current = Some(index);
        let file = self.open.get(index)?;
        Some(Next {
            record: file.records.current(),
            received: file.written,
            is_event_log: file.records.is_event_log(),
        })
    }

    /// The inputs that could not be read (on), and those of which records were lost.
    pub(super) fn into_trouble(self) -> (Vec<Unreadable>, Vec<Damage>) {
        (self.trouble, self.damaged)
    }

    /// Opens the files whose first record is not after the next one of those that are open.
    fn open_due(&mut self, context: &Context<'_>) {
        while let Some((stamp, _)) = self.waiting.front() {
            let due = self.order.first().is_none_or(|(next, _)| stamp <= next);
            if !due || self.order.len() >= MAX_OPEN {
                return;
            }
            let Some((_, input)) = self.waiting.pop_front() else { return };
            match Records::open(&input, Arc::clone(&self.taken), &self.decoders) {
                Ok(records) => {
                    let file = OpenFile {
                        name: input.name(),
                        records,
                        written: input.last_written(self.now),
                        stamp: Timestamp::MIN,
                        done: false,
                    };
                    let index = self.open.iter().position(|file| file.done);
                    let index =
                        match index.and_then(|index| self.open.get_mut(index).zip(Some(index))) {
                            Some((slot, index)) => {
                                *slot = file;
                                index
                            }
                            None => {
                                self.open.push(file);
                                self.open.len() - 1
                            }
                        };
                    self.advance(index, context);
                }
                Err(error) => self.trouble.push(Unreadable { name: input.name(), error }),
            }
        }
    }

    /// Goes to the file's next record and puts the file into the order again, or ends it.
    fn advance(&mut self, index: usize, context: &Context<'_>) {
        let alone = self.order.is_empty() && self.waiting.is_empty();
        let Some(file) = self.open.get_mut(index) else { return };
        match file.records.advance() {
            Ok(true) => {
                if !alone
                    && let Some(stamp) = stamp_of(file.records.current(), context, file.written)
                {
                    // Never backwards within a file, so that its records keep their order.
                    file.stamp = file.stamp.max(stamp);
                }
                self.order.insert((file.stamp, index));
            }
            ended => {
                file.done = true;
                self.damaged.extend(file.records.damage(&file.name));
                if let Err(error) = ended {
                    self.trouble.push(Unreadable { name: file.name.clone(), error });
                }
            }
        }
    }
}

/// When it happened, where the record says so.
fn stamp_of(record: Current<'_>, context: &Context<'_>, received: Timestamp) -> Option<Timestamp> {
    if record.created.is_some() {
        return record.created;
    }
    let context = Context { received, time_zone: context.time_zone.clone(), ..*context };
    let text = readable(record.bytes);
    let event = bergfried_parse::parse(record.kind, &text, &context);
    has_stamp(&event, received).then(|| event.created())
}

/// Whether the event's time is its own, not merely that of its receipt.
pub(super) fn has_stamp(event: &Event<'_>, received: Timestamp) -> bool {
    event.created() != received
}

/// The first stamp near the start of the file, else when it was last written; nothing where it is
/// empty.
fn first_stamp(
    input: &Input,
    context: &Context<'_>,
    now: Timestamp,
) -> std::io::Result<Option<Timestamp>> {
    let mut records = Records::open(input, Arc::default(), &Decoders::default())?;
    if let Some(created) = records.first_created() {
        // A log without a record that can be read is opened all the same, to tell what it lost.
        return created.map(|created| created.or(Some(input.last_written(now))));
    }
    let written = input.last_written(now);
    for number in 0..LOOKED_AT {
        if !records.advance()? {
            return Ok((number > 0).then_some(written));
        }
        if let Some(stamp) = stamp_of(records.current(), context, written) {
            return Ok(Some(stamp));
        }
    }
    Ok(Some(written))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn merged(files: &[(&str, &str)]) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let inputs = files.iter().map(|(name, text)| {
            let path = directory.path().join(name);
            std::fs::write(&path, text).unwrap();
            Input::File(path)
        });
        let now = Timestamp::from(jiff::Timestamp::now());
        let context =
            Context { received: now, host: "", time_zone: TimeZone::UTC, year: Some(2026) };
        let mut merged =
            Merged::open(inputs.collect(), &Arc::default(), Decoders::default(), &context, now);
        let mut lines = Vec::new();
        while let Some(next) = merged.next(&context) {
            lines.push(String::from_utf8_lossy(next.record.bytes).into_owned());
        }
        assert!(merged.into_trouble().0.is_empty());
        lines
    }

    #[test]
    fn a_line_without_a_stamp_stays_with_the_one_before() {
        let first = "Jan  1 00:00:00 a x: 1\n\tat main.rs:7\nJan  1 00:00:20 a x: 3\n";
        let second = "garbage\nJan  1 00:00:10 b x: 2\nJan  1 00:00:30 b x: 4\n";
        let expected = [
            "Jan  1 00:00:00 a x: 1",
            "\tat main.rs:7",
            "garbage",
            "Jan  1 00:00:10 b x: 2",
            "Jan  1 00:00:20 a x: 3",
            "Jan  1 00:00:30 b x: 4",
        ];
        assert_eq!(merged(&[("1.log", first), ("2.log", second)]), expected);
        assert_eq!(merged(&[("2.log", second), ("1.log", first), ("0", "")]), expected);
    }
}
