use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::time::Duration;

use bergfried_source::Changes;

use super::*;
use crate::frame::{Description, Frame};

const CAP: u64 = 64 << 20;

fn description(number: u64) -> Description {
    let journal = Some(format!("cursor {number}"));
    Description {
        batch: format!("{number:032x}"),
        records: 1,
        changes: Changes { journal, ..Changes::default() },
    }
}

fn open_at(directory: &Path) -> (Writer, Reader, Checkpoint, Stats) {
    let stats = Stats::default();
    let (writer, reader, checkpoint) = open(directory, CAP, &stats).unwrap();
    (writer, reader, checkpoint, stats)
}

fn segments(directory: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = list(&directory.join("spool"))
        .unwrap()
        .keys()
        .map(|number| directory.join("spool").join(format!("{number:016x}.seg")))
        .collect();
    found.sort();
    found
}

fn batch(reader: &mut Reader) -> Frame {
    match reader.next(Duration::from_secs(10)).unwrap() {
        Next::Batch(frame) => frame,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reader_does_not_wait_for_ever() {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, mut reader, ..) = open_at(directory.path());
    assert!(matches!(reader.next(Duration::from_millis(5)).unwrap(), Next::Nothing));
    writer.append(&description(1), b"body").unwrap();
    assert_eq!(batch(&mut reader).description, description(1));
    writer.close();
    assert!(matches!(reader.next(Duration::from_secs(10)).unwrap(), Next::Closed));
}

#[test]
fn batches_come_back_in_order_after_every_kind_of_restart() {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, _, checkpoint, _) = open_at(directory.path());
    assert_eq!(checkpoint, Checkpoint::default());
    for number in 0..5 {
        writer.append(&description(number), b"body").unwrap();
    }
    drop(writer);
    for next in 0..5 {
        let (_writer, mut reader, checkpoint, stats) = open_at(directory.path());
        assert_eq!(checkpoint.journal.as_deref(), Some("cursor 4"));
        assert_eq!(stats.counts().spool_cuts, 0);
        let frame = batch(&mut reader);
        assert_eq!(frame.description, description(next));
        reader.acknowledge(&frame).unwrap();
    }
}

#[test]
fn a_damaged_end_is_cut_and_its_positions_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, _, _, _) = open_at(directory.path());
    for number in 0..3 {
        writer.append(&description(number), b"body").unwrap();
    }
    drop(writer);
    let segment = segments(directory.path()).pop().unwrap();
    let whole = std::fs::read(&segment).unwrap();
    for lost in [1, 40] {
        std::fs::write(&segment, &whole[..whole.len() - lost]).unwrap();
        std::fs::write(directory.path().join("spool/acked"), "").unwrap();
        let (mut writer, mut reader, checkpoint, stats) = open_at(directory.path());
        assert_eq!(checkpoint.journal.as_deref(), Some("cursor 1"));
        assert_eq!(stats.counts().spool_cuts, 1);
        writer.append(&description(7), b"after").unwrap();
        let batches: Vec<String> = (0..3)
            .map(|_| {
                let frame = batch(&mut reader);
                reader.acknowledge(&frame).unwrap();
                frame.description.batch
            })
            .collect();
        assert_eq!(batches, [0, 1, 7].map(|number| description(number).batch));
    }
}

#[test]
fn the_mark_never_hides_a_new_batch() {
    let directory = tempfile::tempdir().unwrap();
    let (mut writer, mut reader, _, _) = open_at(directory.path());
    writer.append(&description(0), &[7; 1000]).unwrap();
    let frame = batch(&mut reader);
    reader.acknowledge(&frame).unwrap();
    drop((writer, reader));
    // The batch that the hub took is damaged, so its segment is cut before the mark.
    let segment = segments(directory.path()).pop().unwrap();
    let file = private_file().open(&segment).unwrap();
    file.write_all_at(b"damage", file.metadata().unwrap().len() - 6).unwrap();
    for _ in 0..2 {
        drop(open_at(directory.path()));
    }
    let (mut writer, mut reader, _, _) = open_at(directory.path());
    writer.append(&description(1), b"new").unwrap();
    assert_eq!(batch(&mut reader).description, description(1));
    // Nor does a mark that was damaged itself: what may have been taken is sent again.
    drop((writer, reader));
    std::fs::write(directory.path().join("spool/acked"), [1; 40]).unwrap();
    let (_writer, mut reader, _, _) = open_at(directory.path());
    assert_eq!(batch(&mut reader).description, description(1));
}

#[test]
fn a_full_spool_has_no_room_until_segments_are_taken() {
    let directory = tempfile::tempdir().unwrap();
    let stats = Stats::default();
    let (mut writer, mut reader, _) = open(directory.path(), 0, &stats).unwrap();
    let body = vec![9; 300 << 10];
    let mut written = 0;
    while writer.has_room() {
        writer.append(&description(written), &body).unwrap();
        written += 1;
    }
    assert!(segments(directory.path()).len() > 3);
    for number in 0..written {
        let frame = batch(&mut reader);
        assert_eq!(frame.description, description(number));
        reader.acknowledge(&frame).unwrap();
    }
    assert!(writer.has_room());
    assert_eq!(segments(directory.path()).len(), 1);
    // The one that is left still says how far sources were read.
    drop((writer, reader));
    let (_writer, _, checkpoint, _) = open_at(directory.path());
    assert_eq!(checkpoint.journal, Some(format!("cursor {}", written - 1)));
}

#[test]
fn it_is_private_and_for_one_agent_alone() {
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("state");
    let (writer, _reader, _, _) = open_at(&state);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&segments(&state)[0])), (0o700, 0o600));
    let second = open(&state, CAP, &Stats::default());
    assert!(matches!(second, Err(AgentError::Locked(_))), "{second:?}");
    drop((writer, _reader));
    open_at(&state);
}
