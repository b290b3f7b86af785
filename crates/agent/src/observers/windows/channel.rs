//! One channel: how far it was read, and what is to be read of it next.
//!
//! A log is told by the number and the time of the record that was read last. Where that record is
//! another one now, the log was cleared or made anew and is read from its start; where it is gone and
//! later ones are there, the log wrote over it, and what lies between is missing.

use serde::{Deserialize, Serialize};

use super::query::{Answer, Entry, Query};

/// How many records before the newest are read of a log at first.
pub(super) const RECENT: u64 = 10_000;

/// How far a channel was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    /// The number of the last record; the next ones are read.
    pub(super) id: u64,
    /// Its time, as it was written; empty where that is not known.
    pub(super) time: String,
}

/// What is new in a channel.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) entries: Vec<Entry>,
    /// How far it is read with them; nothing where no answer came.
    pub(super) cursor: Option<Cursor>,
    /// Whether the log is not the one that was read before.
    pub(super) began_anew: bool,
    /// The numbers of records that the log wrote over before they were read.
    pub(super) missing: Option<(u64, u64)>,
    pub(super) broken: u64,
    /// Whether there may be more at once.
    pub(super) more: bool,
    /// Why the program did not end well.
    pub(super) error: Option<String>,
}

/// Where a log is begun that was never read.
pub(super) fn begin(from: bergfried_source::From, ask: &mut Ask<'_>) -> Result<Cursor, News> {
    if from == bergfried_source::From::Start {
        return Ok(Cursor::default());
    }
    let answer = ask(Query::Newest);
    let Some(newest) = answer.entries.into_iter().next_back() else {
        return match answer.error {
            Some(error) => Err(News { error: Some(error.to_string()), ..News::default() }),
            // An empty log: whatever comes is new.
            None => Ok(Cursor::default()),
        };
    };
    Ok(match from {
        bergfried_source::From::End => Cursor { id: newest.id, time: newest.time },
        _ => Cursor { id: newest.id.saturating_sub(RECENT), time: String::new() },
    })
}

/// Asks the channel.
pub(super) type Ask<'a> = dyn FnMut(Query<'_>) -> Answer + 'a;

/// What came after the cursor, of these kinds (all where none is named).
pub(super) fn read(cursor: &Cursor, codes: &[u32], ask: &mut Ask<'_>) -> News {
    // The last record is asked for again, to see that it is the same one.
    let known = cursor.id > 0 && !cursor.time.is_empty();
    let after = if known { cursor.id - 1 } else { cursor.id };
    let answer = ask(Query::After(after, codes));
    let is_known = |entry: &Entry| entry.id == cursor.id && entry.time == cursor.time;
    let mut news = News {
        broken: answer.broken,
        more: answer.more,
        error: answer.error.map(|error| error.to_string()),
        ..News::default()
    };
    let mut entries = answer.entries;
    if known && !entries.iter().any(is_known) {
        if news.error.is_some() && entries.is_empty() {
            return news;
        }
        // Of any kind, because the kinds that are asked for may have changed.
        let check = ask(Query::FirstAfter(after));
        if let Some(error) = check.error {
            return News { error: Some(error.to_string()), ..News::default() };
        }
        let is_same_log = check.entries.iter().any(is_known);
        match check.entries.into_iter().find(|entry| entry.id >= cursor.id) {
            Some(first) if first.id > cursor.id => {
                let last = first.id - 1;
                news.missing = Some((cursor.id + 1, last)).filter(|(first, last)| first <= last);
            }
            _ if is_same_log => {}
            _ => {
                return News {
                    cursor: Some(Cursor::default()),
                    began_anew: true,
                    more: true,
                    ..News::default()
                };
            }
        }
    }
    entries.retain(|entry| entry.id > cursor.id);
    if let Some(last) = entries.last() {
        news.cursor = Some(Cursor { id: last.id, time: last.time.clone() });
    }
    // A program that prints the same again and again has no more.
    news.more &= !entries.is_empty();
    entries.retain(|entry| codes.is_empty() || codes.contains(&entry.code));
    news.entries = entries;
    news
}

#[cfg(test)]
mod tests {
    use super::*;
    use bergfried_source::From;

    fn entry(id: u64, day: u64, code: u32) -> Entry {
        Entry { id, time: format!("day {day}"), code, xml: format!("{id} on {day}") }
    }

