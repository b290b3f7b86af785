//! Reads the book from its durable form.

use std::sync::Arc;

use bergfried_alert::exception::Exception;
use bergfried_alert::{Alert, Blackout, Model};
use bergfried_control::{Control, ControlError};

use crate::beats::Beat;
use crate::book::{Book, weight};

/// The book, and the last sequence whose findings are in it.
///
/// A row that cannot be read is left where it is and said in the log: one bad row keeps nobody from
/// the others.
pub(crate) fn load(control: &Control, model: &Model) -> Result<(Book, u64), ControlError> {
    let mut book = Book::new(model.clone());
    let mut last = 0;
    let start = control.read_book(|number, body| {
        last = last.max(number);
        match serde_json::from_str::<Alert>(body) {
            Ok(alert) => {
                book.revision = book.revision.max(alert.revision);
                let bytes = weight(&alert, body.len());
                book.put(number, Some((Arc::new(alert), bytes)));
            }
            Err(error) => tracing::error!(number, %error, "cannot read a stored alert"),
        }
    })?;
    for stored in &start.heartbeats {
        last = last.max(stored.row.number);
        match Beat::read(stored) {
            Ok(beat) => book.put_beat(stored.row.number, Some(Arc::new(beat))),
            Err(error) => {
                tracing::error!(number = stored.row.number, %error, "cannot read a stored heartbeat");
            }
        }
    }
    for row in &start.blackouts {
        last = last.max(row.number);
        match serde_json::from_str::<Blackout>(row.body.as_deref().unwrap_or_default()) {
            Ok(blackout) => {
                book.blackouts.insert(row.number, Arc::new(blackout));
            }
            Err(error) => {
                tracing::error!(number = row.number, %error, "cannot read a stored blackout");
            }
        }
    }
    for row in &start.exceptions {
        last = last.max(row.number);
        match serde_json::from_str::<Exception>(row.body.as_deref().unwrap_or_default()) {
            Ok(exception) => {
                book.exceptions.insert(row.number, Arc::new(exception));
            }
            Err(error) => {
                tracing::error!(number = row.number, %error, "cannot read a stored exception");
            }
        }
    }
    book.raised.absorb(&start.raised);
    book.revision = book.revision.max(start.revision);
    book.number = last.max(start.number);
    Ok((book, start.applied))
}
