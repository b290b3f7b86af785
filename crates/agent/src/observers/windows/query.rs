//! What `wevtutil` is asked, and what it answers.

use std::ops::ControlFlow;
use std::time::Duration;

use super::elements::Elements;
use super::options::WindowsOptions;
use super::text::Text;
use crate::stop::Stop;
use crate::stream::{Limits, StreamError, stream};

/// Windows refuses a query of more than about twenty conditions; with more, all events are read and
/// those of other numbers passed over here.
const MOST_CONDITIONS: usize = 19;
/// Prints UTF-16, because the code page of a console lacks most letters of the world.
const UNICODE: &str = "/uni:true";
/// The most text of events that is kept of one answer; the rest is asked for again.
const MOST_KEPT: usize = 8 << 20;
/// The most that a program may print for one answer, whatever it is.
const MOST_PRINTED: usize = 64 << 20;

/// One event as it was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its number in the log.
    pub(super) id: u64,
    /// When it happened, as it was written: together with the number it tells whether a log is the
    /// same one still.
    pub(super) time: String,
    /// What kind of event it is.
    pub(super) code: u32,
    pub(super) xml: String,
}

/// What is asked of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query<'q> {
    /// Its newest event.
    Newest,
    /// Its first event of any kind with a number above this one.
    FirstAfter(u64),
    /// Its next events with a number above this one, of these kinds.
    After(u64, &'q [u32]),
}

/// What came of asking.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// By number, none twice.
    pub(super) entries: Vec<Entry>,
    /// Whether there may be more.
    pub(super) more: bool,
    /// How many could not be read.
    pub(super) broken: u64,
    /// Why the program did not end well.
    pub(super) error: Option<StreamError>,
}

impl Query<'_> {
    /// The words after `qe <channel>`: the events as XML, in the order of the log.
    fn arguments(self, batch: u32) -> Vec<String> {
        let plain = ["/f:xml", UNICODE].map(str::to_owned);
        let own = match self {
            Query::Newest => vec!["/c:1".to_owned(), "/rd:true".to_owned()],
            Query::FirstAfter(id) => {
                vec![format!("/q:*[System[(EventRecordID>{id})]]"), "/c:1".to_owned()]
            }
            Query::After(id, codes) if codes.is_empty() || codes.len() > MOST_CONDITIONS => {
                vec![format!("/q:*[System[(EventRecordID>{id})]]"), format!("/c:{batch}")]
            }
            Query::After(id, codes) => {
                let codes: Vec<String> =
                    codes.iter().map(|code| format!("EventID={code}")).collect();
                let codes = codes.join(" or ");
                vec![
                    format!("/q:*[System[(EventRecordID>{id}) and ({codes})]]"),
                    format!("/c:{batch}"),
                ]
            }
        };
        own.into_iter().chain(plain).collect()
    }
}

/// Asks a channel; a program that stands for `wevtutil` and refuses the option for Unicode once more
/// without it.
pub(super) fn ask(
    options: &WindowsOptions,
    channel: &str,
    query: Query<'_>,
    stop: &Stop,
) -> Answer {
    let mut words = query.arguments(options.batch);
    let answer = run(options, channel, query, &words, stop);
    if !matches!(answer.error, Some(StreamError::Failed { .. })) || !answer.entries.is_empty() {
        return answer;
    }
    words.retain(|word| word != UNICODE);
    let plain = run(options, channel, query, &words, stop);
    if plain.error.is_some() { answer } else { plain }
}

fn run(
    options: &WindowsOptions,
    channel: &str,
    query: Query<'_>,
    words: &[String],
    stop: &Stop,
) -> Answer {
    let program = options.words();
    let own = ["qe", channel].into_iter().chain(words.iter().map(String::as_str));
    let words: Vec<&str> = program.iter().map(String::as_str).chain(own).collect();
    let most = if matches!(query, Query::After(..)) { options.batch } else { 1 };
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let limits =
        Limits { time: Duration::from_secs(options.timeout_seconds), output: MOST_PRINTED };
    let (mut text, mut elements) = (Text::new(options.code_page), Elements::default());
    let mut answer = Answer::default();
    let (mut kept, mut printed) = (0, 0_usize);
    let ended = stream(&words, limits, stop, &mut |part| {
        text.push(part, elements.text());
        while let Some(xml) = elements.next() {
            printed += 1;
            kept += xml.len();
            match Entry::read(xml) {
                Some(entry) => answer.entries.push(entry),
                None => answer.broken += 1,
            }
        }
        if kept < MOST_KEPT { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    elements.finish();
    answer.broken += elements.broken();
    answer.error = ended.err();
    answer.more = kept >= MOST_KEPT || printed >= most;
    answer.entries.sort_by_key(|entry| entry.id);
    answer.entries.dedup_by_key(|entry| entry.id);
    answer
}

impl Entry {
    /// What is needed of an event, from the element `System` alone: the texts behind it are others'.
    fn read(xml: String) -> Option<Entry> {
        let (system, _) = xml.split_once("</System>")?;
        let id = content(system, "<EventRecordID")?.parse().ok()?;
        let code = content(system, "<EventID")?.parse().ok()?;
        let (_, time) = system.split_once("SystemTime=")?;
        let quote = time.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        let time = time.get(1..)?.split(quote).next()?.to_owned();
        Some(Entry { id, time, code, xml })
    }
}

/// The text of the first element of a name, which may have attributes.
fn content<'x>(xml: &'x str, start: &str) -> Option<&'x str> {
    let (_, rest) = xml.split_once(start)?;
    let (_, rest) = rest.split_once('>')?;
    rest.split('<').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_arguments_and_not_too_long_for_windows() {
        let words = |query: Query<'_>| query.arguments(7).join(" ");
        assert_eq!(words(Query::Newest), "/c:1 /rd:true /f:xml /uni:true");
        assert_eq!(
            words(Query::After(41, &[104, 7045])),
            "/q:*[System[(EventRecordID>41) and (EventID=104 or EventID=7045)]] /c:7 /f:xml /uni:true"
        );
        let many: Vec<u32> = (0..20).collect();
        for query in [Query::After(0, &[]), Query::After(0, &many)] {
            assert_eq!(words(query), "/q:*[System[(EventRecordID>0)]] /c:7 /f:xml /uni:true");
        }
        let defaults = WindowsOptions::default();
        assert!(defaults.channels.values().all(|codes| codes.len() <= MOST_CONDITIONS));
        assert_eq!(defaults.check(), Ok(()));
    }

    #[test]
    fn an_entry_is_read_from_its_system_alone() {
        let event = "<Event><System><EventID Qualifiers='0'>104</EventID>\
            <TimeCreated SystemTime=\"2026-11-20T21:11:02.6Z\"/><EventRecordID>9</EventRecordID>\
            </System><UserData><EventRecordID>1</EventRecordID></UserData></Event>";
        let entry = Entry::read(event.to_owned()).unwrap();
        assert_eq!((entry.id, entry.code), (9, 104));
        assert_eq!(entry.time, "2026-11-20T21:11:02.6Z");
        for broken in [
            event.replace("<EventRecordID>9</EventRecordID>", ""),
            event.replace("104", "x"),
            event.replace("SystemTime=\"", "SystemTime="),
            event.replace("System>", "Other>"),
        ] {
            assert_eq!(Entry::read(broken.clone()), None, "{broken}");
        }
    }
}
