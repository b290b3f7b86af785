//! Writes events as syslog messages for other systems.
//!
//! Header fields hold what their section of RFC 5424 allows: characters that it does not become
//! `_`, what is too long is cut, what is missing is `-`. Text of the log is never interpreted and
//! can neither end a message nor begin another.

mod cef;
mod header;
mod structured;

use bergfried_event::{Event, Field};

use crate::message::is_end;

/// What a message carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    /// The text as it was received, nothing else.
    Raw,
    /// An RFC 5424 message: the event's message, its fields as structured data under the id
    /// `bergfried@32473` (the enterprise number that RFC 5612 sets aside for examples).
    Rfc5424,
    /// An RFC 5424 message whose text is the event as one JSON object.
    Json,
    /// An RFC 5424 message whose text is the event in ArcSight's Common Event Format, version 0.
    Cef,
}

/// How messages of a stream are told apart (RFC 6587).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The length and a space in front (section 3.4.1); line ends in a message stay.
    OctetCounted,
    /// A line end behind (section 3.4.2); control characters in a message become `#` and three octal
    /// digits, as rsyslog writes them, tabs left aside.
    Newline,
}

/// Appends the message of an event, as it goes into a datagram or a frame.
pub fn message(event: &Event<'_>, payload: Payload, out: &mut Vec<u8>) {
    if payload == Payload::Raw {
        out.extend_from_slice(event.original().as_bytes());
        return;
    }
    let in_header = header::write(event, out);
    match payload {
        Payload::Raw => {}
        Payload::Rfc5424 => {
            structured::write(event, &in_header, out);
            let text = event.text(Field::Message).unwrap_or(event.original());
            if !text.is_empty() {
                out.push(b' ');
                out.extend_from_slice(text.as_bytes());
            }
        }
        Payload::Json => {
            out.extend_from_slice(b"- ");
            let start = out.len();
            if serde_json::to_writer(&mut *out, event).is_err() {
                // Writing into memory does not fail; half an object would be worse than none.
                out.truncate(start);
            }
        }
        Payload::Cef => {
            out.extend_from_slice(b"- ");
            cef::write(event, out);
        }
    }
}

/// Appends a message in its frame; a message without bytes has none.
pub fn frame(message: &[u8], framing: Framing, out: &mut Vec<u8>) {
    if message.is_empty() {
        return;
    }
    match framing {
        Framing::OctetCounted => {
            out.extend_from_slice(format!("{} ", message.len()).as_bytes());
            out.extend_from_slice(message);
        }
        Framing::Newline => {
            let end = message.iter().rposition(|byte| !is_end(*byte)).map_or(0, |last| last + 1);
            for byte in message.get(..end).unwrap_or_default() {
                if byte.is_ascii_control() && *byte != b'\t' {
                    out.extend_from_slice(format!("#{byte:03o}").as_bytes());
                } else {
                    out.push(*byte);
                }
            }
            out.push(b'\n');
        }
    }
}

/// The longest piece of `text` of at most `limit` bytes that ends between two characters.
fn shortened(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or(0)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
