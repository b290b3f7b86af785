//! Letters that are due become one message.

use std::collections::{BTreeMap, HashMap};

use bergfried_control::QueuedLetter;
use bergfried_event::Severity;
use bergfried_notify::{Digest, Group, Message, Notice};

/// The most alerts that a message about several keeps; the rest are counted.
const MAX_NOTICES: usize = 50;

/// The message of letters that go together; none where there are none.
///
/// # Errors
/// Where a body is no message.
pub(crate) fn compose(letters: &[QueuedLetter]) -> Result<Option<Message>, serde_json::Error> {
    let (Some(first), Some(last)) = (letters.first(), letters.last()) else { return Ok(None) };
    let read = |letter: &QueuedLetter| serde_json::from_str::<Message>(&letter.body);
    let bundle = match (&first.bundle, letters.len()) {
        (None, _) | (_, 1) => return read(first).map(Some),
        (Some(bundle), _) => bundle,
    };
    let mut counts: BTreeMap<Severity, u64> = BTreeMap::new();
    let mut latest: HashMap<String, (usize, Notice)> = HashMap::new();
    for (place, letter) in letters.iter().enumerate() {
        let message = read(letter)?;
        *counts.entry(message.severity()).or_default() += 1;
        if let Message::Alert(notice) = message {
            latest.insert(notice.id.clone(), (place, *notice));
        }
    }
    let mut notices: Vec<(usize, Notice)> = latest.into_values().collect();
    notices.sort_by_key(|(place, notice)| (std::cmp::Reverse(notice.severity), *place));
    let more = u64::try_from(notices.len().saturating_sub(MAX_NOTICES)).unwrap_or(u64::MAX);
    notices.truncate(MAX_NOTICES);
    let notices: Vec<Notice> = notices.into_iter().map(|(_, notice)| notice).collect();
    let (since, until) = (first.created, last.created);
    let title = bundle.title.clone();
    Ok(Some(match bundle.held {
        true => Message::Digest(Digest { reason: title, since, until, counts, notices, more }),
        false => Message::Group(Group { title, notices, more, since, until }),
    }))
}
