//! What is worth saying of a log file.

use std::path::Path;

use bergfried_event::Timestamp;

use super::log::{Fate, Log, Seen, WORLD_WRITABLE};
use crate::observers::record::Record;
use crate::tamper::MODULE;

/// A file that matched a glob and was not written to for this long may be cleared away.
const OLD: i64 = 86_400;

/// How a look at a file was taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'a> {
    pub(super) path: &'a Path,
    pub(super) at: Timestamp,
    /// The first of this start of the agent: what happened, happened while it was not running.
    pub(super) is_first: bool,
    /// Found by a glob, as files are that are written for a day and then removed.
    pub(super) is_of_glob: bool,
}

/// The records of what became of a file, and what is known of it from now on; none where it need not
/// be known any more.
pub(super) fn judge(
    before: Option<&Log>,
    seen: &Seen,
    fate: &Fate,
    look: Look<'_>,
) -> (Vec<Record>, Option<Log>) {
    let mut records = Vec::new();
    let now = match seen {
        Seen::File(now) => Some(now),
        Seen::NoFile(_) | Seen::Nothing => None,
    };
    if let Some(before) = before.filter(|before| !before.is_gone) {
        records.extend(became(before, seen, fate, look));
    }
    if let Some(now) = now {
        let known = before.filter(|before| !before.is_gone);
        records.extend(permissions(known, now, look));
    }
    let after = match (now, before) {
        (Some(now), _) => Some(now.clone()),
        (None, Some(_)) if look.is_of_glob => None,
        (None, Some(before)) => Some(before.clone().gone()),
        (None, None) => None,
    };
    (records, after)
}

fn became(before: &Log, seen: &Seen, fate: &Fate, look: Look<'_>) -> Option<Record> {
    let path = look.path.display();
    let at = jiff::Timestamp::from(look.at).as_second();
    let (kind, action, message) = match fate {
        Fate::Same => return None,
        Fate::Rotated(to) => {
            let message = format!("{path} was rotated, what it held is in {}", to.display());
            ("change", "log-rotated", message)
        }
        Fate::Missing if look.is_of_glob && at - before.modified.0 > OLD => {
            let message = format!("{path} was cleared away, long after it was last written to");
            ("deletion", "log-rotated", message)
        }
        Fate::Missing => {
            ("deletion", "log-missing", format!("{path} is gone, and was not rotated"))
        }
        Fate::Replaced if matches!(seen, Seen::NoFile(_)) => (
            "change",
            "log-replaced",
            format!("{path} is no longer a file: what is logged to it is lost"),
        ),
        Fate::Replaced => {
            let message = format!("{path} was replaced by another file, and was not rotated");
            ("change", "log-replaced", message)
        }
        Fate::Truncated => {
            let message = match seen {
                Seen::File(now) if now.size < before.size => format!(
                    "{path} was truncated from {} to {} bytes, and was not rotated",
                    before.size, now.size
                ),
                _ => format!("{path} was written anew from its beginning, and was not rotated"),
            };
            ("change", "log-truncated", message)
        }
    };
    let record = record(kind, action, message, seen, look)
        .with("log_tamper.before.inode", before.inode)
        .with("log_tamper.before.size", before.size)
        .with("log_tamper.before.mtime", time(before.modified));
    Some(match fate {
        Fate::Rotated(to) => record.with("log_tamper.rotated_to", to.to_string_lossy()),
        _ => record,
    })
}

fn permissions(before: Option<&Log>, now: &Log, look: Look<'_>) -> Option<Record> {
    let path = look.path.display();
    let is_new = |bits: u32| before.is_none_or(|before| before.mode & bits == 0);
    let seen = Seen::File(now.clone());
    let record = if now.mode & WORLD_WRITABLE != 0 && (is_new(WORLD_WRITABLE) || look.is_first) {
        let message = format!("anyone on this host may write to {path} (mode {:04o})", now.mode);
        record("change", "log-world-writable", message, &seen, look)
    } else if before.is_some_and(|before| now.is_looser_than(before)) {
        let before = before?;
        let message = format!(
            "{path} may be read or written by others than before: mode {:04o}, owner {}:{}, were {:04o}, {}:{}",
            now.mode, now.uid, now.gid, before.mode, before.uid, before.gid
        );
        record("change", "log-permissions-loosened", message, &seen, look)
    } else {
        return None;
    };
    let Some(before) = before else { return Some(record) };
    let record = record
        .with("log_tamper.before.mode", format!("{:04o}", before.mode))
        .with("log_tamper.before.uid", before.uid.to_string())
        .with("log_tamper.before.gid", before.gid.to_string());
    Some(record)
}

fn record(kind: &str, action: &str, message: String, seen: &Seen, look: Look<'_>) -> Record {
    let record = Record::new(MODULE, ("file", kind), action, message, look.at)
        .with("file.path", look.path.to_string_lossy())
        .with("log_tamper.while_down", look.is_first);
    let (Seen::File(now) | Seen::NoFile(now)) = seen else { return record };
    record
        .with("file.inode", now.inode.to_string())
        .with("file.size", now.size)
        .with("file.mode", format!("{:04o}", now.mode))
        .with("file.uid", now.uid.to_string())
        .with("file.gid", now.gid.to_string())
        .with("file.mtime", time(now.modified))
}

fn time((seconds, nanoseconds): (i64, i64)) -> Option<String> {
    let nanoseconds = i32::try_from(nanoseconds).ok()?;
    let time = jiff::Timestamp::new(seconds, nanoseconds).ok()?;
    Some(Timestamp::from(time).to_string())
}