    /// A log of these entries, which gives two at a time.
    fn log(entries: &[Entry]) -> impl FnMut(Query<'_>) -> Answer {
        move |query| {
            let (mut found, most): (Vec<Entry>, _) = match query {
                Query::Newest => (entries.last().cloned().into_iter().collect(), 1),
                Query::FirstAfter(id) => {
                    (entries.iter().filter(|one| one.id > id).cloned().collect(), 1)
                }
                Query::After(id, codes) => {
                    let wanted = |one: &&Entry| one.id > id && codes.contains(&one.code);
                    (entries.iter().filter(wanted).cloned().collect(), 2)
                }
            };
            found.truncate(most);
            Answer { more: found.len() == most, entries: found, ..Answer::default() }
        }
    }

    /// Everything that is read from a cursor on, what was said beside, and where it ends.
    fn all(mut cursor: Cursor, codes: &[u32], entries: &[Entry]) -> (Vec<String>, Cursor) {
        let mut told = Vec::new();
        for _ in 0..100 {
            let news = read(&cursor, codes, &mut log(entries));
            told.extend(news.missing.map(|(first, last)| format!("{first} to {last} missing")));
            told.extend(news.began_anew.then(|| "anew".to_owned()));
            told.extend(news.entries.into_iter().map(|entry| entry.xml));
            cursor = news.cursor.unwrap_or(cursor);
            if !news.more {
                return (told, cursor);
            }
        }
        panic!("it never ends: {told:?}");
    }

    #[test]
    fn a_log_is_read_on_also_after_it_was_cleared_or_wrote_over_itself() {
        let at = |id, day| Cursor { id, time: format!("day {day}") };
        let days = |ids: std::ops::RangeInclusive<u64>, day: u64| -> Vec<Entry> {
            ids.map(|id| entry(id, day, 1)).collect()
        };
        type Case<'a> = (&'a str, Cursor, Vec<Entry>, &'a [&'a str], Cursor);
        let cases: Vec<Case<'_>> = vec![
            ("nothing new", at(3, 1), days(1..=3, 1), &[], at(3, 1)),
            ("some are new", at(1, 1), days(1..=3, 1), &["2 on 1", "3 on 1"], at(3, 1)),
            (
                "from the start",
                Cursor::default(),
                days(1..=3, 1),
                &["1 on 1", "2 on 1", "3 on 1"],
                at(3, 1),
            ),
            ("cleared, and empty since", at(3, 1), Vec::new(), &["anew"], Cursor::default()),
            (
                "cleared, fewer since",
                at(9, 1),
                days(1..=2, 2),
                &["anew", "1 on 2", "2 on 2"],
                at(2, 2),
            ),
            (
                "cleared, more since",
                at(2, 1),
                days(1..=3, 2),
                &["anew", "1 on 2", "2 on 2", "3 on 2"],
                at(3, 2),
            ),
            ("cleared, numbers go on", at(3, 1), days(4..=5, 2), &["4 on 2", "5 on 2"], at(5, 2)),
            (
                "written over",
                at(3, 1),
                days(7..=8, 2),
                &["4 to 6 missing", "7 on 2", "8 on 2"],
                at(8, 2),
            ),
        ];
        for (name, cursor, entries, told, end) in cases {
            let told: Vec<String> = told.iter().map(|one| (*one).to_owned()).collect();
            assert_eq!(all(cursor, &[1], &entries), (told, end), "{name}");
        }
    }

    #[test]
    fn other_kinds_do_not_make_a_log_another_one() {
        let entries = [entry(1, 1, 1), entry(2, 1, 2), entry(3, 1, 1)];
        let cursor = Cursor { id: 1, time: "day 1".to_owned() };
        // The last record that was read is of a kind that is no longer asked for.
        let (told, end) = all(cursor, &[2], &entries);
        assert_eq!((told, end.id), (vec!["2 on 1".to_owned()], 2));
    }

    #[test]
    fn a_first_start_begins_where_it_is_told() {
        let entries: Vec<Entry> = [1, RECENT + 7].map(|id| entry(id, 1, 1)).to_vec();
        let begun = |from| begin(from, &mut log(&entries)).unwrap();
        assert_eq!(begun(From::Start), Cursor::default());
        assert_eq!(begun(From::Recent).id, 7);
        assert_eq!(begun(From::End).id, RECENT + 7);
        assert_eq!(begin(From::End, &mut log(&[])).unwrap(), Cursor::default());
    }
}
